/**
 * noVNC's decoders (npm @novnc/novnc) outside a browser: its own receive queue, and a display that puts pixels into
 * memory where a browser would put them into a canvas.
 *
 * @module
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SessionHeader } from '../../fixtures/vnc/rfb/recording.ts';

interface Display {
  blitImage(x: number, y: number, width: number, height: number, pixels: Uint8Array, offset: number): void;
  fillRect(x: number, y: number, width: number, height: number, colour: ArrayLike<number>): void;
  copyImage(fromX: number, fromY: number, toX: number, toY: number, width: number, height: number): void;
}

interface Decoder {
  decodeRect(
    x: number,
    y: number,
    width: number,
    height: number,
    sock: Websock,
    display: Display,
    depth: number,
  ): boolean;
}

interface Websock {
  _rQ: Uint8Array;
  _rQi: number;
  _rQlen: number;
  rQlen(): number;
  rQwait(what: string, size: number, goBack?: number): boolean;
  rQshift8(): number;
  rQshift16(): number;
  rQshift32(): number;
  rQskipBytes(size: number): void;
}

// Its modules look at a browser's globals when they are loaded, and use none of them to decode.
Object.assign(globalThis, { window: globalThis, document: { documentElement: {} }, WebSocket: {} });
const core = dirname(fileURLToPath(import.meta.resolve('@novnc/novnc')));
const load = async <T>(path: string): Promise<T> =>
  ((await import(join(core, path))) as { default: T }).default;

const NAMES: Readonly<Record<number, string>> = {
  0: 'raw',
  1: 'copyrect',
  2: 'rre',
  5: 'hextile',
  6: 'zlib',
  7: 'tight',
  16: 'zrle',
};
const available = readdirSync(join(core, 'decoders'));
const decoderClasses = new Map<number, new () => Decoder>();
for (const [encoding, name] of Object.entries(NAMES)) {
  if (!available.includes(`${name}.js`)) continue;
  decoderClasses.set(Number(encoding), await load(`decoders/${name}.js`));
}
const WebsockClass = await load<new () => Websock>('websock.js');

/** Decodes updates that come in `chunks`; gives the RGBA pixels. Synchronous, as noVNC is. */
export function noVncDecoder({ width, height }: SessionHeader, chunks: readonly Buffer[]): Uint8Array {
  const sock = new WebsockClass();
  const largest = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  sock._rQ = new Uint8Array(Math.min(largest, 40 << 20) + 1);
  sock._rQi = 0;
  sock._rQlen = 0;
  const memory = new Uint8Array(width * height * 4);
  const display = displayOn(memory, width);
  const decoders = new Map([...decoderClasses].map(([encoding, Class]) => [encoding, new Class()]));
  const state = { left: 0, header: undefined as Header | undefined };
  for (const chunk of chunks) {
    if (sock._rQlen + chunk.length > sock._rQ.length) {
      sock._rQ.copyWithin(0, sock._rQi, sock._rQlen);
      sock._rQlen -= sock._rQi;
      sock._rQi = 0;
    }
    sock._rQ.set(chunk, sock._rQlen);
    sock._rQlen += chunk.length;
    while (sock.rQlen() > 0 && step(sock, state, decoders, display));
    if (sock._rQi === sock._rQlen) sock._rQi = sock._rQlen = 0;
  }
  return memory;
}

interface Header {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly encoding: number;
}

function step(
  sock: Websock,
  state: { left: number; header: Header | undefined },
  decoders: ReadonlyMap<number, Decoder>,
  display: Display,
): boolean {
  if (state.left === 0) {
    if (sock.rQwait('update', 4)) return false;
    sock.rQskipBytes(2);
    state.left = sock.rQshift16();
    return true;
  }
  if (!state.header) {
    if (sock.rQwait('rectangle', 12)) return false;
    const [x, y, width, height] = [sock.rQshift16(), sock.rQshift16(), sock.rQshift16(), sock.rQshift16()];
    state.header = { x, y, width, height, encoding: sock.rQshift32() | 0 };
  }
  const { x, y, width, height, encoding } = state.header;
  const decoder = decoders.get(encoding);
  if (decoder) {
    if (!decoder.decodeRect(x, y, width, height, sock, display, 24)) return false;
  } else {
    const size = pseudoSize(state.header, sock);
    if (size === undefined || sock.rQwait('pseudo encoding', size)) return false;
    sock.rQskipBytes(size);
  }
  state.header = undefined;
  state.left = encoding === -224 ? 0 : state.left - 1;
  return true;
}

/** Bytes of a pseudo encoding, which both sides skip; undefined when they are not here yet. */
function pseudoSize({ width, height, encoding }: Header, sock: Websock): number | undefined {
  if (encoding === -239) return width * height * 4 + Math.ceil(width / 8) * height;
  if (encoding === -308) return sock.rQlen() < 1 ? undefined : 4 + 16 * (sock._rQ[sock._rQi] ?? 0);
  return encoding === -261 ? 1 : 0;
}

function displayOn(memory: Uint8Array, stride: number): Display {
  const words = new Uint32Array(memory.buffer);
  return {
    blitImage(x, y, width, height, pixels, offset) {
      for (let row = 0; row < height; row++) {
        const from = offset + row * width * 4;
        memory.set(pixels.subarray(from, from + width * 4), ((y + row) * stride + x) * 4);
      }
    },
    fillRect(x, y, width, height, [red = 0, green = 0, blue = 0]: number[]) {
      const word = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
      for (let row = 0; row < height; row++) {
        const start = (y + row) * stride + x;
        words.fill(word, start, start + width);
      }
    },
    copyImage(fromX, fromY, toX, toY, width, height) {
      const upward = toY <= fromY;
      for (let row = 0; row < height; row++) {
        const at = upward ? row : height - 1 - row;
        const start = (fromY + at) * stride + fromX;
        words.copyWithin((toY + at) * stride + toX, start, start + width);
      }
    },
  };
}
