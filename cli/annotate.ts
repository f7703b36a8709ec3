/**
 * A picture with what was read on it.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import type { Frame } from '../fixtures/image/frame.ts';
import type { TextMap } from '../fixtures/vision/index.ts';

const FONT = 'vmwright annotations';
const TEXT_SIZE = 11;
const COLOUR = '#e5004c';

/** PNG of the frame with a numbered frame around each line, the number as in the table. */
export function annotated({ width, height, data }: Frame, { lines }: TextMap): Buffer {
  const { resolve } = createRequire(import.meta.url);
  GlobalFonts.registerFromPath(resolve('@fontsource/noto-sans/files/noto-sans-latin-400-normal.woff2'), FONT);
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  const picture = context.createImageData(width, height);
  picture.data.set(data);
  context.putImageData(picture, 0, 0);
  context.font = `${TEXT_SIZE}px "${FONT}"`;
  context.strokeStyle = COLOUR;
  for (const [index, { box }] of lines.entries()) {
    context.strokeRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
    const number = String(index + 1);
    const wide = Math.ceil(context.measureText(number).width) + 4;
    const left = box.x >= wide ? box.x - wide : box.x;
    context.fillStyle = COLOUR;
    context.fillRect(left, box.y, wide, TEXT_SIZE + 3);
    context.fillStyle = '#fff';
    context.fillText(number, left + 2, box.y + TEXT_SIZE);
  }
  return canvas.toBuffer('image/png');
}
