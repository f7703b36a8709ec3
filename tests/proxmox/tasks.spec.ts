import { expect } from '@playwright/test';
import { parseUpid } from '../../fixtures/proxmox/tasks.ts';
import { fakeClock } from './support/clock.ts';
import { failure, labConnection, test } from './support/fixtures.ts';
import { type Answer, ok, type ScriptedRequest } from './support/scripted-server.ts';

const UPID = 'UPID:pve2:00004686:0005B477:6A4A8EEF:qmstart:9101:root@pam!sdk:';
const ENTRY = { vmid: 9101, name: 'vm', node: 'pve', type: 'qemu', status: 'running' };

/** A cluster with one VM, whose next task goes through `states`; the last one stays. */
function taskServer(states: readonly (string | undefined)[], log: readonly string[] = []) {
  return ({ method, path }: ScriptedRequest, count: number): Answer => {
    if (path === '/cluster/resources') return ok([ENTRY]);
    if (method === 'POST') return ok(UPID);
    if (path.endsWith('/log')) return ok(log.map((t, index) => ({ n: index + 1, t })));
    if (!path.endsWith(`/tasks/${UPID}/status`)) return ok({ status: 'running', qmpstatus: 'running' });
    const exitstatus = states[Math.min(count, states.length) - 1];
    const status = exitstatus === undefined ? { status: 'running' } : { status: 'stopped', exitstatus };
    return ok({ upid: UPID, node: 'pve2', type: 'qmstart', id: '9101', user: 'root@pam', ...status });
  };
}

test('a UPID is taken apart; anything else is refused', () => {
  expect(parseUpid(UPID)).toEqual({ upid: UPID, node: 'pve2', type: 'qmstart', id: '9101' });
  const longStart = 'UPID:pve:00004686:10005B477:6A4A8EEF:qmclone::root@pam:';
  expect(parseUpid(longStart)).toMatchObject({ type: 'qmclone', id: '' });
  for (const wrong of ['', 'OK', 'UPID:pve:1:2:3:qmstart:100:root@pam:', UPID.slice(0, -1)]) {
    expect(() => parseUpid(wrong)).toThrow('PROXMOX_REQUEST_FAILED');
  }
});

for (const exitstatus of ['OK', 'WARNINGS: 1', 'WARNINGS: 12']) {
  test(`exit status ${exitstatus} is success, asked of the node that the UPID names`, async ({
    scripted,
    connect,
  }) => {
    const server = await scripted(taskServer([undefined, undefined, exitstatus]));
    const clock = fakeClock();
    const vm = await (await connect(server.connection(), clock)).findVm(9101);
    await vm.reset();
    expect(server.calls().filter((call) => call.includes('/tasks/'))).toEqual(
      Array(3).fill(`GET /nodes/pve2/tasks/${UPID}/status`),
    );
  });
}

for (const [exitstatus, code] of [
  ['ERROR', 'TASK_FAILED'],
  ['start failed: QEMU exited with code 1', 'TASK_FAILED'],
  ['unexpected status', 'TASK_FAILED'],
  ['received interrupt', 'TASK_FAILED'],
  ['OK, or so', 'TASK_FAILED'],
  ['WARNINGS: many', 'TASK_FAILED'],
  ['VM is locked (backup)', 'VM_LOCKED'],
  ["can't lock file '/var/lock/qemu-server/lock-9101.conf' - got timeout", 'VM_BUSY'],
] as const) {
  test(`P-M33: exit status "${exitstatus}" fails with that text and the end of the log`, async ({
    scripted,
    connect,
  }) => {
    const log = ['first line', 'kvm: device is gone', `TASK ERROR: ${exitstatus}`];
    const server = await scripted(taskServer([undefined, exitstatus], log));
    const vm = await (await connect(server.connection(), fakeClock())).findVm(9101);
    const error = await failure(vm.reset());
    expect(error).toMatchObject({
      code,
      subject: 'VM 9101 (vm) on pve',
      seen: `${exitstatus} (log: first line | kvm: device is gone)`,
    });
    expect(error.message).toContain('the task qmstart failed');
  });
}

test('CL12: a status that was asked for too early is not the task’s: the log tells how it ended', async ({
  lab,
  scripted,
  connect,
}) => {
  lab.tasks.isAskedTooEarly = true;
  const vm = await (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
  await vm.reset();
  await vm.stop();
  const { api } = vm;
  const error = await failure(vm.task(api.snapshot.$('nowhere').rollback.$post()));
  expect(error).toMatchObject({ code: 'TASK_FAILED', seen: "snapshot 'nowhere' does not exist" });

  // The last line may come a moment later still; one that never comes is told as PVE tells it.
  for (const [lines, outcome] of [
    [['doing', 'TASK WARNINGS: 1'], undefined],
    [['doing'], 'unexpected status (log: doing)'],
  ] as const) {
    let looks = 0;
    const task = taskServer(['unexpected status'], lines);
    const server = await scripted((request, count) => {
      const isLog = request.path.endsWith('/log');
      return isLog && ++looks <= 3 ? ok([{ n: 1, t: 'doing' }]) : task(request, count);
    });
    const clock = fakeClock();
    const other = await (await connect(server.connection(), clock)).findVm(9101);
    const seen = await other.reset().then(
      () => undefined,
      (thrown: unknown) => (thrown as { seen?: string }).seen,
    );
    expect(seen).toBe(outcome);
    expect(looks).toBeGreaterThan(3);
    expect(clock.now()).toBeLessThan(10_000);
  }
});

test('an empty log adds nothing', async ({ scripted, connect }) => {
  const server = await scripted(taskServer(['broken'], ['no content']));
  const vm = await (await connect(server.connection(), fakeClock())).findVm(9101);
  expect(await failure(vm.reset())).toMatchObject({ code: 'TASK_FAILED', seen: 'broken' });
});

test('a task that does not end: TASK_TIMEOUT, polled soon at first and every 2 s at last', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(taskServer([undefined]));
  const clock = fakeClock();
  const vm = await (await connect(server.connection(), clock)).findVm(9101);
  const waits: number[] = [];
  const error = await failure(
    vm.task(vm.api.status.reset.$post(), { timeout: 30_000, onWait: (ms) => waits.push(ms) }),
  );
  expect(error).toMatchObject({ code: 'TASK_TIMEOUT', seen: UPID, expected: 'its end within 30000 ms' });
  expect(clock.pauses[0]).toBe(50);
  expect(clock.pauses.at(-1)).toBe(2000);
  expect(Math.max(...clock.pauses)).toBe(2000);
  expect(waits.at(-1)).toBeGreaterThanOrEqual(30_000);
  expect(waits.at(-1)).toBeLessThan(32_000);
});

test('timeoutScale stretches the wait for a task', async ({ scripted, connect }) => {
  const server = await scripted(taskServer([undefined]));
  const clock = fakeClock();
  const vm = await (await connect(server.connection({ timeoutScale: 3 }), clock)).findVm(9101);
  const error = await failure(vm.task(vm.api.status.reset.$post(), { timeout: 10_000 }));
  expect(error).toMatchObject({ code: 'TASK_TIMEOUT', expected: 'its end within 30000 ms' });
  expect(clock.now()).toBeGreaterThanOrEqual(30_000);
});
