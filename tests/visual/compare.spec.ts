import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { ssim } from 'ssim.js';
import { changedAreas, differenceBounds } from '../../fixtures/image/difference.ts';
import { type Frame, intersect, type Rect } from '../../fixtures/image/frame.ts';
import { checkOptions, compareFrames } from '../../fixtures/visual/compare.ts';
import { similarity } from '../../fixtures/visual/ssim.ts';

type Colour = readonly [number, number, number];

function plain(width: number, height: number, colour: Colour = [240, 240, 240]): Frame {
  const data = new Uint8Array(width * height * 4);
  for (let at = 0; at < data.length; at += 4) data.set([...colour, 255], at);
  return { width, height, data };
}

function painted(frame: Frame, rect: Rect, colour: Colour): Frame {
  const data = Uint8Array.from(frame.data);
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    for (let x = rect.x; x < rect.x + rect.width; x++) data.set([...colour, 255], (y * frame.width + x) * 4);
  }
  return { ...frame, data };
}

/** A screen with some structure: stripes of text-like blocks. */
function screen(): Frame {
  let frame = plain(400, 300);
  for (let y = 10; y < 290; y += 20) {
    for (let x = 10; x < 380; x += 12) frame = painted(frame, { x, y, width: 7, height: 9 }, [30, 30, 40]);
  }
  return frame;
}

test('M43: identical pictures score 1 and pass; a moved button scores below 0.95 and fails with a diff', () => {
  const base = plain(200, 120);
  const button = painted(base, { x: 20, y: 20, width: 100, height: 60 }, [20, 90, 200]);
  const moved = painted(base, { x: 60, y: 40, width: 100, height: 60 }, [20, 90, 200]);
  expect(similarity(button, button)).toEqual({ mean: 1, lowest: 1, luma: 1 });
  expect(compareFrames(button, button).pass).toBe(true);
  const result = compareFrames(moved, button);
  expect(similarity(moved, button).mean).toBeLessThan(0.95);
  expect(result.pass).toBe(false);
  expect(result.pass ? undefined : result.diff).toMatchObject({ width: 200, height: 120 });
});

const clamped = (frame: Frame) => ({ ...frame, data: new Uint8ClampedArray(frame.data) });
const wholeFrame = (a: Frame, b: Frame, windowSize = 11): number =>
  ssim(clamped(a), clamped(b), { ssim: 'fast', downsample: false, windowSize }).mssim;

test('P-M27: luma score equals ssim.js on the whole frames to 1e-9, for any changes', () => {
  const base = screen();
  const rect = fc.record({
    x: fc.integer({ min: 0, max: 350 }),
    y: fc.integer({ min: 0, max: 250 }),
    width: fc.integer({ min: 1, max: 50 }),
    height: fc.integer({ min: 1, max: 50 }),
  });
  const byte = fc.integer({ min: 0, max: 255 });
  const change = fc.tuple(rect, fc.tuple(byte, byte, byte));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.constantFrom(5, 11), (changes, size) => {
      const changed = changes.reduce((frame, [area, colour]) => painted(frame, area, colour), base);
      const { luma, mean } = similarity(changed, base, { windowSize: size });
      expect(Math.abs(luma - wholeFrame(changed, base, size))).toBeLessThan(1e-9);
      expect(mean).toBeLessThanOrEqual(luma);
    }),
    { numRuns: 25 },
  );
});

test('P-M27: reference values of three pairs; a score that is the threshold passes', () => {
  const grey = (value: number): Frame => plain(32, 32, [value, value, value]);
  // Flat pictures have no variance: SSIM is (2ab + C1) / (a² + b² + C1).
  const c1 = 6.5025;
  for (const [a, b] of [
    [100, 120],
    [0, 255],
    [200, 230],
  ] as const) {
    const expected = (2 * a * b + c1) / (a * a + b * b + c1);
    expect(similarity(grey(a), grey(b)).mean).toBeCloseTo(expected, 12);
    const { mean } = similarity(grey(a), grey(b));
    const options = { minLocalSsim: -1, minSsim: mean };
    expect(compareFrames(grey(a), grey(b), options).pass).toBe(true);
    expect(compareFrames(grey(a), grey(b), { ...options, minSsim: mean + 1e-9 }).pass).toBe(false);
  }
});

