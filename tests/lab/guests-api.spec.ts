import { expect } from '@playwright/test';
import type { Lab } from '../../lab/index.ts';
import { test } from './support/fixtures.ts';
import { api, dataOf, listOf } from './support/raw.ts';

const VM = '/nodes/pve/qemu/101';

/** Runs a call that starts a task and waits for its end. */
async function task(lab: Lab, method: string, path: string, body = '') {
  const call = api(lab);
  const reply = await call(method, path, { body });
  const upid = (JSON.parse(reply.body) as { data: string }).data;
  const status = async () => dataOf(await call('GET', `/nodes/pve/tasks/${upid}/status`));
  await expect.poll(async () => (await status()).status, { intervals: [10] }).toBe('stopped');
  return { upid, ...(await status()) } as { upid: string; exitstatus: string };
}

test('the status of a machine that runs and of one that is off', async ({ lab }) => {
  const call = api(lab);
  const running = dataOf(await call('GET', `${VM}/status/current`));
  expect(running).toMatchObject({
    vmid: 101,
    name: 'fedora42',
    status: 'running',
    qmpstatus: 'running',
    agent: 1,
    ha: { managed: 0 },
    pid: expect.any(Number),
  });
  expect(running.lock).toBeUndefined();
  expect((await task(lab, 'POST', `${VM}/status/stop`)).exitstatus).toBe('OK');
  const stopped = dataOf(await call('GET', `${VM}/status/current`));
  expect(stopped).toMatchObject({ status: 'stopped', qmpstatus: 'stopped', uptime: 0 });
  expect(stopped).not.toHaveProperty('pid');
  await task(lab, 'POST', `${VM}/status/start`);
  await task(lab, 'POST', `${VM}/status/suspend`);
  expect(dataOf(await call('GET', `${VM}/status/current`))).toMatchObject({
    status: 'running',
    qmpstatus: 'paused',
  });
  const [listed] = listOf(await call('GET', '/nodes/pve/qemu'));
  expect(listed).not.toHaveProperty('qmpstatus');
  const [full] = listOf(await call('GET', '/nodes/pve/qemu?full=1'));
  expect(full).toMatchObject({ qmpstatus: 'paused' });
  lab.faults.set('fedora42', 'lock:backup', true);
  const [resource] = listOf(await call('GET', '/cluster/resources?type=vm'));
  expect(resource).toMatchObject({ id: 'qemu/101', type: 'qemu', node: 'pve', lock: 'backup' });
  expect(listOf(await call('GET', '/cluster/resources?type=storage'))).toEqual([]);
});

