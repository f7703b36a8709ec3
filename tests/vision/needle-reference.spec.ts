/**
 * The quick search of needles finds, to the pixel and the last bit of the score, what a plain one finds that leaves
 * nothing out and stops nowhere early.
 */
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { crop, type Frame } from '../../fixtures/image/frame.ts';
import { roughPlaces, shrink, shrinkFor } from '../../fixtures/vision/needle/coarse.ts';
import { type Needle, needleFrom, scaled } from '../../fixtures/vision/needle/needle.ts';
import { findNeedle, nearMiss } from '../../fixtures/vision/needle/search.ts';
import { blocksOf, scoreAt } from '../../fixtures/vision/needle/score.ts';
import { realScreen } from './support/truth.ts';
import { rounds, SOAK } from '../support/soak.ts';

const RUNS = rounds(40, 1000);
let desktop: Frame;
test.beforeAll(async () => {
  desktop = (await realScreen('settings-light-1920')).frame;
});

interface Place {
  readonly x: number;
  readonly y: number;
  readonly difference: number;
}

function plainShrink({ width, data }: Frame, by: number, columns: number, rows: number): number[] {
  const means: number[] = [];
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let row = 0; row < by; row++)
          for (let column = 0; column < by; column++)
            sum += data[((y * by + row) * width + x * by + column) * 4 + channel]!;
        means.push(Math.floor(sum / (by * by)));
      }
  return means;
}

/** Sum over the needle's pixels `at`, all channels. */
function plainDifference(
  seen: (x: number, y: number, channel: number) => number,
  needle: Needle,
  at: readonly number[],
  place: { readonly x: number; readonly y: number },
): number {
  let sum = 0;
  for (const each of at) {
    const [x, y] = [place.x + (each % needle.width), place.y + Math.floor(each / needle.width)];
    for (let channel = 0; channel < 3; channel++)
      sum += Math.abs(seen(x, y, channel) - needle.data[each * 4 + channel]!);
  }
  return sum;
}

function countedIn({ counts }: Needle): number[] {
  return [...counts.keys()].filter((at) => counts[at] === 1);
}

/** The six most alike places of the shrunk frame, neighbours taken together, as they come in reading order. */
function plainRough(frame: Frame, needle: Needle, unlike: number): Place[] {
  const by = shrinkFor(needle);
  const [columns, rows] = [Math.floor(frame.width / by), Math.floor(frame.height / by)];
  const means = plainShrink(frame, by, columns, rows);
  const small = scaled(needle, 1 / by);
  const counted = countedIn(small);
  const seen = (x: number, y: number, channel: number): number => means[(y * columns + x) * 3 + channel]!;
  let kept: Place[] = [];
  for (let y = 0; y <= rows - small.height; y++)
    for (let x = 0; x <= columns - small.width; x++) {
      const place = { x, y, difference: plainDifference(seen, small, counted, { x, y }) };
      const limit = kept.length < 6 ? unlike * counted.length * 3 + 1 : kept.at(-1)!.difference;
      if (place.difference >= limit) continue;
      const near = kept.find((other) => Math.abs(other.x - x) <= 1 && Math.abs(other.y - y) <= 1);
      if (near !== undefined && near.difference <= place.difference) continue;
      kept = [...kept.filter((other) => other !== near), place]
        .sort((a, b) => a.difference - b.difference)
        .slice(0, 6);
    }
  return kept.map(({ x, y, difference }) => ({ x: x * by, y: y * by, difference }));
}

/** Around a rough place the first in reading order at which 800 pixels, evenly spread, differ least. */
function plainSettled(frame: Frame, needle: Needle, { x, y }: Place): Place {
  const by = shrinkFor(needle);
  const counted = countedIn(needle);
  const step = Math.max(1, counted.length / 800);
  const samples = Array.from(
    { length: Math.floor(counted.length / step) },
    (_, index) => counted[Math.floor(index * step)]!,
  );
  const seen = (column: number, row: number, channel: number): number =>
    frame.data[(row * frame.width + column) * 4 + channel]!;
  let best: Place = { x, y, difference: Infinity };
  for (let top = Math.max(0, y - by); top <= Math.min(frame.height - needle.height, y + by); top++)
    for (let left = Math.max(0, x - by); left <= Math.min(frame.width - needle.width, x + by); left++) {
      const difference = plainDifference(seen, needle, samples, { x: left, y: top });
      if (difference < best.difference) best = { x: left, y: top, difference };
    }
  return best;
}

