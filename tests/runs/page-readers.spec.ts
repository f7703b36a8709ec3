/** The summary page as its readers meet it: one failure in eight machines, five on one, two hundred machines. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, expect, type Page, test as base } from '@playwright/test';
import sharp from 'sharp';
import type { JournalEvent } from '../../runs/journal.ts';
import { foldJournal } from '../../runs/model.ts';
import { writeOutputs } from '../../runs/outputs.ts';
import { thumbnailsOf } from '../../runs/render/pictures.ts';
import { requirePeer } from '../support/peers.ts';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';
import { eightMachines, failedEnd, sampleRun } from './page-samples.ts';
import { store } from './support.ts';

const WINDOWS = [
  { width: 390, height: 844, colorScheme: 'dark' },
  { width: 1280, height: 900, colorScheme: 'light' },
  { width: 1920, height: 1080, colorScheme: 'dark' },
] as const;

const test = base.extend<{ openPage: (file: string, window?: (typeof WINDOWS)[number]) => Promise<Page> }>({
  openPage: async ({}, use) => {
    let browser: Browser | undefined;
    await use(async (file, { colorScheme, ...viewport } = WINDOWS[1]) => {
      browser ??= await chromium.launch({
        executablePath: requirePeer(base, 'chromium'),
        args: ['--no-sandbox'],
      });
      const page = await browser.newPage({ viewport, colorScheme });
      await page.goto(pathToFileURL(file).href);
      return page;
    });
    await browser?.close();
  },
});

/** Writes the summary of a run below `folder`, as the reporter does, and returns its page. */
async function pageOf(folder: string, events: readonly JournalEvent[]): Promise<string> {
  const summary = join(folder, 'test-results/summary');
  mkdirSync(summary, { recursive: true });
  const model = foldJournal(events);
  const pictures = await thumbnailsOf(model);
  writeOutputs(model, { folder: summary, stateFolder: join(folder, 'test-results/state'), now: 0, pictures });
  return join(summary, 'index.html');
}

async function picture(file: string, background: string): Promise<string> {
  await sharp({ create: { width: 1280, height: 800, channels: 3, background } })
    .png()
    .toFile(file);
  return file;
}

test('VE21: a machine that failed outside of its steps is not green from left to right', async ({
  openPage,
}, info) => {
  const page = await openPage(await pageOf(info.outputPath(), eightMachines()));
  const steps = page.locator('section', { has: page.getByRole('heading', { name: 'Steps' }) });
  await expect(steps.locator('tbody tr')).toHaveCount(8);
  const row = steps.locator('tbody tr', { hasText: 'manjaro' });
  await expect(row.locator('td.PASS')).toHaveCount(8);
  await expect(row.locator('td.FAIL')).toHaveText(/FAIL test "a message arrives"/);
  await expect(steps.getByRole('columnheader').nth(1)).toHaveText('Outside of steps');
  await expect(steps.locator('td.FAIL')).toHaveCount(1);
  await page
    .getByRole('link', { name: /a message arrives/ })
    .first()
    .click();
  await expect(page.locator('article', { hasText: 'manjaro' })).toBeInViewport();
});

test('VE21: a step that failed in one of two tests stays failed, and needs no column of its own', async ({
  openPage,
}, info) => {
  const run = sampleRun({ suite: 'smoke', hosts: [{ host: 'fedora42', tests: 2 }] }, () => [
    failedEnd('first', {
      failure: { step: 'Log in', short: 'x', excerpt: 'Error: x' },
      steps: ['Launch application', 'Log in'],
      timed: [{ title: 'Log in', durationMs: 5, failed: true }],
    }),
    { test: 'second' },
  ]);
  const page = await openPage(await pageOf(info.outputPath(), run));
  await expect(page.locator('.matrix td.FAIL')).toHaveText(/FAIL 0\.0s/);
  await expect(page.getByRole('columnheader', { name: 'Outside of steps' })).toHaveCount(0);
});

test('VE21: five failures on one machine: each with its test, error, duration, pictures under their own names', async ({
  openPage,
}, info) => {
  const shots = [
    await picture(info.outputPath('a.png'), '#333'),
    await picture(info.outputPath('b.png'), '#a33'),
  ];
  const names = ['expected', 'last screen'];
  const run = sampleRun({ suite: 'smoke', hosts: [{ host: 'fedora42', tests: 6 }] }, () => [
    ...[1, 2, 3, 4, 5].map((number) =>
      failedEnd(`scenario ${number}`, {
        durationMs: number * 11_000,
        pictures: shots.map((file, index) => ({ name: names[index] ?? '', file })),
      }),
    ),
    { test: 'fine' },
  ]);
  const page = await openPage(await pageOf(info.outputPath(), run));
  const cards = page.locator('article .card');
  await expect(cards).toHaveCount(5);
  for (const [index, took] of ['11s', '22s', '33s', '44s', '55s'].entries()) {
    const card = cards.nth(index);
    await expect(card.getByRole('heading')).toHaveText(`scenario ${index + 1}`);
    await expect(card.locator('.facts-line')).toContainText(took);
    await expect(card.locator('pre')).toContainText(`scenario ${index + 1} went wrong`);
    await expect(card.locator('figcaption')).toHaveText(names);
    await expect(card.locator('img').last()).toHaveJSProperty('naturalWidth', 640);
  }
});

