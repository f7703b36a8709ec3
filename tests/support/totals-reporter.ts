/**
 * Adds the counts of a run to the file that VMWRIGHT_TOTALS names, one JSON object a line, and prints where its time went.
 *
 * @module
 */
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { FullResult, Reporter, Suite, TestCase } from '@playwright/test/reporter';
import { ROOT } from './runner.ts';

/** Counts of one suite; `failed` includes tests that a broken run never came to. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Title and first line of the error of each failed test. */
  readonly failures: readonly string[];
}

export default class TotalsReporter implements Reporter {
  #suite: Suite | undefined;

  onBegin(_config: unknown, suite: Suite): void {
    this.#suite = suite;
  }

  onEnd(result: FullResult): void {
    const file = process.env.VMWRIGHT_TOTALS;
    if (file === undefined) return;
    const tests = this.#suite?.allTests() ?? [];
    const outcomes = tests.map(outcomeOf);
    const count = (...names: string[]): number =>
      outcomes.filter((outcome) => names.includes(outcome)).length;
    const failed = count('unexpected');
    const totals: Totals = {
      passed: count('expected', 'flaky'),
      failed: failed === 0 && result.status !== 'passed' ? 1 : failed,
      skipped: count('skipped'),
      failures: tests.filter((one) => outcomeOf(one) === 'unexpected').map(failureOf),
    };
    appendFileSync(file, `${JSON.stringify(totals)}\n`);
    process.stdout.write(slowest(tests));
  }

  printsToStdio(): boolean {
    return false;
  }
}

function outcomeOf(one: TestCase): ReturnType<TestCase['outcome']> {
  return one.results.length === 0 ? 'unexpected' : one.outcome();
}

function failureOf(one: TestCase): string {
  const title = [relative(ROOT, one.location.file), ...one.titlePath().slice(3)].join(' > ');
  const error = one.results.at(-1)?.error?.message ?? 'never ran';
  return `${title}: ${stripVTControlCharacters(error).split('\n')[0]}`;
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