test('tasks: UPID, status, log with its total, lists', async ({ lab }) => {
  const call = api(lab);
  const held: (() => void)[] = [];
  lab.tasks.gate = () => new Promise((release) => held.push(release));
  const upid = (JSON.parse((await call('POST', `${VM}/status/stop`)).body) as { data: string }).data;
  expect(upid).toMatch(/^UPID:pve:[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:qmstop:101:root@pam!lab:$/);
  const path = `/nodes/pve/tasks/${upid}`;
  const [, , pid = '', , start = ''] = upid.split(':');
  const running = {
    upid,
    node: 'pve',
    pid: Number.parseInt(pid, 16),
    starttime: Number.parseInt(start, 16),
    type: 'qmstop',
    id: '101',
    user: 'root@pam',
    tokenid: 'lab',
    status: 'running',
  };
  const status = dataOf(await call('GET', `${path}/status`));
  expect(status).toMatchObject(running);
  expect(status).not.toHaveProperty('exitstatus');
  expect(status).not.toHaveProperty('endtime');
  expect(JSON.parse((await call('GET', `${path}/log`)).body)).toEqual({
    data: [{ n: 1, t: 'no content' }],
    total: 1,
  });
  expect(listOf(await call('GET', '/nodes/pve/tasks?source=active'))).toMatchObject([
    { upid, status: 'RUNNING' },
  ]);
  expect(listOf(await call('GET', '/nodes/pve/tasks'))).toEqual([]);
  held.forEach((release) => release());
  await expect
    .poll(async () => dataOf(await call('GET', `${path}/status`)), { intervals: [10] })
    .toEqual({ ...running, pstart: expect.any(Number) as unknown, status: 'stopped', exitstatus: 'OK' });
  expect(JSON.parse((await call('GET', `${path}/log?limit=0`)).body)).toEqual({
    data: [{ n: 1, t: 'TASK OK' }],
    total: 1,
  });
  expect(listOf(await call('GET', '/nodes/pve/tasks?vmid=101'))).toMatchObject([{ upid, status: 'OK' }]);
  expect(listOf(await call('GET', '/nodes/pve/tasks?vmid=107&source=all'))).toEqual([]);
});

test("a task's warnings are a success of their own, its log comes in pages", async ({ lab }) => {
  const call = api(lab);
  const { upid, done } = lab.tasks.run('qmstart', '101', 'root@pam', (context) => {
    for (let line = 1; line < 60; line++) context.log(`line ${line}`);
    return Promise.resolve(2);
  });
  await done;
  const path = `/nodes/pve/tasks/${upid}`;
  const status = dataOf(await call('GET', `${path}/status`));
  expect(status).toMatchObject({ status: 'stopped', exitstatus: 'WARNINGS: 2' });
  expect(status).not.toHaveProperty('tokenid');
  const page = JSON.parse((await call('GET', `${path}/log`)).body) as { data: unknown[]; total: number };
  expect(page).toMatchObject({ total: 60 });
  expect(page.data).toHaveLength(50);
  expect(listOf(await call('GET', `${path}/log?start=58&limit=5`))).toEqual([
    { n: 59, t: 'line 59' },
    { n: 60, t: 'TASK WARNINGS: 2' },
  ]);
});

test('errors of power calls: some at once, others in the task', async ({ lab }) => {
  const call = api(lab);
  expect((await task(lab, 'POST', `${VM}/status/start`)).exitstatus).toBe('VM 101 already running');
  lab.faults.set('fedora42', 'ignores-shutdown', true);
  expect((await task(lab, 'POST', `${VM}/status/shutdown`, 'timeout=0')).exitstatus).toBe(
    'VM quit/powerdown failed - got timeout',
  );
  await task(lab, 'POST', `${VM}/status/suspend`);
  expect((await call('POST', `${VM}/status/shutdown`)).statusLine).toBe(
    'HTTP/1.1 500 VM is paused - cannot shutdown',
  );
  lab.faults.set('fedora42', 'lock:snapshot', true);
  expect((await task(lab, 'POST', `${VM}/status/stop`)).exitstatus).toBe('VM is locked (snapshot)');
  lab.faults.set('fedora42', 'lock:snapshot', false);
  expect((await task(lab, 'POST', `${VM}/status/stop`)).exitstatus).toBe('OK');
  expect((await task(lab, 'POST', `${VM}/status/stop`)).exitstatus).toBe('OK');
  for (const action of ['reset', 'suspend', 'resume', 'reboot']) {
    const { statusLine } = await call('POST', `${VM}/status/${action}`);
    expect(statusLine).toBe('HTTP/1.1 500 VM 101 not running');
  }
});

test('the digest is a SHA-1 that changes with every write and guards the next', async ({ lab }) => {
  const call = api(lab);
  const digest = async () => String(dataOf(await call('GET', `${VM}/config`)).digest);
  const put = (body: string) => call('PUT', `${VM}/config`, { body });
  const first = await digest();
  expect(first).toMatch(/^[0-9a-f]{40}$/);
  expect(await digest()).toBe(first);
  const written = await put(`description=a&digest=${first}`);
  expect(written).toMatchObject({ statusLine: 'HTTP/1.1 200 OK', body: '{"data":null}' });
  const second = await digest();
  expect(second).not.toBe(first);
  const late = await put(`description=b&digest=${first}`);
  expect(late.statusLine).toBe('HTTP/1.1 500 checksum mismatch (file change by other user?)');
  expect(lab.machine('fedora42').config.description).toBe('a');
  lab.access.privileges.add('VM.Config.Memory');
  await put('memory=2048');
  const third = await digest();
  expect(third).not.toBe(second);
  await task(lab, 'POST', `${VM}/snapshot`, 'snapname=x1');
  expect(await digest()).not.toBe(third);
  lab.faults.set('fedora42', 'lock:backup', true);
  expect((await put('tags=a')).statusLine).toBe('HTTP/1.1 500 VM is locked (backup)');
  // Two writers with one digest: one wins.
  lab.faults.set('fedora42', 'lock:backup', false);
  const shared = await digest();
  const race = await Promise.all(['one', 'two'].map((text) => put(`description=${text}&digest=${shared}`)));
  expect(race.map(({ statusLine }) => statusLine.slice(0, 12)).sort()).toEqual([
    'HTTP/1.1 200',
    'HTTP/1.1 500',
  ]);
});

test('hardware changes of a running machine are pending until its next start', async ({ lab }) => {
  const call = api(lab);
  lab.access.privileges.add('VM.Config.Memory');
  await call('PUT', `${VM}/config`, { body: 'memory=2048&tags=now&delete=vga' });
  const pending = listOf(await call('GET', `${VM}/pending`));
  expect(pending).toContainEqual({ key: 'memory', value: '4096', pending: '2048' });
  expect(pending).toContainEqual({ key: 'vga', value: 'std', delete: 1 });
  expect(pending).toContainEqual({ key: 'tags', value: 'now' });
  const merged = dataOf(await call('GET', `${VM}/config`));
  expect(merged).toMatchObject({ memory: '2048', tags: 'now' });
  expect(merged).not.toHaveProperty('vga');
  expect(dataOf(await call('GET', `${VM}/config?current=1`))).toMatchObject({ memory: '4096', vga: 'std' });
  await task(lab, 'POST', `${VM}/status/stop`);
  await task(lab, 'POST', `${VM}/status/start`);
  expect(lab.machine('fedora42').config).toMatchObject({ memory: '2048' });
  expect(listOf(await call('GET', `${VM}/pending`))).not.toContainEqual(
    expect.objectContaining({ pending: expect.anything() }),
  );
});

test('config errors: nothing to change, an unknown option; POST changes in a task', async ({ lab }) => {
  const call = api(lab);
  expect((await call('PUT', `${VM}/config`)).statusLine).toBe('HTTP/1.1 500 no options specified');
  const unknown = await call('PUT', `${VM}/config`, { body: 'colour=red' });
  expect(JSON.parse(unknown.body)).toMatchObject({
    errors: {
      colour: 'property is not defined in schema and the schema does not allow additional properties',
    },
  });
  const { upid, exitstatus } = await task(lab, 'POST', `${VM}/config`, 'description=later');
  expect(upid).toContain(':qmconfig:101:');
  expect(exitstatus).toBe('OK');
  expect(lab.machine('fedora42').config.description).toBe('later');
});

test('snapshots: "current" is always there; a stopped machine has no RAM to keep', async ({ lab }) => {
  const call = api(lab);
  const named = async (name: string) =>
    listOf(await call('GET', `${VM}/snapshot`)).find((entry) => entry.name === name);
  expect(await named('current')).toMatchObject({ description: 'You are here!', running: 1, parent: 'ready' });
  expect(await named('current')).not.toHaveProperty('snaptime');
  await task(lab, 'POST', `${VM}/snapshot`, 'snapname=ram&vmstate=1&description=with%20RAM');
  expect(await named('ram')).toMatchObject({ vmstate: 1, parent: 'ready', description: 'with RAM' });
  await task(lab, 'POST', `${VM}/status/stop`);
  await task(lab, 'POST', `${VM}/snapshot`, 'snapname=off&vmstate=1');
  expect(await named('off')).toMatchObject({ vmstate: 0, parent: 'ram' });
  expect(await named('current')).toMatchObject({ running: 0, parent: 'off' });
  await task(lab, 'DELETE', `${VM}/snapshot/ram`);
  expect(await named('off')).toMatchObject({ parent: 'ready' });
  for (const [method, path] of [
    ['POST', `${VM}/snapshot/gone/rollback`],
    ['DELETE', `${VM}/snapshot/gone`],
  ] as const) {
    expect((await task(lab, method, path)).exitstatus).toBe("snapshot 'gone' does not exist");
  }
  const reserved = await call('POST', `${VM}/snapshot`, { body: 'snapname=pending' });
  expect(reserved.statusLine).toBe("HTTP/1.1 500 unable to use snapshot name 'pending' (reserved name)");
});

test('a disk-only rollback is OK with the machine off; start=1 starts it in a task of its own', async ({
  lab,
}) => {
  await task(lab, 'POST', `${VM}/snapshot`, 'snapname=disk');
  const { guest } = lab.machine('fedora42');
  expect((await task(lab, 'POST', `${VM}/snapshot/disk/rollback`)).exitstatus).toBe('OK');
  expect(guest.state()).toBe('stopped');
  expect((await task(lab, 'POST', `${VM}/snapshot/disk/rollback`, 'start=1')).exitstatus).toBe('OK');
  await expect.poll(() => guest.state(), { intervals: [10] }).toBe('running');
  expect(lab.tasks.list().map(({ type }) => type)).toEqual([
    'qmsnapshot',
    'qmrollback',
    'qmrollback',
    'qmstart',
  ]);
});

test('a rollback with RAM runs on inside its own task: start=1 adds nothing', async ({ lab }) => {
  const { guest } = lab.machine('fedora42');
  await task(lab, 'POST', `${VM}/status/stop`);
  expect((await task(lab, 'POST', `${VM}/snapshot/ready/rollback`, 'start=1')).exitstatus).toBe('OK');
  expect(guest.state()).toBe('running');
  expect(lab.tasks.list().map(({ type }) => type)).toEqual(['qmstop', 'qmrollback']);
});

test('a lock is set while a snapshot is taken, and gone afterwards', async ({ lab }) => {
  const machine = lab.machine('fedora42');
  const locks: (string | undefined)[] = [];
  const save = machine.guest.saveSnapshot.bind(machine.guest);
  machine.guest.saveSnapshot = (name, options) => {
    locks.push(machine.lock);
    return save(name, options);
  };
  await task(lab, 'POST', `${VM}/snapshot`, 'snapname=a1');
  machine.guest.saveSnapshot = () => {
    locks.push(machine.lock);
    return Promise.reject(new Error('no space left'));
  };
  expect((await task(lab, 'POST', `${VM}/snapshot`, 'snapname=a2')).exitstatus).toBe('no space left');
  expect(locks).toEqual(['snapshot', 'snapshot']);
  expect(machine.lock).toBeUndefined();
  expect(machine.snapshots.has('a2')).toBe(false);
});

test("the agent's errors come in PVE's order; its own come in a 200", async ({ lab }) => {
  const call = api(lab);
  const ping = async () => (await call('POST', `${VM}/agent/ping`)).statusLine;
  const machine = lab.machine('fedora42');
  expect(await ping()).toBe('HTTP/1.1 200 OK');
  expect(JSON.parse((await call('GET', `${VM}/agent/get-fsinfo`)).body)).toEqual({
    data: {
      result: {
        error: {
          class: 'CommandNotFound',
          desc: 'The command guest-get-fsinfo has not been found',
        },
      },
    },
  });
  const file = '/no/such/file';
  expect((await call('GET', `${VM}/agent/file-read?file=${file}`)).statusLine).toBe(
    `HTTP/1.1 500 Agent error: failed to open file '${file}' (mode: 'r'): No such file or directory`,
  );
  lab.faults.set('fedora42', 'no-agent', true);
  expect(await ping()).toBe('HTTP/1.1 500 QEMU guest agent is not running');
  await machine.guest.stop();
  expect(await ping()).toBe('HTTP/1.1 500 VM 101 is not running');
  machine.config.agent = '0';
  expect(await ping()).toBe('HTTP/1.1 500 No QEMU guest agent configured');
});

test('files go through the agent and come back', async ({ lab }) => {
  const call = api(lab);
  const base64 = Buffer.from('from base64').toString('base64');
  await call('POST', `${VM}/agent/file-write`, { body: 'file=/tmp/a&content=hello%3B%20world' });
  await call('POST', `${VM}/agent/file-write`, {
    body: `file=/tmp/b&encode=0&content=${encodeURIComponent(base64)}`,
  });
  const read = async (file: string) => dataOf(await call('GET', `${VM}/agent/file-read?file=${file}`));
  expect(await read('/tmp/a')).toEqual({ content: 'hello; world', 'bytes-read': 12 });
  expect(await read('/tmp/b')).toEqual({ content: 'from base64', 'bytes-read': 11 });
});
