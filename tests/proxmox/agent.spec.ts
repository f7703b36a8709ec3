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
  const program = ['/bin/sh', '-c', 'cat; echo no >&2; exit 4'];
  expect(await vm.agent.exec(program, { input: 'größe\n' })).toEqual({
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

test('CL8: input arrives in the guest byte for byte in UTF-8, whatever it is', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  for (const input of ['ü', '€', 'Grüße, \u{1f600}\n', 'plain', 'Привет']) {
    const { stdout } = await vm.agent.exec(['/bin/sh', '-c', 'cat'], { input });
    expect(stdout, input).toBe(input);
  }
});

test('CL8: an argument that PVE cannot carry is refused before the call, and the agent lives on', async ({
  lab,
  connect,
}) => {
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  const before = lab.requests.length;
  await expect(vm.agent.exec(['/bin/echo', 'Grüße'])).rejects.toMatchObject({
    code: 'AGENT_NOT_ASCII',
    seen: '"Grüße"',
    next: expect.stringContaining('SSH'),
  });
  expect(lab.requests.length).toBe(before);
  expect(await vm.agent.ping()).toBe(true);
});

test('CL8: the lab does with such texts what PVE does', async ({ lab, connect }) => {
  const vm = await (await connect(labConnection(lab))).findVm('fedora42');
  const { exec } = vm.api.agent;
  await expect(exec.$post({ command: ['/bin/cat'], 'input-data': '€' })).rejects.toMatchObject({
    httpStatus: 500,
    pveText: 'Wide character in subroutine entry',
  });
  const stuck = exec.$post({ command: ['/bin/echo', 'ü'] });
  await expect(stuck).rejects.toMatchObject({
    pveText: "VM 101 qga command 'guest-exec' failed - got timeout",
  });
  expect(await vm.agent.ping()).toBe(false);
});

test('CL8: a 596 of an agent call says that the agent’s own message was probably lost', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(() => ({ status: 596, reason: 'Broken pipe' }));
  const { api } = await connect(server.connection(), fakeClock());
  const machine = api.nodes.$('pve').qemu.$(101);
  await expect(machine.agent.exec.$post({ command: ['/bin/x'] })).rejects.toMatchObject({
    code: 'PROXMOX_NODE_UNREACHABLE',
    message: expect.stringContaining('no answer of the guest agent came through'),
  });
  await expect(machine.status.current.$get()).rejects.toMatchObject({
    message: expect.stringContaining('the API could not reach the node'),
  });
});

test('CL22: an agent that may not run commands names the setting of the guest’s distribution', async ({
  lab,
  connect,
}) => {
  const proxmox = await connect(labConnection(lab));
  for (const [name, setting, ...more] of [
    ['fedora42', '/etc/sysconfig/qemu-ga', 'FILTER_RPC_ARGS', 'systemctl restart qemu-guest-agent'],
    ['windows10', 'sc.exe qc QEMU-GA', '--block-rpcs', 'restart the service'],
  ] as const) {
    lab.faults.set(name, 'no-exec', true);
    const vm = await proxmox.findVm(name);
    const error = await failure(vm.agent.exec(['whoami']));
    expect(error).toMatchObject({
      code: 'AGENT_ERROR',
      seen: expect.stringContaining('guest-exec has been disabled'),
    });
    for (const part of [setting, ...more])
      expect(error).toMatchObject({ next: expect.stringContaining(part) });
    await expect(vm.agent.setClock(name === 'windows10' ? 'windows' : 'linux')).rejects.toThrow(setting);
  }
});

for (const [id, said, setting] of [
  [
    'ubuntu',
    'Command guest-exec has been disabled: the command is not allowed',
    '/etc/default/qemu-guest-agent',
  ],
  ['debian', 'The command guest-exec has been disabled for this instance', 'block-rpcs'],
  ['rocky', 'The command guest-exec has been disabled for this instance', 'BLACKLIST_RPC'],
  ['opensuse-leap', 'Command guest-exec has been disabled', 'systemctl cat qemu-guest-agent'],
  [undefined, 'Command guest-exec has been disabled', '/etc/qemu/qemu-ga.conf'],
] as const) {
  test(`CL22: the setting of ${id ?? 'a guest that does not tell its system'}, whatever its agent’s words`, async ({
    scripted,
    connect,
  }) => {
    const server = await scripted(
      agentServer({
        exec: () => refusal(500, `Agent error: ${said}`),
        'get-osinfo': () =>
          id === undefined ? refusal(500, `Agent error: ${said}`) : ok({ result: { id } }),
      }),
    );
    const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
    const error = await failure(vm.agent.exec(['/bin/true']));
    expect(error).toMatchObject({ code: 'AGENT_ERROR', next: expect.stringContaining(setting) });
  });
}

test('CL22: other errors of the agent stay what they are', async ({ scripted, connect }) => {
  const said = "Agent error: Guest agent command failed, error was 'Failed to execute child process'";
  const server = await scripted(agentServer({ exec: () => refusal(500, said) }));
  const vm = await (await connect(server.connection(), fakeClock())).findVm(101);
  expect(await failure(vm.agent.exec(['/bin/none']))).toMatchObject({
    code: 'AGENT_ERROR',
    next: 'see what it said',
  });
});
