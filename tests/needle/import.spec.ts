/** `vmwright needle import` on a folder in openQA's format that is made here. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import sharp from 'sharp';
import { importNeedles } from '../../cli/needle-import.ts';
import { encodePng } from '../../fixtures/image/frame.ts';
import { findNeedle } from '../../fixtures/vision/index.ts';
import { decodeNeedle } from '../../fixtures/vision/needle/needle.ts';
import { draw } from '../matchers/support/screen.ts';

const SCREEN = draw(
  { width: 640, height: 400 },
  [
    { text: 'Install system', x: 60, y: 60, size: 20 },
    { text: 'Version 15.6', x: 60, y: 200, size: 20 },
    { text: 'Next', x: 70, y: 330, size: 20 },
    { text: 'Next', x: 370, y: 330, size: 20 },
  ],
  [
    { x: 300, y: 40, width: 40, height: 40, colour: '#8fb6e8' },
    { x: 320, y: 60, width: 60, height: 10, colour: '#b03030' },
  ],
);
const area = (xpos: number, ypos: number, width: number, height: number, more: object = {}) => ({
  ...{ xpos, ypos, width, height, type: 'match' },
  ...more,
});

async function imported(
  needles: Readonly<Record<string, unknown>>,
): Promise<{ code: number; out: string; said: string; told: string }> {
  const folder = test.info().outputPath('openqa');
  const out = test.info().outputPath('needles');
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(needles)) {
    writeFileSync(
      join(folder, `${name}.json`),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
    writeFileSync(join(folder, `${name}.png`), await encodePng(SCREEN));
  }
  let [said, told] = ['', ''];
  const streams = {
    stdout: { write: (text: string) => (said += text) },
    stderr: { write: (text: string) => (told += text) },
  };
  const code = await importNeedles(folder, { out }, streams);
  return { code, out, said, told };
}

test('AG5: areas become pictures, exclusions transparent, click points positions, OCR areas toShowText; getByText where it is sure', async () => {
  const { code, out, said, told } = await imported({
    installer: {
      tags: ['installer', 'ENV-DISTRI-opensuse'],
      area: [
        area(50, 36, 160, 34),
        area(290, 30, 100, 60, { click_point: { xpos: 12, ypos: 30 }, match: 96, margin: 50 }),
        area(320, 60, 60, 10, { type: 'exclude' }),
        area(50, 176, 180, 34, { type: 'ocr', refstr: "Version '15.6'" }),
      ],
    },
    next: { area: [area(60, 306, 80, 34, { click_point: 'center' })] },
  });
  expect(told).toMatch(/^next\.png: it is on this screen 2 times[^\n]*\n$/);
  expect(code).toBe(0);
  expect(readdirSync(out).sort()).toEqual(['installer-1.png', 'installer-2.png', 'next.png']);
  expect(said.split('\n')).toEqual([
    '// installer, tags installer, ENV-DISTRI-opensuse',
    "await vncPage.getByImage('installer-1.png').waitFor();",
    "// or by its text: await vncPage.getByText('Install system').waitFor();",
    "await vncPage.getByImage('installer-2.png').click({ position: { x: 12, y: 30 } });",
    `await expect(vncPage).toShowText("Version '15.6'", { clip: { x: 50, y: 176, width: 180, height: 34 } });`,
    '',
    '// next',
    // The text is there twice: no text is proposed.
    "await vncPage.getByImage('next.png').click();",
    '',
    expect.stringMatching(/^\/\/ 2 of 2 needles imported into /),
    '',
  ]);
  const [logo, text] = ['installer-2.png', 'installer-1.png'].map((name) => readFileSync(join(out, name)));
  const { data, info } = await sharp(logo).raw().toBuffer({ resolveWithObject: true });
  const alpha = (x: number, y: number): number | undefined => data[(y * info.width + x) * info.channels + 3];
  expect([info.width, info.height, alpha(12, 20), alpha(35, 35), alpha(95, 55)]).toEqual([
    100, 60, 255, 0, 255,
  ]);
  expect(findNeedle(SCREEN, await decodeNeedle(text ?? Buffer.alloc(0), 'text'), {})).toMatchObject([
    { box: { x: 50, y: 36, width: 160, height: 34 } },
  ]);
});

test('what cannot be imported is told, the others are, and no picture is replaced', async () => {
  const good = { area: [area(50, 36, 160, 34)] };
  const first = await imported({ good });
  writeFileSync(join(first.out, 'good.png'), 'mine');
  const { code, out, said, told } = await imported({
    good,
    broken: '{ "area": ',
    beyond: { area: [area(600, 36, 160, 34)] },
    wordless: { area: [area(50, 36, 160, 34, { type: 'ocr' })] },
    'of-another-type': { area: [area(50, 36, 160, 34, { type: 'sound' })] },
    other: good,
  });
  expect(code).toBe(1);
  expect(told.match(/\[NEEDLE_UNUSABLE\]/g)).toHaveLength(5);
  expect(readFileSync(join(out, 'good.png'), 'utf8')).toBe('mine');
  expect(existsSync(join(out, 'other.png'))).toBe(true);
  expect(said).toContain('1 of 6 needles imported');
  await expect(importNeedles(join(out, 'none'), { out })).rejects.toThrow(
    /FILE_UNREADABLE.*there is no needle/,
  );
});
