import { expect } from '@playwright/test';
import { fakeClock } from './support/clock.ts';
import { failure, labConnection, test } from './support/fixtures.ts';
import { type Answer, ok, refusal, type ScriptedRequest } from './support/scripted-server.ts';

const VM = { vmid: 101, name: 'vm', node: 'pve', type: 'qemu' };
const AGENT = '/nodes/pve/qemu/101/agent';
const NO_AGENT = refusal(500, 'QEMU guest agent is not running');

/** One VM whose agent and config answer as told, by the last part of the path. */
function agentServer(answers: Readonly<Record<string, (count: number) => Answer>>) {
  return ({ path }: ScriptedRequest, count: number): Answer => {
    if (path === '/cluster/resources') return ok([VM]);
    return answers[path.slice(path.lastIndexOf('/') + 1)]?.(count) ?? refusal(501, 'not scripted');
  };
}

const address = (ip: string, type = 'ipv4') => ({ 'ip-address-type': type, 'ip-address': ip, prefix: 24 });

test("an error of the agent in a 200 is AGENT_ERROR with the agent's words", async ({
  scripted,
  connect,
}) => {
  const error = { class: 'CommandNotFound', desc: 'The command guest-get-osinfo has not been found' };
  const server = await scripted(agentServer({ 'get-osinfo': () => ok({ result: { error } }) }));
  const vm = await (await connect(server.connection())).findVm(101);
  expect(await failure(vm.agent.osInfo())).toMatchObject({
    code: 'AGENT_ERROR',
    seen: 'CommandNotFound: The command guest-get-osinfo has not been found',
  });
});

test('an agent that does not answer yet is waited for; other refusals are not', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(
    agentServer({ ping: (count) => (count < 4 ? NO_AGENT : ok({ result: {} })) }),
  );
  const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
  expect(await vm.agent.ping()).toBe(false);
  await vm.agent.waitReady();
  expect(server.calls().filter((call) => call === `POST ${AGENT}/ping`)).toHaveLength(4);

  const forbidden = await scripted(
    agentServer({ ping: () => refusal(403, 'Permission check failed (/vms/101, VM.GuestAgent.Audit)') }),
  );
  const other = await (await connect(forbidden.connection(), fakeClock())).findVm(101);
  await expect(other.agent.waitReady()).rejects.toMatchObject({ code: 'PROXMOX_FORBIDDEN' });
});

test('an agent that never answers is AGENT_NOT_RUNNING after the scaled time-out', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(agentServer({ ping: () => NO_AGENT }));
  const clock = fakeClock();
  const vm = await (await connect(server.connection({ timeoutScale: 2 }), clock)).findVm(101);
  const error = await failure(vm.agent.waitReady(5000));
  expect(error).toMatchObject({ code: 'AGENT_NOT_RUNNING', subject: 'VM 101 (vm) on pve' });
  expect(error.message).toContain('within 10000 ms');
  expect(clock.now()).toBeGreaterThanOrEqual(10_000);
});

test('exec waits for the end, reads the result once, and takes bytes for UTF-8', async ({
  scripted,
  connect,
}) => {
  const bytes = (text: string) => Buffer.from(text).toString('latin1');
  const server = await scripted(
    agentServer({
      exec: () => ok({ pid: 77 }),
      'exec-status': (count) => {
        if (count < 3) return ok({ exited: 0 });
        if (count > 3) return refusal(500, "Agent error: Invalid parameter 'pid'");
        return ok({ exited: 1, exitcode: 3, 'out-data': bytes('grün €\n'), 'err-data': 'Gr\u{fc}n' });
      },
    }),
  );
  const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
  const result = await vm.agent.exec(['/bin/sh', '-c', 'exit 3'], { input: 'a=b&c' });
  // A Windows code page is left as it came.
  expect(result).toEqual({ exitCode: 3, signal: undefined, stdout: 'grün €\n', stderr: 'Grün' });
  expect(server.requests.find(({ path }) => path === `${AGENT}/exec`)?.body).toBe(
    'command=%2Fbin%2Fsh&command=-c&command=exit%203&input-data=a%3Db%26c',
  );
  const reads = server.requests.filter(({ path }) => path === `${AGENT}/exec-status`);
  expect(reads.map(({ query }) => query)).toEqual(Array(3).fill('pid=77'));
});

test('a program that a signal ended has no exit code; absent output is empty', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(
    agentServer({ exec: () => ok({ pid: 7 }), 'exec-status': () => ok({ exited: 1, signal: 9 }) }),
  );
  const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
  expect(await vm.agent.exec(['/bin/x'])).toEqual({
    exitCode: undefined,
    signal: 9,
    stdout: '',
    stderr: '',
  });
});

for (const words of ["Agent error: Invalid parameter 'pid'", 'Agent error: PID 77 does not exist']) {
  test(`a result that got lost on the way is an error, never a second run: ${words}`, async ({
    scripted,
    connect,
  }) => {
    const server = await scripted(
      agentServer({
        exec: () => ok({ pid: 77 }),
        'exec-status': (count) => (count === 1 ? 'drop' : refusal(500, words)),
      }),
    );
    const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
    const error = await failure(vm.agent.exec(['/bin/once']));
    expect(error).toMatchObject({ code: 'AGENT_ERROR', pveText: words });
    expect(server.calls().filter((call) => call.startsWith('POST'))).toEqual([`POST ${AGENT}/exec`]);
  });
}

