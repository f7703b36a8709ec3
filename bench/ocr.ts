/**
 * Reading a desktop: all of it, after a small change, and unchanged.
 *
 *     node --import tsx bench/ocr.ts [SCREEN.png]
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage, type Frame } from '../fixtures/image/frame.ts';
import { createScreenReader } from '../fixtures/vision/index.ts';
import { detectLines } from '../fixtures/vision/ocr/detect.ts';
import { recogniseLine } from '../fixtures/vision/ocr/recognise.ts';
import { fastestOf, milliseconds, ratio } from './support/measure.ts';

const file = process.argv[2] ?? join(import.meta.dirname, '../tests/vision/screens/login-light-1280.png');
const screen = await decodeImage(readFileSync(file), file);
/** Copies one line of text over another place: 200x20 pixels change, and never twice to the same. */
const changed = (run: number): Frame => {
  const data = Uint8Array.from(screen.data);
  for (let y = 0; y < 20; y++)
    for (let x = 0; x < 200; x++) {
      const at = ((300 + y) * screen.width + 600 + x) * 4;
      data[at] = (data[at] ?? 0) ^ (1 + run);
    }
  return { ...screen, data };
};

const recogniser = { detect: detectLines, recognise: recogniseLine };
const whole = await fastestOf(3, () => createScreenReader(recogniser).read(screen));
const reader = createScreenReader(recogniser);
await reader.read(screen);
const again = await fastestOf(8, (run) => reader.read(changed(run)));
const same = await fastestOf(8, () => reader.read(changed(7)));

console.log(`whole screen                ${milliseconds(whole)}`);
console.log(
  `after a change of 200x20    ${milliseconds(again)}  1/${ratio(whole, again).replace('x', '')} of it`,
);
console.log(`unchanged                   ${milliseconds(same)}`);
