import { expect, test } from '@playwright/test';
import { crop, type Frame } from '../../fixtures/image/frame.ts';
import { detectLines } from '../../fixtures/vision/ocr/detect.ts';
import { networkLines } from '../../fixtures/vision/ocr/network-lines.ts';
import { LARGEST_TILE } from '../../fixtures/vision/ocr/tiles.ts';
import { FLAT, type Ground, panel, SLOPES, TEXTURED } from './support/grounds.ts';
import { isCentredIn, type Spot } from './support/truth.ts';

/** Texts with no box that holds their middle, about as wide and high as they are. */
async function unfound({ lines, frame }: ReturnType<typeof panel>, tile?: Parameters<typeof detectLines>[1]) {
  const boxes = await detectLines(frame, tile);
  const holds = ({ box }: Spot): boolean =>
    boxes.some(
      (found) =>
        isCentredIn(box, found) &&
        found.x <= box.x + 3 &&
        found.x + found.width >= box.x + box.width - 3 &&
        found.width <= box.width + 2 * box.height + 12 &&
        found.height <= 2.6 * box.height + 4,
    );
  return lines
    .filter((line) => !holds(line))
    .map(({ text, box }) => `${text}, ${Math.round(box.height)} high`);
}

const names = (grounds: readonly Ground[]): string => grounds.map(({ name }) => name).join(', ');

for (const ground of [...FLAT, ...SLOPES])
  test(`every text on ${ground.name} is found where it is, and no network is run`, async () => {
    const runs: Frame[] = [];
    const lost = await unfound(panel(ground), (tile) => {
      runs.push(tile);
      return Promise.resolve([]);
    });
    expect(lost).toEqual([]);
    expect(runs).toEqual([]);
  });

for (const ground of TEXTURED)
  test(`every text on a ${ground.name} is found where it is, by the network in tiles of bounded size`, async () => {
    const sizes: number[] = [];
    const lost = await unfound(panel(ground), (tile) => {
      sizes.push(tile.width * tile.height);
      return networkLines(tile);
    });
    expect(lost).toEqual([]);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(LARGEST_TILE.width * LARGEST_TILE.height);
  });

test(`without the network no text is found on ${names(TEXTURED)}`, async () => {
  for (const ground of TEXTURED) {
    const seen = panel(ground);
    const lost = await unfound(seen, () => Promise.resolve([]));
    expect(lost.length, ground.name).toBeGreaterThan(0.8 * seen.lines.length);
  }
});

test('lines depend on nothing but the frame: the same after any other', async () => {
  const { frame } = panel(TEXTURED[0]!);
  const first = await detectLines(frame);
  await detectLines(crop(frame, { x: 40, y: 30, width: 500, height: 300 }));
  expect(await detectLines(frame)).toEqual(first);
});
