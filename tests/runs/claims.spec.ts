/** Several runs at once on one state folder: each has a name and a journal of its own, whoever is killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { identityOf, SILENCE_MS } from '../../fixtures/process/identity.ts';
import { claimBuild, claimName, claimOutput } from '../../runs/build-claim.ts';
import { HEARTBEAT_MS, takeClaim } from '../../runs/claim.ts';
import { readJournal } from '../../runs/journal.ts';
import { runnerState } from '../../runs/liveness.ts';
import { readRun } from '../../runs/read-run.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
import { readRecord, storedRuns } from '../../runs/store.ts';
import { hostOf } from '../lease/support/lease.ts';
import { cleanEnvironment, ROOT } from '../support/runner.ts';
import { startChat, startCommand, writeRunProject } from './command.ts';
import { begin, store } from './support.ts';
import type { Order, Report } from './support/starter.ts';
import { rounds, SOAK } from '../support/soak.ts';

const ROUNDS = rounds(30, 600);
const SEED = Number(process.env.VMWRIGHT_SEED ?? Math.floor(Math.random() * 1e9));

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A process that starts one run after the other, until it is killed. */
class Starter {
  readonly #child: ChildProcess;
  readonly reports: Report[] = [];
  #wake: () => void = () => undefined;
  isDead = false;

