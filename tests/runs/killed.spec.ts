/** Real runs, killed or stopped in mid-work. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { replay } from '../../cli/replay.ts';
import { currentRun } from '../../cli/status.ts';
import { type JournalEvent, readJournal } from '../../runs/journal.ts';
import { formatDuration } from '../../runs/render/sections.ts';
import { startLab } from '../../lab/index.ts';
import {
  startChat,
  startCommand,
  startRunner,
  vmwright,
  writeMachineProject,
  writeRunProject,
} from './command.ts';
import { rounds, SOAK } from '../support/soak.ts';

const SPEC = `
import { test } from '@playwright/test';
for (const n of [1, 2]) {
  test('t' + n, async ({}, testInfo) => {
    testInfo.annotations.push({ type: 'run-url', description: 'https://ci.example.test/runs/' + testInfo.project.name });
    for (const step of [1, 2, 3]) await test.step('step ' + step, () => new Promise((done) => setTimeout(done, 15)));
  });
}`;

function eventsIn(file: string): readonly JournalEvent[] {
  return existsSync(file) ? readJournal(readFileSync(file, 'utf8')).events : [];
}

const KILLS = rounds(3, 60);

test(
  'A148: a real run killed at random moments: status and replay agree, nothing passes without all its results, the address stays',
  SOAK,
  async ({}, testInfo) => {
    test.setTimeout(60_000 + KILLS * 30_000);
    const folder = testInfo.outputPath('p');
    writeRunProject(folder, ['a', 'b', 'c'], { 's.spec.ts': SPEC });
    const state = join(folder, 'test-results/state');
    const journal = join(state, 'night/journal.jsonl');
    const moments = new Set<string>();
    for (let round = 0; round < KILLS; round++) {
      const before = existsSync(journal) ? readFileSync(journal, 'utf8') : '';
      const { child, exited } = startRunner(folder);
      // The moment is an event of the run, so that a busy machine does not move all kills to its start.
      const wanted = 1 + Math.floor(Math.random() * 32);
      await expect
        .poll(
          () => {
            const text = existsSync(journal) ? readFileSync(journal, 'utf8') : '';
            const isOwn = text !== '' && !before.startsWith(text.split('\n')[0] ?? '');
            return child.exitCode !== null || (isOwn && text.split('\n').length > wanted);
          },
          { timeout: 60_000, intervals: [5] },
        )
        .toBe(true);
      child.kill('SIGKILL');
      await exited;
      const events = eventsIn(journal);
      const { model } = currentRun({ state }, Date.now());
      let text = '';
      replay(join(state, 'night'), { format: 'json' }, { write: (part: string) => (text += part) });
      const replayed = JSON.parse(text) as {
        state: string;
        hosts: { host: string; status: string; detail: string }[];
      };
      expect(replayed.hosts.map(({ host, status, detail }) => ({ host, status, detail }))).toEqual(
        model.hosts.map(({ host, status, detail }) => ({ host, status, detail })),
      );
      expect(replayed.state).toBe(model.state);
      for (const { host, status } of model.hosts) {
        const passed = events.filter(
          (event) => event.type === 'test-end' && event.host === host && event.outcome === 'passed',
        );
        expect(status === 'PASS', `${host} with ${passed.length} of 2 results`).toBe(passed.length === 2);
      }
      const isWhole = events.some((event) => event.type === 'run-end');
      expect(model.state).toBe(isWhole ? 'COMPLETED' : 'TERMINATED');
      const url = events.findLast((event) => event.type === 'url');
      expect(model.url).toBe(url?.url);
      moments.add(`${events.length}`);
    }
    testInfo.annotations.push({ type: 'killed after events', description: [...moments].join(', ') });
  },
);

test('T47: a real run killed in its fourth step: TIMING has the times of the three that were over', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const spec = `
import { test } from '@playwright/test';
test('t', async () => {
  for (const [name, ms] of [['Install', 1100], ['Launch', 2100], ['Log in', 10], ['Send', 100_000]])
    await test.step(name, () => new Promise((done) => setTimeout(done, ms)));
});`;
  writeRunProject(folder, ['a'], { 's.spec.ts': spec });
  const state = join(folder, 'test-results/state');
  const journal = join(state, 'night/journal.jsonl');
  const { child, exited } = startRunner(folder);
  await expect
    .poll(() => existsSync(journal) && readFileSync(journal, 'utf8').includes('"title":"Send"'), {
      timeout: 60_000,
    })
    .toBe(true);
  child.kill('SIGKILL');
  await exited;
  const ends = eventsIn(journal).flatMap((event) => (event.type === 'step-end' ? [event] : []));
  expect(ends.map(({ title, failed }) => [title, failed])).toEqual([
    ['Install', false],
    ['Launch', false],
    ['Log in', false],
  ]);
  const durations = ends.map(({ durationMs }) => durationMs);
  expect(durations[0]).toBeGreaterThanOrEqual(1100);
  expect(durations[1]).toBeGreaterThanOrEqual(2100);
  expect(durations[2]).toBeLessThan(1100);
  const { stdout } = await vmwright(folder, ['status']);
  expect(stdout).toMatch(/^state: TERMINATED/m);
  for (const [index, title] of ['Install', 'Launch', 'Log in'].entries())
    expect(stdout.replaceAll(/ +/g, ' ')).toContain(
      `\na step ${index + 1} ${title} - ${formatDuration(durations[index]!)}\n`,
    );
  expect(stdout).not.toContain('a step 4');
});

test('P-A17: Ctrl-C in mid-test: the run is CANCELLED, nothing is posted, the machine is given back', async ({}, testInfo) => {
  test.setTimeout(120_000);
  const lab = await startLab({ guests: ['fedora42'] });
  const chat = await startChat();
  const folder = testInfo.outputPath('p');
  writeMachineProject(
    folder,
    `test('works', async ({ vm }) => {
  await test.step('waits', async () => { await new Promise((done) => setTimeout(done, 100_000)); });
});`,
  );
  const env = { ...lab.env(), ...chat.env, VMWRIGHT_GATE: 'off' };
  const notes = (): string => String(lab.machine('fedora42').config.description ?? '');
  const run = startCommand(folder, ['run', '--all', '--build-name', 'night'], { env });
  await expect
    .poll(
      () =>
        eventsIn(join(folder, 'test-results/state/night/journal.jsonl')).some(
          ({ type }) => type === 'step-begin',
        ),
      {
        timeout: 90_000,
      },
    )
    .toBe(true);
  expect(notes()).not.toBe('');
  run.child.kill('SIGINT');
  const { exitCode } = await run.done;
  // As a shell says it of a program that SIGINT ended.
  expect(exitCode).toBe(130);
  const { stdout } = await vmwright(folder, ['status'], { env });
  expect(stdout).toMatch(/^state: CANCELLED \(historical, ended/m);
  expect(stdout).toContain('fedora42 - UNKNOWN - interrupted');
  const stopped = readFileSync(join(folder, 'test-results/state/night/cancelled.json'), 'utf8');
  expect(stopped).toMatch(/^\{"at":\d+,"note":"stopped by SIGINT"\}\n$/);
  expect(chat.posts).toEqual([]);
  expect(notes()).toBe('');
  chat.close();
  await lab.stop();
});
