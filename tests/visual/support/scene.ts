/**
 * A drawn screen of which each part can be another: a window with a menu, a table, a form and buttons.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import type { Frame } from '../../../fixtures/image/frame.ts';

const require = createRequire(import.meta.url);
export const FONTS = ['noto-sans', 'inter', 'ubuntu', 'cantarell', 'jetbrains-mono'] as const;
for (const font of FONTS)
  GlobalFonts.registerFromPath(
    require.resolve(`@fontsource/${font}/files/${font}-latin-400-normal.woff2`),
    `scene ${font}`,
  );

export const SCREEN = { width: 640, height: 400 };

/** What is on the screen. Colours as `#rrggbb`. */
export interface Scene {
  readonly font: (typeof FONTS)[number];
  readonly size: number;
  readonly ground: string;
  readonly panel: string;
  readonly ink: string;
  readonly dim: string;
  readonly line: string;
  readonly accent: string;
  readonly onAccent: string;
  readonly icon: string;
  readonly status: string;
  readonly title: string;
  readonly titleX: number;
  readonly rows: readonly (readonly [name: string, value: string])[];
  readonly button: string;
  readonly buttonX: number;
  readonly buttonWidth: number;
  readonly buttonAlpha: number;
  readonly badge: string;
  readonly isChecked: boolean;
  readonly choice: number;
  readonly isOn: boolean;
  readonly ring: string;
  readonly icons: readonly string[];
  readonly hasSeparator: boolean;
  readonly hasBorder: boolean;
  readonly underlined: boolean;
  readonly progress: number;
  readonly scroll: number;
  readonly caretX: number | undefined;
  readonly selected: number;
  readonly fieldText: string;
  readonly radius: number;
  readonly note: string;
  readonly valueY: number;
}

export const LIGHT: Scene = {
  font: 'noto-sans',
  size: 14,
  ground: '#f4f4f2',
  panel: '#ffffff',
  ink: '#404040',
  dim: '#606060',
  line: '#d0d0d0',
  accent: '#3584e4',
  onAccent: '#ffffff',
  icon: '#3d3846',
  status: '#2ec27e',
  title: 'Storage of pve-01',
  titleX: 40,
  rows: [
    ['Backup of /home', '1.50 GB'],
    ['Archive 2024-11-03', '105.2 MB'],
    ['Templates', '38 files'],
    ['Load average', '0.25'],
  ],
  button: 'Restore',
  buttonX: 500,
  buttonWidth: 110,
  buttonAlpha: 1,
  badge: '3',
  isChecked: false,
  choice: 0,
  isOn: true,
  ring: '',
  icons: ['menu', 'search', 'close'],
  hasSeparator: true,
  hasBorder: true,
  underlined: false,
  progress: 0.6,
  scroll: 0,
  caretX: undefined,
  selected: 1,
  fieldText: 'nightly',
  radius: 6,
  note: 'All times are local. Retention keeps the last 7 copies; older ones',
  valueY: 0,
};

export const DARK: Scene = {
  ...LIGHT,
  font: 'ubuntu',
  size: 13,
  ground: '#242424',
  panel: '#303030',
  ink: '#e4e4e4',
  dim: '#a8a8a8',
  line: '#4a4a4a',
  accent: '#1a5fb4',
  icon: '#deddda',
  status: '#e5a50a',
};

/** How it is drawn: moved by a part of a pixel, texts by another; with so many samples a pixel along each side. */
export interface Rendering {
  readonly samples?: number;
  readonly x?: number;
  readonly y?: number;
  readonly textX?: number;
  readonly textY?: number;
}

export function render(scene: Scene, how: Rendering = {}): Frame {
  const { samples = 1, x = 0, y = 0 } = how;
  const canvas = createCanvas(SCREEN.width * samples, SCREEN.height * samples);
  const context = canvas.getContext('2d');
  context.fillStyle = scene.ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(samples, samples);
  context.translate(x, y);
  paint(context, scene, how);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { ...SCREEN, data: samples === 1 ? new Uint8Array(data) : averaged(data, samples) };
}

/** Means of squares of `samples` pixels. */
function averaged(data: Uint8ClampedArray, samples: number): Uint8Array {
  const result = new Uint8Array(SCREEN.width * SCREEN.height * 4);
  const stride = SCREEN.width * samples * 4;
  for (let at = 0; at < result.length; at++) {
    const [pixel, channel] = [at >> 2, at & 3];
    const from =
      Math.floor(pixel / SCREEN.width) * samples * stride + (pixel % SCREEN.width) * samples * 4 + channel;
    let sum = 0;
    for (let row = 0; row < samples; row++)
      for (let column = 0; column < samples; column++) sum += data[from + row * stride + column * 4]!;
    result[at] = Math.round(sum / samples ** 2);
  }
  return result;
}

