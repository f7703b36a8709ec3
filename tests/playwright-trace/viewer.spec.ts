/**
 * A failed log-in in Playwright's own trace viewer, and in which tests there is a trace at all.
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { decodeImage, intersect, type Rect } from '../../fixtures/image/frame.ts';
import { createScreenReader } from '../../fixtures/vision/index.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { requirePeer } from '../support/peers.ts';
import { showTrace } from './support/viewer.ts';

let lab: Lab;
test.beforeAll(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterAll(async () => {
  await lab.stop();
  if (traced !== undefined) rmSync(dirname(await traced), { recursive: true });
});
test.describe.configure({ timeout: 300_000 });

const LOG_IN = `
test('log in', async ({ app, vncPage, ssh }) => {
  await app.launch({ showing: 'Sign in' });
  await expect(vncPage).toShowText('Email');
  await test.step('by hand', async () => {
    await vncPage.getByLabel('Email').fill('alice@harbor.example');
    await vncPage.getByLabel('Password').fill(secret('FEDORA42_PASSWORD'));
    await vncPage.keyboard.type('!');
    await vncPage.getByText('Log in').click();
  });
  await expect(vncPage).toShowText('general channel', { timeout: 3000 });
});
test('passes', async ({ vncPage }) => { await vncPage.keyboard.press('Escape'); });
test('second try', async ({ vncPage }, info) => {
  await vncPage.keyboard.press('Escape');
  expect(info.retry).toBe(1);
});`;

/** Traces of a run, by the folder of their test. */
function tracesOf(folder: string): Record<string, string> {
  const artifacts = join(folder, 'test-results/artifacts');
  const traces = readdirSync(artifacts).map((name) => [name, join(artifacts, name, 'trace.zip')] as const);
  return Object.fromEntries(traces.filter(([, path]) => existsSync(path)));
}

/** The parts of a trace that are of the screen. */
function parts(path: string): Record<string, Buffer> {
  const files = unzipSync(readFileSync(path));
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes)]));
}

function isOfScreen(path: string): boolean {
  return Object.keys(parts(path)).some((name) => name.startsWith('screencast/'));
}

/** Chooses an action of the list. */
async function choose(page: Page, title: string): Promise<void> {
  await page.getByRole('treeitem', { name: title }).last().click();
}

