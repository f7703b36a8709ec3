/**
 * A machine whose screen is drawn, with one text field that really takes keys.
 *
 * @module
 */
import { expect } from '@playwright/test';
import type { Frame, Rect } from '../../../fixtures/image/frame.ts';
import { crop } from '../../../fixtures/image/frame.ts';
import { type TestPage, withEyes } from '../../../fixtures/page/test-page.ts';
import { VncPage } from '../../../fixtures/vnc/index.ts';
import { draw, type Label } from '../../matchers/support/screen.ts';
import { PROBE_SIDE } from '../../../fixtures/vnc/rfb/capture.ts';
import { rectBytes, ScriptedServer, update } from '../../vnc/support/server.ts';

const SIZE = { width: 480, height: 320 };
/** The field's frame; its text begins inside. */
export const FIELD: Rect = { x: 40, y: 200, width: 400, height: 36 };
const CONTROL = 0xffe3;
const SHIFT = 0xffe1;
const BACKSPACE = 0xff08;
/** Pressed after everything else: what has not arrived before it was never sent. */
const LAST = { key: 'F12', log: '+ffc9' };

export interface DeskOptions {
  readonly labels?: readonly Label[];
  /** What the field shows of what was typed; `attempt` counts from 1. */
  readonly shows?: (typed: string, attempt: number) => string;
  /** A field that Control+A does not select, with this in it. */
  readonly stubborn?: string;
  /** Draws on the finished picture: bullets. */
  readonly paint?: (picture: Frame, typed: string) => Frame;
}

export class Desk {
  readonly server: ScriptedServer;
  labels: readonly Label[];
  readonly #options: DeskOptions;

  constructor(options: DeskOptions = {}) {
    this.#options = options;
    this.labels = options.labels ?? [];
    this.server = new ScriptedServer({
      ...SIZE,
      onRequest: (rect, incremental, to) => {
        if (incremental) return;
        if (rect.width > PROBE_SIDE && rect.width < SIZE.width) this.beforePart();
        to.send(update(rawPicture(rect, this.picture())));
      },
    });
  }

  /** Called before a picture of a part of the screen is sent. */
  protected beforePart(): void {
    // Nothing happens meanwhile.
  }

  async page(): Promise<TestPage> {
    return withEyes(await VncPage.connect({ open: this.server.open, name: 'fedora42', wake: false }));
  }

  /** Sends the picture as it is now. */
  show(labels: readonly Label[]): void {
    this.labels = labels;
    this.server.send(update(rawPicture(this.server.whole, this.picture())));
  }

  /** Waits until the machine has everything that `page` has sent: only then is a missing key one that was not pressed. */
  async receivesAll(page: TestPage): Promise<void> {
    const seen = (): number => this.server.keys().filter((key) => key === LAST.log).length;
    const before = seen();
    await page.keyboard.press(LAST.key);
    await expect.poll(seen, 'the last key arrives').toBe(before + 1);
  }

  /** What was typed since the field was emptied last, and how often it was emptied. */
  typed(): { text: string; attempt: number } {
    const { stubborn } = this.#options;
    let [text, attempt, isControl, isSelected] = [stubborn ?? '', 0, false, false];
    for (const message of this.server.log) {
      if (message.type !== 'key') continue;
      const { keysym, down } = message;
      if (keysym === CONTROL) isControl = down;
      else if (!down || keysym === SHIFT) continue;
      else if (isControl) isSelected = keysym === 0x61 && stubborn === undefined;
      else if (keysym === BACKSPACE && stubborn !== undefined)
        [text, attempt] = [text.slice(0, -1), attempt + 1];
      else if (keysym === BACKSPACE && isSelected) [text, attempt, isSelected] = ['', attempt + 1, false];
      else if (keysym < 0x100) text += String.fromCharCode(keysym);
    }
    return { text, attempt };
  }

  picture(): Frame {
    const { shows = (typed: string) => typed, paint = (frame: Frame) => frame } = this.#options;
    const { text, attempt } = this.typed();
    const shown = { text: shows(text, attempt), x: FIELD.x + 10, y: FIELD.y + 24 };
    const frame = draw(SIZE, [...this.labels, shown], [{ ...FIELD, colour: '#ffffff' }]);
    return paint(frame, text);
  }
}

function rawPicture(rect: Rect, picture: Frame): Buffer {
  const { data } = crop(picture, rect);
  const pixels = Buffer.from(data);
  for (let at = 0; at < pixels.length; at += 4) {
    pixels[at] = data[at + 2] ?? 0;
    pixels[at + 2] = data[at] ?? 0;
  }
  return rectBytes(rect, 0, pixels);
}
