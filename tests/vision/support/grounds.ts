/**
 * Texts on grounds of all kinds, with where each stands: flat ones, gradients, wallpapers, photographs, noise.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import type { Frame, Rect } from '../../../fixtures/image/frame.ts';
import type { Spot } from './truth.ts';

const require = createRequire(import.meta.url);
for (const font of ['noto-sans', 'jetbrains-mono'])
  GlobalFonts.registerFromPath(
    require.resolve(`@fontsource/${font}/files/${font}-latin-400-normal.woff2`),
    `ground ${font}`,
  );

export interface Ground {
  readonly name: string;
  /** Of what the texts are written in. */
  readonly ink: string;
  readonly paint: (context: SKRSContext2D, area: Rect) => void;
}

const flat =
  (colour: string) =>
  (context: SKRSContext2D, { x, y, width, height }: Rect): void => {
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
  };

const gradient =
  (from: string, to: string, across: boolean) =>
  (context: SKRSContext2D, area: Rect): void => {
    const { x, y, width, height } = area;
    const slope = context.createLinearGradient(x, y, across ? x + width : x, across ? y : y + height);
    slope.addColorStop(0, from);
    slope.addColorStop(1, to);
    context.fillStyle = slope;
    context.fillRect(x, y, width, height);
  };

/** The same numbers at every call, 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** Soft blobs of light, as wallpapers have them. */
function wallpaper(context: SKRSContext2D, area: Rect): void {
  gradient('#16324f', '#4a2040', false)(context, area);
  const next = numbers(7);
  for (let blob = 0; blob < 6; blob++) {
    const [x, y] = [area.x + next() * area.width, area.y + next() * area.height];
    const light = context.createRadialGradient(x, y, 0, x, y, 160);
    light.addColorStop(0, 'rgba(40,110,140,0.5)');
    light.addColorStop(1, 'rgba(40,110,140,0)');
    context.fillStyle = light;
    context.fillRect(area.x, area.y, area.width, area.height);
  }
}

/** Leaves, or gravel: shapes of all sizes in many shades of a dark green. */
function photograph(context: SKRSContext2D, area: Rect): void {
  flat('#1f2d1c')(context, area);
  const next = numbers(11);
  for (let leaf = 0; leaf < 2500; leaf++) {
    const shade = 20 + next() * 55;
    context.fillStyle = `rgb(${shade * 0.7},${shade},${shade * 0.5})`;
    context.beginPath();
    const [x, y] = [area.x + next() * area.width, area.y + next() * area.height];
    context.ellipse(x, y, 2 + next() * 9, 1 + next() * 4, next() * 3, 0, 7);
    context.fill();
  }
}

/** As pictures have them that were sent as JPEG, or dithered. */
function noise(context: SKRSContext2D, area: Rect): void {
  const next = numbers(13);
  const picture = context.createImageData(area.width, area.height);
  for (let at = 0; at < picture.data.length; at += 4) {
    const level = 222 + Math.floor(next() * 16);
    picture.data.set([level, level, level - 6, 255], at);
  }
  context.putImageData(picture, area.x, area.y);
}

export const FLAT: readonly Ground[] = [
  { name: 'white', ink: '#1a1a1a', paint: flat('#ffffff') },
  { name: 'dark', ink: '#e8e8e8', paint: flat('#202326') },
  { name: 'selection', ink: '#ffffff', paint: flat('#3584e4') },
  { name: 'disabled', ink: '#999999', paint: flat('#dddddd') },
];
export const SLOPES: readonly Ground[] = [
  { name: 'slope down', ink: '#202020', paint: gradient('#ffffff', '#b8c8e0', false) },
  { name: 'steep slope', ink: '#ffffff', paint: gradient('#1b4a90', '#0a1a30', false) },
  { name: 'slope across', ink: '#ffffff', paint: gradient('#5a2080', '#203080', true) },
  { name: 'wallpaper', ink: '#ffffff', paint: wallpaper },
];
export const TEXTURED: readonly Ground[] = [
  { name: 'photograph', ink: '#ffffff', paint: photograph },
  { name: 'noise', ink: '#181818', paint: noise },
];

const TEXTS = [
  'Wastebasket',
  'Connection refused',
  'Open file manager',
  'Größe ändern',
  'user@host:~$ ls -la',
  'Ready in 12 minutes',
];
export const SIZES = [11, 13, 16, 22];
export const PANEL = { width: 640, height: 400 } as const;

/** One ground with every text in every size on it. */
export function panel({ ink, paint }: Ground): { readonly frame: Frame; readonly lines: readonly Spot[] } {
  const canvas = createCanvas(PANEL.width, PANEL.height);
  const context = canvas.getContext('2d');
  paint(context, { x: 0, y: 0, ...PANEL });
  context.fillStyle = ink;
  const lines: Spot[] = [];
  let y = 26;
  for (const size of SIZES)
    for (const [index, text] of TEXTS.entries()) {
      const left = 20 + (index % 2) * 310;
      context.font = `${size}px "ground ${text.includes('@') ? 'jetbrains-mono' : 'noto-sans'}"`;
      context.fillText(text, left, y);
      const {
        actualBoundingBoxAscent: up,
        actualBoundingBoxDescent: down,
        width,
      } = context.measureText(text);
      lines.push({ text, box: { x: left, y: y - up, width, height: up + down } });
      if (index % 2 === 1) y += size * 1.75;
    }
  const { data } = context.getImageData(0, 0, PANEL.width, PANEL.height);
  return { frame: { ...PANEL, data: new Uint8Array(data) }, lines };
}
