/**
 * An RFB server that does exactly what a test scripts.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import type { Rect } from '../../../fixtures/image/frame.ts';
import { ByteReader, StreamEnded } from '../../../fixtures/vnc/rfb/reader.ts';
import { duplexPair } from './streams.ts';

export type ClientMessage =
  | { readonly type: 'request'; readonly rect: Rect; readonly incremental: boolean }
  | { readonly type: 'key'; readonly keysym: number; readonly down: boolean }
  | { readonly type: 'pointer'; readonly x: number; readonly y: number; readonly buttons: number }
  | { readonly type: 'encodings'; readonly encodings: readonly number[] }
  | { readonly type: 'fence'; readonly flags: number; readonly payload: Buffer }
  | { readonly type: 'push'; readonly enable: boolean }
  | { readonly type: 'format' };

export type Colour = readonly [red: number, green: number, blue: number];

export const BLACK: Colour = [0, 0, 0];
export const RED: Colour = [255, 0, 0];
export const GREEN: Colour = [0, 255, 0];
export const BLUE: Colour = [0, 0, 255];

/** A rectangle of an update: header and payload. */
export function rectBytes(rect: Rect, encoding: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(12);
  [rect.x, rect.y, rect.width, rect.height].forEach((value, index) => header.writeUInt16BE(value, index * 2));
  header.writeInt32BE(encoding, 8);
  return Buffer.concat([header, payload]);
}

/** A rectangle of one colour, Raw. */
export function rawRect(rect: Rect, [red, green, blue]: Colour): Buffer {
  const pixels = Buffer.alloc(rect.width * rect.height * 4);
  for (let at = 0; at < pixels.length; at += 4) pixels.set([blue, green, red, 0], at);
  return rectBytes(rect, 0, pixels);
}

/** A FramebufferUpdate message of these rectangles. */
export function update(...rects: readonly Buffer[]): Buffer {
  const header = Buffer.from([0, 0, 0, 0]);
  header.writeUInt16BE(rects.length, 2);
  return Buffer.concat([header, ...rects]);
}

export interface ScriptedKey {
  readonly keysym: number;
  readonly down: boolean;
  readonly scanCode?: number;
}

export interface ServerOptions {
  readonly width?: number;
  readonly height?: number;
  readonly name?: string;
  /** What the server does with each update request; default: answer full requests with {@link ScriptedServer.paint}. */
  readonly onRequest?: (request: Rect, incremental: boolean, server: ScriptedServer) => void;
  /** Called with each key, `scanCode` where it came by its place. */
  readonly onKey?: (key: ScriptedKey, server: ScriptedServer) => void;
  /** Hangs up instead of greeting. */
  readonly refuse?: boolean;
  /** Says nothing but what the test sends. */
  readonly silent?: boolean;
}

/** One or more connections, one after the other, to the same screen. */
export class ScriptedServer {
  readonly width: number;
  readonly height: number;
  readonly log: ClientMessage[] = [];
  /** What each client's ClientInit said of other viewers: that they may stay. */
  readonly shared: boolean[] = [];
  connections = 0;
  colour: Colour = BLACK;
  readonly #options: ServerOptions;
  #stream: Duplex | undefined;

  constructor(options: ServerOptions = {}) {
    this.#options = options;
    this.width = options.width ?? 64;
    this.height = options.height ?? 48;
  }

  get whole(): Rect {
    return { x: 0, y: 0, width: this.width, height: this.height };
  }

