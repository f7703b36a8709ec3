/**
 * A screen that shows given pictures, one a look, with no time and no network.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { VmwrightError } from '../../../fixtures/errors.ts';
import { crop, type Frame, type Rect } from '../../../fixtures/image/frame.ts';
import type { Screen } from '../../../fixtures/matchers/screen.ts';

const FONT = 'Noto Sans';
const require = createRequire(import.meta.url);
GlobalFonts.registerFromPath(
  require.resolve('@fontsource/noto-sans/files/noto-sans-latin-400-normal.woff2'),
  FONT,
);

export interface Label {
  readonly text: string;
  readonly x: number;
  /** Of the base line. */
  readonly y: number;
  /** Pixels, default 16. */
  readonly size?: number;
}

/** A picture with a light background, filled rectangles, and labels over them. */
export function draw(
  { width, height }: { readonly width: number; readonly height: number },
  labels: readonly Label[],
  fills: readonly (Rect & { readonly colour: string })[] = [],
): Frame {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = '#f4f4f2';
  context.fillRect(0, 0, width, height);
  for (const { colour, ...rect } of fills) {
    context.fillStyle = colour;
    context.fillRect(rect.x, rect.y, rect.width, rect.height);
  }
  context.fillStyle = '#202428';
  for (const { text, x, y, size = 16 } of labels) {
    context.font = `${size}px "${FONT}"`;
    context.fillText(text, x, y);
  }
  return { width, height, data: new Uint8Array(context.getImageData(0, 0, width, height).data) };
}

/** Each look shows the next picture; the last one stays, or with `loop` they begin again. */
export class ScriptedScreen implements Screen {
  readonly name = 'fedora42';
  /** Time-outs that `until` was given. */
  readonly timeouts: number[] = [];
  looks = 0;
  readonly #pictures: readonly Frame[];
  readonly #loop: boolean;

  constructor(pictures: readonly Frame[], { loop = false } = {}) {
    this.#pictures = pictures;
    this.#loop = loop;
  }

  frame({ clip }: { readonly clip?: Rect } = {}): Promise<Frame> {
    const { length } = this.#pictures;
    const index = this.#loop ? this.looks % length : Math.min(this.looks, length - 1);
    this.looks++;
    const picture = this.#pictures[index]!;
    return Promise.resolve(clip === undefined ? picture : crop(picture, clip));
  }

  /** Looks once at each picture; time is out after the last. */
  async until<T>(
    check: (frame: Frame) => Promise<T | undefined> | T | undefined,
    options: { readonly clip?: Rect; readonly timeout: number },
  ): Promise<T> {
    this.timeouts.push(options.timeout);
    for (const end = this.looks + this.#pictures.length; this.looks < end;) {
      const value = await check(await this.frame(options));
      if (value !== undefined) return value;
    }
    throw new VmwrightError({ code: 'WAIT_TIMEOUT', subject: this.name, message: 'time is out' });
  }
}
