/**
 * Folders of running guests, named after the process that owns them, so that those of dead owners can be removed.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** An owner in another container cannot be looked up; its folder goes when it is that old. Milliseconds. */
const FOREIGN_AGE_MS = 24 * 60 * 60 * 1000;

/** A new folder name for this process: `<space>-<pid>-<start time>-<random>`. */
export function runFolder(folder: string): string {
  const random = randomBytes(4).toString('hex');
  return join(folder, 'runs', `${processSpace()}-${process.pid}-${startTime(process.pid) ?? 0}-${random}`);
}

/** Removes folders whose owner is gone. Unknown owners count as alive for a day. */
export async function removeStaleRuns(folder: string, now = Date.now()): Promise<void> {
  const runs = join(folder, 'runs');
  if (!existsSync(runs)) return;
  for (const name of await readdir(runs)) {
    const path = join(runs, name);
    const [space = '', pid = '', start = ''] = name.split('-');
    const isHere = space === processSpace();
    const isStale = isHere
      ? startTime(Number(pid)) !== start
      : now - (await stat(path)).mtimeMs > FOREIGN_AGE_MS;
    if (isStale) await rm(path, { recursive: true, force: true });
  }
}

/** Boot and process-id namespace in one word: a pid means something only in there. */
function processSpace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    return `${boot}.${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'}`;
  } catch {
    return 'unknown';
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
