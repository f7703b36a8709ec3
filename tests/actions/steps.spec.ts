/**
 * Calls of a spec as steps of its test, through the real runner on the lab's fedora42.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { readBlob, readPlaywrightJson } from '../../runs/evidence/playwright.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { type LabRun, type LabRunOptions, runOnLab } from '../support/lab-project.ts';
import { ROOT } from '../support/runner.ts';

let lab: Lab;
test.beforeAll(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterAll(() => lab.stop());
test.describe.configure({ timeout: 300_000 });

/** A step as reporters are told of it. */
interface Told {
  readonly test: string;
  readonly path: readonly string[];
  readonly category: string;
  readonly subtitle?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly line?: number;
  readonly error?: string;
}

const TELLING = `
import { writeFileSync } from 'node:fs';
const flat = (test, steps, above = []) => steps.flatMap(({ title, category, subtitle, params, location, error, steps }) => [
  { test, path: [...above, title], category, subtitle, params, line: location?.line, error: error?.message },
  ...flat(test, steps, [...above, title]),
]);
export default class {
  told = [];
  onTestEnd(test, result) { this.told.push(...flat(test.title, result.steps)); }
  onEnd() { writeFileSync('told.json', JSON.stringify(this.told)); }
}`;

/** Allure's own files, as far as they count here. */
interface Written {
  readonly name: string;
  readonly steps: readonly Written[];
}

async function run(
  folder: string,
  options: LabRunOptions,
): Promise<LabRun & { readonly steps: readonly Told[] }> {
  const result = await runOnLab(lab, folder, {
    ...options,
    files: { 'telling.mjs': TELLING },
    reporters: [
      ['./telling.mjs'],
      [`${ROOT}/reporters/film.ts`],
      ['json', { outputFile: 'report.json' }],
      ['blob', { outputFile: 'blob.zip' }],
      ['html', { open: 'never' }],
      [`${ROOT}/reporters/allure.ts`, { resultsDir: 'allure' }],
    ],
  });
  return { ...result, steps: JSON.parse(readFileSync(join(folder, 'told.json'), 'utf8')) as Told[] };
}

/** Actions of one test: what they are called, in order. */
function actions(steps: readonly Told[], title: string): string[] {
  return steps.filter((step) => step.test === title && step.subtitle !== undefined).map(pathOf);
}

function pathOf({ path }: Told): string {
  return path.join(' > ');
}

/** Lines that runOnLab puts before the spec. */
const HEAD_LINES = 7;

function lineOf(spec: string, code: string): number {
  return spec.slice(0, spec.indexOf(code)).split('\n').length + HEAD_LINES;
}

/** What those who follow a test are told of its actions, before any reporter takes secrets out. */
const FOLLOWED = `
import { appendFileSync } from 'node:fs';
import { observe } from '${ROOT}/fixtures/actions/index.ts';
observe({
  begin: ({ title, params }) => appendFileSync('followed.txt', JSON.stringify({ title, params }) + '\\n'),
  end: async () => {},
});`;

const SPEC = `
test.beforeAll(async ({ vm }) => { await vm.isRunning(); });
test('all kinds', async ({ vncPage, ssh, vm, proxmox, app }) => {
  await vncPage.waitForStill();
  await test.step('by hand', async () => {
    await vncPage.keyboard.press('Escape');
    await vncPage.mouse.move(300, 200);
    await vncPage.mouse.click(5, 700, { button: 'right' });
  });
  await ssh.exec(sh\`echo \${secret('FEDORA42_PASSWORD')} | wc -c\`);
  await vm.snapshots.list();
  await vm.agent.ping();
  await vm.api.status.current.$get();
  const other = await proxmox.findVm('fedora42');
  await other.config();
  await app.isRunning();
  await vncPage.keyboard.type(secret('FEDORA42_PASSWORD'), { delay: 1 });
  await vncPage.keyboard.type(process.env.FEDORA42_PASSWORD);
  await vncPage.waitForChange({ action: () => test.step('change', () => vncPage.mouse.move(310, 210)) }).catch(() => undefined);
  await Promise.all([vncPage.mouse.park(), ssh.exec('true')]);
});
test('fails', async ({ vncPage }) => {
  await test.step('look for it', async () => {
    await vncPage.getByText('Nowhere').click({ timeout: 500 });
  });
});
test('in a step of an action only', async ({ vncPage }) => {
  await vncPage.getByText('Nowhere').click({ timeout: 500 });
});`;

