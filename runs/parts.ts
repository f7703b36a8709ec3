/**
 * Shards and groups of one run, put together into one truth.
 *
 * The scope is the plan's: a machine whose shard or group left no evidence is UNKNOWN, never absent and never passed.
 *
 * @module
 */
import { unite } from './flow/executed.ts';
import { type HostModel, type RunState, verdictOf } from './verdict.ts';
import type { PlannedHost } from './journal.ts';
import type { RunModel } from './model.ts';
import { foldShards } from './shards.ts';
import type { RunRecord } from './store.ts';

/** What is known of a run beside its parts. */
export interface Whole {
  readonly record: Pick<
    RunRecord,
    'build' | 'run' | 'version' | 'startedAt' | 'command' | 'groups' | 'shards' | 'hosts'
  >;
  readonly runner: 'alive' | 'gone' | 'unknown';
  readonly faults: readonly string[];
  readonly now: number;
}

/** The worst news first: what one part is, the run is. */
const STATES: readonly RunState[] = ['HUNG', 'RUNNING', 'CANCELLED', 'TERMINATED', 'UNKNOWN'];

export function mergeParts(parts: readonly RunModel[], whole: Whole): RunModel {
  const { record } = whole;
  const faults = [...whole.faults, ...shardFaults(parts, record)];
  const [first] = parts;
  if (first !== undefined && parts.length === 1 && faults.length === 0 && !isPart(first, record))
    return first;
  const hosts = wholeScope(parts, whole);
  const state = stateOf(parts, hosts, { ...whole, faults });
  // Of a runner that its supervisor ended the end is known.
  const isLive = parts.some((part) => part.state === state && part.endedAt === undefined);
  const isOver = state !== 'RUNNING' && (state !== 'HUNG' || !isLive);
  const ends = parts.flatMap((part) => part.endedAt ?? []);
  const coverage = new Map(parts.flatMap((part) => part.coverage));
  if (record.shards !== undefined) coverage.set('shards', String(record.shards));
  if (record.groups.length > 0) coverage.set('categorize mode', 'enabled');
  return {
    build: record.build,
    run: record.run,
    version: record.version,
    state,
    startedAt: Math.min(record.startedAt, ...parts.map((part) => part.startedAt)),
    endedAt: isOver ? Math.max(record.startedAt, ...ends) : undefined,
    slots: parts.reduce(
      (sum, part) => (record.groups.length > 0 ? Math.max(sum, part.slots) : sum + part.slots),
      0,
    ),
    shard: undefined,
    group: undefined,
    hosts,
    othersOpen: parts.reduce((sum, part) => sum + part.othersOpen, 0),
    scope: plansOf(parts, record),
    coverage: [...coverage],
    flow: mergeFlows(parts),
    errors: parts.flatMap((part) => part.errors),
    notes: [...new Set([...parts.flatMap((part) => part.notes), ...missingNotes(hosts), ...faults])],
    command: record.command,
    url: parts.findLast((part) => part.url !== undefined)?.url,
    htmlReport: parts.length === 1 ? parts[0]?.htmlReport : undefined,
  };
}

/** Each shard has one folder, which its newest attempt took over. */
function shardFaults(parts: readonly RunModel[], { run }: Whole['record']): readonly string[] {
  const shards = parts.flatMap(({ shard, origin, startedAt }) =>
    shard === undefined ? [] : { run, shard, origin, attempt: 1, at: startedAt },
  );
  return foldShards(shards).faults;
}

function isPart(model: RunModel, record: Whole['record']): boolean {
  return model.shard !== undefined || record.groups.length > 0;
}

/** One row a planned machine, in plan order. */
function wholeScope(parts: readonly RunModel[], { record, runner }: Whole): HostModel[] {
  const known = new Map<string, HostModel>();
  for (const host of parts.flatMap((part) => part.hosts)) {
    const earlier = known.get(host.host);
    if (earlier === undefined || RANK.indexOf(host.status) < RANK.indexOf(earlier.status))
      known.set(host.host, host);
  }
  return plansOf(parts, record).map((plan) => known.get(plan.host) ?? absent(plan, record, runner));
}

/** Every planned machine. A shard's own plan knows which shard each belongs to, and stands above the record's. */
function plansOf(parts: readonly RunModel[], record: Whole['record']): PlannedHost[] {
  const ofGroups = record.groups.flatMap((group) =>
    group.hosts.map((host) => ({ host, family: group.name })),
  );
  const all = [...record.hosts, ...ofGroups, ...parts.flatMap((part) => part.scope)];
  const plans = new Map<string, PlannedHost>();
  for (const plan of all) plans.set(plan.host, { ...plans.get(plan.host), ...plan });
  return [...plans.values()];
}

/** Of two reports about one machine the worse stands; verdict.ts has the order. */
const RANK: readonly HostModel['status'][] = ['FAIL', 'UNKNOWN', 'RUN', 'WAIT', 'SKIP', 'PASS'];

function absent(plan: PlannedHost, record: Whole['record'], runner: Whole['runner']): HostModel {
  const base = {
    host: plan.host,
    family: plan.family,
    kernel: 'unknown',
    startedAt: undefined,
    endedAt: undefined,
    durationMs: undefined,
    failures: [],
    pending: plan.tests ?? 0,
    isWorking: false,
    isUnreadable: true,
    suites: [],
    tests: [],
  };
  if (plan.skip !== undefined)
    return { ...base, status: 'SKIP', detail: plan.skip, pending: 0, isUnreadable: false };
  if (plan.shard !== undefined && record.shards !== undefined) {
    const detail = `the report of shard ${plan.shard}/${record.shards} is missing`;
    return { ...base, status: 'UNKNOWN', detail };
  }
  if (runner === 'alive')
    return { ...base, status: 'WAIT', detail: 'not started', isWorking: true, isUnreadable: false };
  const group = plan.family === undefined ? 'the run' : `group ${plan.family}`;
  return { ...base, status: 'UNKNOWN', detail: `${group} left no report` };
}

function missingNotes(hosts: readonly HostModel[]): string[] {
  return [
    ...new Set(hosts.flatMap((host) => (host.detail.startsWith('the report of shard') ? host.detail : []))),
  ];
}

function stateOf(parts: readonly RunModel[], hosts: readonly HostModel[], whole: Whole): RunState {
  const isBetweenGroups = whole.runner === 'alive' && hosts.some((host) => host.status === 'WAIT');
  const worst = STATES.find((state) => parts.some((part) => part.state === state));
  if (worst !== undefined && worst !== 'UNKNOWN') return worst;
  if (isBetweenGroups) return 'RUNNING';
  const isOpen = parts.some((part) => part.state === 'UNKNOWN');
  return verdictOf({
    hosts,
    faults: isOpen ? [...whole.faults, 'the state of a part'] : whole.faults,
    errors: parts.flatMap((part) => part.errors),
    status: parts.some((part) => part.state === 'FAILED') ? 'failed' : undefined,
  });
}

function mergeFlows(parts: readonly RunModel[]): RunModel['flow'] {
  const families = new Map(parts.flatMap((part) => part.hosts.map(({ host, family }) => [host, family])));
  const all = parts.flatMap((part) =>
    part.flow.map(({ suite, steps, hosts = part.hosts.map(({ host }) => host) }) => ({
      suite,
      steps,
      hosts,
      isWhole: part.hosts.some(
        ({ host, tests }) =>
          hosts.includes(host) && tests.some((test) => test.suite === suite && test.status === 'passed'),
      ),
    })),
  );
  return unite(all, families);
}
