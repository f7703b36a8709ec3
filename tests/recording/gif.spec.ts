import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type TestInfo } from '@playwright/test';
import sharp from 'sharp';
import { Secret } from '../../fixtures/secrets/index.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import { type GifCaption, writeGif } from '../../fixtures/recording/gif.ts';
import { type SpoolLimits, Spool, type StoredFrame } from '../../fixtures/recording/spool.ts';
import { stepsOf } from '../../fixtures/recording/steps.ts';
import { createScreenReader, type TextLine } from '../../fixtures/vision/index.ts';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';

/** Rows below the picture. */
const BAR = 52;
const NOON = Date.UTC(2026, 0, 2, 12, 34, 56, 700);
const SIZE = { width: 800, height: 100 };

type Recorded = Partial<Pick<StoredFrame, 'at' | 'pointer' | 'step'>>;

interface Recording {
  readonly frames: readonly Recorded[];
  readonly caption?: Partial<GifCaption>;
  readonly size?: { readonly width: number; readonly height: number };
  readonly limits?: SpoolLimits;
}

/** A GIF of grey pictures, each with one more white column. */
async function gifOf(info: TestInfo, { frames, caption = {}, size = SIZE, limits }: Recording) {
  const { width, height } = size;
  const spool = new Spool(info.outputPath('frames'), limits);
  const data = new Uint8Array(width * height * 4).fill(128);
  for (const [index, { step = [], at = NOON + index * 1000, pointer }] of frames.entries()) {
    for (let pixel = index; pixel < width * height; pixel += width) data.fill(255, pixel * 4, pixel * 4 + 4);
    const rect = { x: index, y: 0, width: 1, height };
    await spool.add({ width, height, data: data.slice() }, [rect], { at, pointer, step });
  }
  const path = info.outputPath('a.gif');
  const words = { machine: 'fedora42', test: 'a test', end: undefined };
  const shown = await writeGif(path, spool, { ...words, ...caption });
  return { path, shown, spool };
}

/** The bars below the pictures, or the pictures alone. */
async function pagesOf(path: string, part: 'bar' | 'picture'): Promise<Frame[]> {
  const image = sharp(path, { animated: true });
  const { pages = 1, width, height, pageHeight = height } = await image.metadata();
  const data = await image.ensureAlpha().raw().toBuffer();
  const [top, rows] = part === 'bar' ? [pageHeight - BAR, BAR] : [0, pageHeight - BAR];
  return Array.from({ length: pages }, (_, page) => {
    const from = (page * pageHeight + top) * width * 4;
    return { width, height: rows, data: new Uint8Array(data.subarray(from, from + rows * width * 4)) };
  });
}

/** What the bars say, from their pixels. */
async function readBars(path: string): Promise<string[]> {
  const reader = createScreenReader();
  const texts: string[] = [];
  for (const { width, height, data } of await pagesOf(path, 'bar')) {
    const [wide, high] = [width * 2, height * 2];
    const raw = { width, height, channels: 4 as const };
    const enlarged = new Uint8Array(await sharp(data, { raw }).resize(wide, high).raw().toBuffer());
    const { lines } = await reader.read({ width: wide, height: high, data: enlarged });
    const lower = ({ box }: TextLine): number => Number(box.y > high / 2);
    const inOrder = lines.toSorted((a, b) => lower(a) - lower(b) || a.box.x - b.box.x);
    texts.push(inOrder.map(({ text }) => text).join(' | '));
  }
  return texts;
}

/** The rows of one line of the bar; the upper one has the step. */
function lineOf({ width, data }: Frame, line: 'step' | 'clock'): Buffer {
  const bytes = Buffer.from(data);
  const middle = (BAR / 2) * width * 4;
  return line === 'step' ? bytes.subarray(0, middle) : bytes.subarray(middle);
}

