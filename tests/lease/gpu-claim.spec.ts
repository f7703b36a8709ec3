/** Claims on a GPU against a lab: who waits for whom, what a dead run leaves behind. */
import { expect, test } from '@playwright/test';
import { GpuClaim, type GpuOptions } from '../../fixtures/lease/gpu.ts';
import { Lease } from '../../fixtures/lease/lease.ts';
import { type LeaseRecord, parseNotes, renderNotes } from '../../fixtures/lease/record.ts';
import { notesOf } from '../../fixtures/lease/store.ts';
import {
  connectProxmox,
  findGpu,
  type Gpu,
  lookAtVms,
  plugGpu,
  type Proxmox,
  type Vm,
} from '../../fixtures/proxmox/index.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { ANY_TIME, labConnection } from '../proxmox/support/fixtures.ts';
import { watchDevices } from './support/devices.ts';
import { FakeClock, hostOf, recordOf, runOf } from './support/lease.ts';

const NAMES = ['fedora42', 'ubuntu2204', 'windows11'];
const HERE = hostOf({ 200: 2000, 201: 2001 });
const ME = runOf('me', { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } });
const DEAD = runOf('dead');
const FAR = runOf('far', { host: 'ci-9', boot: 'another' });

let lab: Lab;
let proxmox: Proxmox;
let clock: FakeClock;
let holders: () => readonly (readonly string[])[];
test.beforeEach(async () => {
  lab = await startLab({ guests: NAMES });
  holders = watchDevices(lab, NAMES);
  proxmox = await connectProxmox(labConnection(lab));
  clock = new FakeClock();
});
test.afterEach(async () => {
  await proxmox.close();
  await lab.stop();
});

interface Taken {
  readonly vm: Vm;
  readonly gpu: Gpu;
  readonly lease: Lease;
  readonly claim: GpuClaim;
}

async function take(name: string, mapping = 'gpu', options: Partial<GpuOptions> = {}): Promise<Taken> {
  const common = { self: ME, wait: 0, clock, processes: HERE };
  const vm = await proxmox.findVm(name);
  const gpu = await findGpu(proxmox.api, 'pve', { mapping });
  const lease = await Lease.acquire(notesOf(vm), common);
  vm.hold = lease;
  const claim = await GpuClaim.acquire(gpu, lease, {
    ...common,
    node: { look: () => lookAtVms(proxmox.api, gpu), vm: (vmid) => proxmox.findVm(vmid, 'pve') },
    isOurs: () => true,
    ...options,
  });
  return { vm, gpu, lease, claim };
}

/** Another run's lease on a machine. */
function leased(name: string, identity: typeof ME, changes: Partial<LeaseRecord> = {}): void {
  const { config, vmid } = lab.machine(name);
  config.description = renderNotes('', recordOf(identity, { vm: vmid, ...changes }));
}

const ASKED = { name: 'GPU', mapping: 'gpu', slots: ['0000:01:00'], at: '2026-11-21T07:00:00.000Z' };

function recordIn(name: string): LeaseRecord | string | undefined {
  const { config, vmid } = lab.machine(name);
  return parseNotes(config.description as string | undefined, vmid).marker?.record;
}

function powerTasks(): string[] {
  return lab.tasks.list().map(({ type, id }) => `${type} ${id}`);
}

test('a free GPU costs two looks and two calls; giving it back leaves the notes as they were', async () => {
  const before = lab.requests.length;
  const { claim, lease } = await take('fedora42');
  // findVm, findGpu, the lease; each look asks for the list and for three VMs; the request is read and written.
  expect(lab.requests.length - before).toBe(1 + 1 + 2 + 2 * (1 + 3) + 2);
  expect(recordIn('fedora42')).toMatchObject({ gpu: { mapping: 'gpu', slots: ['0000:01:00'] } });
  await claim.release();
  expect(recordIn('fedora42')).not.toHaveProperty('gpu');
  await lease.release();
  expect(lab.machine('fedora42').config.description).toBeUndefined();
});

test('a running VM that is none of the matrix keeps its GPU; one that is off is in nobody’s way', async () => {
  lab.machine('ubuntu2204').config.hostpci0 = '0000:01:00';
  await expect(take('fedora42', 'gpu', { isOurs: ({ vmid }) => vmid === 101 })).rejects.toMatchObject({
    code: 'GPU_HELD',
    seen: 'held by VM 102 (ubuntu2204), which is none of this matrix',
  });
  expect(powerTasks()).toEqual([]);
  await lab.machine('ubuntu2204').guest.stop();
  await take('fedora42', 'gpu', { isOurs: ({ vmid }) => vmid === 101 });
  expect(lab.machine('ubuntu2204').config.hostpci0).toBe('0000:01:00');
});

test('nobody stops a machine that a run works on, be it without GPU; the wait names it', async () => {
  lab.machine('ubuntu2204').config.hostpci0 = 'mapping=gpu,pcie=1';
  leased('ubuntu2204', FAR, { doing: 'log in' });
  await expect(take('fedora42', 'gpu', { wait: 60_000 })).rejects.toMatchObject({
    code: 'GPU_HELD',
    seen: expect.stringMatching(/^held by VM 102 \(ubuntu2204\): run far on ci-9, process 100, at "log in"/),
  });
  expect(powerTasks()).toEqual([]);
  expect(clock.time).toBeGreaterThanOrEqual(60_000);
  // Whoever gives up asks no more.
  expect(recordIn('fedora42')).not.toHaveProperty('gpu');
});

