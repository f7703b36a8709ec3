import { expect, test } from '@playwright/test';
import type { Frame, Rect } from '../../fixtures/image/frame.ts';
import { countBullets, isTyped } from '../../fixtures/page/read-back.ts';

/** A white picture with black rectangles. */
function picture(...rects: readonly Rect[]): Frame {
  const frame = { width: 200, height: 40, data: new Uint8Array(200 * 40 * 4).fill(255) };
  for (const rect of rects)
    for (let y = rect.y; y < rect.y + rect.height; y++)
      for (let x = rect.x; x < rect.x + rect.width; x++)
        frame.data.set([0, 0, 0, 255], (y * frame.width + x) * 4);
  return frame;
}

const bullet = (index: number): Rect => ({ x: 10 + index * 10, y: 16, width: 6, height: 6 });
const row = (count: number): Rect[] => Array.from({ length: count }, (_, index) => bullet(index));
const caret = (index: number): Rect => ({ x: 10 + index * 10, y: 8, width: 1, height: 22 });

test('what OCR cannot tell apart counts as typed; a lost, doubled or wrong character does not', () => {
  const same: [string, string][] = [
    ['Hello World', 'Hello World'],
    ['HelloWorld', 'Hello World'],
    ['He1loWor1d', 'Hello World'],
    ['0ffice', 'Office'],
    ['Cafe', 'Café'],
    ['done|', 'done'],
  ];
  for (const [seen, typed] of same) expect(isTyped(seen, typed), `${seen} for ${typed}`).toBe(true);
  const other: [string, string][] = [
    ['Helo World', 'Hello World'],
    ['Helllo World', 'Hello World'],
    ['hello World', 'Hello World'],
    ['Hello Worlds', 'Hello World'],
    ['say Hello World', 'Hello World'],
    ['a2b', 'a@b'],
    ['a-b', 'a_b'],
    ['', 'x'],
    ['yellow', 'zellow'],
  ];
  for (const [seen, typed] of other) expect(isTyped(seen, typed), `${seen} for ${typed}`).toBe(false);
});

test('bullets are counted, with and without a caret, whatever stood in the field before', () => {
  const empty = picture(caret(0));
  expect(countBullets(empty, picture(...row(7)))).toBe(7);
  expect(countBullets(empty, picture(...row(7), caret(7)))).toBe(7);
  expect(countBullets(empty, picture(...row(1), caret(1)))).toBe(1);
  expect(countBullets(empty, picture(caret(0)))).toBe(0);
  const placeholder = picture({ x: 10, y: 12, width: 40, height: 3 }, { x: 20, y: 18, width: 9, height: 9 });
  expect(countBullets(placeholder, picture(...row(5)))).toBe(5);
});

test('anything but one row of equal shapes cannot be counted', () => {
  const empty = picture();
  const shapes: Record<string, Rect[]> = {
    'a gap': [...row(3), bullet(4)],
    'another size': [...row(3), { ...bullet(3), width: 9 }],
    'another height': [...row(3), { ...bullet(3), y: 24 }],
    letters: [
      { x: 10, y: 10, width: 3, height: 14 },
      { x: 16, y: 14, width: 8, height: 10 },
    ],
    'two carets': [...row(2), caret(2), caret(4)],
    'a clock elsewhere': [...row(3), { x: 150, y: 2, width: 12, height: 4 }],
  };
  for (const [name, rects] of Object.entries(shapes))
    expect(countBullets(empty, picture(...rects)), name).toBeUndefined();
});
