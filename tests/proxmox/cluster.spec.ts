/** A cluster that is not all there: nodes that are offline or silent, machines that move, an API that is away for a while. */
import { expect } from '@playwright/test';
import { surveyCluster } from '../../cli/init/cluster.ts';
import { Lease } from '../../fixtures/lease/lease.ts';
import { notesOf } from '../../fixtures/lease/store.ts';
import type { Lab } from '../../lab/index.ts';
import { FakeClock, hostOf, runOf } from '../lease/support/lease.ts';
import { type FakeClock as Pauses, fakeClock } from './support/clock.ts';
import { failure, held, labConnection, test } from './support/fixtures.ts';
import { type Answer, ok, type ScriptedRequest } from './support/scripted-server.ts';

test('CL9: VMs without a name in the cluster’s list are found by the names that their nodes tell', async ({
  lab,
  connect,
}) => {
  lab.silent.add('pve');
  const proxmox = await connect(labConnection(lab));
  expect(await proxmox.findVm('fedora42')).toMatchObject({ vmid: 101, node: 'pve', name: 'fedora42' });
  expect(await proxmox.findVm(106)).toMatchObject({ name: 'windows10' });
  expect((await failure(proxmox.findVm('nowhere'))).message).toContain('101 fedora42, 106 windows10');
});

test('CL9: VMs of a node that is offline are named and passed over', async ({ lab, connect }) => {
  lab.others.set('pve2', 'offline');
  lab.machine('windows10').node = 'pve2';
  const proxmox = await connect(labConnection(lab), fakeClock());
  expect(await proxmox.findVm('fedora42')).toMatchObject({ vmid: 101 });
  const error = await failure(proxmox.findVm('windows10'));
  expect(error).toMatchObject({ code: 'VM_NOT_FOUND' });
  expect(error.message).toContain('106 on pve2 (the node is offline)');
  expect(error.message).toContain('bring the node back');
  expect((await proxmox.findVm(106)).label).toBe('VM 106 (106) on pve2');

  const said: string[] = [];
  const found = await surveyCluster(proxmox, (text) => said.push(text));
  expect(found.map(({ vmid, name }) => `${vmid} ${name}`)).toEqual(['101 fedora42']);
  expect(said.join('\n')).toContain('VM 106 is left out: its node pve2 does not answer');
});

test('CL9: init looks at VMs of a node whose pvestatd is silent as at others', async ({ lab, connect }) => {
  lab.silent.add('pve');
  const found = await surveyCluster(await connect(labConnection(lab)), () => undefined);
  expect(found.map(({ name }) => name)).toEqual(['fedora42', 'windows10']);
});

test('CL9: a template of the same name is not meant', async ({ lab, connect }) => {
  for (const silent of [false, true]) {
    if (silent) lab.silent.add('pve');
    const template = lab.machine('windows10');
    template.config = { ...template.config, name: 'fedora42', template: 1 };
    const proxmox = await connect(labConnection(lab));
    expect(await proxmox.findVm('fedora42')).toMatchObject({ vmid: 101 });
    expect(await proxmox.findVm(106)).toMatchObject({ vmid: 106 });
    expect((await surveyCluster(proxmox, () => undefined)).map(({ vmid }) => vmid)).toEqual([101]);
    template.config = { ...template.config, name: 'windows10' };
  }
});

test('CL10: a VM that was moved to another node is followed by every kind of call, and its lease with it', async ({
  lab,
  connect,
}) => {
  lab.others.set('pve2', 'online');
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  const self = runOf('me', { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } });
  const clock = new FakeClock();
  const lease = await Lease.acquire(notesOf(vm), {
    self,
    wait: 0,
    clock,
    processes: hostOf({ 200: 2000, 201: 2001 }),
  });
  const machine = lab.machine('fedora42');
  const move = (node: string): string => (machine.node = node);
  move('pve2');
  await lease.assertHeld('go on');
  expect(vm.label).toBe('VM 101 (fedora42) on pve2');
  for (const [node, action] of [
    ['pve', () => vm.config()],
    ['pve2', () => vm.setConfig({ tags: 'moved' })],
    ['pve', () => vm.agent.exec(['/bin/true'])],
    ['pve2', () => vm.ip()],
    ['pve', () => vm.reset()],
    ['pve2', () => vm.snapshots.list()],
    ['pve', () => held(vm).snapshots.rollback('ready')],
  ] as const) {
    move(node);
    await action();
    expect(vm.node).toBe(node);
    if (node === 'pve2') expect(machine.config.tags).toBe('moved');
  }
  move('pve2');
  expect((await vm.console()).url).toContain('/nodes/pve2/qemu/101/vncwebsocket');
  // Nothing was sent to two nodes that the first had done.
  const resets = lab.requests.filter(({ path, status }) => path.endsWith('/status/reset') && status === 200);
  expect(resets).toHaveLength(1);
});

