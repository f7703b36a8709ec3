/**
 * From any mix of artefacts to the events of one run.
 *
 * For each machine the most trusted format that says anything gives its tests, from all its files. Everything else can
 * only lower what they come to: a failure, a total, a test without a result, a contradiction in any other artefact of the
 * run stands all the same; what cannot be read, or is about a machine that nobody knows, leaves every machine UNKNOWN that
 * has not failed. Remembered state, group totals and bookkeeping never pass a machine.
 *
 * @module
 */
import type { JournalEvent, PlannedHost } from '../journal.ts';
import { noteOf } from '../notes.ts';
import { isBookkeeping } from '../attempts.ts';
import { readEventLog, readRememberedState, readResultFile } from './foreign/events.ts';
import { readJunit } from './foreign/junit.ts';
import { readMochawesome } from './foreign/mochawesome.ts';
import { readTextLog } from './foreign/text.ts';
import { readJournalFile } from './journal.ts';
import { machineNames } from './names.ts';
import { readBlob, readPlaywrightJson } from './playwright.ts';
import { readRunLog } from './run-log.ts';
import {
  type Adapter,
  type Artifact,
  type CountEvidence,
  type Evidence,
  isRetried,
  isSameTest,
  type Source,
  SOURCES,
  type TestEvidence,
} from './shape.ts';
import { placeOf } from './time.ts';

const ADAPTERS: readonly Adapter[] = [
  readJournalFile,
  readBlob,
  readPlaywrightJson,
  readMochawesome,
  readRememberedState,
  readEventLog,
  readResultFile,
  readJunit,
  readRunLog,
  readTextLog,
];

/** The plan of the run whose artefacts are read. */
export interface CollectPlan {
  readonly build: string;
  readonly run?: string;
  readonly hosts: readonly PlannedHost[];
  /** Milliseconds since the epoch: what is older belongs to another run. */
  readonly startedAt: number;
  /** End of the run or group, when it is known: what is younger is none of its results. */
  readonly endedAt?: number | undefined;
  readonly command: string;
  readonly coverage?: readonly (readonly [string, string])[];
  readonly failOnFlakyTests?: boolean | undefined;
}

/** What an artefact says; one that no adapter knows is unreadable, not nothing. */
export function evidenceOf(artifact: Artifact): Evidence {
  if (artifact.bytes.toString('utf8').trim() === '') return unreadable(artifact, 'it is empty');
  try {
    for (const adapter of ADAPTERS) {
      const evidence = adapter(artifact);
      if (evidence !== undefined) return evidence;
    }
  } catch (error) {
    return unreadable(artifact, error instanceof Error ? error.message : String(error));
  }
  return unreadable(artifact, 'no known format');
}

/** An artefact that cannot be read: about every machine. */
export function unreadable(artifact: Pick<Artifact, 'name' | 'modifiedAt'>, text: string): Evidence {
  return {
    source: 'text',
    name: artifact.name,
    at: artifact.modifiedAt,
    tests: [],
    unreadable: [{ text: `${artifact.name} cannot be read: ${text}` }],
  };
}

/** The run as journal events, in the plan's order. */
export function collect(plan: CollectPlan, all: readonly Evidence[]): JournalEvent[] {
  const admitted = admit(plan, all);
  const endedAt = plan.endedAt ?? Math.max(plan.startedAt, ...admitted.map((evidence) => evidence.at));
  const machines = plan.hosts.map((host) => machineOf(host, admitted, plan.failOnFlakyTests));
  const results = machines.flatMap((machine) => machine.ends(endedAt));
  const open = faultsOfAll(admitted);
  return [
    {
      type: 'run-begin',
      at: plan.startedAt,
      build: plan.build,
      ...(plan.run === undefined ? {} : { run: plan.run }),
      hosts: plan.hosts,
      slots: 1,
      command: plan.command,
      coverage: plan.coverage ?? [],
      ...(plan.failOnFlakyTests === true ? { failOnFlakyTests: true } : {}),
    },
    ...withEnds(results, endedAt),
    ...open.map((text): JournalEvent => ({ type: 'unreadable', at: endedAt, text })),
    ...plan.hosts.flatMap(({ host }, index) =>
      [...new Set([...(machines[index]?.faults ?? []), ...open])].map((text): JournalEvent => ({
        type: 'unreadable',
        at: endedAt,
        host,
        text,
      })),
    ),
    ...disagreements(admitted, results, endedAt),
    ...staleNotes(admitted, results, endedAt),
    { type: 'run-end', at: endedAt, result: 'finished' },
  ];
}

