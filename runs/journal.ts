/**
 * The journal of a run: an append-only log of what happened, from which every report is computed.
 *
 * One JSON object a line, numbered from 1. A half-written last line is what a killed runner leaves and is ignored; any
 * other line that is missing or unreadable is a fault, and a run with faults is never complete. Readers refuse a newer
 * schema version.
 *
 * @module
 */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { VmwrightError } from '../fixtures/errors.ts';

/**
 * 2: `error` events, the runner's own final status and what it forbids. A reader that does not know them would call a
 * failed run passed, so it has to refuse them. Journals of version 1 are read as they are.
 */
export const JOURNAL_VERSION = 2;

/** A planned machine of the run. */
export interface PlannedHost {
  readonly host: string;
  /** Machines of one group are reported together. */
  readonly family?: string;
  /** Why the machine is left out; verbatim in the summary. */
  readonly skip?: string;
  /** How many tests are planned on it; with fewer final results it cannot pass. */
  readonly tests?: number;
  /** The shard that runs it, from 1; absent in a run without shards. */
  readonly shard?: number;
  /** Why no test of this run is for it, in words. */
  readonly untested?: string;
  /** The command names this machine: without a test for it the run is not what was asked for. */
  readonly named?: boolean;
}

/** Which test an event is about. */
export interface TestName {
  /** What it is in its project: path from rootDir, titles and repeat index. Absent where only its title is known. */
  readonly id?: string;
  /** Name of the spec file without folder and ending, for people. */
  readonly suite: string;
  readonly test: string;
}

/** A top-level step that ended. */
export interface StepResult {
  readonly title: string;
  readonly durationMs: number;
  readonly failed: boolean;
}

/** A share of a run that is executed somewhere else: `--shard=2/3`. */
export interface Shard {
  readonly current: number;
  readonly total: number;
}

/** What a run is made of before anything of it was executed. */
export interface PlannedFlow {
  readonly suite: string;
  readonly steps: readonly string[];
  /** The machines that are to do this; absent where all are. */
  readonly hosts?: readonly string[];
  /** Where the list comes from: the run's own spec files, or a fixed list because those could not be read. */
  readonly from: 'spec' | 'static';
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

/** A file that a test left: its film, its trace. Absolute. */
export interface LeftFile {
  readonly name: string;
  readonly file: string;
}

/** A picture that a test attached. */
export interface Picture {
  readonly name: string;
  readonly file: string;
}

export type Outcome = 'passed' | 'failed' | 'timedOut' | 'skipped' | 'interrupted';

/** What the parts of one run have in common. */
export interface Origin {
  /** Absent where neither the CI system nor git knows it. */
  readonly commit?: string;
  /** What was to be run, and how: a hash by what it is of. */
  readonly config: Readonly<Record<string, string>>;
}

/** An event of the journal without the envelope. `at` is milliseconds since the epoch. */
export type JournalEvent =
  | {
      readonly type: 'run-begin';
      readonly at: number;
      /** Identity of the run; the same in all its shards and groups. */
      readonly run?: string;
      /** Version of vmwright that wrote the journal. */
      readonly version?: string;
      readonly shard?: Shard;
      /** Family whose machines this journal is about, in a run with `--categorize`. */
      readonly group?: string;
      readonly flow?: readonly PlannedFlow[];
      readonly build: string;
      readonly hosts: readonly PlannedHost[];
      /** How many machines can be worked on at the same time. */
      readonly slots: number;
      readonly command: string;
      readonly coverage: readonly (readonly [key: string, value: string])[];
      readonly url?: string;
      /** A test that passes only on a retry fails the run: `--fail-on-flaky-tests`. */
      readonly failOnFlakyTests?: boolean;
      /** Folder of Playwright's HTML report, when one is written. */
      readonly htmlReport?: string;
      /** Of a shard: what it has to have in common with the others. */
      readonly origin?: Origin;
    }
  | ({
      readonly type: 'test-begin';
      readonly at: number;
      readonly host: string;
      readonly retry: number;
    } & TestName)
  | {
      readonly type: 'step-begin';
      readonly at: number;
      readonly host: string;
      readonly title: string;
      /** Of its test; absent in journals of version 1: then it is a step of whatever runs on the machine. */
      readonly id?: string;
    }
  /** So that a runner that is killed in mid-test leaves the times of what was over. */
  | ({
      readonly type: 'step-end';
      readonly at: number;
      readonly host: string;
      readonly id?: string;
    } & StepResult)
  | ({
      readonly type: 'test-end';
      readonly at: number;
      readonly host: string;
      readonly retry: number;
      readonly outcome: Outcome;
      /** True when the outcome is the one that the spec expects (`test.fail()` expects a failure). */
      readonly expected: boolean;
      /** Skipped although nobody asked for it: what it needed, a hook or an earlier test of its group, had failed. */
      readonly isDropped?: boolean;
      readonly skipReason?: string;
      /** How many more attempts the runner makes when this one failed. */
      readonly retriesLeft?: number;
      readonly steps: readonly string[];
      readonly failure?: FailureEvidence;
      /** Top-level steps with their times, as far as the source knows them. */
      readonly timed?: readonly StepResult[];
      /** Files of pictures that belong to this attempt. */
      readonly pictures?: readonly Picture[];
      /** What else helps to see why: film and trace. */
      readonly files?: readonly LeftFile[];
      /** The runner's own identifier: the address of the test in its HTML report. */
      readonly reportId?: string;
      /** Monotonic, in milliseconds. */
      readonly durationMs: number;
    } & TestName)
  | { readonly type: 'kernel'; readonly at: number; readonly host: string; readonly kernel: string }
  | {
      readonly type: 'note';
      readonly at: number;
      readonly kind?: 'anomaly' | 'fallback' | 'infrastructure';
      readonly text: string;
    }
  /** How many tests of projects that are no machines have not ended. */
  | { readonly type: 'others'; readonly at: number; readonly open: number }
  | { readonly type: 'url'; readonly at: number; readonly url: string }
  /** Evidence about a machine (without `host`: about the run) exists and cannot be understood: nothing passes on it. */
  | { readonly type: 'unreadable'; readonly at: number; readonly host?: string; readonly text: string }
  /** Something went wrong outside of any test: in a worker, a global hook, a reporter or the runner itself. */
  | ({ readonly type: 'error'; readonly at: number } & RunError)
  | {
      readonly type: 'run-end';
      readonly at: number;
      readonly result: 'finished' | 'cancelled';
      /** What the runner itself says of the run, after all reporters; absent in journals of version 1. */
      readonly status?: RunnerStatus;
    };

/** Playwright's `FullResult.status`. */
export type RunnerStatus = 'passed' | 'failed' | 'timedout' | 'interrupted';

export interface RunError {
  /** The machine whose worker it is; absent where nobody knows it. */
  readonly host?: string;
  /** One line. */
  readonly short: string;
  /** Several lines, without stack frames. */
  readonly excerpt: string;
}

/** Where events go. */
export interface JournalWriter {
  /** Bytes that could not be written yet: they go before the next event. */
  readonly owed: number;
  /** @throws what the file system says: the event is owed, and readers miss it until it is written */
  append(event: JournalEvent): void;
  close(): void;
}

/** What a journal holds, and what is wrong with it. */
export interface Journal {
  readonly events: readonly JournalEvent[];
  /** Lines that are missing or unreadable, in words; empty for a sound journal. */
  readonly faults: readonly string[];
}

/** Appends each event to a new `file` at once, so that a killed runner loses none that had happened. */
export function openJournal(file: string): JournalWriter {
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, 'ax');
  let line = 0;
  let owed = Buffer.alloc(0);
  return {
    get owed() {
      return owed.length;
    },
    append(event) {
      line++;
      owed = Buffer.concat([
        owed,
        Buffer.from(`${JSON.stringify({ v: JOURNAL_VERSION, n: line, ...event })}\n`),
      ]);
      // A file system that is nearly full takes a part of a line, and refuses the rest when asked again.
      while (owed.length > 0) owed = owed.subarray(writeSync(descriptor, owed));
    },
    close: () => closeSync(descriptor),
  };
}