interface Scene {
  readonly frame: Frame;
  readonly needle: Needle;
}

/** A part of a real screen, and a needle from it: as it is, transparent in part, changed a little, or from elsewhere. */
const scene = fc
  .record({
    x: fc.nat(1920 - 240),
    y: fc.nat(1080 - 160),
    left: fc.nat(190),
    top: fc.nat(110),
    width: fc.integer({ min: 8, max: 48 }),
    height: fc.integer({ min: 8, max: 48 }),
    noise: fc.constantFrom(0, 0, 6, 40),
    isElsewhere: fc.boolean(),
    hole: fc.option(fc.record({ x: fc.nat(20), y: fc.nat(20), side: fc.integer({ min: 1, max: 12 }) })),
  })
  .map(({ x, y, left, top, width, height, noise, isElsewhere, hole }): Scene | undefined => {
    const frame = crop(desktop, { x, y, width: 240, height: 160 });
    const from = isElsewhere ? { x: (x + 700) % 1680, y: (y + 400) % 920 } : { x, y };
    const rect = { x: from.x + left, y: from.y + top, width, height };
    if (rect.x + width > desktop.width || rect.y + height > desktop.height) return undefined;
    const part = crop(desktop, rect);
    const data = part.data.map((value, at) =>
      at % 4 === 3 ? value : Math.max(0, Math.min(255, value + (((at * 7919) % 17) - 8) * (noise / 8))),
    );
    for (let row = hole?.y ?? 0; hole !== null && row < Math.min(height, hole.y + hole.side); row++)
      for (let column = hole.x; column < Math.min(width, hole.x + hole.side); column++)
        data[(row * width + column) * 4 + 3] = 0;
    try {
      return { frame, needle: needleFrom({ ...part, data }, 'part.png') };
    } catch {
      return undefined;
    }
  })
  .filter((made) => made !== undefined);

test('a frame is shrunk to the means of its squares', () => {
  fc.assert(
    fc.property(scene, fc.integer({ min: 1, max: 16 }), ({ frame }, by) => {
      const { data, width, height } = shrink(frame, by);
      expect([...data]).toEqual(plainShrink(frame, by, width, height));
    }),
    { numRuns: RUNS / 2 },
  );
});

test('rough and exact places are those of a plain search, at any scale', SOAK, () => {
  fc.assert(
    fc.property(
      scene,
      fc.constantFrom(0.5, 2 / 3, 0.8, 1, 1.25, 1.5),
      fc.constantFrom(24, 255),
      ({ frame, needle }, scale, unlike) => {
        const sized = scaled(needle, scale);
        const rough = plainRough(frame, sized, unlike);
        const shrunk = shrink(frame, shrinkFor(sized));
        expect(roughPlaces(shrunk, sized, unlike)).toEqual(rough.map(({ x, y }) => ({ x, y })));
      },
    ),
    { numRuns: RUNS },
  );
});

test(
  'a needle that is there in another scale, and the place most like one that is not, are those of a plain search',
  SOAK,
  () => {
    fc.assert(
      fc.property(scene, fc.constantFrom(0.5, 0.8, 1.25), ({ frame, needle }, scale) => {
        const sized = scaled(needle, scale);
        const places = plainRough(frame, sized, 24).map((place) => plainSettled(frame, sized, place));
        const good = places
          .map(({ x, y }) => ({ x, y, score: scoreAt(frame, sized, blocksOf(sized), x, y) }))
          .filter(({ score }) => score >= 0.85);
        const found = findNeedle(frame, needle, { scales: [scale] });
        expect(found.length > 0).toBe(good.length > 0);
        for (const { box, score } of found) expect(good).toContainEqual({ x: box.x, y: box.y, score });
        const near = plainRough(frame, needle, 255).map((place) => plainSettled(frame, needle, place));
        const best = near.reduce((one, other) => (other.difference < one.difference ? other : one));
        expect(nearMiss(frame, needle)).toMatchObject({
          box: { x: best.x, y: best.y },
          score: scoreAt(frame, needle, blocksOf(needle), best.x, best.y),
        });
      }),
      { numRuns: RUNS },
    );
  },
);
