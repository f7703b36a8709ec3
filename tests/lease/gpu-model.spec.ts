/**
 * The rules by which VMs take turns with a GPU, checked in every reachable state of small worlds. Bounds: two runs that want
 * it, or three with VMWRIGHT_MODEL=large; one bystander or an idle VM; one or two places; one crash (two with
 * VMWRIGHT_MODEL=large); each run has it once; order and delay of steps are not bounded.
 *
 * Checked in each state: no more runs work with the GPU than there are places; no more VMs have it in their config; whoever
 * works has it. And from each state an end can be reached, without a further
 * crash, where every run that did not crash has had it or lost its lease.
 */
import { expect, test } from '@playwright/test';
import { exploreGpu, type GpuWorld } from './support/gpu-model.ts';

const WANTS = { run: 'wants', hasGpu: false } as const;
const IDLE = { run: 'none', hasGpu: true } as const;
const WORKS_WITH_IT = { run: 'holds', hasGpu: true } as const;
const IS_LARGE = process.env.VMWRIGHT_MODEL === 'large';
const BASE: GpuWorld = { vms: [WANTS, WANTS], places: 1, crashes: IS_LARGE ? 2 : 1 };

const WORLDS: Readonly<Record<string, GpuWorld>> = {
  'two runs': BASE,
  'two runs, the GPU idle in a third VM': { ...BASE, vms: [WANTS, WANTS, IDLE] },
  'a run, and the GPU where another works without wanting it': { ...BASE, vms: [WANTS, WORKS_WITH_IT] },
  'two runs, one has it': { ...BASE, vms: [WANTS, { ...WANTS, hasGpu: true }] },
  'two runs that both have it': {
    ...BASE,
    vms: [
      { ...WANTS, hasGpu: true },
      { ...WANTS, hasGpu: true },
    ],
  },
  'a pool of two, both idle elsewhere': { ...BASE, vms: [WANTS, WANTS, IDLE, IDLE], places: 2 },
  ...(IS_LARGE
    ? {
        'three runs': { ...BASE, vms: [WANTS, WANTS, WANTS], crashes: 0 },
        'three runs and a pool of two': { ...BASE, vms: [WANTS, WANTS, WANTS], places: 2, crashes: 0 },
      }
    : {}),
};

for (const [name, world] of Object.entries(WORLDS)) {
  test(`never two with the GPU, and never for ever without: ${name}`, ({}, info) => {
    info.setTimeout(IS_LARGE ? 1_800_000 : 60_000);
    const { states, violation } = exploreGpu(world);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(50);
    info.annotations.push({ type: 'explored', description: `${states} states` });
  });
}

const BROKEN: readonly [NonNullable<GpuWorld['broken']>, Partial<GpuWorld>, RegExp][] = [
  ['look first', {}, /have the GPU/],
  ['no compare-and-swap', { vms: [WANTS, WANTS, IDLE] }, /have the GPU|without the GPU/],
  ['never withdraws', { vms: [WANTS, WANTS, IDLE] }, /for ever|have the GPU/],
];

for (const [broken, changes, expected] of BROKEN) {
  test(`the model finds a broken protocol: ${broken}`, () => {
    const { violation } = exploreGpu({ ...BASE, ...changes, broken });
    expect(violation?.what).toMatch(expected);
  });
}
