/**
 * The verdicts on machines and on the run: all evidence there is, and nothing else.
 *
 * Evidence is a set. What it says is ordered, and the highest word in it stands:
 *
 *     FAIL > UNKNOWN > RUN, WAIT > SKIP > PASS
 *
 * - FAIL: a test ended otherwise than expected and has no retry left; a worker or its teardown failed; the runner died in
 *   mid-test; a test was flaky in a run that forbids it. Where nothing failed but the way to the machine, its detail
 *   says `unavailable`, as exit code 3 does.
 * - UNKNOWN: evidence that cannot be understood, is missing or contradicts itself: a planned test without a result, a
 *   test that was cut off or dropped, a machine that was named and has no test.
 * - RUN, WAIT: the runner lives and is at work on the machine, or will be.
 * - SKIP: left out by its row, or all that was planned was skipped, with the reason.
 * - PASS: an executed test with the expected outcome, and none of the above.
 *
 * So evidence that is added (an event, an artefact, an exit code) only ever lowers a verdict. It raises one in a single
 * case: it is the complete result that was missing, of a test that had none, or of the retry of one that had failed.
 *
 * The run: while its runner lives it is RUNNING or HUNG; stopped, CANCELLED; cut off, TERMINATED. Once it is over:
 *
 *     UNKNOWN (evidence missing) > FAILED > UNKNOWN (machines without a verdict) > COMPLETED
 *
 * FAILED is also what the runner itself calls failed (its final status, an error outside of any test, its exit code),
 * whatever the machines say. Where a part of the evidence is damaged or has not arrived, nobody knows the run: UNKNOWN.
 *
 * @module
 */
import {
  finalAttempts,
  flakyTests,
  isBookkeeping,
  isExecuted,
  isFailure,
  type TestEnd,
  testKey,
  wasDropped,
} from './attempts.ts';
import { isUnavailable } from './unavailable.ts';
import type { LeftFile, Picture, PlannedHost, RunError, RunnerStatus, StepResult } from './journal.ts';

export type HostStatus = 'PASS' | 'FAIL' | 'RUN' | 'SKIP' | 'WAIT' | 'UNKNOWN';

/** Run states of requirements E12. */
export type RunState = 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TERMINATED' | 'HUNG' | 'UNKNOWN';

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
  /** More is to come: a test runs, is tried again or waits. A machine that has failed may still be at work. */
  readonly isWorking: boolean;
  /** Evidence about it is damaged or has not arrived. */
  readonly isUnreadable: boolean;
  /** Suites of which something ran here. */
  readonly suites: readonly string[];
  /** What counts of each test. */
  readonly tests: readonly TestModel[];
  /** Set where it passed only on a retry: on which. */
  readonly passedOnRetry?: number;
}

export interface HostFailure {
  /** `step 7 "Connect"`, or what failed outside of a step. */
  readonly where: string;
  readonly excerpt: string;
}

export interface TestModel {
  readonly id?: string;
  readonly suite: string;
  readonly test: string;
  readonly retry: number;
  /** `dropped`: it was to run, and what it needed had failed before. */
  readonly status: 'passed' | 'failed' | 'skipped' | 'dropped' | 'interrupted' | 'running';
  readonly skipReason: string | undefined;
  /** Titles of the top-level steps that were begun. */
  readonly begun: readonly string[];
  /** Those with known times. */
  readonly timed: readonly StepResult[];
  readonly failedStep: string | undefined;
  readonly failure: HostFailure | undefined;
  readonly pictures: readonly Picture[];
  /** Film and trace of a test that is over. */
  readonly files?: readonly LeftFile[];
  readonly durationMs?: number;
  /** The runner's own identifier: the address of the test in its HTML report. */
  readonly reportId?: string;
}

/** A test that has begun and not ended. */
export interface OpenTest {
  readonly id?: string;
  readonly suite: string;
  readonly test: string;
  readonly retry: number;
  readonly steps: string[];
  readonly timed: StepResult[];
}

/** What the journal says of one machine. */
export interface HostLog {
  readonly plan: PlannedHost;
  kernel?: string;
  startedAt?: number;
  endedAt?: number;
  readonly open: Map<string, OpenTest>;
  readonly ends: TestEnd[];
  readonly unreadable: string[];
  /** Of its workers. */
  readonly errors: RunError[];
}

/** What the run says of all its machines. */
export interface RunFacts {
  /** What a machine without a result is: still at it, over, or cut off with its runner. */
  readonly progress: 'live' | 'ended' | 'cut';
  readonly failOnFlakyTests: boolean;
  readonly flow: Flow;
}

type Flow = readonly { readonly suite: string; readonly steps: readonly string[] }[];

