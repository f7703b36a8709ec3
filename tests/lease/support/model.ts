/**
 * Every order of events of a few runs that fight for one VM, explored to the end.
 *
 * The rules are the product's own (`judge`, `isFresh`, `takenRecord`, `isSameHolding`, the notes); the model adds the
 * world: the config with its compare-and-swap, clocks of different pace, writes that arrive late or without an answer,
 * crashes, a person in the web page, a backup's lock. Reading and writing are separate steps, so that anything may happen
 * between them. Times are kept as ages, which makes the set of states finite without a limit on time.
 *
 * @module
 */
import { livenessOf } from '../../../fixtures/lease/identity.ts';
import {
  askedRecord,
  GRACE_MS,
  isFresh,
  isSameHolding,
  judge,
  mayTake,
  SILENCE_MS,
  takenRecord,
  VALID_MS,
} from '../../../fixtures/lease/protocol.ts';
import {
  type LeaseRecord,
  type Marker,
  type Notes,
  parseNotes,
  RECORD_VERSION,
  renderNotes,
} from '../../../fixtures/lease/record.ts';
import { hostOf, runOf } from './lease.ts';

export interface World {
  /** One a run: its host, the pace of its clock, and whether it holds as the form of record before this one says. */
  readonly runs: readonly { readonly host: string; readonly pace: number; readonly isOld?: boolean }[];
  /** How often each run may take the VM, and write while it has it. */
  readonly takes: number;
  readonly renewals: number;
  /** How often all of them together may ask who has it. */
  readonly questions: number;
  /** How often a person adds a note, breaks the lease's line, and a backup locks the VM; how many runs crash. */
  readonly edits: number;
  readonly mangles: number;
  readonly locks: number;
  readonly crashes: number;
  /** How many ticks an action may be on its way after it was allowed. */
  readonly flight: number;
  /** Faults of the protocol itself, to see that the model finds them. */
  readonly broken?:
    | 'no compare-and-swap'
    | 'impatient'
    | 'dead by silence'
    | 'a question left open renews'
    | 'expires unasked';
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** The first violation, with the events that lead to it. */
  readonly violation: { readonly what: string; readonly events: readonly string[] } | undefined;
}

/** One step of time. Milliseconds. */
const TICK_MS = 60_000;
const NOW = 1_000_000_000;

interface Run {
  readonly at: 'idle' | 'asking' | 'taking' | 'holding' | 'renewing' | 'releasing' | 'gone' | 'crashed';
  /** What is on its way to the notes, and whether somebody wrote since they were read. */
  readonly text: string;
  readonly stale: boolean;
  readonly sentAge: number;
  /** Since the renewal that is in force was sent; -1 without one. */
  readonly age: number;
  readonly record: LeaseRecord | null;
  /** Ages since it was first seen, and since a write showed that the holder could write; -1 before. */
  readonly watch: { readonly text: string; readonly age: number; readonly writable: number } | null;
  /** Ticks since an allowed action was sent; -1 without one. */
  readonly acting: number;
  readonly takes: number;
  readonly renewals: number;
}

interface State {
  readonly notes: string;
  readonly locked: boolean;
  readonly questions: number;
  readonly written: number;
  readonly mangles: number;
  readonly locks: number;
  readonly crashes: number;
  readonly runs: readonly Run[];
}

type Step = readonly [event: string, state: State];

/** Visits every reachable state, breadth first. */
export function explore(world: World): Exploration {
  const start: State = {
    notes: '',
    locked: false,
    questions: 0,
    written: 0,
    mangles: 0,
    locks: 0,
    crashes: 0,
    runs: world.runs.map(() => ({
      at: 'idle',
      text: '',
      stale: false,
      sentAge: 0,
      age: -1,
      record: null,
      watch: null,
      acting: -1,
      takes: 0,
      renewals: 0,
    })),
  };
  const from = new Map<string, readonly [parent: string, event: string]>();
  const first = JSON.stringify(start);
  from.set(first, ['', '']);
  const queue: string[] = [first];
  let transitions = 0;
  for (let index = 0; index < queue.length; index++) {
    const key = queue[index]!;
    queue[index] = '';
    const state = JSON.parse(key) as State;
    const what = violationOf(state, world, from.get(key)![1]);
    if (what !== undefined)
      return { states: from.size, transitions, violation: { what, events: pathTo(key, from) } };
    for (const [event, next] of stepsFrom(state, world)) {
      transitions++;
      const nextKey = JSON.stringify(next);
      if (from.has(nextKey)) continue;
      from.set(nextKey, [key, event]);
      queue.push(nextKey);
    }
  }
  return { states: from.size, transitions, violation: undefined };
}