/** The screen that the viewer shows, as a picture of its own. */
async function shownScreen(page: Page): Promise<Buffer> {
  const image = page.frameLocator('iframe.snapshot-visible').locator('img');
  await expect(image).toBeVisible();
  await expect.poll(() => image.evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBe(1280);
  return image.screenshot();
}

interface HTMLImageElement {
  readonly naturalWidth: number;
}

/** The viewer changes its picture when it has the next one. */
const LATER = { timeout: 20_000 };

async function textOf(picture: Buffer): Promise<string> {
  const map = await createScreenReader().read(await decodeImage(picture, 'picture'));
  return map.lines.map(({ text }) => text).join('\n');
}

let traced: Promise<string> | undefined;

/** The trace of a log-in that fails, made once. */
function failedLogIn(folder: string): Promise<string> {
  traced ??= runOnLab(lab, folder, { spec: LOG_IN, config: `use: { trace: 'retain-on-failure' },` }).then(
    (run) => {
      expect(run.output).toMatch(/2 failed\n[^]*1 passed/);
      const traces = tracesOf(folder);
      const found = Object.entries(traces).find(([name]) => name.includes('log-in'))?.[1] ?? '';
      expect(Object.keys(traces)).toHaveLength(2);
      expect(isOfScreen(found)).toBe(true);
      const kept = join(mkdtempSync(join(tmpdir(), 'vmwright-trace-')), 'trace.zip');
      copyFileSync(found, kept);
      return kept;
    },
  );
  return traced;
}

test('TV2: a failed log-in in the trace viewer: film strip, nested actions, screens, the click, the judged picture', async ({}, info) => {
  requirePeer(test, 'chromium');
  const trace = await failedLogIn(info.outputPath('project'));
  await showTrace(trace, async (page) => {
    const textShown = async () => textOf(await shownScreen(page));
    const actions = page.getByRole('treeitem');
    await expect(actions.filter({ hasText: 'by hand' }).first()).toBeVisible({ timeout: 30_000 });
    // A film strip of the screen.
    await expect.poll(() => page.locator('.film-strip-frame').count()).toBeGreaterThan(3);
    await info.attach('viewer', { body: await page.screenshot(), contentType: 'image/png' });

    // Actions stand under the step that they belong to.
    await page.getByRole('treeitem', { name: 'by hand' }).click();
    await page.keyboard.press('ArrowRight');
    for (const title of [
      'Fill field "Email" with "alice@harbor.example"',
      'Fill field "Password" with {FEDORA42_PASSWORD}',
      'Type "!"',
      'Click text "Log in"',
    ])
      await expect(actions.filter({ hasText: 'by hand' }).getByText(title).first()).toBeVisible();

    // Before it, the field is empty; after it, it is not.
    await choose(page, 'Fill field "Email"');
    await page.getByText('Before', { exact: true }).click();
    await expect.poll(textShown, LATER).toMatch(/^(?![^]*@)[^]*Password/);
    await choose(page, 'Fill field "Password"');
    await page.getByText('Before', { exact: true }).click();
    // The viewer scales the picture: OCR may lose a thin letter of it.
    await expect.poll(textShown, LATER).toMatch(/a\w+@harb/);

    // The click has its dot on the button, and the button its frame.
    await choose(page, 'Click text "Log in"');
    await page.getByText('Action', { exact: true }).last().click();
    const screen = page.frameLocator('iframe.snapshot-visible');
    await expect(screen.locator('img')).toBeVisible();
    const dot = await screen.locator('x-pw-pointer').boundingBox();
    const button = await screen.getByText('Log in').last().boundingBox();
    expect(dot!.x + dot!.width / 2).toBeGreaterThan(button!.x);
    expect(dot!.x + dot!.width / 2).toBeLessThan(button!.x + button!.width);
    await info.attach('click', { body: await page.screenshot(), contentType: 'image/png' });

    // The expectation shows what it judged, and what was read there.
    await choose(page, 'Expect "toShowText"');
    await page.getByText('After', { exact: true }).click();
    await expect.poll(textShown, LATER).toMatch(/Wrong/);
    await expect(screen.getByText('Email').first()).toHaveCount(1);
    await info.attach('expectation', { body: await page.screenshot(), contentType: 'image/png' });
    await page.getByRole('tab', { name: 'Errors' }).click();
    await expect(page.getByText('general channel').last()).toBeVisible();
  });
});

interface Line {
  readonly type: string;
  readonly callId?: string;
  readonly title?: string;
  readonly phase?: string;
  readonly file?: string;
  readonly point?: { readonly x: number; readonly y: number };
  readonly box?: Rect;
  readonly error?: { readonly message: string };
}

test('TV2: in the file each action has its screens, its text, where it clicked and why it failed', async ({}, info) => {
  const files = parts(await failedLogIn(info.outputPath('project')));
  const lines = Object.entries(files)
    .filter(([name]) => name.endsWith('.trace'))
    .map(([, bytes]) => bytes.toString())
    // The runner tells of the same steps in a file of its own.
    .filter((text) => text.includes('"type":"screenshot"'))
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const of = (type: string): Line[] => lines.filter((line) => line.type === type);
  const screens = of('screenshot');
  const ids = new Set(screens.map(({ callId }) => callId));
  const titles = of('before').flatMap(({ callId, title }) => (ids.has(callId) ? [title] : []));
  for (const wanted of ['Fill field "Email"', 'Type "!"', 'Click text "Log in"', 'toShowText'])
    expect(titles).toContainEqual(expect.stringContaining(wanted));
  for (const id of ids)
    expect(screens.filter(({ callId }) => callId === id).map(({ phase }) => phase)).toEqual(
      expect.arrayContaining(['before', 'after']),
    );
  for (const { file = '' } of screens) expect(Object.keys(files)).toContain(file);
  const idOf = (title: string): string | undefined =>
    of('before').findLast((line) => line.title?.includes(title))?.callId;
  const failed = of('after').find(({ callId }) => callId === idOf('toShowText'));
  expect(failed?.error?.message).toContain('general channel');
  const click = of('input').find(({ callId }) => callId === idOf('Click text'));
  const { point, box } = click!;
  expect(intersect(box!, { ...point!, width: 1, height: 1 })).toBeDefined();
  const texts = of('aria-snapshot').map(({ file = '' }) => files[file]?.toString());
  expect(texts).toContainEqual(expect.stringContaining('Sign in to Harbor'));
});

test('Pick locator on the screen answers with the name that locators of the screen have', async ({}, info) => {
  requirePeer(test, 'chromium');
  const trace = await failedLogIn(info.outputPath('project'));
  await showTrace(trace, async (page) => {
    await expect(page.getByRole('treeitem').first()).toBeVisible({ timeout: 30_000 });
    await choose(page, 'Expect "toShowText"');
    await page.getByText('After', { exact: true }).click();
    const screen = page.frameLocator('iframe.snapshot-visible');
    await expect(screen.locator('img')).toBeVisible();
    await page.getByRole('button', { name: 'Pick locator' }).click();
    const box = (await screen.getByText('Sign in to Harbor').boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.move(box.x + box.width / 2 + 1, box.y + box.height / 2);
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await expect(page.getByText("getByText('Sign in to Harbor')").first()).toBeVisible();
    await info.attach('picked', { body: await page.screenshot(), contentType: 'image/png' });
  });
});

test('TV2: with "on" every test has the screen in its trace, with "on-first-retry" only the second attempt', async ({}, info) => {
  const spec = LOG_IN.slice(LOG_IN.indexOf("test('passes'"));
  const on = info.outputPath('on');
  await runOnLab(lab, on, { spec, config: `use: { trace: 'on' },` });
  expect(Object.values(tracesOf(on)).map(isOfScreen)).toEqual([true, true]);
  const retried = info.outputPath('retried');
  const run = await runOnLab(lab, retried, { spec, config: `retries: 1, use: { trace: 'on-first-retry' },` });
  expect(run.output).toContain('1 flaky');
  const traces = tracesOf(retried);
  expect(Object.keys(traces)).toEqual([expect.stringContaining('retry1')]);
  expect(Object.values(traces).map(isOfScreen)).toEqual([true]);
  const off = info.outputPath('off');
  await runOnLab(lab, off, { spec });
  expect(tracesOf(off)).toEqual({});
});
