/**
 * Stored runs: `test-results/state/<build>/`, and in it a folder a shard or group.
 *
 *     run.json        who runs what: build, run id, command, plan, process
 *     journal.jsonl   what happened
 *     progress.json   the step of each machine, while the run is live: for whoever waits for one
 *     run-url         where the run can be watched, as soon as it is known
 *     phases.jsonl    when `vmwright run` planned, verified, began to watch and ran
 *     plan.log        the plan as it was approved
 *     run.log         what the runner printed
 *     posted.json     that the result was posted, and when
 *     cancelled.json  that the operator stopped it
 *     exit.json       with which code its runner exited, where `vmwright run` saw that
 *     stuck.json      that its runner never exited and was ended after its last result
 *
 * and beside them `cleared.json`: runs that began before it are no history (requirements T49); and `.earlier/<build>/`:
 * earlier runs of a name that was used again.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { VmwrightError } from '../fixtures/errors.ts';
import { type ProcessIdentity, processIdentitySchema } from '../fixtures/process/identity.ts';
import type { PlannedHost, Shard } from './journal.ts';

const SCHEMA_VERSION = 1;

const record = z.object({
  schemaVersion: z.literal(SCHEMA_VERSION),
  run: z.string().min(1),
  build: z.string().min(1),
  version: z.string(),
  startedAt: z.number(),
  /** When it was over, as far as somebody saw that; results are from before. Milliseconds since the epoch. */
  endedAt: z.number().optional(),
  command: z.string(),
  suite: z.string(),
  select: z.array(z.string()),
  options: z.record(z.string(), z.string()),
  /** Every value of an option that is a choice. */
  choices: z.record(z.string(), z.array(z.string())).default({}),
  /** Hash of the plan that was approved. */
  plan: z.string().optional(),
  /** Every machine in plan order, with why it is left out. */
  hosts: z
    .array(
      z.object({
        host: z.string(),
        family: z.string().optional(),
        skip: z.string().optional(),
        /** How many tests are planned on it: fewer found is UNKNOWN, also when the journal is lost. */
        tests: z.int().min(0).optional(),
        shard: z.int().min(1).optional(),
      }),
    )
    .default([]),
  /** What COVERAGE says, when the command that made the plan knows it better than the runner. */
  coverage: z.array(z.tuple([z.string(), z.string()])).default([]),
  /** Groups that are run one after another, with their machines; empty in an ungrouped run. */
  groups: z.array(z.object({ name: z.string(), hosts: z.array(z.string()) })).default([]),
  shards: z.int().min(1).optional(),
  /** `--fail-on-flaky-tests`. */
  failOnFlakyTests: z.boolean().optional(),
  /** Folder of the summary that its runner writes. */
  summary: z.string().optional(),
  process: processIdentitySchema,
});

/** `run.json`. */
export type RunRecord = Readonly<Omit<z.output<typeof record>, 'process' | 'hosts'>> & {
  readonly process: ProcessIdentity;
  readonly hosts: readonly PlannedHost[];
};

export const FILES = {
  record: 'run.json',
  journal: 'journal.jsonl',
  progress: 'progress.json',
  url: 'run-url',
  posted: 'posted.json',
  cancelled: 'cancelled.json',
  stuck: 'stuck.json',
  exit: 'exit.json',
  phases: 'phases.jsonl',
  planLog: 'plan.log',
  runLog: 'run.log',
} as const;

/** Beside the runs. */
const CLEARED = 'cleared.json';

/** Folders of shards and groups inside a run's folder. */
const PARTS = ['shards', 'groups'] as const;

const BUILD_NAME = /^[A-Za-z0-9][\w.-]*$/;

/** `name` itself. @throws `BUILD_NAME_INVALID` */
export function checkBuildName(name: string): string {
  if (BUILD_NAME.test(name)) return name;
  throw new VmwrightError({
    code: 'BUILD_NAME_INVALID',
    subject: `build name "${name}"`,
    message: 'it is a folder name and a heading',
    expected: 'letters, digits, ".", "_" and "-", beginning with a letter or digit',
    seen: name,
    next: 'join the words with "-"',
  });
}

/** Folder of a part: `shards/2-of-3`, `groups/ubuntu`; the run's own when it has none. */
export function partFolder(folder: string, part: { shard?: Shard; group?: string }): string {
  const grouped = part.group === undefined ? folder : join(folder, 'groups', encodeURIComponent(part.group));
  return part.shard === undefined
    ? grouped
    : join(grouped, 'shards', `${part.shard.current}-of-${part.shard.total}`);
}

/**
 * Whether `folder` is where this part belongs. A folder that lies in no other run's is anybody's: it may be a copy. A
 * journal that names no part is of an earlier version.
 */
export function isPlaceOf(folder: string, part: { shard?: Shard; group?: string }): boolean {
  const place = relative(wholeFolder(folder), folder);
  const own = partFolder('', part);
  return place === '' || own === '' || place === own;
}

/** Folder of the whole run that `folder`, a part's or its own, belongs to. */
export function wholeFolder(folder: string): string {
  const kind = basename(dirname(folder));
  return PARTS.some((part) => part === kind) ? wholeFolder(dirname(dirname(folder))) : folder;
}

