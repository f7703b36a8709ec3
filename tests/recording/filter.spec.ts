import { expect, test } from '@playwright/test';
import { FrameFilter } from '../../fixtures/recording/filter.ts';
import type { Frame, Rect } from '../../fixtures/image/frame.ts';

const SIZE = { width: 1280, height: 720 };
const CURSOR = { width: 12, height: 19 };

/** A screen with dark rectangles on it. */
function screen(...dark: readonly Rect[]): Frame {
  const data = new Uint8Array(SIZE.width * SIZE.height * 4).fill(220);
  for (const rect of dark) {
    for (let y = rect.y; y < rect.y + rect.height; y++)
      data.fill(20, (y * SIZE.width + rect.x) * 4, (y * SIZE.width + rect.x + rect.width) * 4);
  }
  return { ...SIZE, data };
}

const cursorAt = (x: number, y: number): Frame => screen({ x, y, ...CURSOR });

test('M57, M59: a pointer that moved by one pixel makes a frame worth keeping, an identical frame is dropped', () => {
  const filter = new FrameFilter();
  expect(filter.take(cursorAt(600, 300))?.pixels).toBe(SIZE.width * SIZE.height);
  expect(filter.take(cursorAt(600, 300))).toBeUndefined();
  const change = filter.take(cursorAt(601, 300));
  expect(change?.pixels).toBe(2 * CURSOR.height);
  expect(change?.rects).toEqual([{ x: 600, y: 300, width: CURSOR.width + 1, height: CURSOR.height }]);
});

test('M58: of 103 frames with a moving pointer every distinct one is kept', () => {
  const filter = new FrameFilter();
  const path = Array.from({ length: 103 }, (_, n) => 640 + Math.min(n, 102 - n));
  const distinct = path.filter((x, n) => x !== path[n - 1]).length;
  const kept = path.filter((x) => filter.take(cursorAt(x, 360)) !== undefined);
  expect(distinct).toBeGreaterThan(100);
  expect(kept).toHaveLength(distinct);
});

test('M60: one level of one channel of one pixel is enough, wherever it is', () => {
  for (const at of [0, SIZE.width * 4 - 2, 123_457, SIZE.width * SIZE.height * 4 - 2]) {
    const filter = new FrameFilter();
    filter.take(screen());
    const frame = screen();
    frame.data[at] = 221;
    const pixel = at >> 2;
    expect(filter.take(frame)).toEqual({
      pixels: 1,
      rects: [{ x: pixel % SIZE.width, y: Math.floor(pixel / SIZE.width), width: 1, height: 1 }],
    });
  }
});

test('M60: with a threshold, changes add up until it is reached: they are compared with the last kept frame', () => {
  const filter = new FrameFilter({ minPixels: 3 });
  const dots = (count: number): Frame =>
    screen(...(count > 0 ? [{ x: 10, y: 10, width: count, height: 1 }] : []));
  filter.take(dots(0));
  expect([1, 2].map((count) => filter.take(dots(count)))).toEqual([undefined, undefined]);
  expect(filter.take(dots(3))?.pixels).toBe(3);
  expect(filter.take(dots(4))).toBeUndefined();
});

test('a change here and one far below are two patches, of which each holds all of its pixels', () => {
  const filter = new FrameFilter();
  filter.take(screen());
  const [clock, caret] = [
    { x: 1200, y: 4, width: 40, height: 12 },
    { x: 30, y: 600, width: 2, height: 16 },
  ];
  expect(filter.take(screen(clock, caret))).toEqual({ pixels: 40 * 12 + 2 * 16, rects: [clock, caret] });
});

test('a frame of another size is new everywhere, and pixels at odd addresses are compared all the same', () => {
  const filter = new FrameFilter();
  filter.take(screen());
  const odd = new Uint8Array(64 * 48 * 4 + 1).subarray(1);
  const small = { width: 64, height: 48, data: odd };
  expect(filter.take(small)?.rects).toEqual([{ x: 0, y: 0, width: 64, height: 48 }]);
  const changed = { ...small, data: Uint8Array.from(odd) };
  changed.data[5 * 4] = 1;
  expect(filter.take(changed)).toEqual({ pixels: 1, rects: [{ x: 5, y: 0, width: 1, height: 1 }] });
});
