/**
 * What failed in one test result, taken from that result alone.
 *
 * @module
 */
import type { TestError, TestResult, TestStep } from '@playwright/test/reporter';
import { isAction, withoutActions } from '../runs/actions.ts';
import type { FailureEvidence, LeftFile, Picture, StepResult } from '../runs/journal.ts';
import { stripAnsi } from '../runs/render/sections.ts';

/** Titles of the spec's own top-level steps, in order. */
export function topLevelSteps(result: TestResult): string[] {
  return ownSteps(result.steps).map((step) => step.title);
}

/** The same steps with their times. */
export function timedSteps(result: TestResult): StepResult[] {
  return ownSteps(result.steps).map(timedStep);
}

export function timedStep({ title, duration, error }: TestStep): StepResult {
  return { title, durationMs: Math.max(0, duration), failed: error !== undefined };
}

/** Files of the pictures that the test attached. */
export function picturesOf(result: TestResult): Picture[] {
  return result.attachments.flatMap(({ name, path, contentType }) =>
    path !== undefined && /^image\/(?:png|jpeg|webp)$/.test(contentType) ? { name, file: path } : [],
  );
}

/** Film and trace of the test, which a reader of the summary wants beside its error. */
export function leftFiles(result: TestResult): LeftFile[] {
  return result.attachments.flatMap(({ name, path, contentType }) =>
    path !== undefined && (name === 'trace' || (name === 'film' && contentType === 'text/html'))
      ? { name, file: path }
      : [],
  );
}

/** `test.step.skip`, as far as that is known: Playwright tells it at the end of the step. */
function isLeftOut({ annotations }: TestStep): boolean {
  return annotations.some(({ type }) => type === 'skip');
}

/** True for a `test.step` of the scenario that is not inside another one, a hook or a fixture. */
export function isTopLevelStep(step: TestStep): boolean {
  return step.category === 'test.step' && !isAction(step) && isTop(step.parent) && !isLeftOut(step);
}

/** Whether it is no step of the scenario that `step` is inside of: an action may have code of the spec run. */
function isTop(step: TestStep | undefined): boolean {
  return step === undefined || (isAction(step) && isTop(step.parent));
}

function ownSteps(steps: readonly TestStep[]): TestStep[] {
  return withoutActions(steps).filter(isTopLevelStep);
}

/** The failing step, a one-line error and an excerpt, or undefined when the result has no error. */
export function failureFrom(result: TestResult): FailureEvidence | undefined {
  const [first, ...others] = result.errors
    .map((error) => withoutStack(stripAnsi(error.message ?? error.value ?? '')))
    .filter((text) => text !== '');
  if (first === undefined) return undefined;
  const steps = ownSteps(result.steps);
  const step = steps.find((candidate) => candidate.error !== undefined) ?? unfinished(result, steps);
  const waits = others.filter((text) => text.includes(STILL_WAITING));
  // That the time is over says nothing of what took it.
  const short = [first, ...(isTimeout(first) ? waits : [])].map(shorten).join(' ');
  return {
    ...(step === undefined ? {} : { step: step.title }),
    short,
    excerpt: [first, ...waits].join('\n'),
  };
}

/** What a test still waited for when it was over (fixtures/pending). */
const STILL_WAITING = '[STILL_WAITING]';

function isTimeout(message: string): boolean {
  return /^Test timeout of \d+ms exceeded/.test(message);
}

/** An error outside of any test: one line, and what it says. */
export function errorFrom(error: TestError): { readonly short: string; readonly excerpt: string } {
  const excerpt = withoutStack(stripAnsi(error.message ?? error.value ?? '')) || 'an error without words';
  return { short: shorten(excerpt), excerpt };
}

/** A test that timed out did so in its last step, unless it was past all of them. */
function unfinished(result: TestResult, steps: readonly TestStep[]): TestStep | undefined {
  return result.status === 'timedOut' ? steps.findLast((step) => step.duration < 0) : undefined;
}

function withoutStack(message: string): string {
  return message
    .split('\n')
    .filter((line) => !/^\s+at .+:\d+:\d+\)?$/.test(line))
    .join('\n')
    .trim();
}

/** The first line without the error's class name: a matcher's or VmwrightError's first line says what it is about. */
function shorten(excerpt: string): string {
  const first = excerpt.split('\n').find((line) => line.trim() !== '') ?? '';
  return first.replace(/^(?:VmwrightError|Error|AssertionError|TimeoutError): /, '').trim();
}
