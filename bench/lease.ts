/**
 * What a lease costs in API calls, against the least that any lease in a VM's config can cost: one read and one write.
 *
 *     node --import tsx bench/lease.ts
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { Secret } from '../fixtures/secrets/index.ts';
import { identify, Lease, notesOf } from '../fixtures/lease/index.ts';
import { connectProxmox } from '../fixtures/proxmox/index.ts';
import { startLab } from '../lab/index.ts';

const ROUNDS = 50;
const LEAST = 2;

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
await proxmox.close();
await lab.stop();
