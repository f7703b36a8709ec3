/**
 * The verdict on one machine.
 *
 * A host passes only on positive evidence (requirements E11): at least one executed test with the expected outcome,
 * none with an unexpected one, and every planned test accounted for.
 *
 * @module
 */
import type { FailureEvidence, JournalEvent, Picture, PlannedHost, StepResult } from './journal.ts';

export type HostStatus = 'PASS' | 'FAIL' | 'RUN' | 'SKIP' | 'WAIT' | 'UNKNOWN';

export interface HostModel {
  readonly host: string;
  readonly family: string | undefined;
  readonly kernel: string;
  readonly status: HostStatus;
  /** One line, unescaped, not yet cut. */
  readonly detail: string;
  /** Where the running test is: `step 4/10`, without the total where nobody knows it; absent before the first step. */
  readonly step?: string;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** Start of the first test to the end of the last; undefined while nothing has ended. */
  readonly durationMs: number | undefined;
  readonly failures: readonly HostFailure[];
  /** Tests that have no result and are not running. */
  readonly pending: number;
  /** Suites of which something ran here. */
  readonly suites: readonly string[];
  /** The last attempt of each test. */
  readonly tests: readonly TestModel[];
}

export interface HostFailure {
  /** `step 7 "Connect"`, or what failed outside of a step. */
  readonly where: string;
  readonly excerpt: string;
}

export interface TestModel {
  readonly suite: string;
  readonly test: string;
  readonly retry: number;
  readonly status: 'passed' | 'failed' | 'skipped' | 'interrupted' | 'running';
  /** Titles of the top-level steps that were begun. */
  readonly begun: readonly string[];
  /** Those with known times. */
  readonly timed: readonly StepResult[];
  readonly failedStep: string | undefined;
  readonly failure: HostFailure | undefined;
  readonly pictures: readonly Picture[];
}

export type TestEnd = Extract<JournalEvent, { type: 'test-end' }>;

/** What the journal says of one machine. */
export interface HostLog {
  readonly plan: PlannedHost;
  kernel?: string;
  startedAt?: number;
  endedAt?: number;
  readonly open: Map<string, { steps: string[]; timed: StepResult[]; suite: string; test: string }>;
  readonly ends: TestEnd[];
  readonly unreadable: string[];
}

type Flow = readonly { readonly suite: string; readonly steps: readonly string[] }[];

/** Set-up, teardown and bookkeeping specs say nothing about a machine unless they fail. */
export function isBookkeeping(suite: string): boolean {
  return /(?:^|[._-])(?:setup|teardown|bookkeeping)(?:[._-]|$)/i.test(suite);
}

export function keyOf(event: { suite: string; test: string; retry: number }): string {
  return JSON.stringify([event.suite, event.test, event.retry]);
}

/** `progress` says what a machine without a result is: still at it, over, or cut off with its runner. */
export function hostModel(log: HostLog, flow: Flow, progress: 'live' | 'ended' | 'cut'): HostModel {
  const finals = finalAttempts(log.ends);
  const running = [...log.open.values()];
  const failures = finals.filter(isFailure).map((end) => failureOf(end, flow));
  const planned = log.plan.tests ?? finals.length;
  const base = {
    host: log.plan.host,
    family: log.plan.family,
    kernel: log.kernel ?? 'unknown',
    startedAt: log.startedAt,
    endedAt: log.endedAt,
    durationMs: undefined,
    failures,
    pending: Math.max(0, planned - finals.length - running.length),
    suites: [...new Set([...log.ends, ...running].map((test) => test.suite))],
    tests: [
      ...finals.map((end) => testModel(end, flow)),
      ...running.map((test): TestModel => ({
        suite: test.suite,
        test: test.test,
        retry: 0,
        status: progress === 'live' ? 'running' : 'interrupted',
        begun: test.steps,
        timed: test.timed,
        failedStep: undefined,
        failure: undefined,
        pictures: [],
      })),
    ],
  };
  if (log.plan.skip !== undefined)
    return { ...base, failures: [], pending: 0, status: 'SKIP', detail: log.plan.skip };

  const [current] = running;
  if (progress === 'live') {
    if (current !== undefined) {
      const steps = stepsOf(current.suite, flow);
      const number = stepNumber(current.steps, steps);
      const step = steps.length > 0 ? `step ${number}/${steps.length}` : `step ${number}`;
      return {
        ...base,
        status: 'RUN',
        detail: steps.length > 0 ? `in progress - ${step}` : 'in progress',
        ...(number > 0 ? { step } : {}),
      };
    }
    const again = finals.find((end) => isFailure(end) && (end.retriesLeft ?? 0) > 0);
    if (again !== undefined)
      return { ...base, status: 'RUN', detail: `in progress - retry ${again.retry + 1}` };
    if (finals.length > 0 && finals.length < planned) {
      return { ...base, status: 'RUN', detail: `in progress - test ${finals.length + 1}/${planned}` };
    }
  }
  const durationMs =
    log.startedAt === undefined || log.endedAt === undefined
      ? undefined
      : Math.max(0, log.endedAt - log.startedAt);
  const [failure] = failures;
  if (failure !== undefined) {
    const short = finals.find(isFailure)?.failure?.short ?? '';
    const detail = `${failure.where} - ${short === '' ? 'no error was recorded' : short}`;
    return { ...base, status: 'FAIL', detail, durationMs };
  }
  if (current !== undefined && progress === 'cut') return crashed(base, current, flow);
  if (log.unreadable.length > 0) return { ...base, status: 'UNKNOWN', detail: log.unreadable[0] ?? '' };
  return withoutFailure(base, log, {
    finals,
    planned,
    durationMs,
    interruptedAt: current?.steps.length,
    progress,
  });
}

