/**
 * The guards of requirements E11: what each prevents, and how to take it out.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Collect from '../../runs/evidence/collect.ts';
import type * as Text from '../../runs/evidence/foreign/text.ts';
import type { JournalEvent, PlannedHost } from '../../runs/journal.ts';
import type * as Model from '../../runs/model.ts';
import type * as Post from '../../runs/post.ts';
import type * as ReadRun from '../../runs/read-run.ts';
import { beginRun } from '../../runs/store.ts';
import type { Mutation } from '../support/mutant.ts';
import { begin, ended, over, recordOf, started, store } from './support.ts';

/** The parts of the reporters that give verdicts, from this repository or a copy with a guard taken out. */
export interface Verdicts {
  readonly model: typeof Model;
  readonly collect: typeof Collect;
  readonly readRun: typeof ReadRun;
  readonly post: typeof Post;
  readonly text: typeof Text;
}

export async function loadVerdicts(root: string): Promise<Verdicts> {
  const load = async (file: string): Promise<unknown> => import(pathToFileURL(join(root, 'runs', file)).href);
  return {
    model: (await load('model.ts')) as typeof Model,
    collect: (await load('evidence/collect.ts')) as typeof Collect,
    readRun: (await load('read-run.ts')) as typeof ReadRun,
    post: (await load('post.ts')) as typeof Post,
    text: (await load('evidence/foreign/text.ts')) as typeof Text,
  };
}

export interface Guard {
  /** What would be wrong without it. */
  readonly name: string;
  /** What the reporters say of the case; a machine's status, or the run's state. */
  readonly says: (verdicts: Verdicts, folder: string) => string;
  readonly expected: string;
  readonly mutation: Mutation;
}

const host = 'runs/verdict.ts';
const attempts = 'runs/attempts.ts';
const collectFile = 'runs/evidence/collect.ts';
const one: readonly PlannedHost[] = [{ host: 'a' }];
const START = 1_000;
const AT = 600_000;

/** Statuses of the machines of a journal, all over. */
const fold =
  (...events: JournalEvent[]) =>
  ({ model }: Verdicts): string =>
    statuses(model.foldJournal(events));

function statuses(model: Model.RunModel): string {
  return model.hosts.map(({ status }) => status).join();
}

/** Statuses of the machines `a`, `b`... that a run has when these files are what is left of it. */
const rebuild =
  (files: Readonly<Record<string, unknown>>, hosts = ['a'], modifiedAt = AT) =>
  ({ collect, model }: Verdicts): string => {
    const evidence = Object.entries(files).map(([name, content]) => {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      return collect.evidenceOf({ name, bytes: Buffer.from(text), modifiedAt });
    });
    const plan = {
      build: 'b',
      run: 'r',
      hosts: hosts.map((name) => ({ host: name })),
      startedAt: START,
      command: 'c',
    };
    return statuses(model.foldJournal(collect.collect(plan, evidence)));
  };

const result = (state: string, more: object = {}, name = 'Log in'): object => ({
  metadata: { host: 'a', suite: 'smoke', ...more },
  tests: [{ name, state }],
});
const junit = (suite: string, cases = ''): string =>
  `<testsuites><testsuite ${suite}>${cases}</testsuite></testsuites>`;
/** One attempt at a test, in Playwright's JSON. */
const attempt = (status: 'passed' | 'failed', retry = 0): object => ({
  status,
  retry,
  errors: status === 'failed' ? [{ message: 'no' }] : [],
  duration: 1,
  startTime: new Date(START + 10 * (retry + 1)).toISOString(),
});
const playwrightJson = (file: string, results: readonly object[]): object => ({
  config: {},
  stats: { startTime: new Date(START + 10).toISOString(), duration: 10 },
  suites: [
    {
      title: 'f',
      specs: [
        {
          title: 'one',
          file,
          tests: [test([attempt('passed')])],
        },
        { title: 'two', file, tests: [test(results)] },
      ],
    },
  ],
});
function test(results: readonly object[]): object {
  return { projectName: 'a', expectedStatus: 'passed', annotations: [], results };
}

const gone = { now: 30_000, processState: () => 'gone' as const };
const alive = { now: 30_000, processState: () => 'alive' as const };

/** State and statuses of a stored run. */
function stored(verdicts: Verdicts, folder: string, options: ReadRun.ReadOptions = gone): string {
  const run = verdicts.readRun.readRun(folder, options);
  return run === undefined ? 'no run' : `${run.model.state} ${statuses(run.model)}`;
}