/** Evidence of this run, by the names of its machines. */
interface Admitted extends Evidence {
  /** Whether it is of this run is not certain: nothing passes on it. */
  readonly isDoubtful: boolean;
  /** What it says of machines that the run does not have. */
  readonly strangers: readonly string[];
}

function admit(plan: CollectPlan, all: readonly Evidence[]): Admitted[] {
  const known = machineNames(plan.hosts.map(({ host }) => host));
  return all.flatMap((evidence) => {
    const place = placeOf(evidence, plan);
    const isOther = evidence.run !== undefined && plan.run !== undefined && evidence.run !== plan.run;
    if (isOther || place === 'outside') return [];
    // What bears the run's own id is of it, whatever its clock said.
    const isDoubtful = place === 'doubtful' && (evidence.run === undefined || evidence.run !== plan.run);
    const strangers: string[] = [];
    const named = <T extends { readonly host?: string | undefined }>(item: T, isBad: boolean): T[] => {
      if (item.host === undefined) return [item];
      const host = known(item.host);
      if (host !== undefined) return [{ ...item, host }];
      if (isBad) strangers.push(item.host);
      return [];
    };
    // Words in a console whose machine is not known are mere words.
    const isConsole = evidence.source === 'text';
    return {
      ...evidence,
      isDoubtful,
      strangers,
      tests: evidence.tests.flatMap((test) => named(test, !isConsole && isWeighty(test))),
      counts: (evidence.counts ?? []).flatMap((count) => named(count, count.failures > 0)),
      unreadable: (evidence.unreadable ?? []).flatMap((fault) => named(fault, true)),
    };
  });
}

/** What is about the whole run, or about nobody knows which machine of it. */
function faultsOfAll(admitted: readonly Admitted[]): string[] {
  const texts = admitted.flatMap(({ name, unreadable: faults = [], strangers }) => [
    ...faults.flatMap((fault) => (fault.host === undefined ? fault.text : [])),
    ...strangers.map((host) =>
      host === ''
        ? `${name} tells of a failure and names no machine`
        : `${name} tells of a failure on "${host}", which is no machine of this run`,
    ),
  ]);
  return [...new Set(texts)];
}

type TestEnd = Extract<JournalEvent, { type: 'test-end' }>;

interface MachineEvidence {
  readonly ends: (endedAt: number) => TestEnd[];
  /** Why the machine cannot pass. */
  readonly faults: readonly string[];
}

/** Formats that number the attempts at a test. */
const KNOWS_RETRIES: readonly Source[] = ['journal', 'blob', 'json'];

