/**
 * The one shape inside which the artefacts of runners are compared.
 *
 * @module
 */
import type { FailureEvidence, Outcome } from '../journal.ts';

/** Where evidence comes from, the most trusted first (requirements A36). */
export const SOURCES = ['journal', 'blob', 'json', 'events', 'junit', 'text'] as const;
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
}

/** What an adapter found in one artefact. */
export interface Evidence {
  readonly source: Source;
  readonly name: string;
  /** When the results are from: the contents, else the file's name, else its date (requirements A162). */
  readonly at: number;
  /** Run id, when the artefact bears one. */
  readonly run?: string;
  readonly tests: readonly TestEvidence[];
  /** Failures that a summary counts without saying which test failed; they weigh against a pass, never for one. */
  readonly counts?: readonly {
    readonly host: string | undefined;
    readonly tests: number;
    readonly failures: number;
  }[];
  /** What could not be understood, and about which machine, as far as that is known. */
  readonly unreadable?: readonly { readonly host?: string; readonly text: string }[];
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

/** A date in a file's name: `2026-05-12T09-00-00`, `20260512-090000`; local to UTC. */
export function timeInName(name: string): number | undefined {
  const match = /(\d{4})-?(\d{2})-?(\d{2})[T_-]?(\d{2})[:_-]?(\d{2})[:_-]?(\d{2})/.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const at = Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`,
  );
  return Number.isNaN(at) ? undefined : at;
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
