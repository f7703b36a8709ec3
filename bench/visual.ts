/**
 * Small changes of a screen accepted and harmless re-renderings of it rejected, at the defaults of vmwright and of
 * Playwright's `toHaveScreenshot` (pixelmatch, threshold 0.2, no pixel may differ), and what the comparisons take.
 *
 *     node --import tsx bench/visual.ts
 *
 * @module
 */
import pixelmatch from 'pixelmatch';
import type { Frame } from '../fixtures/image/frame.ts';
import { compareFrames } from '../fixtures/visual/compare.ts';
import { changed, mapped, RERENDERINGS, SMALL_CHANGES } from '../tests/visual/support/changes.ts';
import { DARK, LIGHT } from '../tests/visual/support/scene.ts';
import { milliseconds, paired, ratio, testCard } from './support/measure.ts';

const THRESHOLD = 0.2;

/** As Playwright's comparator decides by default. */
function byPlaywright(actual: Frame, expected: Frame): boolean {
  const { width, height } = actual;
  return pixelmatch(actual.data, expected.data, undefined, width, height, { threshold: THRESHOLD }) === 0;
}

const vmwright = { name: 'vmwright', accepted: [] as string[], rejected: [] as string[] };
const playwright = { name: 'Playwright', accepted: [] as string[], rejected: [] as string[] };

for (const [theme, scene] of Object.entries({ light: LIGHT, dark: DARK })) {
  for (const change of SMALL_CHANGES) {
    const { actual, expected } = changed(scene, change);
    if (compareFrames(actual, expected).pass) vmwright.accepted.push(`${change}, ${theme}`);
    if (byPlaywright(actual, expected)) playwright.accepted.push(`${change}, ${theme}`);
  }
  for (const [name, rerendered] of Object.entries(RERENDERINGS)) {
    const { actual, expected, mask = [] } = rerendered(scene);
    if (!compareFrames(actual, expected, { mask }).pass) vmwright.rejected.push(`${name}, ${theme}`);
    const [one, two] = [actual, expected].map((frame) => masked(frame, mask));
    if (one !== undefined && two !== undefined && !byPlaywright(one, two))
      playwright.rejected.push(`${name}, ${theme}`);
  }
}
const [changes, harmless] = [2 * SMALL_CHANGES.length, 2 * Object.keys(RERENDERINGS).length];
for (const { name, accepted, rejected } of [vmwright, playwright]) {
  console.log(
    `${name.padEnd(11)} small changes accepted ${accepted.length} of ${changes}, harmless re-renderings rejected ${rejected.length} of ${harmless}`,
  );
  for (const one of accepted) console.log(`  accepted: ${one}`);
  for (const one of rejected) console.log(`  rejected: ${one}`);
}

const card = testCard({ width: 1920, height: 1080 });
for (const [what, actual] of [
  ['equal frames', { ...card, data: Uint8Array.from(card.data) }],
  ['noise of 1 level', mapped(card, (level, _, at) => level + ((at * 7919) % 3) - 1)],
  ['200x60 pixels differ', testCard(card, { x: 1200, y: 700, width: 200, height: 60 })],
  ['4 % darker', mapped(card, (level) => level * 0.96)],
] as const) {
  const { first, second } = await paired(
    5,
    () => compareFrames(actual, card),
    () => byPlaywright(actual, card),
  );
  console.log(
    `1920x1080, ${what.padEnd(20)} vmwright ${milliseconds(first)}  pixelmatch ${milliseconds(second)}  ${ratio(second, first)}`,
  );
}

/** Masks as Playwright lays them over. */
function masked(
  frame: Frame,
  rects: readonly {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  }[],
): Frame {
  const data = Uint8Array.from(frame.data);
  for (const { x, y, width, height } of rects)
    for (let row = y; row < y + height; row++)
      data.fill(255, (row * frame.width + x) * 4, (row * frame.width + x + width) * 4);
  return { ...frame, data };
}
