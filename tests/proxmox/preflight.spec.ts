import { expect } from '@playwright/test';
import type { Lab } from '../../lab/index.ts';
import { checkHardware, hardwareDifferences, isQ35 } from '../../fixtures/proxmox/index.ts';
import { failure, labConnection, test } from './support/fixtures.ts';
import { ok } from './support/scripted-server.ts';

const WANTED = { vga: 'std', machine: 'q35' } as const;

function writes(lab: Lab) {
  return lab.requests.filter(({ method }) => method !== 'GET');
}

test('suitable hardware gives no warning and no write', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  expect(await checkHardware(vm, 'linux', WANTED, { fix: true })).toEqual([]);
  expect(writes(lab)).toEqual([]);
});

test('M3: another vga than std fails the preflight, naming it, and writes nothing', async ({
  lab,
  connect,
}) => {
  lab.machine('fedora42').config.vga = 'virtio';
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  const error = await failure(checkHardware(vm, 'linux', WANTED));
  expect(error).toMatchObject({ code: 'HARDWARE_UNSUITABLE', expected: 'vga=std', seen: 'vga=virtio' });
  for (const word of ['vga', 'virtio', 'std']) expect(error.message).toContain(word);
  expect(writes(lab)).toEqual([]);
});

const NOT_STD = [
  'virtio-gl',
  'qxl',
  'qxl4',
  'cirrus',
  'vmware',
  'serial0',
  'none',
  'qxl,memory=32',
  'memory=32,type=virtio',
];
test('M3: nothing but std passes, however the option is written, and none at all neither', async ({
  lab,
  connect,
}) => {
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  const { config } = lab.machine('fedora42');
  for (const vga of [...NOT_STD, undefined]) {
    if (vga === undefined) delete config.vga;
    else config.vga = vga;
    expect(await failure(checkHardware(vm, 'linux', WANTED)), vga).toMatchObject({
      code: 'HARDWARE_UNSUITABLE',
      expected: 'vga=std',
    });
  }
  for (const vga of ['std', 'std,memory=32', 'memory=32,type=std']) {
    config.vga = vga;
    expect(await checkHardware(vm, 'linux', WANTED), vga).toEqual([]);
  }
});

test('M3: with fix it is one PUT that carries exactly vga=std', async ({ lab, connect }) => {
  lab.machine('fedora42').config.vga = 'virtio';
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  const warnings = await checkHardware(vm, 'linux', WANTED, { fix: true });
  expect(warnings).toEqual([
    'VM 101 (fedora42) on pve: changed vga=virtio to vga=std; in effect from the next start',
  ]);
  expect(writes(lab)).toMatchObject([
    {
      method: 'PUT',
      path: '/api2/json/nodes/pve/qemu/101/config',
      body: expect.stringMatching(/^vga=std&digest=[0-9a-f]{40}$/),
      status: 200,
    },
  ]);
  expect((await vm.config()).vga).toBe('std');
});

test('a change that waits for the next start does not count: what runs now is what VNC shows', async ({
  lab,
  connect,
}) => {
  const machine = lab.machine('fedora42');
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  await vm.setConfig({ vga: 'virtio' });
  expect((await vm.config()).vga).toBe('virtio');
  expect(await checkHardware(vm, 'linux', WANTED)).toEqual([]);

  machine.config.vga = 'virtio';
  await vm.setConfig({ vga: 'std' });
  expect((await vm.config()).vga).toBe('std');
  expect(await failure(checkHardware(vm, 'linux', WANTED))).toMatchObject({
    code: 'HARDWARE_UNSUITABLE',
    seen: 'vga=virtio',
  });
});

test('the message for qxl says why: windows that VNC capture does not show', async ({ lab, connect }) => {
  lab.machine('fedora42').config.vga = 'qxl,memory=32';
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  const error = await failure(checkHardware(vm, 'linux', WANTED));
  expect(error.message).toContain('qxl');
  expect(error.message).toMatch(/VNC capture/);
});

