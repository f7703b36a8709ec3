/**
 * The sections of the summary as data: rows and lines, before any markup.
 *
 * Formats: requirements E2 to E8.
 *
 * @module
 */
import type { RunError } from '../journal.ts';
import type { HostModel, HostStatus, TestModel } from '../verdict.ts';
import type { RunModel } from '../model.ts';

/** Longest Detail, in characters (decision D6). */
const DETAIL_LIMIT = 160;
/** Longest excerpt (decision D7). */
const EXCERPT_LINES = 12;
const EXCERPT_CHARACTERS = 1200;
const TITLE = 'ATVM Run Status';

const TOKENS: Readonly<Record<HostStatus, string>> = {
  PASS: '✅ PASS',
  FAIL: '⚠️ FAIL',
  RUN: '⏳ RUN',
  SKIP: '⏭️ SKIP',
  WAIT: '🕓 WAIT',
  UNKNOWN: '❔ UNKNOWN',
};

/** How a run is looked at. */
export interface View {
  /** Milliseconds since the epoch; matters only while the run is live. */
  readonly now: number;
  /** True where the reader may expect a live run and this one is over. */
  readonly historical?: boolean;
  /** First heading (decision D1). */
  readonly title?: string;
  /** This rendering replaces one that was posted. */
  readonly correction?: { readonly postedAt: number; readonly why: string };
}

export interface Sections {
  readonly title: string;
  /** First line of a correction. */
  readonly correction: string | undefined;
  readonly state: string;
  /** Machines by what became of them. */
  readonly summary: readonly (readonly [string, number])[];
  /** Tests by what became of them, where there are more of them than machines: `5 of 6 passed, 1 skipped`. */
  readonly tests: string | undefined;
  readonly hosts: readonly {
    readonly host: string;
    readonly kernel: string;
    readonly status: HostStatus;
    readonly token: string;
    readonly detail: string;
  }[];
  readonly timing: readonly (readonly [string, string])[];
  readonly coverage: readonly (readonly [string, string])[];
  readonly flow: readonly {
    readonly suite: string;
    readonly steps: readonly string[];
    /** The machines that go this way, where those of one suite do not all do the same. */
    readonly hosts?: readonly string[] | undefined;
    /** What they are, in words. */
    readonly of?: string | undefined;
    /** Nothing of it was executed. */
    readonly planned?: true;
  }[];
  readonly failures: readonly { readonly host: string; readonly where: string; readonly excerpt: string }[];
  readonly notes: readonly string[];
}

/** What the summary says of the run. */
export function sectionsOf(model: RunModel, view: View): Sections {
  const { now } = view;
  return {
    title: view.title ?? TITLE,
    correction: correctionLine(view),
    state: stateLine(model, view),
    summary: summaryRows(model),
    tests: testsLine(model),
    hosts: model.hosts.map((host) => ({
      host: host.host,
      kernel: host.kernel,
      status: host.status,
      token: TOKENS[host.status],
      detail: oneLine(host.detail),
    })),
    timing: timingRows(model, now),
    coverage: model.coverage.filter(([, value]) => value !== ''),
    flow: model.flow.map((flow) => (isPlanned(flow, model) ? { ...flow, planned: true } : flow)),
    failures: [
      ...model.hosts.flatMap((host) => failureNote(host) ?? []),
      ...model.errors.flatMap((error) => errorNote(error, model)),
    ],
    notes: [
      ...(model.url === undefined ? [] : [`run URL: ${model.url}`]),
      `command: ${model.command}`,
      ...flakyNotes(model),
      ...skipNotes(model),
      ...overrunNotes(model, now),
      ...model.notes.map((note) => oneParagraph(note)),
    ],
  };
}

/** `upload`, `upload on windows (planned)`, `planned`; empty where the run has one list and goes by it. */
export function flowHeading({ suite, of, planned }: Sections['flow'][number], isOnly: boolean): string {
  const name = isOnly ? '' : of === undefined ? suite : `${suite} on ${of}`;
  if (planned !== true) return name;
  return name === '' ? 'planned' : `${name} (planned)`;
}

function isPlanned({ suite, hosts }: RunModel['flow'][number], model: RunModel): boolean {
  return model.hosts
    .filter(({ host }) => hosts?.includes(host) ?? true)
    .flatMap(({ tests }) => tests)
    .every((test) => test.suite !== suite || test.status === 'skipped' || test.status === 'dropped');
}

