import type { EngineClock } from '../../../fixtures/proxmox/engine.ts';

export interface FakeClock extends EngineClock {
  /** Every pause that was asked for, in milliseconds. */
  readonly pauses: number[];
  advance(ms: number): void;
}

/**
 * Time that passes only when someone sleeps or a test says so. With `real` a pause takes so many real milliseconds, for
 * guests of the lab, which take real time to start and to end.
 */
export function fakeClock({ real }: { readonly real?: number } = {}): FakeClock {
  let now = 0;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: (ms) => {
      pauses.push(ms);
      now += ms;
      return new Promise((done) => (real === undefined ? setImmediate(done) : setTimeout(done, real)));
    },
  };
}
