/** Who lacks a privilege gets PVE's own 403 at each endpoint, and an error that says what to give and where. */
import { readFileSync } from 'node:fs';
import { expect } from '@playwright/test';
import { neededRights } from '../../fixtures/doctor/rights.ts';
import { Lease, notesOf } from '../../fixtures/lease/index.ts';
import { findGpu, type Proxmox, type Vm } from '../../fixtures/proxmox/index.ts';
import { type Permission, PERMISSIONS } from '../../lab/api/permissions.ts';
import type { Lab } from '../../lab/index.ts';
import { openConsole } from '../lab/support/console.ts';
import { api as raw, targetOf, tokenOf } from '../lab/support/raw.ts';
import { FakeClock, hostOf, runOf } from '../lease/support/lease.ts';
import { fakeClock } from './support/clock.ts';
import { failure, labConnection, test } from './support/fixtures.ts';

const ME = runOf('me', { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } });
const HERE = hostOf({ 200: 2000, 201: 2001 });
const VM = '/vms/101';

/** The role of the guide: `pveum role add`, for PVE 9. */
const ROLE = /pveum role add vmwright --privs '([^']+)'/
  .exec(readFileSync('docs/guide.md', 'utf8'))![1]!
  .split(' ');
const OTHERS = ['VM.Snapshot', 'VM.Config.HWType', 'Mapping.Use', 'Sys.Audit'];

const VALUES: Readonly<Record<string, string>> = { node: 'pve', vmid: '101', snapname: 'ready', upid: 'x' };
const CHECKED = Object.entries<Permission>(PERMISSIONS).flatMap(([route, permission]) => {
  if (typeof permission === 'string') return [];
  const [method = '', path = ''] = route.split(' ');
  const fill = (text: string): string => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => VALUES[name]!);
  const on = fill(permission.path);
  const { privileges, any = false } = permission;
  // Of several that are enough none is there; of several that are needed one is not.
  const cases = any
    ? [{ gone: privileges, words: privileges.join('|') }]
    : privileges.map((privilege) => ({ gone: [privilege], words: privilege }));
  return cases.map(({ gone, words }) => ({ route, method, path: fill(path), on, gone, words }));
});

function call(proxmox: Proxmox, method: string, path: string): Promise<unknown> {
  let node: unknown = proxmox.api;
  const values = new Set(Object.values(VALUES));
  for (const part of path.slice(1).split('/')) {
    const { $, [part]: next } = node as { $: (value: string) => unknown } & Record<string, unknown>;
    node = values.has(part) ? $.call(node, part) : next;
  }
  const verb = `$${method.toLowerCase()}`;
  return (node as Record<string, () => Promise<unknown>>)[verb]!();
}

test('CL12: at each endpoint a role without its privilege gets the 403 of PVE, and the error names privilege and path', async ({
  lab,
  connect,
}) => {
  const proxmox = await connect(labConnection(lab), fakeClock());
  expect(CHECKED.length).toBeGreaterThan(30);
  for (const { route, method, path, on, gone, words } of CHECKED) {
    const all = [...ROLE, ...OTHERS, 'VM.Config.Disk', 'Sys.Modify', ...gone];
    lab.access.acl.set('/', new Set(all.filter((name) => !gone.includes(name))));
    const said = `Permission check failed (${on}, ${words})`;
    if (route.endsWith('vncwebsocket')) {
      const console = await openConsole(targetOf(lab), `${path}?port=5900&vncticket=x`, tokenOf(lab));
      expect(console).toMatchObject({
        answer: `403 ${said}`,
        body: JSON.stringify({ data: null, message: `${said}\n` }),
      });
      continue;
    }
    const reply = await raw(lab)(method, path);
    expect(reply.statusLine, route).toBe(`HTTP/1.1 403 ${said}`);
    expect(JSON.parse(reply.body), route).toEqual({ data: null, message: `${said}\n` });
    const error = await failure(call(proxmox, method, path));
    expect(error, route).toMatchObject({ code: 'PROXMOX_FORBIDDEN', pveText: said });
    const named = words.split('|').join(' or ');
    expect(error.message, route).toContain(`the privilege ${named} is missing on ${on}`);
    expect((error as { next?: string }).next, route).toContain(`a role with ${named} on ${on} (`);
    // One of those that are enough is enough.
    for (const one of words.includes('|') ? gone : []) {
      lab.access.acl.set('/', new Set([one]));
      expect((await raw(lab)(method, path)).statusLine, `${route} with ${one}`).not.toContain(' 403 ');
    }
  }
});

