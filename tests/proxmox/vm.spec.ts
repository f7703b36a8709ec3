import { expect } from '@playwright/test';
import { fakeClock } from './support/clock.ts';
import { failure, held, labConnection, test } from './support/fixtures.ts';
import { ok } from './support/scripted-server.ts';

const MACHINE = 'fedora42';

test('power: stop, start, shut down, reset, suspend, resume, reboot', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  const { guest } = lab.machine(MACHINE);
  expect(await vm.status()).toMatchObject({ status: 'running', qmpStatus: 'running', lock: undefined });
  await vm.stop();
  expect(guest.state()).toBe('stopped');
  expect(await vm.status()).toMatchObject({ status: 'stopped', uptime: 0 });
  await vm.stop();
  await vm.start();
  expect(guest.state()).toBe('running');
  await vm.reset();
  expect(guest.state()).toBe('running');
  await vm.suspend();
  expect(await vm.status()).toMatchObject({ status: 'running', qmpStatus: 'paused' });
  await vm.resume();
  expect(await vm.status()).toMatchObject({ qmpStatus: 'running' });
  await vm.shutdown();
  expect(guest.state()).toBe('stopped');
  await vm.start();
  await vm.reboot();
  expect(guest.state()).toBe('running');
  expect(lab.tasks.list().map(({ type }) => type)).toEqual([
    ...['qmstop', 'qmstop', 'qmstart', 'qmreset', 'qmpause', 'qmresume'],
    ...['qmshutdown', 'qmstart', 'qmreboot', 'qmstart'],
  ]);
});

test('a machine that runs already is not started again', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  await vm.start();
  expect(lab.tasks.list()).toEqual([]);
});

test('a guest that ignores the shutdown fails the task; with force the plug is pulled', async ({
  lab,
  connect,
}) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  lab.faults.set(MACHINE, 'ignores-shutdown', true);
  expect(await failure(vm.shutdown({ timeout: 0 }))).toMatchObject({
    code: 'TASK_FAILED',
    seen: 'VM quit/powerdown failed - got timeout',
  });
  expect(await vm.isRunning()).toBe(true);
  await vm.shutdown({ timeout: 0, force: true });
  expect(await vm.isRunning()).toBe(false);
});

test('CL12: a shutdown that fails says what to do, whether the guest was asked or not', async ({
  lab,
  connect,
}) => {
  const vm = await (await connect(labConnection(lab), fakeClock())).findVm(MACHINE);
  for (const [fault, seen] of [
    ['ignores-shutdown', 'VM quit/powerdown failed - got timeout'],
    ['refuses-shutdown', 'VM quit/powerdown failed'],
  ] as const) {
    lab.faults.set(MACHINE, fault, true);
    expect(await failure(vm.shutdown({ timeout: 0 }))).toMatchObject({
      code: 'TASK_FAILED',
      seen,
      next: expect.stringContaining('vm.shutdown({ force: true })'),
    });
    await vm.shutdown({ timeout: 0, force: true });
    expect(await vm.isRunning()).toBe(false);
    lab.faults.set(MACHINE, fault, false);
    await vm.start();
  }
});

test('reset, suspend and reboot of a stopped machine are VM_NOT_RUNNING', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  await vm.stop();
  for (const action of [() => vm.reset(), () => vm.suspend(), () => vm.reboot()]) {
    await expect(action()).rejects.toMatchObject({ code: 'VM_NOT_RUNNING', httpStatus: 500 });
  }
});

test('a paused machine cannot be shut down, and that is said', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  await vm.suspend();
  await expect(vm.shutdown()).rejects.toMatchObject({ pveText: 'VM is paused - cannot shutdown' });
});

test('a lock that goes away is waited for', async ({ lab, connect }) => {
  const clock = fakeClock();
  const vm = await (await connect(labConnection(lab), clock)).findVm(MACHINE);
  const machine = lab.machine(MACHINE);
  machine.lock = 'backup';
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms) => {
    if (clock.pauses.length === 5) machine.lock = undefined;
    return sleep(ms);
  };
  await vm.stop();
  expect(machine.guest.state()).toBe('stopped');
  expect(clock.pauses.length).toBeGreaterThan(5);
});

