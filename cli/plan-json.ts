/**
 * `vmwright plan --json`: the plan for programs.
 *
 * @module
 */
import { type Plan, planHash } from './plan.ts';

/** Raised when a key changes its meaning or goes away. */
const SCHEMA_VERSION = 1;

/**
 * The plan with its approval, and for a plan of all machines `jobs`, a matrix for CI: `playwright test --shard=<shard>` in
 * as many jobs as there are machines gives each job its machine (reporters/sharding.ts), and merging their blobs misses
 * none. What the matrix leaves out has no job; it stands in the merged summary with its reason.
 *
 * @param isWhole whether the plan is of all machines, as a sharded run is
 */
export function planJson(plan: Plan, isWhole: boolean): string {
  const approval = planHash(plan);
  const document = {
    schemaVersion: SCHEMA_VERSION,
    ...plan,
    approval,
    ...(isWhole ? { jobs: jobsOf(plan) } : {}),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function jobsOf(plan: Plan): { machine: string; shard: string }[] {
  const machines = plan.hosts.filter(({ skip }) => skip === undefined);
  return machines.map(({ host }, index) => ({ machine: host, shard: `${index + 1}/${machines.length}` }));
}
