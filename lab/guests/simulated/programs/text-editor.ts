/**
 * A program that nobody tests: it shows what is typed.
 *
 * @module
 */
import type { SKRSContext2D } from '@napi-rs/canvas';
import { font } from '../desktop/fonts.ts';
import type { KeyPress } from '../desktop/keys.ts';
import type { Box, Program } from './program.ts';

const SIZE = { width: 560, height: 320 };
const LINE_HEIGHT = 30;

export class TextEditor implements Program {
  readonly title = 'Text Editor';
  readonly size = SIZE;
  /** The file that it was opened with. */
  readonly #file: string;
  #text = '';

  constructor(file = 'Untitled document') {
    this.#file = file;
  }

  key({ char, name, control, alt }: KeyPress): void {
    if (control || alt) return;
    if (name === 'Backspace') this.#text = Array.from(this.#text).slice(0, -1).join('');
    else if (name === 'Enter') this.#text += '\n';
    else if (char !== undefined) this.#text += char;
  }

  click(): void {
    // It has one field, and that has the focus.
  }

  draw(context: SKRSContext2D, box: Box): void {
    context.fillStyle = '#ffffff';
    context.fillRect(box.x, box.y, box.width, box.height);
    context.fillStyle = '#5a6270';
    context.font = font(15);
    context.fillText(this.#file, box.x + 20, box.y + 30);
    context.fillStyle = '#1d2330';
    context.font = font(17);
    const lines = this.#text.split('\n');
    lines.forEach((line, index) => context.fillText(line, box.x + 20, box.y + 76 + index * LINE_HEIGHT));
  }

  snapshot(): unknown {
    return this.#text;
  }

  restore(state: unknown): void {
    this.#text = String(state);
  }
}
