/**
 * A failed log-in in Playwright's own trace viewer, and in which tests there is a trace at all.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { intersect, type Rect } from '../../fixtures/image/frame.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { requirePeer } from '../support/peers.ts';
import { runPlaywright } from '../support/runner.ts';
import { choose, showFolder, shownScreen, shownText, showTrace, textOf } from './support/viewer.ts';

let lab: Lab;
test.beforeAll(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterAll(async () => {
  await lab.stop();
  // A worker may come back to this file after others.
  const path = await traced;
  traced = undefined;
  if (path !== undefined) rmSync(dirname(path), { recursive: true });
});
// One after the other: they look at one run.
test.describe.configure({ mode: 'default', timeout: 300_000 });

const LOG_IN = `
test('log in', async ({ app, vncPage, ssh, vm }, info) => {
  await app.launch({ showing: 'Sign in' });
  await expect(vncPage).toShowText('Email');
  await test.step('by hand', async () => {
    await vncPage.getByLabel('Email').fill('alice@harbor.example');
    await vncPage.getByLabel('Password').fill(secret('FEDORA42_PASSWORD'));
    await vncPage.keyboard.type('!');
    await vncPage.getByText('Log in').click();
  });
  console.log('said by the spec');
  await ssh.exec(sh\`uname -r\`);
  await ssh.exec(sh\`systemctl is-active none.service\`, { check: false });
  await ssh.upload(info.file, '/tmp/uploaded.ts');
  await vm.agent.exec(['hostname']);
  await vm.checkpoint('seen');
  await vm.api.snapshot.$('none').config.$get().catch(() => undefined);
  // Has no display there: the journal tells.
  await ssh.exec(sh\`systemd-run --user /opt/harbor/harbor-chat\`);
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

/** The viewer changes its picture when it has the next one. */
const LATER = { timeout: 20_000 };

let traced: Promise<string> | undefined;

/** The trace of a log-in that fails, made once; beside it the reports of its run. */
function failedLogIn(folder: string): Promise<string> {
  const config = `use: { trace: 'retain-on-failure' },`;
  const reporters = [
    ['html', { open: 'never', outputFolder: 'html' }],
    ['blob', { outputFile: 'blobs/report.zip' }],
  ] as const;
  traced ??= runOnLab(lab, folder, { spec: LOG_IN, config, reporters }).then((run) => {
    expect(run.output).toMatch(/2 failed\n[^]*1 passed/);
    const traces = tracesOf(folder);
    const found = Object.entries(traces).find(([name]) => name.includes('log-in'))?.[1] ?? '';
    expect(Object.keys(traces)).toHaveLength(2);
    expect(isOfScreen(found)).toBe(true);
    const kept = mkdtempSync(join(tmpdir(), 'vmwright-trace-'));
    cpSync(found, join(kept, 'trace.zip'));
    for (const report of ['html', 'blobs'])
      cpSync(join(folder, report), join(kept, report), { recursive: true });
    return join(kept, 'trace.zip');
  });
  return traced;
}

