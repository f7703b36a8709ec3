/**
 * From a used machine to one that a test can start on, in three ways, on the real guest in QEMU: back to the checkpoint
 * with its RAM, back to the disk alone and booted, and a plain cold boot. Ready means: the agent answers, sshd takes the
 * log-in, and the window manager of the session runs.
 *
 *     node --import tsx bench/rollback.ts
 *
 * Needs QEMU and the image (`npx vmwright lab build`). VMWRIGHT_BENCH_ROUNDS: how often each; default 3.
 *
 * @module
 */
import { loadSettings } from '../fixtures/config/index.ts';
import {
  connectCluster,
  findMachine,
  leaseMachine,
  openSsh,
  resetMachine,
} from '../fixtures/machine/machine.ts';
import { startLab } from '../lab/index.ts';
import matrix from '../vm-matrix.ts';

const ROUNDS = Number(process.env.VMWRIGHT_BENCH_ROUNDS ?? 3);
const DISK = 'bench-disk';
const POLL_MS = 100;

const machine = matrix.find(({ name }) => name === 'debian12');
if (machine === undefined) throw new Error('vm-matrix.ts has no debian12');
const lab = await startLab({ guests: [machine.name], qemu: true });
Object.assign(process.env, lab.env());
const settings = loadSettings();
const proxmox = await connectCluster(machine, settings);
try {
  const vm = await findMachine(proxmox, machine, settings);
  const lease = await leaseMachine(vm, settings, null);
  const isReady = async (): Promise<void> => {
    await vm.agent.waitReady();
    await using ssh = await openSsh(vm, machine, settings);
    while ((await ssh.exec('pgrep -x openbox', { check: false })).exitCode !== 0)
      await new Promise((done) => setTimeout(done, POLL_MS));
  };
  const off = async (): Promise<void> => {
    if ((await vm.status()).status === 'running') await vm.stop();
  };
  const ways: Record<string, { prepare?: () => Promise<void>; go: () => Promise<unknown> }> = {
    'rollback with RAM': { go: () => resetMachine(vm, machine, settings) },
    'rollback of the disk, and boot': {
      go: async () => {
        await vm.snapshots.rollback(DISK);
        if ((await vm.status()).status !== 'running') await vm.start();
      },
    },
    'cold boot': { prepare: off, go: () => vm.start() },
  };
  await resetMachine(vm, machine, settings);
  await isReady();
  await off();
  await vm.snapshots.create(DISK, { ram: false });
  const fastest = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, { prepare, go }] of Object.entries(ways)) {
      await prepare?.();
      const begin = performance.now();
      await go();
      await isReady();
      const took = performance.now() - begin;
      fastest.set(name, Math.min(fastest.get(name) ?? Infinity, took));
      process.stderr.write(`round ${round + 1}: ${name} ${Math.round(took)} ms\n`);
    }
  }
  const boot = fastest.get('cold boot') ?? NaN;
  for (const [name, took] of fastest) {
    process.stdout.write(
      `${name.padEnd(31)} ${(took / 1000).toFixed(1).padStart(6)} s, cold boot / this: ${(boot / took).toFixed(2)}\n`,
    );
  }
  await lease.release();
} finally {
  await proxmox.close();
  await lab.stop();
}
