/**
 * The one shape inside which the artefacts of runners are compared.
 *
 * @module
 */
import type { FailureEvidence, Outcome } from '../journal.ts';
import type { FileTime } from './time.ts';

/** Where evidence comes from, the most trusted first (requirements A36). */
export const SOURCES = ['journal', 'blob', 'json', 'mochawesome', 'events', 'junit', 'text'] as const;
export type Source = (typeof SOURCES)[number];

/** A file of a run as it was found. */
export interface Artifact {
  readonly name: string;
  readonly bytes: Buffer;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** One attempt of one test on one machine. */
export interface TestEvidence {
  /** As the artefact writes it; empty where it names none. */
  readonly host: string;
  readonly suite: string;
  readonly test: string;
  readonly retry: number;
  readonly outcome: Outcome;
  readonly expected: boolean;
  readonly steps: readonly string[];
  readonly failure?: FailureEvidence;
  /** Milliseconds since the epoch; undefined where the source has no times of its own. */
  readonly startedAt: number | undefined;
  readonly durationMs: number | undefined;
  /** One word about a whole machine, no test of its own: it counts only where no test is known. */
  readonly isAggregate?: boolean;
}

/** Failures that a summary counts. They weigh against a pass, never for one. */
export interface CountEvidence {
  /** Undefined for the summary of a whole group. */
  readonly host: string | undefined;
  readonly tests: number;
  readonly failures: number;
  /** What failed, where the summary says more than a number. */
  readonly text?: string;
}

/** What an adapter found in one artefact. */
export interface Evidence extends FileTime {
  readonly source: Source;
  readonly name: string;
  /** Run id, when the artefact bears one. */
  readonly run?: string;
  readonly tests: readonly TestEvidence[];
  readonly counts?: readonly CountEvidence[];
  /** What could not be understood, and about which machine; without one it may be about any. */
  readonly unreadable?: readonly { readonly host?: string; readonly text: string }[];
  /** Tests that have no result and are not named: about every machine whose planned tests are not all known. */
  readonly unfinished?: string;
  /** Verdicts somebody remembered: never evidence, but a contradiction is worth a note. */
  readonly remembered?: readonly { readonly host: string; readonly status: string }[];
}

/** Reads an artefact, or says that it is not of its kind. */
export type Adapter = (artifact: Artifact) => Evidence | undefined;

/** A test that was planned or begun and has no result: nothing passes on it. */
export function cutOff(
  test: Pick<TestEvidence, 'host' | 'suite' | 'test' | 'retry' | 'startedAt'>,
): TestEvidence {
  return { ...test, outcome: 'interrupted', expected: false, steps: [], durationMs: undefined };
}

export function isSameTest(a: TestEvidence, b: TestEvidence): boolean {
  return a.host === b.host && a.suite === b.suite && a.test === b.test;
}

/** A later attempt at the same test came out as expected: that is flaky, no failure. A skipped one takes none away. */
export function isRetried(test: TestEvidence, all: readonly TestEvidence[]): boolean {
  return all.some(
    (other) =>
      isSameTest(other, test) && other.retry > test.retry && other.expected && other.outcome !== 'skipped',
  );
}

/** One line and an excerpt of an error's text; undefined when it is empty. */
export function failureOf(text: string | undefined, step?: string): FailureEvidence | undefined {
  const excerpt = (text ?? '').trim();
  if (excerpt === '') return undefined;
  const [first = ''] = excerpt.split('\n');
  const short = first.replace(/^(?:VmwrightError|Error|AssertionError|TimeoutError): /, '').trim();
  return { ...(step === undefined ? {} : { step }), short, excerpt };
}

/** The machine a result is about: what it says itself, else its project, else its file's name (requirements A86). */
export function hostNamed(candidates: {
  host?: unknown;
  project?: unknown;
  file?: unknown;
}): string | undefined {
  const { host, project, file } = candidates;
  if (typeof host === 'string' && host !== '') return host;
  if (typeof project === 'string' && project !== '') return project;
  if (typeof file !== 'string' || file === '') return undefined;
  return (file.split(/[\\/]/).at(-1) ?? file).replace(/(?:\.(?:spec|test|cy))?\.[cm]?[jt]sx?$/, '');
}

/** What runners call the end of a test. Undefined for a word that nobody here knows. */
export function outcomeNamed(word: string): Outcome | undefined {
  const name = word
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]/g, '');
  return OUTCOMES.find(([, names]) => names.includes(name))?.[0];
}

const OUTCOMES: readonly (readonly [Outcome, readonly string[]])[] = [
  ['passed', ['passed', 'pass', 'ok', 'success', 'succeeded']],
  [
    'failed',
    [
      'failed',
      'fail',
      'failure',
      'error',
      'errored',
      'fatal',
      'critical',
      'broken',
      'timedout',
      'timeout',
      'crashed',
    ],
  ],
  ['skipped', ['skipped', 'skip', 'pending', 'disabled', 'ignored', 'todo']],
  [
    'interrupted',
    ['interrupted', 'cancelled', 'canceled', 'aborted', 'killed', 'running', 'didnotrun', 'notrun'],
  ],
];

/** Of a spec's file, suite or class: one of them that is bookkeeping makes its tests say nothing about a machine. */
export function bookkeepingName(names: readonly (string | undefined)[]): string | undefined {
  return names.find((name) => name !== undefined && /(?:^|[^a-z\d])bookkeeping(?![a-z\d])/i.test(name));
}

/** A count as reports print it, with thousands separators of any language; `-` is none. What is not there is none, too; NaN for anything else. */
export function countOf(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'string' && typeof value !== 'number') return NaN;
  const plain = String(value).trim();
  if (plain === '-' || plain === '') return 0;
  if (!/^(?:\d+|\d{1,3}(?:[.,'’_\u00a0\u202f]\d{3})+)$/.test(plain)) return NaN;
  return Number(plain.replaceAll(/\D/g, ''));
}
