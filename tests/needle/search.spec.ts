import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { crop, type Frame, type Rect } from '../../fixtures/image/frame.ts';
import { needleFrom, scaled } from '../../fixtures/vision/needle/needle.ts';
import { findNeedle, nearMiss } from '../../fixtures/vision/needle/search.ts';
import { draw } from '../matchers/support/screen.ts';
import { realScreen } from '../vision/support/truth.ts';

let desktop: Frame;
test.beforeAll(async () => {
  desktop = (await realScreen('settings-light-1920')).frame;
});

const needleAt = (frame: Frame, rect: Rect) => needleFrom(crop(frame, rect), 'part.png');
const boxes = (...args: Parameters<typeof findNeedle>): Rect[] => findNeedle(...args).map(({ box }) => box);

function pasted(frame: Frame, part: Frame, x: number, y: number): Frame {
  const data = Uint8Array.from(frame.data);
  for (let row = 0; row < part.height; row++) {
    const from = row * part.width * 4;
    data.set(part.data.subarray(from, from + part.width * 4), ((y + row) * frame.width + x) * 4);
  }
  return { ...frame, data };
}

/** Each channel of each pixel through `change`, inside `rect`. */
function altered(
  frame: Frame,
  rect: Rect,
  change: (value: number, channel: number, at: number) => number,
): Frame {
  const data = Uint8Array.from(frame.data);
  for (let y = rect.y; y < rect.y + rect.height; y++)
    for (let x = rect.x; x < rect.x + rect.width; x++)
      for (let channel = 0; channel < 3; channel++) {
        const at = (y * frame.width + x) * 4 + channel;
        data[at] = Math.max(0, Math.min(255, Math.round(change(data[at]!, channel, at))));
      }
  return { ...frame, data };
}

const BUTTON: Rect = { x: 300, y: 200, width: 140, height: 40 };
const button = (text: string, colour = '#3584e4'): Frame =>
  draw(
    { width: 140, height: 40 },
    [{ text, x: 40, y: 26 }],
    [{ x: 4, y: 4, width: 132, height: 32, colour }],
  );
const withButton = (text: string, colour?: string): Frame =>
  pasted(desktop, button(text, colour), BUTTON.x, BUTTON.y);
const CONTINUE = () => needleFrom(button('Continue'), 'continue.png');

test('any part of a real screen that has a shape is found where it was cropped', () => {
  const place = fc.record({
    x: fc.nat(1920 - 300),
    y: fc.nat(1080 - 200),
    width: fc.integer({ min: 12, max: 300 }),
    height: fc.integer({ min: 12, max: 200 }),
  });
  fc.assert(
    fc.property(place, (rect) => {
      let needle;
      try {
        needle = needleAt(desktop, rect);
      } catch {
        fc.pre(false);
        return;
      }
      const found = findNeedle(desktop, needle, { scales: [1] });
      const own = found.find(({ box }) => box.x === rect.x && box.y === rect.y);
      const alike = found.some(({ score }) => score === 1);
      expect(own?.score ?? (alike ? 1 : 0)).toBe(1);
    }),
    { numRuns: 15 },
  );
});

test('noise of a lossy console does not hide it', () => {
  const whole = { x: 0, y: 0, width: 1920, height: 1080 };
  const noisy = altered(withButton('Continue'), whole, (value, _, at) => value + ((at * 7919) % 5) - 2);
  expect(boxes(noisy, CONTINUE())).toEqual([BUTTON]);
});

for (const [what, screen] of [
  ['a button with another label', () => withButton('Cancel')],
  ['a label of which one letter is another', () => withButton('Cantinue')],
  ['a button of another colour with the same luma', () => withButton('Continue', '#b67323')],
  ['a greyed button', () => altered(withButton('Continue'), BUTTON, (value) => 0.65 * value + 0.35 * 244)],
  ['a screen without it', () => desktop],
] as const) {
  test(`${what} is not it`, () => {
    expect(boxes(screen(), CONTINUE(), { scales: [1] })).toEqual([]);
    expect(boxes(screen(), CONTINUE())).toEqual([]);
  });
}

