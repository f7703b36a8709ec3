import { stripVTControlCharacters } from 'node:util';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, expect, test } from '@playwright/test';
import type { JSONReport, JSONReportSuite, JSONReportTestResult } from '@playwright/test/reporter';
import sharp from 'sharp';
import { crop, encodePng, type Frame } from '../../fixtures/image/frame.ts';
import { requirePeer } from '../support/peers.ts';
import { ROOT, runPlaywright, type RunnerResult, writeProject } from '../support/runner.ts';
import { CLOCK, desktop, moved } from './support/desktop.ts';
import { draw } from './support/screen.ts';

const BASELINES = '__screenshots__/host/smoke.spec.ts';

const config = (extra = ''): string => `
import { defineConfig } from '@playwright/test';
export default defineConfig({
  outputDir: 'test-results/artifacts',
  snapshotPathTemplate: '{testDir}/__screenshots__/{projectName}/{testFilePath}/{arg}{ext}',
  reporter: [['json', { outputFile: 'report.json' }], ['html', { outputFolder: 'html', open: 'never' }]],
  expect: { timeout: 2000 },
  projects: [{ name: 'host' }],
  ${extra}
});`;

const spec = (body: string): string => `
import { expect as base, test } from '@playwright/test';
import { screenHasScreenshot } from ${JSON.stringify(`${ROOT}/fixtures/matchers/to-have-screenshot.ts`)};
import { BADGE, CLOCK, desktop, moved } from ${JSON.stringify(`${ROOT}/tests/matchers/support/desktop.ts`)};
import { draw, ScriptedScreen } from ${JSON.stringify(`${ROOT}/tests/matchers/support/screen.ts`)};
const expect = base.extend({
  toHaveScreenshot(screen, name, options) { return screenHasScreenshot(this, screen, name, options); },
});
const shows = (...pictures) => new ScriptedScreen(pictures);
${body}`;

interface Run extends RunnerResult {
  /** Results of each test by its title, one a try. */
  readonly results: ReadonlyMap<string, readonly JSONReportTestResult[]>;
}

/** A project with one spec and baselines by name. */
async function project(
  body: string,
  baselines: Readonly<Record<string, Frame>> = {},
  extra = '',
): Promise<string> {
  const folder = test.info().outputPath('project');
  writeProject(folder, { 'playwright.config.ts': config(extra), 'smoke.spec.ts': spec(body) });
  for (const [name, frame] of Object.entries(baselines)) {
    mkdirSync(dirname(join(folder, BASELINES, name)), { recursive: true });
    writeFileSync(join(folder, BASELINES, name), await storedOtherwise(frame));
  }
  return folder;
}

/** A PNG of the same pixels but other bytes than vmwright writes, so that a rewritten file shows. */
async function storedOtherwise({ width, height, data }: Frame): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

async function run(folder: string, args: string[] = [], env: Record<string, string> = {}): Promise<Run> {
  const result = await runPlaywright(folder, ['test', ...args], { env });
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as JSONReport;
  const specsOf = ({ specs, suites = [] }: JSONReportSuite): JSONReportSuite['specs'] => [
    ...specs,
    ...suites.flatMap(specsOf),
  ];
  const results = new Map(
    report.suites.flatMap(specsOf).map(({ title, tests }) => [title, tests.flatMap((one) => one.results)]),
  );
  return { ...result, results };
}

function outcomes({ results }: Run): Record<string, string> {
  return Object.fromEntries(
    [...results].map(([title, tries]) => [title, tries.map(({ status }) => status).join()]),
  );
}

function messageOf({ results }: Run, title: string): string {
  const errors = results.get(title)?.[0]?.errors ?? [];
  return stripVTControlCharacters(errors.map(({ message }) => message).join('\n'));
}

function picturesOf({ results }: Run, title: string): { name: string; path: string }[] {
  return (results.get(title)?.[0]?.attachments ?? [])
    .filter(({ contentType }) => contentType === 'image/png')
    .map(({ name, path = '' }) => ({ name, path }));
}

