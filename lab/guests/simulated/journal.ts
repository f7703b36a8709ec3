/**
 * The system's journal: what programs said when they failed.
 *
 * @module
 */
import type { GuestClock } from './clock.ts';
import type { GuestFiles } from './system.ts';

const FILE = '/var/log/journal/simulated.log';

export interface JournalEntry {
  /** Milliseconds since 1970, on the guest's clock. */
  readonly at: number;
  readonly comm: string;
  readonly pid: number;
  readonly text: string;
}

/** Kept as a file of the guest, so that snapshots hold it. */
export class Journal {
  readonly #files: GuestFiles;
  readonly #clock: GuestClock;
  #writing: Promise<void> = Promise.resolve();

  constructor(files: GuestFiles, clock: GuestClock) {
    this.#files = files;
    this.#clock = clock;
  }

  append(comm: string, pid: number, text: string): void {
    const entry: JournalEntry = { at: this.#clock.now(), comm, pid, text };
    this.#writing = this.#writing.then(async () => {
      const before = (await this.#files.exists(FILE)) ? await this.#files.read(FILE) : '';
      await this.#files.write(FILE, `${before}${JSON.stringify(entry)}\n`);
    });
  }

  async entries(): Promise<readonly JournalEntry[]> {
    await this.#writing;
    if (!(await this.#files.exists(FILE))) return [];
    const lines = (await this.#files.read(FILE)).trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JournalEntry);
  }
}