/** What the verbs of a run take, in the order of a run. */
async function session(lab: Lab, connect: (clock: ReturnType<typeof fakeClock>) => Promise<Proxmox>) {
  const proxmox = await connect(fakeClock({ real: 20 }));
  const vm = await proxmox.findVm('fedora42');
  const store = notesOf(vm);
  const clock = new FakeClock();
  const lease = (): Promise<Lease> => Lease.acquire(store, { self: ME, wait: 0, clock, processes: HERE });
  return { proxmox, vm, lease, machine: lab.machine('fedora42') };
}

const RUN: readonly (readonly [string, (vm: Vm, lease: () => Promise<Lease>) => Promise<unknown>])[] = [
  ['status', (vm) => vm.status()],
  ['snapshots', (vm) => vm.snapshots.get('ready')],
  [
    'lease',
    async (vm, lease) => {
      vm.hold = await lease();
    },
  ],
  ['rollback', (vm) => vm.snapshots.rollback('ready')],
  ['clock', (vm) => vm.agent.setClock()],
  ['address', (vm) => vm.ip()],
  ['console', (vm) => vm.console()],
  ['reset', (vm) => vm.reset()],
  ['reboot', (vm) => vm.reboot()],
  ['shutdown', (vm) => vm.shutdown()],
  ['start', (vm) => vm.start()],
];

/** The verbs that fail without it. A VM that may not be audited is not even found. */
const LOST: Readonly<Record<string, readonly string[]>> = {
  'VM.PowerMgmt': ['reset', 'reboot', 'shutdown'],
  'VM.Snapshot.Rollback': ['rollback'],
  'VM.Config.Options': ['lease'],
  'VM.Console': ['console'],
  'VM.GuestAgent.Unrestricted': ['clock', 'address'],
};

test('CL12: the role of the guide, on the machine alone, is enough for a run; without any one of it the verb that needs it says so', async ({
  lab,
  connect,
}) => {
  test.setTimeout(120_000);
  expect(ROLE.toSorted()).toEqual(
    neededRights('9.2')
      .map(({ anyOf }) => anyOf[0]!)
      .toSorted(),
  );
  lab.access.acl.set('/', new Set());
  const grant = (without?: string): unknown =>
    lab.access.acl.set(VM, new Set(ROLE.filter((name) => name !== without)));
  const whole = {
    mayTouch: () => true,
    assertMayTouch: () => undefined,
    assertHeld: () => Promise.resolve(),
  };
  for (const without of [undefined, ...ROLE]) {
    grant();
    lab.machine('fedora42').config.description = '';
    if (!lab.machine('fedora42').isRunning()) await lab.machine('fedora42').guest.start({});
    const { proxmox, vm, lease } = await session(lab, (clock) => connect(labConnection(lab), clock));
    grant(without);
    if (without === 'VM.Audit') {
      const error = await failure(proxmox.findVm(101));
      expect(error).toMatchObject({
        code: 'VM_NOT_FOUND',
        next: expect.stringContaining('VM.Audit on /vms/101'),
      });
      expect(await failure(vm.status())).toMatchObject({
        pveText: `Permission check failed (${VM}, VM.Audit)`,
      });
      continue;
    }
    const failed: string[] = [];
    for (const [name, verb] of RUN) {
      vm.hold ??= whole;
      if (name === 'lease') vm.hold = undefined;
      const error = await verb(vm, lease).then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      );
      if (error === undefined) continue;
      failed.push(name);
      expect(error, `${name} without ${without}`).toMatchObject({ code: 'PROXMOX_FORBIDDEN' });
      expect(error.message, name).toMatch(
        new RegExp(
          `the privilege [\\w. ]*\\b${without?.replaceAll('.', '\\.')}\\b[\\w. ]* is missing on ${VM}`,
        ),
      );
    }
    expect(failed, `without ${without}`).toEqual(without === undefined ? [] : LOST[without]);
  }
});