const THREE = `
test('missing', () => expect(shows(desktop())).toHaveScreenshot('missing.png'));
test('same', () => expect(shows(desktop())).toHaveScreenshot('same.png'));
test('other', () => expect(shows(moved())).toHaveScreenshot('other.png'));`;

const MODES = {
  all: { missing: 'written passed', same: 'rewritten passed', other: 'rewritten passed' },
  changed: { missing: 'written passed', same: 'kept passed', other: 'rewritten passed' },
  missing: { missing: 'written passed', same: 'kept passed', other: 'kept failed' },
  none: { missing: 'absent failed', same: 'kept passed', other: 'kept failed' },
  default: { missing: 'written failed', same: 'kept passed', other: 'kept failed' },
};

for (const [mode, wanted] of Object.entries(MODES)) {
  test(`VE5: updateSnapshots ${mode}: ${Object.entries(wanted)
    .map((entry) => entry.join(' '))
    .join(', ')}`, async () => {
    const baselines = { 'same.png': desktop(), 'other.png': desktop() };
    const folder = await project(THREE, baselines, `updateSnapshots: '${mode}',`);
    const result = await run(folder);
    const seen: Record<string, string> = {};
    for (const [title, status] of Object.entries(outcomes(result))) {
      const file = join(folder, BASELINES, `${title}.png`);
      const before = title === 'missing' ? undefined : await storedOtherwise(desktop());
      const after = existsSync(file) ? readFileSync(file) : undefined;
      const isKept = after !== undefined && before?.equals(after) === true;
      const change =
        after === undefined ? 'absent' : before === undefined ? 'written' : isKept ? 'kept' : 'rewritten';
      seen[title] = `${change} ${status}`;
      if (change.endsWith('written'))
        expect(after!.equals(await encodePng(title === 'other' ? moved() : desktop()))).toBe(true);
    }
    expect(seen).toEqual(wanted);
    expect(result.exitCode).toBe(Object.values(wanted).some((text) => text.endsWith('failed')) ? 1 : 0);
  });
}

test('LK8: a name that leads out of the folder of baselines is refused, and nothing is written anywhere', async () => {
  const names = [
    ['..', '..', 'x.png'],
    ['a', '..', '..', '..', 'x.png'],
    ['../../x.png'],
    ['..\\..\\x.png'],
    ['/tmp/vmwright-lk8/x.png'],
    ['C:\\x.png'],
  ];
  const tests = names.map(
    (name, index) =>
      `test('name ${index}', () => expect(shows(desktop())).toHaveScreenshot(${JSON.stringify(name)}));`,
  );
  const inside = `test('inside', () => expect(shows(desktop())).toHaveScreenshot(['dialogs', 'save..png']));`;
  const folder = await project([...tests, inside].join('\n'));
  const result = await run(folder, ['--update-snapshots']);
  for (const index of names.keys())
    expect(messageOf(result, `name ${index}`)).toContain('[SCREENSHOT_NAME_INVALID]');
  expect(outcomes(result)).toMatchObject({ inside: 'passed' });
  const written = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('x.png'),
  );
  expect(written).toEqual([]);
  expect(existsSync('/tmp/vmwright-lk8')).toBe(false);
  expect(existsSync(join(folder, BASELINES, 'dialogs'))).toBe(true);
});

test('a missing baseline is written once, fails without a second try, and serves the next run', async () => {
  const folder = await project(
    `test('login', () => expect(shows(desktop())).toHaveScreenshot('login.png'));`,
  );
  const first = await run(folder, ['--retries=2']);
  const file = join(folder, BASELINES, 'login.png');
  expect(first.exitCode).toBe(1);
  expect(outcomes(first)).toEqual({ login: 'failed' });
  expect(messageOf(first, 'login')).toContain(`A snapshot doesn't exist at ${file}`);
  expect(messageOf(first, 'login')).toContain('writing actual');
  expect(picturesOf(first, 'login').map(({ name }) => name)).toEqual(['login-actual.png']);
  expect(outcomes(await run(folder))).toEqual({ login: 'passed' });
});