  /** For `VncPage.connect`. */
  readonly open = (): Promise<{ stream: Duplex }> => {
    const [client, server] = duplexPair();
    this.connections++;
    this.#stream = server;
    server.on('error', () => undefined); // the client hung up
    if (this.#options.refuse) server.end();
    else if (this.#options.silent) server.resume();
    else this.#serve(server).catch(ignoreEnd);
    return Promise.resolve({ stream: client });
  };

  send(...bytes: readonly Buffer[]): void {
    for (const each of bytes) this.#stream?.write(each);
  }

  /** Paints a rectangle of the present colour. */
  paint(rect: Rect = this.whole): void {
    this.send(update(rawRect(rect, this.colour)));
  }

  /** Drops the connection. */
  drop(): void {
    this.#stream?.end();
  }

  keys(): string[] {
    return this.log
      .filter((message) => message.type === 'key')
      .map(({ keysym, down }) => `${down ? '+' : '-'}${keysym.toString(16)}`);
  }

  pointers(): { x: number; y: number; buttons: number }[] {
    return this.log.filter((message) => message.type === 'pointer');
  }

  #key(key: ScriptedKey): void {
    this.log.push({ type: 'key', keysym: key.keysym, down: key.down });
    this.#options.onKey?.(key, this);
  }

  async #serve(stream: Duplex): Promise<void> {
    const reader = new ByteReader(stream);
    stream.write('RFB 003.008\n');
    await reader.take(12);
    stream.write(Buffer.from([1, 1]));
    await reader.take(1);
    stream.write(Buffer.alloc(4));
    this.shared.push((await reader.u8()) !== 0);
    const name = Buffer.from(this.#options.name ?? 'scripted');
    const init = Buffer.alloc(24);
    init.writeUInt16BE(this.width, 0);
    init.writeUInt16BE(this.height, 2);
    init.writeUInt32BE(name.length, 20);
    stream.write(Buffer.concat([init, name]));
    for (;;) await this.#message(reader);
  }

  async #message(reader: ByteReader): Promise<void> {
    const type = await reader.u8();
    if (type === 0) {
      await reader.take(19);
      this.log.push({ type: 'format' });
    } else if (type === 2) {
      const count = (await reader.take(3)).readUInt16BE(1);
      const bytes = await reader.take(count * 4);
      const encodings = Array.from({ length: count }, (_, index) => bytes.readInt32BE(index * 4));
      this.log.push({ type: 'encodings', encodings });
    } else if (type === 3) {
      const bytes = await reader.take(9);
      const incremental = bytes.readUInt8(0) === 1;
      const [x, y, width, height] = [1, 3, 5, 7].map((at) => bytes.readUInt16BE(at)) as [
        number,
        number,
        number,
        number,
      ];
      const rect = { x, y, width, height };
      this.log.push({ type: 'request', rect, incremental });
      if (this.#options.onRequest) this.#options.onRequest(rect, incremental, this);
      // A request beyond any screen means all of it.
      else if (!incremental) this.paint(rect.width === 65_535 ? this.whole : rect);
    } else if (type === 4) {
      const bytes = await reader.take(7);
      this.#key({ down: bytes.readUInt8(0) === 1, keysym: bytes.readUInt32BE(3) });
    } else if (type === 5) {
      const bytes = await reader.take(5);
      const [buttons, x, y] = [bytes.readUInt8(0), bytes.readUInt16BE(1), bytes.readUInt16BE(3)];
      this.log.push({ type: 'pointer', x, y, buttons });
    } else if (type === 248) {
      const header = await reader.take(8);
      const payload = await reader.take(header.readUInt8(7));
      this.log.push({ type: 'fence', flags: header.readUInt32BE(3), payload });
    } else if (type === 150) {
      const enable = (await reader.take(9)).readUInt8(0) === 1;
      this.log.push({ type: 'push', enable });
    } else if (type === 255) {
      const bytes = await reader.take(11);
      const scanCode = bytes.readUInt32BE(7);
      this.#key({ down: bytes.readUInt16BE(1) === 1, keysym: bytes.readUInt32BE(3), scanCode });
    } else {
      throw new Error(`the client sent message type ${type}`);
    }
  }
}

function ignoreEnd(error: unknown): void {
  if (!(error instanceof StreamEnded)) throw error;
}

/** The colour of a pixel of a frame. */
export function pixel(frame: { width: number; data: Uint8Array }, x: number, y: number): Colour {
  const at = (y * frame.width + x) * 4;
  return [frame.data[at] ?? -1, frame.data[at + 1] ?? -1, frame.data[at + 2] ?? -1];
}