/** The same few texts are parsed again and again. */
const known = new Map<string, Notes>();

function parsed(text: string): Notes {
  const found = known.get(text) ?? parseNotes(text, 101);
  known.set(text, found);
  return found;
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

function violationOf(state: State, world: World, event: string): string | undefined {
  const owners = state.runs.flatMap((run, index) => (mayAct(run) || run.acting >= 0 ? [index] : []));
  if (owners.length > 1) return `two owners: runs ${owners.join(' and ')}`;
  const words = Array.from({ length: state.written }, (_, index) => `note ${index}`).join('\n');
  const { human } = parsed(state.notes);
  if (human !== words) return `the notes are ${JSON.stringify(human)}`;
  // What follows a crash leads on from the state right after it.
  return event.includes('crashes') ? isStuck(state, world) : undefined;
}

/** With every other run dead or gone, the last one gets the VM, whatever state the others left it in. */
function isStuck(state: State, world: World): string | undefined {
  const left = state.runs.flatMap((run, index) => (run.at === 'gone' || run.at === 'crashed' ? [] : [index]));
  const [survivor] = left;
  if (left.length !== 1 || survivor === undefined) return undefined;
  // What it does not know it leaves alone, by design.
  if (world.runs[survivor]!.isOld === true) return undefined;
  let now: State = { ...state, locked: false };
  // Its own budget counts no more.
  now = { ...withRun(now, survivor, { takes: -1000, renewals: -1000 }), questions: -1000 };
  for (let tick = 0; tick < 20; tick++) {
    for (let step = 0; step < 4; step++) {
      const run = now.runs[survivor]!;
      if (mayAct(run) || run.at === 'gone') return undefined;
      const steps = [...ownSteps(now, survivor, world)];
      const next =
        steps.find(([event]) => event.includes('looks to ask')) ??
        steps.find(([event]) => /looks|reads|sees|write/.test(event));
      if (next === undefined) break;
      now = next[1];
    }
    now = afterTick(now, world);
  }
  return `run ${survivor} is alone and does not get the VM`;
}

function mayAct(run: Run): boolean {
  const holds = run.at === 'holding' || run.at === 'renewing';
  return holds && run.age >= 0 && isFresh(0, run.age);
}

function* stepsFrom(state: State, world: World): Generator<Step> {
  for (const index of state.runs.keys()) yield* ownSteps(state, index, world);
  if (state.runs.every((run) => run.acting < world.flight))
    yield ['a minute passes', afterTick(state, world)];
  if (state.written < world.edits && !state.locked) {
    const { human } = parsed(state.notes);
    const note = `note ${state.written}`;
    const added =
      human === '' ? `${note}\n\n${state.notes}` : state.notes.replace(human, `${human}\n${note}`);
    yield ['a person adds a note', { ...written(state, added), written: state.written + 1 }];
  }
  if (state.mangles < world.mangles && !state.locked && state.notes.includes('"beat":')) {
    const notes = state.notes.replace('"beat":', '"beat');
    yield ['a person breaks the lease', { ...written(state, notes), mangles: state.mangles + 1 }];
  }
  if (state.locked) yield ['the backup ends', { ...written(state, state.notes), locked: false }];
  else if (state.locks < world.locks) {
    yield ['a backup begins', { ...written(state, state.notes), locked: true, locks: state.locks + 1 }];
  }
}

function* ownSteps(state: State, index: number, world: World): Generator<Step> {
  const run = state.runs[index]!;
  if (run.at === 'crashed' || run.at === 'gone') return;
  const name = `run ${index}`;
  if (state.crashes < world.crashes) {
    const crashed = withRun(state, index, { at: 'crashed', acting: -1, text: '', watch: null, age: -1 });
    yield [`${name} crashes`, { ...crashed, crashes: state.crashes + 1 }];
  }
  if (run.acting >= 0) yield [`${name}: action done`, withRun(state, index, { acting: -1 })];
  else if (mayAct(run) && world.flight > 0) yield [`${name}: acts`, withRun(state, index, { acting: 0 })];
  if (run.at === 'idle') yield* looks(state, index, world);
  if (run.at === 'holding') yield* renews(state, index, world);
  if (run.text !== '' || run.at === 'releasing') yield* arrives(state, index, world);
}

function* looks(state: State, index: number, world: World): Generator<Step> {
  const run = state.runs[index]!;
  const self = identityOf(world, index);
  if (run.takes >= world.takes) return;
  const notes = parsed(state.notes);
  const judged = judge({
    marker: world.broken === 'expires unasked' ? asIfAsked(notes.marker) : seenBy(world, index, notes.marker),
    locked: state.locked,
    run: self.run,
    livenessOf: (record) =>
      world.broken === 'dead by silence' ? 'dead' : livenessOf(record, viewOf(state, world, index)),
    isSiblingAtWork: () => false,
    watch:
      run.watch === null
        ? undefined
        : {
            text: run.watch.text,
            since: NOW - run.watch.age,
            ...(run.watch.writable < 0 ? {} : { writableAt: NOW - run.watch.writable }),
          },
    now: world.broken === 'impatient' ? NOW + SILENCE_MS / 2 + TICK_MS : NOW,
  });
  const watch =
    judged.watch === undefined
      ? null
      : {
          text: judged.watch.text,
          age: NOW - Math.min(judged.watch.since, NOW),
          writable: judged.watch.writableAt === undefined ? -1 : NOW - judged.watch.writableAt,
        };
  // Notes that are written as they are change nothing, also when they arrive late: the digest is one of the contents.
  if (judged.verdict === 'silent' && watch !== null && !state.locked)
    yield [`run ${index} looks and could write`, withRun(state, index, { watch: { ...watch, writable: 0 } })];
  if (!mayTake(judged.verdict)) {
    yield [`run ${index} looks and waits`, withRun(state, index, { watch })];
    if (judged.askable === undefined || state.questions >= world.questions) return;
    const asked = askedRecord(judged.askable, self.run, new Date(state.questions));
    const asking = withRun(state, index, {
      at: 'asking',
      text: renderNotes(notes.human, asked),
      stale: false,
      sentAge: 0,
      watch: null,
    });
    yield [`run ${index} looks to ask`, { ...asking, questions: state.questions + 1 }];
    return;
  }
  const v: LeaseRecord['v'] = world.runs[index]!.isOld === true ? 1 : RECORD_VERSION;
  const record = { ...takenRecord(notes, 101, self, new Date(run.takes)), v };
  yield [
    `run ${index} looks: ${judged.verdict}`,
    withRun(state, index, {
      at: 'taking',
      text: renderNotes(notes.human, record),
      record,
      stale: false,
      sentAge: 0,
      watch: null,
      takes: run.takes + 1,
    }),
  ];
}

/** A vmwright of the form before this one knows no later record. */
function seenBy(world: World, index: number, marker: Marker | undefined): Marker | undefined {
  const isOld = world.runs[index]!.isOld === true;
  if (!isOld || typeof marker?.record !== 'object' || marker.record.v !== RECORD_VERSION) return marker;
  return { ...marker, record: 'newer' };
}

/** For a protocol that expires without having asked. */
function asIfAsked(marker: Marker | undefined): Marker | undefined {
  if (typeof marker?.record !== 'object') return marker;
  return { ...marker, record: askedRecord(marker.record, 'somebody', new Date(0)) };
}

function* renews(state: State, index: number, world: World): Generator<Step> {
  const run = state.runs[index]!;
  const notes = parsed(state.notes);
  const seen = notes.marker?.record;
  if (run.record === null || !isSameHolding(notes, run.record) || typeof seen !== 'object') {
    yield [`run ${index} sees that it lost`, withRun(state, index, { at: 'idle', age: -1, record: null })];
    return;
  }
  const isOld = world.runs[index]!.isOld === true;
  const isAsked = seen.ask !== undefined && !isOld;
  if (!isOld && (!isAsked || world.broken === 'a question left open renews'))
    yield [`run ${index} reads its own record`, withRun(state, index, { age: 0 })];
  if ((isAsked || run.renewals < world.renewals) && !state.locked) {
    const record = { ...run.record, beat: seen.beat + 1 };
    yield [
      `run ${index} looks to ${isAsked ? 'answer' : 'write'}`,
      withRun(state, index, {
        at: 'renewing',
        text: renderNotes(notes.human, record),
        stale: false,
        sentAge: 0,
        renewals: run.renewals + (isAsked ? 0 : 1),
      }),
    ];
  }
  if (!state.locked) {
    yield [
      `run ${index} looks to release`,
      withRun(state, index, {
        at: 'releasing',
        text: renderNotes(notes.human, undefined),
        stale: false,
        sentAge: 0,
        // From here on it acts no more, and renews no more, whether the release arrives or not.
        age: -1,
        acting: -1,
        renewals: world.renewals,
      }),
    ];
  }
}

/** What was sent reaches the config, now or later; the answer may be lost. */
function* arrives(state: State, index: number, world: World): Generator<Step> {
  const run = state.runs[index]!;
  const fails = state.locked || (run.stale && world.broken !== 'no compare-and-swap');
  const back: Partial<Run> =
    run.at === 'taking'
      ? { at: 'idle', record: null, text: '' }
      : { at: run.at === 'asking' ? 'idle' : 'holding', text: '' };
  if (fails) {
    yield [`run ${index}: write refused`, withRun(state, index, back)];
    return;
  }
  const after = written(state, run.text);
  const done: Partial<Run> =
    run.at === 'releasing'
      ? { at: 'gone', text: '', age: -1, record: null, acting: -1 }
      : run.at === 'asking'
        ? back
        : { at: 'holding', text: '', age: run.sentAge };
  yield [`run ${index}: write arrives`, withRun(after, index, done)];
  yield [`run ${index}: write goes through, its answer is lost`, withRun(after, index, back)];
}

function afterTick(state: State, world: World): State {
  // Beyond its limit an age means the same, however great it is.
  const older = (age: number, pace: number, limit = VALID_MS): number =>
    age < 0 ? age : Math.min(age + TICK_MS * pace, limit);
  return {
    ...state,
    runs: state.runs.map((run, index) => {
      const { pace } = world.runs[index]!;
      if (run.at === 'crashed' || run.at === 'gone') return run;
      return {
        ...run,
        age: older(run.age, pace),
        sentAge: run.text === '' ? 0 : older(run.sentAge, pace),
        acting: run.acting < 0 ? -1 : run.acting + 1,
        watch:
          run.watch === null
            ? null
            : {
                ...run.watch,
                age: older(run.watch.age, pace, SILENCE_MS),
                writable: older(run.watch.writable, pace, GRACE_MS),
              },
      };
    }),
  };
}

/** New contents: whoever had read the old ones can no longer write. */
function written(state: State, notes: string): State {
  return {
    ...state,
    notes: notes.replace(/\n+$/, ''),
    runs: state.runs.map((run) =>
      run.text === '' && run.at !== 'releasing' ? run : { ...run, stale: true },
    ),
  };
}

function withRun(state: State, index: number, changes: Partial<Run>): State {
  return { ...state, runs: state.runs.map((run, at) => (at === index ? { ...run, ...changes } : run)) };
}

function identityOf(world: World, index: number): ReturnType<typeof runOf> {
  const { host } = world.runs[index]!;
  const process = { pid: 100 + index, start: 1000 };
  return runOf(`r${index}`, { host, boot: host, runner: process, worker: process });
}

function viewOf(state: State, world: World, index: number): ReturnType<typeof hostOf> {
  const { host } = world.runs[index]!;
  const alive = state.runs.flatMap((run, at) =>
    world.runs[at]!.host === host && run.at !== 'crashed' ? [[100 + at, 1000] as const] : [],
  );
  return hostOf(Object.fromEntries(alive), { host, boot: host });
}
