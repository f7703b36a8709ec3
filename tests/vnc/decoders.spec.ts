import { constants, createDeflate, type Deflate } from 'node:zlib';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import sharp from 'sharp';
import type { Rect } from '../../fixtures/image/frame.ts';
import type { Decoder } from '../../fixtures/vnc/rfb/decoders/decoder.ts';
import { createDecoders } from '../../fixtures/vnc/rfb/decoders/index.ts';
import { Framebuffer } from '../../fixtures/vnc/rfb/framebuffer.ts';
import { ByteReader } from '../../fixtures/vnc/rfb/reader.ts';
import { arriving, cutAt } from './support/streams.ts';

const SIDE = 8;
/** Letters of the pictures below, as red, green, blue. */
const PALETTE: Readonly<Record<string, string>> = {
  '.': '0,0,0',
  r: '255,0,0',
  g: '0,255,0',
  b: '0,0,255',
  w: '255,255,255',
  x: '16,32,48',
};
/** Wire pixels: blue, green, red, unused; and without the unused byte. */
const R = [0, 0, 255, 0];
const G = [0, 255, 0, 0];
const B = [255, 0, 0, 0];
const W = [255, 255, 255, 0];
const [R3, G3, B3] = [R, G, B].map((pixel) => pixel.slice(0, 3)) as [number[], number[], number[]];
/** Tight's pixels are red, green, blue. */
const [TR, TG, TB] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
];

interface Example {
  readonly name: string;
  readonly encoding: number;
  readonly rect: Rect;
  readonly bytes: Buffer;
  /** The top left of the screen afterwards. */
  readonly picture: readonly string[];
}

const at = (x: number, y: number, width: number, height: number): Rect => ({ x, y, width, height });
const bytesOf = (...parts: readonly (number | readonly number[] | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : Buffer.from([part].flat()))));

function flushed(deflate: Deflate, bytes: Buffer): Promise<Buffer> {
  const output: Buffer[] = [];
  const collect = (chunk: Buffer) => output.push(chunk);
  deflate.on('data', collect);
  return new Promise((resolve) => {
    deflate.write(bytes);
    deflate.flush(constants.Z_SYNC_FLUSH, () => {
      deflate.off('data', collect);
      resolve(Buffer.concat(output));
    });
  });
}

async function deflated(bytes: Buffer): Promise<Buffer> {
  return flushed(createDeflate(), bytes);
}