function paint(context: SKRSContext2D, scene: Scene, { textX = 0, textY = 0 }: Rendering): void {
  const text = (words: string, x: number, y: number, colour: string, size = scene.size): void => {
    context.fillStyle = colour;
    context.font = `${size}px "scene ${scene.font}"`;
    context.fillText(words, x + textX, y + textY);
  };
  const box = (x: number, y: number, width: number, height: number, colour: string, radius = 0): void => {
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(x, y, width, height, radius);
    context.fill();
  };
  const frame = (x: number, y: number, width: number, height: number, colour: string, thick = 1): void => {
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.strokeRect(x + thick / 2, y + thick / 2, width - thick, height - thick);
  };

  box(20, 20, 600, 360, scene.panel);
  if (scene.hasBorder) frame(20, 20, 600, 360, scene.line);
  text(scene.title, scene.titleX, 50, scene.ink, Math.round(scene.size * 1.3));
  if (scene.underlined) box(scene.titleX, 54, 130, 1, scene.ink);
  for (const [index, name] of scene.icons.entries()) icon(context, name, 520 + index * 30, 36, scene.icon);
  box(300, 36, 20, 16, '#c01c28', 8);
  text(scene.badge, 306, 48, '#ffffff', 11);
  if (scene.hasSeparator) box(20, 66, 600, 1, scene.line);
  for (const [index, [name, value]] of scene.rows.entries()) {
    const top = 76 + index * 28 - scene.scroll;
    const isSelected = index === scene.selected;
    if (isSelected) box(30, top, 380, 26, scene.accent, scene.radius);
    text(name, 40, top + 18, isSelected ? scene.onAccent : scene.ink);
    text(value, 300, top + 18 + scene.valueY, isSelected ? scene.onAccent : scene.dim);
  }
  box(440, 84, 8, 8, scene.status, 4);
  text('connected', 454, 92, scene.dim, scene.size - 2);
  check(context, scene, 440, 110);
  text('Verify after backup', 464, 122, scene.ink);
  for (const index of [0, 1, 2]) {
    radio(context, scene, 447, 147 + index * 24, index === scene.choice);
    text(['Full', 'Incremental', 'None'][index]!, 464, 152 + index * 24, scene.ink);
  }
  box(440, 226, 36, 18, scene.isOn ? scene.accent : scene.line, 9);
  box(scene.isOn ? 460 : 442, 228, 14, 14, '#ffffff', 7);
  text('Schedule', 486, 240, scene.ink);
  frame(40, 220, 240, 28, scene.line);
  text(scene.fieldText, 48, 239, scene.ink);
  if (scene.caretX !== undefined) box(scene.caretX, 226, 1, 16, scene.ink);
  box(40, 272, 360, 6, scene.line, 3);
  box(40, 272, 360 * scene.progress, 6, scene.accent, 3);
  text(scene.note, 40, 310, scene.dim, scene.size - 2);
  text('are removed at midnight, unless they are protected by a note.', 40, 328, scene.dim, scene.size - 2);
  context.globalAlpha = scene.buttonAlpha;
  box(scene.buttonX, 332, scene.buttonWidth, 34, scene.accent, scene.radius);
  text(scene.button, scene.buttonX + 26, 354, scene.onAccent);
  context.globalAlpha = 1;
  frame(380, 332, 104, 34, scene.line);
  text('Cancel', 406, 354, scene.ink);
  if (scene.ring !== '') frame(378, 330, 108, 38, scene.ring, 2);
}

function check(context: SKRSContext2D, scene: Scene, x: number, y: number): void {
  context.strokeStyle = scene.dim;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, 13, 13);
  if (!scene.isChecked) return;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x + 3, y + 7);
  context.lineTo(x + 6, y + 10);
  context.lineTo(x + 11, y + 4);
  context.stroke();
}

function radio(context: SKRSContext2D, scene: Scene, x: number, y: number, isChosen: boolean): void {
  context.strokeStyle = scene.dim;
  context.lineWidth = 1;
  context.beginPath();
  context.arc(x, y, 6.5, 0, Math.PI * 2);
  context.stroke();
  if (!isChosen) return;
  context.fillStyle = scene.ink;
  context.beginPath();
  context.arc(x, y, 3, 0, Math.PI * 2);
  context.fill();
}

/** 16 by 16 pixels. */
function icon(context: SKRSContext2D, name: string, x: number, y: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  if (name === 'menu')
    for (const row of [3, 8, 13]) {
      context.moveTo(x + 1, y + row);
      context.lineTo(x + 15, y + row);
    }
  if (name === 'search') {
    context.arc(x + 7, y + 7, 5, 0, Math.PI * 2);
    context.moveTo(x + 11, y + 11);
    context.lineTo(x + 15, y + 15);
  }
  if (name === 'close' || name === 'plus') {
    const [start, end, middle] = [3, 13, 8];
    context.moveTo(x + (name === 'plus' ? middle : start), y + start);
    context.lineTo(x + (name === 'plus' ? middle : end), y + end);
    context.moveTo(x + start, y + (name === 'plus' ? middle : end));
    context.lineTo(x + end, y + (name === 'plus' ? middle : start));
  }
  context.stroke();
}