test('a lock that stays is VM_LOCKED with its name and the way out, and nothing was asked for', async ({
  lab,
  connect,
}) => {
  const clock = fakeClock();
  const vm = held(await (await connect(labConnection(lab), clock)).findVm(MACHINE));
  lab.faults.set(MACHINE, 'lock:backup', true);
  for (const action of [
    () => vm.stop(),
    () => vm.start(),
    () => vm.snapshots.create('a'),
    () => vm.snapshots.rollback('ready'),
  ]) {
    const before = clock.now();
    const error = await failure(action());
    expect(error).toMatchObject({ code: 'VM_LOCKED', seen: 'lock backup' });
    expect(error.message).toContain('run "qm unlock 101" on pve');
    expect(clock.now() - before).toBeGreaterThanOrEqual(60_000);
  }
  expect(lab.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('timeoutScale stretches the wait for a lock', async ({ lab, connect }) => {
  const clock = fakeClock();
  const vm = await (await connect({ ...labConnection(lab), timeoutScale: 4 }, clock)).findVm(MACHINE);
  lab.machine(MACHINE).lock = 'backup';
  const error = await failure(vm.waitUnlocked(1000));
  expect(error.message).toContain('stayed locked for 4000 ms');
  expect(clock.now()).toBeGreaterThanOrEqual(4000);
});

test('a lock taken between look and call is VM_LOCKED as well', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  lab.tasks.gate = () => {
    lab.machine(MACHINE).lock = 'backup';
    return Promise.resolve();
  };
  expect(await failure(vm.stop())).toMatchObject({ code: 'VM_LOCKED', seen: 'VM is locked (backup)' });
  await expect(vm.setConfig({ tags: 'a' })).rejects.toMatchObject({ code: 'VM_LOCKED', httpStatus: 500 });
});

test('a machine that never gets there is VM_STATUS_TIMEOUT', async ({ lab, connect }) => {
  const clock = fakeClock();
  const vm = await (await connect(labConnection(lab), clock)).findVm(MACHINE);
  expect(await failure(vm.waitForStatus('stopped', 5000))).toMatchObject({
    code: 'VM_STATUS_TIMEOUT',
    expected: 'stopped',
    seen: 'running (running)',
  });
  expect(clock.now()).toBeGreaterThanOrEqual(5000);
});

test('P-M32: a status is looked at every 3 s at last, for 60 s', async ({ scripted, connect }) => {
  const server = await scripted(({ path }) =>
    path === '/cluster/resources'
      ? ok([{ vmid: 101, name: 'vm', node: 'pve', type: 'qemu' }])
      : ok({ status: 'stopped', qmpstatus: 'stopped' }),
  );
  const clock = fakeClock();
  const vm = await (await connect(server.connection(), clock)).findVm(101);
  await failure(vm.waitForStatus('running'));
  expect(clock.pauses[0]).toBe(50);
  expect(Math.max(...clock.pauses)).toBe(3000);
  expect(clock.now()).toBeGreaterThanOrEqual(60_000);
  expect(clock.now()).toBeLessThan(63_000);
});

test('config: a change with the digest that was read goes through once; the second writer loses', async ({
  lab,
  connect,
}) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  const { digest } = await vm.config();
  expect(digest).toMatch(/^[0-9a-f]{40}$/);
  await vm.setConfig({ description: 'lease: one; a=b&c %' }, { digest });
  await expect(vm.setConfig({ description: 'lease: two' }, { digest })).rejects.toMatchObject({
    code: 'CONFIG_CHANGED',
  });
  const now = await vm.config();
  expect(now.description).toBe('lease: one; a=b&c %\n');
  expect(now.digest).not.toBe(digest);
  await vm.setConfig({ description: null, tags: 'a' }, { digest: now.digest });
  expect(await vm.config()).toMatchObject({ tags: 'a' });
  expect((await vm.config()).description).toBeUndefined();
});

test('config: hardware changes wait for the next start', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  lab.access.privileges.add('VM.Config.Memory');
  await vm.setConfig({ memory: 8192 });
  expect(lab.machine(MACHINE).config.memory).toBe('4096');
  expect((await vm.config()).memory).toBe('8192');
  await vm.stop();
  await vm.start();
  expect(lab.machine(MACHINE).config.memory).toBe('8192');
});
