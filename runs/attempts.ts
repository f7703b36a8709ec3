/**
 * Attempts at tests: which test one is, which of several counts, and what it says.
 *
 * @module
 */
import type { JournalEvent, TestName } from './journal.ts';

export type TestEnd = Extract<JournalEvent, { type: 'test-end' }>;

/** Set-up, teardown and bookkeeping specs say nothing about a machine unless they fail. */
export function isBookkeeping(suite: string): boolean {
  return /(?:^|[._-])(?:setup|teardown|bookkeeping)(?:[._-]|$)/i.test(suite);
}

/** Which test of a machine it is: two folders may hold a spec of one name. */
export function testKey(event: TestName): string {
  return event.id ?? JSON.stringify([event.suite, event.test]);
}

/** Which attempt at it. */
export function keyOf(event: TestName & { readonly retry: number }): string {
  return JSON.stringify([testKey(event), event.retry]);
}

export function isFailure(end: TestEnd): boolean {
  return !end.expected && end.outcome !== 'interrupted' && end.outcome !== 'skipped';
}

/** It was to run and did not: what it needed had failed before. */
export function wasDropped(end: TestEnd): boolean {
  return end.outcome === 'skipped' && end.isDropped === true;
}

/** It says something about the machine: it was executed, and is not bookkeeping. */
export function isExecuted(end: TestEnd): boolean {
  return end.outcome !== 'skipped' && end.outcome !== 'interrupted' && !isBookkeeping(end.suite);
}

/**
 * What counts of each test, in order of first appearance: its last attempt that came to a result, else its last one. A
 * retry that is skipped or cut off takes no failure away.
 */
export function finalAttempts(ends: readonly TestEnd[]): TestEnd[] {
  const tests = new Map<string, Map<number, TestEnd>>();
  for (const end of ends) {
    const attempts = tests.get(testKey(end)) ?? new Map<number, TestEnd>();
    const known = attempts.get(end.retry);
    if (known === undefined || rankOf(end) > rankOf(known)) attempts.set(end.retry, end);
    tests.set(testKey(end), attempts);
  }
  return [...tests.values()].flatMap((attempts) => {
    const inOrder = [...attempts.values()].sort((a, b) => a.retry - b.retry);
    return inOrder.findLast(isConclusive) ?? inOrder.at(-1) ?? [];
  });
}

/** The tests that failed and passed when they were tried again. */
export function flakyTests(ends: readonly TestEnd[]): TestEnd[] {
  const failed = new Set(ends.filter(isFailure).map(testKey));
  return finalAttempts(ends).filter((end) => failed.has(testKey(end)) && !isFailure(end));
}

function isConclusive(end: TestEnd): boolean {
  return end.outcome !== 'skipped' && end.outcome !== 'interrupted';
}

/** Of two results of one attempt the worse stands; one that was cut off is none where there is another. */
function rankOf(end: TestEnd): number {
  if (isFailure(end)) return 4;
  if (wasDropped(end)) return 3;
  if (end.outcome === 'skipped') return 2;
  return end.outcome === 'interrupted' ? 0 : 1;
}