test('FAILED where OK was, in a needle of 600x400, is not it', () => {
  const form = (text: string): Frame =>
    draw({ width: 600, height: 400 }, [
      { text: 'Backup of /home', x: 40, y: 60, size: 20 },
      { text: 'Status:', x: 40, y: 120 },
      { text, x: 120, y: 120 },
    ]);
  const needle = needleFrom(form('OK'), 'status.png');
  expect(boxes(pasted(desktop, form('OK'), 700, 300), needle)).toEqual([
    { x: 700, y: 300, width: 600, height: 400 },
  ]);
  expect(boxes(pasted(desktop, form('FAILED'), 700, 300), needle)).toEqual([]);
});

test('an icon that moved is found where it is now', () => {
  const moved = pasted(desktop, button('Continue'), BUTTON.x + 600, BUTTON.y);
  expect(boxes(moved, CONTINUE())).toEqual([{ ...BUTTON, x: BUTTON.x + 600 }]);
});

test('what is transparent does not count', () => {
  const picture = button('Continue');
  const masked = Uint8Array.from(picture.data);
  for (let y = 8; y < 32; y++) for (let x = 36; x < 110; x++) masked[(y * 140 + x) * 4 + 3] = 0;
  const needle = needleFrom({ ...picture, data: masked }, 'frame.png');
  expect(boxes(withButton('Cancel'), needle)).toEqual([BUTTON]);
  expect(boxes(withButton('Cancel', '#2ec27e'), needle)).toEqual([]);
});

test('every place is found, in reading order', () => {
  const thrice = [
    [900, 700],
    [300, 200],
    [1200, 200],
  ].reduce((frame, [x, y]) => pasted(frame, button('Continue'), x!, y!), desktop);
  expect(boxes(thrice, CONTINUE()).map(({ x, y }) => [x, y])).toEqual([
    [300, 200],
    [1200, 200],
    [900, 700],
  ]);
});

for (const scale of [1.25, 1.5, 2, 0.8, 0.5]) {
  test(`a needle of another display is found at scale ${scale}`, () => {
    const needle = CONTINUE();
    const larger = scaled(needle, scale);
    const screen = pasted(desktop, larger, 801, 403);
    const [match, ...more] = findNeedle(screen, needle);
    expect(more).toEqual([]);
    expect(match).toMatchObject({ scale, box: { width: larger.width, height: larger.height } });
    expect(Math.abs(match!.box.x - 801) + Math.abs(match!.box.y - 403)).toBeLessThanOrEqual(1);
    expect(boxes(screen, needle, { scales: [1] })).toEqual([]);
  });
}

test('a near miss tells where and how near', () => {
  const near = nearMiss(withButton('Cantinue'), CONTINUE());
  // An a is narrower than an o: the letters behind it fit one pixel further left.
  expect(Math.abs(near!.box.x - BUTTON.x)).toBeLessThanOrEqual(1);
  expect(near?.box).toEqual({ ...BUTTON, x: near!.box.x });
  expect(near?.score).toBeLessThan(0.85);
  expect(nearMiss(crop(desktop, { x: 0, y: 0, width: 100, height: 30 }), CONTINUE())).toBeUndefined();
});

test('a picture of one colour, a tiny one and a wholly transparent one are refused', () => {
  const flat = draw({ width: 40, height: 40 }, []);
  const clear = { ...button('OK'), data: button('OK').data.map((value, at) => (at % 4 === 3 ? 0 : value)) };
  for (const picture of [flat, crop(button('OK'), { x: 40, y: 10, width: 5, height: 20 }), clear])
    expect(() => needleFrom(picture, 'bad.png')).toThrow(/\[NEEDLE_UNUSABLE\] bad\.png/);
});

test('options out of range are refused by name', () => {
  expect(() => findNeedle(desktop, CONTINUE(), { minScore: 0.2 })).toThrow(
    /\[NEEDLE_OPTION_INVALID\].*minScore/,
  );
  expect(() => findNeedle(desktop, CONTINUE(), { scales: [] })).toThrow(/scales/);
  expect(() => findNeedle(desktop, CONTINUE(), { scales: [1, 10] })).toThrow(/10/);
});
