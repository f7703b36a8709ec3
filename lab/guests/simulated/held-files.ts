/**
 * Files of an application that Windows does not let go of at once: handles are closed some time after a process has ended.
 *
 * @module
 */
import { HARBOR_WINDOWS } from './files.ts';
import type { ProcessTable } from './processes.ts';
import type { Faults } from './quirks.ts';
import type { GuestDefinition } from './system.ts';

/** Virus scanners and crash handlers keep a handle about so long. Milliseconds. */
const HELD_MS = 1500;
const APPLICATION = 'HarborChat.exe';

export class HeldFiles {
  readonly #processes: ProcessTable;
  readonly #faults: Faults;
  readonly #files: readonly string[];
  #until = 0;

  constructor({ user }: GuestDefinition, processes: ProcessTable, faults: Faults) {
    this.#processes = processes;
    this.#faults = faults;
    this.#files = [HARBOR_WINDOWS, `C:\\Users\\${user}\\AppData\\Roaming\\Harbor\\session.json`].map(normal);
    processes.on(({ type, process }) => {
      if (type === 'exited' && process.comm === APPLICATION) this.#until = Date.now() + HELD_MS;
    });
  }

  /** Whether removing or replacing this path, or what is below it, is a sharing violation. */
  isHeld(path: string): boolean {
    if (!this.#faults.has('held-handles')) return false;
    const isRunning = this.#processes.list().some(({ comm }) => comm === APPLICATION);
    if (!isRunning && Date.now() >= this.#until) return false;
    const below = normal(path);
    return this.#files.some((file) => file === below || file.startsWith(`${below}\\`));
  }
}

function normal(path: string): string {
  return path
    .replaceAll('/', '\\')
    .replace(/^\\+(?=[a-z]:)/i, '')
    .replace(/\\+$/, '')
    .toLowerCase();
}