test('CL12: what a token may not see is not listed: VMs, mappings, tasks of others, lines of the log', async ({
  lab,
  connect,
}) => {
  const { access } = lab;
  access.acl.set('/', new Set());
  access.acl.set(VM, new Set(ROLE));
  const proxmox = await connect(labConnection(lab), fakeClock());
  const listed = (list: unknown): unknown[] => (list as { vmid: number }[]).map(({ vmid }) => vmid);
  expect(listed(await proxmox.api.cluster.resources.$get({ type: 'vm' }))).toEqual([101]);
  expect(listed(await proxmox.api.nodes.$('pve').qemu.$get())).toEqual([101]);
  expect((await failure(proxmox.findVm('windows10'))).message).toContain('the token may not see it');

  expect(await failure(findGpu(proxmox.api, 'pve', { mapping: 'gpu' }))).toMatchObject({
    code: 'GPU_NOT_FOUND',
    seen: 'no mappings',
    next: expect.stringContaining('Mapping.Use on /mapping/pci/gpu'),
  });
  const byAddress = await failure(findGpu(proxmox.api, 'pve', { address: ['0000:01:00'] }));
  expect(byAddress).toMatchObject({
    code: 'PROXMOX_FORBIDDEN',
    pveText: 'Permission check failed (/, Sys.Audit|Sys.Modify)',
  });
  access.acl.set('/nodes/pve', new Set(['Sys.Audit']));
  await expect(findGpu(proxmox.api, 'pve', { address: ['0000:01:00'] })).rejects.toThrow('is missing on /');
  access.acl.set('/', new Set(['Sys.Audit']));
  expect(await findGpu(proxmox.api, 'pve', { address: ['0000:01:00'] })).toMatchObject({ places: 1 });
  access.acl.set('/', new Set());
  access.acl.delete('/nodes/pve');

  // A rollback that starts the machine takes what a start takes.
  access.acl.set(VM, new Set(['VM.Audit', 'VM.Snapshot.Rollback']));
  const rollback = proxmox.api.nodes.$('pve').qemu.$(101).snapshot.$('ready').rollback;
  expect(await failure(rollback.$post({ start: true }))).toMatchObject({
    pveText: `Permission check failed (${VM}, VM.PowerMgmt)`,
  });
  access.acl.set(VM, new Set(ROLE));

  const foreign = lab.tasks.run('qmstart', '101', 'root@pam', () => Promise.resolve(undefined));
  await foreign.done;
  const task = proxmox.api.nodes.$('pve').tasks.$(foreign.upid);
  const refusal = { code: 'PROXMOX_FORBIDDEN', pveText: 'Permission check failed (/nodes/pve, Sys.Audit)' };
  expect(await failure(task.status.$get())).toMatchObject(refusal);
  expect(await failure(task.log.$get())).toMatchObject(refusal);
  expect(await proxmox.api.nodes.$('pve').tasks.$get({ source: 'all' })).toEqual([]);
  expect(await proxmox.api.cluster.log.$get()).toEqual([]);
  access.acl.set('/', new Set(['Sys.Audit', 'Sys.Syslog']));
  expect(await task.status.$get()).toMatchObject({ exitstatus: 'OK' });
  expect(await proxmox.api.nodes.$('pve').tasks.$get({ source: 'all' })).toHaveLength(1);
  expect(await proxmox.api.cluster.log.$get()).toHaveLength(2);
});

test('CL12: each option of a config takes its own privilege, a device two', async ({ lab, connect }) => {
  const { access } = lab;
  const vm = await (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
  const config = lab.machine('fedora42').config;
  const refusals: readonly (readonly [Record<string, string>, readonly string[], string, string])[] = [
    [{ description: 'x' }, ['VM.Config.HWType'], VM, 'VM.Config.Options'],
    [{ tags: 'x' }, ['VM.Config.HWType'], VM, 'VM.Config.Options'],
    [{ vga: 'qxl' }, ['VM.Config.Options'], VM, 'VM.Config.HWType'],
    [{ machine: 'q35' }, ['VM.Config.Options'], VM, 'VM.Config.HWType'],
    [{ memory: '64' }, ['VM.Config.Options'], VM, 'VM.Config.Memory'],
    [{ hostpci0: 'mapping=gpu' }, ['VM.Config.HWType'], '/mapping/pci/gpu', 'Mapping.Use'],
    [{ hostpci0: 'mapping=gpu' }, ['VM.Config.Options', 'Mapping.Use'], VM, 'VM.Config.HWType'],
  ];
  for (const [change, held, path, privilege] of refusals) {
    access.acl.set('/', new Set(['VM.Audit', ...held]));
    const before = { ...config };
    expect(await failure(vm.setConfig(change))).toMatchObject({
      code: 'PROXMOX_FORBIDDEN',
      pveText: `Permission check failed (${path}, ${privilege})`,
    });
    // Whoever may change nothing is told of all that PVE lists; what is meant is said.
    access.acl.set('/', new Set(['VM.Audit']));
    const nothing = await failure(vm.setConfig(change));
    expect((nothing as { pveText?: string }).pveText).toContain(`(${VM}, VM.Config.Disk|VM.Config.CDROM|`);
    const meant =
      change.memory === undefined
        ? change.hostpci0 === undefined
          ? privilege
          : 'VM.Config.HWType'
        : 'VM.Config.Memory';
    expect(nothing.message).toContain(meant);
    if (change.memory === undefined)
      expect(nothing.message).toContain(`the privilege ${meant} is missing on ${VM}`);
    expect({ ...config }).toEqual(before);
  }
});