test('P-M29: where updates are off, a missing baseline fails with its path and no file is written', async () => {
  const folder = await project(`
test('plain', () => expect(shows(desktop())).toHaveScreenshot('login.png'));
test('negated', () => expect(shows(desktop())).not.toHaveScreenshot('login.png'));`);
  const result = await run(folder, ['--update-snapshots=none']);
  expect(result.exitCode).toBe(1);
  for (const title of ['plain', 'negated']) {
    expect(outcomes(result)).toHaveProperty(title, 'failed');
    expect(messageOf(result, title)).toContain(`doesn't exist at ${join(folder, BASELINES, 'login.png')}`);
  }
  expect(existsSync(join(folder, '__screenshots__'))).toBe(false);
});

test('P-M29: each call has its own threshold, and .not never writes a baseline', async () => {
  const folder = await project(
    `
const noisy = () => { const { width, height, data } = desktop(); return { width, height, data: data.map((value, at) => (at % 97 === 0 ? value ^ 24 : value)) }; };
test('dynamic', () => expect(shows(noisy())).toHaveScreenshot('login.png', { minSsim: 0.1, minLocalSsim: -1 }));
test('stable', () => expect(shows(noisy())).toHaveScreenshot('login.png', { minSsim: 0.9999 }));
test('new', () => expect(shows(desktop())).not.toHaveScreenshot('new.png'));`,
    { 'login.png': desktop() },
  );
  const result = await run(folder, ['--update-snapshots=missing']);
  expect(outcomes(result)).toEqual({ dynamic: 'passed', stable: 'failed', new: 'failed' });
  expect(messageOf(result, 'stable')).toContain('below minSsim 0.9999');
  expect(existsSync(join(folder, BASELINES, 'new.png'))).toBe(false);
});