function machineOf(
  { host, tests: planned }: PlannedHost,
  all: readonly Admitted[],
  failOnFlakyTests = false,
): MachineEvidence {
  const own = all
    .map((evidence) => ({ ...evidence, tests: evidence.tests.filter((test) => test.host === host) }))
    .sort((a, b) => SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source) || b.at - a.at);
  const speaking = own.filter((evidence) => evidence.tests.length > 0);
  const certain = speaking.filter((evidence) => !evidence.isDoubtful);
  const source = (certain.find(({ tests }) => tests.some((test) => !isBookkeeping(test.suite))) ?? certain[0])
    ?.source;
  const best = certain.filter((evidence) => evidence.source === source);
  const listed = best.flatMap((evidence) =>
    evidence.tests.map((test) => ({ test, at: evidence.at, from: evidence })),
  );
  const hasTests = listed.some(({ test }) => test.isAggregate !== true);
  const chosen = listed
    .filter(({ test }) => !hasTests || test.isAggregate !== true || !test.expected)
    .map(({ test, at, from }) => ({
      test: filled(
        test,
        speaking.filter((other) => other !== from),
      ),
      at,
    }));
  const standing = standingFailures(speaking, source);
  for (const { test, at } of standing) {
    const retries = chosen.filter((entry) => isSameTest(entry.test, test)).map((entry) => entry.test.retry);
    const isChosen = chosen.some(
      (entry) =>
        isSameTest(entry.test, test) && isFailure(entry.test) && entry.test.retry >= Math.max(...retries),
    );
    // One failure says enough; a later attempt of another artefact does not take it away.
    if (
      isChosen ||
      (retries.length === 0 &&
        chosen.some(
          (entry) =>
            isFailure(entry.test) &&
            !isRetried(
              entry.test,
              chosen.map(({ test: other }) => other),
            ),
        ))
    )
      continue;
    chosen.push({ test: { ...test, retry: Math.max(test.retry, ...retries) }, at });
  }
  const counts = own.flatMap(({ counts: found = [], at }) =>
    found.filter((count) => count.host === host && count.failures > 0).map((count) => ({ count, at })),
  );
  const [counted] = counts;
  const hasFailed = chosen.some(
    ({ test }) =>
      isFailure(test) &&
      !isRetried(
        test,
        chosen.map((entry) => entry.test),
      ),
  );
  if (!hasFailed && counted !== undefined)
    chosen.push({ test: summaryFailure(host, counted.count), at: counted.at });
  const isWhole = planned !== undefined && new Set(chosen.map(({ test }) => nameOf(test))).size >= planned;
  return {
    ends: (endedAt) => chosen.map(({ test, at }) => endOf(test, best.length === 0 ? endedAt : at)),
    faults: [
      ...own.flatMap(({ unreadable: faults = [] }) =>
        faults.flatMap((fault) => (fault.host === host ? fault.text : [])),
      ),
      ...own.flatMap(({ unfinished }) => (unfinished === undefined || isWhole ? [] : unfinished)),
      ...speaking.flatMap(({ name, tests }) =>
        tests
          .filter((test) => test.outcome === 'interrupted')
          .map((test) => `${name}: "${test.test}" has no result`),
      ),
      ...(failOnFlakyTests && source !== undefined && !KNOWS_RETRIES.includes(source)
        ? best.map(({ name }) => `${name} numbers no attempts, and this run forbids flaky tests`)
        : []),
      ...contradictions(speaking),
      ...(certain.length > 0
        ? []
        : speaking.map(({ name }) => `whether ${name} is of this run is unknown: its time bears no zone`)),
    ],
  };
}

/** Failures that no artefact shows to be followed by an attempt that passed. */
function standingFailures(
  speaking: readonly Admitted[],
  source: Source | undefined,
): { test: TestEvidence; at: number }[] {
  const isStructured = source !== undefined && source !== 'text';
  const retrying = speaking.filter((evidence) => KNOWS_RETRIES.includes(evidence.source));
  return (
    speaking
      // A result that the runner itself calls passed outweighs words in its console text.
      .filter((evidence) => !(isStructured && evidence.source === 'text'))
      .flatMap((evidence) =>
        evidence.tests
          .filter((test) => isFailure(test))
          .filter(
            (test) =>
              !KNOWS_RETRIES.includes(evidence.source) ||
              !retrying.some(({ tests }) => isRetriedIn(test, tests)),
          )
          .map((test) => ({ test, at: evidence.at })),
      )
  );
}

/** The artefact shows this failing attempt, and a later one that came out as expected. */
function isRetriedIn(failed: TestEvidence, tests: readonly TestEvidence[]): boolean {
  const attempts = tests.filter((test) => isSameTest(test, failed));
  return (
    attempts.some((test) => test.retry === failed.retry && isFailure(test)) &&
    attempts.some((test) => test.retry > failed.retry && test.expected && test.outcome !== 'skipped')
  );
}

/** One artefact says that a test passed, another that it was skipped. Titles are compared without regard to case. */
function contradictions(speaking: readonly Admitted[]): string[] {
  const all = speaking.flatMap(({ name, tests }) =>
    tests.map((test) => ({ name, test, title: nameOf(test).toLowerCase() })),
  );
  const passed = all.filter(({ test }) => test.outcome === 'passed');
  return all
    .filter(({ test }) => test.outcome === 'skipped')
    .flatMap((skipped) =>
      passed
        .filter((other) => other.title === skipped.title && other.name !== skipped.name)
        .map(({ name }) => `"${skipped.test.test}" was skipped in ${skipped.name} and passed in ${name}`),
    );
}

