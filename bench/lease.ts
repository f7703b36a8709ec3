/**
 * What a lease costs: API calls for each step, against the least that any lease in a VM's config can cost, one read and
 * one write; and reads, writes and bytes of the cluster's log in an hour, against a holder that writes every half minute.
 *
 *     node --import tsx bench/lease.ts
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { Secret } from '../fixtures/secrets/index.ts';
import { identify, Lease, notesOf } from '../fixtures/lease/index.ts';
import type { LeaseClock } from '../fixtures/lease/lease.ts';
import { connectProxmox, type Vm } from '../fixtures/proxmox/index.ts';
import { startLab } from '../lab/index.ts';

const ROUNDS = 50;
const LEAST = 2;
const HOUR_MS = 3_600_000;
/** Of the form of lease before this one. */
const WRITES_BEFORE = HOUR_MS / 30_000;

const lab = await startLab({ guests: ['fedora42'] });
const env = lab.env();
const proxmox = await connectProxmox({
  host: '127.0.0.1',
  port: Number(env.PROXMOX_PORT),
  tls: { ca: readFileSync(env.PROXMOX_CA_FILE ?? '', 'utf8') },
  auth: { type: 'token', id: lab.access.tokenId, secret: new Secret('TOKEN', lab.access.tokenSecret) },
});
const vm = await proxmox.findVm('fedora42');
const self = identify({ runnerPid: process.pid, workerPid: process.pid });
const sums = new Map<string, { calls: number; ms: number }>();

async function measured<T>(step: string, action: () => Promise<T>): Promise<T> {
  const [calls, start] = [lab.requests.length, performance.now()];
  const result = await action();
  const sum = sums.get(step) ?? { calls: 0, ms: 0 };
  sums.set(step, {
    calls: sum.calls + lab.requests.length - calls,
    ms: sum.ms + performance.now() - start,
  });
  return result;
}

for (let round = 0; round < ROUNDS; round++) {
  const lease = await measured('acquire', () => Lease.acquire(notesOf(vm), { self, wait: 0 }));
  await measured('join by the next worker', () => Lease.acquire(notesOf(vm), { self, wait: 0 }));
  await measured('renew, or prove before a rollback', () => lease.assertHeld('measure'));
  await measured('release', () => lease.release());
}
for (const [step, { calls, ms }] of sums) {
  const each = calls / ROUNDS;
  console.log(
    `${step.padEnd(34)} ${each} API calls, ${(each / LEAST).toFixed(2)} times the least; ${(ms / ROUNDS).toFixed(1)} ms`,
  );
}

/** Time that passes when everybody sleeps. */
class Hour implements LeaseClock {
  #now = 0;
  readonly #actors: number;
  #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  constructor(actors: number) {
    this.#actors = actors;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  random(): number {
    return 0.5;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((done) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        done();
      };
      this.#sleepers.push({ until: this.#now + ms, wake });
      signal?.addEventListener('abort', wake, { once: true });
      if (this.#sleepers.length < this.#actors) return;
      this.#sleepers.sort((one, other) => one.until - other.until);
      const first = this.#sleepers.shift();
      this.#now = Math.max(this.#now, first?.until ?? 0);
      first?.wake();
    });
  }
}

async function anHour(what: string, waits: boolean, machine: Vm): Promise<void> {
  const clock = new Hour(waits ? 2 : 1);
  const lease = await Lease.acquire(notesOf(machine), { self, wait: 0, clock });
  const from = lab.requests.length;
  lease.keep();
  if (waits) {
    const other = identify({ runnerPid: process.pid, workerPid: process.ppid });
    const waiting = { self: { ...other, run: 'another' }, wait: HOUR_MS, clock };
    await Lease.acquire(notesOf(machine), waiting).catch(() => undefined);
  } else while (clock.now() < HOUR_MS) await new Promise((done) => setTimeout(done, 20));
  lease.leave();
  const calls = lab.requests.slice(from);
  const writes = calls.filter(({ method }) => method === 'PUT');
  const bytes = writes.reduce((sum, { body }) => sum + body.length, 0);
  const share = (writes.length / WRITES_BEFORE).toFixed(2);
  console.log(
    `${what.padEnd(34)} ${calls.length - writes.length} reads, ${writes.length} writes (${share} times as many as before), ${(bytes / 1024).toFixed(1)} KiB of the cluster's log an hour`,
  );
  await new Promise((done) => setTimeout(done, 200));
  await lease.release();
}

await anHour('a machine that nobody waits for', false, vm);
await anHour('a machine that a run waits for', true, vm);
await proxmox.close();
await lab.stop();
process.exit();
