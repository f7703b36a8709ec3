/**
 * Who a process is: on Linux a process id alone may have been given away again.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A process on a computer since its last start. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot (proc(5), stat field 22); absent where there is no /proc. */
  readonly startTime?: string;
  readonly bootId?: string;
  readonly hostname: string;
}

/** Where identities are read from. */
export interface ProcessTable {
  readonly proc: string;
  readonly hostname: string;
}

const HERE: ProcessTable = { proc: '/proc', hostname: hostname() };

/** The identity of a process that exists now. */
export function identityOf(pid: number, table: ProcessTable = HERE): ProcessIdentity {
  const startTime = startTimeOf(pid, table);
  const bootId = readOr(join(table.proc, 'sys/kernel/random/boot_id'));
  return {
    pid,
    hostname: table.hostname,
    ...(startTime === undefined ? {} : { startTime }),
    ...(bootId === undefined ? {} : { bootId }),
  };
}

/** Whether exactly this process still exists. `unknown` on another computer, or where nothing can be read. */
export function stateOf(identity: ProcessIdentity, table: ProcessTable = HERE): 'alive' | 'gone' | 'unknown' {
  if (identity.hostname !== table.hostname) return 'unknown';
  const bootId = readOr(join(table.proc, 'sys/kernel/random/boot_id'));
  if (bootId === undefined || identity.bootId === undefined || identity.startTime === undefined)
    return 'unknown';
  if (bootId !== identity.bootId) return 'gone';
  return startTimeOf(identity.pid, table) === identity.startTime ? 'alive' : 'gone';
}

function startTimeOf(pid: number, { proc }: ProcessTable): string | undefined {
  const stat = readOr(join(proc, String(pid), 'stat'));
  // The name in parentheses may itself hold spaces and parentheses. State Z: it has ended and nobody collected it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