test('TV1: each call of a spec is a step: in its reader’s words, with parameters, at the spec’s line', async ({}, info) => {
  const folder = info.outputPath('project');
  const spec = FOLLOWED + SPEC;
  const { steps, summary, output } = await run(folder, { spec, config: `use: { recording: 'on' },` });
  expect(output).toContain('1 passed');
  expect(actions(steps, 'all kinds')).toEqual([
    'Before Hooks > beforeAll hook > Look whether the VM is running',
    // What fixtures do for their test.
    'Before Hooks > Fixture "desktop and package" > Run `u=tester; greeter=no …`',
    expect.stringMatching(/^Before Hooks > Fixture "desktop and package" > Run `stat -c /),
    'Before Hooks > Fixture "application" > Run `uname -r`',
    'Wait until the screen is still',
    'by hand > Press Escape',
    'by hand > Move the pointer to 300, 200',
    'by hand > Right-click at 5, 700',
    'Run `echo {FEDORA42_PASSWORD} | wc -c`',
    'List the snapshots',
    'Ping the guest agent',
    'vm.api.status.current.$get()',
    'Find the VM "fedora42"',
    'Read the configuration of the VM',
    'Look whether Harbor Chat is running',
    'Type {FEDORA42_PASSWORD}',
    'Type "{FEDORA42_PASSWORD}"',
    'Wait until the screen changes',
    'Wait until the screen changes > change > Move the pointer to 310, 210',
    'Park the pointer',
    'Run `true`',
  ]);
  const find = (title: string) => steps.find(({ path }) => path.at(-1) === title)!;
  expect(find('Right-click at 5, 700')).toMatchObject({
    category: 'test.step',
    subtitle: 'mouse.click',
    params: { x: 5, y: 700, button: 'right' },
    line: lineOf(spec, 'await vncPage.mouse.click(5'),
  });
  expect(find('Type {FEDORA42_PASSWORD}').params).toEqual({ text: '{FEDORA42_PASSWORD}', delay: 1 });
  expect(find('Run `echo {FEDORA42_PASSWORD} | wc -c`').params).toEqual({
    command: 'echo {FEDORA42_PASSWORD} | wc -c',
  });
  for (const { path, line, subtitle } of steps.filter((step) => step.subtitle !== undefined))
    expect.soft(line, `${path.join(' > ')} ${subtitle}`).toBeGreaterThan(HEAD_LINES);

  // Nobody who follows is shown a secret either.
  const followed = readFileSync(join(folder, 'followed.txt'), 'utf8');
  expect(followed).toContain(
    '{"title":"Type \\"{FEDORA42_PASSWORD}\\"","params":{"text":"{FEDORA42_PASSWORD}"}}',
  );
  expect(followed).not.toContain(lab.env().FEDORA42_PASSWORD);

  // What fails is the step that failed.
  expect(find('Click text "Nowhere"').error).toContain('[TEXT_NOT_FOUND]');
  expect(summary).toMatch(/^TEST FLOW:\n(?:.*\n)?.*1\. by hand\n.*2\. change\n.*3\. look for it$/m);
  expect(summary).not.toMatch(/Right-click|Park the pointer/);
  // What is read again from Playwright's own files is the same, and they hold the actions.
  for (const [name, read] of [
    ['report.json', readPlaywrightJson],
    ['blob.zip', readBlob],
  ] as const) {
    const bytes = readFileSync(join(folder, name));
    const { tests = [] } = read({ name, bytes, modifiedAt: 0 }) ?? {};
    expect(tests.map((one) => one.steps, name)).toEqual([['by hand', 'change'], ['look for it'], []]);
  }
  expect(readFileSync(join(folder, 'report.json'), 'utf8')).toContain('"title": "Right-click at 5, 700"');

  // So do film and Allure.
  const artifacts = join(folder, 'test-results/artifacts');
  const films = readdirSync(artifacts, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('-film.html'),
  );
  expect(films.length).toBe(3);
  const film = films.map((file) => readFileSync(join(artifacts, file), 'utf8')).join('');
  expect(film).toContain('{"path":["by hand","Right-click at 5, 700"]');
  expect(film).toContain('{"path":["look for it","Click text \\"Nowhere\\""]');
  const allure = readdirSync(join(folder, 'allure'))
    .filter((file) => file.endsWith('-result.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, 'allure', file), 'utf8')) as Written);
  const byHand = allure.flatMap((result) => result.steps).find(({ name }) => name === 'by hand');
  expect(byHand?.steps.map(({ name }) => name)).toEqual([
    'Press Escape',
    'Move the pointer to 300, 200',
    'Right-click at 5, 700',
  ]);
});

test('TV1: with steps off there are none, and the rest is the same', async ({}, info) => {
  const { steps, summary } = await run(info.outputPath('project'), {
    spec: SPEC,
    config: `use: { steps: 'off' },`,
  });
  expect(steps.filter(({ subtitle }) => subtitle !== undefined).map(pathOf)).toEqual([]);
  expect(steps.map(pathOf)).toContain('by hand');
  expect(summary).toMatch(/1\. by hand\n.*2\. change\n.*3\. look for it/);
});
