/**
 * What lies over a desktop and takes its keys and clicks: lock screen, log-in window, dialogs of the system.
 *
 * @module
 */
import type { SKRSContext2D } from '@napi-rs/canvas';
import { type Box, contains } from '../programs/program.ts';
import { font } from './fonts.ts';
import type { KeyPress } from './keys.ts';
import type { Theme } from './themes.ts';

export interface Overlay {
  paint(context: SKRSContext2D, width: number, height: number, theme: Theme): void;
  key(press: KeyPress): void;
  click(x: number, y: number, width: number, height: number): void;
}

const DIALOG = { width: 460, height: 170, top: 46 };
const BUTTON = { width: 120, height: 36 };

/** KDE's lock screen. The greeter that came by itself is blank and hangs; one that was started anew takes keys. */
export class LockScreen implements Overlay {
  readonly #user: string;
  readonly #password: string;
  readonly #unlock: () => void;
  #text = '';
  #awake = false;
  #failed = false;

  constructor(user: string, password: string, unlock: () => void) {
    this.#user = user;
    this.#password = password;
    this.#unlock = unlock;
  }

  /** Nobody is there: the greeter was killed, or is still loading. */
  sleep(): void {
    this.#awake = false;
  }

  /** A fresh greeter: empty, and its password field has the focus. */
  restart(): void {
    this.#text = '';
    this.#awake = true;
    this.#failed = false;
  }

  key({ char, name }: KeyPress): void {
    if (!this.#awake) return;
    if (name === 'Enter') this.#submit();
    else if (name === 'Backspace') this.#text = Array.from(this.#text).slice(0, -1).join('');
    else if (char !== undefined) this.#text += char;
  }

  click(): void {
    // The password field has the focus already.
  }

  paint(context: SKRSContext2D, width: number, height: number, theme: Theme): void {
    fill(context, { x: 0, y: 0, width, height }, '#10161c');
    if (!this.#awake) return;
    const [x, y] = [width / 2 - 150, height / 2 - 20];
    write(context, this.#user, width / 2 - 24, y - 40, 22, '#f2f2f2');
    entry(context, { x, y, width: 300, height: 40 }, this.#text, 'Enter password', theme);
    if (this.#failed) write(context, 'Unlocking failed', width / 2 - 66, y + 80, 17, '#ff8080');
  }

  #submit(): void {
    if (this.#text === this.#password) this.#unlock();
    else this.#failed = true;
    this.#text = '';
  }
}

/** The log-in window of a display manager: vmwright never types into it. */
export class Greeter implements Overlay {
  readonly #user: string;

  constructor(user: string) {
    this.#user = user;
  }

  key(): void {
    // Whatever is typed here logs nobody in.
  }

  click(): void {
    // As above.
  }

  paint(context: SKRSContext2D, width: number, height: number, theme: Theme): void {
    fill(context, { x: 0, y: 0, width, height }, '#2b2f36');
    write(context, 'Log in to this computer', width / 2 - 110, height / 2 - 90, 20, '#ffffff');
    write(context, this.#user, width / 2 - 24, height / 2 - 40, 18, '#ffffff');
    entry(context, { x: width / 2 - 150, y: height / 2 - 20, width: 300, height: 40 }, '', 'Password', theme);
  }
}

/** A dialog of the system with one way to get rid of it. */
export class SystemDialog implements Overlay {
  readonly #title: string;
  readonly #text: string;
  readonly #button: string;
  readonly #dismiss: () => void;

  /** @param dismiss what its button does; undefined for a dialog that ends only with its process */
  constructor(title: string, text: string, button: string, dismiss: () => void) {
    this.#title = title;
    this.#text = text;
    this.#button = button;
    this.#dismiss = dismiss;
  }

  key(): void {
    // A system dialog takes the keys and does nothing with them.
  }

  click(x: number, y: number, width: number): void {
    if (contains(buttonOf(dialogOf(width)), x, y)) this.#dismiss();
  }

  paint(context: SKRSContext2D, width: number, height: number, theme: Theme): void {
    fill(context, { x: 0, y: 0, width, height }, 'rgba(10,10,14,0.55)');
    const box = dialogOf(width);
    fill(context, box, '#fafafa');
    write(context, this.#title, box.x + 24, box.y + 44, 19, '#1b1b1b', 600);
    write(context, this.#text, box.x + 24, box.y + 80, 15, '#3b3b3b');
    const button = buttonOf(box);
    fill(context, button, theme.accent);
    write(context, this.#button, button.x + 22, button.y + 24, 16, '#ffffff', 600);
  }
}

function dialogOf(width: number): Box {
  return { x: (width - DIALOG.width) / 2, y: DIALOG.top, width: DIALOG.width, height: DIALOG.height };
}

function buttonOf(box: Box): Box {
  const [right, bottom] = [box.x + box.width - 24, box.y + box.height - 20];
  return { x: right - BUTTON.width, y: bottom - BUTTON.height, ...BUTTON };
}

function fill(context: SKRSContext2D, box: Box, colour: string): void {
  context.fillStyle = colour;
  context.fillRect(box.x, box.y, box.width, box.height);
}

function write(
  context: SKRSContext2D,
  text: string,
  x: number,
  y: number,
  size: number,
  colour: string,
  weight: 400 | 600 = 400,
): void {
  context.font = font(size, weight);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

function entry(context: SKRSContext2D, box: Box, text: string, hint: string, theme: Theme): void {
  fill(context, box, '#ffffff');
  context.strokeStyle = theme.accent;
  context.lineWidth = 2;
  context.strokeRect(box.x, box.y, box.width, box.height);
  const shown = text === '' ? hint : '•'.repeat(text.length);
  write(context, shown, box.x + 12, box.y + 26, 16, text === '' ? '#8a92a3' : '#1d2330');
}
