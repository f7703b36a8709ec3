/**
 * `vmwright replay FOLDER`: a stored run through today's code. It posts nothing and writes nothing.
 *
 * The folder is one of a stored run, or any that holds artefacts of a run (blob, JSON, JUnit, event and text files);
 * then `--plan` names the `run.json` with its scope.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { VmwrightError } from '../fixtures/errors.ts';
import { redactRecord, tell, tellRendered } from '../fixtures/secrets/index.ts';
import { readStored, recoverRun } from '../runs/evidence/recover.ts';
import type { RunModel } from '../runs/model.ts';
import { renderJson } from '../runs/render/json.ts';
import { renderMarkdown } from '../runs/render/markdown.ts';
import { renderText } from '../runs/render/text.ts';
import { FILES, readJson, readRecord } from '../runs/store.ts';

export interface ReplayOptions {
  readonly format: 'text' | 'markdown' | 'json';
  /** A `summary.json` to compare with. */
  readonly compare?: string;
  /** Folder with the `run.json` whose machines are the scope. Default: the folder itself. */
  readonly plan?: string;
}

/** Exit code 1 when there are differences. */
export function replay(
  folder: string,
  options: ReplayOptions,
  stdout: { write(text: string): unknown } = process.stdout,
  now = Date.now(),
): number {
  const model = replayed(resolve(folder), options, now);
  const view = { now };
  if (options.compare !== undefined) {
    const saved = readJson(options.compare);
    if (saved === undefined) throw unreadable(options.compare, 'it is no JSON');
    const differences = differencesOf(saved, JSON.parse(renderJson(model, view)), '');
    tell(stdout, differences.length === 0 ? 'no differences\n' : `${differences.join('\n')}\n`);
    return differences.length === 0 ? 0 : 1;
  }
  const render = { text: renderText, markdown: renderMarkdown, json: renderJson }[options.format];
  tellRendered(stdout, render(redactRecord(model), view));
  return 0;
}

function replayed(folder: string, options: ReplayOptions, now: number): RunModel {
  if (!existsSync(folder)) throw unreadable(folder, 'no such folder');
  const stored = options.plan === undefined ? readStored(folder, { now }) : undefined;
  if (stored !== undefined) return stored.model;
  const record = readRecord(resolve(options.plan ?? folder));
  if (record === undefined)
    throw unreadable(options.plan ?? folder, `no ${FILES.record}: nothing says which machines the run had`);
  const recovered = recoverRun(folder, record);
  if (recovered === undefined) throw unreadable(folder, 'nothing in it is evidence of a result');
  return recovered;
}

/** `path: saved -> replayed`, one a line. */
function differencesOf(saved: unknown, replayed: unknown, path: string): string[] {
  if (Object.is(saved, replayed)) return [];
  if (typeof saved === 'object' && typeof replayed === 'object' && saved !== null && replayed !== null) {
    const keys = new Set([...Object.keys(saved), ...Object.keys(replayed)]);
    return [...keys].flatMap((key) =>
      differencesOf(
        (saved as Record<string, unknown>)[key],
        (replayed as Record<string, unknown>)[key],
        path === '' ? key : `${path}.${key}`,
      ),
    );
  }
  return [`${path}: ${shown(saved)} -> ${shown(replayed)}`];
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function unreadable(subject: string, seen: string): VmwrightError {
  return new VmwrightError({
    code: 'RUN_UNREADABLE',
    subject,
    message: 'the run cannot be replayed',
    seen,
    next: 'name a folder below test-results/state, or give --plan <folder with run.json>',
  });
}