  constructor(env: NodeJS.ProcessEnv) {
    this.#child = fork(join(ROOT, 'tests/runs/support/starter.ts'), { execArgv: ['--import', 'tsx'], env });
    this.#child.on('message', (report: Report) => {
      this.reports.push(report);
      this.#wake();
    });
    this.#child.once('exit', () => {
      this.isDead = true;
      this.#wake();
    });
  }

  send(order: Order): void {
    this.reports.length = 0;
    this.#child.send(order);
  }

  async until(isReached: () => boolean): Promise<void> {
    while (!isReached() && !this.isDead) await new Promise<void>((done) => (this.#wake = done));
  }

  async kill(): Promise<void> {
    if (this.isDead) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

interface Journal {
  readonly folder: string;
  readonly lines: number;
}

/** Every journal below `state`, those of earlier runs too, by the run that wrote it. */
function journalsIn(state: string): { byRun: Map<string, Journal>; faults: string[] } {
  const byRun = new Map<string, Journal>();
  const faults: string[] = [];
  const files = readdirSync(state, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of files) {
    if (name !== 'journal.jsonl') continue;
    const { events, faults: broken } = readJournal(readFileSync(join(parentPath, name), 'utf8'));
    faults.push(...broken.map((fault) => `${parentPath}: ${fault}`));
    const runs = new Set(
      events.flatMap((event) =>
        'host' in event ? (event.host ?? []) : event.type === 'run-begin' ? (event.run ?? []) : [],
      ),
    );
    const [run = 'none'] = runs;
    if (runs.size > 1) faults.push(`${parentPath} holds ${[...runs].join(', ')}`);
    if (events.length > 0 && readRecord(parentPath)?.run !== run)
      faults.push(
        `${parentPath}: the record is of ${readRecord(parentPath)?.run ?? 'none'}, the journal of ${run}`,
      );
    if (events.length > 0 && byRun.has(run)) faults.push(`${run} has two journals`);
    byRun.set(run, { folder: parentPath, lines: events.length });
    const posted = join(parentPath, 'posted.json');
    if (existsSync(posted) && (JSON.parse(readFileSync(posted, 'utf8')) as { run: string }).run !== run)
      faults.push(`${parentPath}: another run's post`);
  }
  return { byRun, faults };
}

test(
  `VE9: ${ROUNDS} random interleavings of starters, kills and recoveries on one state folder: no journal is lost, no result under another run's name`,
  SOAK,
  async ({}, info) => {
    test.setTimeout(120_000 + ROUNDS * 3_000);
    info.annotations.push({ type: 'seed', description: `VMWRIGHT_SEED=${SEED}` });
    const next = random(SEED);
    const upTo = (count: number): number => Math.floor(next() * count);
    const state = info.outputPath('state');
    mkdirSync(info.outputPath('shm'));
    const env = {
      ...cleanEnvironment(/^(CI_|GITHUB_|NODE_OPTIONS)/),
      VMWRIGHT_SESSIONS_DIR: info.outputPath('sessions'),
      VMWRIGHT_TRACE_DIR: info.outputPath('shm'),
    };
    const idle: Starter[] = [];
    const wrote = new Map<string, { lines: number; build: string }>();
    let kills = 0;
    let number = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const count = 2 + upTo(4);
      while (idle.length < count + 1) idle.push(new Starter(env));
      const names = next() < 0.5 ? ['night'] : ['night', 'day', undefined];
      const starters = idle.splice(0, count).map((starter) => ({
        starter,
        run: `run-${++number}`,
        given: names[upTo(names.length)],
        steps: upTo(12),
        // The moment is something that it said, so that a busy machine does not move all kills to the beginning.
        killedAt: next() < 0.35 ? upTo(12) : Infinity,
      }));
      await Promise.all(
        starters.map(async ({ starter, run, given, steps, killedAt }) => {
          await starter.until(() => starter.reports.some(({ is }) => is === 'ready' || is === 'done'));
          starter.send({ do: 'start', state, run, given, steps });
          await starter.until(
            () => starter.reports.length >= killedAt || starter.reports.some(({ is }) => is === 'done'),
          );
          if (killedAt !== Infinity) {
            kills++;
            await starter.kill();
          }
        }),
      );
      if (next() < 0.3) {
        const recoverer = idle[0]!;
        await recoverer.until(() => recoverer.reports.length > 0);
        recoverer.send({ do: 'recover', state });
        if (next() < 0.5) await recoverer.until(() => recoverer.reports.length > 0);
      }
      for (const { starter, run, given } of starters) {
        const last = starter.reports.at(-1);
        for (const report of starter.reports)
          if (report.is === 'wrote') wrote.set(report.run, { lines: report.lines, build: report.build });
        if (last?.is === 'done') {
          expect(last.seen, `round ${round}, named ${given ?? 'nothing'}`).toBe(`${run} COMPLETED ${run}`);
          expect(wrote.get(run)?.build).toBe(last.build);
        }
        if (!starter.isDead) idle.push(starter);
      }
    }
    await Promise.all(idle.map((starter) => starter.kill()));
    const { byRun, faults } = journalsIn(state);
    expect(faults).toEqual([]);
    for (const [run, { lines, build }] of wrote) {
      const found = byRun.get(run);
      expect(found, `${run} (${build}) has no journal`).toBeDefined();
      // A line may have been written that its writer could not tell of any more.
      expect([lines, lines + 1], run).toContain(found!.lines);
      expect(found!.folder).toMatch(new RegExp(`/${build}(/|$)`));
    }
    expect(kills).toBeGreaterThan(ROUNDS / 4);
    info.annotations.push({ type: 'runs', description: `${wrote.size} runs, ${kills} kills` });
  },
);

test('VE9: a folder whose runner lives is not touched; when it is gone the name is free, and its journal is kept', ({}, info) => {
  const state = info.outputPath('state');
  const taken = claimBuild(state, 'night', { run: 'r1', part: {} });
  if (!('claim' in taken)) throw new Error('it was free');
  store(join(state, 'night'), [begin([{ host: 'a' }], { run: 'r1' })], { run: 'r1', build: 'night' });
  const before = readFileSync(join(state, 'night/journal.jsonl'), 'utf8');

  expect(claimBuild(state, 'night', { run: 'r2', part: {} })).toMatchObject({
    holder: { run: 'r1', process: identityOf(process.pid) },
  });
  // One run id twice, as a pipeline gives it to two jobs: the journal belongs to the one that writes it.
  expect(claimBuild(state, 'night', { run: 'r1', part: {} })).toHaveProperty('holder');
  const said: string[] = [];
  const say = (line: string): unknown => said.push(line);
  const naming = { stateFolder: state, run: 'r2', part: {}, given: 'night', fallback: 'smoke-1', say };
  const second = claimName(naming);
  const third = claimName({ ...naming, run: 'r3' });
  expect([second.build, third.build]).toEqual(['smoke-1', 'smoke-1-2']);
  expect(said[0]).toContain(`a live run is named "night" (process ${process.pid})`);
  expect(readFileSync(join(state, 'night/journal.jsonl'), 'utf8')).toBe(before);

  taken.claim.release();
  expect(claimBuild(state, 'night', { run: 'r2', part: {} })).toHaveProperty('claim');
  expect(existsSync(join(state, 'night/journal.jsonl'))).toBe(false);
  const kept = readdirSync(join(state, '.earlier/night'));
  expect(kept).toHaveLength(1);
  expect(readFileSync(join(state, '.earlier/night', kept[0]!, 'journal.jsonl'), 'utf8')).toBe(before);
  for (const { claim } of [second, third]) claim.release();
});

test('VE9: real runs at once, two of one name and two without: one has the name, each stores, tells and posts its own machine', async ({}, info) => {
  test.setTimeout(180_000);
  const folder = info.outputPath('p');
  writeRunProject(folder, ['a', 'b', 'c', 'd'], {
    'smoke.spec.ts': `
import { expect, test } from '@playwright/test';
test('t', async ({}, info) => {
  await new Promise((done) => setTimeout(done, 3_000));
  expect(['a', 'c']).toContain(info.project.name);
});`,
  });
  const chat = await startChat();
  const env = { ...chat.env, VMWRIGHT_GATE: 'off' };
  const start = async (host: string, ...name: string[]) => ({
    host,
    ...(await startCommand(folder, ['run', '--vms', host, ...name], { env }).done),
  });
  const named = ['--build-name', 'night'];
  const runs = await Promise.all([start('a', ...named), start('b', ...named), start('c'), start('d')]);
  chat.close();
  const refused = runs.filter(({ output }) => output.includes('RUN_ACTIVE'));
  expect(refused).toHaveLength(1);
  expect(['a', 'b']).toContain(refused[0]?.host);
  const verdict = (host: string): string => (['a', 'c'].includes(host) ? 'COMPLETED' : 'FAILED');
  const ran = runs.filter((run) => !refused.includes(run)).map(({ host }) => host);
  const state = join(folder, 'test-results/state');
  const stored = storedRuns(state).map(({ folder: own }) => readRun(own, { now: Date.now() })!.model);
  expect(
    stored.map((model) => `${model.hosts.map(({ host }) => host).join()} ${model.state}`).sort(),
  ).toEqual(ran.map((host) => `${host} ${verdict(host)}`).sort());
  const builds = stored.map(({ build }) => build).sort();
  // An unnamed one is called by suite or selection, and time.
  const unnamed = builds.filter((build) => build !== 'night');
  for (const build of unnamed) expect(build).toMatch(/^\w+-\d{8}-\d{6}(?:-2)?$/);
  expect(new Set(builds).size).toBe(3);
  const results = join(folder, 'test-results');
  const summaries = readdirSync(results).filter((name) => name.startsWith('summary'));
  const told = summaries.map((name) => readFileSync(join(results, name, 'summary.md'), 'utf8'));
  for (const model of stored) {
    const own = renderMarkdown(model, { now: 0 });
    expect(chat.posts.filter((text) => text === own)).toHaveLength(1);
    expect(told).toContain(own);
  }
  expect([chat.posts.length, told.length]).toEqual([3, 3]);
});

test('VE9: the parts of one run share its folder, and nobody writes the whole meanwhile', ({}, info) => {
  const state = info.outputPath('state');
  const shard = (current: number) => ({ shard: { current, total: 2 } });
  const lead = claimBuild(state, 'b', { run: 'r' });
  const one = claimBuild(state, 'b', { run: 'r', part: shard(1) });
  const two = claimBuild(state, 'b', { run: 'r', part: shard(2) });
  for (const taken of [lead, one, two]) expect(taken).toHaveProperty('claim');
  expect(claimBuild(state, 'b', { run: 'r', part: shard(1) })).toHaveProperty('holder');
  expect(claimBuild(state, 'b', { run: 'r', part: {} })).toHaveProperty('holder');
  expect(claimBuild(state, 'b', { run: 'other' })).toHaveProperty('holder');
  for (const taken of [lead, one, two]) if ('claim' in taken) taken.claim.release();
  expect(claimBuild(state, 'b', { run: 'other' })).toHaveProperty('claim');
});

test('VE9: two live runs never write into one output folder', ({}, info) => {
  const folder = info.outputPath('summary');
  const cleared: string[] = [];
  const take = (run: string) =>
    claimOutput(folder, { run, part: '' }, `build-${run}`, (path) => cleared.push(path));
  const first = take('1');
  expect(take('2').folder).toBe(`${folder}-build-2`);
  expect(take('2').folder).toBe(`${folder}-build-2-2`);
  first.claim.release();
  expect(take('3').folder).toBe(folder);
  expect(cleared).toEqual([folder, `${folder}-build-2`, `${folder}-build-2-2`, folder]);
});

test('who cannot be seen holds its folder until its heartbeat is five minutes old; a dead one that is seen, not at all', ({}, info) => {
  const folder = info.outputPath('state/b');
  const container = hostOf({ 7: 70 }, { pidns: 'pid:[2]' });
  const here = hostOf({}, { pidns: 'pid:[1]' });
  const inside = takeClaim(folder, { run: 'r1', part: '', view: container, pid: 7 });
  expect(inside).toHaveProperty('claim');
  expect(takeClaim(folder, { run: 'r2', view: here, pid: 8 })).toHaveProperty('holder');
  const [file = ''] = readdirSync(join(folder, '.claim'));
  const seconds = (ms: number): number => (Date.now() - ms) / 1000;
  const aged = (ms: number): void => utimesSync(join(folder, '.claim', file), seconds(ms), seconds(ms));
  aged(SILENCE_MS - 5_000);
  expect(takeClaim(folder, { run: 'r2', view: here, pid: 8 })).toHaveProperty('holder');
  aged(SILENCE_MS + 5_000);
  expect(takeClaim(folder, { run: 'r2', view: here, pid: 8 })).toHaveProperty('claim');
  expect(SILENCE_MS).toBeGreaterThanOrEqual(10 * HEARTBEAT_MS);

  const dead = info.outputPath('state/dead');
  takeClaim(dead, { run: 'r1', view: hostOf({ 7: 70 }), pid: 7 });
  expect(takeClaim(dead, { run: 'r2', view: hostOf({}), pid: 8 })).toHaveProperty('claim');
  expect(runnerState({ ...identityOf(process.pid), pidNamespace: 'pid:[2]' }, dead)).toBe('unknown');
});
