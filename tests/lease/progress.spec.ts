/** Whoever waits for a machine reads how far its holder has come. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { VmwrightError } from '../../fixtures/errors.ts';
import { Lease } from '../../fixtures/lease/lease.ts';
import { progressOf } from '../../fixtures/lease/progress.ts';
import { startLab } from '../../lab/index.ts';
import type { JournalEvent, PlannedFlow } from '../../runs/journal.ts';
import { foldJournal } from '../../runs/model.ts';
import { ProgressBoard } from '../../runs/progress.ts';
import { type LabRun, runOnLab } from '../support/lab-project.ts';
import { FakeClock, hostOf, MemoryStore, runOf } from './support/lease.ts';

const HERE = hostOf({ 100: 1000, 101: 1001, 200: 2000, 201: 2001 });

test('CL2: the step goes into the notes with each answer, without a call of its own, and is told to whoever waits', async () => {
  const store = new MemoryStore();
  const clock = new FakeClock();
  let step: string | undefined;
  const lease = await Lease.acquire(store, { self: runOf('holder'), wait: 0, clock, processes: HERE });
  lease.doing = 'a message arrives';
  lease.step = () => step;
  const seen = async (): Promise<string | undefined> => {
    store.ask(lease.record);
    const calls = store.calls;
    await lease.assertHeld('go on');
    expect(store.calls - calls).toBe(2);
    const waiting = Lease.acquire(store, {
      self: runOf('waiter', { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } }),
      wait: 0,
      clock,
      processes: HERE,
    });
    return waiting.then(
      () => 'taken',
      (error: unknown) => (error instanceof VmwrightError ? error.seen : String(error)),
    );
  };
  const words = (progress: string): string =>
    `held by run holder on ci-1, process 100, at "a message arrives"${progress}, since 2026-11-21T08:00:00.000Z`;
  expect(await seen()).toBe(words(''));
  step = 'step 4/10';
  expect(await seen()).toBe(words(', step 4/10'));
  step = 'step 11';
  expect(await seen()).toBe(words(', step 11'));
  step = undefined;
  expect(await seen()).toBe(words(''));
});

test('progress is counted as status counts it; another run’s, a test’s that is over and a broken file are none', ({}, info) => {
  const env: NodeJS.ProcessEnv = {};
  const folder = info.outputPath('state');
  const events: JournalEvent[] = [];
  let pending: (() => void)[] = [];
  const delay = (action: () => void): (() => void) => {
    pending.push(action);
    return () => (pending = []);
  };
  const board = new ProgressBoard(folder, events, { delay, env });
  const happen = (...more: JournalEvent[]): void => {
    for (const event of more) {
      events.push(event);
      board.changed();
    }
    expect(pending).toHaveLength(1);
    for (const action of pending.splice(0)) action();
  };
  const known = (): (string | undefined)[] => [
    ...['fedora42', 'debian12', 'manjaro'].map((host) => progressOf(host, process.pid, env)),
  ];
  const status = (): string[] => foldJournal(events).hosts.map(({ detail }) => detail);
  const test = { at: 0, suite: 'smoke', test: 'a message arrives', retry: 0 };
  const step = (host: string, title: string): JournalEvent => ({ type: 'step-begin', at: 0, host, title });
  const hosts = ['fedora42', 'debian12', 'manjaro'].map((host) => ({ host }));
  const flow: PlannedFlow[] = [{ suite: 'smoke', steps: ['Open', 'Log in', 'Send'], from: 'spec' }];
  const begin: JournalEvent = {
    type: 'run-begin',
    at: 0,
    build: 'b',
    hosts,
    slots: 3,
    command: 'npx playwright test',
    coverage: [],
    flow,
  };

  // A folder that cannot be written to: nobody knows anything, and nothing breaks.
  happen(begin, { type: 'test-begin', host: 'fedora42', ...test }, step('fedora42', 'Open'));
  expect(known()).toEqual([undefined, undefined, undefined]);

  mkdirSync(folder);
  happen(step('fedora42', 'Log in'), {
    type: 'test-begin',
    host: 'debian12',
    ...test,
    suite: 'cleanup.setup',
  });
  expect(known()).toEqual(['step 2/3', undefined, undefined]);
  happen(step('debian12', 'Wipe'));
  expect(known()).toEqual(['step 2/3', 'step 1', undefined]);
  expect(status()).toEqual(['in progress - step 2/3', 'in progress', 'not started']);
  // A step that is taken again is the same step; one that no plan has makes the flow longer.
  happen(step('fedora42', 'Open'));
  expect(known()[0]).toBe('step 1/3');
  happen(step('fedora42', 'Send'), step('fedora42', 'Read'));
  expect(known()[0]).toBe('step 4/4');
  expect(status()[0]).toBe('in progress - step 4/4');
  expect(progressOf('fedora42', process.pid + 1, env)).toBeUndefined();

  happen({
    type: 'test-end',
    host: 'fedora42',
    ...test,
    outcome: 'passed',
    expected: true,
    steps: [],
    durationMs: 1,
  });
  expect(known()).toEqual([undefined, 'step 1', undefined]);
  writeFileSync(join(folder, 'progress.json'), '{"debian12": "st');
  expect(known()[1]).toBeUndefined();
  happen(step('debian12', 'Copy'));
  expect(known()[1]).toBe('step 2');
  board.changed();
  board.close();
  expect(pending).toEqual([]);
  expect(known()).toEqual([undefined, undefined, undefined]);
});

test('a run that waits says at which step the other one is', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  const go = info.outputPath('go');
  const told: string[] = [];
  let waiting: Promise<LabRun> | undefined;
  const holding = await runOnLab(lab, info.outputPath('holder'), {
    spec: `
import { existsSync } from 'node:fs';
test('works', async ({ vm, startingPoint }) => {
  await test.step('one', () => undefined);
  await test.step('two', () => undefined);
  await test.step('three', async () => {
    console.log('AT THREE');
    while (!existsSync('${go}')) await vm.requireLease('go on');
  });
  await test.step('four', () => undefined);
});`,
    onOutput: (text) => {
      if (!text.includes('AT THREE')) return;
      waiting ??= runOnLab(lab, info.outputPath('waiter'), {
        spec: `test('works', async ({ vm }) => { await vm.requireLease('work'); });`,
        onOutput: (output) => {
          told.push(...output.split('\n').filter((line) => line.includes('is held by')));
          if (output.includes('step 3/4')) writeFileSync(go, '');
        },
      });
    },
  });
  expect(holding.output).toContain('1 passed');
  expect((await waiting)?.output).toContain('1 passed');
  // Told once more when the holder has gone on.
  expect(told.find((line) => line.includes('step 3/4'))?.trim()).toMatch(
    /^vmwright: VM 101 \(fedora42\) on pve is held by run \S+ on \S+, process \d+, at "works", step 3\/4, since 20\S+Z; waiting up to 1800 s more$/,
  );
  await lab.stop();
});