function length32(bytes: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

function compact(bytes: Buffer): Buffer {
  const { length } = bytes;
  if (length < 128) return Buffer.concat([Buffer.from([length]), bytes]);
  if (length < 16_384) return Buffer.concat([Buffer.from([(length & 127) | 128, length >> 7]), bytes]);
  return Buffer.concat([
    Buffer.from([(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14]),
    bytes,
  ]);
}

async function examples(): Promise<Example[]> {
  const zrle = async (rect: Rect, picture: string[], name: string, ...parts: (number | number[])[]) => ({
    name: `ZRLE ${name}`,
    encoding: 16,
    rect,
    bytes: length32(await deflated(bytesOf(...parts))),
    picture,
  });
  return [
    { name: 'Raw', encoding: 0, rect: at(1, 0, 2, 2), bytes: bytesOf(R, G, B, W), picture: ['.rg.', '.bw.'] },
    {
      name: 'RRE',
      encoding: 2,
      rect: at(0, 0, 3, 3),
      bytes: bytesOf([0, 0, 0, 2], R, G, [0, 1, 0, 1, 0, 2, 0, 1], B, [0, 0, 0, 2, 0, 1, 0, 1]),
      picture: ['rrr', 'rgg', 'brr'],
    },
    {
      name: 'Hextile: background, foreground, subrectangles',
      encoding: 5,
      rect: at(0, 0, 4, 2),
      bytes: bytesOf(2 | 4 | 8, R, G, 2, [0x00, 0x00], [0x21, 0x10]),
      picture: ['grrr', 'rrgg'],
    },
    {
      name: 'Hextile: coloured subrectangles',
      encoding: 5,
      rect: at(0, 0, 2, 2),
      bytes: bytesOf(2 | 8 | 16, W, 2, R, [0x00, 0x00], B, [0x11, 0x00]),
      picture: ['rw', 'wb'],
    },
    {
      name: 'Hextile: raw tile',
      encoding: 5,
      rect: at(2, 2, 2, 1),
      bytes: bytesOf(1, G, W),
      picture: ['....', '....', '..gw'],
    },
    {
      name: 'Zlib',
      encoding: 6,
      rect: at(0, 0, 2, 1),
      bytes: length32(await deflated(bytesOf(B, R))),
      picture: ['br'],
    },
    await zrle(at(0, 0, 2, 1), ['rg'], 'raw', 0, R3, G3),
    await zrle(at(0, 0, 3, 2), ['bbb', 'bbb'], 'solid', 1, B3),
    await zrle(at(0, 0, 3, 2), ['rgr', 'ggr'], 'packed palette of 2', 2, R3, G3, 0b01000000, 0b11000000),
    await zrle(at(0, 0, 3, 1), ['rgb'], 'packed palette of 3', 3, R3, G3, B3, 0b00011000),
    await zrle(at(0, 0, 4, 1), ['rrrb'], 'plain runs', 128, R3, 2, B3, 0),
    await zrle(at(0, 0, 4, 1), ['gggr'], 'palette runs', 130, R3, G3, 128 | 1, 2, 0),
    {
      name: 'Tight: fill',
      encoding: 7,
      rect: at(1, 1, 2, 1),
      bytes: bytesOf(0x80, TG),
      picture: ['...', '.gg'],
    },
    {
      name: 'Tight: copy, short and so uncompressed',
      encoding: 7,
      rect: at(0, 0, 3, 1),
      bytes: bytesOf(0x00, TR, TG, TB),
      picture: ['rgb'],
    },
    {
      name: 'Tight: copy, compressed',
      encoding: 7,
      rect: at(0, 0, 3, 2),
      bytes: bytesOf(0x10, compact(await deflated(bytesOf(TR, TG, TB, TB, TG, TR)))),
      picture: ['rgb', 'bgr'],
    },
    {
      name: 'Tight: palette of 2',
      encoding: 7,
      rect: at(0, 0, 3, 2),
      bytes: bytesOf(0x40, 1, 1, TR, TB, 0b01000000, 0b10100000),
      picture: ['rbr', 'brb'],
    },
    {
      name: 'Tight: palette of 3, compressed',
      encoding: 7,
      rect: at(0, 0, 4, 3),
      bytes: bytesOf(
        0x60,
        1,
        2,
        TR,
        TG,
        TB,
        compact(await deflated(bytesOf([0, 1, 2, 0, 2, 2, 2, 2, 1, 1, 1, 0]))),
      ),
      picture: ['rgbr', 'bbbb', 'gggr'],
    },
    {
      name: 'Tight: gradient',
      encoding: 7,
      rect: at(0, 0, 3, 1),
      bytes: bytesOf(0x40, 2, [16, 32, 48], [0, 0, 0], [240, 224, 208]),
      picture: ['xx.'],
    },
  ];
}

async function decode(decoder: Decoder, rect: Rect, chunks: readonly Buffer[], framebuffer: Framebuffer) {
  const reader = new ByteReader(arriving(chunks));
  await decoder.decode(rect, { subject: 'test', reader, framebuffer });
  return reader;
}

function decoderFor(encoding: number): Decoder {
  const decoder = createDecoders('test').find((each) => each.encoding === encoding);
  if (!decoder) throw new Error(`no decoder for ${encoding}`);
  return decoder;
}

function pictureOf(framebuffer: Framebuffer, like: readonly string[]): string[] {
  const letters = Object.entries(PALETTE);
  return like.map((row, y) =>
    Array.from(row, (_, x) => {
      const start = (y * framebuffer.width + x) * 4;
      const colour = framebuffer.data.subarray(start, start + 3).join(',');
      return letters.find(([, value]) => value === colour)?.[0] ?? `(${colour})`;
    }).join(''),
  );
}

async function decodeExample(
  { encoding, rect, bytes, picture }: Example,
  offsets: number[],
): Promise<string[]> {
  const framebuffer = new Framebuffer('test', SIDE, SIDE);
  const decoder = decoderFor(encoding);
  await decode(decoder, rect, cutAt(bytes, offsets), framebuffer);
  decoder.close?.();
  return pictureOf(framebuffer, picture);
}

test('rule 19: each encoding: bytes in, pixels out, whatever the cut', async () => {
  for (const example of await examples()) {
    await test.step(example.name, async () => {
      expect(await decodeExample(example, [])).toEqual(example.picture);
      for (let cut = 1; cut < example.bytes.length; cut++) {
        expect(await decodeExample(example, [cut]), `cut at ${cut}`).toEqual(example.picture);
      }
    });
  }
});

test('each encoding: random cuts change nothing', async () => {
  const all = await examples();
  const property = fc.asyncProperty(
    fc.constantFrom(...all),
    fc.array(fc.nat(60), { maxLength: 8 }),
    async (example, cuts) => {
      const inside = cuts.filter((cut) => cut < example.bytes.length);
      expect(await decodeExample(example, inside)).toEqual(example.picture);
    },
  );
  await fc.assert(property, { numRuns: 150 });
});

test('CopyRect moves pixels, also onto themselves', async () => {
  const framebuffer = new Framebuffer('test', SIDE, SIDE);
  framebuffer.blitBgrx(0, 0, 3, 1, bytesOf(R, G, B));
  const decoder = decoderFor(1);
  await decode(decoder, at(1, 0, 3, 1), [bytesOf([0, 0, 0, 0])], framebuffer);
  expect(pictureOf(framebuffer, ['....'])).toEqual(['rrgb']);
  await decode(decoder, at(0, 1, 4, 1), [bytesOf([0, 0, 0, 0])], framebuffer);
  await decode(decoder, at(0, 1, 4, 2), [bytesOf([0, 0, 0, 0])], framebuffer);
  expect(pictureOf(framebuffer, ['....', '....', '....'])).toEqual(['rrgb', 'rrgb', 'rrgb']);
});

test('rule 19: zlib streams last: a second rectangle refers to the first', async () => {
  const framebuffer = new Framebuffer('test', SIDE, SIDE);
  const deflate = createDeflate();
  const pixels = bytesOf(...Array.from({ length: 16 }, (_, index) => [R, G, B, W][index % 4] ?? R));
  const first = await flushed(deflate, pixels);
  const second = await flushed(deflate, pixels);
  expect(second.length).toBeLessThan(first.length);
  const decoder = decoderFor(6);
  await decode(decoder, at(0, 0, 4, 4), [length32(first)], framebuffer);
  await decode(decoder, at(4, 4, 4, 4), [length32(second)], framebuffer);
  expect(
    pictureOf(
      framebuffer,
      Array.from({ length: 8 }, () => '........'),
    ).slice(3),
  ).toEqual(['rgbw....', '....rgbw', '....rgbw', '....rgbw', '....rgbw']);
});

test('rule 19: Tight: four streams, and reset bits start one over', async () => {
  const framebuffer = new Framebuffer('test', SIDE, SIDE);
  const decoder = decoderFor(7);
  const pixels = bytesOf(TR, TG, TB, TR);
  const [zero, two] = [createDeflate(), createDeflate()];
  const pieces = [
    bytesOf(0x00, compact(await flushed(zero, pixels))),
    bytesOf(0x20, compact(await flushed(two, pixels))),
    bytesOf(0x00, compact(await flushed(zero, pixels))),
    bytesOf(0x21, compact(await flushed(two, pixels))), // stream 0 starts over
    bytesOf(0x00, compact(await deflated(pixels))),
  ];
  for (const [y, piece] of pieces.entries()) await decode(decoder, at(0, y, 4, 1), [piece], framebuffer);
  expect(
    pictureOf(
      framebuffer,
      Array.from(pieces, () => '....'),
    ),
  ).toEqual(Array.from(pieces, () => 'rgbr'));
});

test('Tight: JPEG', async () => {
  const framebuffer = new Framebuffer('test', SIDE, SIDE);
  const create = { width: 8, height: 8, channels: 3 as const, background: '#fff' };
  const jpeg = await sharp({ create }).jpeg({ quality: 100 }).toBuffer();
  await decode(decoderFor(7), at(0, 0, 8, 8), [bytesOf(0x90, compact(jpeg))], framebuffer);
  expect(pictureOf(framebuffer, ['wwwwwwww'])).toEqual(['wwwwwwww']);
});

test('rule 13: broken data is VNC_PROTOCOL_ERROR, never a hang or a read out of bounds', async () => {
  const bomb = await deflated(Buffer.alloc(50_000_000));
  const cases: [string, number, Rect, Buffer][] = [
    ['CopyRect from outside', 1, at(0, 0, 4, 4), bytesOf([0, 6, 0, 0])],
    ['RRE: more subrectangles than pixels', 2, at(0, 0, 2, 2), bytesOf([255, 0, 0, 0], R)],
    ['RRE: subrectangle outside', 2, at(0, 0, 2, 2), bytesOf([0, 0, 0, 1], R, G, [0, 1, 0, 0, 0, 2, 0, 1])],
    ['Hextile: subrectangle outside', 5, at(0, 0, 2, 2), bytesOf(2 | 4 | 8, R, G, 1, [0x00, 0x20])],
    ['Zlib: absurd length', 6, at(0, 0, 2, 2), bytesOf([255, 255, 255, 255])],
    ['Zlib: bomb', 6, at(0, 0, 8, 8), length32(bomb)],
    ['Zlib: too little', 6, at(0, 0, 8, 8), length32(await deflated(bytesOf(R)))],
    ['Zlib: not zlib', 6, at(0, 0, 8, 8), length32(Buffer.from('this is no zlib data at all'))],
    ['ZRLE: bomb', 16, at(0, 0, 8, 8), length32(bomb)],
    ['ZRLE: too little', 16, at(0, 0, 8, 8), length32(await deflated(bytesOf(0, R3)))],
    ['ZRLE: unknown kind', 16, at(0, 0, 8, 8), length32(await deflated(bytesOf(17)))],
    ['ZRLE: run outside', 16, at(0, 0, 2, 1), length32(await deflated(bytesOf(128, R3, 2)))],
    ['ZRLE: palette index', 16, at(0, 0, 1, 1), length32(await deflated(bytesOf(130, R3, G3, 5)))],
    ['ZRLE: surplus', 16, at(0, 0, 1, 1), length32(await deflated(bytesOf(1, R3, 9)))],
    ['Tight: unknown compression', 7, at(0, 0, 1, 1), bytesOf(0xa0)],
    ['Tight: unknown filter', 7, at(0, 0, 1, 1), bytesOf(0x40, 7)],
    ['Tight: palette index', 7, at(0, 0, 1, 1), bytesOf(0x40, 1, 2, TR, TG, TB, 9)],
    ['Tight: absurd length', 7, at(0, 0, 8, 8), bytesOf(0x00, [255, 255, 255])],
  ];
  for (const [name, encoding, rect, bytes] of cases) {
    const framebuffer = new Framebuffer('test', SIDE, SIDE);
    const decoding = decode(decoderFor(encoding), rect, [bytes], framebuffer);
    await expect(decoding, name).rejects.toMatchObject({ code: 'VNC_PROTOCOL_ERROR' });
  }
});

test('Raw pixels are the same at every address and width', () => {
  const wire = Buffer.from(Array.from({ length: 4 * 12 * 3 + 8 }, (_, at) => (at * 37 + (at >> 3)) & 255));
  for (let offset = 0; offset < 8; offset++) {
    for (let width = 1; width <= 11; width++) {
      const framebuffer = new Framebuffer('fedora42', 12, 4);
      framebuffer.blitBgrx(1, 1, width, 3, wire, offset);
      for (let y = 0; y < 4; y++) {
        for (let x = 0; x < 12; x++) {
          const from = offset + ((y - 1) * width + x - 1) * 4;
          const isInside = x >= 1 && x <= width && y >= 1;
          const expected = isInside ? [wire[from + 2], wire[from + 1], wire[from], 255] : [0, 0, 0, 255];
          const place = (y * 12 + x) * 4;
          const seen = [...framebuffer.data.subarray(place, place + 4)];
          if (String(seen) !== String(expected))
            expect(seen, `${x},${y} of width ${width} from byte ${offset}`).toEqual(expected);
        }
      }
    }
  }
});

test('painting the screen over and over in one update is stopped', async () => {
  const framebuffer = new Framebuffer('test', 512, 512);
  const decoder = decoderFor(7);
  const paintForever = async () => {
    for (let n = 0; n < 1000; n++)
      await decode(decoder, at(0, 0, 512, 512), [bytesOf(0x80, TR)], framebuffer);
  };
  await expect(paintForever()).rejects.toMatchObject({ code: 'VNC_PROTOCOL_ERROR' });
});

test('rule 13: impossible screen sizes are refused', () => {
  const framebuffer = new Framebuffer('test', 8, 8);
  for (const [width, height] of [
    [65_535, 1],
    [16_384, 16_384],
  ] as const) {
    expect(() => framebuffer.resize(width, height)).toThrow(/impossible screen size/);
  }
});
