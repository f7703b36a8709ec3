/** Allure's files of a real run on the embedded lab, and the report that is made of them. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, expect, test } from '@playwright/test';
import type { Attachment, StepResult, TestResult } from 'allure-js-commons';
import sharp from 'sharp';
import { startLab } from '../../lab/index.ts';
import { allureConfig } from '../../reporters/allure-config.ts';
import { runOnLab } from '../support/lab-project.ts';
import { requirePeer } from '../support/peers.ts';
import { ROOT, runPlaywright } from '../support/runner.ts';

const SPEC = `
test('passes', async ({ app }) => { await app.clean(); });
test.describe(() => {
  test.use({ recording: 'on' });
  test('differs', async ({ vncPage }) => {
    await expect(vncPage).toHaveScreenshot('desktop.png', { timeout: 500 });
  });
});
test('no snapshot', async ({ startingPoint, vm }) => { await vm.snapshots.get('nope'); });
test('wrong state', async ({ vm }) => { expect((await vm.status()).qmpStatus).toBe('paused'); });
test.describe(() => {
  test.describe.configure({ retries: 1 });
  test('second try', async ({}, info) => { expect(info.retry).toBe(1); });
});
`;
const REPORTERS = ['redact', 'film', 'lease', 'allure'].map((name) => `${ROOT}/reporters/${name}.ts`);
const IMAGE_DIFF = 'application/vnd.allure.image.diff';
const MACHINE = {
  name: 'fedora42',
  family: 'fedora',
  desktop: 'gnome',
  session: 'wayland',
  vm: 101,
} as const;

interface Results {
  readonly tests: readonly TestResult[];
  /** The last try. */
  find(name: string): TestResult;
  json(file: string): unknown;
}

function resultsIn(folder: string): Results {
  const json = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const tests = readdirSync(folder)
    .filter((name) => name.endsWith('-result.json'))
    .map((name) => json(name) as TestResult)
    .sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
  return { tests, json, find: (name) => tests.findLast((one) => one.name === name)! };
}

function labelsOf({ labels }: TestResult): Record<string, string> {
  return Object.fromEntries(labels.map(({ name, value }) => [name, value]));
}

function attachmentsOf({ attachments, steps }: TestResult | StepResult): Attachment[] {
  return [...attachments, ...steps.flatMap(attachmentsOf)];
}

/** The label `category` that Allure's rules give a result: the first rule that fits. */
function categoryOf(rules: unknown, { status, statusDetails }: TestResult): string | undefined {
  const { flaky = false, message = '' } = statusDetails as { flaky?: boolean; message?: string };
  return (
    rules as { name: string; matchedStatuses: string[]; messageRegex?: string; flaky?: boolean }[]
  ).find(
    (rule) =>
      rule.matchedStatuses.includes(status!) &&
      (rule.flaky === undefined || rule.flaky === flaky) &&
      new RegExp(rule.messageRegex ?? '').test(message),
  )?.name;
}

test.describe.configure({ mode: 'serial' });

let folder = '';
test('machine, categories, picture comparison, film and GIF are in the results of a run', async ({}, info) => {
  folder = info.outputPath('p');
  await using lab = await startLab({ guests: ['fedora42'] }).then((started) =>
    Object.assign(started, { [Symbol.asyncDispose]: () => started.stop() }),
  );
  const baselines = join(folder, 'the.spec.ts-snapshots');
  mkdirSync(baselines, { recursive: true });
  await sharp({ create: { width: 1280, height: 800, channels: 3, background: 'white' } })
    .png()
    .toFile(join(baselines, 'desktop-fedora42-linux.png'));
  // Results of another run, of a machine that this one does not have.
  const resultsDir = join(folder, 'allure-results');
  mkdirSync(resultsDir);
  const stale = join(resultsDir, '01c34b80-d0c4-474c-be6d-3cc4eb3fd92b-result.json');
  writeFileSync(stale, '{"name":"windows11 passes","status":"passed"}');
  writeFileSync(join(resultsDir, 'notes.txt'), 'mine');

  const run = await runOnLab(lab, folder, {
    spec: SPEC,
    args: [`--reporter=list,blob,${REPORTERS.join(',')}`],
  });
  expect(run.output).toContain('3 failed');
  expect(run.output).toContain('1 flaky');
  expect(run.output).not.toContain('vmwright allure:');
  expect(existsSync(stale)).toBe(false);
  expect(readFileSync(join(resultsDir, 'notes.txt'), 'utf8')).toBe('mine');
  expectResults(resultsIn(resultsDir));
  expect(readFileSync(join(resultsDir, 'environment.properties'), 'utf8')).toMatch(/^vmwright=\d/m);
});

