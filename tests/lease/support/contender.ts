/**
 * One process of tests/lease/stress.spec.ts: takes a VM and now and then the GPU, and says so in a file that all share.
 *
 *     node --import tsx contender.ts '{"name": "3.1", "rounds": 2, "log": "...", "vmids": [101, 102]}'
 *
 * @module
 */
import { appendFileSync } from 'node:fs';
import { loadSettings } from '../../../fixtures/config/index.ts';
import { GpuClaim, identify, Lease, notesOf } from '../../../fixtures/lease/index.ts';
import { connectProxmox, findGpu, lookAtVms, plugGpu } from '../../../fixtures/proxmox/index.ts';

export interface Contender {
  readonly name: string;
  /** How often it takes a VM. */
  readonly rounds: number;
  readonly log: string;
  readonly vmids: readonly number[];
}

/** Longer than any test: whoever waits so long waits for ever. Milliseconds. */
const WAIT_MS = 3_600_000;
const GPU_SHARE = 0.6;
const USES = 3;

const { name, rounds, log, vmids } = JSON.parse(process.argv[2] ?? '') as Contender;
/** One write each, so that the lines of all processes stand in the order in which they were written. */
const say = (words: string): void => appendFileSync(log, `${name} ${words}\n`);
const self = identify({ runnerPid: process.pid, workerPid: process.pid });

try {
  const proxmox = await connectProxmox(loadSettings(process.env).proxmox);
  for (let round = 0; round < rounds; round++) {
    const vmid = vmids[Math.floor(Math.random() * vmids.length)] ?? 0;
    const vm = await proxmox.findVm(vmid);
    const lease = await Lease.acquire(notesOf(vm), { self, wait: WAIT_MS });
    say(`take ${vmid}`);
    lease.keep();
    vm.hold = lease;
    for (let use = 0; use < USES; use++) {
      await lease.assertHeld('use it');
      say(`use ${vmid}`);
    }
    if (Math.random() < GPU_SHARE) {
      const gpu = await findGpu(proxmox.api, vm.node, { mapping: 'gpu' });
      const claim = await GpuClaim.acquire(gpu, lease, {
        self,
        wait: WAIT_MS,
        node: { look: () => lookAtVms(proxmox.api, gpu), vm: (id) => proxmox.findVm(id, gpu.node) },
        isOurs: ({ vmid: id }) => vmids.includes(id),
      });
      say('take gpu');
      await plugGpu(vm, gpu, (config) => claim.confirm(config));
      say('use gpu');
      await lease.assertHeld('use the GPU');
      say('use gpu');
      say('drop gpu');
      await claim.release();
    }
    say(`use ${vmid}`);
    say(`drop ${vmid}`);
    await lease.release();
    say('done');
  }
  await proxmox.close();
} catch (error) {
  say(`failed ${JSON.stringify(error instanceof Error ? error.message : String(error))}`);
  process.exitCode = 1;
}
