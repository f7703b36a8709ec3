/**
 * QEMU's key queue: 10 ms an event, and what does not fit is dropped without a word.
 *
 * @module
 */

/** QEMU inserts a delay after each event. Milliseconds. */
const DELAY_MS = 10;
/** 1024 slots, three an event. */
const CAPACITY = Math.floor(1024 / 3);

export class KeyQueue {
  readonly #deliver: (keysym: number, down: boolean) => void;
  readonly #waiting: { keysym: number; down: boolean }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #dueAt = 0;

  constructor(deliver: (keysym: number, down: boolean) => void) {
    this.#deliver = deliver;
  }

  push(keysym: number, down: boolean): void {
    if (this.#waiting.length >= CAPACITY) return;
    if (this.#waiting.length === 0) this.#dueAt = performance.now() + DELAY_MS;
    this.#waiting.push({ keysym, down });
    this.#timer ??= setInterval(() => this.#deliverDue(), DELAY_MS);
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#stop();
  }

  /** All that the guest has had by now: painting in this process does not hold up its keyboard. */
  #deliverDue(): void {
    for (; performance.now() >= this.#dueAt; this.#dueAt += DELAY_MS) {
      const event = this.#waiting.shift();
      if (event === undefined) break;
      this.#deliver(event.keysym, event.down);
    }
    if (this.#waiting.length === 0) this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
