/**
 * A program that nobody tests: it shows what is typed, and has a menu and something to drag.
 *
 * @module
 */
import type { SKRSContext2D } from '@napi-rs/canvas';
import { font } from '../desktop/fonts.ts';
import type { KeyPress } from '../desktop/keys.ts';
import type { Faults } from '../quirks.ts';
import { PointedMenu } from './pointed-menu.ts';
import { type Box, contains, type Program } from './program.ts';

const SIZE = { width: 640, height: 380 };
const LINE_HEIGHT = 30;
const MENU: Box = { x: 400, y: 8, width: 100, height: 32 };
const STAMP: Box = { x: 400, y: 310, width: 120, height: 44 };
const PAGE: Box = { x: 20, y: 60, width: 300, height: 300 };

/** Pixels, and milliseconds from the press to the first motion that counts (GTK 8 px, Chromium 5 px and a round trip). */
const DRAG_PX = 8;
const DRAG_MS = 100;
/** From there until the windowing system has taken the drag over: who leaves what is dragged before that has lost it. */
const DRAG_STARTS_MS = 200;
/** So often the pointer is moved over the target before it is one, and so long ago is the first time. */
const DROP_MOTIONS = 2;
const DROP_MS = 60;

interface Drag {
  readonly x: number;
  readonly y: number;
  readonly at: number;
  beganAt: number | undefined;
  isLost: boolean;
  overSince: number | undefined;
  overMotions: number;
}

export class TextEditor implements Program {
  readonly title = 'Text Editor';
  readonly size = SIZE;
  readonly #faults: Faults;
  /** The file that it was opened with. */
  readonly #file: string;
  readonly #menu: PointedMenu;
  #text = '';
  #wasDown = false;
  #drag: Drag | undefined;

  constructor(faults: Faults, file = 'Untitled document') {
    this.#faults = faults;
    this.#file = file;
    this.#menu = new PointedMenu(MENU, () => faults.has('menu-wants-motion'));
  }

  key({ char, name, control, alt }: KeyPress): void {
    if (control || alt) return;
    if (name === 'Backspace') this.#text = Array.from(this.#text).slice(0, -1).join('');
    else if (name === 'Enter') this.#text += '\n';
    else if (char !== undefined) this.#text += char;
  }

  click(x: number, y: number): void {
    const chosen = this.#menu.click(x, y);
    if (chosen !== undefined) this.#text += `Chosen: ${chosen}\n`;
  }

  pointer(x: number, y: number, isDown: boolean): void {
    if (!isDown) this.#menu.moved(x, y, performance.now());
    if (isDown && !this.#wasDown && contains(STAMP, x, y))
      this.#drag = {
        x,
        y,
        at: performance.now(),
        beganAt: undefined,
        isLost: false,
        overSince: undefined,
        overMotions: 0,
      };
    else if (isDown && this.#drag !== undefined) this.#dragged(this.#drag, x, y);
    if (!isDown && this.#drag !== undefined) {
      if (this.#isDropped(this.#drag, x, y)) this.#text += 'Stamped\n';
      this.#drag = undefined;
    }
    this.#wasDown = isDown;
  }

  #dragged(drag: Drag, x: number, y: number): void {
    const isFar = Math.hypot(x - drag.x, y - drag.y) >= DRAG_PX;
    const isOn = contains(STAMP, x, y);
    const now = performance.now();
    if (isFar && isOn && now - drag.at >= DRAG_MS) drag.beganAt ??= now;
    if (!isOn && (drag.beganAt === undefined || now - drag.beganAt < DRAG_STARTS_MS)) drag.isLost = true;
    if (!contains(PAGE, x, y)) return;
    drag.overSince ??= performance.now();
    drag.overMotions++;
  }

  #isDropped(drag: Drag, x: number, y: number): boolean {
    if (!contains(PAGE, x, y)) return false;
    if (!this.#faults.has('drag-wants-time')) return true;
    const wasOver = drag.overSince !== undefined && performance.now() - drag.overSince >= DROP_MS;
    return !drag.isLost && drag.overMotions >= DROP_MOTIONS && wasOver;
  }

  draw(context: SKRSContext2D, box: Box): void {
    context.fillStyle = '#ffffff';
    context.fillRect(box.x, box.y, box.width, box.height);
    context.save();
    context.translate(box.x, box.y);
    context.fillStyle = '#5a6270';
    context.font = font(15);
    context.fillText(this.#file, 20, 30);
    context.strokeStyle = '#b8bfcc';
    context.strokeRect(PAGE.x, PAGE.y, PAGE.width, PAGE.height);
    context.fillStyle = '#d5e6f7';
    context.fillRect(STAMP.x, STAMP.y, STAMP.width, STAMP.height);
    context.fillStyle = '#1d2330';
    context.font = font(17);
    context.fillText('Stamp', STAMP.x + 34, STAMP.y + 28);
    const lines = this.#text.split('\n');
    lines.forEach((line, index) => context.fillText(line, 34, 96 + index * LINE_HEIGHT));
    this.#menu.draw(context);
    context.restore();
  }

  snapshot(): unknown {
    return this.#text;
  }

  restore(state: unknown): void {
    this.#text = String(state);
  }
}