test('CL10: running waits go on over a migration, and after its node died', async ({ lab, connect }) => {
  lab.others.set('pve2', 'online');
  lab.others.set('pve3', 'online');
  const machine = lab.machine('fedora42');
  const clock = fakeClock();
  const vm = await (await connect(labConnection(lab), clock)).findVm('fedora42');
  machine.lock = 'migrate';
  const looks = (): number => lab.requests.filter(({ path }) => path.endsWith('/status/current')).length;
  lab.tamper = () => {
    if (looks() === 3) Object.assign(machine, { node: 'pve2', lock: undefined });
    return undefined;
  };
  await vm.waitUnlocked();
  expect(vm.node).toBe('pve2');
  // HA starts a machine elsewhere once its node is gone.
  await machine.guest.stop();
  const before = looks();
  lab.tamper = () => {
    if (looks() === before + 2) lab.others.set('pve2', 'offline');
    if (looks() === before + 12) {
      machine.node = 'pve3';
      void machine.guest.start(machine.config);
    }
    return undefined;
  };
  await vm.waitForStatus('running');
  expect(vm.node).toBe('pve3');
});

test('CL10: a node in the row pins the VM: moved away it is not there', async ({ lab, connect }) => {
  lab.others.set('pve2', 'online');
  const vm = await (await connect(labConnection(lab))).findVm('fedora42', 'pve');
  lab.machine('fedora42').node = 'pve2';
  await expect(vm.config()).rejects.toMatchObject({ code: 'VM_NOT_FOUND' });
  expect(vm.node).toBe('pve');
});

/** Nothing answers for so long, from the moment that `when` says. */
function outage(lab: Lab, clock: Pauses, ms: number, when: (path: string) => boolean): void {
  let until: number | undefined;
  lab.tamper = ({ method, path }) => {
    if (method === 'GET' && when(path)) until ??= clock.now() + ms;
    const isAway = until !== undefined && clock.now() < until;
    return isAway ? { carriedOut: false, instead: 'cut' } : undefined;
  };
}

for (const seconds of [5, 25]) {
  test(`CL13: the API may be away for ${seconds} s during a task and during a wait`, async ({
    lab,
    connect,
  }) => {
    const clock = fakeClock();
    const vm = await (await connect(labConnection(lab), clock)).findVm('fedora42');
    outage(lab, clock, seconds * 1000, (path) => /\/tasks\/[^/]+\/status$/.test(path));
    await vm.reset();
    outage(lab, clock, seconds * 1000, (path) => path.endsWith('/status/current'));
    await vm.waitForStatus('running');
    outage(lab, clock, seconds * 1000, (path) => path.endsWith('/agent/network-get-interfaces'));
    await vm.ip();
    outage(lab, clock, seconds * 1000, (path) => path.endsWith('/agent/exec-status'));
    expect((await vm.agent.exec(['/bin/echo', 'in'])).stdout).toBe('in\n');
    expect(
      lab.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/reset')),
    ).toHaveLength(1);
  });
}

test('CL13: the pauses grow, and an API that stays away is PROXMOX_UNREACHABLE after about half a minute', async ({
  lab,
  connect,
}) => {
  const clock = fakeClock();
  const vm = await (await connect(labConnection(lab), clock)).findVm('fedora42');
  outage(lab, clock, Infinity, (path) => path.includes('/tasks/'));
  const start = clock.now();
  await expect(vm.reset()).rejects.toMatchObject({ code: 'PROXMOX_UNREACHABLE' });
  expect(clock.now() - start).toBeGreaterThan(20_000);
  expect(clock.now() - start).toBeLessThan(40_000);
  expect(clock.pauses).toEqual(expect.arrayContaining([500, 1000, 2000, 4000, 5000]));
  // What Proxmox refuses is refused at once.
  lab.tamper = ({ path }) =>
    path.includes('/tasks/')
      ? {
          carriedOut: false,
          instead: { status: 403, reason: 'Permission check failed', body: '{"data":null}' },
        }
      : undefined;
  const refused = clock.now();
  await expect(vm.reset()).rejects.toMatchObject({ code: 'PROXMOX_FORBIDDEN' });
  expect(clock.now()).toBe(refused);
});

