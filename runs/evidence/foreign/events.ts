/**
 * Result files that are neither Playwright's nor JUnit's: per-machine event logs, and remembered state.
 *
 * @module
 */
import { isObject, type JsonObject, lowerKeys, parseJson, parseObject, textOf } from '../json.ts';
import {
  type Adapter,
  type Artifact,
  bookkeepingName,
  type CountEvidence,
  countOf,
  cutOff,
  type Evidence,
  failureOf,
  hostNamed,
  outcomeNamed,
  type TestEvidence,
} from '../shape.ts';
import { fileTime } from '../time.ts';

/** Where an event says how it is meant, and which words say so. */
const VERDICT_KEYS = ['severity', 'type', 'state', 'status', 'result', 'outcome', 'level'];
const SPEC_KEYS = ['spec', 'suite', 'file', 'specfile'];

interface HostEvents {
  readonly host: string | undefined;
  readonly value: unknown;
}

/**
 * Events by machine: `{ "hosts": { "<host>": events } }`, `{ "hosts": [{ "host": ..., "events": events }] }`,
 * `{ "events": [...] }` or a mere list, each event with its host. `events` are a list of objects, or one object.
 */
export const readEventLog: Adapter = (artifact) => {
  const document = parseJson(artifact.bytes);
  if (document === undefined) return undefined;
  const lists = hostEvents(document);
  if (lists === undefined) return undefined;
  const time = fileTime(artifact, ...(isObject(document) ? timesOf(lowerKeys(document)) : []));
  const tests: TestEvidence[] = [];
  const unreadable: { host?: string; text: string }[] = [];
  for (const { host, value } of lists) {
    const events = eventsOf(value);
    if (events === undefined || host === undefined) {
      const what = host === undefined ? 'events without a host' : 'its events';
      unreadable.push({
        ...(host === undefined ? {} : { host }),
        text: `${what} in ${artifact.name} have an unknown shape`,
      });
      continue;
    }
    tests.push(...verdictsOf(host, events, time.at));
  }
  return { source: 'events', name: artifact.name, ...time, tests, unreadable };
};

function hostEvents(document: JsonObject | readonly unknown[]): HostEvents[] | undefined {
  if (!isObject(document)) return document.map(ofEntry);
  const { hosts, events, ...rest } = lowerKeys(document);
  if ('schemaversion' in rest || 'state' in rest) return undefined;
  if (Array.isArray(hosts)) return hosts.map(ofEntry);
  if (isObject(hosts)) return Object.entries(hosts).map(([host, value]) => ({ host, value }));
  if (!Array.isArray(events)) return undefined;
  const host = nameIn(rest);
  return host === undefined ? events.map(ofEntry) : [{ host, value: events }];
}

/** One entry of a list: an event that names its machine, or a machine with its events. */
function ofEntry(entry: unknown): HostEvents {
  if (!isObject(entry)) return { host: undefined, value: entry };
  const { events, ...event } = lowerKeys(entry);
  return { host: nameIn(event), value: events ?? event };
}

function nameIn(value: JsonObject): string | undefined {
  return [value.host, value.hostname, value.machine].map(textOf).find((name) => name !== undefined);
}

function eventsOf(value: unknown): JsonObject[] | undefined {
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (!list.every(isObject)) return undefined;
  const events = list.map(lowerKeys);
  return events.every(isEvent) ? events : undefined;
}

function isEvent(event: JsonObject): boolean {
  return ['type', 'message', 'severity'].some((key) => typeof event[key] === 'string');
}

/** The one word that the events of a machine come to, and what of them failed or has no end. */
function verdictsOf(host: string, events: readonly JsonObject[], startedAt: number): TestEvidence[] {
  const said = events.map((event) => {
    const words = VERDICT_KEYS.map((key) => outcomeNamed(textOf(event[key]) ?? ''));
    const names = SPEC_KEYS.map((key) => textOf(event[key]));
    return { event, words, isBookkeeping: bookkeepingName(names) !== undefined };
  });
  const bad = said.find(({ words }) => words.includes('failed'));
  const open = said.find(({ words }) => words.includes('interrupted'));
  // A severity of "success" stands at every step that a log tells of; only the type or state of an event ends a test.
  const passed = said.some(
    ({ event, isBookkeeping }) =>
      !isBookkeeping &&
      ['type', 'state', 'status', 'result', 'outcome'].some(
        (key) => outcomeNamed(textOf(event[key]) ?? '') === 'passed',
      ),
  );
  const base = { host, suite: 'events', test: textOf(bad?.event.type) ?? 'events', retry: 0, startedAt };
  if (bad === undefined && open !== undefined) return [{ ...cutOff(base), isAggregate: true }];
  if (bad === undefined && !passed) return [];
  const failure = failureOf(textOf(bad?.event.message));
  return [
    {
      ...base,
      outcome: bad === undefined ? 'passed' : 'failed',
      expected: bad === undefined,
      steps: [],
      ...(failure === undefined ? {} : { failure }),
      durationMs: undefined,
      isAggregate: true,
    },
  ];
}