/** `2026-05-12 09:30:00 UTC`. */
export function formatTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `45s`, `12m 40s`, `1h 02m 07s`; never negative. */
export function formatDuration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  if (hours > 0) return `${hours}h ${two(minutes)}m ${two(seconds)}s`;
  return minutes > 0 ? `${minutes}m ${two(seconds)}s` : `${seconds}s`;
}

/** One note a failed host: its first failure, and how many more there are. */
function failureNote(host: HostModel): Sections['failures'][number] | undefined {
  const [first, ...others] = host.failures;
  if (first === undefined) return undefined;
  const excerpt = excerptOf(first.excerpt);
  const more = others.map((failure) => failure.where).join(', ');
  const suffix = others.length === 0 ? '' : `\nand ${others.length} more: ${more}`;
  return { host: host.host, where: first.where, excerpt: excerpt + suffix };
}

/** An error outside of any test. That of a machine's worker stands with the machine's own failures. */
function errorNote({ host, short, excerpt }: RunError, model: RunModel): Sections['failures'] {
  if (model.hosts.some((row) => row.host === host)) return [];
  const where = host === undefined ? short : `${host}: ${short}`;
  return [{ host: 'run', where: oneLine(where), excerpt: excerptOf(excerpt) }];
}

/** Hosts that passed only on a retry (decision D8). */
function flakyNotes(model: RunModel): string[] {
  return model.hosts.flatMap((host) =>
    host.passedOnRetry === undefined ? [] : [`flaky: ${host.host} ${host.detail}`],
  );
}

/** Tests of all machines by what became of them; those that have no result yet, or never got one, under `open`. */
export function testCounts(
  model: RunModel,
): Readonly<Record<'planned' | 'passed' | 'failed' | 'skipped' | 'open', number>> {
  const tests = model.hosts.flatMap((host) => host.tests);
  const count = (...statuses: TestModel['status'][]): number =>
    tests.filter(({ status }) => statuses.includes(status)).length;
  const pending = model.hosts.reduce((sum, host) => sum + host.pending, 0);
  return {
    planned: tests.length + pending,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    open: count('dropped', 'interrupted', 'running') + pending,
  };
}

function testsLine(model: RunModel): string | undefined {
  if (model.hosts.every((host) => host.tests.length + host.pending <= 1)) return undefined;
  const { planned, passed, failed, skipped, open } = testCounts(model);
  const rest = [
    [failed, 'failed'],
    [skipped, 'skipped'],
    [open, model.endedAt === undefined ? 'to come' : 'without a result'],
  ] as const;
  const told = rest.flatMap(([number, word]) => (number === 0 ? [] : [`${number} ${word}`]));
  return [`${passed} of ${planned} passed`, ...told].join(', ');
}

/** Tests that a machine skipped although it has a verdict of its own. */
function skipNotes(model: RunModel): string[] {
  return model.hosts
    .filter(({ status }) => status !== 'SKIP')
    .flatMap(({ host, tests }) =>
      tests
        .filter(({ status }) => status === 'skipped')
        .map(
          ({ test, skipReason = 'no reason was given' }) =>
            `skipped: ${host} "${test}" - ${oneLine(skipReason)}`,
        ),
    );
}

/** Running hosts that take longer than the average: the estimate counts nothing for them. */
function overrunNotes(model: RunModel, now: number): string[] {
  const done = model.hosts.filter(isTimed);
  return model.hosts.flatMap((host) => {
    const average = averageFor(host, done);
    if (host.status !== 'RUN' || host.startedAt === undefined || average === undefined) return [];
    const over = now - host.startedAt - average;
    return over > 0 ? [`${host.host} is over the average by ${formatDuration(over)}`] : [];
  });
}

function correctionLine({ correction }: View): string | undefined {
  if (correction === undefined) return undefined;
  return `CORRECTION - supersedes the result posted ${formatTime(correction.postedAt)}: ${oneParagraph(correction.why)}`;
}

function stateLine(model: RunModel, view: View): string {
  if (model.endedAt === undefined) return `state: ${model.state} (live, as of ${formatTime(view.now)})`;
  const historical = view.historical === true ? 'historical, ' : '';
  return `state: ${model.state} (${historical}ended ${formatTime(model.endedAt)})`;
}

function summaryRows(model: RunModel): [string, number][] {
  const count = (...statuses: HostStatus[]): number =>
    model.hosts.filter((host) => statuses.includes(host.status)).length;
  const rows: [string, number][] = [
    ['finished', count('PASS', 'FAIL')],
    ['passed', count('PASS')],
    ['failed', count('FAIL')],
    ['skipped', count('SKIP')],
  ];
  const live = model.endedAt === undefined;
  if (live || count('RUN') > 0) rows.push(['running', count('RUN')]);
  if (live || count('WAIT') > 0) rows.push(['remaining', count('WAIT')]);
  if (count('UNKNOWN') > 0) rows.push(['unknown', count('UNKNOWN')]);
  return rows;
}

