/**
 * The guest's own clock: a rollback with RAM puts it back to the snapshot's time, and nothing but the guest sets it.
 *
 * @module
 */
export class GuestClock {
  #offset = 0;

  /** Milliseconds since 1970, as the guest believes. */
  now(): number {
    return Date.now() + this.#offset;
  }

  set(now: number): void {
    this.#offset = now - Date.now();
  }

  /** What the hardware clock tells a machine that boots. */
  reset(): void {
    this.#offset = 0;
  }
}
