/**
 * What runs commands in a simulated guest, be it POSIX sh or Windows.
 *
 * @module
 */
import type { GuestPciDevice } from '../../guest.ts';
import type { GuestClock } from '../clock.ts';
import type { GuestDisk } from '../files.ts';
import type { Journal } from '../journal.ts';
import type { GuestNetwork } from '../network.ts';
import type { HeldFiles } from '../held-files.ts';
import type { Faults } from '../quirks.ts';
import type { ProcessTable } from '../processes.ts';
import type { GuestDefinition, ProcessSession } from '../system.ts';

export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined when a signal ended the command. */
  readonly exitCode: number | undefined;
  readonly signal?: string;
  /** The bytes, where they are not UTF-8. */
  readonly raw?: { readonly stdout: Buffer; readonly stderr: Buffer };
}

export interface ExecRequest {
  readonly command: string;
  readonly stdin: string;
  readonly user: string;
  readonly session: ProcessSession;
  /** Aborted when the client closes the channel. */
  readonly signal: AbortSignal;
}

export interface Shell {
  exec(request: ExecRequest): Promise<ShellResult>;
}

/** What a guest's shell works on. */
export interface ShellHost {
  readonly definition: GuestDefinition;
  readonly processes: ProcessTable;
  readonly disk: GuestDisk;
  readonly clock: GuestClock;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly network: GuestNetwork;
  readonly held: HeldFiles;
  /** Since the kernel started, by a counter that nobody sets. Milliseconds. */
  upMs(): number;
  /** When the user's password was set. */
  passwordAt(): Date;
  /** The guest restarts itself. */
  restart(): void;
  /** The PCI devices that the machine was started with. */
  passedThrough(): readonly GuestPciDevice[];
}