function timingRows(model: RunModel, now: number): [string, string][] {
  const done = model.hosts.filter(isTimed);
  const longestFirst = done.toSorted((a, b) => b.durationMs - a.durationMs);
  const quickest = done.toSorted((a, b) => a.durationMs - b.durationMs)[0];
  const longest = longestFirst[0];
  const named = (host: (typeof done)[number] | undefined): string =>
    host === undefined ? 'n/a' : `${host.host} - ${formatDuration(host.durationMs)}`;
  const average = averageOf(done);
  const live = model.endedAt === undefined;
  const rows: [string, string][] = [
    ['start', formatTime(model.startedAt)],
    ['end', model.endedAt === undefined ? 'n/a' : formatTime(model.endedAt)],
    ['total', formatDuration((model.endedAt ?? now) - model.startedAt) + (live ? ' (elapsed)' : '')],
    ['quickest', named(quickest)],
    ['longest', named(longest)],
    ['average', average === undefined ? 'n/a' : formatDuration(average)],
    ...model.hosts.flatMap(cutOffSteps),
  ];
  if (live) rows.push(['estimated completion (full remaining run)', estimate(model, done, now)]);
  return rows;
}

/** The steps that were over when the runner ended in mid-test: such a machine has no time of its own. */
function cutOffSteps(host: HostModel): [string, string][] {
  return host.tests
    .filter(({ status }) => status === 'interrupted')
    .flatMap(({ timed }) => timed)
    .map(({ title, durationMs }, index) => [
      `${host.host} step ${index + 1}`,
      `${title} - ${formatDuration(durationMs)}`,
    ]);
}

function isTimed(host: HostModel): host is HostModel & { durationMs: number } {
  return (host.status === 'PASS' || host.status === 'FAIL') && host.durationMs !== undefined;
}

function averageOf(hosts: readonly { durationMs: number }[]): number | undefined {
  if (hosts.length === 0) return undefined;
  return hosts.reduce((sum, host) => sum + host.durationMs, 0) / hosts.length;
}

/** The mean of hosts that ran the same suites, where there are any; else of all. */
function averageFor(
  host: HostModel,
  done: readonly (HostModel & { durationMs: number })[],
): number | undefined {
  const alike = done.filter((other) => other.suites.some((suite) => host.suites.includes(suite)));
  return averageOf(alike) ?? averageOf(done);
}

/** When the whole remaining run ends: running and waiting hosts laid greedily on the slots (requirements E5). */
function estimate(
  model: RunModel,
  done: readonly (HostModel & { durationMs: number })[],
  now: number,
): string {
  if (done.length === 0) return 'n/a';
  const left = model.hosts.flatMap((host) => {
    const average = averageFor(host, done) ?? 0;
    if (host.status === 'RUN') return [Math.max(0, average - (now - (host.startedAt ?? now)))];
    return host.status === 'WAIT' ? [average] : [];
  });
  const slots = Array.from({ length: Math.max(1, model.slots) }, () => 0);
  for (const duration of left) {
    const freest = slots.indexOf(Math.min(...slots));
    slots[freest] = (slots[freest] ?? 0) + duration;
  }
  const remaining = Math.max(...slots);
  return `${formatTime(now + remaining)} (in ${formatDuration(remaining)})`;
}

function oneParagraph(text: string): string {
  return stripAnsi(text).replace(/\s+/g, ' ').trim();
}

function oneLine(detail: string): string {
  const flat = oneParagraph(detail);
  return flat.length <= DETAIL_LIMIT ? flat : `${flat.slice(0, DETAIL_LIMIT - 1)}…`;
}

/** What of an error fits on a page. */
export function excerptOf(text: string): string {
  const lines = stripAnsi(text).trim().split('\n');
  const few = lines.slice(0, EXCERPT_LINES).join('\n');
  const cut = few.slice(0, EXCERPT_CHARACTERS);
  const isWhole = lines.length <= EXCERPT_LINES && cut.length === few.length;
  if (isWhole) return cut;
  const shortened = cut.split('\n').slice(0, EXCERPT_LINES).join('\n');
  return `${shortened.slice(0, EXCERPT_CHARACTERS - 1).trimEnd()}…`;
}

/** Text without terminal colours. */
export function stripAnsi(text: string): string {
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '');
}