test('M5: q35 and its versions pass; i440fx and no machine fail the preflight', async ({ lab, connect }) => {
  expect([isQ35('q35'), isQ35('pc-q35-8.1+pve0')]).toEqual([true, true]);
  expect([isQ35('i440fx'), isQ35('pc-i440fx-8.1'), isQ35(undefined)]).toEqual([false, false, false]);
  const machine = lab.machine('fedora42');
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  machine.config.machine = 'pc-q35-8.1+pve0';
  expect(await checkHardware(vm, 'linux', WANTED)).toEqual([]);
  machine.config.machine = 'pc-i440fx-8.1';
  expect(await failure(checkHardware(vm, 'linux', WANTED))).toMatchObject({
    code: 'HARDWARE_UNSUITABLE',
    expected: 'machine=q35',
    seen: 'machine=pc-i440fx-8.1',
  });
  Reflect.deleteProperty(machine.config, 'machine');
  expect(await failure(checkHardware(vm, 'linux', WANTED))).toMatchObject({
    code: 'HARDWARE_UNSUITABLE',
    seen: 'machine=default (i440fx)',
  });
});

test('vga is read as PVE writes it', () => {
  const vgaOf = (vga: unknown) => hardwareDifferences({ vga, machine: 'q35' }, WANTED).vga?.seen;
  expect(['std', 'std,memory=64', 'type=std', 'memory=64,type=std'].map(vgaOf)).toEqual(
    Array(4).fill(undefined),
  );
  expect(['virtio-gl', 'memory=64,type=qxl', undefined].map(vgaOf)).toEqual(['virtio-gl', 'qxl', 'default']);
});

test('M6: a config change is PUT /nodes/<node>/qemu/<vmid>/config', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  await vm.setConfig({ vga: 'std' });
  expect(writes(lab)).toMatchObject([
    {
      method: 'PUT',
      path: '/api2/json/nodes/pve/qemu/101/config',
      body: expect.stringMatching(/^vga=std&digest=[0-9a-f]{40}$/),
    },
  ]);
});

test('M6: a value goes into the body whole, whatever separates pairs', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  const description = 'a=b&c;d +%41 é\n"e"';
  await vm.setConfig({ description });
  const body = writes(lab)[0]?.body ?? '';
  expect([...new URLSearchParams(body)]).toEqual([
    ['description', description],
    ['digest', expect.stringMatching(/^[0-9a-f]{40}$/)],
  ]);
  // PVE splits on semicolons too, which no form of the web does.
  expect(body).not.toMatch(/[;+ ]/);
});

test('M6: node names are URL-encoded', async ({ scripted, connect }) => {
  const node = 'a/b?c#d%e';
  const server = await scripted(({ method, path }) => {
    if (path.endsWith('/config')) return ok(method === 'GET' ? { digest: '0'.repeat(40) } : null);
    return ok([{ vmid: 101, name: 'vm', node, type: 'qemu' }]);
  });
  const vm = await (await connect(server.connection())).findVm(101);
  await vm.setConfig({ vga: 'std' });
  expect(server.calls().at(-1)).toBe('PUT /nodes/a%2Fb%3Fc%23d%25e/qemu/101/config');
});

for (const vga of ['virtio', 'qxl', 'serial0', 'none', 'std']) {
  test(`M8: Windows with vga ${vga}: no write and no error, a warning at most`, async ({ lab, connect }) => {
    const machine = lab.machine('windows10');
    machine.config.vga = vga;
    machine.config.machine = 'pc-i440fx-8.1';
    const vm = await (await connect(labConnection(lab))).findVm('windows10');
    for (const fix of [false, true]) {
      const wanted = { vga: 'std' };
      const warnings = await checkHardware(vm, 'windows', wanted, { fix });
      expect(warnings).toEqual(
        vga === 'std' ? [] : [`VM 106 (windows10) on pve: vga=${vga} where vga=std is known to work`],
      );
    }
    expect(writes(lab)).toEqual([]);
  });
}
