/**
 * Pixel formats (RFC 6143 §7.4) of 8, 16 and 32 bits, true colour.
 *
 * @module
 */

export interface PixelFormat {
  readonly bitsPerPixel: 8 | 16 | 32;
  readonly depth: number;
  readonly bigEndian: boolean;
  readonly max: readonly [red: number, green: number, blue: number];
  readonly shift: readonly [red: number, green: number, blue: number];
}

/** What QEMU offers: 32 bits, little endian, blue lowest. */
export const SERVER_FORMAT: PixelFormat = {
  bitsPerPixel: 32,
  depth: 24,
  bigEndian: false,
  max: [255, 255, 255],
  shift: [16, 8, 0],
};

export function writeFormat(format: PixelFormat): Buffer {
  const bytes = Buffer.alloc(16);
  bytes[0] = format.bitsPerPixel;
  bytes[1] = format.depth;
  bytes[2] = Number(format.bigEndian);
  bytes[3] = 1;
  format.max.forEach((value, index) => bytes.writeUInt16BE(value, 4 + 2 * index));
  format.shift.forEach((value, index) => bytes.writeUInt8(value, 10 + index));
  return bytes;
}

/** The client's wish, or undefined for one that the server does not offer (colour maps, odd sizes). */
export function readFormat(bytes: Buffer): PixelFormat | undefined {
  const bits = bytes[0];
  if ((bits !== 8 && bits !== 16 && bits !== 32) || bytes[3] === 0) return undefined;
  return {
    bitsPerPixel: bits,
    depth: bytes[1] ?? 24,
    bigEndian: bytes[2] !== 0,
    max: [bytes.readUInt16BE(4), bytes.readUInt16BE(6), bytes.readUInt16BE(8)],
    shift: [bytes[10] ?? 0, bytes[11] ?? 0, bytes[12] ?? 0],
  };
}

/** One pixel's value in the format. */
export function pixelValue(format: PixelFormat, red: number, green: number, blue: number): number {
  const [r, g, b] = format.max;
  const scale = (value: number, max: number): number =>
    max === 255 ? value : Math.round((value * max) / 255);
  return (
    ((scale(red, r) << format.shift[0]) |
      (scale(green, g) << format.shift[1]) |
      (scale(blue, b) << format.shift[2])) >>>
    0
  );
}

/** CPIXEL and TPIXEL are three bytes where 24 bits of colour fill exactly the low or the high three (§7.7.6). */
export function compactSize(format: PixelFormat): number {
  const isCompact =
    format.bitsPerPixel === 32 && format.depth <= 24 && format.max.every((value) => value === 255);
  return isCompact ? 3 : format.bitsPerPixel / 8;
}
