/**
 * Whole machines to shards: `--shard=2/3` never splits a VM over two jobs.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { relative, sep } from 'node:path';
import type { FullConfig, FullProject, Suite, TestRun } from '@playwright/test/reporter';
import { ciCommit } from '../fixtures/config/ci.ts';
import { OPTION_PREFIX } from '../fixtures/config/suites.ts';
import type { Origin, PlannedHost, Shard } from '../runs/journal.ts';
import type { ShardPart } from '../runs/shards.ts';
import { VERSION } from '../runs/version.ts';

/** What a shard leaves in its report's metadata, so that merged reports know the plan of the whole run. */
export interface ShardFacts extends ShardPart {
  /** Of this one report: a shard that is run again leaves another. */
  readonly id: string;
  readonly build: string;
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

/** What all shards of a run have in common. `suite` holds the tests of the whole run, before others' are excluded. */
export function originOf(
  config: FullConfig,
  suite: Suite,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Origin {
  const commit = ciCommit(env) ?? checkedOut(config.rootDir);
  const projects = suite.suites.map((project) => project.project());
  const tests = suite.allTests().map((test) => {
    const file = relative(config.rootDir, test.location.file).replaceAll(sep, '/');
    return [test.parent.project()?.name, file, test.titlePath().slice(3), test.repeatEachIndex];
  });
  const options = Object.entries(env).filter(([name]) => name.startsWith(OPTION_PREFIX));
  return {
    ...(commit === undefined ? {} : { commit }),
    config: {
      machines: hashOf(projects.map(machineOf)),
      tests: hashOf(tests),
      'options of the suite': hashOf(options),
      retries: hashOf([...projects.map((project) => project?.retries), config.failOnFlakyTests]),
      'version of vmwright': VERSION,
    },
  };
}

/** Its row, and what the config says of it. */
function machineOf(project: FullProject | undefined): unknown {
  const { machine } = (project?.use ?? {}) as { machine?: unknown };
  return { name: project?.name, facts: project?.metadata.vmwright as unknown, machine };
}

/** Of a list, whatever its order. */
function hashOf(items: readonly unknown[]): string {
  const sorted = items.map((item) => JSON.stringify(item)).sort();
  return createHash('sha256').update(sorted.join('\n')).digest('hex').slice(0, 12);
}

/** The commit that is checked out where the tests are; undefined outside of any repository. */
function checkedOut(folder: string): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', '--verify', 'HEAD'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

/** Leaves the plan in the metadata of the run, which blob reports keep and merging puts together key by key. */
export function publishShard(config: FullConfig, facts: Omit<ShardFacts, 'id'>): void {
  const id = randomUUID();
  config.metadata[`${KEY}${facts.shard.current}-${id}`] = { ...facts, id } satisfies ShardFacts;
}

/** The shards whose reports were merged, each attempt at one; empty for anything else. */
export function publishedShards(config: FullConfig): ShardFacts[] {
  return Object.entries(config.metadata)
    .filter(([key]) => key.startsWith(KEY))
    .map(([key, facts]) => ({ id: key, attempt: 1, at: 0, ...(facts as Partial<ShardFacts>) }) as ShardFacts);
}
