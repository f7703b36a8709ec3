/**
 * A run whose journal is gone, from the artefacts that are left of it.
 *
 * @module
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { foldJournal, type RunModel } from '../model.ts';
import { runnerState } from '../liveness.ts';
import { type ReadOptions, readRun, type StoredRun } from '../read-run.ts';
import { FILES, partsOf, type RunRecord } from '../store.ts';
import { collect, evidenceOf } from './collect.ts';

/** Pictures, films and the like show things to people; these say something about results. */
const EVIDENCE = /\.(?:zip|jsonl?|xml|log|txt)$/;
/** What is computed from evidence, or kept about a run, is none. */
const OWN = new Set<string>([
  ...Object.values(FILES).filter((name) => name !== FILES.journal),
  'ctrf.json',
  'junit.xml',
  'summary.txt',
]);

/** The run in `folder`: by its journals, and where it has none by what else is there. Undefined without a record. */
export function readStored(folder: string, options: ReadOptions): StoredRun | undefined {
  const stored = readRun(folder, options);
  if (stored === undefined || partsOf(folder).length > 0) return stored;
  const { processState = runnerState } = options;
  if (processState(stored.record.process, folder) === 'alive') return stored;
  const model = recoverRun(folder, stored.record);
  return model === undefined ? stored : { ...stored, model: { ...model, url: stored.model.url } };
}

/** Undefined when nothing in `folder` is evidence. `record` says which machines the run had. */
export function recoverRun(folder: string, record: RunRecord): RunModel | undefined {
  const artifacts = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && EVIDENCE.test(entry.name) && !OWN.has(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({
      name: relative(folder, file),
      bytes: readFileSync(file),
      modifiedAt: statSync(file).mtimeMs,
    }));
  if (artifacts.length === 0) return undefined;
  const evidence = artifacts.map(evidenceOf);
  const hosts = record.hosts.length > 0 ? record.hosts : record.select.map((host) => ({ host }));
  const { build, run, version, startedAt, command, coverage } = record;
  const model = foldJournal(collect({ build, run, startedAt, command, coverage, hosts }, evidence));
  return { ...model, version };
}
