/**
 * A clock that passes as fast as the event loop turns, and notes who slept how long.
 *
 * @module
 */
import type { Clock } from '../../../fixtures/vnc/rfb/clock.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time stands still until {@link advance}, or, when `running`, jumps to the next sleeper at each event-loop turn. */
export class TestClock implements Clock {
  readonly slept: number[] = [];
  #now = 0;
  #sleepers: Sleeper[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(ms);
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: () => done() };
      const abort = () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        reject(signal?.reason as Error);
      };
      const done = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      if (signal?.aborted) {
        abort();
        return;
      }
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Lets `ms` pass in steps small enough for every loop to have its turns. */
  async advance(ms: number, step = 50): Promise<void> {
    const end = this.#now + ms;
    while (this.#now < end) {
      this.#now = Math.min(end, this.#now + step);
      const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now).sort((a, b) => a.at - b.at);
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now);
      for (const sleeper of due) sleeper.wake();
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time pass until `promise` settles. */
  async until<T>(promise: Promise<T>, step = 50): Promise<T> {
    const state = { settled: false };
    promise.then(
      () => (state.settled = true),
      () => (state.settled = true),
    );
    await new Promise((resolve) => setImmediate(resolve));
    while (!state.settled) await this.advance(step, step);
    return promise;
  }
}
