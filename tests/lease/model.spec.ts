/**
 * The lease's rules, checked in every reachable state of small worlds. Bounds: two or three runs on one or two hosts,
 * each taking the VM and writing once (with VMWRIGHT_MODEL=large up to twice), reading as often as it likes; one or two questions; a note by a person, one edit that breaks
 * the lease, one backup's lock, two crashes; clocks whose pace differs by the factor 16/9; time is not bounded. That a
 * person takes the whole lease out of the notes is left out: that is how a person sets a VM free.
 *
 * Checked in each state: at most one run may act (or has an allowed action on its way); every note is there; a run whose
 * rivals are all dead or gone gets the VM.
 */
import { expect, test } from '@playwright/test';
import { explore, type World } from './support/model.ts';

const HERE = { host: 'a', pace: 1 };
const THERE = { host: 'b', pace: 1 };
/** Twice as many takes and renewals: hundreds of thousands of states more, for a run by hand. */
const MORE = process.env.VMWRIGHT_MODEL === 'large' ? 2 : 1;
const BASE: World = {
  runs: [HERE, THERE],
  takes: MORE,
  renewals: MORE,
  questions: MORE,
  edits: 1,
  mangles: 0,
  locks: 0,
  crashes: 1,
  flight: 1,
};

const WORLDS: Readonly<Record<string, World>> = {
  'two runs of one host': { ...BASE, runs: [HERE, HERE], crashes: 2, mangles: 1, renewals: 1 },
  'two hosts': BASE,
  'two hosts and a backup': { ...BASE, takes: 1, renewals: 1, locks: 1 },
  'two hosts and a broken lease': { ...BASE, takes: 1, renewals: 1, mangles: 1 },
  'two hosts, the slow clock holds': {
    ...BASE,
    runs: [
      { host: 'a', pace: 3 / 4 },
      { host: 'b', pace: 4 / 3 },
    ],
    flight: 0,
  },
  'two hosts, one with the form of record before this one': {
    ...BASE,
    runs: [{ ...HERE, isOld: true }, THERE],
  },
  'three runs on two hosts': {
    ...BASE,
    runs: [HERE, HERE, THERE],
    takes: 1,
    renewals: MORE - 1,
    edits: 0,
    crashes: 2,
  },
};

for (const [name, world] of Object.entries(WORLDS)) {
  test(`never two owners, no lost note, progress after a crash: ${name}`, ({}, info) => {
    const { states, transitions, violation } = explore(world);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(1000);
    info.annotations.push({ type: 'explored', description: `${states} states, ${transitions} transitions` });
  });
}

const BROKEN: readonly [NonNullable<World['broken']>, Partial<World>, RegExp][] = [
  ['no compare-and-swap', {}, /two owners|notes/],
  ['impatient', {}, /two owners/],
  ['dead by silence', {}, /two owners/],
  ['a question left open renews', {}, /two owners/],
  ['expires unasked', {}, /two owners/],
];

for (const [broken, changes, expected] of BROKEN) {
  test(`the model finds a broken protocol: ${broken}`, () => {
    const { violation } = explore({ ...BASE, ...changes, broken });
    expect(violation?.what).toMatch(expected);
  });
}