for (const [what, log] of [
  ['403', { status: 403, reason: 'Permission check failed (/nodes/pve, Sys.Audit)', json: { data: null } }],
  ['nothing', 'drop'],
  ['a web page', { status: 200, html: '<html>' }],
] as const satisfies readonly (readonly [string, Answer])[]) {
  test(`CL13: a task that failed is told by its status, though its log gives ${what}`, async ({
    scripted,
    connect,
  }) => {
    const upid = 'UPID:pve:00004686:0005B477:6A4A8EEF:qmreset:101:root@pam:';
    const exitstatus = 'start failed: QEMU exited with code 1';
    const server = await scripted(({ method, path }: ScriptedRequest): Answer => {
      if (path === '/cluster/resources') return ok([{ vmid: 101, name: 'vm', node: 'pve', type: 'qemu' }]);
      if (method === 'POST') return ok(upid);
      return path.endsWith('/log') ? log : ok({ upid, status: 'stopped', exitstatus });
    });
    const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
    const error = await failure(vm.reset());
    expect(error).toMatchObject({ code: 'TASK_FAILED' });
    expect(error.message).toContain(exitstatus);
    expect(error.message).toContain('not to be read');
  });
}

test('CL11: a hibernated VM is started, left off, and nothing else: at once, without the advice to unlock it', async ({
  lab,
  connect,
}) => {
  const clock = fakeClock();
  const vm = held(await (await connect(labConnection(lab), clock)).findVm('fedora42'));
  const machine = lab.machine('fedora42');
  await vm.stop();
  const hibernate = (): string => (machine.lock = 'suspended');
  for (const goOff of [() => vm.stop(), () => vm.shutdown()]) {
    hibernate();
    await goOff();
    expect(machine.lock).toBe('suspended');
  }
  for (const touch of [
    () => vm.snapshots.rollback('ready'),
    () => vm.snapshots.create('mine'),
    () => vm.waitUnlocked(),
  ]) {
    const before = clock.now();
    const error = await failure(touch());
    expect(error).toMatchObject({
      code: 'VM_LOCKED',
      seen: 'lock suspended',
      next: expect.stringContaining('start it'),
    });
    expect(error.message).not.toContain('qm unlock');
    expect(clock.now()).toBe(before);
  }
  await vm.start();
  expect(await vm.status()).toMatchObject({ status: 'running', lock: undefined });
});

test('CL11: power verbs on other locks end as Proxmox ends them', async ({ lab, connect }) => {
  const vm = held(await (await connect(labConnection(lab), fakeClock())).findVm('fedora42'));
  const machine = lab.machine('fedora42');
  const locked = { code: 'VM_LOCKED', message: expect.stringContaining('backup') };
  const ended = async (action: () => Promise<void>, lock = 'backup'): Promise<unknown> => {
    machine.lock = lock;
    const error = await action().then(
      () => 'done',
      (reason: unknown) => reason,
    );
    machine.lock = undefined;
    return error;
  };
  for (const verb of ['stop', 'shutdown', 'reboot', 'reset'] as const)
    expect(await ended(() => vm[verb]()), verb).toMatchObject(locked);
  expect(await ended(() => vm.suspend())).toBe('done');
  expect(await ended(() => vm.resume())).toBe('done');
  expect(await ended(() => vm.suspend(), 'migrate')).toMatchObject({ code: 'VM_LOCKED' });
  expect(await ended(() => vm.resume(), 'migrate')).toMatchObject({ code: 'VM_LOCKED' });
  await vm.stop();
  for (const verb of ['stop', 'shutdown'] as const) expect(await ended(() => vm[verb]()), verb).toBe('done');
  expect(await ended(() => vm.start())).toMatchObject(locked);
});
