/**
 * The state of a run, computed from its journal: a pure fold.
 *
 * A host passes only on positive evidence (requirements E11): at least one executed test with the expected outcome,
 * and none with an unexpected one.
 *
 * @module
 */
import type { FailureEvidence, JournalEvent, PlannedHost } from './journal.ts';

export type HostStatus = 'PASS' | 'FAIL' | 'RUN' | 'SKIP' | 'WAIT' | 'UNKNOWN';

/** Run states of requirements E12 that a single journal can show. */
export type RunState = 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'UNKNOWN';

export interface HostModel {
  readonly host: string;
  readonly kernel: string;
  readonly status: HostStatus;
  /** One line, unescaped, not yet cut. */
  readonly detail: string;
  readonly startedAt: number | undefined;
  /** Start of the first test to the end of the last; undefined while nothing has ended. */
  readonly durationMs: number | undefined;
  readonly failures: readonly HostFailure[];
}

export interface HostFailure {
  /** `step 7 "Connect"`, or what failed outside of a step. */
  readonly where: string;
  readonly excerpt: string;
}

export interface RunModel {
  readonly build: string;
  readonly state: RunState;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly slots: number;
  readonly hosts: readonly HostModel[];
  readonly coverage: readonly (readonly [key: string, value: string])[];
  /** Executed steps in order, per suite. */
  readonly flow: readonly { readonly suite: string; readonly steps: readonly string[] }[];
  readonly notes: readonly string[];
  readonly command: string;
  readonly url: string | undefined;
}

type Begin = Extract<JournalEvent, { type: 'run-begin' }>;
type TestEnd = Extract<JournalEvent, { type: 'test-end' }>;

interface HostLog {
  readonly plan: PlannedHost;
  kernel?: string;
  startedAt?: number;
  endedAt?: number;
  open: Map<string, { steps: string[]; suite: string; test: string }>;
  ends: TestEnd[];
}

/** Folds a journal into the run's state. Events of hosts outside the plan are ignored. Throws when it has no beginning. */
export function foldJournal(events: readonly JournalEvent[]): RunModel {
  const begin = events.find((event): event is Begin => event.type === 'run-begin');
  if (begin === undefined) throw new Error('the journal has no run-begin event');
  const logs = new Map(
    begin.hosts.map((plan): [string, HostLog] => [plan.host, { plan, open: new Map(), ends: [] }]),
  );
  for (const event of events) if ('host' in event) record(logs.get(event.host), event);

  const end = events.findLast((event) => event.type === 'run-end');
  const flow = flowOf([...logs.values()]);
  const hosts = [...logs.values()].map((log) => hostModel(log, flow, end !== undefined));
  return {
    build: begin.build,
    state: stateOf(hosts, end),
    startedAt: Math.min(begin.at, ...hosts.flatMap((host) => host.startedAt ?? [])),
    endedAt: end?.at,
    slots: begin.slots,
    hosts,
    coverage: begin.coverage,
    flow,
    notes: events.flatMap((event) => (event.type === 'note' ? event.text : [])),
    command: begin.command,
    url: begin.url,
  };
}

function record(log: HostLog | undefined, event: JournalEvent & { host: string }): void {
  if (log === undefined) return;
  switch (event.type) {
    case 'kernel':
      log.kernel = event.kernel;
      break;
    case 'test-begin':
      log.startedAt = Math.min(log.startedAt ?? event.at, event.at);
      log.open.set(keyOf(event), { steps: [], suite: event.suite, test: event.test });
      break;
    case 'step-begin':
      for (const test of log.open.values()) test.steps.push(event.title);
      break;
    case 'test-end':
      log.open.delete(keyOf(event));
      log.startedAt ??= event.at - event.durationMs;
      log.endedAt = Math.max(log.endedAt ?? event.at, event.at);
      log.ends.push(event);
  }
}

function keyOf(event: { suite: string; test: string; retry: number }): string {
  return JSON.stringify([event.suite, event.test, event.retry]);
}

