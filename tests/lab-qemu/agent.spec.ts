import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { AgentChannel } from '../../lab/guests/qemu/agent.ts';
import { connectSocket } from '../../lab/guests/qemu/qmp.ts';
import { requirePeer } from '../support/peers.ts';
import { test } from './support/folder.ts';
import { listen, type Scripted } from './support/script.ts';

/** Answers the synchronisation. */
async function synchronise(guest: Scripted): Promise<void> {
  const { execute, arguments: args } = await guest.request();
  expect(execute).toBe('guest-sync-delimited');
  guest.raw(Buffer.concat([Buffer.from([0xff]), Buffer.from(`${JSON.stringify({ return: args.id })}\n`)]));
}

test('qemu-ga: ping, an unknown command, programs with their output and code', async ({ folder }) => {
  const program = requirePeer(test, 'qemu-ga');
  const socket = join(folder, 'agent');
  mkdirSync(join(folder, 'state'));
  const args = ['-m', 'unix-listen', '-p', socket, '-t', join(folder, 'state'), '-f', join(folder, 'pid')];
  const peer = spawn(program, args, { stdio: 'ignore' });
  try {
    // qemu-ga serves one client after the other.
    (await connectSocket(socket, () => peer.exitCode === null, 10_000)).destroy();
    const agent = new AgentChannel(socket, 2);
    expect(await agent.call('guest-ping')).toEqual({ return: {} });
    expect(await agent.call('guest-nonsense')).toMatchObject({ error: { class: 'CommandNotFound' } });
    const both = ['/bin/sh', '-c', 'echo out; echo err >&2; exit 3'] as const;
    expect(await agent.run(both, 10_000)).toEqual({ code: 3, output: 'out\nerr\n' });
    expect(await agent.run(['/no/such/program'], 10_000)).toMatchObject({ code: -1 });
    agent.close();
    expect(await agent.call('guest-ping')).toEqual({ return: {} });
    agent.close();
  } finally {
    peer.kill('SIGKILL');
    await once(peer, 'exit');
  }
});

test('after a lost reply the stream is synchronised: the late answer belongs to nobody', async ({
  folder,
}) => {
  const path = join(folder, 'agent');
  const server = await listen(path);
  const agent = new AgentChannel(path, 0.02);
  const lost = agent.call('guest-get-osinfo');
  const guest = await server.next();
  await synchronise(guest);
  expect((await guest.request()).execute).toBe('guest-get-osinfo');
  expect(await lost).toBeUndefined();
  const next = agent.call('guest-ping');
  guest.send({ return: { id: 'debian' } });
  await synchronise(guest);
  expect((await guest.request()).execute).toBe('guest-ping');
  guest.send({ return: {} });
  expect(await next).toEqual({ return: {} });
  agent.close();
  server.close();
});

test('calls take turns; a broken line is no answer; shutdown is silent when it works', async ({ folder }) => {
  const path = join(folder, 'agent');
  const server = await listen(path);
  const agent = new AgentChannel(path, 1);
  const [first, second, third] = [
    agent.call('guest-info'),
    agent.call('guest-ping'),
    agent.call('guest-shutdown', { mode: 'powerdown' }),
  ];
  const guest = await server.next();
  await synchronise(guest);
  expect((await guest.request()).execute).toBe('guest-info');
  guest.raw('{"return": \n');
  expect(await first).toBeUndefined();
  expect((await guest.request()).execute).toBe('guest-ping');
  guest.send({ return: {} });
  expect(await second).toEqual({ return: {} });
  expect(await guest.request()).toMatchObject({
    execute: 'guest-shutdown',
    arguments: { mode: 'powerdown' },
  });
  expect(await third).toEqual({ return: {} });
  agent.close();
  server.close();
});

test('the other end goes in mid-call: no answer, at once', async ({ folder }) => {
  const path = join(folder, 'agent');
  const server = await listen(path);
  const agent = new AgentChannel(path, 1000);
  const call = agent.call('guest-get-osinfo');
  const guest = await server.next();
  await synchronise(guest);
  await guest.request();
  guest.socket.destroy();
  expect(await call).toBeUndefined();

  const again = agent.call('guest-get-osinfo');
  const other = await server.next();
  await synchronise(other);
  await other.request();
  agent.close();
  expect(await again).toBeUndefined();
  server.close();
});

test('nobody listens: no answer', async ({ folder }) => {
  expect(await new AgentChannel(join(folder, 'agent'), 1).call('guest-ping')).toBeUndefined();
});