test('a program that does not end is AGENT_TIMEOUT and names it', async ({ scripted, connect }) => {
  const server = await scripted(
    agentServer({ exec: () => ok({ pid: 77 }), 'exec-status': () => ok({ exited: 0 }) }),
  );
  const clock = fakeClock();
  const vm = await (await connect(server.connection(), clock)).findVm(101);
  const error = await failure(vm.agent.exec(['/bin/sleep', '99'], { timeout: 3000 }));
  expect(error).toMatchObject({ code: 'AGENT_TIMEOUT', seen: '/bin/sleep (pid 77) still running' });
  expect(clock.now()).toBeGreaterThanOrEqual(3000);
});

test('a program that cannot be started is AGENT_ERROR', async ({ scripted, connect }) => {
  const words = 'Agent error: Guest agent command failed, error was \'Failed to execute child process "/x"\'';
  const server = await scripted(agentServer({ exec: () => refusal(500, words) }));
  const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
  expect(await failure(vm.agent.exec(['/x']))).toMatchObject({ code: 'AGENT_ERROR', pveText: words });
});

test('the address is that of the card whose MAC the config knows, once it has one', async ({
  scripted,
  connect,
}) => {
  const card = { name: 'enp6s18', 'hardware-address': 'bc:24:11:aa:bb:cc' };
  const others = [
    { name: 'lo', 'hardware-address': '00:00:00:00:00:00', 'ip-addresses': [address('127.0.0.1')] },
    { name: 'docker0', 'hardware-address': '02:42:11:22:33:44', 'ip-addresses': [address('172.17.0.1')] },
    { name: 'tun0', 'ip-addresses': [address('10.8.0.2')] },
  ];
  const addresses = [
    undefined,
    [address('fe80::1', 'ipv6'), address('169.254.7.7')],
    [address('fe80::1', 'ipv6'), address('169.254.7.7'), address('10.0.0.5')],
  ];
  const server = await scripted(
    agentServer({
      ping: () => ok({ result: {} }),
      config: () => ok({ net0: 'virtio=BC:24:11:AA:BB:CC,bridge=vmbr0', digest: 'x' }),
      'network-get-interfaces': (count) => {
        const list = addresses[Math.min(count, 3) - 1];
        return ok({
          result: [...others, list === undefined ? card : { ...card, 'ip-addresses': list }],
        });
      },
    }),
  );
  const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
  expect(await vm.ip()).toBe('10.0.0.5');
  expect(server.calls().filter((call) => call.endsWith('network-get-interfaces'))).toHaveLength(3);
});

test('a guest without an address is VM_NO_ADDRESS and shows its cards', async ({ scripted, connect }) => {
  const server = await scripted(
    agentServer({
      ping: () => ok({ result: {} }),
      config: () => ok({ net0: 'virtio=BC:24:11:AA:BB:CC,bridge=vmbr0', digest: 'x' }),
      'network-get-interfaces': () => ok({ result: [{ name: 'eth9' }] }),
    }),
  );
  const clock = fakeClock();
  const vm = await (await connect(server.connection(), clock)).findVm(101);
  const error = await failure(vm.ip(20_000));
  expect(error).toMatchObject({ code: 'VM_NO_ADDRESS', expected: 'an address on bc:24:11:aa:bb:cc' });
  expect(error.message).toContain('eth9');
  expect(clock.now()).toBeGreaterThanOrEqual(20_000);
});

test("the lab's agents answer: system, address, programs", async ({ lab, connect }) => {
  const proxmox = await connect(labConnection(lab));
  const vm = await proxmox.findVm('fedora42');
  expect(await vm.agent.osInfo()).toMatchObject({ id: 'fedora', machine: 'x86_64' });
  expect(await vm.ip()).toBe('10.77.0.11');
  expect(await vm.agent.exec(['/bin/sh', '-c', 'echo größe; echo no >&2; exit 4'])).toEqual({
    exitCode: 4,
    signal: undefined,
    stdout: 'größe\n',
    stderr: 'no\n',
  });
  expect((await (await proxmox.findVm('windows10')).agent.osInfo()).id).toBe('mswindows');
});

test('no agent in the lab: not answering, switched off, not running are three things', async ({
  lab,
  connect,
}) => {
  const vm = await (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
  lab.faults.set('fedora42', 'no-agent', true);
  expect(await vm.agent.ping()).toBe(false);
  await expect(vm.ip(1000)).rejects.toMatchObject({ code: 'AGENT_NOT_RUNNING' });
  lab.machine('fedora42').config.agent = '0';
  await expect(vm.agent.waitReady()).rejects.toMatchObject({ code: 'AGENT_NOT_CONFIGURED' });
  lab.machine('fedora42').config.agent = '1';
  await vm.stop();
  await expect(vm.agent.waitReady()).rejects.toMatchObject({ code: 'VM_NOT_RUNNING' });
});
