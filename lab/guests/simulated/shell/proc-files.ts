/**
 * `/proc` of the Linux guests (proc(5)): what a shell can read of processes without any program's help.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { ProcessTable } from '../processes.ts';
import type { GuestProcess } from '../system.ts';
import type { ShellHost } from './shell.ts';

/** Ticks a second (`getconf CLK_TCK`), and when the first process starts. */
const TICK_MS = 10;
const FIRST_TICK = 3;
/** What an ordinary desktop program has. */
const RSS_KB = 48_000;
const THREADS = 4;
const DESCRIPTORS = 12;
const DESCRIPTOR_LIMIT = 1024;
const OOM_SCORE = 667;

/** Brings the tree's `/proc/<pid>` up to date with the process table. */
export async function writeProc({ disk, processes }: ShellHost): Promise<void> {
  const list = processes.list();
  const present = new Set(list.map(({ pid }) => String(pid)));
  const names = (await disk.exists('/proc')) ? await disk.fs.readdir('/proc') : [];
  for (const name of names) if (/^\d+$/.test(name) && !present.has(name)) await disk.remove(`/proc/${name}`);
  await disk.write('/proc/sys/kernel/random/boot_id', `${bootId(processes)}\n`);
  const since = list[0]?.startedAt ?? 0;
  for (const process of list) {
    const files = filesOf(process, since, processes.isBusy(process) ? 'R' : 'S');
    for (const [name, text] of Object.entries(files)) await disk.write(`/proc/${process.pid}/${name}`, text);
  }
}

/** Another one after each boot, the same one after a rollback to a running state. */
function bootId(processes: ProcessTable): string {
  const [first] = processes.list();
  const hex = createHash('sha1').update(`${first?.pid} ${first?.startedAt}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

function filesOf(
  { pid, ppid, comm, startedAt }: GuestProcess,
  since: number,
  state: 'R' | 'S',
): Record<string, string> {
  const start = FIRST_TICK + Math.round((startedAt - since) / TICK_MS);
  const filler = (count: number): string => Array.from({ length: count }, () => '0').join(' ');
  return {
    // Fields 3 (state), 4 (ppid), 20 (threads), 22 (start) and 24 (pages) of 52.
    stat: `${pid} (${comm}) ${state} ${ppid} ${filler(15)} ${THREADS} 0 ${start} 0 ${RSS_KB / 4} ${filler(28)}\n`,
    comm: `${comm}\n`,
    status: `Name:\t${comm}\nState:\t${state === 'S' ? 'S (sleeping)' : 'R (running)'}\nPid:\t${pid}\nPPid:\t${ppid}\nVmRSS:\t${RSS_KB} kB\nThreads:\t${THREADS}\n`,
    limits: `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${DESCRIPTOR_LIMIT}                 524288               files     \n`,
    oom_score: `${OOM_SCORE}\n`,
    wchan: 'do_epoll_wait',
    ...Object.fromEntries(Array.from({ length: DESCRIPTORS }, (_, index) => [`fd/${index}`, ''])),
  };
}
