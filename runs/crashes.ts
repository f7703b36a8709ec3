/**
 * Runs that crashed before this one, on their way from where they are found to the NOTES of this run's summary.
 *
 * @module
 */
import type { FullConfig } from '@playwright/test/reporter';

/** Set by `vmwright run`, which clears the folder of an earlier run of the same name before the runner looks. */
const VARIABLE = 'VMWRIGHT_CRASHED';
/** Metadata is kept in blobs, and joined key by key when they are merged. */
const KEY = 'vmwright-crashed-';

/** The variable that tells a runner of crashes. */
export function crashVariable(lines: readonly string[]): Record<string, string> {
  return lines.length === 0 ? {} : { [VARIABLE]: JSON.stringify(lines) };
}

/** Makes crashes known to the other reporters, with those that `vmwright run` found. */
export function publishCrashes(
  config: FullConfig,
  lines: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): void {
  const told = JSON.parse(env[VARIABLE] ?? '[]') as string[];
  const all = [...told, ...lines];
  if (all.length > 0) config.metadata[`${KEY}${config.shard?.current ?? 'all'}`] = all;
}

/** In words, a line a run. Of all shards, when their blobs are merged. */
export function publishedCrashes(config: FullConfig): string[] {
  const entries = Object.entries(config.metadata).filter(([key]) => key.startsWith(KEY));
  return [...new Set(entries.flatMap(([, lines]) => lines as string[]))];
}