test('M61: each picture of the GIF tells its step, the time and the test', async ({}, info) => {
  const steps = [['start the application'], ['log in'], ['log in', 'type the name'], ['log in']];
  const { path, shown } = await gifOf(info, { frames: steps.map((step) => ({ step })) });
  expect(shown).toBe(4);
  const bars = await readBars(path);
  expect(bars).toEqual([
    expect.stringMatching(/^start the application \| 12:34:56\.7 ?UTC \| fedora42: a test$/),
    expect.stringMatching(/^log in \| 12:34:57\.7 ?UTC/),
    expect.stringMatching(/^log in.{1,3}type the name \| 12:34:58\.7 ?UTC/),
    expect.stringMatching(/^log in \| 12:34:59\.7 ?UTC/),
  ]);
  const pages = await pagesOf(path, 'bar');
  const [start, outer, inner, again] = pages.map((page) => lineOf(page, 'step').toString('base64'));
  expect(new Set([start, outer, inner]).size).toBe(3);
  expect(again).toBe(outer);
  expect(new Set(pages.map((page) => lineOf(page, 'clock').toString('base64'))).size).toBe(4);
});

test('a test that failed: the last picture once more, with the step and when it was over', async ({}, info) => {
  const end = { at: NOON + 9000, failed: ['look', 'Expect "toShowText"'] };
  const { path, shown } = await gifOf(info, {
    frames: [{ step: ['log in'] }, { step: ['look'] }],
    caption: { end },
  });
  expect(shown).toBe(2);
  const bars = await readBars(path);
  expect(bars).toHaveLength(3);
  expect(bars[1]).toMatch(/^look \| 12:34:57\.7/);
  expect(bars[2]).toMatch(/^Failed: look.{1,3}Expect "toShowText" \| 12:35:05\.7/i);
  const pictures = await pagesOf(path, 'picture');
  expect(Buffer.compare(pictures[2]!.data, pictures[1]!.data)).toBe(0);
  expect(Buffer.compare(pictures[1]!.data, pictures[0]!.data)).not.toBe(0);
});

test('a long path keeps its innermost step, a long title its beginning, both end inside the picture', async ({}, info) => {
  const deep = [...Array.from({ length: 12 }, (_, n) => `outer step number ${n}`), 'press the button'];
  const { path } = await gifOf(info, {
    frames: [{ step: deep }, { step: ['word '.repeat(100)] }],
    caption: { test: 'a title '.repeat(100) },
    size: { width: 400, height: 60 },
  });
  const [first = '', second = ''] = await readBars(path);
  expect(first).toMatch(/press the button \| .*fedora42: a title/);
  expect(first).not.toContain('number 0');
  expect(second).toMatch(/^word word/);
  for (const { width, height, data } of await pagesOf(path, 'bar')) {
    for (let y = 0; y < height; y++) {
      const edge = Buffer.from(data.subarray((y * width + width - 9) * 4, (y + 1) * width * 4));
      expect(new Set(Array.from({ length: 9 }, (_, n) => edge.readUInt32LE(n * 4))).size).toBe(1);
    }
  }
});

test('letters of other scripts are drawn; what the font lacks is a box, not nothing', async ({}, info) => {
  const titles = ['', 'Grüße', 'привет', 'žluťoučký', 'ελλάδα', '日本'];
  const { path } = await gifOf(info, { frames: titles.map((title) => ({ step: [title] })) });
  const lines = (await pagesOf(path, 'bar')).map((page) => lineOf(page, 'step').toString('base64'));
  expect(new Set(lines).size).toBe(titles.length);
});

