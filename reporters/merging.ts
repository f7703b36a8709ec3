/**
 * `merge-reports`: which of the merged reports count, and what became of them.
 *
 * @module
 */
import type { FullConfig, FullResult } from '@playwright/test/reporter';
import type { PlannedHost, RunnerStatus } from '../runs/journal.ts';
import { foldShards, isSameShard, nameOf } from '../runs/shards.ts';
import { publishedShards, type ShardFacts } from './sharding.ts';

/** The worst first, as Playwright puts the results of several reports together. */
const STATUSES: readonly RunnerStatus[] = ['failed', 'timedout', 'interrupted'];

/** The reports of one `merge-reports`. They are told one after another, each between its configuration and its end. */
export class MergedShards {
  /** Any of those that count: the whole run's plan is in each. */
  readonly first: ShardFacts | undefined;
  readonly #counted: readonly ShardFacts[];
  readonly #superseded: readonly ShardFacts[];
  /** Why the reports are not one run. */
  readonly faults: readonly string[];
  readonly #seen = new Set<string>();
  readonly #statuses: RunnerStatus[] = [];
  #isPassedOver = false;

  constructor(config: FullConfig) {
    const { counted, superseded, faults } = foldShards(publishedShards(config));
    this.#counted = counted;
    this.#superseded = superseded;
    this.faults = faults;
    this.first = counted[0];
  }

  /** True while a report is told that does not count. */
  get isPassedOver(): boolean {
    return this.#isPassedOver;
  }

  /** A report begins. Returns why it cannot be part of the run, if so. */
  begin(config: FullConfig): string | undefined {
    const [facts] = publishedShards(config);
    const isAgain = facts !== undefined && this.#seen.has(facts.id);
    this.#isPassedOver = isAgain || this.#superseded.some(({ id }) => id === facts?.id);
    if (facts !== undefined) this.#seen.add(facts.id);
    if (facts !== undefined || this.first === undefined) return undefined;
    return 'a report that is merged is of no shard: merge what --shard leaves, and nothing else';
  }

  end(result: FullResult): void {
    if (!this.#isPassedOver) this.#statuses.push(result.status);
    this.#isPassedOver = false;
  }

  /** What the runners called the run, of those that count; undefined when nothing was passed over. */
  get status(): RunnerStatus | undefined {
    if (this.#superseded.length === 0 || this.#statuses.length === 0) return undefined;
    return STATUSES.find((status) => this.#statuses.includes(status)) ?? 'passed';
  }

  /**
   * Every machine of what is merged; more than those of one run where the reports are not of one. Undefined where no report
   * is of a shard.
   */
  get scope(): readonly PlannedHost[] | undefined {
    if (this.first === undefined) return undefined;
    const hosts = new Map<string, PlannedHost>();
    for (const { scope } of this.#counted)
      for (const host of scope) if (!hosts.has(host.host)) hosts.set(host.host, host);
    return [...hosts.values()];
  }

  /** Which attempts were passed over, a line a shard. */
  get notes(): readonly string[] {
    return this.#counted.flatMap((part) => {
      const earlier = this.#superseded.filter((other) => isSameShard(other, part));
      if (earlier.length === 0) return [];
      return `${nameOf(part)} was run ${earlier.length + 1} times: the newest attempt counts`;
    });
  }

  /** Machines of shards of which there is no report, with which. */
  get missing(): readonly { readonly host: string; readonly text: string }[] {
    const { first, scope } = this;
    if (first === undefined || scope === undefined) return [];
    const numbers = new Set(this.#counted.map(({ shard }) => shard.current));
    return scope.flatMap(({ host, shard, skip }) =>
      skip !== undefined || shard === undefined || numbers.has(shard)
        ? []
        : { host, text: `the report of shard ${shard}/${first.shard.total} is missing` },
    );
  }
}