function nameOf(test: TestEvidence): string {
  return JSON.stringify([test.suite, test.test]);
}

function isFailure(test: TestEvidence): boolean {
  return !test.expected && test.outcome !== 'skipped' && test.outcome !== 'interrupted';
}

/** It speaks against its machine. */
function isWeighty(test: TestEvidence): boolean {
  return !test.expected;
}

/** A failing test without words takes them from the next source that has some for the same step or test. */
function filled(test: TestEvidence, others: readonly Evidence[]): TestEvidence {
  if (!isFailure(test)) return test;
  const own = test.failure;
  if (own !== undefined && own.excerpt.trim() !== '' && own.step !== undefined) return test;
  const candidates = others.flatMap((evidence) =>
    evidence.tests.filter((other) => isFailure(other) && other.failure !== undefined),
  );
  const same =
    candidates.find((other) => other.test === test.test) ??
    (candidates.length === 1 ? candidates[0] : undefined);
  if (same?.failure === undefined) return test;
  const step = own?.step ?? same.failure.step;
  const words = own !== undefined && own.excerpt.trim() !== '' ? own : same.failure;
  return {
    ...test,
    failure: { short: words.short, excerpt: words.excerpt, ...(step === undefined ? {} : { step }) },
  };
}

function summaryFailure(host: string, count: CountEvidence): TestEvidence {
  const text = count.text ?? `${count.failures} of ${count.tests} tests failed, says the summary of the run`;
  return {
    host,
    suite: 'summary',
    test: 'summary of the run',
    retry: 0,
    outcome: 'failed',
    expected: false,
    steps: [],
    failure: { short: text, excerpt: text },
    startedAt: undefined,
    durationMs: undefined,
  };
}

function endOf(test: TestEvidence, at: number): TestEnd {
  const { startedAt, durationMs, host, suite, test: title, retry, outcome, expected, steps, failure } = test;
  const ended = startedAt === undefined ? at : startedAt + (durationMs ?? 0);
  const base = {
    type: 'test-end' as const,
    at: ended,
    host,
    suite,
    test: title,
    retry,
    outcome,
    expected,
    steps,
  };
  return {
    ...base,
    ...(failure === undefined ? {} : { failure }),
    durationMs: durationMs ?? (startedAt === undefined ? 0 : NO_DURATION),
  };
}

/** Marks a result that has a start and no end of its own. */
const NO_DURATION = -1;

/** Machines of one group run one after another: an end that is not known is the next one's start, or the group's end. */
function withEnds(ends: readonly TestEnd[], endedAt: number): TestEnd[] {
  const starts = [...new Set(ends.map((end) => end.at - Math.max(0, end.durationMs)))].sort((a, b) => a - b);
  return ends.map((end) => {
    if (end.durationMs !== NO_DURATION) return end;
    const next = starts.find((start) => start > end.at) ?? endedAt;
    return { ...end, at: Math.max(end.at, next), durationMs: Math.max(0, next - end.at) };
  });
}

/** A summary of a whole group that counts more failures than its machines show: then nobody knows who passed. */
function disagreements(all: readonly Admitted[], ends: readonly TestEnd[], at: number): JournalEvent[] {
  const failed = new Set(ends.filter((end) => !end.expected).map((end) => end.host));
  const worst = all
    .flatMap(({ name, counts = [] }) => counts.map((count) => ({ name, ...count })))
    .filter((count) => count.host === undefined && count.failures > 0)
    .find((count) => count.failures > ends.filter((end) => !end.expected).length);
  if (worst === undefined) return [];
  const text = `${worst.name} counts ${worst.failures} failures, more than the results show`;
  const passed = new Set(ends.map((end) => end.host).filter((host) => !failed.has(host)));
  return [...passed].map((host): JournalEvent => ({ type: 'unreadable', at, host, text }));
}

function staleNotes(all: readonly Admitted[], ends: readonly TestEnd[], at: number): JournalEvent[] {
  return all.flatMap((evidence) =>
    (evidence.remembered ?? []).flatMap(({ host, status }) => {
      const own = ends.filter((end) => end.host === host);
      if (status !== 'PASS' || !own.some((end) => !end.expected)) return [];
      return [noteOf(at, 'anomaly', `${host}: a stale cached result said PASS`)];
    }),
  );
}
