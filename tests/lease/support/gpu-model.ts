/**
 * Every order of events of a few runs that want one GPU, explored to the end.
 *
 * The rules are the product's own (`decide`); the model adds the world: a record and a config for each VM, written by
 * compare-and-swap; looks that read one VM after the other while anything happens in between; writes that arrive late,
 * even after their run has crashed; runs that hold a VM without wanting the GPU. Who is dead is known at once, as on one
 * host; that a lease may also end by silence is tests/lease/model.spec.ts.
 *
 * @module
 */
import { decide, type Decision, type Standing } from '../../../fixtures/lease/gpu-protocol.ts';

export interface GpuWorld {
  /** One a VM: a run that wants the GPU, one that only holds its VM, or nobody. Their order is the order of asking. */
  readonly vms: readonly { readonly run: 'wants' | 'holds' | 'none'; readonly hasGpu: boolean }[];
  readonly places: number;
  readonly crashes: number;
  /** Faults of the protocol itself, to see that the model finds them. */
  readonly broken?: 'look first' | 'no compare-and-swap' | 'never withdraws';
}

export interface GpuExploration {
  readonly states: number;
  readonly violation: { readonly what: string; readonly events: readonly string[] } | undefined;
}

/** What of a VM is stored: its lease, the request in it, the device; every write makes a new version. */
interface Stored {
  /** The run that leases it, by its VM's index; -1 for nobody. */
  readonly lease: number;
  readonly asks: boolean;
  readonly hasGpu: boolean;
}

interface Run {
  readonly at: 'new' | 'out' | 'looking' | 'going' | 'clearing' | 'plugging' | 'works' | 'gone' | 'crashed';
  /** What the look has seen so far, VM after VM. */
  readonly seen: readonly Standing[];
  readonly asks: boolean;
  /** The VM that is being cleared: its lease is this run's. */
  readonly clears: number;
  /** A write on its way: what it makes of which VM, and whether somebody wrote since that was read. */
  readonly sent: { readonly vm: number; readonly to: Stored; readonly stale: boolean } | null;
}

interface State {
  readonly vms: readonly Stored[];
  readonly runs: readonly Run[];
  readonly crashes: number;
}

type Step = readonly [event: string, state: State];

/** Visits every reachable state, breadth first; then asks of each whether it can still come to a good end. */
export function exploreGpu(world: GpuWorld): GpuExploration {
  const first = JSON.stringify(startOf(world));
  const from = new Map<string, readonly [string, string]>([[first, ['', '']]]);
  const into = new Map<string, string[]>();
  const queue = [first];
  const ends: string[] = [];
  for (const key of queue) {
    const state = JSON.parse(key) as State;
    const what = violationOf(state, world);
    if (what !== undefined) return { states: from.size, violation: { what, events: pathTo(key, from) } };
    const isEnd = state.runs.every(({ at, sent }) => (at === 'gone' || at === 'crashed') && sent === null);
    if (isEnd) ends.push(key);
    for (const [event, next] of stepsFrom(state, world)) {
      const nextKey = JSON.stringify(next);
      // No crash may be what ends a wait.
      if (!event.endsWith('crashes')) into.set(nextKey, [...(into.get(nextKey) ?? []), key]);
      if (from.has(nextKey)) continue;
      from.set(nextKey, [key, event]);
      queue.push(nextKey);
    }
  }
  const good = new Set(ends);
  for (const key of good) for (const parent of into.get(key) ?? []) good.add(parent);
  const stuck = queue.find((key) => !good.has(key));
  const violation =
    stuck === undefined
      ? undefined
      : { what: `the runs wait for each other for ever: ${stuck}`, events: pathTo(stuck, from) };
  return { states: from.size, violation };
}

function startOf(world: GpuWorld): State {
  return {
    vms: world.vms.map(({ run, hasGpu }, vm) => ({
      lease: run === 'none' ? -1 : vm,
      asks: false,
      hasGpu,
    })),
    runs: world.vms.map(({ run }) => ({
      at: run === 'wants' ? 'out' : run === 'holds' ? 'new' : 'gone',
      seen: [],
      asks: false,
      clears: -1,
      sent: null,
    })),
    crashes: 0,
  };
}

