/**
 * Which reports of shards make one run: all of one run, cut, configuration and commit, and of each shard its newest
 * attempt. Only what ran the same is an attempt at the same: a report of other tests, machines or another commit takes
 * the place of none.
 *
 * @module
 */
import type { Origin, Shard } from './journal.ts';

/** What a shard says of itself. */
export interface ShardPart {
  readonly run: string;
  readonly shard: Shard;
  /** The how manieth attempt at the run, from 1. */
  readonly attempt: number;
  /** When it began, milliseconds since the epoch: the later of two that CI counts as one attempt is the newer. */
  readonly at: number;
  readonly origin?: Origin | undefined;
}

export interface FoldedShards<T extends ShardPart> {
  /** In the order of their numbers. */
  readonly counted: readonly T[];
  /** Earlier attempts at shards that were run again: nothing in them counts. */
  readonly superseded: readonly T[];
  /** Why they are not one run, and what to do; empty when they are. */
  readonly faults: readonly string[];
}

export function foldShards<T extends ShardPart>(parts: readonly T[]): FoldedShards<T> {
  const newest = new Map<string, T>();
  for (const part of parts) {
    const key = keyOf(part);
    const known = newest.get(key);
    if (known === undefined || isNewer(part, known)) newest.set(key, part);
  }
  const counted = [...newest.values()].sort((a, b) => a.shard.current - b.shard.current);
  const superseded = parts.filter((part) => !counted.includes(part));
  const [first, ...others] = counted;
  const faults =
    first === undefined
      ? []
      : others.flatMap((other) => differences(first, other).map((text) => `${nameOf(other)} ${text}`));
  return { counted, superseded, faults };
}

/** What two reports have in common of which the later replaces the earlier. */
function keyOf({ run, shard, origin }: ShardPart): string {
  const config = Object.entries(origin?.config ?? {}).sort();
  return JSON.stringify([run, shard.current, shard.total, origin?.commit, config]);
}

/** Whether the later of the two replaces the earlier. */
export function isSameShard(one: ShardPart, other: ShardPart): boolean {
  return keyOf(one) === keyOf(other);
}

/** `shard 2/3`. */
export function nameOf({ shard }: Pick<ShardPart, 'shard'>): string {
  return `shard ${shard.current}/${shard.total}`;
}

function isNewer(part: ShardPart, known: ShardPart): boolean {
  return part.attempt === known.attempt ? part.at > known.at : part.attempt > known.attempt;
}

/** Why two reports are not of one run, with what to set. */
function differences(first: ShardPart, other: ShardPart): string[] {
  const than = nameOf(first);
  if (other.run !== first.run)
    return [
      `belongs to another run than ${than} (${other.run}, not ${first.run}): set VMWRIGHT_RUN_ID to one value in all ` +
        'shards of a run and run them again; GitHub, GitLab, Jenkins, Buildkite, Azure and CircleCI set it',
    ];
  const config = [
    ...new Set([...Object.keys(first.origin?.config ?? {}), ...Object.keys(other.origin?.config ?? {})]),
  ].filter((name) => first.origin?.config[name] !== other.origin?.config[name]);
  const { commit: own } = first.origin ?? {};
  const { commit } = other.origin ?? {};
  return [
    ...(other.shard.total === first.shard.total
      ? []
      : [
          `is of a run in ${other.shard.total} shards, ${than} of one in ${first.shard.total}: give all one total`,
        ]),
    ...(commit === own
      ? []
      : [
          `is of commit ${commit ?? 'unknown'}, ${than} of ${own ?? 'unknown'}: run all shards on one commit`,
        ]),
    ...config.map((name) => `has other ${name} than ${than}: run all shards with one configuration`),
  ];
}
