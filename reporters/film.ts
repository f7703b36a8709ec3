/**
 * Writes each test's steps into its films: the worker that made a film does not know them, Playwright tells reporters.
 *
 *     reporter: [['vmwright/reporters/film'], ['html'], ...]
 *
 * It comes first in the list, so that the others copy films with their steps.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { FullConfig, Reporter, TestCase, TestResult, TestStep } from '@playwright/test/reporter';
import { redact, tell } from '../fixtures/secrets/index.ts';
import { registerRunSecrets } from './secrets.ts';
import { stripAnsi } from '../runs/render/sections.ts';

/** Where the steps go in the file (fixtures/recording/film.html). */
const PLACE = '"@steps"';
/** What the reader of a film wants to be led by; hooks, fixtures and API calls are not on the screen. */
const SHOWN: readonly string[] = ['test.step', 'expect'];

interface FilmStep {
  /** Titles from the outermost step to this one. */
  readonly path: readonly string[];
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** First line of its error. */
  readonly error?: string;
}

export default class FilmReporter implements Reporter {
  onBegin(config: FullConfig): void {
    registerRunSecrets(config);
  }

  onTestEnd(_test: TestCase, result: TestResult): void {
    const films = result.attachments.filter(({ name, path }) => name === 'film' && path !== undefined);
    if (films.length === 0) return;
    const rows = filmSteps(result.steps).map((step) => JSON.stringify(step).replaceAll('<', '\\u003c'));
    for (const { path = '' } of films) {
      try {
        const html = readFileSync(path, 'utf8');
        const at = html.indexOf(PLACE);
        if (at < 0) continue;
        writeFileSync(path, `${html.slice(0, at)}${rows.join(',\n')}${html.slice(at + PLACE.length)}`);
      } catch (error) {
        tell(process.stderr, `vmwright: ${path} has no steps: ${String(error)}\n`);
      }
    }
  }

  printsToStdio(): boolean {
    return false;
  }
}

function filmSteps(steps: readonly TestStep[], above: readonly string[] = []): FilmStep[] {
  return steps.flatMap((step) => {
    if (!SHOWN.includes(step.category)) return filmSteps(step.steps, above);
    const path = [...above, redact(step.title)];
    const from = step.startTime.getTime();
    const message = step.error && firstLine(step.error.message ?? step.error.value ?? '');
    const own = {
      path,
      from,
      to: from + Math.max(0, step.duration),
      ...(message === undefined ? {} : { error: redact(message) }),
    };
    return [own, ...filmSteps(step.steps, path)];
  });
}

function firstLine(text: string): string {
  return stripAnsi(text).split('\n')[0] ?? '';
}