test('TV2: a failed log-in in the trace viewer: film strip, nested actions, screens, the click, the judged picture', async ({}, info) => {
  requirePeer(test, 'chromium');
  const trace = await failedLogIn(info.outputPath('project'));
  await showTrace(trace, async (page) => {
    const textShown = () => shownText(page);
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

/** The one row of the viewer's tab Network that has a text, by the names of its columns. */
async function requested(page: Page, name: string | RegExp): Promise<Record<string, string>> {
  const row = page.locator('.network-list-view .list-view-entry').filter({ hasText: name });
  await expect(row, String(name)).toHaveCount(1);
  const cells = await row.locator('.grid-view-cell').all();
  const told = cells.map(async (cell) => {
    const column = /grid-view-column-(\w+)/.exec((await cell.getAttribute('class')) ?? '')?.[1] ?? '';
    return [column, (await cell.innerText()).trim()] as const;
  });
  return Object.fromEntries(await Promise.all(told));
}

test('TV5: Console has the journal of the guest and what the spec prints, Network the calls to cluster, agent and SSH', async ({}, info) => {
  requirePeer(test, 'chromium');
  const trace = await failedLogIn(info.outputPath('project'));
  await showTrace(trace, async (page) => {
    await expect(page.getByRole('treeitem').first()).toBeVisible({ timeout: 30_000 });
    await page.getByRole('tab', { name: 'Console' }).click();
    const lines = page.locator('.console-line');
    await expect(lines.filter({ hasText: 'said by the spec' })).toHaveCount(1);
    await expect(lines.filter({ hasText: /harbor-chat\[\d+\]: Authorization required/ })).toHaveCount(1);
    await info.attach('console', { body: await page.screenshot(), contentType: 'image/png' });

    await page.getByRole('tab', { name: 'Network' }).click();
    const took = expect.stringMatching(/^(?!0ms)\d+(?:\.\d+)?m?s$/);
    const well = { status: '200', duration: took };
    expect(await requested(page, 'fedora42 $ systemctl is-active')).toMatchObject({
      method: 'EXEC',
      name: 'fedora42 $ systemctl is-active none.service (exit code 3)',
      status: '500',
      duration: took,
    });
    expect(await requested(page, 'by its agent $ hostname')).toMatchObject({ method: 'EXEC', ...well });
    expect(await requested(page, 'fedora42 /tmp/uploaded.ts')).toMatchObject({ method: 'UPLOAD', ...well });
    expect(await requested(page, /qmsnapshot/)).toMatchObject({
      method: 'TASK',
      name: 'qmsnapshot on pve',
      ...well,
    });
    expect(await requested(page, /^exec-status/)).toMatchObject({ method: 'GET', ...well });
    await info.attach('network', { body: await page.screenshot(), contentType: 'image/png' });

    // What came back.
    for (const [name, status, output] of [
      ['fedora42 $ systemctl is-active', '500 exit code 3', 'inactive'],
      ['by its agent $ hostname', '200 exit code 0', 'fedora42'],
    ] as const) {
      await page.locator('.network-list-view .grid-view-column-name').filter({ hasText: name }).click();
      await expect(page.getByText(status)).toBeVisible();
      await page.getByRole('tab', { name: 'Response' }).click();
      await expect(page.locator('.CodeMirror-code').filter({ hasText: output }).last()).toBeVisible();
      await page.getByRole('tab', { name: 'Headers' }).click();
    }
    await info.attach('answer', { body: await page.screenshot(), contentType: 'image/png' });
  });
});

/** What `npx playwright trace` says of a trace. */
async function told(folder: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, output } = await runPlaywright(folder, ['trace', ...args]);
  expect(exitCode, output).toBe(0);
  return stdout;
}

test('TV6: playwright trace lists actions and console and saves a screenshot', async ({}, info) => {
  const trace = await failedLogIn(info.outputPath('project'));
  const folder = info.outputPath('command');
  mkdirSync(folder);
  await told(folder, 'open', trace);
  const actions = await told(folder, 'actions');
  // Under its step, with its time.
  expect(actions).toMatch(
    /^ +\d+\. \d:\d\d\.\d+ {2}by hand .*\n +\d+\. \d:\d\d\.\d+ {4}Fill field "Email" with "alice@harbor\.example" +\d/m,
  );
  expect(actions).toMatch(/Expect "toShowText" .* ✗/);
  const [, fill = ''] = /(\d+)\. \S+ +Fill field "Password"/.exec(actions) ?? [];
  await told(folder, 'screenshot', fill, '--output', 'fill.png');
  // Of the film strip, smaller than the screen; a moment before there was no application yet.
  expect(await textOf(readFileSync(join(folder, 'fill.png')))).toContain('Sign in to Harbor');
  const console = await told(folder, 'console');
  expect(console).toMatch(/\[browser\] +log +.*harbor-chat\[\d+\]: Authorization required/);
  expect(console).toContain('said by the spec');
  expect(await told(folder, 'requests', '--failed')).toMatch(/EXEC +500 +fedora42 \$ systemctl is-active/);
  await told(folder, 'close');
});

test('TV6: the HTML report shows the trace as a tile and opens it, and so does one of merged reports', async ({}, info) => {
  requirePeer(test, 'chromium');
  const kept = dirname(await failedLogIn(info.outputPath('project')));
  const merged = await runPlaywright(kept, ['merge-reports', '--reporter=html', 'blobs'], {
    env: { PLAYWRIGHT_HTML_OUTPUT_DIR: join(kept, 'merged'), PLAYWRIGHT_HTML_OPEN: 'never' },
  });
  expect(merged.exitCode, merged.output).toBe(0);
  for (const report of ['html', 'merged'])
    await showFolder(join(kept, report), 'index.html', async (page) => {
      await page.getByRole('link', { name: 'log in', exact: true }).click();
      const tile = page.locator('a[href*="trace/index.html"]').filter({ has: page.locator('img') });
      await expect(tile).toHaveCount(1);
      await info.attach(report, { body: await page.screenshot(), contentType: 'image/png' });
      await tile.click();
      await expect(page.getByRole('treeitem', { name: 'Launch Harbor Chat' })).toBeVisible({
        timeout: 30_000,
      });
      await expect.poll(() => page.locator('.film-strip-frame').count()).toBeGreaterThan(3);
      await choose(page, 'Expect "toShowText"');
      await shownScreen(page);
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
