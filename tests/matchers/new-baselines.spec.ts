/**
 * New baselines in the project that `vmwright init` makes, through the real runner: a typing error in a name is one.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { run as runProcess } from '../package/support/consumer.ts';
import { ROOT, runPlaywright, type RunnerResult, writeProject } from '../support/runner.ts';

/** Of init's matrix; nothing is asked of it. */
const MACHINE = 'fedora42';
const BASELINES = `specs/__screenshots__/${MACHINE}`;
const SPEC = `
import { expect as base, test } from '@playwright/test';
import { screenHasScreenshot } from ${JSON.stringify(`${ROOT}/fixtures/matchers/to-have-screenshot.ts`)};
import { desktop } from ${JSON.stringify(`${ROOT}/tests/matchers/support/desktop.ts`)};
import { ScriptedScreen } from ${JSON.stringify(`${ROOT}/tests/matchers/support/screen.ts`)};
const expect = base.extend({
  toHaveScreenshot(screen, name, options) { return screenHasScreenshot(this, screen, name, options); },
});
test('the log-in form', async () => {
  const screen = new ScriptedScreen([desktop()]);
  await expect(screen).toHaveScreenshot('logn.png');
  await expect(screen).toHaveScreenshot('main.png');
  console.log('WENT ON');
});`;

/** init's project on vmwright's sources in place of the package, which is not built here. */
async function initialised(folder: string): Promise<void> {
  const made = await runProcess(
    ROOT,
    process.execPath,
    ['--import', 'tsx', 'cli/main.ts', 'init', folder],
    {},
  );
  expect(made.exitCode, made.output).toBe(0);
  const ours = (text: string): string =>
    text
      .replaceAll("'vmwright/matrix'", `'${ROOT}/fixtures/matrix.ts'`)
      .replaceAll("'vmwright/lab'", `'${ROOT}/lab/package.ts'`)
      .replaceAll("'vmwright/reporter'", `'${ROOT}/reporters/summary.ts'`)
      .replaceAll(/'vmwright\/reporters\/(\w+)'/g, `'${ROOT}/reporters/$1.ts'`);
  const files: Record<string, string> = { 'specs/smoke.spec.ts': SPEC };
  for (const name of ['playwright.config.ts', 'vm-matrix.ts', 'package.json'])
    files[name] = ours(readFileSync(join(folder, name), 'utf8'));
  writeProject(folder, files);
}

interface Run extends RunnerResult {
  readonly notes: string;
  readonly written: readonly boolean[];
}

async function run(folder: string, env: Record<string, string | undefined>, ...args: string[]): Promise<Run> {
  const result = await runPlaywright(folder, ['test', `--project=${MACHINE}`, ...args], {
    // No lab is started: the spec's screen is its own.
    env: { PROXMOX_HOST: '127.0.0.1', ...env },
  });
  const summary = readFileSync(join(folder, 'test-results/summary/summary.txt'), 'utf8');
  return {
    ...result,
    notes: summary.slice(summary.indexOf('\nNOTES:')),
    written: ['logn.png', 'main.png'].map((name) => existsSync(join(folder, BASELINES, name))),
  };
}

/** Whatever CI the outer run is in. */
const AT_HOME = { CI: undefined };

test("VE5: in init's project a missing baseline is written and its test fails, in CI it fails alone", async ({}, info) => {
  const folder = info.outputPath('project');
  await initialised(folder);
  expect(readFileSync(join(folder, 'playwright.config.ts'), 'utf8')).not.toContain("'missing'");
  const inCi = await run(folder, { CI: '1' });
  expect(inCi.exitCode).toBe(1);
  expect(inCi.written).toEqual([false, false]);
  expect(inCi.output).toContain(`A snapshot doesn't exist at ${join(folder, BASELINES, 'logn.png')}.`);
  expect(inCi.output).not.toContain('writing actual');

  const first = await run(folder, AT_HOME, '--retries=2');
  expect(first.exitCode).toBe(1);
  expect(first.written).toEqual([true, true]);
  for (const name of ['logn.png', 'main.png']) {
    const said = `A snapshot doesn't exist at ${join(folder, BASELINES, name)}, writing actual.`;
    expect(first.output, 'all are written in one run').toContain(said);
  }
  expect(first.output).toContain('WENT ON');
  expect(first.output, 'a second try would pass on what the first wrote').not.toMatch(/retry #1|flaky/i);
  expect((await run(folder, AT_HOME)).exitCode).toBe(0);
});

test("VE5: with 'missing' new baselines pass, and are listed in terminal and summary", async ({}, info) => {
  const folder = info.outputPath('project');
  await initialised(folder);
  const config = join(folder, 'playwright.config.ts');
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.replace(/\.\.\.\(CI === undefined .*\),\n/, "updateSnapshots: 'missing',\n"));
  const first = await run(folder, AT_HOME);
  expect(first.exitCode, first.output).toBe(0);
  expect(first.written).toEqual([true, true]);
  const [inTests = ''] = first.output.split('\nSUMMARY:');
  for (const name of ['logn.png', 'main.png']) {
    const line = `a new baseline, writing actual: ${BASELINES}/${name}`;
    expect(inTests).toContain(line);
    expect(first.notes).toContain(`${MACHINE}: ${line}`);
  }
  const second = await run(folder, AT_HOME);
  expect(second.exitCode).toBe(0);
  expect(second.output).not.toContain('new baseline');
});
