/**
 * Rectangles as bytes: Raw, Zlib, ZRLE and Tight (RFC 6143 §7.7).
 *
 * @module
 */
import { constants, createDeflate, type Deflate } from 'node:zlib';
import { compactSize, type PixelFormat, pixelValue } from './pixel-format.ts';

/** A picture as the desktop paints it: RGBA, tightly packed. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const RAW = 0;
export const ZLIB = 6;
export const TIGHT = 7;
export const ZRLE = 16;
const TILE = 64;
/** Below this a Tight rectangle's data goes uncompressed. */
const TIGHT_MIN = 12;
const TIGHT_MAX_WIDTH = 2048;

/** Encodes rectangles for one connection: its zlib streams live as long as it does. */
export class Encoders {
  readonly #zlib = new Deflater();
  readonly #zrle = new Deflater();
  readonly #tight = new Deflater();

  /** The encoding among the client's, in its order, that this server has; Raw otherwise. */
  static choose(wanted: readonly number[]): number {
    return wanted.find((encoding) => [RAW, ZLIB, TIGHT, ZRLE].includes(encoding)) ?? RAW;
  }

  async encode(encoding: number, picture: Picture, area: Area, format: PixelFormat): Promise<Buffer> {
    if (encoding === ZRLE) return lengthPrefixed(await this.#zrle.add(zrleTiles(picture, area, format)));
    if (encoding === TIGHT && area.width <= TIGHT_MAX_WIDTH)
      return this.#tightRectangle(picture, area, format);
    const raw = pixels(picture, area, format, format.bitsPerPixel / 8);
    return encoding === ZLIB ? lengthPrefixed(await this.#zlib.add(raw)) : raw;
  }

  close(): void {
    for (const stream of [this.#zlib, this.#zrle, this.#tight]) stream.close();
  }

  async #tightRectangle(picture: Picture, area: Area, format: PixelFormat): Promise<Buffer> {
    const size = compactSize(format);
    const data = pixels(picture, area, format, size, true);
    if (isSolid(data, size)) return Buffer.concat([Buffer.from([0x80]), data.subarray(0, size)]);
    const control = Buffer.from([0x00]);
    if (data.length < TIGHT_MIN) return Buffer.concat([control, data]);
    const packed = await this.#tight.add(data);
    return Buffer.concat([control, compactLength(packed.length), packed]);
  }
}

/** Tight's TPIXEL is red, green, blue; every other compact pixel is in the format's byte order. */
function pixels(picture: Picture, area: Area, format: PixelFormat, size: number, isTight = false): Buffer {
  const out = Buffer.alloc(area.width * area.height * size);
  let at = 0;
  for (let y = area.y; y < area.y + area.height; y++) {
    let from = (y * picture.width + area.x) * 4;
    for (let x = 0; x < area.width; x++, from += 4) {
      const [red, green, blue] = [
        picture.data[from] ?? 0,
        picture.data[from + 1] ?? 0,
        picture.data[from + 2] ?? 0,
      ];
      if (isTight && size === 3) {
        out[at] = red;
        out[at + 1] = green;
        out[at + 2] = blue;
      } else writePixel(out, at, size, format, pixelValue(format, red, green, blue));
      at += size;
    }
  }
  return out;
}

function writePixel(out: Buffer, at: number, size: number, format: PixelFormat, value: number): void {
  const isHigh = size === 3 && format.shift.every((shift) => shift >= 8);
  const number = isHigh ? value >>> 8 : value;
  if (format.bigEndian) out.writeUIntBE(number, at, size);
  else out.writeUIntLE(number, at, size);
}

function zrleTiles(picture: Picture, area: Area, format: PixelFormat): Buffer {
  const size = compactSize(format);
  const parts: Buffer[] = [];
  for (let y = area.y; y < area.y + area.height; y += TILE) {
    for (let x = area.x; x < area.x + area.width; x += TILE) {
      const width = Math.min(TILE, area.x + area.width - x);
      const height = Math.min(TILE, area.y + area.height - y);
      const data = pixels(picture, { x, y, width, height }, format, size);
      if (isSolid(data, size)) parts.push(Buffer.from([1]), data.subarray(0, size));
      else parts.push(Buffer.from([0]), data);
    }
  }
  return Buffer.concat(parts);
}

function isSolid(data: Buffer, size: number): boolean {
  return data.length > size && data.compare(data, size, data.length, 0, data.length - size) === 0;
}

function lengthPrefixed(data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}

/** Tight's length: seven bits a byte, low ones first (§7.7.7 of the community's RFB text). */
function compactLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  if (length < 0x4000) return Buffer.from([0x80 | (length & 0x7f), length >> 7]);
  return Buffer.from([0x80 | (length & 0x7f), 0x80 | ((length >> 7) & 0x7f), length >> 14]);
}

/** One zlib stream, flushed after each piece. */
class Deflater {
  readonly #stream: Deflate = createDeflate({ level: 1 });
  #chunks: Buffer[] = [];

  constructor() {
    this.#stream.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  add(data: Buffer): Promise<Buffer> {
    return new Promise((done, fail) => {
      this.#stream.once('error', fail);
      this.#stream.write(data);
      this.#stream.flush(constants.Z_SYNC_FLUSH, () => {
        this.#stream.off('error', fail);
        // The last piece of output is handed over in the same turn as this callback.
        setImmediate(() => {
          const result = Buffer.concat(this.#chunks);
          this.#chunks = [];
          done(result);
        });
      });
    });
  }

  close(): void {
    this.#stream.destroy();
  }
}
