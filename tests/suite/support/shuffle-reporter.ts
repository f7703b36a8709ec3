/**
 * Has the tests of a run come in an order by chance, which VMWRIGHT_SHUFFLE decides, and writes into the file that
 * VMWRIGHT_SHUFFLED names what became of each: one JSON object a line, in the order in which they ran.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { FullResult, Reporter, Suite, TestCase, TestError, TestResult } from '@playwright/test/reporter';

export interface Ran {
  readonly title: string;
  readonly status: string;
}

export default class ShuffleReporter implements Reporter {
  /** The order of everything inside each file, and of the files: the runner takes them as they stand here. */
  preprocess({ suite }: { suite: Suite }): Promise<void> {
    const seed = process.env.VMWRIGHT_SHUFFLE;
    if (seed !== undefined) shuffle(suite, seed);
    return Promise.resolve();
  }

  onTestEnd(test: TestCase, { status, error }: TestResult): void {
    const outcome = status === test.expectedStatus ? (status === 'skipped' ? 'skipped' : 'passed') : status;
    const why = error?.message === undefined ? '' : `: ${error.message}`;
    this.#note({ title: test.titlePath().slice(2).join(' › '), status: outcome + why });
  }

  onError({ message = 'an error' }: TestError): void {
    this.#note({ title: 'the run', status: message });
  }

  onEnd({ status }: FullResult): void {
    if (status !== 'passed' && status !== 'failed') this.#note({ title: 'the run', status });
  }

  printsToStdio(): boolean {
    return false;
  }

  #note(ran: Ran): void {
    const file = process.env.VMWRIGHT_SHUFFLED;
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(ran)}\n`);
  }
}

function shuffle(suite: Suite, seed: string): void {
  const entries = suite.entries();
  const rank = new Map(entries.map((entry) => [entry, hash(`${seed} ${entry.titlePath().join(' ')}`)]));
  entries.sort((a, b) => ((rank.get(a) ?? '') < (rank.get(b) ?? '') ? -1 : 1));
  for (const entry of entries) if (entry.type !== 'test') shuffle(entry, seed);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