const passing: JournalEvent[] = [begin([{ host: 'a', tests: 1 }]), started('a'), ended('a', 'passed'), over];

/** The first of two shards has reported. */
const oneShardOfTwo: Guard['says'] = (verdicts, folder) => {
  const scope = [1, 2].map((shard) => ({ host: `h${shard}`, tests: 1, shard }));
  beginRun(folder, recordOf({ shards: 2 }));
  const shard = { current: 1, total: 2 };
  store(join(folder, 'shards/1-of-2'), [begin(scope, { shard }), ended('h1', 'passed'), over], {
    shards: 2,
  });
  return stored(verdicts, folder);
};

export const GUARDS: readonly Guard[] = [
  {
    name: 'a failed test fails its machine',
    says: fold(begin(one), ended('a', 'passed'), ended('a', 'failed', { test: 'u' }), over),
    expected: 'FAIL',
    mutation: { file: host, find: 'if (failure !== undefined) {', replace: 'if (false as boolean) {' },
  },
  {
    name: 'a test that should have failed and passed fails its machine',
    says: fold(begin(one), ended('a', 'passed', { expected: false }), over),
    expected: 'FAIL',
    mutation: {
      file: attempts,
      find: 'return !end.expected && end.outcome',
      replace: `return end.outcome !== 'passed' && end.outcome`,
    },
  },
  {
    name: 'a test that is meant to fail and does is no failure',
    says: fold(begin(one), ended('a', 'failed', { expected: true }), over),
    expected: 'PASS',
    mutation: {
      file: attempts,
      find: 'return !end.expected && end.outcome',
      replace: `return end.outcome !== 'passed' && end.outcome`,
    },
  },
  {
    name: 'a skipped test is no pass',
    says: fold(begin(one), ended('a', 'skipped'), over),
    expected: 'SKIP',
    mutation: {
      file: attempts,
      find: `end.outcome !== 'skipped' && end.outcome !== 'interrupted' && !isBookkeeping`,
      replace: `end.outcome !== 'interrupted' && !isBookkeeping`,
    },
  },
  {
    name: 'a bookkeeping test is no pass',
    says: fold(begin(one), ended('a', 'passed', { suite: 'global.setup' }), over),
    expected: 'UNKNOWN',
    mutation: {
      file: attempts,
      find: `&& end.outcome !== 'interrupted' && !isBookkeeping(end.suite)`,
      replace: `&& end.outcome !== 'interrupted'`,
    },
  },
  {
    name: 'without an executed test nothing passes',
    says: fold(begin(one), over),
    expected: 'UNKNOWN',
    mutation: { file: host, find: 'if (isOver && !saysAnything)', replace: 'if (false as boolean)' },
  },
  {
    name: 'a planned test without a result leaves its machine open',
    says: fold(begin([{ host: 'a', tests: 2 }]), ended('a', 'passed'), over),
    expected: 'UNKNOWN',
    mutation: {
      file: host,
      find: 'if (finals.length > 0 && done < planned)',
      replace: 'if (false as boolean)',
    },
  },
  {
    name: 'an interrupted test leaves its machine open',
    says: fold(begin(one), ended('a', 'passed'), ended('a', 'interrupted', { test: 'u' }), over),
    expected: 'UNKNOWN',
    mutation: { file: host, find: ` || finals.some((end) => end.outcome === 'interrupted')`, replace: '' },
  },
  {
    name: 'a test that began and never ended leaves its machine open',
    says: fold(begin(one), ended('a', 'passed'), started('a', 5, 'u'), over),
    expected: 'UNKNOWN',
    mutation: { file: host, find: 'cut !== undefined || ', replace: '' },
  },
  {
    name: 'of two results of one attempt the failing one stands',
    says: fold(begin(one), ended('a', 'failed'), ended('a', 'passed'), over),
    expected: 'FAIL',
    mutation: { file: attempts, find: 'rankOf(end) > rankOf(known)', replace: 'true' },
  },
  {
    name: 'a test that runs keeps its machine running',
    says: ({ model }) =>
      statuses(model.foldJournal([begin(one), ended('a', 'passed'), started('a', 5, 'u')])),
    expected: 'RUN',
    mutation: { file: host, find: 'if (current !== undefined) {', replace: 'if (false as boolean) {' },
  },
  {
    name: 'a machine with tests to come is running, not passed',
    says: ({ model }) =>
      statuses(model.foldJournal([begin([{ host: 'a', tests: 2 }]), ended('a', 'passed')])),
    expected: 'RUN',
    mutation: {
      file: host,
      find: 'if (finals.length > 0 && finals.length < planned)',
      replace: 'if (false as boolean)',
    },
  },
  {
    name: 'a test that was running when the runner died fails its machine',
    says: (verdicts, folder) => {
      store(folder, [passing[0]!, started('a')]);
      return stored(verdicts, folder);
    },
    expected: 'TERMINATED FAIL',
    mutation: {
      file: host,
      find: `if (test === undefined || facts.progress !== 'cut'`,
      replace: `if (test === undefined || facts.progress === 'cut'`,
    },
  },
  {
    name: 'what cannot be understood leaves its machine open',
    says: rebuild({ 'e.json': { hosts: { a: 'fine' } }, 'r.json': result('passed') }),
    expected: 'UNKNOWN',
    mutation: { file: host, find: 'unreadable(evidence) ??', replace: '' },
  },
  {
    name: 'events of an unknown shape are not nothing',
    says: rebuild({ 'e.json': { hosts: { a: 'fine' } }, 'r.json': result('passed') }),
    expected: 'UNKNOWN',
    mutation: {
      file: 'runs/evidence/foreign/events.ts',
      find: /unreadable\.push\(\{\s+\.\.\.\(host === undefined \? \{\} : \{ host \}\),\s+text: `\$\{what\}/,
      replace: '[].push({ ...(host === undefined ? {} : { host }), text: `${what}',
    },
  },
  {
    name: 'a state that nobody knows is no pass',
    says: rebuild({ 'r.json': result('probably') }),
    expected: 'UNKNOWN',
    mutation: {
      file: 'runs/evidence/foreign/events.ts',
      find: 'if (words.length === 0 || outcomes.includes(undefined)) {',
      replace: 'if (false as boolean) {',
    },
  },
  {
    name: 'JSON of an unknown kind is no log without failures',
    says: ({ collect }) =>
      String(
        collect.evidenceOf({ name: 'x.json', bytes: Buffer.from('{"a":1}'), modifiedAt: AT }).unreadable
          ?.length,
      ),
    expected: '1',
    mutation: {
      file: 'runs/evidence/foreign/text.ts',
      find: /text\.includes\('\\u0000'\) \|\| [\s\S]*?\)\s+return undefined;/,
      replace: `text.includes('\\u0000')) return undefined;`,
    },
  },
  {
    name: 'a failure in any source beats a pass in another',
    says: rebuild({
      'r.json': result('passed'),
      'x.xml': junit('name="s" hostname="a"', '<testcase name="z"><failure>no</failure></testcase>'),
    }),
    expected: 'FAIL',
    mutation: {
      file: collectFile,
      find: 'const standing = standingFailures(speaking, source);',
      replace: 'const standing: ReturnType<typeof standingFailures> = [];',
    },
  },
  {
    name: 'a summary that counts a failure of the machine beats its pass',
    says: rebuild({
      'r.json': result('passed'),
      'g.xml': junit('name="s" hostname="a" tests="5" failures="1"'),
    }),
    expected: 'FAIL',
    mutation: {
      file: collectFile,
      find: 'if (!hasFailed && counted !== undefined)',
      replace: 'if (false as boolean)',
    },
  },
  {
    name: 'a group that counts more failures than its machines show passes none of them',
    says: rebuild({ 'r.json': result('passed'), 'g.xml': junit('name="s" tests="5" failures="1"') }),
    expected: 'UNKNOWN',
    mutation: {
      file: collectFile,
      find: 'if (worst === undefined) return [];',
      replace: 'if (true as boolean) return [];',
    },
  },
  {
    name: 'a retry in one source takes no failure of another source away',
    says: rebuild({
      'p.json': playwrightJson('s.spec.ts', [attempt('failed'), attempt('passed', 1)]),
      'x.xml': junit(
        'name="s.spec.ts" hostname="a"',
        '<testcase name="two"><failure>no</failure></testcase>',
      ),
    }),
    expected: 'FAIL',
    mutation: {
      file: collectFile,
      find: 'retry: Math.max(test.retry, ...retries)',
      replace: 'retry: test.retry',
    },
  },
  {
    name: 'a test that passed on a retry hides no failure of another',
    says: rebuild({
      'p.json': playwrightJson('s.spec.ts', [attempt('failed'), attempt('passed', 1)]),
      'x.xml': junit(
        'name="s.spec.ts" hostname="a"',
        '<testcase name="three"><failure>no</failure></testcase>',
      ),
    }),
    expected: 'FAIL',
    mutation: {
      file: collectFile,
      find: /\(retries\.length === 0 &&\s+chosen\.some\(\s*\(entry\) =>\s+isFailure\(entry\.test\) &&\s+!isRetried\([^;]*?\),\s+\)\)/,
      replace: '(retries.length === 0 && chosen.some((entry) => isFailure(entry.test)))',
    },
  },
  {
    name: 'a test of a report that has no result leaves its machine open',
    says: rebuild({ 'p.json': playwrightJson('s.spec.ts', []) }),
    expected: 'UNKNOWN',
    mutation: {
      file: 'runs/evidence/playwright.ts',
      find: /if \(test\.results\.length === 0\)[^;]*;/,
      replace: '',
    },
  },
  {
    name: 'bookkeeping in a report passes nothing',
    says: rebuild({
      'p.json': playwrightJson('global.setup.ts', [attempt('passed')]),
    }),
    expected: 'UNKNOWN',
    mutation: { file: attempts, find: /return \/.*\/i\.test\(suite\);/, replace: 'return suite === "";' },
  },
  {
    name: 'what was remembered passes nothing',
    says: rebuild({ 'state.json': { state: 'COMPLETED', hosts: [{ host: 'a', status: 'PASS' }] } }),
    expected: 'UNKNOWN',
    mutation: {
      file: 'runs/evidence/foreign/events.ts',
      find: /tests: \[\],\n {4}remembered/,
      replace: `tests: rows.map(([host]) => ({ host: String(host), suite: 's', test: 't', retry: 0, outcome: 'passed' as const, expected: true, steps: [], startedAt: undefined, durationMs: 0 })),\n    remembered`,
    },
  },
  {
    name: 'evidence from before the run is of another',
    says: rebuild({ 'r.json': result('passed') }, ['a'], START - 1_001),
    expected: 'UNKNOWN',
    mutation: {
      file: 'runs/evidence/time.ts',
      find: 'at >= from && at <= to',
      replace: 'at <= to',
    },
  },
  {
    name: 'evidence that bears another run id is of another',
    says: rebuild({ 'r.json': result('passed', { run: 'other' }) }),
    expected: 'UNKNOWN',
    mutation: {
      file: collectFile,
      find: 'plan.run !== undefined && evidence.run !== plan.run',
      replace: '(false as boolean)',
    },
  },
  {
    name: 'a journal of another run is not read as this one',
    says: (verdicts, folder) => {
      store(folder, [begin([{ host: 'a', tests: 1 }], { run: 'other' }), ...passing.slice(1)]);
      return stored(verdicts, folder).split(' ')[0]!;
    },
    expected: 'UNKNOWN',
    mutation: {
      file: 'runs/read-run.ts',
      find: 'begin.run === record.run',
      replace: 'begin.run !== ""',
    },
  },
  {
    name: 'a part of another run is not read as one of this',
    says: (verdicts, folder) => {
      beginRun(folder, recordOf({ groups: [{ name: 'g', hosts: ['a'] }] }));
      store(join(folder, 'groups/g'), [begin([{ host: 'a' }], { run: 'other' }), ...passing.slice(1)], {
        run: 'other',
      });
      return stored(verdicts, folder);
    },
    expected: 'UNKNOWN UNKNOWN',
    mutation: {
      file: 'runs/read-run.ts',
      find: 'if (own?.run !== record.run) {',
      replace: 'if (own === undefined) {',
    },
  },
  {
    name: 'a damaged journal is not complete',
    says: (verdicts, folder) => {
      mkdirSync(folder, { recursive: true });
      return verdicts.model.foldJournal(passing, {
        runner: 'gone',
        now: 30_000,
        faults: ['line 2 cannot be read'],
      }).state;
    },
    expected: 'UNKNOWN',
    mutation: {
      file: host,
      find: `if (faults.length > 0) return 'UNKNOWN';`,
      replace: '',
    },
  },
  {
    name: 'a run is not over while its runner lives',
    says: (verdicts, folder) => {
      store(folder, passing);
      return stored(verdicts, folder, alive).split(' ')[0]!;
    },
    expected: 'RUNNING',
    mutation: {
      file: 'runs/model.ts',
      find: `if (runner !== 'alive') return { of: 'ended', endedAt: end.at };`,
      replace: `return { of: 'ended', endedAt: end.at };`,
    },
  },
  {
    name: 'a run whose runner is gone before its end is not complete',
    says: (verdicts, folder) => {
      store(folder, passing.slice(0, -1));
      return stored(verdicts, folder).split(' ')[0]!;
    },
    expected: 'TERMINATED',
    mutation: { file: 'runs/model.ts', find: `state: 'TERMINATED', `, replace: '' },
  },
  {
    name: 'a shard without a report leaves its machines open',
    says: oneShardOfTwo,
    expected: 'UNKNOWN PASS,UNKNOWN',
    mutation: {
      file: 'runs/parts.ts',
      find: `return { ...base, status: 'UNKNOWN', detail };`,
      replace: `return { ...base, status: 'PASS', detail };`,
    },
  },
  {
    name: 'machines of a shard without a report do not vanish',
    says: oneShardOfTwo,
    expected: 'UNKNOWN PASS,UNKNOWN',
    mutation: {
      file: 'runs/parts.ts',
      find: '...parts.flatMap((part) => part.scope)',
      replace: '...parts.flatMap((part) => part.hosts.map(({ host }) => ({ host })))',
    },
  },
  {
    name: 'a group without a report leaves its machines open',
    says: (verdicts, folder) => {
      const groups = [
        { name: 'g', hosts: ['a'] },
        { name: 'h', hosts: ['b'] },
      ];
      beginRun(folder, recordOf({ groups }));
      store(join(folder, 'groups/g'), passing);
      return stored(verdicts, folder);
    },
    expected: 'UNKNOWN PASS,UNKNOWN',
    mutation: {
      file: 'runs/parts.ts',
      find: 'known.get(plan.host) ?? absent(plan, record, runner))',
      replace: 'known.get(plan.host) ?? [...known.values()][0] ?? absent(plan, record, runner))',
    },
  },
  {
    name: 'of two reports about a machine the failing one stands',
    says: (verdicts, folder) => {
      const groups = [
        { name: 'g', hosts: ['a'] },
        { name: 'h', hosts: [] },
      ];
      beginRun(folder, recordOf({ groups }));
      store(join(folder, 'groups/g'), passing);
      store(join(folder, 'groups/h'), [passing[0]!, ended('a', 'failed'), over]);
      return stored(verdicts, folder);
    },
    expected: 'FAILED FAIL',
    mutation: {
      file: 'runs/parts.ts',
      find: `['FAIL', 'UNKNOWN', 'RUN', 'WAIT', 'SKIP', 'PASS']`,
      replace: `['PASS', 'FAIL', 'UNKNOWN', 'RUN', 'WAIT', 'SKIP']`,
    },
  },
  {
    name: 'the word error is no failure',
    says: ({ text }) => String(text.TERMINAL_MARKERS.some((marker) => marker.test('auth error encountered'))),
    expected: 'false',
    mutation: {
      file: 'runs/evidence/foreign/text.ts',
      find: String.raw`/\bTest timeout of`,
      replace: String.raw`/\berror\b/i, /\bTest timeout of`,
    },
  },
  {
    name: 'a log never beats what the runner itself calls passed',
    says: rebuild({ 'a.log': 'Error: shown and survived', 'r.json': result('passed') }),
    expected: 'PASS',
    mutation: {
      file: collectFile,
      find: `!(isStructured && evidence.source === 'text')`,
      replace: 'evidence !== undefined',
    },
  },
  ...(
    [
      ['an incomplete run', passing.slice(0, -1), `model.state !== 'COMPLETED' && model.state !== 'FAILED'`],
      [
        'a run without a result',
        [begin([{ host: 'a', skip: 'x' }]), over],
        `!model.hosts.some((host) => host.status === 'PASS' || host.status === 'FAIL')`,
      ],
      [
        'a shard',
        [
          begin([{ host: 'a', tests: 1, shard: 1 }], { shard: { current: 1, total: 1 } }),
          ...passing.slice(1),
        ],
        'model.shard !== undefined',
      ],
      [
        'a run of another version',
        [begin([{ host: 'a', tests: 1 }], { version: '0.0.1' }), ...passing.slice(1)],
        'model.version !== VERSION',
      ],
    ] as const
  ).map(([what, events, find]): Guard => ({
    name: `${what} is not posted`,
    says: ({ post, model }) =>
      post.reasonNotToPost(model.foldJournal(events, { runner: 'gone', now: 30_000 })) === undefined
        ? 'posted'
        : 'refused',
    expected: 'refused',
    mutation: { file: 'runs/post.ts', find, replace: 'false as boolean' },
  })),
];
