import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { connectSocket, QmpClient, type QmpError, type QmpEvent } from '../../lab/guests/qemu/qmp.ts';
import { test as base } from './support/folder.ts';
import { listen, type Scripted } from './support/script.ts';

const GREETING = { QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 } }, capabilities: [] } };
const LONG = 20_000;

const test = base.extend<{ pair: { qmp: QmpClient; qemu: Scripted } }>({
  pair: async ({ folder }, use) => {
    const path = join(folder, 'qmp');
    const server = await listen(path);
    const qmp = new QmpClient(connect(path), LONG);
    const qemu = await server.next();
    await use({ qmp, qemu });
    qmp.close();
    server.close();
  },
});

async function negotiated({ qmp, qemu }: { qmp: QmpClient; qemu: Scripted }): Promise<void> {
  qemu.send(GREETING);
  const done = qmp.negotiate();
  const { execute, id } = await qemu.request();
  expect(execute).toBe('qmp_capabilities');
  qemu.send({ return: {}, id });
  await done;
}

function jobChange(id: unknown, status: string): object {
  return { event: 'JOB_STATUS_CHANGE', data: { id, status }, timestamp: { seconds: 1, microseconds: 2 } };
}

test('replies find their commands by id, out of order, in pieces, with events between', async ({ pair }) => {
  await negotiated(pair);
  const { qmp, qemu } = pair;
  const events: QmpEvent[] = [];
  const off = qmp.on((event) => events.push(event));
  const first = qmp.execute('query-status');
  const second = qmp.execute('query-chardev', { some: 'ü' });
  const requests = [await qemu.request(), await qemu.request()];
  expect(requests[1]!.arguments).toEqual({ some: 'ü' });
  const bytes = Buffer.from(
    `${JSON.stringify({ return: 'zweite ü', id: requests[1]!.id })}\r\n` +
      `${JSON.stringify({ event: 'STOP', timestamp: {} })}\r\n${JSON.stringify({ return: 'first', id: requests[0]!.id })}\r\n`,
  );
  const cut = bytes.indexOf(0xc3) + 1;
  qemu.raw(bytes.subarray(0, cut));
  const third = qmp.execute('query-version');
  const { id } = await qemu.request();
  qemu.raw(bytes.subarray(cut));
  qemu.send({ return: 'third', id });
  expect(await Promise.all([first, second, third])).toEqual(['first', 'zweite ü', 'third']);
  expect(events).toEqual([{ event: 'STOP', data: {} }]);
  off();
  const last = qmp.execute('query-status');
  qemu.send({ event: 'RESUME', timestamp: {} }, { return: 0, id: (await qemu.request()).id });
  await last;
  expect(events).toHaveLength(1);
});

test("an error reply rejects with QEMU's class and text", async ({ pair }) => {
  await negotiated(pair);
  const { qmp, qemu } = pair;
  const refused = qmp.execute('nonsense');
  const error = { class: 'CommandNotFound', desc: 'The command nonsense has not been found' };
  qemu.send({ error, id: (await qemu.request()).id });
  await expect(refused).rejects.toMatchObject({ name: 'QmpError', kind: error.class, message: error.desc });
});

test('a job is waited for until it is concluded, then dismissed', async ({ pair }) => {
  await negotiated(pair);
  const { qmp, qemu } = pair;
  const job = qmp.runJob('snapshot-save', { tag: 'ready' }, LONG);
  const start = await qemu.request();
  const jobId = start.arguments['job-id'];
  expect(start).toMatchObject({ execute: 'snapshot-save', arguments: { tag: 'ready' } });
  // QEMU may conclude before it answers, and another job may conclude in between.
  qemu.send(jobChange('other', 'concluded'), jobChange(jobId, 'running'), jobChange(jobId, 'concluded'));
  qemu.send({ return: {}, id: start.id });
  const query = await qemu.request();
  expect(query.execute).toBe('query-jobs');
  qemu.send({ return: [{ id: 'other', error: 'not ours' }, { id: jobId }], id: query.id });
  const dismiss = await qemu.request();
  expect(dismiss).toMatchObject({ execute: 'job-dismiss', arguments: { id: jobId } });
  qemu.send({ return: {}, id: dismiss.id });
  await job;
});