/** `{ "metadata": {...}, "tests": [...] }`, also with `tests` as an object by title or one test; totals weigh against it. */
export const readResultFile: Adapter = (artifact) => {
  const document = parseObject(artifact.bytes);
  if (document === undefined) return undefined;
  const { metadata: about, tests: found, stats, ...rest } = lowerKeys(document);
  if (!isObject(about) || typeof found !== 'object' || found === null) return undefined;
  const metadata = lowerKeys(about);
  const entries = entriesOf(found);
  if (entries === undefined) {
    return incomplete(artifact, metadata, `the tests in ${artifact.name} have an unknown shape`);
  }
  const run = textOf(metadata.run);
  const time = fileTime(artifact, ...timesOf(metadata));
  const tests: TestEvidence[] = [];
  const unreadable: { host?: string; text: string }[] = [];
  for (const entry of entries) {
    const result = resultOf(entry, metadata);
    if (typeof result === 'string') {
      const host = hostOf(entry, metadata);
      unreadable.push({
        ...(host === undefined ? {} : { host }),
        text: result.replace('%', artifact.name),
      });
    } else tests.push({ ...result, startedAt: time.at });
  }
  return {
    source: 'events',
    name: artifact.name,
    ...time,
    ...(run === undefined ? {} : { run }),
    tests,
    counts: totalsOf([rest, isObject(stats) ? lowerKeys(stats) : {}], tests, hostOf({}, metadata)),
    unreadable,
  };
};

/** One entry a test, whatever holds them. */
function entriesOf(tests: object): JsonObject[] | undefined {
  if (Array.isArray(tests)) return tests.every(isObject) ? tests.map(lowerKeys) : undefined;
  const one = lowerKeys(tests as JsonObject);
  if (['state', 'status'].some((key) => typeof one[key] === 'string')) return [one];
  const named = Object.entries(tests as JsonObject).map(([title, value]) => {
    if (typeof value === 'string') return { title, state: value };
    return isObject(value) ? { title, ...lowerKeys(value) } : undefined;
  });
  return named.every((entry) => entry !== undefined) ? named : undefined;
}

function hostOf(entry: JsonObject, metadata: JsonObject): string | undefined {
  return hostNamed({
    host: textOf(entry.host) ?? textOf(metadata.host),
    project: metadata.project,
    file: metadata.spec ?? entry.suite,
  });
}

/** The result, or why there is none; `%` stands for the file. */
function resultOf(entry: JsonObject, metadata: JsonObject): Omit<TestEvidence, 'startedAt'> | string {
  const host = hostOf(entry, metadata);
  const words = [textOf(entry.state), textOf(entry.status)].filter((word) => word !== undefined);
  const title = textOf(entry.name) ?? textOf(entry.title) ?? 'test';
  const names = [metadata.spec, metadata.suite, metadata.file, entry.suite, entry.spec, entry.file].map(
    textOf,
  );
  const outcomes = words.map(outcomeNamed);
  if (host === undefined) return `"${title}" in % names no machine`;
  if (words.length === 0 || outcomes.includes(undefined)) {
    return `"${title}" in % has the unknown state "${words.join(', ').toLowerCase()}"`;
  }
  const outcome = (['failed', 'interrupted', 'skipped', 'passed'] as const).find((one) =>
    outcomes.includes(one),
  );
  const suite = textOf(metadata.suite) ?? textOf(entry.suite) ?? 'results';
  const identity = {
    host,
    suite: bookkeepingName(names) === undefined ? suite : 'bookkeeping',
    test: title,
    retry: 0,
  };
  if (outcome === 'interrupted') return cutOff({ ...identity, startedAt: undefined });
  const failure = failureOf(
    [entry.message, entry.error, entry.estack].map(textOf).find((text) => text !== undefined),
    textOf(entry.step),
  );
  return {
    ...identity,
    outcome: outcome ?? 'failed',
    expected: outcome !== 'failed',
    steps: textOf(entry.step) === undefined ? [] : [textOf(entry.step) ?? ''],
    ...(failure === undefined || outcome !== 'failed' ? {} : { failure }),
    durationMs: undefined,
  };
}

/** Totals that count more failures than the tests show. */
function totalsOf(
  places: readonly JsonObject[],
  tests: readonly TestEvidence[],
  host: string | undefined,
): CountEvidence[] {
  const shown = tests.filter((test) => test.outcome === 'failed').length;
  return places.flatMap((place) => {
    const failures = ['failures', 'failed', 'errors'].map((key) => countOf(place[key]));
    const worst = Math.max(0, ...failures.filter((count) => !Number.isNaN(count)));
    return worst > shown ? [{ host, tests: tests.length, failures: worst }] : [];
  });
}

function incomplete(artifact: Artifact, metadata: JsonObject, text: string): Evidence {
  const host = hostOf({}, metadata);
  return {
    source: 'events',
    name: artifact.name,
    ...fileTime(artifact, ...timesOf(metadata)),
    tests: [],
    unreadable: [{ ...(host === undefined ? {} : { host }), text }],
  };
}

/** `{ "state": ..., "hosts": {...} }`: what some process remembered. Never evidence. */
export const readRememberedState: Adapter = (artifact) => {
  const document = parseObject(artifact.bytes);
  if (document === undefined || !('state' in document) || document.hosts === undefined) return undefined;
  const rows = Array.isArray(document.hosts)
    ? (document.hosts as { host?: unknown; status?: unknown }[]).map((row) => [row.host, row.status])
    : Object.entries(document.hosts as Record<string, unknown>);
  return {
    source: 'text',
    name: artifact.name,
    ...fileTime(artifact, ...timesOf(lowerKeys(document))),
    tests: [],
    remembered: rows.flatMap(([host, status]) =>
      typeof host === 'string' && typeof status === 'string' ? [{ host, status: status.toUpperCase() }] : [],
    ),
  };
};

function timesOf(values: JsonObject): unknown[] {
  return [values.startedat, values.timestamp, values.starttime].filter((time) => time !== undefined);
}
