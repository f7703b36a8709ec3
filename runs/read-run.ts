/**
 * A stored run as a model: its journals folded, its parts put together.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from './journal.ts';
import { foldJournal, type RunModel, type Surroundings } from './model.ts';
import { type ProcessState, runnerState } from './liveness.ts';
import { mergeParts } from './parts.ts';
import { FILES, isPlaceOf, partsOf, readJson, readRecord, type RunRecord } from './store.ts';

export interface ReadOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly hungAfterMs?: number;
  readonly graceMs?: number;
  /** Whether a process exists. */
  readonly processState?: ProcessState;
}

export interface StoredRun {
  readonly folder: string;
  readonly record: RunRecord;
  readonly model: RunModel;
}

/** Reads the run in `folder`. Undefined when there is no record: state alone is no evidence of a run. */
export function readRun(folder: string, options: ReadOptions): StoredRun | undefined {
  const record = readRecord(folder);
  if (record === undefined) return undefined;
  const { processState = runnerState } = options;
  const runner = processState(record.process, folder);
  const parts: RunModel[] = [];
  const faults: string[] = [];
  for (const part of partsOf(folder)) {
    const own = readRecord(part);
    if (own?.run !== record.run) {
      faults.push(`${part.slice(folder.length + 1) || '.'} belongs to another run`);
      continue;
    }
    try {
      parts.push(readPart(part, folder, own, options, processState(own.process, part)));
    } catch (error) {
      faults.push(
        `${part.slice(folder.length + 1) || '.'}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return {
    folder,
    record,
    model: withStoredUrl(folder, mergeParts(parts, { record, runner, faults, now: options.now })),
  };
}

function readPart(
  part: string,
  folder: string,
  record: RunRecord,
  options: ReadOptions,
  runner: Surroundings['runner'],
): RunModel {
  const { events, faults } = readJournal(readFileSync(join(part, FILES.journal), 'utf8'), part);
  const [begin] = events;
  const isOwn = begin?.type === 'run-begin' && begin.run === record.run;
  const isInPlace = begin?.type !== 'run-begin' || isPlaceOf(part, begin);
  return foldJournal(events, {
    runner,
    now: options.now,
    faults: [
      ...faults,
      ...(isOwn ? [] : ['it belongs to another run']),
      ...(isInPlace ? [] : ['it belongs to another part of the run']),
    ],
    ...keptBeside(part, folder),
    ...(options.hungAfterMs === undefined ? {} : { hungAfterMs: options.hungAfterMs }),
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
  });
}

/** What its supervisor kept of a run, or of a `part` of the one in `folder`: no journal of a runner can know it. */
export function keptBeside(
  part: string,
  folder: string,
): Pick<Surroundings, 'wasStuck' | 'exitCode' | 'cancelledAt'> {
  const exit = readJson(join(part, FILES.exit)) as { code?: unknown } | undefined;
  const stopped = readJson(join(folder, FILES.cancelled)) as { at?: unknown } | undefined;
  return {
    wasStuck:
      readJson(join(part, FILES.stuck)) !== undefined || readJson(join(folder, FILES.stuck)) !== undefined,
    ...(typeof exit?.code === 'number' ? { exitCode: exit.code } : {}),
    ...(typeof stopped?.at === 'number' ? { cancelledAt: stopped.at } : {}),
  };
}

/** The address that was stored as soon as it was seen stands above any other. */
function withStoredUrl(folder: string, model: RunModel): RunModel {
  try {
    const url = readFileSync(join(folder, FILES.url), 'utf8').trim();
    return url === '' ? model : { ...model, url };
  } catch {
    return model;
  }
}
