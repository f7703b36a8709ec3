/** Two recoveries at once: one does the work, the other waits for it and says for whom. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { tryFileLock } from '../../fixtures/process/file-lock.ts';
import { systemLeaseClock } from '../../fixtures/lease/lease.ts';
import { openJournal } from '../../runs/journal.ts';
import { identityOf } from '../../fixtures/process/identity.ts';
import { beginRun, FILES } from '../../runs/store.ts';
import { startCommand, vmwright, writeRunProject } from '../runs/command.ts';
import { runPlaywright } from '../support/runner.ts';

/** The run "night", whose process has ended in its second step. */
function crashedIn(folder: string): void {
  const { pid } = spawnSync(process.execPath, ['--version']);
  const state = join(folder, 'test-results/state/night');
  const process_ = { ...identityOf(process.pid), pid };
  beginRun(state, {
    run: 'r1',
    build: 'night',
    version: '0',
    startedAt: 1000,
    command: 'npx playwright test',
    suite: 's',
    select: ['a'],
    options: {},
    choices: {},
    groups: [],
    hosts: [{ host: 'a' }],
    coverage: [],
    process: process_,
  });
  const journal = openJournal(join(state, FILES.journal));
  const begin = { build: 'night', hosts: [{ host: 'a' }], slots: 1, command: 'x', coverage: [] };
  journal.append({ type: 'run-begin', at: 1000, run: 'r1', ...begin });
  journal.append({ type: 'test-begin', at: 1000, host: 'a', suite: 's', test: 't', retry: 0 });
  journal.append({ type: 'step-begin', at: 2000, host: 'a', title: 'log in' });
  journal.close();
}

test('P-T9: two recoveries at once: both wait for one that is at work and name it, then one does the work', async ({}, info) => {
  const folder = info.outputPath('p');
  const sessions = info.outputPath('sessions');
  const env = { VMWRIGHT_SESSIONS_DIR: sessions, VMWRIGHT_TRACE_DIR: info.outputPath('shm') };
  mkdirSync(env.VMWRIGHT_TRACE_DIR);
  writeRunProject(folder, ['a'], { 's.spec.ts': '' });
  crashedIn(folder);
  const held = tryFileLock(sessions, '.recovery.lock', { clock: systemLeaseClock });
  if (!('release' in held)) throw new Error('somebody has it');

  const dry = await vmwright(folder, ['recover', '--dry-run'], { env });
  expect(dry.stdout).toContain('run night (process');
  expect(dry.stdout).toContain('would be finished as crashed: a FAIL - crashed at step 1');

  const both = [1, 2].map(() => startCommand(folder, ['recover'], { env }));
  const waiting = new RegExp(
    `another recovery is at work \\(process ${process.pid} on \\S+, since \\S+\\); waiting up to 60 s`,
  );
  for (const command of both) await command.saw(waiting);
  expect(readdirSync(sessions).filter((name) => !name.startsWith('.'))).toEqual([]);
  held.release();
  const [first, second] = await Promise.all(both.map(({ done }) => done));
  expect([first!.exitCode, second!.exitCode]).toEqual([0, 0]);
  const words = [first!.stdout, second!.stdout].map((text) => text.split('\n').slice(1).join('\n')).sort();
  expect(words[1]).toContain('run night (process');
  expect(words[1]).toContain('was cut off and finished as crashed: a FAIL - crashed at step 1');
  expect(words[0]).toContain('nothing was left behind');
  expect(readFileSync(join(sessions, 'sessions.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1);
});

test('P-T9: a run that begins while another recovery is at work waits for its end, and then runs', async ({}, info) => {
  const folder = info.outputPath('p');
  const sessions = info.outputPath('sessions');
  const env = { VMWRIGHT_SESSIONS_DIR: sessions, VMWRIGHT_TRACE_DIR: info.outputPath('shm') };
  mkdirSync(env.VMWRIGHT_TRACE_DIR);
  const recover = new URL('../../reporters/recover.ts', import.meta.url).pathname;
  writeRunProject(
    folder,
    ['a'],
    { 's.spec.ts': `import { test } from '@playwright/test'; test('t', () => console.log('RUNS'));` },
    { config: `reporter: [['${recover}'], ['list']],` },
  );
  crashedIn(folder);
  const held = tryFileLock(sessions, '.recovery.lock', { clock: systemLeaseClock });
  if (!('release' in held)) throw new Error('somebody has it');
  const run = await runPlaywright(folder, ['test'], {
    env,
    onOutput: (text) => {
      if (text.includes('another recovery is at work')) held.release();
    },
  });
  expect(run.exitCode).toBe(0);
  const order = ['another recovery is at work', 'was cut off and finished as crashed', 'RUNS'];
  const places = order.map((words) => run.output.indexOf(words));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places[0]).toBeGreaterThanOrEqual(0);
});