/** Everything that bears on one machine, sorted. */
interface HostEvidence {
  readonly log: HostLog;
  readonly facts: RunFacts;
  readonly finals: readonly TestEnd[];
  readonly running: readonly OpenTest[];
  /** How many tests it has in this run. */
  readonly planned: number;
  /** What failed and is not tried again, with one line each. */
  readonly failures: readonly (HostFailure & { readonly short: string })[];
}

interface Verdict {
  readonly status: HostStatus;
  readonly detail: string;
  readonly step?: string;
  readonly passedOnRetry?: number;
}

/** The machine as its evidence shows it, by the order above. */
export function hostModel(log: HostLog, facts: RunFacts): HostModel {
  const finals = finalAttempts(log.ends);
  const running = [...log.open.values()];
  const planned = log.plan.tests ?? finals.length;
  const evidence: HostEvidence = {
    log,
    facts,
    finals,
    running,
    planned,
    failures: failuresOf(log, finals, facts),
  };
  const verdict = verdictOn(evidence);
  const isSkip = verdict.status === 'SKIP';
  const pending = isSkip ? 0 : Math.max(0, planned - finals.length - running.length);
  const isWorking = facts.progress === 'live' && !isSkip && (isAtWork(evidence) || pending > 0);
  const isTimed =
    (verdict.status === 'PASS' || verdict.status === 'FAIL') && !isWorking && running.length === 0;
  return {
    host: log.plan.host,
    family: log.plan.family,
    kernel: log.kernel ?? 'unknown',
    startedAt: log.startedAt,
    endedAt: log.endedAt,
    durationMs:
      !isTimed || log.startedAt === undefined || log.endedAt === undefined
        ? undefined
        : Math.max(0, log.endedAt - log.startedAt),
    failures: isSkip ? [] : shownFailures(evidence),
    pending,
    isWorking,
    isUnreadable: log.unreadable.length > 0,
    suites: [...new Set([...log.ends, ...running].map((test) => test.suite))],
    tests: [
      ...finals.map((end) => testModel(end, facts.flow)),
      ...running.map((test): TestModel => ({
        ...(test.id === undefined ? {} : { id: test.id }),
        suite: test.suite,
        test: test.test,
        retry: test.retry,
        status: facts.progress === 'live' ? 'running' : 'interrupted',
        skipReason: undefined,
        begun: test.steps,
        timed: test.timed,
        failedStep: undefined,
        failure: undefined,
        pictures: [],
      })),
    ],
    ...verdict,
  };
}

/** From the highest word to the lowest: the first that the evidence says. */
function verdictOn(evidence: HostEvidence): Verdict {
  return (
    failed(evidence) ??
    unreadable(evidence) ??
    leftOut(evidence) ??
    unsettled(evidence) ??
    working(evidence) ??
    skipped(evidence) ??
    passed(evidence)
  );
}

function failed(evidence: HostEvidence): Verdict | undefined {
  // What may be the application's fault stands above a machine that was not there.
  const failure = evidence.failures.find(({ excerpt }) => !isUnavailable(excerpt)) ?? evidence.failures[0];
  if (failure !== undefined) {
    const { where, short, excerpt } = failure;
    const said = short === '' ? 'no error was recorded' : short;
    const detail = isUnavailable(excerpt)
      ? `unavailable: ${said.replace(/^\w*Error: /, '')}`
      : `${where} - ${said}`;
    return { status: 'FAIL', detail, ...stepOf(evidence) };
  }
  const crash = crashOf(evidence);
  return crash === undefined ? undefined : { status: 'FAIL', detail: crash.detail };
}

function unreadable({ log }: HostEvidence): Verdict | undefined {
  const [text] = log.unreadable;
  return text === undefined ? undefined : { status: 'UNKNOWN', detail: text };
}

/** Its row leaves it out, or nothing of this run is for it. Named, it is missing. */
function leftOut({ log: { plan, ends }, running }: HostEvidence): Verdict | undefined {
  if (plan.skip !== undefined) return { status: 'SKIP', detail: plan.skip };
  if (plan.untested === undefined || ends.length > 0 || running.length > 0) return undefined;
  const status = plan.named === true ? 'UNKNOWN' : 'SKIP';
  return { status, detail: `no test of this run is for it: ${plan.untested}` };
}

