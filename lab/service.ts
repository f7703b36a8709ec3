/**
 * The lab as a process: it runs until it is told to end, or until whoever started it is gone.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fleet } from './fleet.ts';
import { desktops } from './guests/qemu/desktops/index.ts';
import { type Lab, type LabOptions, startLab } from './index.ts';

/** How often it is checked that the parent still lives, in milliseconds. */
const ORPHAN_CHECK_MS = 1000;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Starts a lab, hands it over with the file of its variables, and takes it down at the end. The caller exits then: a
 * lab that was still starting ends with the process.
 */
export async function serveLab(
  options: LabOptions,
  onReady: (lab: Lab, variablesFile: string) => void,
): Promise<void> {
  const over = untilToldToEnd();
  const lab = await Promise.race([startLab(options), over]);
  if (lab === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'vmwright-env-'));
  try {
    const file = join(folder, 'lab.env');
    const lines = Object.entries(lab.env()).map(([name, value]) => `${name}='${value}'\n`);
    writeFileSync(file, lines.join(''), { mode: 0o600 });
    onReady(lab, file);
    await over;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await lab.stop();
  }
}

/**
 * The simulated guests of a list such as `fedora42,windows11`.
 *
 * @throws Error naming the one that is unknown
 */
export function guestNames(list: string): string[] {
  const known = fleet.map(({ name }) => name);
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new Error(
    desktops.some(({ guest }) => guest.name === unknown)
      ? `${unknown} is a real guest: ask for it with --qemu`
      : `there is no guest "${unknown}"; there are ${known.join(', ')}`,
  );
}

function untilToldToEnd(): Promise<undefined> {
  const parent = process.ppid;
  // Playwright starts a shell that starts the lab: the shell lives on when Playwright is killed.
  const grandparent = parentOf(parent);
  return new Promise((done) => {
    for (const signal of SIGNALS) process.on(signal, () => done(undefined));
    setInterval(() => {
      if (process.ppid !== parent || parentOf(parent) !== grandparent) done(undefined);
    }, ORPHAN_CHECK_MS).unref();
  });
}

/** The parent of a process (proc(5), field 4 of stat); undefined where /proc does not tell. */
function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