test('P-M27: every eighth window gives nearly the same mean; a change beyond the last full stride is seen', () => {
  const base = screen();
  const changed = painted(base, { x: 100, y: 100, width: 90, height: 70 }, [90, 90, 200]);
  const [every, some] = [similarity(changed, base), similarity(changed, base, { stride: 8 })];
  expect(some.mean).not.toBe(every.mean);
  expect(Math.abs(some.mean - every.mean)).toBeLessThan(0.01);
  const edge = painted(base, { x: 399, y: 299, width: 1, height: 1 }, [0, 0, 0]);
  expect(similarity(edge, base, { stride: 8 }).lowest).toBeLessThan(1);
});

test('two changes far apart are two areas', () => {
  const base = plain(400, 300);
  const near = { x: 10, y: 20, width: 5, height: 6 };
  const far = { x: 380, y: 270, width: 8, height: 9 };
  const changed = painted(painted(base, near, [0, 0, 0]), far, [0, 0, 0]);
  expect(changedAreas(changed, base)).toEqual([near, far]);
  expect(changedAreas(changed, base, 10)).toEqual([
    { x: 0, y: 10, width: 25, height: 26 },
    { x: 370, y: 260, width: 28, height: 29 },
  ]);
  expect(changedAreas(changed, base, 200)).toEqual([{ x: 0, y: 0, width: 400, height: 300 }]);
  expect(changedAreas(base, base, 10)).toEqual([]);
});

test('changed areas hold every change, and never overlap', () => {
  const base = plain(96, 80);
  const spot = fc.record({
    x: fc.nat(95),
    y: fc.nat(79),
    width: fc.integer({ min: 1, max: 30 }),
    height: fc.integer({ min: 1, max: 30 }),
  });
  fc.assert(
    fc.property(fc.array(spot, { maxLength: 6 }), fc.nat(12), (spots, reach) => {
      const inside = spots.map((one) => intersect(one, { x: 0, y: 0, width: 96, height: 80 })!);
      const changed = inside.reduce((frame, one) => painted(frame, one, [0, 0, 0]), base);
      const areas = changedAreas(changed, base, reach);
      for (const one of inside) expect(areas.some((area) => covers(area, one))).toBe(true);
      for (const [index, area] of areas.entries())
        for (const other of areas.slice(index + 1)) expect(intersect(area, other)).toBeUndefined();
    }),
  );
});

function covers(outer: Rect, inner: Rect): boolean {
  const common = intersect(outer, inner);
  return common?.width === inner.width && common.height === inner.height;
}

test('red and green of equal luma are different', () => {
  const base = plain(200, 200);
  const badge = { x: 90, y: 90, width: 20, height: 20 };
  const red = painted(base, badge, [200, 0, 0]);
  const green = painted(base, badge, [0, 102, 0]);
  expect(compareFrames(red, green).pass).toBe(false);
});

test('a small wrong badge on a large screen fails though the mean is high', () => {
  const base = screen();
  const badge = painted(base, { x: 200, y: 150, width: 8, height: 8 }, [220, 30, 30]);
  expect(similarity(badge, base).mean).toBeGreaterThan(0.95);
  const result = compareFrames(badge, base);
  expect(result).toMatchObject({ pass: false });
  expect(result.pass ? '' : result.reason).toContain('minLocalSsim');
  expect(compareFrames(badge, base, { minLocalSsim: -1 }).pass).toBe(true);
});

test('P-M30: another size fails naming both sizes', () => {
  const result = compareFrames(plain(1280, 720), plain(1280, 800));
  expect(result.pass).toBe(false);
  expect(result.pass ? '' : result.reason).toBe('the baseline is 1280x800, the screen is 1280x720');
});

