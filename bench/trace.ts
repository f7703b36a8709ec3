/**
 * What an hour of guest trace costs: over SSH against the least that any question over SSH costs, and in the guest's
 * processor against `ps` on the same processes.
 *
 *     node --import tsx bench/trace.ts [--qemu]
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../fixtures/config/index.ts';
import { connectCluster, findMachine, openSsh } from '../fixtures/machine/machine.ts';
import { linuxSampleCmd, parseLinuxSample } from '../fixtures/trace/linux.ts';
import { startLab } from '../lab/index.ts';
import matrix from '../vm-matrix.ts';

const ROUNDS = 50;
const SAMPLES_AN_HOUR = 3600 / 5;

/** Processor time of the shell and all that it starts, in milliseconds a round. */
function processorMs(script: string): number {
  const looped = `i=0; while [ $i -lt ${ROUNDS} ]; do ( ${script}\n) >/dev/null; i=$((i+1)); done`;
  const { stderr } = spawnSync('bash', ['-c', `${looped}\ntimes >&2`], { encoding: 'utf8' });
  const ms = [...stderr.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60_000 + Number(seconds) * 1000,
  );
  return ms.reduce((sum, part) => sum + part, 0) / ROUNDS;
}

async function msEach(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round++) await action();
  return (performance.now() - start) / ROUNDS;
}

const script = linuxSampleCmd('bash').wire;
const local = spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout;
const found = parseLinuxSample(local).processes.length;
const own = processorMs(script);
const peer = processorMs('ps -eo pid,ppid,stat,rss,nlwp,wchan:32,comm');
console.log(`guest processor, this host's processes, ${found} traced:`);
console.log(
  `  a sample ${own.toFixed(1)} ms, ps ${peer.toFixed(1)} ms: ${(own / peer).toFixed(2)} times; without descriptors, limits and OOM scores in ps`,
);
console.log(
  `  an hour ${((own * SAMPLES_AN_HOUR) / 1000).toFixed(1)} s of one core, ${((own / 5000) * 100).toFixed(2)} %`,
);

const name = process.argv.includes('--qemu') ? 'debian12' : 'fedora42';
const lab = await startLab(name === 'debian12' ? { qemu: true, guests: [] } : { guests: [name] });
const folder = mkdtempSync(join(tmpdir(), 'vmwright-bench-'));
Object.assign(process.env, lab.env(), { SSH_KNOWN_HOSTS_FILE: join(folder, 'known_hosts') });
const machine = matrix.find((row) => row.name === name);
if (machine === undefined) throw new Error(`no row ${name}`);
const settings = loadSettings();
const proxmox = await connectCluster(machine, settings);
const vm = await findMachine(proxmox, machine, settings);
await vm.start();
await vm.agent.waitReady();
const session = await openSsh(vm, machine, settings);
const least = await msEach(() => session.exec('true'));
let bytes = 0;
const sample = await msEach(async () => {
  bytes +=
    (await session.exec(linuxSampleCmd(name === 'debian12' ? 'openbox' : 'gnome-shell'))).stdout.length /
    ROUNDS;
});
console.log(
  `over SSH, ${name}: a sample ${sample.toFixed(1)} ms, the shortest command ${least.toFixed(1)} ms: ${(sample / least).toFixed(2)} times; an hour ${((bytes * SAMPLES_AN_HOUR) / 1024).toFixed(0)} KiB`,
);
session.disconnect();
await proxmox.close();
await lab.stop();
rmSync(folder, { recursive: true });
