/**
 * How far each machine has come, for the leases on them and so for other runs that wait: as `vmwright status` counts.
 *
 * @module
 */
import { join } from 'node:path';
import { announceProgress, type Progress } from '../fixtures/lease/progress.ts';
import type { JournalEvent } from './journal.ts';
import { foldJournal } from './model.ts';
import { FILES, writeAtomically } from './store.ts';

/** A lease is renewed each half minute; between two looks nobody misses a step. Milliseconds. */
const QUIET_MS = 1000;

/** What {@link ProgressBoard} puts its writing off with; returns the way to call it off. */
type Delay = (action: () => void, ms: number) => () => void;

export class ProgressBoard {
  readonly #file: string;
  readonly #events: readonly JournalEvent[];
  readonly #delay: Delay;
  #callOff: (() => void) | undefined;
  #written = '';

  /** @param events of the run, as they grow */
  constructor(
    folder: string,
    events: readonly JournalEvent[],
    options: { readonly delay?: Delay; readonly env?: NodeJS.ProcessEnv } = {},
  ) {
    this.#file = join(folder, FILES.progress);
    this.#events = events;
    this.#delay = options.delay ?? systemDelay;
    announceProgress(this.#file, options.env);
  }

  /** Something happened: a moment later it can be read, with what else happened until then. */
  changed(): void {
    this.#callOff ??= this.#delay(() => {
      this.#callOff = undefined;
      this.#write(stepsOf(this.#events));
    }, QUIET_MS);
  }

  /** The run is over. The file stays: a run removes nothing of its folder (requirements A7). */
  close(): void {
    this.#callOff?.();
    this.#write({});
  }

  #write(steps: Progress): void {
    const text = JSON.stringify(steps);
    if (text === this.#written) return;
    this.#written = text;
    try {
      writeAtomically(this.#file, text);
    } catch {
      // A full disk is told of by whoever has something to lose on it; here a waiting run knows less.
    }
  }
}

function stepsOf(events: readonly JournalEvent[]): Progress {
  return Object.fromEntries(
    foldJournal(events).hosts.flatMap(({ host, step }) => (step === undefined ? [] : [[host, step]])),
  );
}

function systemDelay(action: () => void, ms: number): () => void {
  const timer = setTimeout(action, ms).unref();
  return () => clearTimeout(timer);
}
