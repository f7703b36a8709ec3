import { expect, test } from '@playwright/test';
import { colourDifference } from '../../fixtures/image/ciede2000.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import { compareFrames, type CompareOptions } from '../../fixtures/visual/compare.ts';
import { draw } from '../matchers/support/screen.ts';
import { changed, mapped, RERENDERINGS, SMALL_CHANGES, throughVideo } from './support/changes.ts';
import { DARK, LIGHT } from './support/scene.ts';

const SCENES = { light: LIGHT, dark: DARK };

test('SE13: of 34 small changes in two themes none is accepted', () => {
  expect(SMALL_CHANGES).toHaveLength(34);
  for (const [theme, scene] of Object.entries(SCENES))
    for (const change of SMALL_CHANGES) {
      const { actual, expected } = changed(scene, change);
      expect.soft(compareFrames(actual, expected).pass, `${change}, ${theme}`).toBe(false);
    }
});

test('SE13: of 20 harmless re-renderings in two themes none is rejected', () => {
  expect(Object.keys(RERENDERINGS)).toHaveLength(20);
  for (const [theme, scene] of Object.entries(SCENES))
    for (const [name, rerendered] of Object.entries(RERENDERINGS)) {
      const { actual, expected, mask = [] } = rerendered(scene);
      expect(Buffer.compare(actual.data, expected.data), `${name} changes pixels`).not.toBe(0);
      const result = compareFrames(actual, expected, { mask });
      expect.soft(result.pass ? '' : result.reason, `${name}, ${theme}`).toBe('');
    }
});

/** A light area with a square of another colour. */
function square(colour: string, ground = '#f4f4f4'): Frame {
  return draw(
    { width: 120, height: 80 },
    [],
    [
      { x: 0, y: 0, width: 120, height: 80, colour: ground },
      { x: 40, y: 20, width: 30, height: 24, colour },
    ],
  );
}

test('SE13: a failure says what changed, where, by how much and which limit, and the picture marks it', () => {
  const result = compareFrames(square('#4088e4'), square('#3584e4'));
  expect(result.pass ? '' : result.reason).toContain(
    'an area has another colour, 30x24 at 40,20: #3584e4 became #4088e4, ΔE00 1.4 (limit 1)',
  );
  const { width, data } = (result.pass ? undefined : result.diff)!;
  const colourAt = (x: number, y: number): number[] => [
    ...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3),
  ];
  expect(colourAt(55, 30)).toEqual([255, 0, 0]);
  expect(colourAt(37, 17)).toEqual([255, 0, 0]);
  expect(colourAt(10, 70)).not.toEqual([255, 0, 0]);
});

test('SE13: an area counts from a ΔE00 of 1 on', () => {
  expect(colourDifference([128, 128, 128], [130.9, 130.9, 130.9])).toBeGreaterThan(1);
  expect(colourDifference([16, 16, 16], [19, 19, 19])).toBeLessThan(1);
  const grey = (level: number): Frame => square(`#${level.toString(16).padStart(2, '0').repeat(3)}`);
  expect(compareFrames(grey(131), grey(128)).pass).toBe(false);
  expect(compareFrames(grey(19), grey(16)).pass).toBe(true);
});

test('SE13: thresholds that the caller sets decide', () => {
  const [actual, expected] = [square('#4088e4'), square('#3584e4')];
  const passes = (options: CompareOptions): boolean => compareFrames(actual, expected, options).pass;
  expect(passes({})).toBe(false);
  expect(passes({ comparator: 'ssim' })).toBe(true);
  expect(passes({ minSsim: 0.9 })).toBe(true);
  expect(passes({ minLocalSsim: 0.9 })).toBe(true);
  expect(passes({ comparator: 'pixelmatch' })).toBe(true);
  expect(passes({ comparator: 'pixelmatch', threshold: 0 })).toBe(false);
  expect(passes({ comparator: 'pixelmatch', threshold: 0, maxDiffPixels: 30 * 24 })).toBe(true);
  expect(passes({ mask: [{ x: 40, y: 20, width: 30, height: 24 }] })).toBe(true);
});

test('SE13: a whole screen darker or tinted fails though no place of it differs by more than two levels', () => {
  const [width, height] = [200, 120];
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++)
    data.fill(36 + ((pixel % width) >> 3), pixel * 4, pixel * 4 + 3);
  const dusk: Frame = { width, height, data };
  const reason = (actual: Frame): string => {
    expect(actual.data.every((level, at) => Math.abs(level - dusk.data[at]!) <= 2)).toBe(true);
    const result = compareFrames(actual, dusk);
    return result.pass ? '' : result.reason;
  };
  expect(reason(mapped(dusk, (level) => level * 0.96))).toMatch(
    /the whole picture is [34]\.\d % darker \(limit 2\.5 %\)/,
  );
  expect(reason(mapped(dusk, (level, channel) => (channel === 1 ? level + 2 : level)))).toMatch(
    /the whole picture is (tinted|[34]\.\d % lighter)/,
  );
  expect(reason(mapped(dusk, (level, channel) => (channel === 0 ? level + 2 : level)))).toMatch(
    /the whole picture is tinted: #.* in the mean, ΔE00 1\.\d \(limit 1\)/,
  );
  expect(reason(throughVideo(dusk, [0.2126, 0.0722]))).toBe('');
});