function expectResults(results: Results): void {
  expect(results.tests.map(({ name, status }) => [name, status])).toEqual([
    ['passes', 'passed'],
    ['differs', 'failed'],
    ['no snapshot', 'broken'],
    ['wrong state', 'failed'],
    ['second try', 'failed'],
    ['second try', 'passed'],
  ]);
  expect(labelsOf(results.find('passes'))).toMatchObject({
    machine: 'fedora42',
    os: 'fedora',
    desktop: 'gnome on wayland',
    vm: '101',
    node: 'pve',
    kernel: '6.14.9-300.fc42.x86_64',
  });
  // What changes from run to run is no part of a test's identity.
  expect(results.find('passes').parameters.filter(({ excluded }) => excluded !== true)).toEqual([
    { name: 'Project', value: 'fedora42' },
  ]);
  expect(labelsOf(results.find('no snapshot')).code).toBe('SNAPSHOT_NOT_FOUND');
  const rules = results.json('categories.json');
  expect(results.tests.map((one) => categoryOf(rules, one))).toEqual([
    undefined,
    'Visual differences',
    'Infrastructure',
    'Product failures',
    'Product failures',
    'Flaky',
  ]);
  const attached = attachmentsOf(results.find('differs'));
  const types = attached.map(({ type }) => type);
  expect(types).toEqual(expect.arrayContaining([IMAGE_DIFF, 'image/gif', 'text/html']));
  expect(types.filter((type) => type === IMAGE_DIFF)).toHaveLength(1);
  const { source } = attached.find(({ type }) => type === IMAGE_DIFF)!;
  const diff = results.json(source) as Record<string, string>;
  expect(diff.name).toBe('desktop-fedora42-linux');
  const pictures = [diff.expected, diff.actual, diff.diff];
  expect(pictures.map((picture) => picture?.slice(0, 22))).toEqual(Array(3).fill('data:image/png;base64,'));
  expect(new Set(pictures).size).toBe(3);
}

test('merging blobs gives the same results: none is lost', async () => {
  const results = join(folder, 'allure-results');
  rmSync(results, { recursive: true });
  cpSync(join(folder, 'blob-report'), join(folder, 'blobs'), { recursive: true });
  const args = ['merge-reports', `--reporter=${ROOT}/reporters/allure.ts`, 'blobs'];
  const { stderr } = await runPlaywright(folder, args);
  expect(stderr).toBe('');
  expectResults(resultsIn(results));
});

test('the report is one page that asks nobody for anything: machines, categories, picture comparison', async ({}, info) => {
  const executablePath = requirePeer(test, 'chromium');
  const out = info.outputPath('report');
  writeFileSync(
    join(folder, 'allurerc.mts'),
    `import { allureConfig } from '${ROOT}/reporters/allure-config.ts';
export default allureConfig([${JSON.stringify(MACHINE)}]);`,
  );
  const args = ['--import', 'tsx', join(ROOT, 'cli/main.ts'), 'allure', 'allure-results', '--output', out];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });

  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const outside: string[] = [];
    page.on('request', (request) => {
      if (!/^(?:file|data|blob):/.test(request.url())) outside.push(request.url());
    });
    await page.goto(pathToFileURL(join(out, 'index.html')).href);
    await expect(page.getByText('Environment: "fedora42"')).toBeVisible();
    await page.getByText('differs', { exact: true }).click();
    await expect(page.getByText('Category: Visual differences')).toBeVisible();
    await page.getByText('desktop-fedora42-linux', { exact: true }).click();
    await page.getByText('Expected', { exact: true }).click();
    const picture = page.locator('img').filter({ visible: true }).last();
    await expect
      .poll(() => picture.evaluate((img) => (img as unknown as { naturalWidth: number }).naturalWidth))
      .toBe(1280);
    expect(outside).toEqual([]);
  } finally {
    await browser.close();
  }
});

test('CL25: without a folder named the report is of what the reporter wrote last; without any it says what is missing', ({}, info) => {
  test.slow();
  const place = info.outputPath('own');
  mkdirSync(place, { recursive: true });
  // As in a project of one's own: the program is found from there.
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  const make = (...named: string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'cli/main.ts'), 'allure', ...named], {
      cwd: place,
      encoding: 'utf8',
    });
  const none = make();
  expect(none.status).not.toBe(0);
  expect(none.stderr).toMatch(
    /ALLURE_MISSING[^]*allure-results[^]*\['vmwright\/reporters\/allure'\] among the reporters of playwright\.config\.ts/,
  );

  const write = (results: string, name: string): void => {
    mkdirSync(join(place, results), { recursive: true });
    const result = { uuid: name, name, status: 'passed', stage: 'finished', start: 1, stop: 2 };
    writeFileSync(join(place, results, `${name}-result.json`), JSON.stringify(result));
  };
  const report = join(place, 'test-results/allure-report');
  const shown = (name: string): boolean =>
    readdirSync(report, { recursive: true, encoding: 'utf8' }).some(
      (file) => file.endsWith('.json') && readFileSync(join(report, file), 'utf8').includes(name),
    );
  write('test-results/allure-results', 'of-the-week-before');
  utimesSync(join(place, 'test-results/allure-results'), 1e9, 1e9);
  write('allure-results', 'of-today');
  const made = make();
  expect({ status: made.status, stderr: made.stderr }).toEqual({ status: 0, stderr: '' });
  expect([shown('of-today'), shown('of-the-week-before')]).toEqual([true, false]);
});

test('the switcher knows each machine by its own label', () => {
  const { environments } = allureConfig([MACHINE, { ...MACHINE, name: 'Windows 11 (lab)' }]);
  const { 'Windows-11--lab-': windows, fedora42 } = environments as Record<
    string,
    { name: string; matcher(test: { labels: { name: string; value: string }[] }): boolean }
  >;
  const labels = [{ name: 'machine', value: 'Windows 11 (lab)' }];
  expect([windows?.name, windows?.matcher({ labels }), fedora42?.matcher({ labels })]).toEqual([
    'Windows 11 (lab)',
    true,
    false,
  ]);
});
