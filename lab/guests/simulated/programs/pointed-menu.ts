/**
 * A menu with a submenu that opens under the pointer.
 *
 * @module
 */
import type { SKRSContext2D } from '@napi-rs/canvas';
import { font } from '../desktop/fonts.ts';
import { type Box, contains } from './program.ts';

const ITEM_HEIGHT = 36;
const WIDTH = 100;
/** Qt opens a submenu some time after its item got a motion, and forgets that where none follows. */
const MOTIONS = 3;
const OPENS_MS = 60;

export class PointedMenu {
  readonly #button: Box;
  readonly #wantsMotion: () => boolean;
  #isOpen = false;
  #isSubmenuOpen = false;
  #motions = 0;
  #since = 0;

  /** @param wantsMotion whether being there is not enough for the submenu */
  constructor(button: Box, wantsMotion: () => boolean) {
    this.#button = button;
    this.#wantsMotion = wantsMotion;
  }

  /** @param now milliseconds */
  moved(x: number, y: number, now: number): void {
    if (!this.#isOpen) return;
    if (contains(this.#item(0), x, y)) this.#isSubmenuOpen = false;
    if (!contains(this.#item(1), x, y)) {
      this.#motions = 0;
      return;
    }
    if (this.#motions++ === 0) this.#since = now;
    const isMoved = this.#motions >= MOTIONS && now - this.#since >= OPENS_MS;
    if (isMoved || !this.#wantsMotion()) this.#isSubmenuOpen = true;
  }

  /** @returns what was chosen */
  click(x: number, y: number): string | undefined {
    const isOnButton = contains(this.#button, x, y);
    const chosen =
      this.#isSubmenuOpen && contains(this.#submenu(), x, y)
        ? 'Star'
        : this.#isOpen && contains(this.#item(0), x, y)
          ? 'Date'
          : undefined;
    const stays = this.#isOpen && contains(this.#item(1), x, y);
    this.#isOpen = stays || (isOnButton && !this.#isOpen);
    this.#isSubmenuOpen &&= stays;
    this.#motions = 0;
    return chosen;
  }

  draw(context: SKRSContext2D): void {
    entry(context, this.#button, 'Insert', '#e6e9ef');
    if (!this.#isOpen) return;
    entry(context, this.#item(0), 'Date', '#f4f6f9');
    entry(context, this.#item(1), 'Symbol', '#f4f6f9');
    if (this.#isSubmenuOpen) entry(context, this.#submenu(), 'Star', '#f4f6f9');
  }

  #item(index: number): Box {
    const { x, y, height } = this.#button;
    return { x, y: y + height + index * ITEM_HEIGHT, width: WIDTH, height: ITEM_HEIGHT };
  }

  #submenu(): Box {
    const item = this.#item(1);
    return { ...item, x: item.x + WIDTH };
  }
}

function entry(context: SKRSContext2D, box: Box, text: string, colour: string): void {
  context.fillStyle = colour;
  context.fillRect(box.x, box.y, box.width, box.height);
  context.fillStyle = '#1d2330';
  context.font = font(16);
  context.fillText(text, box.x + 14, box.y + 23);
}