test('what the options let pass, and what they do not', async () => {
  const folder = await project(
    `
const later = desktop({ clock: '23:59' });
const badge = desktop({ badge: '#d1242f' });
const area = { x: 40, y: 60, width: 300, height: 100 };
const shot = (picture, options, name = 'desktop.png') => expect(shows(picture)).toHaveScreenshot(name, options);
const pixels = { comparator: 'pixelmatch' };
test('ssim: equal passes', () => shot(desktop()));
test('ssim: clock fails', () => shot(later));
test('ssim: red badge fails', () => shot(badge));
test('mask: clock passes', () => shot(later, { mask: [CLOCK] }));
test('mask: beside fails', () => shot(badge, { mask: [CLOCK] }));
test('mask: pixelmatch passes', () => shot(later, { ...pixels, mask: [CLOCK] }));
test('clip: without the change passes', () => shot(later, { clip: area }, 'area.png'));
test('clip: with the change fails', () => shot(later, { clip: { ...CLOCK } }, 'clock.png'));
test('clip and mask: both count from the corner of the screen passes', () =>
  shot(later, { clip: CLOCK, mask: [{ ...CLOCK, width: 58 }] }, 'clock.png'));
test('clip: off the screen fails', () => shot(desktop(), { clip: { x: 470, y: 0, width: 20, height: 20 } }));
test('pixelmatch: 100 of 100 passes', () => shot(badge, { ...pixels, maxDiffPixels: 100 }));
test('pixelmatch: 100 of 99 fails', () => shot(badge, { ...pixels, maxDiffPixels: 99 }));
test('pixelmatch: smaller ratio counts fails', () => shot(badge, { ...pixels, maxDiffPixels: 100, maxDiffPixelRatio: 0.0001 }));
test('maxDiffPixels: without pixelmatch fails', () => shot(desktop(), { maxDiffPixels: 100 }));
test('caret: fails', () => shot(desktop(), { caret: 'hide' }));
test('animations: fails', () => shot(desktop(), { animations: 'disabled' }));
test('size: fails', () => shot(desktop(), {}, 'area.png'));
test('baseline is no picture: fails', () => shot(desktop(), {}, 'broken.png'));
test('waits: wrong, wrong, right passes', async () => {
  const screen = shows(moved(), later, desktop());
  await expect(screen).toHaveScreenshot('desktop.png');
  base(screen.looks).toBe(3);
});
test('.not: other passes', () => expect(shows(moved())).not.toHaveScreenshot('desktop.png'));
test('.not: waits for another passes', () => expect(shows(desktop(), moved())).not.toHaveScreenshot('desktop.png'));
test('.not: equal fails', () => expect(shows(desktop())).not.toHaveScreenshot('desktop.png'));
test('soft: goes on and fails', async () => {
  await expect.soft(shows(moved())).toHaveScreenshot('desktop.png');
  await expect.soft(shows(later)).toHaveScreenshot('desktop.png');
  await expect.soft(shows(moved())).toHaveScreenshot(['sub', 'desktop.png']);
  test.info().annotations.push({ type: 'reached' });
});`,
    {
      'desktop.png': desktop(),
      'sub/desktop.png': desktop(),
      'area.png': crop(desktop(), { x: 40, y: 60, width: 300, height: 100 }),
      'clock.png': crop(desktop(), CLOCK),
    },
  );
  writeFileSync(join(folder, BASELINES, 'broken.png'), 'not a picture');
  const result = await run(folder);
  const promised = [...result.results.keys()].map((title) => [
    title,
    title.endsWith(' passes') ? 'passed' : 'failed',
  ]);
  expect(outcomes(result)).toEqual(Object.fromEntries(promised));
  expect(result.results.size).toBe(23);

  expect(messageOf(result, 'ssim: red badge fails')).toContain('they differ within 10x10 at 200,200');
  expect(messageOf(result, 'clip: off the screen fails')).toContain('[CLIP_OUTSIDE_SCREEN]');
  expect(messageOf(result, 'pixelmatch: 100 of 99 fails')).toContain('100 pixels differ');
  expect(messageOf(result, 'pixelmatch: smaller ratio counts fails')).toContain('15 are allowed');
  expect(messageOf(result, 'maxDiffPixels: without pixelmatch fails')).toContain(
    'maxDiffPixels, which ssim does not use',
  );
  expect(messageOf(result, 'caret: fails')).toMatch(
    /SCREENSHOT_OPTION_INVALID[^]*mask the text field instead/,
  );
  expect(messageOf(result, 'animations: fails')).toMatch(/SCREENSHOT_OPTION_INVALID[^]*waitForStill/);
  expect(messageOf(result, 'size: fails')).toContain('the baseline is 300x100, the screen is 480x320');
  expect(messageOf(result, 'baseline is no picture: fails')).toContain('[IMAGE_UNREADABLE]');
  expect(messageOf(result, '.not: equal fails')).toContain('not.toHaveScreenshot("desktop.png")');
  expect(messageOf(result, '.not: equal fails')).toContain('still looks like it: SSIM 1.0000');

  const soft = picturesOf(result, 'soft: goes on and fails');
  expect(soft.map(({ name }) => name)).toEqual(
    ['desktop', 'desktop-1', 'desktop-2'].flatMap((stem) =>
      ['expected', 'actual', 'diff'].map((kind) => `${stem}-${kind}.png`),
    ),
  );
  const [first, second] = ['desktop-actual.png', 'desktop-1-actual.png'].map((name) =>
    readFileSync(soft.find((one) => one.name === name)!.path),
  );
  expect(first!.equals(await encodePng(moved()))).toBe(true);
  expect(second!.equals(await encodePng(desktop({ clock: '23:59' })))).toBe(true);
});

