/**
 * Finding a needle on a real desktop of 1920x1080. The ratio is to 106 ms, the faster end of what was measured elsewhere
 * for os-autoinst's search of a whole screen of this size (106 to 182 ms): os-autoinst itself does not run here.
 *
 *     node --import tsx bench/needle.ts [SCREEN.png]
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crop, decodeImage, describe, type Frame, type Rect } from '../fixtures/image/frame.ts';
import { needleFrom } from '../fixtures/vision/needle/needle.ts';
import { findNeedle, nearMiss } from '../fixtures/vision/needle/search.ts';
import { fastest, milliseconds, ratio } from './support/measure.ts';

const PEER_MS = 106;
const file = process.argv[2] ?? join(import.meta.dirname, '../tests/vision/screens/settings-light-1920.png');
const screen = await decodeImage(readFileSync(file), file);
const without = (rect: Rect): Frame => {
  const data = Uint8Array.from(screen.data);
  for (let y = rect.y; y < rect.y + rect.height; y++)
    data.fill(245, (y * screen.width + rect.x) * 4, (y * screen.width + rect.x + rect.width) * 4);
  return { ...screen, data };
};

for (const rect of [
  { x: 765, y: 66, width: 48, height: 48 },
  { x: 1000, y: 90, width: 100, height: 40 },
  { x: 40, y: 380, width: 240, height: 120 },
  { x: 700, y: 300, width: 600, height: 400 },
]) {
  const needle = needleFrom(crop(screen, rect), 'needle.png');
  const empty = without(rect);
  const row = (what: string, time: number): void => {
    console.log(
      `${describe(rect).padEnd(20)} ${what.padEnd(28)} ${milliseconds(time)}  ${ratio(PEER_MS, time)}`,
    );
  };
  row(
    'there',
    fastest(9, () => findNeedle(screen, needle)),
  );
  row(
    'not there, own scale',
    fastest(9, () => findNeedle(empty, needle, { scales: [1] })),
  );
  row(
    'not there, seven scales',
    fastest(3, () => findNeedle(empty, needle)),
  );
  row(
    'near miss',
    fastest(3, () => nearMiss(empty, needle)),
  );
}