/** What was to have a result and has none. While the runner lives it may still come. */
function unsettled(evidence: HostEvidence): Verdict | undefined {
  const { log, facts, finals, running, planned } = evidence;
  const isLive = facts.progress === 'live';
  const [cut] = isLive ? [] : running;
  if (cut !== undefined || finals.some((end) => end.outcome === 'interrupted')) {
    const step = cut?.steps.length ?? 0;
    return { status: 'UNKNOWN', detail: step > 0 ? `interrupted at step ${step}` : 'interrupted' };
  }
  if (isLive) return undefined;
  const done = finals.filter((end) => !wasDropped(end)).length;
  if (finals.length > 0 && done < planned)
    return { status: 'UNKNOWN', detail: `${planned - done} of ${planned} tests did not run` };
  const isOver = facts.progress === 'ended' || log.ends.length > 0;
  const saysAnything = finals.some((end) => isExecuted(end) || isSkipped(end));
  if (isOver && !saysAnything) return { status: 'UNKNOWN', detail: 'no test was executed' };
  return undefined;
}

function working(evidence: HostEvidence): Verdict | undefined {
  const { log, facts, finals, running, planned } = evidence;
  const saysAnything = finals.some((end) => isExecuted(end) || isSkipped(end));
  if (facts.progress !== 'live') {
    return saysAnything ? undefined : { status: 'WAIT', detail: 'not started' };
  }
  const [current] = running;
  if (current !== undefined) {
    const steps = stepsOf(current.suite, facts.flow);
    const at = `step ${stepNumber(current.steps, steps)}/${steps.length}`;
    const detail = steps.length > 0 ? `in progress - ${at}` : 'in progress';
    return { status: 'RUN', detail, ...stepOf(evidence) };
  }
  const again = finals.find(isTriedAgain);
  if (again !== undefined) return { status: 'RUN', detail: `in progress - retry ${again.retry + 1}` };
  if (finals.length > 0 && finals.length < planned)
    return { status: 'RUN', detail: `in progress - test ${finals.length + 1}/${planned}` };
  if (saysAnything) return undefined;
  return log.ends.length > 0
    ? { status: 'UNKNOWN', detail: 'no test was executed' }
    : { status: 'WAIT', detail: 'not started' };
}

function skipped({ finals }: HostEvidence): Verdict | undefined {
  if (finals.some(isExecuted)) return undefined;
  const reasons = skipReasons(finals);
  return { status: 'SKIP', detail: reasons === '' ? 'all tests are skipped' : reasons };
}

/** Its skips are told: a machine that passed one of three tests is no machine that passed three. */
function passed({ finals }: HostEvidence): Verdict {
  const executed = finals.filter(isExecuted);
  const left = finals.filter(isSkipped);
  const retry = Math.max(...executed.map((end) => end.retry));
  const of = executed.length + left.length;
  const reasons = skipReasons(finals);
  const counts =
    left.length === 0
      ? 'completed'
      : `${executed.length} of ${of} passed, ${left.length} skipped${reasons === '' ? '' : `: ${reasons}`}`;
  if (retry === 0) return { status: 'PASS', detail: counts };
  return { status: 'PASS', detail: `${counts} (passed on retry ${retry})`, passedOnRetry: retry };
}

/** Left out on purpose. */
function isSkipped(end: TestEnd): boolean {
  return end.outcome === 'skipped' && !wasDropped(end) && !isBookkeeping(end.suite);
}

/** Each reason once. */
function skipReasons(finals: readonly TestEnd[]): string {
  return [...new Set(finals.filter(isSkipped).flatMap((end) => end.skipReason ?? []))].join('; ');
}

function isTriedAgain(end: TestEnd): boolean {
  return isFailure(end) && (end.retriesLeft ?? 0) > 0;
}

/** A test runs here or is tried again. */
function isAtWork({ finals, running }: HostEvidence): boolean {
  return running.length > 0 || finals.some(isTriedAgain);
}

function failuresOf(
  log: HostLog,
  finals: readonly TestEnd[],
  { progress, flow, failOnFlakyTests }: RunFacts,
): HostEvidence['failures'] {
  const isFinal = (end: TestEnd): boolean => isFailure(end) && !(progress === 'live' && isTriedAgain(end));
  const flaky = failOnFlakyTests ? flakyTests(log.ends) : [];
  return [
    ...finals.filter(isFinal).map((end) => ({ ...failureOf(end, flow), short: end.failure?.short ?? '' })),
    ...log.errors.map(({ short, excerpt }) => ({ where: 'worker', short, excerpt })),
    ...flaky.map((end) => {
      const first = log.ends.find((other) => isFailure(other) && testKey(other) === testKey(end));
      const short = `passed on retry ${end.retry}, and this run forbids flaky tests`;
      const excerpt = [short, first?.failure?.excerpt ?? ''].join('\n').trim();
      return { where: `test "${end.test}"`, short, excerpt };
    }),
  ];
}

/** With those that are being tried again, and what was cut off with the runner. */
function shownFailures(evidence: HostEvidence): HostFailure[] {
  const { failures, finals, facts } = evidence;
  const again =
    facts.progress === 'live' ? finals.filter(isTriedAgain).map((end) => failureOf(end, facts.flow)) : [];
  const crash = failures.length === 0 ? crashOf(evidence) : undefined;
  return [
    ...failures.map(({ where, excerpt }) => ({ where, excerpt })),
    ...again,
    ...(crash === undefined ? [] : [crash.failure]),
  ];
}

