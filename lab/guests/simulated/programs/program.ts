/**
 * What a program with a window is to the desktop.
 *
 * @module
 */
import type { SKRSContext2D } from '@napi-rs/canvas';
import type { KeyPress } from '../desktop/keys.ts';
import type { Theme } from '../desktop/themes.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Program {
  readonly title: string;
  readonly size: { readonly width: number; readonly height: number };
  /** Paints the content into `box`. `caret` is true in the visible half of the caret's blinking. */
  draw(context: SKRSContext2D, box: Box, theme: Theme, caret: boolean): void;
  key(press: KeyPress): void;
  /** A press of the primary button, relative to the content's top left corner. */
  click(x: number, y: number): void;
  /** Any event of the pointer, relative to the content as well; with the button held, from outside of it too. */
  pointer?(x: number, y: number, isDown: boolean): void;
  /** Everything that a RAM snapshot holds of it. */
  snapshot(): unknown;
  restore(state: unknown): void;
}

export function contains(box: Box, x: number, y: number): boolean {
  return x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height;
}
