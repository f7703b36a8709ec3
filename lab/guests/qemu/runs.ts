/**
 * Folders of running guests and builds, named after the process that owns them, so that those of dead owners can be
 * removed.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** An owner in another container cannot be looked up; its folder goes when it is that old. Milliseconds. */
const FOREIGN_AGE_MS = 24 * 60 * 60 * 1000;
/** Where /proc does not tell. */
const UNKNOWN_SPACE = 'unknown';

/** A new folder name for this process: `<space>-<pid>-<start time>-<random>`. */
export function runFolder(folder: string): string {
  const random = randomBytes(4).toString('hex');
  return join(folder, 'runs', `${processSpace()}-${process.pid}-${startTime(process.pid) ?? 0}-${random}`);
}

/** Removes folders whose owner is gone. Unknown owners count as alive for a day. */
export async function removeStaleRuns(folder: string, now = Date.now()): Promise<void> {
  const stale = runsIn(folder).filter((path) => !isAlive(path, now));
  await Promise.all(stale.map((path) => rm(path, { recursive: true, force: true })));
}

/** Folders whose owner is alive; `pid` where it can be looked up from here. */
export function liveRuns(folder: string, now = Date.now()): { path: string; pid: number | undefined }[] {
  return runsIn(folder)
    .filter((path) => isAlive(path, now))
    .map((path) => {
      const { space, pid } = ownerOf(path);
      return { path, pid: space === processSpace() ? Number(pid) : undefined };
    });
}

function runsIn(folder: string): string[] {
  const runs = join(folder, 'runs');
  return existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : [];
}

function isAlive(path: string, now: number): boolean {
  const { space, pid, start } = ownerOf(path);
  if (space === processSpace() && space !== UNKNOWN_SPACE) return startTime(Number(pid)) === start;
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return made !== undefined && now - made <= FOREIGN_AGE_MS;
}

function ownerOf(path: string): { space: string; pid: string; start: string } {
  const [space = '', pid = '', start = ''] = basename(path).split('-');
  return { space, pid, start };
}

/** Boot and process-id namespace in one word: a pid means something only in there. */
function processSpace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    return `${boot}.${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'}`;
  } catch {
    return UNKNOWN_SPACE;
  }
}

/** Clock ticks since boot at which a process started (proc(5), field 22); undefined when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
