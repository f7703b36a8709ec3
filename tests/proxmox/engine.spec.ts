import { expect } from '@playwright/test';
import type { Proxmox } from '../../fixtures/proxmox/index.ts';
import { fakeClock } from './support/clock.ts';
import { failure, test } from './support/fixtures.ts';
import { type Answer, ok, refusal, UPID } from './support/scripted-server.ts';

const PASSING: readonly (readonly [string, Answer])[] = [
  ['500', refusal(500, 'something broke')],
  ['502', { status: 502, reason: 'Bad Gateway' }],
  ['503', { status: 503, reason: 'Service Unavailable' }],
  ['504', { status: 504, reason: 'Gateway Timeout' }],
  ['595', { status: 595, reason: 'Connection refused' }],
  ['596', { status: 596, reason: 'Connection timed out' }],
  ['a cut connection', 'drop'],
];

for (const [name, answer] of PASSING) {
  test(`P-M31: a GET is asked three times, after 1 and 2 s: ${name}`, async ({ scripted, connect }) => {
    const server = await scripted(() => answer);
    const clock = fakeClock();
    const { api } = await connect(server.connection(), clock);
    await failure(api.nodes.$get());
    expect(server.calls()).toEqual(['GET /version', 'GET /nodes', 'GET /nodes', 'GET /nodes']);
    expect(clock.pauses).toEqual([1000, 2000]);
  });

  test(`P-M31: what changes something is sent once: ${name}`, async ({ scripted, connect }) => {
    const server = await scripted(() => answer);
    const clock = fakeClock();
    const { api } = await connect(server.connection(), clock);
    const vm = api.nodes.$('pve').qemu.$(101);
    await failure(vm.status.start.$post());
    await failure(vm.config.$put({ tags: 'a' }));
    await failure(vm.snapshot.$('x').$delete());
    expect(server.calls()).toEqual([
      'GET /version',
      'POST /nodes/pve/qemu/101/status/start',
      'PUT /nodes/pve/qemu/101/config',
      'DELETE /nodes/pve/qemu/101/snapshot/x',
    ]);
    expect(clock.pauses).toEqual([]);
  });
}

test('P-M31: a GET that gets better gives its result', async ({ scripted, connect }) => {
  const server = await scripted((_request, count) =>
    count < 3 ? refusal(500, 'not yet') : ok([{ node: 'pve' }]),
  );
  const { api } = await connect(server.connection(), fakeClock());
  expect(await api.nodes.$get()).toEqual([{ node: 'pve' }]);
});

for (const answer of [
  refusal(400, 'Parameter verification failed.'),
  refusal(403, 'Permission check failed (/, Sys.Audit)'),
  refusal(404, 'not found'),
  refusal(429, 'slow down'),
  refusal(501, "Method 'GET /nodes' not implemented"),
]) {
  test(`P-M31: ${answer.status} is final`, async ({ scripted, connect }) => {
    const server = await scripted(() => answer);
    const clock = fakeClock();
    const { api } = await connect(server.connection(), clock);
    await failure(api.nodes.$get());
    expect(server.calls()).toEqual(['GET /version', 'GET /nodes']);
    expect(clock.pauses).toEqual([]);
  });
}

test('a 500 whose words are final is not asked again', async ({ scripted, connect }) => {
  const server = await scripted(() =>
    refusal(500, "Configuration file 'nodes/pve/qemu-server/100.conf' does not exist"),
  );
  const { api } = await connect(server.connection(), fakeClock());
  await failure(api.nodes.$('pve').qemu.$(100).config.$get());
  expect(server.calls()).toHaveLength(2);
});

test('P-M31: all attempts together stay within 10 s', async ({ scripted, connect }) => {
  const clock = fakeClock();
  const server = await scripted(() => {
    clock.advance(4500);
    return refusal(500, 'slow and broken');
  });
  const { api } = await connect(server.connection(), clock);
  await failure(api.nodes.$get());
  expect(server.calls().slice(1)).toEqual(['GET /nodes', 'GET /nodes']);
  expect(clock.now()).toBeLessThanOrEqual(10_000);
});

test('a POST that is never answered ends in an error and is not sent again', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(() => 'silence');
  const clock = fakeClock();
  // A hundredth of the usual patience: 350 ms.
  const { api } = await connect(server.connection({ timeoutScale: 0.01 }), clock);
  const error = await failure(api.nodes.$('pve').qemu.$(101).status.start.$post());
  expect(error).toMatchObject({ code: 'PROXMOX_UNREACHABLE' });
  expect(server.calls().slice(1)).toEqual(['POST /nodes/pve/qemu/101/status/start']);
});

test('at most three calls are under way, and all come through', async ({ scripted, connect }) => {
  const held: (() => void)[] = [];
  let mostAtOnce = 0;
  const server = await scripted(async ({ path }) => {
    await new Promise<void>((release) => {
      held.push(release);
      mostAtOnce = Math.max(mostAtOnce, held.length);
    });
    return ok({ digest: path });
  });
  const { api } = await connect(server.connection());
  const paths = Array.from({ length: 10 }, (_, index) => 100 + index);
  const results = Promise.all(paths.map((vmid) => api.nodes.$('pve').qemu.$(vmid).config.$get()));
  for (let left = paths.length; left > 0; left--) {
    await expect.poll(() => held.length).toBe(Math.min(3, left));
    held.shift()!();
  }
  expect(await results).toEqual(paths.map((vmid) => ({ digest: `/nodes/pve/qemu/${vmid}/config` })));
  expect(mostAtOnce).toBe(3);
});

test('a call that fails makes room for the next', async ({ scripted, connect }) => {
  const server = await scripted(({ method }) => (method === 'POST' ? 'drop' : ok([])));
  const { api } = await connect(server.connection());
  const start = () => failure(api.nodes.$('pve').qemu.$(101).status.start.$post());
  const errors = await Promise.all([start(), start(), start(), start()]);
  expect(errors).toHaveLength(4);
  expect(await api.nodes.$get()).toEqual([]);
});

test('parameters: booleans as 1 and 0, lists as repeated keys, no chunked bodies, DELETE in the query', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(({ method, path }) =>
    ok(method === 'GET' ? { status: 'running' } : path.endsWith('/exec') ? { pid: 1 } : UPID),
  );
  const { api }: Proxmox = await connect(server.connection());
  const vm = api.nodes.$('pve').qemu.$(101);
  await vm.agent.exec.$post({ command: ['/bin/echo', 'a;b&c=d', 'ä +%'] });
  await vm.snapshot.$post({ snapname: 'a', vmstate: true, description: '' });
  await vm.snapshot.$('a').$delete({ force: false });
  await vm.status.current.$get();
  const [, exec, snapshot, remove, status] = server.requests;
  expect(exec?.body).toBe('command=%2Fbin%2Fecho&command=a%3Bb%26c%3Dd&command=%C3%A4%20%2B%25');
  expect(snapshot?.body).toBe('snapname=a&vmstate=1&description=');
  expect(remove).toMatchObject({ method: 'DELETE', query: 'force=0', body: '' });
  expect(status).toMatchObject({ method: 'GET', query: '', body: '' });
  for (const { headers } of server.requests) expect(headers['transfer-encoding']).toBeUndefined();
});
