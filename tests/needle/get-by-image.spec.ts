import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { imageFinder, type ImageOptions } from '../../fixtures/page/by-image.ts';
import { nthOf } from '../../fixtures/page/combined.ts';
import { targetOf } from '../../fixtures/page/screen-locator.ts';
import { crop, decodeImage, encodePng, type Frame, type Rect } from '../../fixtures/image/frame.ts';
import type { VncPage } from '../../fixtures/vnc/index.ts';
import type { Sighting } from '../../fixtures/vnc/locator.ts';
import { draw, ScriptedScreen } from '../matchers/support/screen.ts';

const SIZE = { width: 480, height: 320 };
const BUTTON: Rect = { x: 296, y: 236, width: 128, height: 40 };
const desktop = (...places: readonly Rect[]): Frame =>
  draw(
    SIZE,
    [
      { text: 'Sign in to go on', x: 60, y: 90, size: 20 },
      ...places.map(({ x, y }) => ({ text: 'Continue', x: x + 30, y: y + 26 })),
    ],
    places.map(({ x, y, width, height }) => ({
      x: x + 4,
      y: y + 4,
      width: width - 8,
      height: height - 8,
      colour: '#8fb6e8',
    })),
  );
const OTHER = { ...BUTTON, x: 40, y: 140 };

/** The place with what stands there, which a click compares with the screen. */
const sighted = (place: Rect, screen: Frame): Sighting => ({
  ...place,
  isPart: false,
  picture: crop(screen, place),
});

/** A needle file of the button, and the screens that show one after the other. */
async function find(pictures: readonly Frame[], options: ImageOptions = {}): Promise<Sighting> {
  const file = test.info().outputPath('continue.png');
  mkdirSync(test.info().outputDir, { recursive: true });
  writeFileSync(file, await encodePng(crop(desktop(BUTTON), BUTTON)));
  const screen = Object.assign(new ScriptedScreen(pictures), { timeoutScale: 1 });
  const { nth, ...rest } = options;
  const readPart = (): Promise<never> => Promise.reject(new Error('nothing is read'));
  const finder = imageFinder({ screen, readPart }, file, rest);
  const one = nth === undefined ? finder : nthOf(finder, nth, screen.name);
  return targetOf(one).resolve(screen as unknown as VncPage, { timeout: 1000 });
}

test('it waits for the picture to appear, and tells where it is', async () => {
  expect(await find([desktop(), desktop(), desktop(BUTTON), desktop()])).toEqual(
    sighted(BUTTON, desktop(BUTTON)),
  );
});

test('with a clip the place is on the screen, not in the clip', async () => {
  const clip = { x: 200, y: 200, width: 280, height: 120 };
  expect(await find([desktop(OTHER, BUTTON)], { clip })).toEqual(sighted(BUTTON, desktop(OTHER, BUTTON)));
});

test('several places are an error that lists them; nth says which', async () => {
  const both = desktop(OTHER, BUTTON);
  const failure = find([both]);
  await expect(failure).rejects.toMatchObject({ code: 'NEEDLE_AMBIGUOUS' });
  await expect(failure).rejects.toThrow(
    /2 times[^]*score 1\.000 128x40 at 40,140; score 1\.000 128x40 at 296,236/,
  );
  expect(await find([both], { nth: 1 })).toEqual(sighted(BUTTON, both));
  await expect(find([both], { nth: 2 })).rejects.toMatchObject({ code: 'NEEDLE_AMBIGUOUS' });
});

test('a near miss is named, and needle, place and difference are attached', async ({}, info) => {
  const greyed = desktop(BUTTON);
  for (let at = 0; at < greyed.data.length; at += 4)
    for (let channel = 0; channel < 3; channel++)
      greyed.data[at + channel] = Math.round(greyed.data[at + channel]! * 0.6 + 244 * 0.4);
  const failure = find([desktop(), greyed]);
  await expect(failure).rejects.toMatchObject({ code: 'NEEDLE_NOT_FOUND' });
  await expect(failure).rejects.toThrow(/within 1000 ms[^]*most alike: 128x40 at 296,236, score 0\.[0-7]/);
  const pictures = info.attachments.slice(-3);
  expect(pictures.map(({ name }) => name)).toEqual([
    'continue-expected.png',
    'continue-actual.png',
    'continue-diff.png',
  ]);
  const [expected, actual] = await Promise.all(pictures.map(({ body, name }) => decodeImage(body!, name)));
  expect(Buffer.from(expected!.data).equals(crop(desktop(BUTTON), BUTTON).data)).toBe(true);
  expect(Buffer.from(actual!.data).equals(crop(greyed, BUTTON).data)).toBe(true);
});

test('SE14: a score that is enough with a dot too much is no match, and the error has the score and the reason', async () => {
  const dotted = desktop(BUTTON);
  for (const y of [250, 251]) dotted.data.set([32, 36, 40], (y * SIZE.width + 400) * 4);
  await expect(find([dotted])).rejects.toThrow(
    /most alike: 128x40 at 296,236, score 0\.9\d\d; in it something came, went or moved, within 1x2 at 104,14: .*ΔE00/,
  );
});

test('a needle that is not there is an error with its path', async () => {
  const screen = Object.assign(new ScriptedScreen([desktop()]), { timeoutScale: 1 });
  const readPart = (): Promise<never> => Promise.reject(new Error('nothing is read'));
  const finder = imageFinder({ screen, readPart }, 'gone.png', {});
  const missing = targetOf(finder).resolve(screen as unknown as VncPage, {});
  await expect(missing).rejects.toThrow(join('tests', 'needle', 'needles', 'gone.png'));
  await expect(missing).rejects.toMatchObject({ code: 'NEEDLE_MISSING' });
});