/** Clears `folder` of everything an earlier run of the same name left, and writes the record: before anything is opened. */
export function beginRun(folder: string, run: Omit<RunRecord, 'schemaVersion'>): void {
  // The same run again, merged anew: what was posted stays posted. Its claim leaves the mark, and no record (build-claim.ts).
  const marked = (readJson(join(folder, FILES.posted)) ?? {}) as { run?: unknown };
  const isSame = (readRecord(folder)?.run ?? marked.run ?? run.run) === run.run;
  for (const name of [...Object.values(FILES), ...PARTS]) {
    if (isSame && name === FILES.posted) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
  mkdirSync(folder, { recursive: true });
  writeAtomically(
    join(folder, FILES.record),
    `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...run }, null, 2)}\n`,
  );
}

/** Where earlier runs of a name are kept; no build name begins with a dot. */
const EARLIER = '.earlier';

/**
 * Moves what is in the run's folder out of the way, as a whole: nothing of an earlier run of the name is lost, and nothing
 * of it is inherited. Only under the claim of the folder (claim.ts), when nobody works in it.
 *
 * @returns where it is now; undefined when there was nothing
 */
export function setAside(folder: string, stateFolder: string, build: string): string | undefined {
  if (partsOf(folder).length === 0 && !existsSync(join(folder, FILES.record))) return undefined;
  const stamp = new Date(readRecord(folder)?.startedAt ?? statSync(folder).mtimeMs)
    .toISOString()
    .replaceAll(/[:.]/g, '-');
  const kept = join(stateFolder, EARLIER, build, `${stamp}-${randomUUID().slice(0, 8)}`);
  mkdirSync(dirname(kept), { recursive: true });
  renameSync(folder, kept);
  return kept;
}

/** Replaces the record of a run that has begun, and nothing else of it. */
export function updateRecord(folder: string, run: RunRecord): void {
  mkdirSync(folder, { recursive: true });
  writeAtomically(join(folder, FILES.record), `${JSON.stringify(run, null, 2)}\n`);
}

/** Keeps how many tests the runner found for each machine of the run in `folder`. */
export function keepPlannedTests(folder: string, run: string, found: readonly PlannedHost[]): void {
  const known = readRecord(folder);
  if (known?.run === run) updateRecord(folder, { ...known, hosts: withPlannedTests(known.hosts, found) });
}

/** The machines of the plan, with the counts that the runner found. */
export function withPlannedTests(
  planned: readonly PlannedHost[],
  found: readonly PlannedHost[],
): PlannedHost[] {
  const counts = new Map(found.map(({ host, tests }) => [host, tests]));
  return planned.map((plan) => {
    const tests = counts.get(plan.host);
    return tests === undefined ? plan : { ...plan, tests };
  });
}

/** Keeps when the run in `folder` was over: what is written later is none of its results. */
export function endRun(folder: string, run: string, endedAt: number): void {
  const known = readRecord(folder);
  if (known?.run === run) updateRecord(folder, { ...known, endedAt });
}

/** `run.json` of a folder; undefined when there is none or it cannot be understood. */
export function readRecord(folder: string): RunRecord | undefined {
  const parsed = record.safeParse(readJson(join(folder, FILES.record)));
  return parsed.success ? (parsed.data as RunRecord) : undefined;
}

/** Folders of all stored runs, the latest first. Nothing outside `stateFolder` is looked at. */
export function storedRuns(stateFolder: string): { folder: string; record: RunRecord }[] {
  if (!existsSync(stateFolder)) return [];
  return readdirSync(stateFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const folder = join(stateFolder, entry.name);
      const found = readRecord(folder);
      return found === undefined ? [] : [{ folder, record: found }];
    })
    .sort((a, b) => b.record.startedAt - a.record.startedAt);
}

/** Says that no run until now is to be fallen back on; returns when that was. Milliseconds since the epoch. */
export function clearHistory(stateFolder: string, now: number): number {
  mkdirSync(stateFolder, { recursive: true });
  writeAtomically(join(stateFolder, CLEARED), `${JSON.stringify({ at: now })}\n`);
  return now;
}

/** When {@link clearHistory} was called last; -Infinity for never. A marker that cannot be read is none. */
export function clearedAt(stateFolder: string): number {
  const { at } = (readJson(join(stateFolder, CLEARED)) ?? {}) as { at?: unknown };
  return typeof at === 'number' ? at : -Infinity;
}

/** Folders of the run that hold a journal of their own, in the order of their names. */
export function partsOf(folder: string): string[] {
  const deeper = PARTS.flatMap((kind) => {
    const path = join(folder, kind);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .sort(new Intl.Collator('en', { numeric: true }).compare)
      .flatMap((name) => partsOf(join(path, name)));
  });
  return existsSync(join(folder, FILES.journal)) ? [folder, ...deeper] : deeper;
}

/** A JSON file's value; undefined when it is absent or no JSON. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Readers see the old content or the new one, never a part. */
export function writeAtomically(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}
