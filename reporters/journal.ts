/**
 * The journal of a run: an append-only log of what happened, from which every report is computed.
 *
 * One JSON object a line. Readers ignore a half-written last line, and refuse a newer schema version.
 *
 * @module
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

export const JOURNAL_VERSION = 1;

/** A planned machine of the run. */
export interface PlannedHost {
  readonly host: string;
  /** Machines of one group are reported together. */
  readonly family?: string;
  /** Why the machine is left out; verbatim in the summary. */
  readonly skip?: string;
  /** How many tests are planned on it; with fewer final results it cannot pass. */
  readonly tests?: number;
}

/** What went wrong in one attempt of one test. */
export interface FailureEvidence {
  /** Title of the failing top-level step; absent when it failed outside of any, in a fixture or hook. */
  readonly step?: string;
  /** One line. */
  readonly short: string;
  /** Several lines, without stack frames of the runner. */
  readonly excerpt: string;
}

export type Outcome = 'passed' | 'failed' | 'timedOut' | 'skipped' | 'interrupted';

/** An event of the journal without the envelope. `at` is milliseconds since the epoch. */
export type JournalEvent =
  | {
      readonly type: 'run-begin';
      readonly at: number;
      readonly build: string;
      readonly hosts: readonly PlannedHost[];
      /** How many machines can be worked on at the same time. */
      readonly slots: number;
      readonly command: string;
      readonly coverage: readonly (readonly [key: string, value: string])[];
      readonly url?: string;
    }
  | {
      readonly type: 'test-begin';
      readonly at: number;
      readonly host: string;
      readonly suite: string;
      readonly test: string;
      readonly retry: number;
    }
  | { readonly type: 'step-begin'; readonly at: number; readonly host: string; readonly title: string }
  | {
      readonly type: 'test-end';
      readonly at: number;
      readonly host: string;
      readonly suite: string;
      readonly test: string;
      readonly retry: number;
      readonly outcome: Outcome;
      /** True when the outcome is the one that the spec expects (`test.fail()` expects a failure). */
      readonly expected: boolean;
      readonly skipReason?: string;
      readonly steps: readonly string[];
      readonly failure?: FailureEvidence;
      /** Monotonic, in milliseconds. */
      readonly durationMs: number;
    }
  | { readonly type: 'kernel'; readonly at: number; readonly host: string; readonly kernel: string }
  | { readonly type: 'note'; readonly at: number; readonly text: string }
  | { readonly type: 'run-end'; readonly at: number; readonly result: 'finished' | 'cancelled' };

/** Where events go. */
export interface JournalWriter {
  append(event: JournalEvent): void;
}

/** Appends each event to `file` at once, so that a killed runner loses none that had happened. */
export function openJournal(file: string): JournalWriter {
  mkdirSync(dirname(file), { recursive: true });
  return {
    append: (event) => appendFileSync(file, `${JSON.stringify({ v: JOURNAL_VERSION, ...event })}\n`),
  };
}