test('a screen that never stands still is no baseline', async () => {
  const folder = await project(`
test('restless', () => expect(new ScriptedScreen([desktop(), moved()], { loop: true }))
  .toHaveScreenshot('restless.png', { timeout: 150 }));
test('settles', () => expect(shows(moved(), moved(), desktop())).toHaveScreenshot('settles.png'));`);
  const result = await run(folder, ['--update-snapshots=all']);
  expect(outcomes(result)).toEqual({ restless: 'failed', settles: 'passed' });
  expect(messageOf(result, 'restless')).toContain('never stood still');
  expect(picturesOf(result, 'restless').map(({ name }) => name)).toEqual([
    'restless-previous.png',
    'restless-actual.png',
  ]);
  expect(existsSync(join(folder, BASELINES, 'restless.png'))).toBe(false);
  const written = readFileSync(join(folder, BASELINES, 'settles.png'));
  expect(written.equals(await encodePng(desktop()))).toBe(true);
});

test('without a name the title serves, numbered, however long; ignoreSnapshots looks at nothing', async () => {
  const title = 'The "sign in" screen: '.padEnd(400, 'so long ');
  const body = `
test(${JSON.stringify(title)}, async () => {
  await expect(shows(desktop())).toHaveScreenshot();
  await expect(shows(moved())).toHaveScreenshot({ timeout: 1000 });
});`;
  const folder = await project(body);
  expect((await run(folder, ['--update-snapshots=missing'])).exitCode).toBe(0);
  const files = readdirSync(join(folder, BASELINES)).toSorted();
  expect(files).toEqual([
    expect.stringMatching(/^The-sign-in-screen-so-long-.*-[0-9a-f]{8}-1\.png$/),
    expect.stringMatching(/^The-sign-in-screen-so-long-.*-[0-9a-f]{8}-2\.png$/),
  ]);
  expect((await run(folder)).exitCode).toBe(0);
  writeFileSync(join(folder, BASELINES, files[0]!), await encodePng(moved()));
  expect((await run(folder)).exitCode).toBe(1);
  expect((await run(folder, ['--ignore-snapshots'])).exitCode).toBe(0);
});

const REWRITE = ['--update-snapshots=all', '--workers=1'];

