/**
 * The state of a run, computed from its journal: a pure fold.
 *
 * @module
 */
import { keyOf } from './attempts.ts';
import { runErrors } from './errors.ts';
import { type Flow, flowsOf } from './flow/executed.ts';
import type {
  JournalEvent,
  Origin,
  PlannedFlow,
  PlannedHost,
  RunError,
  RunnerStatus,
  Shard,
} from './journal.ts';
import { notesOf } from './notes.ts';
import {
  hostModel,
  type HostLog,
  type HostModel,
  type OpenTest,
  type RunState,
  verdictOf,
} from './verdict.ts';

export type { RunState } from './verdict.ts';

export interface RunModel {
  readonly build: string;
  readonly run: string | undefined;
  /** Version of vmwright that recorded the run. */
  readonly version: string | undefined;
  readonly state: RunState;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly slots: number;
  readonly shard: Shard | undefined;
  readonly group: string | undefined;
  readonly hosts: readonly HostModel[];
  /** Tests of projects that are no machines and have not ended: set-ups, teardowns, checks. */
  readonly othersOpen: number;
  /** Every planned machine, also those of other shards. */
  readonly scope: readonly PlannedHost[];
  readonly coverage: readonly (readonly [key: string, value: string])[];
  /** Steps in order, by suite and, where they differ, by system. */
  readonly flow: readonly Flow[];
  /** What failed outside of any test; with its machine, where that is known. */
  readonly errors: readonly RunError[];
  readonly notes: readonly string[];
  readonly command: string;
  readonly url: string | undefined;
  /** Folder of Playwright's HTML report. Absent where none was written or nobody told. */
  readonly htmlReport?: string | undefined;
  /** Of a shard. */
  readonly origin?: Origin | undefined;
}

/** What is known of a run beside its journal. The runner itself, rendering its own end, has nothing to add. */
export interface Surroundings {
  /** Whether the process that writes the journal still exists; `unknown` on another computer. */
  readonly runner: 'alive' | 'gone' | 'unknown';
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Lines of the journal that are missing or unreadable. */
  readonly faults?: readonly string[];
  /** When the operator stopped the run. */
  readonly cancelledAt?: number;
  /**
   * True when the runner was ended by its supervisor, after all results were there, because it never exited. Where it had
   * not told the end of the run, nobody knows what it was still at: HUNG, unless a machine failed anyway.
   */
  readonly wasStuck?: boolean;
  /** With which the runner exited, where its supervisor saw that. */
  readonly exitCode?: number;
  /** A runner without an event for this long is hung. Milliseconds. */
  readonly hungAfterMs?: number;
  /** How long a runner may live on after the end of its run. Milliseconds. */
  readonly graceMs?: number;
}

const HUNG_AFTER_MS = 30 * 60_000;
const GRACE_MS = 120_000;

type Begin = Extract<JournalEvent, { type: 'run-begin' }>;
type End = Extract<JournalEvent, { type: 'run-end' }>;

/** Folds a journal into the run's state. Events of hosts outside the plan are ignored. Throws when it has no beginning. */
export function foldJournal(events: readonly JournalEvent[], around?: Surroundings): RunModel {
  const begin = events.find((event): event is Begin => event.type === 'run-begin');
  if (begin === undefined) throw new Error('the journal has no run-begin event');
  const planned =
    begin.shard === undefined
      ? begin.hosts
      : begin.hosts.filter((host) => host.shard === undefined || host.shard === begin.shard?.current);
  const logs = new Map(
    planned.map((plan): [string, HostLog] => [
      plan.host,
      { plan, open: new Map(), ends: [], unreadable: [], errors: [] },
    ]),
  );
  for (const event of events) {
    if ('host' in event) record(logs.get(event.host ?? ''), event as HostEvent);
  }

  const end = endOf(events);
  const lastAt = events.reduce((latest, event) => Math.max(latest, event.at), 0);
  const progress = progressOf(end, lastAt, around);
  const flow = flowsOf([...logs.values()], begin.flow ?? []);
  const failOnFlakyTests = begin.failOnFlakyTests === true;
  const hosts = [...logs.values()].map((log) =>
    hostModel(log, {
      progress: progress.of,
      failOnFlakyTests,
      flow: flow.filter((list) => isFor(list, log)),
    }),
  );
  const faults = [
    ...(around?.faults ?? []).map((fault) => `journal: ${fault}`),
    ...events.flatMap((event) => (event.type === 'unreadable' && event.host === undefined ? event.text : [])),
  ];
  // A runner that its supervisor ended exits with a code that says nothing of its results.
  const exitCode = around?.wasStuck === true ? undefined : around?.exitCode;
  const errors = runErrors(events, { hosts, status: end?.status, exitCode });
  const isUntold = around?.wasStuck === true && end === undefined;
  const stateOf = (verdict: RunState): RunState => (isUntold && verdict === 'COMPLETED' ? 'HUNG' : verdict);
  return {
    build: begin.build,
    run: begin.run,
    version: begin.version,
    state: progress.state ?? stateOf(verdictOf({ hosts, faults, errors, status: end?.status, exitCode })),
    startedAt: Math.min(begin.at, ...hosts.flatMap((host) => host.startedAt ?? [])),
    endedAt: progress.endedAt,
    slots: begin.slots,
    shard: begin.shard,
    group: begin.group,
    hosts,
    othersOpen: events.findLast((event) => event.type === 'others')?.open ?? 0,
    scope: begin.hosts,
    coverage: begin.coverage,
    flow,
    errors,
    notes: [
      ...notesOf(events),
      ...(around?.wasStuck === true ? [stuckNote(isUntold)] : []),
      ...flowNotes(begin.flow ?? [], flow),
      ...[...logs.values()].flatMap((log) =>
        log.unreadable.flatMap((text) => (faults.includes(text) ? [] : `${log.plan.host}: ${text}`)),
      ),
      ...faults,
    ],
    command: begin.command,
    url: events.findLast((event) => event.type === 'url')?.url ?? begin.url,
    htmlReport: begin.htmlReport,
    ...(begin.origin === undefined ? {} : { origin: begin.origin }),
  };
}

