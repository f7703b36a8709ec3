/**
 * Two real desktop screens and what stands on them, checked by eye; and parts of rendered ones.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage, type Frame, type Rect } from '../../../fixtures/image/frame.ts';

export interface Spot {
  readonly text: string;
  /** Ink-tight. */
  readonly box: Rect;
}

export interface RealScreen {
  readonly frame: Frame;
  readonly lines: readonly (Spot & { readonly words: readonly Spot[] })[];
}

type Box = readonly [x: number, y: number, width: number, height: number];
interface Written {
  readonly text: string;
  readonly box: Box;
}

export const SCREENS = ['login-light-1280', 'settings-light-1920'] as const;

/** As other desktops look, in small fonts: dark, coloured edges of letters, greyed buttons, German and French. */
export const RENDERED = ['kde-dark-de', 'windows-light-en', 'gnome-light-fr', 'classic-en'] as const;

export async function realScreen(name: (typeof SCREENS | typeof RENDERED)[number]): Promise<RealScreen> {
  const file = join(import.meta.dirname, '../screens', name);
  const truth = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as {
    lines: (Written & { words: Written[] })[];
  };
  return {
    frame: await decodeImage(readFileSync(`${file}.png`), name),
    lines: truth.lines.map((line) => ({ ...spot(line), words: line.words.map(spot) })),
  };
}

/** A text as words are compared: without case, punctuation, spaces and accents. */
export function bare(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase();
}

/** Does the centre of `inner` lie in `outer`? */
export function isCentredIn(inner: Rect, outer: Rect): boolean {
  const x = inner.x + inner.width / 2;
  const y = inner.y + inner.height / 2;
  return x >= outer.x && x < outer.x + outer.width && y >= outer.y && y < outer.y + outer.height;
}

function spot({ text, box: [x, y, width, height] }: Written): Spot {
  return { text, box: { x, y, width, height } };
}