test('M40: a run that asked earlier goes first, whoever looked first, and a live one is waited for', async () => {
  leased('ubuntu2204', FAR, { gpu: ASKED });
  const told: string[] = [];
  clock.onSleep = () => {
    expect(recordIn('fedora42')).not.toHaveProperty('gpu');
    if (clock.time > 20_000) leased('ubuntu2204', FAR);
  };
  const { claim } = await take('fedora42', 'gpu', { wait: 60_000, onWait: (holder) => told.push(holder) });
  expect(told[0]).toContain('VM 102 (ubuntu2204): run far on ci-9');
  expect(clock.time).toBeGreaterThan(20_000);
  await claim.release();
});

test('CL2: a run elsewhere that asked for the GPU is asked whether it is still there, and followed when it does not answer', async () => {
  leased('ubuntu2204', FAR, { gpu: ASKED });
  const asks = new Set<string | undefined>();
  clock.onSleep = () => {
    const record = recordIn('ubuntu2204');
    asks.add(typeof record === 'object' ? record.ask?.run : record);
  };
  await take('fedora42', 'gpu', { wait: 600_000 });
  expect([...asks]).toContain('me');
  expect(clock.time).toBeGreaterThanOrEqual(240_000);
  expect(recordIn('ubuntu2204')).toBeUndefined();
});

test('a dead run’s request is broken at once, and the GPU is taken off the VM that it left behind', async () => {
  lab.machine('ubuntu2204').config.hostpci0 = 'mapping=gpu,pcie=1';
  leased('ubuntu2204', DEAD, { gpu: ASKED });
  leased('windows11', DEAD, { gpu: ASKED });
  // Without any wait.
  const { vm, gpu, claim, lease } = await take('fedora42', 'gpu', { wait: 0 });
  // The heartbeat of the VM that was cleared made the fake clock run; the own lease is renewed as its heartbeat would.
  await lease.assertHeld('go on');
  expect(recordIn('ubuntu2204')).toBeUndefined();
  expect(recordIn('windows11')).toBeUndefined();
  // Only the VM that had the GPU was off for a while.
  expect(powerTasks()).toEqual(['qmshutdown 102', 'qmstart 102']);
  await plugGpu(vm, gpu, (config) => claim.confirm(config));
  expect(holders()).toEqual([['ubuntu2204'], ['fedora42']]);
});

test('what a broken run still had under way fails: the GPU goes into a config only with its request', async () => {
  const { vm, gpu, claim } = await take('fedora42');
  const stale = await vm.config();
  // Another run proves this one dead, and breaks its lease.
  lab.machine('fedora42').config.description = 'a note';
  await expect(vm.setConfig({ hostpci0: 'mapping=gpu' }, { digest: stale.digest })).rejects.toMatchObject({
    code: 'CONFIG_CHANGED',
  });
  vm.hold = { ...ANY_TIME, assertHeld: () => Promise.resolve() };
  await expect(plugGpu(vm, gpu, (config) => claim.confirm(config))).rejects.toMatchObject({
    code: 'LEASE_LOST',
  });
  expect(holders()).toEqual([]);
});

test('notes that cannot be read may ask for any GPU: they are waited out', async () => {
  leased('ubuntu2204', FAR, { gpu: ASKED });
  const { config } = lab.machine('ubuntu2204');
  config.description = String(config.description).replace('"beat":1', '"beat":');
  await take('fedora42', 'gpu', { wait: 600_000 });
  expect(clock.time).toBeGreaterThanOrEqual(240_000);
});

test('a pool has as many places as devices; whoever names one of its devices is waited for', async () => {
  leased('ubuntu2204', FAR, { gpu: { ...ASKED, mapping: 'gpus', slots: ['0000:02:00', '0000:03:00'] } });
  const { claim, lease, gpu } = await take('fedora42', 'gpus');
  expect(gpu).toMatchObject({ places: 2, ids: ['10de:2684'] });
  await claim.release();
  await lease.release();
  leased('windows11', FAR, { gpu: { name: 'GPU', slots: ['0000:03:00'], at: ASKED.at } });
  await expect(take('fedora42', 'gpus')).rejects.toMatchObject({ code: 'GPU_HELD' });
});

test('two leased VMs that both have the GPU do not wait for each other for ever', async () => {
  for (const name of ['fedora42', 'ubuntu2204']) lab.machine(name).config.hostpci0 = 'mapping=gpu,pcie=1';
  leased('ubuntu2204', FAR);
  await expect(take('fedora42')).rejects.toMatchObject({ code: 'GPU_HELD' });
  expect(lab.machine('fedora42').config).not.toHaveProperty('hostpci0');
  expect(lab.machine('ubuntu2204').config).toHaveProperty('hostpci0');
});

test('a snapshot that would bring back a device of others is not rolled back to', async () => {
  const { vm, gpu, claim, lease } = await take('fedora42');
  await plugGpu(vm, gpu, (config) => claim.confirm(config));
  await vm.stop();
  await vm.checkpoint('withgpu');
  await vm.snapshots.rollback('withgpu', { start: false });
  await vm.snapshots.rollback('ready');
  await claim.release();
  await expect(vm.snapshots.rollback('withgpu')).rejects.toMatchObject({
    code: 'GPU_UNCLAIMED',
    seen: 'mapping=gpu,pcie=1',
  });
  vm.hold = {
    ...ANY_TIME,
    assertHeld: (what) => lease.assertHeld(what),
    mayPlug: (device) => gpu.isNamedBy(device),
  };
  await vm.snapshots.rollback('withgpu', { start: false });
  expect(lab.machine('fedora42').config.hostpci0).toBe('mapping=gpu,pcie=1');
});