test('M54: a baseline that two places rewrite with different pictures is an error that names both; the first stays', async () => {
  const folder = await project(
    `
test('one', () => expect(shows(desktop())).toHaveScreenshot('shared.png'));
test('two', () => expect(shows(moved())).toHaveScreenshot('shared.png'));
test('three', async () => {
  await expect(shows(desktop())).toHaveScreenshot('own.png');
  await expect(shows(moved())).toHaveScreenshot('own.png');
});`,
    { 'shared.png': moved(), 'own.png': moved() },
  );
  const lineOf = (text: string): number =>
    readFileSync(join(folder, 'smoke.spec.ts'), 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1;
  for (const mode of ['all', 'changed']) {
    for (const name of ['shared.png', 'own.png'])
      writeFileSync(join(folder, BASELINES, name), await encodePng(draw({ width: 480, height: 320 }, [])));
    const both = await run(folder, [`--update-snapshots=${mode}`, '--workers=1']);
    expect(outcomes(both)).toEqual({ one: 'passed', two: 'failed', three: 'failed' });
    expect(messageOf(both, 'two')).toContain('BASELINE_DUPLICATE');
    for (const title of ['one', 'two'])
      expect(messageOf(both, 'two')).toContain(
        `smoke.spec.ts:${lineOf(`test('${title}'`)} (host › smoke.spec.ts › ${title})`,
      );
    for (const part of ['desktop()', 'moved()'])
      expect(messageOf(both, 'three')).toContain(
        `smoke.spec.ts:${lineOf(`(shows(${part})).toHaveScreenshot('own`)} (`,
      );
    for (const name of ['shared.png', 'own.png'])
      expect(
        await sharp(join(folder, BASELINES, name))
          .raw()
          .toBuffer(),
      ).toEqual(
        await sharp(await encodePng(desktop()))
          .raw()
          .toBuffer(),
      );
  }
});

test('one picture at two places, a retry and a repetition are no duplicates', async () => {
  const folder = await project(
    `
import { existsSync, writeFileSync } from 'node:fs';
test('twice', async () => {
  await expect(shows(desktop())).toHaveScreenshot('one.png');
  await expect(shows(desktop())).toHaveScreenshot('one.png');
});
test('elsewhere', () => expect(shows(desktop())).toHaveScreenshot('one.png'));
test('again', async ({}, info) => {
  await expect(shows(info.retry === 0 ? desktop() : moved())).toHaveScreenshot('again.png');
  if (info.retry === 0) throw new Error('once more');
});`,
    { 'one.png': moved() },
    'retries: 1,',
  );
  expect(outcomes(await run(folder, REWRITE))).toEqual({
    twice: 'passed',
    elsewhere: 'passed',
    again: 'failed,passed',
  });
  expect((await run(folder, [...REWRITE, '--grep', 'twice', '--repeat-each=2'])).exitCode).toBe(0);
});

test.describe('a moved button', () => {
  const body = `test('moved', () => expect(shows(moved())).toHaveScreenshot('login.png'));`;

  test('M43: fails below 0.95 and attaches expected, actual and diff side by side', async () => {
    const folder = await project(body, { 'login.png': desktop() });
    const result = await run(folder);
    expect(result.exitCode).toBe(1);
    const pictures = picturesOf(result, 'moved');
    expect(pictures.map(({ name }) => name)).toEqual([
      'login-expected.png',
      'login-actual.png',
      'login-diff.png',
    ]);
    expect(new Set(pictures.map(({ path }) => dirname(path))).size).toBe(1);
    expect(pictures.map(({ path }) => basename(path))).toEqual(pictures.map(({ name }) => name));
    const [expected, actual, diff] = pictures.map(({ path }) => readFileSync(path));
    expect(expected!.equals(readFileSync(join(folder, BASELINES, 'login.png')))).toBe(true);
    expect(actual!.equals(await encodePng(moved()))).toBe(true);
    expect(await sharp(diff).metadata()).toMatchObject({ format: 'png', width: 480, height: 320 });
    const [first = '', ...rest] = messageOf(result, 'moved').split('\n');
    expect(first).toContain('toHaveScreenshot("login.png")');
    expect(rest.join('\n')).toMatch(
      /SSIM is 0\.\d{4}, below minSsim 0\.95; they differ within \d+x\d+ at 60,200/,
    );
    expect(rest.join('\n')).toMatch(
      /^Baseline: [^]*^Actual: [^]*^Diff: [^]*^Timeout: {2}\d+ms\n\nCall log:\n.*\n.*\n {2}- \d+\.\d\d s: 2 changes/m,
    );
    for (const { path } of pictures)
      expect(rest.join('\n')).toContain(path.slice(path.lastIndexOf('test-results')));
  });

  test('the HTML report shows it with the slider of image comparisons', async () => {
    const executablePath = requirePeer(test, 'chromium');
    const folder = await project(body, { 'login.png': desktop() });
    await run(folder);
    const browser = await chromium.launch({ executablePath });
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
      await page.goto(pathToFileURL(join(folder, 'html/index.html')).href);
      await page.getByRole('link', { name: 'moved' }).click();
      const besideErrorAndBelow = page.getByTestId('test-result-image-mismatch');
      await expect(besideErrorAndBelow).toHaveCount(2);
      const mismatch = besideErrorAndBelow.first();
      await mismatch.getByText('Slider', { exact: true }).click();
      const pictures = mismatch.locator('img');
      await expect(pictures).toHaveCount(2);
      for (const picture of await pictures.all()) {
        await expect(picture).toBeVisible();
        await expect(picture).toHaveJSProperty('naturalWidth', 480);
      }
      await mismatch.scrollIntoViewIfNeeded();
      await page.screenshot({ path: test.info().outputPath('slider.png'), fullPage: true });
      for (const tab of ['Diff', 'Actual', 'Expected', 'Side by side'])
        await expect(mismatch.getByText(tab, { exact: true }).first()).toBeVisible();
    } finally {
      await browser.close();
    }
  });
});
