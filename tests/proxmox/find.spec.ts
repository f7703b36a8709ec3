import { expect } from '@playwright/test';
import { failure, labConnection, test } from './support/fixtures.ts';
import { type Answer, ok, type ScriptedRequest } from './support/scripted-server.ts';

const RESOURCES = [
  { vmid: 100, name: 'fedora42', node: 'pve1', type: 'qemu' },
  { vmid: 101, name: 'web', node: 'pve1', type: 'qemu' },
  { vmid: 201, name: 'web', node: 'pve2', type: 'qemu' },
  { vmid: 300, name: 'container', node: 'pve1', type: 'lxc' },
  { vmid: 301, node: 'pve1', type: 'qemu', status: 'unknown' },
];

/** PVE's list of a node's VMs has names. */
function cluster({ path }: ScriptedRequest): Answer {
  const [, node] = /^\/nodes\/([^/]+)\/qemu$/.exec(path) ?? [];
  if (node === undefined) return ok(RESOURCES);
  const own = RESOURCES.filter((entry) => entry.node === node && entry.type === 'qemu');
  return ok(own.map(({ vmid, name }) => ({ vmid, status: 'stopped', name: name ?? 'fresh' })));
}

test('a VM is found by name, by id and on a node', async ({ scripted, connect }) => {
  const server = await scripted(cluster);
  const proxmox = await connect(server.connection());
  expect(await proxmox.findVm('fedora42')).toMatchObject({ vmid: 100, node: 'pve1', name: 'fedora42' });
  expect(await proxmox.findVm(201)).toMatchObject({ node: 'pve2', name: 'web' });
  expect(await proxmox.findVm('web', 'pve2')).toMatchObject({ vmid: 201 });
  expect((await proxmox.findVm('web', 'pve1')).label).toBe('VM 101 (web) on pve1');
  expect(server.requests.at(-1)?.query).toBe('type=vm');
});

test('a name that is used twice is VM_AMBIGUOUS and names both', async ({ scripted, connect }) => {
  const server = await scripted(cluster);
  const proxmox = await connect(server.connection());
  expect(await failure(proxmox.findVm('web'))).toMatchObject({
    code: 'VM_AMBIGUOUS',
    seen: '101 on pve1, 201 on pve2',
  });
});

test('what is not there is VM_NOT_FOUND and names what is; containers are no VMs', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(cluster);
  const proxmox = await connect(server.connection());
  for (const [ref, node] of [
    ['nowhere', undefined],
    ['container', undefined],
    [300, undefined],
    ['fedora42', 'pve2'],
  ] as const) {
    expect(await failure(proxmox.findVm(ref, node))).toMatchObject({ code: 'VM_NOT_FOUND' });
  }
  expect(await failure(proxmox.findVm('x', 'pve2'))).toMatchObject({ seen: '201 web' });
  expect(await failure(proxmox.findVm('x', 'pve9'))).toMatchObject({ seen: 'no VMs' });
});

test('of many VMs twelve are named', async ({ scripted, connect }) => {
  const many = Array.from({ length: 40 }, (_, index) => ({
    vmid: 100 + index,
    name: `vm${index}`,
    node: 'pve',
    type: 'qemu',
  }));
  const server = await scripted(() => ok(many));
  const error = await failure((await connect(server.connection())).findVm('x'));
  expect(error.message).toContain('111 vm11 and 28 more');
  expect(error.message).not.toContain('vm12');
});

test("the lab's machines are found", async ({ lab, connect }) => {
  const proxmox = await connect(labConnection(lab));
  expect(await proxmox.findVm('fedora42')).toMatchObject({ vmid: 101, node: 'pve' });
  expect(await proxmox.findVm(106, 'pve')).toMatchObject({ name: 'windows10' });
});
