import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { currentRun } from '../../cli/status.ts';
import { renderNotes } from '../../fixtures/lease/record.ts';
import { startLab } from '../../lab/index.ts';
import { openJournal } from '../../runs/journal.ts';
import { readRun } from '../../runs/read-run.ts';
import { identityOf } from '../../fixtures/process/identity.ts';
import { beginRun, clearHistory, FILES } from '../../runs/store.ts';
import { trendOf } from '../../runs/render/trend.ts';
import { recordOf, runOf } from '../lease/support/lease.ts';
import { vmwright, writeMachineProject, writeRunProject } from './command.ts';

/** A stored run of this host; one that lives is this very process's. */
function store(state: string, build: string, startedAt: number, isLive = false): void {
  const folder = join(state, build);
  const hosts = [{ host: 'a', tests: 1 }];
  const run = { run: build, build, version: '0', startedAt, command: 'x', suite: 's', select: ['a'] };
  const own = identityOf(process.pid);
  const process_ = isLive ? own : { ...own, startTime: '1' };
  const rest = { options: {}, choices: {}, groups: [], hosts, coverage: [], process: process_ };
  beginRun(folder, { ...run, ...rest });
  const journal = openJournal(join(folder, FILES.journal));
  const begin = { run: build, build, hosts, slots: 1, command: 'x', coverage: [] };
  journal.append({ type: 'run-begin', at: startedAt, ...begin });
  const of = { host: 'a', suite: 's', test: 't', retry: 0 };
  journal.append({ type: 'test-begin', at: startedAt, ...of });
  const end = { outcome: 'passed', expected: true, steps: ['one'], durationMs: 10 } as const;
  if (!isLive) {
    journal.append({ type: 'test-end', at: startedAt + 10, ...of, ...end });
    journal.append({ type: 'run-end', at: startedAt + 10, result: 'finished' });
  }
  journal.close();
}

test('T49: after `vmwright state clear` no command falls back on an earlier run, and nothing is removed', async ({}, info) => {
  const folder = info.outputPath('p');
  const state = join(folder, 'test-results/state');
  writeRunProject(folder, ['a'], {});
  store(state, 'first', Date.now() - 2000);
  store(state, 'second', Date.now() - 1000);
  expect((await vmwright(folder, ['status'])).stdout).toContain('COMPLETED');
  const files = readdirSync(state, { recursive: true }).toSorted();

  const cleared = await vmwright(folder, ['state', 'clear']);
  expect(cleared.exitCode).toBe(0);
  expect(cleared.stdout).toMatch(/^runs in \S+ that began before 20\S+Z are no history any more; --build/);
  const status = await vmwright(folder, ['status']);
  expect(status.exitCode).toBe(1);
  expect(status.stderr).toMatch(/no run in \S+ since its history was cleared at 20\S+Z/);
  const chat = { VMWRIGHT_POST_URL: 'http://127.0.0.1:9/hook' };
  expect((await vmwright(folder, ['post'], { env: chat })).stderr).toContain('since its history was cleared');
  expect((await vmwright(folder, ['status', '--build', 'second'])).stdout).toContain('COMPLETED');
  expect(readdirSync(state, { recursive: true }).toSorted()).toEqual(['cleared.json', ...files].toSorted());
});

test('what began after the marker, and what still runs, counts; a marker that cannot be read is none', ({}, info) => {
  const state = info.outputPath('state');
  store(state, 'old', 1000);
  store(state, 'live', 2000, true);
  clearHistory(state, 5000);
  const now = 6000;
  expect(currentRun({ state }, now).record.build).toBe('live');
  store(state, 'new', 5000);
  const model = readRun(join(state, 'new'), { now })!.model;
  expect(trendOf(state, model, now).map(({ build }) => build)).toEqual(['new']);
  store(state, 'live', 2000);
  expect(currentRun({ state }, now).record.build).toBe('new');
  writeFileSync(join(state, 'cleared.json'), '{"at":');
  expect(trendOf(state, model, now).map(({ build }) => build)).toEqual(['old', 'live', 'new']);
});

test('vmwright run --no-wait: a machine that another run holds fails at once, with its holder', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  const folder = info.outputPath('p');
  const holder = recordOf(runOf('4711', { host: 'ci-3', boot: 'another' }), { step: 'step 4/10' });
  lab.machine('fedora42').config.description = renderNotes('', holder);
  writeMachineProject(folder, `test('works', async ({ vm }) => { await vm.requireLease('work'); });`);
  const env = { ...lab.env(), VMWRIGHT_GATE: 'off' };
  const run = await vmwright(folder, ['run', '--all', '--no-wait', '--build-name', 'night'], { env });
  expect(run.exitCode).toBe(3);
  const log = readFileSync(join(folder, 'test-results/state/night/run.log'), 'utf8');
  expect(log).toContain('[LEASE_HELD] VM 101 (fedora42) on pve: the VM is in use');
  expect(log).toContain('held by run 4711 on ci-3, process 100, step 4/10, since');
  expect(existsSync(join(folder, 'test-results/state/night/stuck.json'))).toBe(false);
  await lab.stop();
});
