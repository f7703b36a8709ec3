/**
 * Adds the counts of a run to the file that VMWRIGHT_TOTALS names, one JSON object a line, and prints where its time went.
 *
 * @module
 */
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { FullResult, Reporter, Suite, TestCase } from '@playwright/test/reporter';
import { ROOT } from './runner.ts';

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
    process.stdout.write(slowest(this.#suite?.allTests() ?? []));
  }

  printsToStdio(): boolean {
    return false;
  }
}

const SHOWN = 40;

/** The files that took most of the workers' time, in seconds. */
function slowest(tests: readonly TestCase[]): string {
  const seconds = new Map<string, number>();
  for (const { location, results } of tests) {
    const file = relative(ROOT, location.file);
    const spent = results.reduce((sum, { duration }) => sum + duration / 1000, 0);
    seconds.set(file, (seconds.get(file) ?? 0) + spent);
  }
  const rows = [...seconds].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  return `\nslowest files:\n${rows.map(([file, spent]) => `${spent.toFixed(0).padStart(6)} s  ${file}\n`).join('')}`;
}