function violationOf(state: State, world: GpuWorld): string | undefined {
  const working = state.runs.flatMap(({ at }, run) => (at === 'works' ? [run] : []));
  if (working.length > world.places) return `runs ${working.join(' and ')} have the GPU`;
  const having = state.vms.flatMap(({ hasGpu }, vm) => (hasGpu ? [vm] : []));
  const atFirst = world.vms.filter(({ hasGpu }) => hasGpu).length;
  if (having.length > Math.max(world.places, atFirst)) return `VMs ${having.join(' and ')} have the GPU`;
  const without = working.find((run) => !state.vms[run]!.hasGpu);
  if (without !== undefined) return `run ${without} works without the GPU`;
  const alone = working.length === world.places && having.length > world.places;
  return alone ? `run ${working.join()} works while VMs ${having.join()} have the GPU` : undefined;
}

function* stepsFrom(state: State, world: GpuWorld): Generator<Step> {
  for (const [index, run] of state.runs.entries()) {
    if (run.sent !== null) yield* arrives(state, index, world);
    if (run.at === 'gone' || run.at === 'crashed') continue;
    if (state.crashes < world.crashes) {
      const crashed = withRun(state, index, { at: 'crashed', seen: [], asks: false, clears: -1 });
      yield [`run ${index} crashes`, { ...crashed, crashes: state.crashes + 1 }];
    }
    if (run.sent === null) yield* acts(state, index, world);
  }
}

function* acts(state: State, index: number, world: GpuWorld): Generator<Step> {
  const run = state.runs[index]!;
  const own = state.vms[index]!;
  const name = `run ${index}`;
  if (run.at === 'new') {
    yield [`${name} gives its VM back`, send(state, index, index, { ...own, lease: -1 }, { at: 'new' })];
  } else if (run.at === 'out') {
    yield [`${name} begins to look`, withRun(state, index, { at: 'looking', seen: [] })];
  } else if (run.at === 'looking' && run.seen.length < state.vms.length) {
    const vm = run.seen.length;
    const seen = [...run.seen, standing(state, vm)];
    yield [`${name} sees VM ${vm}`, withRun(state, index, { seen })];
  } else if (run.at === 'looking') {
    yield* decides(state, index, world);
  } else if (run.at === 'clearing') {
    yield* clears(state, index);
  } else if (run.at === 'plugging') {
    // Whoever finds its request gone has lost its lease.
    if (own.lease !== index || !own.asks)
      yield [`${name} sees that it lost`, withRun(state, index, { at: 'gone' })];
    else if (own.hasGpu) yield [`${name} works`, withRun(state, index, { at: 'works' })];
    else yield [`${name} plugs`, send(state, index, index, { ...own, hasGpu: true }, {})];
  } else if (run.at === 'works') {
    const back = { ...own, asks: false, lease: -1 };
    yield [`${name} gives back`, send(state, index, index, back, { at: 'new' })];
  }
}

function* decides(state: State, index: number, world: GpuWorld): Generator<Step> {
  const run = state.runs[index]!;
  const own = state.vms[index]!;
  const name = `run ${index}`;
  const decision = verdictOf(run, index, world);
  const again = { at: 'out', seen: [] } as const;
  if (decision.verdict === 'wait') {
    if (run.asks && !decision.ask && world.broken !== 'never withdraws') {
      yield [`${name} withdraws`, send(state, index, index, { ...own, asks: false }, again)];
    } else if (decision.yield && own.hasGpu && own.lease === index) {
      yield [`${name} unplugs its own VM`, send(state, index, index, { ...own, hasGpu: false }, again)];
    } else yield [`${name} waits`, withRun(state, index, again)];
    return;
  }
  const [vm] = [...decision.forget, ...decision.unplug];
  if (!run.asks && world.broken !== 'look first') {
    yield [`${name} asks`, send(state, index, index, { ...own, asks: true }, again)];
  } else if (vm !== undefined) {
    const stored = state.vms[vm]!;
    if (isHeld(state, vm)) {
      yield [`${name}: VM ${vm} is held by now`, send(state, index, index, { ...own, asks: false }, again)];
      return;
    }
    const taken = { ...stored, lease: index, asks: false };
    const next = { at: 'clearing', clears: vm, seen: [] } as const;
    yield [`${name} takes VM ${vm} to clear it`, send(state, index, vm, taken, next)];
  } else if (run.asks) yield [`${name} goes ahead`, withRun(state, index, { at: 'plugging', seen: [] })];
  else {
    const asking = send(state, index, index, { ...own, asks: true }, { at: 'plugging', seen: [] });
    yield [`${name} asks and goes ahead`, asking];
  }
}