/**
 * Writes a closed journal again, each line through `change`: a run may learn at its end what it may not show. Lines that
 * are no events stay as they are.
 */
export function rewriteJournal(file: string, change: (line: object) => object): void {
  const rewritten = `${file}.new`;
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(rewritten, lines.map((line) => changedLine(line, change)).join('\n'), { flush: true });
  renameSync(rewritten, file);
}

function changedLine(line: string, change: (line: object) => object): string {
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === 'object' && event !== null ? JSON.stringify(change(event)) : line;
  } catch {
    return line;
  }
}

/**
 * Reads a journal's text.
 *
 * @throws `JOURNAL_TOO_NEW` when a later vmwright wrote it
 */
export function readJournal(text: string, subject = 'journal'): Journal {
  const lines = text.split('\n');
  // What follows the last line feed was being written when the runner was killed.
  lines.pop();
  const events: JournalEvent[] = [];
  const faults: string[] = [];
  const known = new Map<number, string>();
  let expected = 1;
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const entry = parseLine(line);
    if (entry === undefined) {
      faults.push(`line ${index + 1} cannot be read`);
      expected++;
      continue;
    }
    if (entry.v > JOURNAL_VERSION) throw tooNew(subject, entry.v);
    // A line that was written twice says nothing new; two of one number that differ contradict each other.
    if (entry.n < expected) {
      if (known.get(entry.n) !== line) faults.push(`line ${index + 1} is another event ${entry.n}`);
      continue;
    }
    known.set(entry.n, line);
    if (entry.n > expected) faults.push(`${entry.n - expected} events before line ${index + 1} are missing`);
    expected = entry.n + 1;
    events.push(entry.event);
  }
  return { events, faults };
}

function parseLine(line: string): { v: number; n: number; event: JournalEvent } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { v, n, ...event } = value as { v?: unknown; n?: unknown; type?: unknown; at?: unknown };
  if (typeof v !== 'number' || typeof n !== 'number') return undefined;
  if (v <= JOURNAL_VERSION && (typeof event.type !== 'string' || typeof event.at !== 'number'))
    return undefined;
  return { v, n, event: event as unknown as JournalEvent };
}

function tooNew(subject: string, version: number): VmwrightError {
  return new VmwrightError({
    code: 'JOURNAL_TOO_NEW',
    subject,
    message: 'a later version of vmwright wrote it',
    expected: `schema version ${JOURNAL_VERSION} or older`,
    seen: String(version),
    next: 'read this run with the vmwright that made it, or a newer one',
  });
}
