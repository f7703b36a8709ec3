import { expect } from '@playwright/test';
import { failure, held, labConnection, test } from './support/fixtures.ts';
import { ok } from './support/scripted-server.ts';

const MACHINE = 'fedora42';

test('P-M33: the list hides "current"', async ({ scripted, connect }) => {
  const server = await scripted(({ path }) =>
    path === '/cluster/resources'
      ? ok([{ vmid: 101, name: 'vm', node: 'pve', type: 'qemu' }])
      : ok([
          { name: 'current', description: 'You are here!', digest: 'x', running: 1, parent: 'clean' },
          { name: 'clean', description: 'fresh', snaptime: 1_783_271_154, vmstate: 1, parent: 'base' },
          { name: 'base', snaptime: 1_783_271_000, vmstate: 0 },
        ]),
  );
  const vm = await (await connect(server.connection())).findVm(101);
  expect(await vm.snapshots.list()).toEqual([
    {
      name: 'clean',
      description: 'fresh',
      ram: true,
      takenAt: new Date('2026-07-05T17:05:54Z'),
      parent: 'base',
    },
    {
      name: 'base',
      description: '',
      ram: false,
      takenAt: new Date('2026-07-05T17:03:20Z'),
      parent: undefined,
    },
  ]);
});

test('P-M33: a snapshot is disk-only unless RAM is asked for', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  await vm.snapshots.create('disk', { description: 'a; b' });
  await vm.snapshots.create('ram', { ram: true });
  expect(lab.requests.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([
    'snapname=disk&vmstate=0&description=a%3B%20b',
    'snapname=ram&vmstate=1&description=',
  ]);
  expect(await vm.snapshots.get('disk')).toMatchObject({ ram: false, description: 'a; b', parent: 'ready' });
  expect(await vm.snapshots.get('ram')).toMatchObject({ ram: true, parent: 'disk' });
});

test('a rollback with RAM runs on from there, without a start', async ({ lab, connect }) => {
  const vm = held(await (await connect(labConnection(lab))).findVm(MACHINE));
  const { agent } = vm;
  await agent.exec(['/bin/sh', '-c', 'echo one > /tmp/state']);
  await vm.snapshots.create('ram', { ram: true });
  await agent.exec(['/bin/sh', '-c', 'echo two > /tmp/state']);
  await vm.snapshots.rollback('ram');
  expect(await vm.isRunning()).toBe(true);
  expect((await agent.exec(['/bin/cat', '/tmp/state'])).stdout).toBe('one\n');
  expect(lab.tasks.list().map(({ type }) => type)).toEqual(['qmsnapshot', 'qmrollback']);
});

test('a disk-only rollback leaves the machine off: it is started and that is waited for', async ({
  lab,
  connect,
}) => {
  const vm = held(await (await connect(labConnection(lab))).findVm(MACHINE));
  await vm.snapshots.create('disk');
  const states: string[] = [];
  lab.tasks.gate = () => {
    states.push(lab.machine(MACHINE).guest.state());
    return Promise.resolve();
  };
  await vm.snapshots.rollback('disk');
  expect(lab.tasks.list().map(({ type }) => type)).toEqual(['qmsnapshot', 'qmrollback', 'qmstart']);
  expect(states).toEqual(['running', 'stopped']);
  expect(await vm.isRunning()).toBe(true);
});

test('a start that fails after a disk-only rollback is not missed', async ({ lab, connect }) => {
  const vm = held(await (await connect(labConnection(lab))).findVm(MACHINE));
  await vm.snapshots.create('disk');
  const { guest } = lab.machine(MACHINE);
  guest.start = () => Promise.reject(new Error('start failed: QEMU exited with code 1'));
  await expect(vm.snapshots.rollback('disk')).rejects.toMatchObject({
    code: 'TASK_FAILED',
    seen: 'start failed: QEMU exited with code 1',
  });
});

test('a rollback keeps the description and nothing else of the config', async ({ lab, connect }) => {
  const vm = held(await (await connect(labConnection(lab))).findVm(MACHINE));
  await vm.setConfig({ description: 'before', tags: 'old' });
  await vm.snapshots.create('ram', { ram: true });
  lab.access.privileges.add('VM.Config.Memory');
  await vm.setConfig({ description: 'lease', tags: 'new', memory: 8192 });
  await vm.snapshots.rollback('ram');
  expect(await vm.config()).toMatchObject({ description: 'lease\n', tags: 'old', memory: '4096' });
});

test('RAM of a stopped machine: refused here, since PVE would leave it out without a word', async ({
  lab,
  connect,
}) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  await vm.stop();
  await expect(vm.snapshots.create('ram', { ram: true })).rejects.toMatchObject({ code: 'VM_NOT_RUNNING' });
  expect(lab.machine(MACHINE).snapshots.has('ram')).toBe(false);
  await vm.api.snapshot.$post({ snapname: 'silent', vmstate: true });
  await expect.poll(async () => (await vm.snapshots.list()).map(({ name }) => name)).toContain('silent');
  expect(await vm.snapshots.get('silent')).toMatchObject({ ram: false });
});

test('a snapshot that is not there is SNAPSHOT_NOT_FOUND and names those that are', async ({
  lab,
  connect,
}) => {
  const vm = held(await (await connect(labConnection(lab))).findVm(MACHINE));
  for (const action of [() => vm.snapshots.rollback('nothing'), () => vm.snapshots.remove('nothing')]) {
    expect(await failure(action())).toMatchObject({ code: 'SNAPSHOT_NOT_FOUND', seen: 'ready' });
  }
  await vm.snapshots.remove('ready');
  expect(await failure(vm.snapshots.get('ready'))).toMatchObject({ seen: 'no snapshots' });
  expect(await vm.isRunning()).toBe(true);
});

test('a name that is used already or reserved is refused', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  await expect(vm.snapshots.create('ready')).rejects.toMatchObject({
    code: 'TASK_FAILED',
    seen: "snapshot name 'ready' already used",
  });
  await expect(vm.snapshots.create('current')).rejects.toMatchObject({
    pveText: "unable to use snapshot name 'current' (reserved name)",
  });
});
