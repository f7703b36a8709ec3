/**
 * Screens that are drawn with other fonts, sizes and themes than the two real ones, and what stands on them.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import type { RealScreen, Spot } from './truth.ts';

const require = createRequire(import.meta.url);
/** Fonts of the desktops in the matrix: GNOME, Ubuntu, Electron applications, terminals; KDE has Noto Sans. */
export const FONTS = ['inter', 'ubuntu', 'cantarell', 'jetbrains-mono', 'noto-sans'] as const;
for (const font of FONTS)
  for (const weight of font === 'noto-sans' ? [400] : [400, 700])
    GlobalFonts.registerFromPath(
      require.resolve(`@fontsource/${font}/files/${font}-latin-${weight}-normal.woff2`),
      `drawn ${font}`,
    );

export interface Look {
  readonly font: (typeof FONTS)[number];
  /** Pixels of the body text. */
  readonly size: number;
  readonly theme: keyof typeof THEMES;
}

const THEMES = {
  light: {
    back: '#fafafa',
    bar: '#dcdcdc',
    text: '#2e3436',
    dim: '#6a6a6a',
    accent: '#3584e4',
    field: '#fff',
  },
  dark: {
    back: '#242424',
    bar: '#303030',
    text: '#f2f2f2',
    dim: '#a8a8a8',
    accent: '#3584e4',
    field: '#1a1a1a',
  },
  aubergine: {
    back: '#2c001e',
    bar: '#1b0012',
    text: '#eeeeec',
    dim: '#c4a9b8',
    accent: '#e95420',
    field: '#411934',
  },
  solarized: {
    back: '#002b36',
    bar: '#073642',
    text: '#93a1a1',
    dim: '#839496',
    accent: '#268bd2',
    field: '#073642',
  },
} as const;

export const LOOKS: readonly Look[] = [
  { font: 'inter', size: 13, theme: 'light' },
  { font: 'ubuntu', size: 15, theme: 'aubergine' },
  { font: 'cantarell', size: 14, theme: 'dark' },
  { font: 'jetbrains-mono', size: 14, theme: 'solarized' },
];

export const nameOf = ({ font, size, theme }: Look): string => `${font} ${size}px ${theme}`;

const SIZE = { width: 1280, height: 720 };
const MENU = ['File', 'Edit', 'View', 'History', 'Bookmarks', 'Tools', 'Help'];
const SIDE = ['Wi-Fi', 'Bluetooth', 'Displays', 'Sound', 'Power', 'Keyboard', 'Printers', 'Users', 'About'];
const ROWS = [
  ['quarterly-report.pdf', '1.4 MB', '12 May 2024', 'Anna Kowalska'],
  ['budget 2025.xlsx', '88 KB', '3 Jan 2025', 'Jonas Weber'],
  ['meeting notes.txt', '2 KB', 'Yesterday', 'Maria Rossi'],
  ['IMG_20240817.jpg', '5.6 MB', '17 Aug 2024', 'Pierre Dubois'],
  ['invoice-00731.pdf', '240 KB', '28 Feb 2025', 'Tom Baker'],
  ['backup.tar.gz', '3.2 GB', '09:41', 'root'],
  ['README.md', '6 KB', 'Today', 'Lena Fischer'],
];
const NOTICE = [
  'Software updates are available',
  'Restart the computer to install important updates.',
  'Authentication failed: wrong user name or password',
  'Connected to 192.168.178.24 on port 8006',
];

/** A file manager, settings, a sign-in form and notices, 1280x720. */
export function drawnScreen({ font, size, theme }: Look): RealScreen {
  const canvas = createCanvas(SIZE.width, SIZE.height);
  const context = canvas.getContext('2d');
  const colours: Readonly<Record<'back' | 'bar' | 'text' | 'dim' | 'accent' | 'field', string>> =
    THEMES[theme];
  const lines: RealScreen['lines'][number][] = [];
  const fill = (x: number, y: number, width: number, height: number, colour: string): void => {
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
  };
  const write = (
    text: string,
    x: number,
    y: number,
    { scale = 1, bold = false, colour = colours.text } = {},
  ) => {
    context.font = `${bold && font !== 'noto-sans' ? 700 : 400} ${Math.round(size * scale)}px "drawn ${font}"`;
    context.fillStyle = colour;
    context.fillText(text, x, y);
    lines.push(lineOf(context, text, x, y));
  };

  fill(0, 0, SIZE.width, SIZE.height, colours.back);
  fill(0, 0, SIZE.width, 32, colours.bar);
  let x = 16;
  for (const item of MENU) {
    write(item, x, 21);
    x += Math.ceil(context.measureText(item).width) + 28;
  }
  write('14:27', SIZE.width - 70, 21);
  fill(0, 32, 190, SIZE.height, colours.bar);
  for (const [index, item] of SIDE.entries()) {
    if (index === 2) fill(6, 118, 178, 34, colours.accent);
    write(item, 24, 68 + index * 36, index === 2 ? { colour: '#ffffff' } : {});
  }
  write('Shared documents', 220, 80, { scale: 1.6, bold: true });
  for (const [column, title] of ['Name', 'Size', 'Modified', 'Owner'].entries())
    write(title, 220 + [0, 230, 340, 480][column]!, 120, { bold: true, colour: colours.dim });
  for (const [row, cells] of ROWS.entries()) {
    if (row % 2 === 0) fill(210, 132 + row * 32, 640, 32, colours.field);
    for (const [column, cell] of cells.entries())
      write(
        cell,
        220 + [0, 230, 340, 480][column]!,
        154 + row * 32,
        column > 0 ? { colour: colours.dim } : {},
      );
  }
  fill(890, 60, 360, 330, colours.bar);
  write('Sign in to Acme Portal', 920, 110, { scale: 1.4, bold: true });
  for (const [index, label] of ['Email address', 'Password'].entries()) {
    write(label, 920, 150 + index * 84);
    fill(920, 160 + index * 84, 300, 36, colours.field);
  }
  write('lena.fischer@example.org', 932, 184);
  write('Forgot your password?', 920, 304, { colour: colours.dim });
  fill(1110, 330, 110, 36, colours.accent);
  write('Continue', 1126, 354, { colour: '#ffffff', bold: true });
  write('Cancel', 1020, 354);
  for (const [index, text] of NOTICE.entries()) {
    fill(220, 420 + index * 66, 620, 52, colours.field);
    write(text, 236, 452 + index * 66, index === 2 ? { bold: true } : {});
  }
  write('7 items, 3.2 GB free', 890, 450, { scale: 0.85, colour: colours.dim });
  write('Version 24.04.1 LTS', 890, 480, { scale: 0.85, colour: colours.dim });
  write('Are you sure you want to delete this file?', 890, 530);
  write('Yes', 1000, 580);
  write('No', 900, 580);
  write('OK', 1100, 580);
  return {
    frame: { ...SIZE, data: new Uint8Array(context.getImageData(0, 0, SIZE.width, SIZE.height).data) },
    lines,
  };
}

function lineOf(context: SKRSContext2D, text: string, x: number, y: number): RealScreen['lines'][number] {
  const spot = (part: string, before: string): Spot => {
    const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down, width } = context.measureText(part);
    const left = x + context.measureText(before).width;
    return { text: part, box: { x: left, y: y - up, width, height: up + down } };
  };
  const words = [...text.matchAll(/\S+/g)].map(({ 0: word, index }) => spot(word, text.slice(0, index)));
  return { ...spot(text, ''), words };
}