interface Rest {
  readonly finals: readonly TestEnd[];
  readonly planned: number;
  readonly durationMs: number | undefined;
  /** Number of the step in which a test was cut off; undefined when none was. */
  readonly interruptedAt: number | undefined;
  readonly progress: 'live' | 'ended' | 'cut';
}

function withoutFailure(base: Omit<HostModel, 'status' | 'detail'>, log: HostLog, rest: Rest): HostModel {
  const { finals, planned, durationMs, interruptedAt, progress } = rest;
  if (interruptedAt !== undefined || finals.some((end) => end.outcome === 'interrupted')) {
    const at = (interruptedAt ?? 0) > 0 ? `interrupted at step ${interruptedAt ?? 0}` : 'interrupted';
    return { ...base, status: 'UNKNOWN', detail: at };
  }
  if (finals.length > 0 && finals.length < planned) {
    return {
      ...base,
      status: 'UNKNOWN',
      detail: `${planned - finals.length} of ${planned} tests did not run`,
    };
  }
  const executed = finals.filter((end) => end.outcome !== 'skipped' && !isBookkeeping(end.suite));
  if (executed.length > 0) {
    const retry = Math.max(...executed.map((end) => end.retry));
    const detail = retry > 0 ? `completed (passed on retry ${retry})` : 'completed';
    return { ...base, status: 'PASS', detail, durationMs };
  }
  const skipped = finals.find((end) => end.outcome === 'skipped' && !isBookkeeping(end.suite));
  if (skipped !== undefined) {
    return { ...base, status: 'SKIP', detail: skipped.skipReason ?? 'all tests are skipped' };
  }
  return progress === 'ended' || log.ends.length > 0
    ? { ...base, status: 'UNKNOWN', detail: 'no test was executed' }
    : { ...base, status: 'WAIT', detail: 'not started' };
}

function crashed(
  base: Omit<HostModel, 'status' | 'detail'>,
  test: { steps: readonly string[]; suite: string; test: string },
  flow: Flow,
): HostModel {
  const title = test.steps.at(-1);
  const number = stepNumber(test.steps, stepsOf(test.suite, flow));
  const where = title === undefined ? `test "${test.test}"` : `step ${number}`;
  const detail = title === undefined ? 'crashed before the first step' : `crashed at ${where}`;
  const excerpt = 'the runner ended in mid-test and left no result';
  return {
    ...base,
    status: 'FAIL',
    detail,
    failures: [{ where: title === undefined ? where : `${where} "${title}"`, excerpt }],
  };
}

function stepsOf(suite: string, flow: Flow): readonly string[] {
  return flow.find((list) => list.suite === suite)?.steps ?? [];
}

/** The step that was begun last, by its place in the suite's flow; 0 before the first. */
function stepNumber(begun: readonly string[], steps: readonly string[]): number {
  const title = begun.at(-1);
  return title === undefined ? 0 : steps.indexOf(title) + 1 || begun.length;
}

function isFailure(end: TestEnd): boolean {
  return !end.expected && end.outcome !== 'interrupted' && end.outcome !== 'skipped';
}

/** The last attempt of each test, in order of first appearance; of two results of one attempt the failing one. */
function finalAttempts(ends: readonly TestEnd[]): TestEnd[] {
  const last = new Map<string, TestEnd>();
  for (const end of ends) {
    const key = JSON.stringify([end.suite, end.test]);
    const known = last.get(key);
    if (
      known === undefined ||
      end.retry > known.retry ||
      (end.retry === known.retry && outranks(end, known))
    ) {
      last.set(key, end);
    }
  }
  return [...last.values()];
}

/** FAIL before PASS before SKIP before what was cut off: a partial artefact never overwrites a result (E10.3). */
function outranks(end: TestEnd, known: TestEnd): boolean {
  const rank = (of: TestEnd): number => {
    if (isFailure(of)) return 3;
    return of.outcome === 'interrupted' ? 0 : of.outcome === 'skipped' ? 1 : 2;
  };
  return rank(end) > rank(known);
}

function testModel(end: TestEnd, flow: Flow): TestModel {
  const status = isFailure(end)
    ? 'failed'
    : end.outcome === 'skipped' || end.outcome === 'interrupted'
      ? end.outcome
      : 'passed';
  return {
    suite: end.suite,
    test: end.test,
    retry: end.retry,
    status,
    begun: end.steps,
    timed: end.timed ?? [],
    failedStep: isFailure(end) ? end.failure?.step : undefined,
    failure: isFailure(end) ? failureOf(end, flow) : undefined,
    pictures: end.pictures ?? [],
  };
}

function failureOf(end: TestEnd, flow: Flow): HostFailure {
  const failure: FailureEvidence = end.failure ?? { short: '', excerpt: '' };
  const excerpt = failure.excerpt.trim() === '' ? `${end.test}: no error was recorded` : failure.excerpt;
  if (failure.step === undefined) return { where: `test "${end.test}"`, excerpt };
  const number = (flow.find((list) => list.suite === end.suite)?.steps.indexOf(failure.step) ?? -1) + 1;
  return { where: number > 0 ? `step ${number} "${failure.step}"` : `step "${failure.step}"`, excerpt };
}
