/**
 * Whole machines to shards: `--shard=2/3` never splits a VM over two jobs.
 *
 * @module
 */
import type { FullConfig, Suite, TestRun } from '@playwright/test/reporter';
import type { PlannedHost, Shard } from '../runs/journal.ts';

/** What a shard leaves in its report's metadata, so that merged reports know the plan of the whole run. */
export interface ShardFacts {
  readonly run: string;
  readonly build: string;
  readonly shard: Shard;
  /** Every machine of the whole run with its shard. */
  readonly scope: readonly PlannedHost[];
  readonly command: string;
}

const KEY = 'vmwright-shard-';

/**
 * The shard of each unit, from 1: the heaviest first, each to the shard with least to do. With a shard for each unit that
 * weighs anything, the n-th of them has the n-th shard. Depends on nothing but its arguments, so that all shards come to
 * the same answer.
 */
export function assignShards(
  units: readonly { readonly name: string; readonly weight: number }[],
  total: number,
): Map<string, number> {
  const load = Array.from({ length: total }, () => 0);
  const hasOneEach = units.filter(({ weight }) => weight > 0).length <= total;
  const rank = ({ weight }: { weight: number }): number => (hasOneEach ? Number(weight > 0) : weight);
  const heaviestFirst = units
    .map((unit, index) => ({ ...unit, index }))
    .sort((a, b) => rank(b) - rank(a) || a.index - b.index);
  return new Map(
    heaviestFirst.map(({ name, weight }) => {
      const lightest = load.indexOf(Math.min(...load));
      load[lightest] = (load[lightest] ?? 0) + weight;
      return [name, lightest + 1];
    }),
  );
}

/** Takes sharding over from Playwright: excludes each project of another shard as a whole. Returns each project's shard. */
export function shardByProject(suite: Suite, shard: Shard, testRun: TestRun): Map<string, number> {
  testRun.skipSharding();
  const units = suite.suites.map((project) => ({
    name: project.title,
    weight: isLeftOut(project) ? 0 : weightOf(project),
  }));
  const shards = assignShards(units, shard.total);
  for (const project of [...suite.suites]) {
    if (shards.get(project.title) === shard.current) continue;
    // Set-up and teardown projects always run in full and cannot be excluded.
    if (suite.suites.some((other) => dependsOn(other, project))) continue;
    testRun.exclude(project);
  }
  return shards;
}

/** Milliseconds at most; a test without a time-out counts as next to nothing. */
function weightOf(project: Suite): number {
  return project.allTests().reduce((sum, test) => sum + Math.max(1, test.timeout), 0);
}

/** A machine that the matrix leaves out is reported and takes no time. */
function isLeftOut(project: Suite): boolean {
  const facts = project.project()?.metadata.vmwright as { skip?: string } | undefined;
  return facts?.skip !== undefined;
}

function dependsOn(project: Suite, other: Suite): boolean {
  const config = project.project();
  return config?.dependencies.includes(other.title) === true || config?.teardown === other.title;
}

/** Leaves the plan in the metadata of the run, which blob reports keep and merging puts together key by key. */
export function publishShard(config: FullConfig, facts: ShardFacts): void {
  config.metadata[`${KEY}${facts.shard.current}`] = facts;
}

/** The shards whose reports were merged; empty for anything else. */
export function publishedShards(config: FullConfig): ShardFacts[] {
  return Object.entries(config.metadata)
    .filter(([key]) => key.startsWith(KEY))
    .map(([, facts]) => facts as ShardFacts)
    .sort((a, b) => a.shard.current - b.shard.current);
}
