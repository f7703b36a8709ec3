/**
 * `vmwright replay FOLDER`: a stored run through today's code. It posts nothing and writes nothing.
 *
 * The folder is one of a stored run, or any that holds artefacts of a run (blob, JSON, JUnit, event and text files);
 * then `--plan` names the `run.json` with its scope.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { VmwrightError } from '../fixtures/errors.ts';
import { redact } from '../fixtures/config/index.ts';
import { collect, evidenceOf, journalEvidence } from '../reporters/evidence/collect.ts';
import { foldJournal, type RunModel } from '../reporters/model.ts';
import { readRun } from '../reporters/read-run.ts';
import { renderJson } from '../reporters/render/json.ts';
import { renderMarkdown } from '../reporters/render/markdown.ts';
import { renderText } from '../reporters/render/text.ts';
import { FILES, readJson, readRecord } from '../reporters/store.ts';

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
    stdout.write(differences.length === 0 ? 'no differences\n' : redact(`${differences.join('\n')}\n`));
    return differences.length === 0 ? 0 : 1;
  }
  const render = { text: renderText, markdown: renderMarkdown, json: renderJson }[options.format];
  stdout.write(redact(render(model, view)));
  return 0;
}

function replayed(folder: string, options: ReplayOptions, now: number): RunModel {
  if (!existsSync(folder)) throw unreadable(folder, 'no such folder');
  if (options.plan === undefined && existsSync(join(folder, FILES.journal))) {
    const run = readRun(folder, { now });
    if (run !== undefined) return run.model;
  }
  const stored = options.plan === undefined ? readRun(folder, { now }) : undefined;
  if (stored !== undefined && stored.model.hosts.length > 0 && stored.model.state !== 'UNKNOWN')
    return stored.model;
  const record = readRecord(resolve(options.plan ?? folder));
  if (record === undefined)
    throw unreadable(options.plan ?? folder, `no ${FILES.record}: nothing says which machines the run had`);
  const artifacts = filesIn(folder).map((file) => ({
    name: relative(folder, file),
    bytes: readFileSync(file),
    modifiedAt: statSync(file).mtimeMs,
  }));
  const evidence = artifacts.map((artifact) =>
    artifact.name.endsWith('.jsonl') ? journalEvidence(artifact) : evidenceOf(artifact),
  );
  const hosts = record.hosts.length > 0 ? record.hosts : record.select.map((host) => ({ host }));
  const { build, run, startedAt, command, coverage } = record;
  return foldJournal(collect({ build, run, startedAt, command, coverage, hosts }, evidence));
}

/** Files that are evidence; what this program keeps about a run is not. */
function filesIn(folder: string): string[] {
  const own = new Set<string>([FILES.record, FILES.url, FILES.posted, FILES.cancelled, FILES.stuck]);
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !own.has(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
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
