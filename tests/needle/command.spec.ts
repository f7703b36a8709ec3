import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { cropNeedle, type NeedleCommandOptions } from '../../cli/needle.ts';
import { encodePng } from '../../fixtures/image/frame.ts';
import { findNeedle } from '../../fixtures/vision/index.ts';
import { decodeNeedle } from '../../fixtures/vision/needle/needle.ts';
import { draw } from '../matchers/support/screen.ts';

const OK = { x: 100, y: 80, width: 100, height: 32 };
const form = (...places: readonly { x: number; y: number }[]) =>
  draw(
    { width: 400, height: 240 },
    [
      { text: 'Delete?', x: 20, y: 40, size: 20 },
      ...places.map(({ x, y }) => ({ text: 'OK', x: x + 40, y: y + 22 })),
    ],
    places.map(({ x, y }) => ({ x: x + 3, y: y + 3, width: 94, height: 26, colour: '#8fb6e8' })),
  );

async function run(
  frame: Parameters<typeof encodePng>[0],
  options: Partial<NeedleCommandOptions> = {},
): Promise<{ out: string; said: string; warned: string }> {
  mkdirSync(test.info().outputDir, { recursive: true });
  const file = test.info().outputPath('screen.png');
  writeFileSync(file, await encodePng(frame));
  const out = test.info().outputPath('needles/ok.png');
  let [said, warned] = ['', ''];
  await cropNeedle(
    file,
    { at: '100,80,100x32', out, ...options },
    { stdout: { write: (text) => (said += text) }, stderr: { write: (text) => (warned += text) } },
  );
  return { out, said, warned };
}

test('what was cropped is found where it was cropped; excluded parts may change', async () => {
  const { out, said, warned } = await run(form(OK), { exclude: ['136,84,30x24'] });
  expect(said).toBe(`${out}: 100x32 at 100,80\n`);
  expect(warned).toBe('');
  const needle = await decodeNeedle(readFileSync(out), 'ok.png');
  expect(needle.counts.filter((one) => one === 0)).toHaveLength(30 * 24);
  const other = draw(
    { width: 400, height: 240 },
    [{ text: 'No', x: 140, y: 102 }],
    [{ x: 103, y: 83, width: 94, height: 26, colour: '#8fb6e8' }],
  );
  expect(findNeedle(other, needle).map(({ box }) => box)).toEqual([OK]);
});

test('a picture that stands there twice is written with a warning', async () => {
  const { warned } = await run(form(OK, { x: 250, y: 160 }));
  expect(warned).toContain('2 times');
  expect(warned).toContain('100x32 at 100,80; 100x32 at 250,160');
});

test('a flat part, a place off the screen and a word that is no place are refused', async () => {
  await expect(run(form(OK), { at: '300,100,60x60' })).rejects.toMatchObject({ code: 'NEEDLE_UNUSABLE' });
  await expect(run(form(OK), { at: '390,100,60x60' })).rejects.toMatchObject({ code: 'CLIP_OUTSIDE_SCREEN' });
  await expect(run(form(OK), { at: 'here' })).rejects.toThrow(/\[NEEDLE_OPTION_INVALID\].*--at/);
  await expect(run(form(OK), { exclude: ['0,0,5x5'] })).rejects.toThrow(/--exclude/);
  await expect(run(form(OK), { machine: 'fedora42' })).rejects.toThrow(/not both/);
});
