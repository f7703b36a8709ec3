/**
 * From any mix of artefacts to the events of one run.
 *
 * For each machine the most trusted source that says anything gives its tests; a failure in any other source of the
 * same run stands all the same. Remembered state, group totals and bookkeeping never pass a machine.
 *
 * @module
 */
import type { JournalEvent, PlannedHost } from '../journal.ts';
import { noteOf } from '../notes.ts';
import { readEventLog, readRememberedState, readResultFile } from './foreign/events.ts';
import { readJournalFile } from './journal.ts';
import { readJunit } from './foreign/junit.ts';
import { readBlob, readPlaywrightJson } from './playwright.ts';
import { type Adapter, type Artifact, type Evidence, SOURCES, type TestEvidence } from './shape.ts';
import { readTextLog } from './foreign/text.ts';

const ADAPTERS: readonly Adapter[] = [
  readJournalFile,
  readBlob,
  readPlaywrightJson,
  readRememberedState,
  readEventLog,
  readResultFile,
  readJunit,
  readTextLog,
];

/** The plan of the run whose artefacts are read. */
export interface CollectPlan {
  readonly build: string;
  readonly run?: string;
  readonly hosts: readonly PlannedHost[];
  /** Milliseconds since the epoch: what is older belongs to another run. */
  readonly startedAt: number;
  /** End of the run or group, when it is known. */
  readonly endedAt?: number;
  readonly command: string;
  readonly coverage?: readonly (readonly [string, string])[];
}

/** What an artefact says; one that no adapter knows is unreadable, not nothing. */
export function evidenceOf(artifact: Artifact): Evidence {
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

function unreadable(artifact: Artifact, text: string): Evidence {
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
  const inWindow = all.filter(
    (evidence) =>
      (evidence.run === undefined || plan.run === undefined || evidence.run === plan.run) &&
      evidence.at >= plan.startedAt &&
      (plan.endedAt === undefined || evidence.at <= plan.endedAt + SLACK_MS),
  );
  const endedAt = plan.endedAt ?? Math.max(plan.startedAt, ...inWindow.map((evidence) => evidence.at));
  const results = plan.hosts.flatMap((host) => hostEvents(host.host, inWindow, endedAt));
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
    },
    ...withEnds(results, endedAt),
    ...inWindow.flatMap((evidence) =>
      (evidence.unreadable ?? []).map((fault): JournalEvent => ({
        type: 'unreadable',
        at: endedAt,
        ...fault,
      })),
    ),
    ...disagreements(inWindow, results, endedAt),
    ...staleNotes(inWindow, results, endedAt),
    { type: 'run-end', at: endedAt, result: 'finished' },
  ];
}

/** A file's date may be a little after the end that the run itself recorded. */
const SLACK_MS = 60_000;

type TestEnd = Extract<JournalEvent, { type: 'test-end' }>;

function hostEvents(host: string, all: readonly Evidence[], endedAt: number): TestEnd[] {
  const ofHost = all
    .map((evidence) => ({ ...evidence, tests: evidence.tests.filter((test) => test.host === host) }))
    .sort((a, b) => SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source) || b.at - a.at);
  const speaking = ofHost.filter((evidence) => evidence.tests.length > 0);
  const [best, ...others] = speaking;
  const counted = ofHost
    .flatMap((evidence) => evidence.counts ?? [])
    .filter((count) => count.host === host && count.failures > 0);
  const [count] = counted;
  const chosen: TestEvidence[] = best === undefined ? [] : best.tests.map((test) => filled(test, others));
  const structured = best !== undefined && best.source !== 'text';
  // A result that the runner itself calls passed outweighs words in its console text.
  const failing = others
    .filter((evidence) => !(structured && evidence.source === 'text'))
    .flatMap((evidence) => evidence.tests.filter(isFailure));
  const hasFailure = chosen.some((test) => isFailure(test) && !isRetried(test, chosen));
  const [contradiction] = hasFailure ? [] : failing.filter((test) => !isRetried(test, chosen));
  if (contradiction !== undefined) chosen.push(contradiction);
  else if (!hasFailure && count !== undefined) {
    chosen.push(summaryFailure(host, count));
  }
  return chosen.map((test) => endOf(test, best?.at ?? endedAt));
}

function isFailure(test: TestEvidence): boolean {
  return !test.expected && test.outcome !== 'skipped' && test.outcome !== 'interrupted';
}

/** The same test passed on a later attempt: that is flaky, no contradiction. */
function isRetried(test: TestEvidence, chosen: readonly TestEvidence[]): boolean {
  return chosen.some(
    (other) =>
      other.suite === test.suite && other.test === test.test && other.retry > test.retry && other.expected,
  );
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

function summaryFailure(host: string, count: { tests: number; failures: number }): TestEvidence {
  const text = `${count.failures} of ${count.tests} tests failed, says the summary of the run`;
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
function disagreements(all: readonly Evidence[], ends: readonly TestEnd[], at: number): JournalEvent[] {
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

function staleNotes(all: readonly Evidence[], ends: readonly TestEnd[], at: number): JournalEvent[] {
  return all.flatMap((evidence) =>
    (evidence.remembered ?? []).flatMap(({ host, status }) => {
      const own = ends.filter((end) => end.host === host);
      if (status !== 'PASS' || !own.some((end) => !end.expected)) return [];
      return [noteOf(at, 'anomaly', `${host}: a stale cached result said PASS`)];
    }),
  );
}
