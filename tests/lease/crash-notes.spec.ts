/** The run after one that was killed says so in its summary. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startRunner, vmwright, writeRunProject } from '../runs/command.ts';
import { ROOT, runPlaywright } from '../support/runner.ts';

const SPEC = `
import { test } from '@playwright/test';
test('t', async () => {
  await test.step('log in', () => {});
  await test.step('send', () => process.env.STOP ? new Promise((done) => setTimeout(done, 100_000)) : undefined);
});`;

/** A project whose run "night" was killed in its second step. */
async function crashedIn(folder: string): Promise<void> {
  const reporters = ['recover', 'summary'].map((name) => [`${ROOT}/reporters/${name}.ts`]);
  writeRunProject(
    folder,
    ['a'],
    { 's.spec.ts': SPEC },
    { config: `reporter: [...${JSON.stringify(reporters)}, ['blob']],` },
  );
  const { child, exited } = startRunner(folder, { STOP: '1' });
  const journal = join(folder, 'test-results/state/night/journal.jsonl');
  await expect
    .poll(() => existsSync(journal) && /"step-begin".*"send"/.test(readFileSync(journal, 'utf8')), {
      timeout: 60_000,
    })
    .toBe(true);
  child.kill('SIGKILL');
  await exited;
}

const NOTE = /^run night \(process \d+\) was cut off and finished as crashed: a FAIL - crashed at step 2/m;

function notesIn(folder: string): string {
  const text = readFileSync(join(folder, 'test-results/summary/summary.txt'), 'utf8');
  return text.slice(text.indexOf('\nNOTES'));
}

test('vmwright run of the same name: the crash is in its NOTES, once, though its folder was cleared', async ({}, info) => {
  test.slow(); // four runners
  const folder = info.outputPath('p');
  await crashedIn(folder);
  const run = (): Promise<{ stdout: string; exitCode: number }> =>
    vmwright(folder, ['run', '--all', '--build-name', 'night'], { env: { VMWRIGHT_GATE: 'off' } });
  const next = await run();
  expect(next.exitCode).toBe(0);
  expect(notesIn(folder)).toMatch(NOTE);
  await run();
  expect(notesIn(folder)).not.toContain('crashed');
});

test('a sharded run: the crash that a shard found is in the NOTES of the merged summary', async ({}, info) => {
  test.slow(); // three runners
  const folder = info.outputPath('p');
  await crashedIn(folder);
  await runPlaywright(folder, ['test', '--shard=1/1'], { env: { VMWRIGHT_BUILD_NAME: 'next' } });
  await runPlaywright(folder, ['merge-reports', '--config=playwright.config.ts', 'blob-report']);
  expect(notesIn(folder)).toMatch(NOTE);
});
