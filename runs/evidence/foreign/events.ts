/**
 * Result files that are neither Playwright's nor JUnit's: per-machine event logs, and remembered state.
 *
 * @module
 */
import { isBookkeeping } from '../../attempts.ts';
import { parse } from '../playwright.ts';
import { type Adapter, failureOf, hostNamed, type TestEvidence, timeInName } from '../shape.ts';

const FAILING = new Set(['error', 'fatal']);

interface Event {
  readonly type?: string;
  readonly message?: string;
  readonly severity?: string;
}

/** `{ "hosts": { "<host>": events } }`: events as a list of objects or as one object. */
export const readEventLog: Adapter = (artifact) => {
  const document = parse(artifact.bytes);
  const hosts = document?.hosts;
  if (document === undefined || typeof hosts !== 'object' || hosts === null || Array.isArray(hosts))
    return undefined;
  if ('schemaVersion' in document || 'state' in document) return undefined;
  const at = timeOf(document, artifact);
  const tests: TestEvidence[] = [];
  const unreadable: { host: string; text: string }[] = [];
  for (const [host, value] of Object.entries(hosts as Record<string, unknown>)) {
    const events = eventsOf(value);
    if (events === undefined) {
      unreadable.push({ host, text: `its events in ${artifact.name} have an unknown shape` });
      continue;
    }
    const bad = events.find((event) => FAILING.has(event.severity?.toLowerCase() ?? ''));
    const passed = events.some((event) => event.type === 'passed');
    if (bad === undefined && !passed) continue;
    const failure = failureOf(bad?.message);
    tests.push({
      host,
      suite: 'events',
      test: bad?.type ?? 'events',
      retry: 0,
      outcome: bad === undefined ? 'passed' : 'failed',
      expected: bad === undefined,
      steps: [],
      ...(failure === undefined ? {} : { failure }),
      startedAt: at,
      durationMs: undefined,
    });
  }
  return { source: 'events', name: artifact.name, at, tests, unreadable };
};

function eventsOf(value: unknown): Event[] | undefined {
  if (Array.isArray(value)) return value.every(isEvent) ? value : undefined;
  return isEvent(value) ? [value] : undefined;
}

function isEvent(value: unknown): value is Event {
  if (typeof value !== 'object' || value === null) return false;
  const { type, message, severity } = value as Record<string, unknown>;
  return [type, message, severity].some((part) => typeof part === 'string');
}

interface Result {
  readonly host?: unknown;
  readonly suite?: unknown;
  readonly name?: unknown;
  readonly title?: unknown;
  readonly state?: unknown;
  readonly status?: unknown;
  readonly step?: unknown;
  readonly message?: unknown;
  readonly error?: unknown;
  readonly estack?: unknown;
}

const PASSED = new Set(['passed', 'pass', 'ok']);
const FAILED = new Set(['failed', 'fail', 'error', 'broken', 'timedout']);
const SKIPPED = new Set(['skipped', 'pending']);

/** `{ "metadata": {...}, "tests": [...] }` without totals: those are counted. */
export const readResultFile: Adapter = (artifact) => {
  const document = parse(artifact.bytes);
  if (document === undefined || !Array.isArray(document.tests) || typeof document.metadata !== 'object')
    return undefined;
  const metadata = (document.metadata ?? {}) as Record<string, unknown>;
  const run = typeof metadata.run === 'string' ? metadata.run : undefined;
  const tests: TestEvidence[] = [];
  const unreadable: { host?: string; text: string }[] = [];
  const startedAt = timeOf(metadata, artifact);
  for (const entry of document.tests as Result[]) {
    const host = hostNamed({
      host: entry.host ?? metadata.host,
      project: metadata.project,
      file: metadata.spec ?? entry.suite,
    });
    const word = (textOf(entry.state) ?? textOf(entry.status) ?? '').toLowerCase();
    const title = textOf(entry.name) ?? textOf(entry.title) ?? 'test';
    const suite = textOf(metadata.suite) ?? textOf(entry.suite) ?? 'results';
    if (host === undefined || isBookkeeping(suite)) continue;
    const outcome = PASSED.has(word)
      ? 'passed'
      : FAILED.has(word)
        ? 'failed'
        : SKIPPED.has(word)
          ? 'skipped'
          : undefined;
    if (outcome === undefined) {
      unreadable.push({ host, text: `"${title}" in ${artifact.name} has the unknown state "${word}"` });
      continue;
    }
    const failure = failureOf(
      [entry.message, entry.error, entry.estack].map(textOf).find((text) => text !== undefined),
      textOf(entry.step),
    );
    tests.push({
      host,
      suite,
      test: title,
      retry: 0,
      outcome,
      expected: outcome !== 'failed',
      steps: textOf(entry.step) === undefined ? [] : [textOf(entry.step) ?? ''],
      ...(failure === undefined || outcome !== 'failed' ? {} : { failure }),
      startedAt,
      durationMs: undefined,
    });
  }
  return {
    source: 'events',
    name: artifact.name,
    at: startedAt,
    ...(run === undefined ? {} : { run }),
    tests,
    unreadable,
  };
};

/** `{ "state": ..., "hosts": {...} }`: what some process remembered. Never evidence. */
export const readRememberedState: Adapter = (artifact) => {
  const document = parse(artifact.bytes);
  if (document === undefined || !('state' in document) || document.hosts === undefined) return undefined;
  const rows = Array.isArray(document.hosts)
    ? (document.hosts as { host?: unknown; status?: unknown }[]).map((row) => [row.host, row.status])
    : Object.entries(document.hosts as Record<string, unknown>);
  return {
    source: 'text',
    name: artifact.name,
    at: timeOf(document, artifact),
    tests: [],
    remembered: rows.flatMap(([host, status]) =>
      typeof host === 'string' && typeof status === 'string' ? [{ host, status: status.toUpperCase() }] : [],
    ),
  };
};

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  if (typeof value === 'object' && value !== null && 'message' in value) return textOf(value.message);
  return undefined;
}

/** The contents' own time, else that in the file's name, else the file's date. */
function timeOf(values: Record<string, unknown>, artifact: { name: string; modifiedAt: number }): number {
  const own = values.startedAt ?? values.timestamp ?? values.startTime;
  const at = typeof own === 'number' ? own : typeof own === 'string' ? Date.parse(own) : NaN;
  return Number.isNaN(at) ? (timeInName(artifact.name) ?? artifact.modifiedAt) : at;
}
