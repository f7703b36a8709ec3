/**
 * Texts drawn in many looks, each in a cell of one picture.
 *
 * @module
 */
import { createCanvas } from '@napi-rs/canvas';
import type { Frame, Rect } from '../../../fixtures/image/frame.ts';
import type { TextMap } from '../../../fixtures/vision/index.ts';
import { FONTS } from './drawn.ts';

/** How the edges of letters are drawn. */
export type Smoothing = 'grey' | 'subpixel' | 'none';

export interface SheetLook {
  readonly font: (typeof FONTS)[number];
  readonly weight: 400 | 700;
  /** Pixels. */
  readonly size: number;
  readonly ink: string;
  readonly ground: string;
  readonly smoothing: Smoothing;
}

export const sheetName = ({ font, weight, size, ink, ground, smoothing }: SheetLook): string =>
  `${font} ${weight} ${size}px ${ink} on ${ground} ${smoothing}`;

export interface Sheet {
  readonly frame: Frame;
  /** Where the texts stand, in order. */
  readonly cells: readonly Rect[];
}

const WIDTH = 1280;
const CELL_WIDTH = 630;
const MARGIN = 12;

/** Draws each text, of one or more lines. */
export function drawSheet(texts: readonly (readonly string[])[], look: SheetLook): Sheet {
  const pitch = Math.round(look.size * 1.4);
  const cellHeight = pitch * 3 + 2 * MARGIN;
  const columns = Math.floor(WIDTH / CELL_WIDTH);
  const height = Math.ceil(texts.length / columns) * cellHeight;
  const across = look.smoothing === 'subpixel' ? 3 : 1;
  const canvas = createCanvas(WIDTH * across, height);
  const context = canvas.getContext('2d');
  context.fillStyle = look.ground;
  context.fillRect(0, 0, WIDTH * across, height);
  context.scale(across, 1);
  context.fillStyle = look.ink;
  context.font = `${look.weight} ${look.size}px "drawn ${look.font}"`;
  const cells = texts.map((lines, index) => {
    const x = (index % columns) * CELL_WIDTH;
    const y = Math.floor(index / columns) * cellHeight;
    for (const [row, line] of lines.entries())
      context.fillText(line, x + MARGIN, y + MARGIN + look.size + row * pitch);
    return { x, y, width: CELL_WIDTH, height: cellHeight };
  });
  const { data } = context.getImageData(0, 0, WIDTH * across, height);
  return { frame: { width: WIDTH, height, data: smoothed(data, height, look) }, cells };
}

function smoothed(
  drawn: Uint8ClampedArray,
  height: number,
  { ink, ground, smoothing }: SheetLook,
): Uint8Array {
  if (smoothing === 'grey') return new Uint8Array(drawn);
  const result = new Uint8Array(WIDTH * height * 4).fill(255);
  const [inks, grounds] = [ink, ground].map(channelsOf) as [number[], number[]];
  for (let at = 0; at < WIDTH * height; at++)
    for (let channel = 0; channel < 3; channel++)
      result[at * 4 + channel] =
        smoothing === 'subpixel'
          ? spread(drawn, at, channel)
          : nearest(drawn[at * 4 + channel] ?? 0, inks[channel] ?? 0, grounds[channel] ?? 0);
  return result;
}

/** As FreeType's filter spreads a third of a pixel over its neighbours. */
const FILTER = [0x08, 0x4d, 0x56, 0x4d, 0x08];

function spread(drawn: Uint8ClampedArray, at: number, channel: number): number {
  const row = Math.floor(at / WIDTH) * WIDTH * 3;
  const centre = (at % WIDTH) * 3 + channel;
  let sum = 0;
  for (const [index, weight] of FILTER.entries()) {
    const x = Math.min(WIDTH * 3 - 1, Math.max(0, centre + index - 2));
    sum += weight * (drawn[(row + x) * 4 + channel] ?? 0);
  }
  return Math.min(255, sum / 256);
}

function nearest(value: number, ink: number, ground: number): number {
  return Math.abs(value - ink) < Math.abs(value - ground) ? ink : ground;
}

function channelsOf(colour: string): number[] {
  return [1, 3, 5].map((from) => Number.parseInt(colour.slice(from, from + 2), 16));
}

/** What was read in one cell. */
export function inCell(map: TextMap, { x, y, width, height }: Rect): TextMap {
  const isIn = ({ box }: { readonly box: Rect }): boolean =>
    box.x + box.width / 2 >= x &&
    box.x + box.width / 2 < x + width &&
    box.y + box.height / 2 >= y &&
    box.y + box.height / 2 < y + height;
  return { ...map, lines: map.lines.filter(isIn), faint: (map.faint ?? []).filter(isIn) };
}

const THEMES = [
  ['#2e3436', '#fafafa'],
  ['#f2f2f2', '#242424'],
  ['#5e5c64', '#deddda'],
  ['#ffffff', '#3584e4'],
  ['#93a1a1', '#002b36'],
  ['#000000', '#ffffff'],
] as const;
const SIZES = [9, 10, 11, 12, 13, 14, 15, 16, 18, 20];
const SMOOTHING: readonly Smoothing[] = ['grey', 'subpixel', 'grey', 'grey', 'subpixel'];

/** Looks of ten fonts (five families, two weights) in every size, with colours and smoothing in turn. */
export function sheetLooks(count: number): SheetLook[] {
  return Array.from({ length: count }, (_, index) => {
    const font = FONTS[index % FONTS.length] ?? 'inter';
    const [ink, ground] = THEMES[(index * 5 + Math.floor(index / 3)) % THEMES.length] ?? THEMES[0];
    const isBold = index % 4 === 3 && font !== 'noto-sans';
    return {
      font,
      weight: isBold ? 700 : 400,
      size: SIZES[(index * 3 + Math.floor(index / 10)) % SIZES.length] ?? 13,
      ink,
      ground,
      smoothing: SMOOTHING[(index + Math.floor(index / 5)) % SMOOTHING.length] ?? 'grey',
    };
  });
}
