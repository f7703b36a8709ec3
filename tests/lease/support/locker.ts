/**
 * One process of tests/lease/file-lock.spec.ts: takes the lock again and again, and looks whether it is alone.
 *
 *     node --import tsx locker.ts '{"folder": "...", "rounds": 50}'
 *
 * @module
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { underFileLock } from '../../../fixtures/process/file-lock.ts';
import { readStart } from '../../../fixtures/process/view.ts';
import { systemLeaseClock } from '../../../fixtures/lease/lease.ts';

export interface Locker {
  readonly folder: string;
  /** How often it takes the lock. */
  readonly rounds: number;
}

const { folder, rounds } = JSON.parse(process.argv[2] ?? '') as Locker;
const inside = join(folder, 'inside');
const log = join(folder, 'log');
const me = `${process.pid} ${String(readStart(process.pid))}`;

/** Who is inside and lives: whoever was killed there left its name. */
function other(): string | undefined {
  let name = '';
  try {
    name = readFileSync(inside, 'utf8');
  } catch {
    return undefined;
  }
  const [pid, start] = name.split(' ');
  return name !== '' && name !== me && String(readStart(Number(pid))) === start ? name : undefined;
}

for (let round = 0; round < rounds; round++) {
  await underFileLock(folder, 'lock', { wait: 600_000, clock: systemLeaseClock }, async () => {
    const before = other();
    if (before !== undefined) appendFileSync(log, `two: ${me} came to ${before}\n`);
    writeFileSync(inside, me);
    await new Promise((done) => setImmediate(done));
    const after = other();
    if (after !== undefined) appendFileSync(log, `two: ${after} came to ${me}\n`);
    writeFileSync(inside, '');
    appendFileSync(log, 'round\n');
  });
}
