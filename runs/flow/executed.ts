/**
 * The steps of a run by suite: what was executed, and what its specs say of the rest.
 *
 * @module
 */
import { isBookkeeping, testKey } from '../attempts.ts';
import type { PlannedFlow } from '../journal.ts';
import type { HostLog } from '../verdict.ts';
import { CONDITIONAL } from './conditional.ts';

export interface Flow {
  readonly suite: string;
  readonly steps: readonly string[];
  /** The machines that go this way, where those of one suite do not all do the same. */
  readonly hosts?: readonly string[] | undefined;
  /** What those machines are, in words: their families, else their names. */
  readonly of?: string | undefined;
}

/** A list before it is known who else goes the same way. */
export interface FlowPart {
  readonly suite: string;
  readonly steps: readonly string[];
  readonly hosts: readonly string[];
  /** One of its machines came to the end: the list is not cut short. */
  readonly isWhole: boolean;
}

/** Machines that are looked at together: those of one family for which the specs say the same. */
interface Profile {
  readonly logs: HostLog[];
  readonly planned: readonly PlannedFlow[];
}

/** The flows of all suites. A suite has several where machines of different systems do different things. */
export function flowsOf(logs: readonly HostLog[], planned: readonly PlannedFlow[]): Flow[] {
  const own = planned.filter(({ suite }) => !isBookkeeping(suite));
  const profiles = new Map<string, Profile>();
  for (const log of logs) {
    const { host, family, skip } = log.plan;
    if (skip !== undefined && log.ends.length === 0 && log.open.size === 0) continue;
    const mine = own.filter(({ hosts }) => hosts === undefined || hosts.includes(host));
    const key = JSON.stringify([family, mine.map(({ suite, steps }) => [suite, steps])]);
    const profile = profiles.get(key) ?? { logs: [], planned: mine };
    profile.logs.push(log);
    profiles.set(key, profile);
  }
  const parts = [...profiles.values()].flatMap((profile) => partsOf(profile));
  const families = new Map(logs.map(({ plan }) => [plan.host, plan.family]));
  return unite(parts, families);
}

/** Lists that are equal stand once; one that was cut short is part of one that it may yet become. */
export function unite(parts: readonly FlowPart[], families: ReadonlyMap<string, string | undefined>): Flow[] {
  const suites = [...new Set(parts.map(({ suite }) => suite))];
  return suites.flatMap((suite) => {
    const united: FlowPart[] = [];
    // What is whole, then what is longest, takes in the others.
    const ranked = parts
      .filter((part) => part.suite === suite)
      .toSorted((a, b) => Number(b.isWhole) - Number(a.isWhole) || b.steps.length - a.steps.length);
    for (const part of ranked) {
      const index = united.findIndex((other) => isSame(part, other));
      const other = united[index];
      if (other === undefined) united.push(part);
      else united[index] = { ...other, hosts: [...new Set([...other.hosts, ...part.hosts])] };
    }
    const order = parts.flatMap(({ hosts }) => hosts);
    const first = ({ hosts }: FlowPart): number => order.indexOf(hosts[0] ?? '');
    const sorted = united.toSorted((a, b) => first(a) - first(b));
    return sorted.map(({ steps, hosts }) => ({
      suite,
      steps,
      ...(sorted.length > 1 ? { hosts, of: describe(hosts, sorted, families) } : {}),
    }));
  });
}

function isSame(part: FlowPart, other: FlowPart): boolean {
  if (
    part.steps.length === other.steps.length &&
    part.steps.every((step, index) => step === other.steps[index])
  )
    return true;
  if (part.isWhole) return false;
  const isPrefix = part.steps.every((step, index) => step === other.steps[index]);
  return isPrefix || mayBecome(part.steps, other.steps);
}

/** Whether taking some of the conditional steps, and leaving out the others, makes this of it. */
function mayBecome(steps: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const step of steps) {
    const next = whole[at];
    if (next !== undefined && isStep(step, next)) at++;
    else if (!step.endsWith(CONDITIONAL)) return false;
  }
  return at === whole.length;
}

function describe(
  hosts: readonly string[],
  all: readonly FlowPart[],
  families: ReadonlyMap<string, string | undefined>,
): string {
  const names = [...new Set(hosts.map((host) => families.get(host) ?? host))];
  const isShared = all.some(
    (other) =>
      other.hosts !== hosts && other.hosts.some((host) => names.includes(families.get(host) ?? host)),
  );
  return (isShared ? hosts : names).join(', ');
}

/**
 * For each test the longest list that any machine went through. Until a machine has passed, the list may be cut short:
 * then what the specs say stands for the rest.
 */
function partsOf({ logs, planned }: Profile): FlowPart[] {
  const suites = new Map<string, Map<string, readonly string[]>>();
  const whole = new Set<string>();
  const offer = (suite: string, test: string, steps: readonly string[]): void => {
    const tests = suites.get(suite) ?? new Map<string, readonly string[]>();
    if (steps.length > (tests.get(test)?.length ?? -1)) tests.set(test, steps);
    suites.set(suite, tests);
  };
  for (const log of logs) {
    for (const end of log.ends) {
      if (end.outcome === 'skipped' || isBookkeeping(end.suite)) continue;
      offer(end.suite, testKey(end), end.steps.length > 0 ? end.steps : [end.test]);
      if (end.outcome === 'passed') whole.add(end.suite);
    }
    for (const open of log.open.values())
      if (!isBookkeeping(open.suite)) offer(open.suite, testKey(open), open.steps);
  }
  const hosts = logs.map(({ plan }) => plan.host);
  const begun = [...suites].map(([suite, tests]) => {
    const executed = [...new Set([...tests.values()].flat())];
    const plan = planned.filter((list) => list.suite === suite).flatMap(({ steps }) => steps);
    const isWhole = whole.has(suite);
    return { suite, steps: isWhole ? executed : complete(executed, plan), hosts, isWhole };
  });
  const rest = planned.filter((plan) => !suites.has(plan.suite) && plan.steps.length > 0);
  return [...begun, ...rest.map(({ suite, steps }) => ({ suite, steps, hosts, isWhole: false }))];
}

/** What was executed, in its place among what was planned. A conditional step that was passed by was not taken. */
function complete(executed: readonly string[], plan: readonly string[]): string[] {
  const steps: string[] = [];
  let at = 0;
  for (const step of executed) {
    const found = plan.findIndex((title, index) => index >= at && isStep(title, step));
    if (found >= 0) {
      steps.push(...plan.slice(at, found).filter((title) => !title.endsWith(CONDITIONAL)));
      at = found + 1;
    }
    steps.push(step);
  }
  const left = plan.slice(at).filter((title) => !executed.some((step) => isStep(title, step)));
  return [...new Set([...steps, ...left])];
}

/** Whether a planned title is that of a step. A routine's says with which inputs it was called, as soon as it was. */
function isStep(planned: string, step: string): boolean {
  const title = planned.endsWith(CONDITIONAL) ? planned.slice(0, -CONDITIONAL.length) : planned;
  if (step === title || step.startsWith(`${title} (`)) return true;
  const [start = '', ...others] = title.split('…');
  if (others.length === 0 || !step.startsWith(start)) return false;
  let at = start.length;
  for (const part of others) {
    const found = step.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return step.endsWith(others.at(-1) ?? '');
}
