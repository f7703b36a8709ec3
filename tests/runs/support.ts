/**
 * Journals and stored runs for the tests of the reporters.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEvent, Outcome, PlannedHost } from '../../runs/journal.ts';
import { openJournal } from '../../runs/journal.ts';
import type { ProcessIdentity } from '../../fixtures/process/identity.ts';
import { beginRun, FILES, type RunRecord } from '../../runs/store.ts';
import { VERSION } from '../../runs/version.ts';

export const RUN = 'run-1';

export function begin(
  hosts: readonly PlannedHost[],
  more: Partial<Extract<JournalEvent, { type: 'run-begin' }>> = {},
): JournalEvent {
  return {
    type: 'run-begin',
    at: 0,
    run: RUN,
    version: VERSION,
    build: 'b',
    hosts,
    slots: 1,
    command: 'npx playwright test',
    coverage: [],
    ...more,
  };
}

export function started(host: string, at = 1, test = 't', retry = 0): JournalEvent {
  return { type: 'test-begin', at, host, suite: 's', test, retry };
}

export function ended(
  host: string,
  outcome: Outcome,
  more: Partial<Extract<JournalEvent, { type: 'test-end' }>> = {},
): JournalEvent {
  return {
    type: 'test-end',
    at: 10_000,
    host,
    suite: 's',
    test: 't',
    retry: 0,
    outcome,
    expected: outcome === 'passed' || outcome === 'skipped',
    steps: ['one'],
    durationMs: 10_000,
    ...more,
  };
}

export const over: JournalEvent = { type: 'run-end', at: 20_000, result: 'finished' };

export const NOBODY: ProcessIdentity = { pid: 1, hostname: 'h', startTime: '1', bootId: 'b' };

export function recordOf(more: Partial<RunRecord> = {}): Omit<RunRecord, 'schemaVersion'> {
  return {
    run: RUN,
    build: 'b',
    version: VERSION,
    startedAt: 0,
    command: 'npx playwright test',
    suite: 's',
    select: [],
    options: {},
    choices: {},
    groups: [],
    hosts: [],
    coverage: [],
    process: NOBODY,
    ...more,
  };
}

/** Stores a run as the reporter does. */
export function store(folder: string, events: readonly JournalEvent[], more: Partial<RunRecord> = {}): void {
  mkdirSync(folder, { recursive: true });
  beginRun(folder, recordOf(more));
  const journal = openJournal(join(folder, FILES.journal));
  for (const event of events) journal.append(event);
  journal.close();
}

export function writeFile(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