for (const window of WINDOWS) {
  test(`VE21: two hundred machines at ${window.width} px: what failed comes first, nothing is covered or cut off`, async ({
    openPage,
  }, info) => {
    const hosts = Array.from({ length: 200 }, (_, index) => ({
      host: `opensuse-tumbleweed-kde-secure-boot-${index + 1}`,
      tests: 1,
    }));
    const run = sampleRun({ suite: 'smoke', hosts }, (host) =>
      /-(?:77|133)$/.test(host) ? [failedEnd('a message arrives')] : [{ test: 'a message arrives' }],
    );
    const page = await openPage(await pageOf(info.outputPath(), run), window);
    await page.screenshot({ path: info.outputPath('page.png') });
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
      window.width,
    );
    await expect(page.locator('.hosts').first().locator('tbody tr')).toHaveCount(2);
    for (const name of (await page.locator('tbody th:visible').all()).slice(0, 8)) {
      // A name wraps, but not into a column of letters.
      expect((await name.boundingBox())?.height ?? 0).toBeLessThan(110);
    }
    await expect(page.getByText('198 of 200 passed')).toBeVisible();
    await expect(page.locator('article').first()).toBeInViewport({ ratio: 0.2 });
    // The column of names, which stays in place, leaves room for what it names.
    const cell = page.locator('.matrix tbody tr').first().locator('td').first();
    await cell.scrollIntoViewIfNeeded();
    const box = await cell.boundingBox();
    const names = await page.locator('.matrix tbody th').first().boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual((names?.x ?? 0) + (names?.width ?? 0));
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(window.width);
    await page.getByText('198 of 200 passed').click();
    await expect(page.locator('.hosts').last().locator('tbody tr')).toHaveCount(198);
  });
}

test('VE21: the trend is of runs of the same suites, the newest beside the names on a phone too', async ({
  openPage,
}, info) => {
  const folder = info.outputPath();
  const hosts = [{ host: 'fedora42', tests: 1 }];
  const runs = [...Array.from({ length: 15 }, (_, index) => (index % 3 === 2 ? 'driver' : 'smoke')), 'smoke'];
  const journals = runs.map((suite, index) =>
    sampleRun({ suite, hosts, startedAt: (index + 1) * 3_600_000, run: `run-${index}` }, () => [
      index === runs.length - 1 ? failedEnd('scenario 1') : {},
    ]),
  );
  for (const [index, events] of journals.slice(0, -1).entries()) {
    const build = `${runs[index] ?? ''}-${index}`;
    const record = { hosts, run: `run-${index}`, build, startedAt: (index + 1) * 3_600_000 };
    store(join(folder, 'test-results/state', build), events, record);
  }
  const page = await openPage(await pageOf(folder, journals.at(-1) ?? []), WINDOWS[0]);
  const trend = page.locator('section', { has: page.getByRole('heading', { name: 'Trend' }) });
  const heads = trend.getByRole('columnheader');
  await expect(heads).toHaveCount(12);
  await expect(heads.nth(1)).toHaveText('this run');
  await expect(trend.locator('tbody td').first()).toHaveClass('FAIL');
  await expect(trend.locator('td.FAIL')).toHaveCount(1);
  await heads.nth(1).scrollIntoViewIfNeeded();
  await expect(heads.nth(1)).toBeInViewport({ ratio: 1 });
  await expect(trend.locator('.scroll')).toHaveJSProperty('scrollLeft', 0);
});

test('VE21: a real failure leads to its film, its trace and its place in the HTML report', async ({
  openPage,
}, info) => {
  const folder = info.outputPath('project');
  writeProject(folder, {
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
export default defineConfig({
  outputDir: 'test-results/artifacts',
  use: { trace: 'on' },
  reporter: [['html', { outputFolder: 'test-results/html', open: 'never' }], ['${ROOT}/reporters/summary.ts']],
  projects: [{ name: 'alpha', metadata: { vmwright: { host: 'alpha' } } }],
});`,
    'smoke.spec.ts': `
import { expect, test } from '@playwright/test';
import { writeFileSync } from 'node:fs';
test('a message arrives', async ({}, info) => {
  writeFileSync(info.outputPath('film.html'), '<p>the film</p>');
  info.attachments.push({ name: 'film', path: info.outputPath('film.html'), contentType: 'text/html' });
  expect(1).toBe(2);
});`,
  });
  const { exitCode } = await runPlaywright(folder, ['test']);
  expect(exitCode).toBe(1);
  const file = join(folder, 'test-results/summary/index.html');
  const page = await openPage(file);
  const card = page.locator('.card');
  const target = async (name: string): Promise<URL> =>
    new URL((await card.getByRole('link', { name }).getAttribute('href')) ?? '', pathToFileURL(file));
  expect(readFileSync(fileURLToPath(await target('film')), 'utf8')).toBe('<p>the film</p>');
  expect(
    readFileSync(fileURLToPath(await target('trace')))
      .subarray(0, 2)
      .toString(),
  ).toBe('PK');
  expect(existsSync(join(dirname(file), '../html/index.html'))).toBe(true);
  await card.getByRole('link', { name: 'HTML report' }).click();
  await expect(page.getByText('Expected: 2').first()).toBeVisible();
});
