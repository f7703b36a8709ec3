/**
 * Adds the counts of a run to the file that VMWRIGHT_TOTALS names, one JSON object a line.
 *
 * @module
 */
import { appendFileSync } from 'node:fs';
import type { FullResult, Reporter, Suite } from '@playwright/test/reporter';

/** Counts of one suite; `failed` includes tests that a broken run never came to. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export default class TotalsReporter implements Reporter {
  #suite: Suite | undefined;

  onBegin(_config: unknown, suite: Suite): void {
    this.#suite = suite;
  }

  onEnd(result: FullResult): void {
    const file = process.env.VMWRIGHT_TOTALS;
    if (file === undefined) return;
    const outcomes = (this.#suite?.allTests() ?? []).map((test) =>
      test.results.length === 0 ? 'unexpected' : test.outcome(),
    );
    const count = (...names: string[]): number =>
      outcomes.filter((outcome) => names.includes(outcome)).length;
    const failed = count('unexpected');
    const totals: Totals = {
      passed: count('expected', 'flaky'),
      failed: failed === 0 && result.status !== 'passed' ? 1 : failed,
      skipped: count('skipped'),
    };
    appendFileSync(file, `${JSON.stringify(totals)}\n`);
  }

  printsToStdio(): boolean {
    return false;
  }
}