/** The runner ended in mid-test. On a machine that is left out nothing was to happen. */
function crashOf({
  log,
  running: [test],
  facts,
}: HostEvidence): { readonly detail: string; readonly failure: HostFailure } | undefined {
  if (test === undefined || facts.progress !== 'cut' || log.plan.skip !== undefined) return undefined;
  const title = test.steps.at(-1);
  const number = stepNumber(test.steps, stepsOf(test.suite, facts.flow));
  const where = title === undefined ? `test "${test.test}"` : `step ${number}`;
  return {
    detail: title === undefined ? 'crashed before the first step' : `crashed at ${where}`,
    failure: {
      where: title === undefined ? where : `${where} "${title}"`,
      excerpt: 'the runner ended in mid-test and left no result',
    },
  };
}

/** Where the running test is. */
function stepOf({ running: [current], facts }: HostEvidence): { readonly step?: string } {
  if (current === undefined || facts.progress !== 'live') return {};
  const steps = stepsOf(current.suite, facts.flow);
  const number = stepNumber(current.steps, steps);
  if (number === 0) return {};
  return { step: steps.length > 0 ? `step ${number}/${steps.length}` : `step ${number}` };
}

/** What all there is says of a run that is over. */
export interface RunEvidence {
  readonly hosts: readonly Pick<HostModel, 'status' | 'isUnreadable'>[];
  /** What is missing or damaged of the evidence itself. */
  readonly faults: readonly string[];
  /** What failed outside of any test. */
  readonly errors: readonly RunError[];
  /** The runner's own last word. */
  readonly status?: RunnerStatus | undefined;
  /** With which it exited, where somebody looked. */
  readonly exitCode?: number | undefined;
}

/** The state of a run that is over, by the order above. */
export function verdictOf({ hosts, faults, errors, status, exitCode }: RunEvidence): RunState {
  if (faults.length > 0) return 'UNKNOWN';
  if (hosts.some((host) => host.status === 'UNKNOWN' && host.isUnreadable)) return 'UNKNOWN';
  const isCalledFailed = status !== undefined && status !== 'passed';
  if (errors.length > 0 || isCalledFailed || (exitCode ?? 0) !== 0) return 'FAILED';
  if (hosts.length === 0) return 'UNKNOWN';
  if (hosts.some((host) => ['UNKNOWN', 'RUN', 'WAIT'].includes(host.status))) return 'UNKNOWN';
  return hosts.some((host) => host.status === 'FAIL') ? 'FAILED' : 'COMPLETED';
}

function stepsOf(suite: string, flow: Flow): readonly string[] {
  return flow.find((list) => list.suite === suite)?.steps ?? [];
}

/** The step that was begun last, by its place in the suite's flow; 0 before the first. */
function stepNumber(begun: readonly string[], steps: readonly string[]): number {
  const title = begun.at(-1);
  return title === undefined ? 0 : steps.indexOf(title) + 1 || begun.length;
}

function testModel(end: TestEnd, flow: Flow): TestModel {
  return {
    ...(end.id === undefined ? {} : { id: end.id }),
    suite: end.suite,
    test: end.test,
    retry: end.retry,
    status: statusOf(end),
    skipReason: end.outcome === 'skipped' ? end.skipReason : undefined,
    begun: end.steps,
    timed: end.timed ?? [],
    failedStep: isFailure(end) ? end.failure?.step : undefined,
    failure: isFailure(end) ? failureOf(end, flow) : undefined,
    pictures: end.pictures ?? [],
    files: end.files ?? [],
    durationMs: end.durationMs,
    ...(end.reportId === undefined ? {} : { reportId: end.reportId }),
  };
}

function statusOf(end: TestEnd): TestModel['status'] {
  if (isFailure(end)) return 'failed';
  if (wasDropped(end)) return 'dropped';
  return end.outcome === 'skipped' || end.outcome === 'interrupted' ? end.outcome : 'passed';
}

function failureOf(end: TestEnd, flow: Flow): HostFailure {
  const failure = end.failure ?? { short: '', excerpt: '' };
  const excerpt = failure.excerpt.trim() === '' ? `${end.test}: no error was recorded` : failure.excerpt;
  if (failure.step === undefined) return { where: `test "${end.test}"`, excerpt };
  const number = (flow.find((list) => list.suite === end.suite)?.steps.indexOf(failure.step) ?? -1) + 1;
  return { where: number > 0 ? `step ${number} "${failure.step}"` : `step "${failure.step}"`, excerpt };
}
