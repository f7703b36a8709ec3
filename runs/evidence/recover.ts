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
import { keptBeside, type ReadOptions, readRun, type StoredRun } from '../read-run.ts';
import { FILES, partsOf, readJson, type RunRecord, wholeFolder } from '../store.ts';
import { collect, evidenceOf, unreadable } from './collect.ts';
import type { Artifact, Evidence } from './shape.ts';

/** These show things to people, or style what does; everything else may say something about results. */
const SHOWN =
  /\.(?:png|apng|jpe?g|webp|gif|svg|avif|ico|mp4|webm|mkv|html?|css|m?js|map|woff2?|ttf|md|fbs|rfb|pcap)$/i;
/** What is kept about a run is no result of it. */
const KEPT = new Set<string>([
  ...Object.values(FILES).filter((name) => name !== FILES.journal && name !== FILES.runLog),
  'recovered.json',
]);

/** As runs/render/junit.ts begins a report without failures and errors. */
const OWN_JUNIT =
  /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites>\n<testsuite name="[^"]*" timestamp="[^"]*" tests="\d+" failures="0" errors="0" skipped="\d+">\n/;

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
  const evidence = filesIn(folder).flatMap((file): Evidence[] => {
    const name = relative(folder, file);
    // The run's own log is of the run, however long its runner took to exit.
    const ofRun = basename(file) === FILES.runLog ? Math.max(startedAt, endedAt ?? startedAt) : undefined;
    try {
      const modifiedAt = ofRun ?? statSync(file).mtimeMs;
      const artifact = { name, bytes: readFileSync(file), modifiedAt };
      return isOwnGoodNews(artifact) ? [] : [evidenceOf(artifact)];
    } catch (error) {
      // A link to nowhere or to a folder.
      return [
        unreadable({ name, modifiedAt: startedAt }, error instanceof Error ? error.message : String(error)),
      ];
    }
  });
  if (evidence.length === 0) return undefined;
  const hosts = record.hosts.length > 0 ? record.hosts : record.select.map((host) => ({ host }));
  const { failOnFlakyTests } = record;
  const plan = { build, run, startedAt, endedAt, command, coverage, hosts, failOnFlakyTests };
  const around = { runner: 'gone', now: endedAt ?? startedAt, ...keptBeside(folder, folder) } as const;
  return { ...foldJournal(collect(plan, evidence), around), version };
}

/** Every file that may say something about results; of a link, what it leads to. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .filter(({ name }) => !SHOWN.test(name) && !KEPT.has(name.replace(/\.(?:tmp|claim)$/, '')))
    .filter(({ name, parentPath }) => !name.startsWith('.') && basename(parentPath) !== CLAIM_FOLDER)
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
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

/** What we computed from evidence is none: good news of our own adds nothing. Bad news stays. */
function isOwnGoodNews({ name, bytes }: Artifact): boolean {
  const file = basename(name);
  if (file !== 'junit.xml' && file !== 'ctrf.json') return false;
  const text = bytes.toString('utf8');
  return file === 'junit.xml'
    ? OWN_JUNIT.test(text)
    : text.startsWith('{\n  "reportFormat": "CTRF",') &&
        text.includes('"generatedBy": "vmwright"') &&
        text.includes('"failed": 0,');
}
