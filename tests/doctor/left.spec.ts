/** What runs and PVE left behind, as the doctor tells it. */
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { renderNotes } from '../../fixtures/lease/record.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { recordOf, runOf } from '../lease/support/lease.ts';
import { runDoctor } from './support/command.ts';

// The environment is the process's.
test.describe.configure({ mode: 'serial' });

let lab: Lab;
test.beforeEach(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterEach(async () => {
  await lab.stop();
});

const only = { project: ['fedora42'] };

test('P-T11: a lease of elsewhere, a lock that no task holds, a half-made and a half-removed snapshot, a trace of nobody', async ({}, info) => {
  const shm = info.outputPath('shm');
  mkdirSync(shm, { recursive: true });
  const env = { VMWRIGHT_TRACE_DIR: shm, VMWRIGHT_SESSIONS_DIR: info.outputPath('sessions') };
  const machine = lab.machine('fedora42');
  const sound = await runDoctor(lab, only, env);
  expect(sound.row('fedora42', 'lease')).toBe('ok free');
  expect(sound.row('fedora42', 'snapshot')).toBe('');
  expect(sound.row('controller', 'crashes')).toContain('ok every run that was cut off is finished');

  machine.config.description = renderNotes('', recordOf(runOf('4711', { host: 'ci-3', boot: 'another' })));
  machine.lock = 'snapshot';
  const ready = machine.snapshots.get('ready')!;
  for (const [name, snapstate] of [
    ['before-update', 'prepare'],
    ['old', 'delete'],
  ] as const)
    machine.snapshots.set(name, { ...ready, name, snapstate });
  const nobody = join(shm, 'vmwright_trace_2147483646.jsonl');
  writeFileSync(nobody, '{}\n');
  utimesSync(nobody, 1000, 1000);
  const before = lab.requests.length;
  const run = await runDoctor(lab, only, env);
  expect(run.row('fedora42', 'lease')).toMatch(/^warning held by run 4711 on ci-3, process 100, since /);
  expect(run.row('fedora42', 'VM')).toMatch(
    /^problem .*locked: snapshot -> no running task is seen that holds it .*qm unlock 101/,
  );
  expect(run.row('fedora42', 'snapshot').split('\n')).toEqual([
    'problem snapshot "before-update" was left half made (prepare) -> qm delsnapshot 101 before-update --force, on pve',
    'problem snapshot "old" was left half removed (delete) -> qm delsnapshot 101 old --force, on pve',
  ]);
  expect(run.row('controller', 'crashes')).toContain(`${nobody} is left alone: nobody is enrolled for it`);
  expect(run.code).toBe(1);
  expect(lab.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
  expect(readdirSync(shm)).toHaveLength(1);
});

test('a snapshot in the making is no problem: its task holds the lock', async () => {
  const machine = lab.machine('fedora42');
  let finish = (): void => undefined;
  const made = new Promise<undefined>((done) => {
    finish = () => done(undefined);
  });
  lab.tasks.start('qmsnapshot', '101', lab.access.tokenId, () => made);
  machine.lock = 'snapshot';
  machine.snapshots.set('new', { ...machine.snapshots.get('ready')!, name: 'new', snapstate: 'prepare' });
  const run = await runDoctor(lab, only);
  finish();
  expect(run.row('fedora42', 'VM')).toMatch(
    /^warning .*locked: snapshot, by UPID:pve:.*:qmsnapshot:101:.* -> wait for that task/,
  );
  expect(run.row('fedora42', 'snapshot')).toBe('');
});