test('the pointer and a pressed button are in the picture at their place', async ({}, info) => {
  const at = (buttons: number) => ({ pointer: { x: 400, y: 40, buttons } });
  const { path } = await gifOf(info, { frames: [{}, at(0), at(1)] });
  const [without, moved, pressed] = await pagesOf(path, 'picture');
  const near = ({ data }: Frame) =>
    Array.from({ length: 20 }, (_, y) => [
      ...data.subarray(((35 + y) * 800 + 395) * 4, ((35 + y) * 800 + 415) * 4),
    ]).flat();
  const far = ({ data }: Frame) => [...data.subarray((10 * 800 + 600) * 4, (10 * 800 + 700) * 4)];
  expect(near(moved!)).not.toEqual(near(without!));
  expect(near(pressed!)).not.toEqual(near(moved!));
  expect([far(moved!), far(pressed!)]).toEqual([far(without!), far(without!)]);
});

test('a long recording: the GIF is thinned out to its bound, the disk keeps its own', async ({}, info) => {
  const frames = Array.from({ length: 240 }, (_, n) => ({ step: [`step ${n}`] }));
  const limits = { frames: 200, bytes: 1 << 20 };
  const { path, shown, spool } = await gifOf(info, { frames, limits });
  const { kept, dropped } = spool.counts;
  expect(kept).toBeLessThanOrEqual(200);
  expect(kept + dropped).toBe(240);
  expect(spool.bytes).toBeLessThanOrEqual(limits.bytes);
  const onDisk = readdirSync(info.outputPath('frames')).map(
    (name) => statSync(info.outputPath('frames', name)).size,
  );
  expect(onDisk.reduce((sum, size) => sum + size, 0)).toBe(spool.bytes);
  expect(shown).toBe(100);
  expect((await sharp(path, { animated: true }).metadata()).pages).toBe(100);
  await spool.remove();
});

test('where the steps of a test cannot be seen there are none', () => {
  expect(stepsOf({})).toBeUndefined();
  expect(stepsOf({ _steps: 3 })).toBeUndefined();
  const odd = stepsOf({
    _steps: [undefined, { title: 3 }, { title: 'a', category: 'test.step', steps: 'none' }],
  });
  expect(odd?.now()).toEqual(['a']);
});

test('M61: the real runner: captions of its steps and of the one that failed, no secret in them', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  const secret = new Secret('GIF_PASSWORD', 'open-sesame-77');
  const run = await runOnLab(lab, info.outputPath('p'), {
    env: { GIF_PASSWORD: secret.reveal() },
    spec: `
test.use({ recording: { mode: 'on', formats: ['gif'] } });
test('films', async ({ vncPage }) => {
  const password = secret('GIF_PASSWORD').reveal();
  const go = (x, y) => vncPage.mouse.move(x, y, { motion: 'linear' });
  await test.step('to the left', async () => { for (const x of [100, 700, 100, 700, 100]) await go(x, 300); });
  await test.step('outside', () => test.step('to the right with ' + password, async () => { for (const x of [900, 200, 900, 200, 900]) await go(x, 300); }));
  await test.step('to the end', () => expect(vncPage).toShowText('Never here', { timeout: 300 }));
});`,
  });
  await lab.stop();
  expect(run.output).toContain('1 failed');
  const artifacts = info.outputPath('p/test-results/artifacts');
  const files = readdirSync(artifacts, { recursive: true, encoding: 'utf8' });
  expect(files.filter((name) => name.endsWith('film.html'))).toEqual([]);
  const gif = files.find((name) => name.endsWith('recording.gif')) ?? '';
  const bars = await readBars(join(artifacts, gif));
  expect(bars).toContainEqual(
    expect.stringMatching(/^to the left.{1,3}Move the pointer to 700, 300 \| .*UTC \| fedora42: films/),
  );
  expect(bars).toContainEqual(
    expect.stringMatching(
      /^outside.{1,3}to the right with \{GIF_PASSWORD\}.{1,3}Move the pointer to 900, 300 \|/,
    ),
  );
  expect(bars.at(-1)).toMatch(/^Failed: to the end.{1,3}Expect "toShowText" \|/i);
  expect(bars.join()).not.toContain('sesame');
  rmSync(artifacts, { recursive: true });
});
