/**
 * The smoke scenario on the seven simulated machines: one after the other, and as many at once as the config has it. Wall
 * time, memory of all processes (each shared page once), and how busy the cores were. The embedded lab, which plays the
 * machines too, is a part of it: on a cluster of your own its share falls away.
 *
 *     node --import tsx bench/matrix.ts
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { descendantPids } from '../fixtures/process/view.ts';
import matrix from '../vm-matrix.ts';

const ROOT = join(import.meta.dirname, '..');
const RUNNER = join(ROOT, 'node_modules/@playwright/test/cli.js');
const MACHINES = matrix.map(({ name }) => name).filter((name) => name !== 'debian12');
const LOOK_MS = 1000;

interface Run {
  readonly seconds: number;
  /** Proportional memory of all its processes, the most of all looks. */
  readonly megabytes: number;
  /** Of all cores, 0 to 1, by whatever ran on the computer. */
  readonly busy: number;
}

async function run(workers?: number): Promise<Run> {
  const [start, before] = [performance.now(), cpuTimes()];
  const child = spawn(
    process.execPath,
    [
      RUNNER,
      'test',
      '--reporter=dot',
      ...MACHINES.map((name) => `--project=${name}`),
      ...(workers === undefined ? [] : [`--workers=${workers}`]),
    ],
    { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, PROXMOX_HOST: '' } },
  );
  let most = 0;
  const looks = setInterval(() => {
    const pid = child.pid ?? 0;
    most = Math.max(most, sumOf([pid, ...descendantPids(pid)]));
  }, LOOK_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(looks);
  if (code !== 0) throw new Error(`the run ended with ${code}`);
  const after = cpuTimes();
  return {
    seconds: (performance.now() - start) / 1000,
    megabytes: most / 1e6,
    busy: 1 - (after.idle - before.idle) / (after.all - before.all),
  };
}

function cpuTimes(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times);
  return {
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    all: times.reduce((sum, { idle, irq, nice, sys, user }) => sum + idle + irq + nice + sys + user, 0),
  };
}

/** Bytes of proportional memory. */
function sumOf(pids: readonly number[]): number {
  return pids.reduce(
    (sum, pid) => sum + 1024 * Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0),
    0,
  );
}

/** Nothing of a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const alone = await run(1);
const together = await run();
const lineOf = (title: string, { seconds, megabytes, busy }: Run): string =>
  `${title.padEnd(28)} ${seconds.toFixed(1).padStart(6)} s ${megabytes.toFixed(0).padStart(6)} MB   cores ${(busy * 100).toFixed(0)} % busy`;
console.log(`\n${MACHINES.length} machines on ${cpus().length} cores`);
console.log(lineOf('one worker', alone));
console.log(lineOf('as the config has it', together));
console.log(`${(alone.seconds / together.seconds).toFixed(2)} times as fast`);
