import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT, runPlaywright, type RunnerResult, writeProject } from '../support/runner.ts';

const config = (extra = ''): string => `
import { defineConfig } from '@playwright/test';
const host = (name, facts = {}) => ({ name, metadata: { vmwright: { host: name, family: 'f', ...facts } } });
export default defineConfig({
  outputDir: 'test-results/artifacts',
  reporter: [['${ROOT}/reporters/summary.ts']],
  projects: [host('alpha'), host('beta'), host('gamma', { skip: 'RE-CREATE MIGHT BE NEEDED' }), { name: 'plain' }],
  ${extra}
});`;

const spec = `
import { expect, test } from '@playwright/test';
test('smoke', async ({}, testInfo) => {
  test.skip(testInfo.project.name === 'gamma', 'RE-CREATE MIGHT BE NEEDED');
  testInfo.annotations.push({ type: 'kernel', description: '6.1.0-' + testInfo.project.name });
  await test.step('Start the application', async () => { await test.step('inner', () => {}); });
  await test.step('Log in', () => {
    if (testInfo.project.name === 'beta') throw new Error('the password hunter2-value was refused | twice');
  });
  await test.step('Send a message', () => {});
});`;

interface Run extends RunnerResult {
  readonly markdown: string;
}

async function run(
  folder: string,
  files: Record<string, string>,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Run> {
  writeProject(folder, files);
  const result = await runPlaywright(folder, ['test', ...args], {
    env: { APP_PASSWORD: 'hunter2-value', ...env },
  });
  const file = join(folder, 'test-results/summary/summary.md');
  return { ...result, markdown: existsSync(file) ? readFileSync(file, 'utf8') : '' };
}

test('A97, A103, P-A4: a real run gives a row a machine with kernel, verdict and failing step', async ({}, testInfo) => {
  const { exitCode, stdout, markdown } = await run(
    testInfo.outputPath('project'),
    { 'playwright.config.ts': config(), 'smoke.spec.ts': spec },
    [],
    { VMWRIGHT_BUILD_NAME: 'smoke-1' },
  );
  expect(exitCode).toBe(1);
  expect(markdown.split('\n')[1]).toBe('### smoke-1');
  const step = String.raw`step 2 "Log in" - the password {APP_PASSWORD} was refused \| twice`;
  expect(markdown).toContain(`| alpha | 6.1.0-alpha | ✅ PASS | completed |
| beta | 6.1.0-beta | ⚠️ FAIL | ${step} |
| gamma | unknown | ⏭️ SKIP | RE-CREATE MIGHT BE NEEDED |`);
  expect(markdown).toContain('- 1. Start the application\n- 2. Log in\n- 3. Send a message\n');
  expect(markdown).not.toContain('| plain |');
  expect(stdout).toContain('alpha - PASS\nbeta - FAIL - step 2 "Log in"');
  expect(markdown).toContain('- command: npx playwright test');
});

test('no secret of the environment reaches summary, journal or terminal', async ({}, testInfo) => {
  const folder = testInfo.outputPath('project');
  const { markdown, stdout } = await run(
    folder,
    { 'playwright.config.ts': config(), 'smoke.spec.ts': spec },
    ['--project=beta'],
    { VMWRIGHT_BUILD_NAME: 'b' },
  );
  const journal = readFileSync(join(folder, 'test-results/state/b/journal.jsonl'), 'utf8');
  for (const text of [markdown, stdout, journal]) {
    expect(text).toContain('{APP_PASSWORD}');
    expect(text).not.toContain('hunter2-value');
  }
});

test('a run in which no test was executed never passes', async ({}, testInfo) => {
  const { markdown } = await run(
    testInfo.outputPath('project'),
    {
      'playwright.config.ts': config(`globalSetup: './setup.ts',`),
      'setup.ts': `export default () => { throw new Error('the lab did not start'); };`,
      'smoke.spec.ts': spec,
    },
    ['--project=alpha'],
  );
  expect(markdown).toContain('| alpha | unknown | ❔ UNKNOWN | no test was executed |');
  expect(markdown).toContain('the lab did not start');
});

test('a flaky machine passes and says on which retry', async ({}, testInfo) => {
  const { exitCode, markdown } = await run(
    testInfo.outputPath('project'),
    {
      'playwright.config.ts': config('retries: 2,'),
      'smoke.spec.ts': `
import { expect, test } from '@playwright/test';
test('smoke', async ({}, testInfo) => { expect(testInfo.retry).toBe(1); });`,
    },
    ['--project=alpha'],
  );
  expect(exitCode).toBe(0);
  expect(markdown).toContain('| alpha | unknown | ✅ PASS | completed (passed on retry 1) |');
  expect(markdown).toContain('- flaky: alpha');
});

test('blobs of two machines merge into one summary', async ({}, testInfo) => {
  const folder = testInfo.outputPath('project');
  writeProject(folder, { 'playwright.config.ts': config(), 'smoke.spec.ts': spec });
  for (const project of ['alpha', 'beta']) {
    const args = ['test', `--project=${project}`, '--reporter=blob'];
    const env = {
      PLAYWRIGHT_BLOB_OUTPUT_FILE: join(folder, `blobs/${project}.zip`),
      APP_PASSWORD: 'x-unused',
    };
    await runPlaywright(folder, args, { env });
  }
  const merged = await runPlaywright(folder, ['merge-reports', '--config=playwright.config.ts', 'blobs']);
  expect(merged.stderr).not.toContain('vmwright summary:');
  const markdown = readFileSync(join(folder, 'test-results/summary/summary.md'), 'utf8');
  expect(markdown).toContain('| alpha | 6.1.0-alpha | ✅ PASS | completed |');
  expect(markdown).toContain('| beta | 6.1.0-beta | ⚠️ FAIL | step 2 "Log in"');
});

test('a fault of the reporter is said and does not turn the run red', async ({}, testInfo) => {
  const { exitCode, stderr } = await run(
    testInfo.outputPath('project'),
    {
      'playwright.config.ts': config(),
      'smoke.spec.ts': spec,
      'test-results/summary': 'a file where the folder should be',
    },
    ['--project=alpha'],
  );
  expect(stderr).toContain('vmwright summary:');
  expect(exitCode).toBe(0);
});

test('repetitions of a test are told apart', async ({}, testInfo) => {
  const { markdown } = await run(
    testInfo.outputPath('project'),
    { 'playwright.config.ts': config(), 'smoke.spec.ts': spec },
    ['--project=alpha', '--repeat-each=3'],
  );
  expect(markdown).toContain('_state: COMPLETED');
  expect(markdown).toContain('| alpha | 6.1.0-alpha | ✅ PASS | completed |');
});
