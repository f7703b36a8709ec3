/**
 * How machines did in earlier runs.
 *
 * @module
 */
import type { HostStatus } from '../verdict.ts';
import type { RunModel } from '../model.ts';
import { readRun } from '../read-run.ts';
import { clearedAt, storedRuns } from '../store.ts';

/** A run as a column of the trend. */
export interface TrendRun {
  readonly build: string;
  readonly startedAt: number;
  readonly hosts: ReadonlyMap<
    string,
    { readonly status: HostStatus; readonly durationMs: number | undefined }
  >;
}

/** More columns do not fit on a page, and older runs say little. */
const RUNS = 20;

/** Stored runs of the same suites that are over, and `model` itself, the oldest first. */
export function trendOf(stateFolder: string, model: RunModel, now: number): TrendRun[] {
  const earlier: RunModel[] = [];
  const cleared = clearedAt(stateFolder);
  const suites = suitesOf(model);
  for (const { folder, record } of storedRuns(stateFolder)) {
    if (earlier.length === RUNS - 1) break;
    if (record.run === model.run || record.startedAt > model.startedAt || record.startedAt < cleared)
      continue;
    const run = readRun(folder, { now });
    if (run?.model.endedAt !== undefined && suitesOf(run.model) === suites) earlier.push(run.model);
  }
  return [...earlier.reverse(), model].map(({ build, startedAt, hosts }) => ({
    build,
    startedAt,
    hosts: new Map(hosts.map(({ host, status, durationMs }) => [host, { status, durationMs }])),
  }));
}

/** Runs of other suites say nothing about how this one did before. */
function suitesOf({ flow }: RunModel): string {
  return JSON.stringify([...new Set(flow.map(({ suite }) => suite))].sort());
}