function stuckNote(isUntold: boolean): string {
  const note = 'the runner did not exit after the last result and was ended';
  return isUntold ? `${note}: what came after its tests (teardowns, other reporters) is not known` : note;
}

/** The run's end; of several the worst news: what was stopped or failed once was not finished well. */
function endOf(events: readonly JournalEvent[]): End | undefined {
  const ends = events.filter((event): event is End => event.type === 'run-end');
  const last = ends.at(-1);
  if (last === undefined) return undefined;
  const order: readonly RunnerStatus[] = ['failed', 'timedout', 'interrupted', 'passed'];
  const status = order.find((candidate) => ends.some((end) => end.status === candidate));
  const isCancelled = ends.some((end) => end.result === 'cancelled');
  return {
    ...last,
    ...(isCancelled ? { result: 'cancelled' } : {}),
    ...(status === undefined ? {} : { status }),
  };
}

type HostEvent = JournalEvent & { host: string };

function record(log: HostLog | undefined, event: HostEvent): void {
  if (log === undefined) return;
  switch (event.type) {
    case 'kernel':
      log.kernel = event.kernel;
      break;
    case 'unreadable':
      log.unreadable.push(event.text);
      break;
    case 'error':
      log.errors.push(event);
      break;
    case 'test-begin':
      // A partial artefact that comes late does not reopen what has ended.
      if (log.ends.some((end) => keyOf(end) === keyOf(event))) break;
      log.startedAt = Math.min(log.startedAt ?? event.at, event.at);
      log.open.set(keyOf(event), { ...event, steps: [], timed: [] });
      break;
    case 'step-begin':
      for (const test of openTests(log, event.id)) test.steps.push(event.title);
      break;
    case 'step-end': {
      const { title, durationMs, failed } = event;
      for (const test of openTests(log, event.id)) test.timed.push({ title, durationMs, failed });
      break;
    }
    case 'test-end':
      log.open.delete(keyOf(event));
      log.startedAt = Math.min(log.startedAt ?? Infinity, event.at - event.durationMs);
      log.endedAt = Math.max(log.endedAt ?? event.at, event.at);
      log.ends.push(event);
  }
}

/** Those that a step may be of: the one it names, in older journals all that run. */
function openTests(log: HostLog, id: string | undefined): OpenTest[] {
  return [...log.open.values()].filter((test) => id === undefined || test.id === id);
}

interface Progress {
  /** What machines without a result are: still at it, over, or cut off with their runner. */
  readonly of: 'live' | 'ended' | 'cut';
  /** Undefined when the results decide. */
  readonly state?: RunState;
  readonly endedAt: number | undefined;
}

function progressOf(end: End | undefined, lastAt: number, around: Surroundings | undefined): Progress {
  const {
    runner,
    now,
    hungAfterMs = HUNG_AFTER_MS,
    graceMs = GRACE_MS,
  } = around ?? { runner: undefined, now: 0 };
  const silentMs = now - lastAt;
  if (around?.wasStuck === true) return { of: 'ended', endedAt: end?.at ?? lastAt };
  const cancelledAt = around?.cancelledAt ?? (end?.result === 'cancelled' ? end.at : undefined);
  if (cancelledAt !== undefined && runner !== 'alive') {
    return { of: 'ended', state: 'CANCELLED', endedAt: end?.at ?? cancelledAt };
  }
  if (end !== undefined) {
    if (runner !== 'alive') return { of: 'ended', endedAt: end.at };
    return silentMs > graceMs
      ? { of: 'ended', state: 'HUNG', endedAt: end.at }
      : { of: 'live', state: 'RUNNING', endedAt: undefined };
  }
  if (runner === 'gone') return { of: 'cut', state: 'TERMINATED', endedAt: lastAt };
  if (runner !== undefined && silentMs > hungAfterMs) {
    return { of: 'live', state: runner === 'alive' ? 'HUNG' : 'UNKNOWN', endedAt: undefined };
  }
  return { of: 'live', state: 'RUNNING', endedAt: undefined };
}

function isFor({ hosts }: Flow, { plan }: HostLog): boolean {
  return hosts === undefined || hosts.includes(plan.host);
}

function flowNotes(planned: readonly PlannedFlow[], flow: readonly Flow[]): string[] {
  const shown = (plan: PlannedFlow): boolean =>
    flow.some(({ suite, steps }) => suite === plan.suite && plan.steps.some((step) => steps.includes(step)));
  return planned
    .filter((plan) => plan.from === 'static' && shown(plan))
    .map((plan) => `TEST FLOW of ${plan.suite} is its fixed list: its spec could not be read`);
}
