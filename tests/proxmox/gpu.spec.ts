import { expect } from '@playwright/test';
import type { Vm } from '../../fixtures/proxmox/index.ts';
import { findGpu, plugGpu, unplugGpu, waitForGpu } from '../../fixtures/proxmox/index.ts';
import { parseHostpci } from '../../fixtures/proxmox/pci.ts';
import { fakeClock } from './support/clock.ts';
import { held, labConnection, test } from './support/fixtures.ts';

const anyone = (): void => undefined;

test('what a hostpci names: mappings, whole devices, functions, with and without a domain', () => {
  expect(parseHostpci('mapping=gpu,pcie=1,x-vga=1')).toEqual({ mapping: 'gpu', slots: [] });
  expect(parseHostpci('0000:01:00,pcie=1')).toEqual({ mapping: undefined, slots: ['0000:01:00'] });
  expect(parseHostpci('01:00.0;01:00.1')).toEqual({ mapping: undefined, slots: ['0000:01:00'] });
  expect(parseHostpci('host=0000:0A:00.1,rombar=0').slots).toEqual(['0000:0a:00']);
});

test('a mapping and the addresses behind it are one GPU; another card is not', async ({ lab, connect }) => {
  const { api } = await connect(labConnection(lab));
  const gpu = await findGpu(api, 'pve', { mapping: 'gpu' });
  expect(gpu).toMatchObject({ option: 'mapping=gpu', places: 1, ids: ['10de:2684'] });
  const named = ['mapping=gpu,pcie=1', '0000:01:00', '01:00.1', 'mapping=gpus', '0000:02:00'];
  expect(named.map((value) => gpu.isNamedBy(value))).toEqual([true, true, true, false, false]);
  const raw = await findGpu(api, 'pve', { address: ['0000:02:00.0', '0000:02:00.1'] });
  expect(raw).toMatchObject({ option: '0000:02:00.0;0000:02:00.1', slots: ['0000:02:00'], places: 1 });
  expect(raw.isNamedBy('mapping=gpus')).toBe(true);
});

test('a GPU that is not there is an error that names what is', async ({ lab, connect }) => {
  const { api } = await connect(labConnection(lab));
  await expect(findGpu(api, 'pve', { mapping: 'nope' })).rejects.toMatchObject({
    code: 'GPU_NOT_FOUND',
    seen: 'gpu, gpus',
  });
  await expect(findGpu(api, 'pve', { address: ['0000:09:00'] })).rejects.toMatchObject({
    code: 'GPU_NOT_FOUND',
    seen: expect.stringContaining('0000:01:00.0 AD102 [GeForce RTX 4090]'),
  });
});

test('an address takes root itself: its token is refused, its log-in is not, for plugging and unplugging', async ({
  lab,
  connect,
}) => {
  const find = async (kind: 'token' | 'password'): Promise<[Vm, Awaited<ReturnType<typeof findGpu>>]> => {
    const proxmox = await connect(labConnection(lab, kind));
    const gpu = await findGpu(proxmox.api, 'pve', { address: ['0000:01:00'] });
    return [held(await proxmox.findVm('fedora42')), gpu];
  };
  const [byToken, gpu] = await find('token');
  await expect(plugGpu(byToken, gpu, anyone)).rejects.toMatchObject({ code: 'GPU_NEEDS_ROOT' });
  const [vm] = await find('password');
  await plugGpu(vm, gpu, anyone);
  expect(lab.machine('fedora42').config.hostpci0).toBe('0000:01:00,pcie=1');
  await waitForGpu(vm, gpu, 'linux');
  await expect(unplugGpu(byToken, gpu)).rejects.toMatchObject({ code: 'GPU_NEEDS_ROOT' });
  await unplugGpu(vm, gpu);
  expect(lab.machine('fedora42').config).not.toHaveProperty('hostpci0');
  expect(lab.machine('fedora42').isRunning()).toBe(true);
});

test('a device that is reserved or still in use is waited for, for three minutes', async ({
  lab,
  connect,
}) => {
  const proxmox = await connect(labConnection(lab));
  const vm = held(await proxmox.findVm('fedora42'));
  const gpu = await findGpu(proxmox.api, 'pve', { mapping: 'gpu' });
  lab.pci.reserved.set('0000:01:00.0', 106);
  const clock = fakeClock();
  await expect(plugGpu(vm, gpu, anyone, clock)).rejects.toMatchObject({
    code: 'GPU_BUSY',
    seen: expect.stringContaining("PCI device '0000:01:00.0' is currently reserved for use by VMID '106'"),
  });
  expect(clock.now()).toBeGreaterThanOrEqual(180_000);
  const later = { ...clock, sleep: (ms: number) => (lab.pci.reserved.clear(), clock.sleep(ms)) };
  await plugGpu(vm, gpu, anyone, later);
  expect(await vm.isRunning()).toBe(true);
  const other = lab.machine('windows10');
  await other.guest.stop();
  other.config.hostpci0 = 'mapping=gpu,pcie=1';
  await expect((await proxmox.findVm('windows10')).start()).rejects.toMatchObject({
    code: 'GPU_BUSY',
    seen: expect.stringContaining("PCI device '0000:01:00.0' already in use by VMID '101'"),
  });
});

test('a guest that does not see the GPU is an error; with RAM such a machine is not kept', async ({
  lab,
  connect,
}) => {
  const proxmox = await connect(labConnection(lab));
  const vm = held(await proxmox.findVm('fedora42'));
  const gpu = await findGpu(proxmox.api, 'pve', { mapping: 'gpu' });
  await expect(waitForGpu(vm, gpu, 'linux', fakeClock())).rejects.toMatchObject({
    code: 'GPU_INVISIBLE',
    expected: '10de:2684',
    seen: expect.stringContaining('1234:1111'),
  });
  await plugGpu(vm, gpu, anyone);
  await expect(vm.snapshots.create('ram', { ram: true })).rejects.toMatchObject({ code: 'TASK_FAILED' });
  await vm.checkpoint('disk');
  expect(await vm.snapshots.get('disk')).toMatchObject({ ram: false });
});