test('P-M30: with resize, the screen is scaled to the baseline', () => {
  const base = screen();
  const changed = painted(base, { x: 100, y: 100, width: 120, height: 90 }, [250, 0, 0]);
  const twice = (frame: Frame): Frame => {
    const data = new Uint8Array(frame.data.length * 4);
    for (let y = 0, at = 0; y < frame.height * 2; y++)
      for (let x = 0; x < frame.width * 2; x++, at += 4) {
        const from = ((y >> 1) * frame.width + (x >> 1)) * 4;
        data.set(frame.data.subarray(from, from + 4), at);
      }
    return { width: frame.width * 2, height: frame.height * 2, data };
  };
  expect(compareFrames(twice(base), base).pass).toBe(false);
  expect(compareFrames(twice(base), base, { resize: true }).pass).toBe(true);
  expect(compareFrames(twice(changed), base, { resize: true }).pass).toBe(false);
});

test('P-M28: a change in the last five columns is seen', () => {
  const base = screen();
  const changed = painted(base, { x: 395, y: 100, width: 5, height: 60 }, [0, 0, 0]);
  expect(compareFrames(changed, base).pass).toBe(false);
});

test('P-M28: pictures smaller than a window are compared as one window', () => {
  const base = plain(6, 4);
  expect(compareFrames(base, base).pass).toBe(true);
  expect(compareFrames(painted(base, { x: 1, y: 1, width: 3, height: 2 }, [0, 0, 0]), base).pass).toBe(false);
});

test('what lies under a mask does not count; what lies beside it does', () => {
  const base = screen();
  const clock = { x: 180, y: 0, width: 40, height: 20 };
  const ticked = painted(base, clock, [1, 2, 3]);
  expect(compareFrames(ticked, base, { mask: [clock] }).pass).toBe(true);
  expect(compareFrames(ticked, base, { mask: [{ ...clock, width: 20 }] }).pass).toBe(false);
  expect(compareFrames(ticked, base, { mask: [{ x: -50, y: -50, width: 900, height: 900 }] }).pass).toBe(
    true,
  );
});

test('pixelmatch: the smaller of two allowances counts', () => {
  const base = plain(100, 100);
  const changed = painted(base, { x: 0, y: 0, width: 10, height: 10 }, [0, 0, 0]);
  const by = (options: object): boolean =>
    compareFrames(changed, base, { comparator: 'pixelmatch', ...options }).pass;
  expect(by({})).toBe(false);
  expect(by({ maxDiffPixels: 99 })).toBe(false);
  expect(by({ maxDiffPixels: 100 })).toBe(true);
  expect(by({ maxDiffPixelRatio: 0.01 })).toBe(true);
  expect(by({ maxDiffPixels: 100, maxDiffPixelRatio: 0.005 })).toBe(false);
  expect(by({ maxDiffPixels: 50, maxDiffPixelRatio: 0.5 })).toBe(false);
});

test('options out of range, and options of the other comparator, are refused by name', () => {
  expect(() => checkOptions({ minSsim: 95 })).toThrow(/minSsim.*\n.*from 0 to 1\n.*95/);
  expect(() => checkOptions({ windowSize: 8 })).toThrow(/odd whole number/);
  expect(() => checkOptions({ stride: 0 })).toThrow(/stride.*\n.*from 1/);
  expect(() => checkOptions({ maskColor: 'pink' })).toThrow(/#rrggbb/);
  expect(() => checkOptions({ comparator: 'pixelmatch', minSsim: 0.9 })).toThrow(/minSsim/);
  expect(() => checkOptions({ maxDiffPixels: 3 })).toThrow(/maxDiffPixels, which ssim does not use/);
});

test('the bounds of a difference are exact', () => {
  const base = plain(64, 48);
  fc.assert(
    fc.property(fc.nat(63), fc.nat(47), fc.nat(63), fc.nat(47), (x1, y1, x2, y2) => {
      const one = painted(base, { x: x1, y: y1, width: 1, height: 1 }, [0, 0, 0]);
      const two = painted(one, { x: x2, y: y2, width: 1, height: 1 }, [0, 0, 1]);
      expect(differenceBounds(base, two)).toEqual({
        x: Math.min(x1, x2),
        y: Math.min(y1, y2),
        width: Math.abs(x1 - x2) + 1,
        height: Math.abs(y1 - y2) + 1,
      });
    }),
  );
});