function hostModel(log: HostLog, flow: RunModel['flow'], ended: boolean): HostModel {
  const base = {
    host: log.plan.host,
    kernel: log.kernel ?? 'unknown',
    startedAt: log.startedAt,
    durationMs: undefined,
    failures: [] as HostFailure[],
  };
  if (log.plan.skip !== undefined) return { ...base, status: 'SKIP', detail: log.plan.skip };
  const running = [...log.open.values()][0];
  if (running !== undefined && !ended) {
    const total = flow.find((list) => list.suite === running.suite)?.steps.length ?? 0;
    const progress = total > 0 ? ` - step ${running.steps.length}/${total}` : '';
    return { ...base, status: 'RUN', detail: `in progress${progress}` };
  }
  const durationMs =
    log.startedAt === undefined || log.endedAt === undefined
      ? undefined
      : Math.max(0, log.endedAt - log.startedAt);
  const finals = finalAttempts(log.ends);
  const bad = finals.filter(
    (end) => !end.expected && end.outcome !== 'interrupted' && end.outcome !== 'skipped',
  );
  if (bad.length > 0) {
    const failures = bad.map((end) => failureOf(end, flow));
    const first = bad[0];
    const detail = `${failures[0]?.where ?? ''} - ${first?.failure?.short ?? 'no error was recorded'}`;
    return { ...base, status: 'FAIL', detail, durationMs, failures };
  }
  if (running !== undefined || finals.some((end) => end.outcome === 'interrupted')) {
    const step = running?.steps.length ?? 0;
    return { ...base, status: 'UNKNOWN', detail: step > 0 ? `interrupted at step ${step}` : 'interrupted' };
  }
  const missing = (log.plan.tests ?? 0) - finals.length;
  if (ended && finals.length > 0 && missing > 0) {
    return { ...base, status: 'UNKNOWN', detail: `${missing} of ${log.plan.tests ?? 0} tests did not run` };
  }
  const executed = finals.filter((end) => end.outcome !== 'skipped');
  if (executed.length > 0) {
    const retry = Math.max(...executed.map((end) => end.retry));
    return {
      ...base,
      status: 'PASS',
      detail: retry > 0 ? `completed (passed on retry ${retry})` : 'completed',
      durationMs,
    };
  }
  const skipped = finals.find((end) => end.outcome === 'skipped');
  if (skipped !== undefined)
    return { ...base, status: 'SKIP', detail: skipped.skipReason ?? 'all tests are skipped' };
  return ended
    ? { ...base, status: 'UNKNOWN', detail: 'no test was executed' }
    : { ...base, status: 'WAIT', detail: 'not started' };
}

/** The last attempt of each test, in order of first appearance. */
function finalAttempts(ends: readonly TestEnd[]): TestEnd[] {
  const last = new Map<string, TestEnd>();
  for (const end of ends) {
    const key = JSON.stringify([end.suite, end.test]);
    const known = last.get(key);
    if (known === undefined || end.retry >= known.retry) last.set(key, end);
  }
  return [...last.values()];
}

function failureOf(end: TestEnd, flow: RunModel['flow']): HostFailure {
  const failure: FailureEvidence = end.failure ?? {
    short: '',
    excerpt: `${end.test}: no error was recorded`,
  };
  if (failure.step === undefined) return { where: `test "${end.test}"`, excerpt: failure.excerpt };
  const number = (flow.find((list) => list.suite === end.suite)?.steps.indexOf(failure.step) ?? -1) + 1;
  return {
    where: number > 0 ? `step ${number} "${failure.step}"` : `step "${failure.step}"`,
    excerpt: failure.excerpt,
  };
}

/** The steps that were really executed, per suite: for each test the longest list that any host went through. */
function flowOf(logs: readonly HostLog[]): RunModel['flow'] {
  const suites = new Map<string, Map<string, readonly string[]>>();
  const offer = (suite: string, test: string, steps: readonly string[]): void => {
    const tests = suites.get(suite) ?? new Map<string, readonly string[]>();
    if (steps.length > (tests.get(test)?.length ?? -1)) tests.set(test, steps);
    suites.set(suite, tests);
  };
  for (const log of logs) {
    for (const end of log.ends) {
      if (end.outcome !== 'skipped')
        offer(end.suite, end.test, end.steps.length > 0 ? end.steps : [end.test]);
    }
    for (const open of log.open.values()) offer(open.suite, open.test, open.steps);
  }
  return [...suites].map(([suite, tests]) => ({ suite, steps: [...new Set([...tests.values()].flat())] }));
}

function stateOf(hosts: readonly HostModel[], end: JournalEvent | undefined): RunState {
  if (end?.type !== 'run-end') return 'RUNNING';
  if (end.result === 'cancelled') return 'CANCELLED';
  if (hosts.length === 0 || hosts.some((host) => host.status === 'UNKNOWN')) return 'UNKNOWN';
  return hosts.some((host) => host.status === 'FAIL') ? 'FAILED' : 'COMPLETED';
}
