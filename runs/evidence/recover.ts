/**
 * A run whose journal is gone, from the artefacts that are left of it.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { CLAIM_FOLDER, HEARTBEAT_MS, lastSeen } from '../claim.ts';
import { foldJournal, type RunModel } from '../model.ts';
import { runnerState } from '../liveness.ts';
import { type ReadOptions, readRun, type StoredRun } from '../read-run.ts';
import { FILES, partsOf, readJson, type RunRecord, wholeFolder } from '../store.ts';
import { collect, evidenceOf } from './collect.ts';
import type { Artifact } from './shape.ts';

/** Pictures, films and the like show things to people; these say something about results. */
const EVIDENCE = /\.(?:zip|jsonl?|xml|log|txt)$/;
/** What is computed from evidence, or kept about a run, is none. */
const OWN = new Set<string>([
  ...Object.values(FILES).filter((name) => name !== FILES.journal && name !== FILES.runLog),
  'recovered.json',
  'ctrf.json',
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

/** Undefined when nothing in `folder` is evidence. `record` says which machines the run had, and when it was. */
export function recoverRun(folder: string, record: RunRecord): RunModel | undefined {
  const { build, run, version, startedAt, command, coverage } = record;
  const endedAt = endOf(folder, record);
  const artifacts = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && EVIDENCE.test(entry.name) && !OWN.has(entry.name))
    .filter((entry) => basename(entry.parentPath) !== CLAIM_FOLDER)
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file): Artifact => {
      const modifiedAt = statSync(file).mtimeMs;
      return {
        name: relative(folder, file),
        bytes: readFileSync(file),
        // The run's own log is of the run, however long its runner took to exit.
        modifiedAt: basename(file) === FILES.runLog ? Math.max(startedAt, endedAt ?? startedAt) : modifiedAt,
      };
    })
    .filter((artifact) => !isOwnJunit(artifact, build));
  if (artifacts.length === 0) return undefined;
  const evidence = artifacts.map(evidenceOf);
  const hosts = record.hosts.length > 0 ? record.hosts : record.select.map((host) => ({ host }));
  const plan = { build, run, startedAt, endedAt, command, coverage, hosts };
  return { ...foldJournal(collect(plan, evidence)), version };
}

/** When the run was over, by whoever saw it; undefined where nobody did. */
function endOf(folder: string, record: RunRecord): number | undefined {
  if (record.endedAt !== undefined) return record.endedAt;
  const seen = [FILES.cancelled, FILES.stuck].flatMap((name) => {
    const { at } = (readJson(join(folder, name)) ?? {}) as { at?: unknown };
    return typeof at === 'number' ? at : [];
  });
  return [...phaseEnd(folder), ...seen, ...lastBreath(folder, record)].at(0);
}

/** A runner that was killed saw no end of its own: it showed that it lived until a heartbeat before. */
function lastBreath(folder: string, { run }: RunRecord): number[] {
  const seen = lastSeen(wholeFolder(folder), run);
  return seen === undefined ? [] : [seen + HEARTBEAT_MS];
}

/** The end of the phase `run` that `vmwright run` kept before it kept it in the record. */
function phaseEnd(folder: string): number[] {
  const file = join(folder, FILES.phases);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const found = /"phase":"run","edge":"end","at":(?<at>\d+)/.exec(line)?.groups?.at;
      return found === undefined ? [] : Number(found);
    });
}

/** Our own JUnit is computed from evidence; a runner's of the same name is some. */
function isOwnJunit({ name, bytes }: Artifact, build: string): boolean {
  return (
    basename(name) === 'junit.xml' &&
    bytes.toString('utf8').includes(`<testsuites>\n<testsuite name="${build}" timestamp=`)
  );
}