function verdictOf(run: Run, index: number, world: GpuWorld): Decision {
  const request = { name: 'gpu', mapping: 'gpu', slots: ['0000:01:00'], at: String(index) };
  const others = run.seen.filter(({ vmid }) => vmid !== index);
  const hasGpu = run.seen.some(({ vmid, taken }) => vmid === index && taken > 0);
  return decide({ vmid: index, request, hasGpu, places: world.places }, others);
}

function* clears(state: State, index: number): Generator<Step> {
  const vm = state.runs[index]!.clears;
  const stored = state.vms[vm]!;
  const done = { at: 'out', clears: -1 } as const;
  if (stored.lease !== index) yield [`run ${index} lost VM ${vm}`, withRun(state, index, done)];
  else if (stored.hasGpu) {
    const off = { ...stored, hasGpu: false };
    yield [`run ${index} unplugs VM ${vm}`, send(state, index, vm, off, {})];
  } else yield [`run ${index} releases VM ${vm}`, send(state, index, vm, { ...stored, lease: -1 }, done)];
}

/** What was sent reaches the file now, unless somebody wrote in between. */
function* arrives(state: State, index: number, world: GpuWorld): Generator<Step> {
  const run = state.runs[index]!;
  const { vm, to, stale } = run.sent!;
  const name = `run ${index}`;
  const isDead = run.at === 'crashed';
  if (stale && world.broken !== 'no compare-and-swap') {
    // It looks again; what it had been about to do follows from what it finds.
    const back: Partial<Run> = { sent: null, ...(isDead || run.at === 'plugging' ? {} : retry(run)) };
    yield [`${name}: write refused`, withRun(state, index, back)];
    return;
  }
  const vms = state.vms.map((stored, at) => (at === vm ? to : stored));
  const runs = state.runs.map((other, at) =>
    at !== index && other.sent?.vm === vm ? { ...other, sent: { ...other.sent, stale: true } } : other,
  );
  const isOver = run.at === 'new' && to.lease === -1;
  yield [
    `${name}: write to VM ${vm} arrives`,
    withRun({ ...state, vms, runs }, index, {
      sent: null,
      ...(isDead
        ? {}
        : { asks: vm === index ? to.asks : run.asks, ...(isOver ? { at: 'gone' as const } : {}) }),
    }),
  ];
}

function retry(run: Run): Partial<Run> {
  return run.at === 'clearing' ? { at: 'out', clears: -1 } : {};
}

/** A look at one VM: as the product sees it, with leases of crashed runs dead. */
function standing(state: State, vm: number): Standing {
  const { asks, hasGpu } = state.vms[vm]!;
  return {
    vmid: vm,
    isHeld: isHeld(state, vm),
    request: asks ? { name: 'gpu', mapping: 'gpu', slots: ['0000:01:00'], at: String(vm) } : undefined,
    taken: hasGpu ? 1 : 0,
    isRunning: true,
    isOurs: true,
  };
}

function isHeld(state: State, vm: number): boolean {
  const { lease } = state.vms[vm]!;
  return lease >= 0 && state.runs[lease]!.at !== 'crashed';
}

function send(state: State, index: number, vm: number, to: Stored, changes: Partial<Run>): State {
  return withRun(state, index, { ...changes, sent: { vm, to, stale: false } });
}

function withRun(state: State, index: number, changes: Partial<Run>): State {
  return { ...state, runs: state.runs.map((run, at) => (at === index ? { ...run, ...changes } : run)) };
}

function pathTo(key: string, from: ReadonlyMap<string, readonly [string, string]>): string[] {
  const events: string[] = [];
  for (let at = key; ;) {
    const [parent, event] = from.get(at)!;
    if (parent === '') return events.reverse();
    events.push(event);
    at = parent;
  }
}