test("a job's own error is thrown after it is dismissed", async ({ pair }) => {
  await negotiated(pair);
  const { qmp, qemu } = pair;
  const job = qmp.runJob('snapshot-load', { tag: 'gone' }, LONG);
  job.catch(() => undefined);
  const start = await qemu.request();
  const jobId = start.arguments['job-id'];
  qemu.send({ return: {}, id: start.id }, jobChange(jobId, 'concluded'));
  const error = "Snapshot 'gone' does not exist in one or more devices";
  qemu.send({ return: [{ id: jobId, error }], id: (await qemu.request()).id });
  const dismiss = await qemu.request();
  expect(dismiss.execute).toBe('job-dismiss');
  qemu.send({ return: {}, id: dismiss.id });
  await expect(job).rejects.toThrow(error);
});

test('a job that is refused at once leaves no timer behind', async ({ pair }) => {
  await negotiated(pair);
  const { qmp, qemu } = pair;
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const job = qmp.runJob('snapshot-save', {}, LONG);
  job.catch(() => undefined);
  const { id } = await qemu.request();
  expect(timers()).toBeGreaterThan(before);
  qemu.send({ error: { class: 'GenericError', desc: "Parameter 'tag' is missing" }, id });
  await expect(job).rejects.toThrow("Parameter 'tag' is missing");
  expect(timers()).toBe(before);
});

test('no answer: the error names command and time', async ({ pair }) => {
  await negotiated(pair);
  const hung = pair.qmp.execute('quit', {}, 30);
  await expect(hung).rejects.toMatchObject({
    kind: 'Timeout',
    message: 'quit: no answer from QEMU in 30 ms',
  });
});

for (const [what, bytes] of [
  ['text', 'SSH-2.0-OpenSSH_9.2\n'],
  ['a number', '5\n'],
  ['null', 'null\n'],
  ['half a value', '{"return": {}\n'],
] as const) {
  test(`garbage, ${what}, ends the connection and every open command`, async ({ pair }) => {
    await negotiated(pair);
    const { qmp, qemu } = pair;
    const open = [qmp.execute('query-status'), qmp.runJob('snapshot-save', {}, LONG)];
    const failures = Promise.all(
      open.map((each) => each.then(String, (error: unknown) => (error as QmpError).kind)),
    );
    await qemu.request();
    qemu.raw(bytes);
    expect(await failures).toEqual(['Closed', 'Closed']);
    await expect(qmp.execute('query-status')).rejects.toMatchObject({
      kind: 'Closed',
      message: 'query-status: QEMU is gone',
    });
  });
}

test('replies to nobody and messages of unknown shape are passed over', async ({ pair }) => {
  await negotiated(pair);
  const { qmp, qemu } = pair;
  const status = qmp.execute('query-status');
  const { id } = await qemu.request();
  qemu.send({ return: 1, id: 4711 }, { error: { class: 'GenericError', desc: 'no id' } }, {}, []);
  qemu.raw('\r\n\n');
  qemu.send({ return: 'right', id });
  expect(await status).toBe('right');
});

test('QEMU dies before it greets: the negotiation fails at once', async ({ pair }) => {
  const negotiation = pair.qmp.negotiate();
  pair.qemu.socket.destroy();
  await expect(negotiation).rejects.toMatchObject({ kind: 'Closed' });
});

test('the socket is waited for while QEMU lives, and not longer', async ({ folder }) => {
  const path = join(folder, 'qmp');
  let looks = 0;
  const late = connectSocket(path, () => ++looks > 0, LONG);
  await expect.poll(() => looks).toBeGreaterThan(1);
  const server = await listen(path);
  (await late).destroy();
  server.close();
  await expect(connectSocket(join(folder, 'none'), () => false, LONG)).rejects.toMatchObject({
    kind: 'Closed',
    message: 'QEMU exited',
  });
  await expect(connectSocket(join(folder, 'none'), () => true, 50)).rejects.toMatchObject({
    kind: 'Timeout',
  });
});
