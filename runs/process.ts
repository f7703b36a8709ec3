/**
 * Who a process is: on Linux a process id alone may have been given away again.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
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

/** Processes that `pid` started, and those that they started, as far as /proc tells. */
export function descendantsOf(pid: number, table: ProcessTable = HERE): ProcessIdentity[] {
  const children = new Map<number, number[]>();
  for (const name of namesIn(table.proc)) {
    const child = Number(name);
    const parent = Number(fieldsOf(child, table)?.[1]);
    if (Number.isInteger(parent)) children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid).map((child) => identityOf(child, table));
}

function namesIn(proc: string): string[] {
  try {
    return readdirSync(proc).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function startTimeOf(pid: number, table: ProcessTable): string | undefined {
  const fields = fieldsOf(pid, table);
  // State Z: it has ended and nobody collected it.
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

/** The fields of /proc/<pid>/stat from the state on. The name before may itself hold spaces and parentheses. */
function fieldsOf(pid: number, { proc }: ProcessTable): string[] | undefined {
  const stat = readOr(join(proc, String(pid), 'stat'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
