import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { Secret } from '../../fixtures/secrets/index.ts';
import { type Login, type SshClock, SshSession } from '../../fixtures/ssh/index.ts';
import { errorOf } from './support/errors.ts';
import { expect, test as base } from './support/fixtures.ts';
import { type Relay, startRelay } from './support/relay.ts';
import { freePort, makeKey, USER } from './support/sshd.ts';

const test = base.extend<{ relay: (to: number, refused: number) => Promise<Relay>; clock: JumpingClock }>({
  relay: async ({}, use) => {
    const relays: Relay[] = [];
    await use(async (to, refused) => {
      const relay = await startRelay(to, refused);
      relays.push(relay);
      return relay;
    });
    for (const relay of relays) void relay.close();
  },
  clock: async ({}, use) => {
    await use(new JumpingClock());
  },
});

/** A pause is over at once, and noted. */
class JumpingClock implements SshClock {
  readonly slept: number[] = [];
  #now = 0;

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.#now += ms;
    return Promise.resolve();
  }
}

test('P-M34: a connection that fails is tried once more after 5 s', async ({
  startSshd,
  relay,
  clock,
  connect,
}) => {
  const sshd = await startSshd();
  const { port } = await relay(sshd.port, 1);
  const session = await connect(sshd.target({ port, clock }));
  expect((await session.exec('echo in')).stdout).toBe('in\n');
  expect(clock.slept).toEqual([5000]);
});

test('P-M34: two failures are SSH_UNREACHABLE, an infrastructure error with its own code; exit code 255 is not', async ({
  startSshd,
  relay,
  clock,
  connect,
}) => {
  const sshd = await startSshd();
  const refusing = await relay(sshd.port, 2);
  const error = await errorOf(SshSession.connect(sshd.target({ port: refusing.port, clock })));
  expect(error.code).toBe('SSH_UNREACHABLE');
  expect(error.subject).toBe(`box (${USER}@127.0.0.1)`);
  expect(error.expected).toContain(`127.0.0.1:${refusing.port}`);
  expect(refusing.attempts, 'no third attempt').toBe(2);
  expect(clock.slept).toEqual([5000]);

  const session = await connect(sshd.target({ clock }));
  expect((await session.exec('exit 255', { check: false })).exitCode).toBe(255);
  expect((await errorOf(session.exec('exit 255'))).code).toBe('SSH_COMMAND_FAILED');
  expect(clock.slept, 'a command is no connection').toEqual([5000]);
});

test('P-M34: a session that has lost its connection gets the same two attempts', async ({
  startSshd,
  clock,
  connect,
}) => {
  const sshd = await startSshd();
  const session = await connect(sshd.target({ clock }));
  await sshd.stop();
  expect((await errorOf(session.exec('echo in'))).code).toMatch(/^SSH_(UNREACHABLE|CONNECTION_LOST)$/);
  expect((await errorOf(session.exec('echo in'))).code).toBe('SSH_UNREACHABLE');
  await startSshd({ port: sshd.port });
  expect((await session.exec('echo in')).stdout).toBe('in\n');
});

test('readiness is waited for 120 s on Linux, 180 s on Windows, times the scale', async ({
  startSshd,
  clock,
}) => {
  const sshd = await startSshd();
  const port = await freePort();
  for (const [os, timeoutScale, seconds] of [
    ['linux', 1, 120],
    ['windows', 1, 180],
    ['linux', 2, 240],
  ] as const) {
    const start = clock.now();
    const error = await errorOf(SshSession.waitReady(sshd.target({ os, port, clock, timeoutScale })));
    expect(error.code).toBe('SSH_UNREACHABLE');
    expect(error.message).toContain(`does not answer after ${seconds * 1000} ms`);
    expect((clock.now() - start) / 1000).toBeCloseTo(seconds, -1);
  }
  expect(new Set(clock.slept), 'polled, without the pause of a single connection').toEqual(new Set([500]));
});

test('readiness: a machine whose sshd comes up while it is waited for', async ({ startSshd }) => {
  const { port: unused, ...rest } = (await startSshd()).target();
  const port = await freePort();
  const waiting = SshSession.waitReady({ ...rest, port });
  const sshd = await startSshd({ port });
  const session = await waiting;
  expect((await session.exec('echo in')).stdout).toBe('in\n');
  expect(sshd.port).not.toBe(unused);
  session.disconnect();
});

test('VE20: a jump host that refuses fails at once, a guest that refuses behind it is booting and waited for', async ({
  startSshd,
  clock,
}) => {
  const inner = await startSshd({ hostKey: 'inner' });
  const outer = await startSshd({ hostKey: 'outer' });
  const jump = jumpVia(outer.target());
  const nobody = { ...jump, port: await freePort() };
  const strict = jumpVia((await startSshd({ hostKey: 'strict', lines: ['AllowTcpForwarding no'] })).target());
  for (const refusing of [nobody, strict]) {
    const target = inner.target({ jump: refusing, clock });
    for (const opening of [() => SshSession.connect(target), () => SshSession.waitReady(target)]) {
      const error = await errorOf(opening());
      expect(error).toMatchObject({
        code: 'SSH_JUMP_REFUSED',
        subject: `SSH jump host ${USER}@127.0.0.1:${refusing.port}`,
      });
    }
  }
  expect(clock.slept, 'nothing is tried again').toEqual([]);

  const port = await freePort();
  const waiting = SshSession.waitReady(inner.target({ port, jump }));
  await expect.poll(() => outer.log).toContain(`connect_to 127.0.0.1 port ${port}: failed`);
  await startSshd({ port, hostKey: 'inner' });
  const session = await waiting;
  expect((await session.exec('echo in')).stdout).toBe('in\n');
  session.disconnect();
  const late = await errorOf(SshSession.waitReady(inner.target({ port: await freePort(), jump }), 1500));
  expect(late.code).toBe('SSH_UNREACHABLE');
});

test('a listener that says nothing is given up when the time is over', async ({ startSshd }) => {
  const sshd = await startSshd();
  const mute = createServer((socket) => socket.on('error', () => undefined)).listen(
    await freePort(),
    '127.0.0.1',
  );
  await once(mute, 'listening');
  const { port } = mute.address() as { port: number };
  const start = performance.now();
  const error = await errorOf(SshSession.waitReady(sshd.target({ port }), 1500));
  expect(error.code).toBe('SSH_UNREACHABLE');
  expect(performance.now() - start).toBeLessThan(6000);
  mute.close();
});

test('a wrong key is SSH_AUTH_FAILED at once, from connect and from the wait', async ({
  startSshd,
  folder,
  clock,
}) => {
  const sshd = await startSshd();
  const wrong = sshd.target({
    privateKey: readFileSync(makeKey(folder, 'stranger'), 'utf8'),
    clock,
    hasBooted: () => Promise.resolve(true),
  });
  for (const attempt of [() => SshSession.connect(wrong), () => SshSession.waitReady(wrong)]) {
    const error = await errorOf(attempt());
    expect(error.code).toBe('SSH_AUTH_FAILED');
    expect(error.message).toContain(USER);
    expect(error.expected).toBe('an authorised key');
  }
  expect(clock.slept).toEqual([]);
  const garbled = await errorOf(SshSession.connect(sshd.target({ privateKey: 'no key at all', clock })));
  expect(garbled).toMatchObject({ code: 'SSH_AUTH_FAILED' });
  expect(garbled.seen).toMatch(/private ?key/i);
});

test('a wrong password is SSH_AUTH_FAILED without the password', async ({ startSshd }) => {
  const { machine, os, host, port, user, hostKeys } = (await startSshd()).target();
  const password = new Secret('BOX_PASSWORD', 'open-sesame-1');
  const error = await errorOf(SshSession.connect({ machine, os, host, port, user, hostKeys, password }));
  expect(error.code).toBe('SSH_AUTH_FAILED');
  expect(error.message).not.toContain('open-sesame-1');
});

test('through a jump host: commands and files, with both keys pinned', async ({
  startSshd,
  connect,
  folder,
}) => {
  const inner = await startSshd({ hostKey: 'inner' });
  const outer = await startSshd({ hostKey: 'outer' });
  const session = await connect(inner.target({ jump: jumpVia(outer.target()) }));
  const { stdout } = await session.exec('echo "$SSH_CONNECTION"');
  expect(stdout.trim()).toMatch(new RegExp(` ${inner.port}$`));
  await session.upload(`${folder}/known_hosts`, `${folder}/copy`);
  expect(readFileSync(`${folder}/copy`, 'utf8')).toBe(readFileSync(inner.knownHosts, 'utf8'));
  const pinned = readFileSync(inner.knownHosts, 'utf8');
  expect(pinned).toContain(`]:${inner.port} `);
  expect(pinned).toContain(`]:${outer.port} `);
  expect(outer.log).toContain('Accepted publickey');
});

test('through a jump host: errors tell the jump host from the machine', async ({
  startSshd,
  folder,
  clock,
  relay,
}) => {
  const inner = await startSshd({ hostKey: 'inner' });
  const outer = await startSshd({ hostKey: 'outer' });
  const jump = jumpVia(outer.target());
  const away = await errorOf(SshSession.connect(inner.target({ port: await freePort(), jump, clock })));
  expect(away).toMatchObject({ code: 'SSH_UNREACHABLE', subject: `box (${USER}@127.0.0.1)` });
  expect(away.seen).toContain('Connection refused');

  const noJump = { ...jump, port: (await relay(outer.port, 9)).port };
  const cut = await errorOf(SshSession.connect(inner.target({ jump: noJump, clock })));
  expect(cut.code).toBe('SSH_UNREACHABLE');
  expect(cut.subject).toBe(`SSH jump host ${USER}@127.0.0.1:${noJump.port}`);
  expect(clock.slept, 'each was tried twice').toEqual([5000, 5000]);

  const stranger = { ...jump, privateKey: readFileSync(makeKey(folder, 'stranger'), 'utf8') };
  const refused = await errorOf(SshSession.connect(inner.target({ jump: stranger, clock })));
  expect(refused.code).toBe('SSH_AUTH_FAILED');
  expect(refused.subject).toContain('SSH jump host');
});

test('a jump host that dies takes the command with it, as SSH_CONNECTION_LOST of the machine', async ({
  startSshd,
  connect,
}) => {
  const inner = await startSshd({ hostKey: 'inner' });
  const outer = await startSshd({ hostKey: 'outer' });
  const session = await connect(inner.target({ jump: jumpVia(outer.target()) }));
  const start = performance.now();
  const error = await errorOf(
    session.exec('echo up; sleep 20', { onStdout: () => outer.signalConnections('SIGKILL') }),
  );
  expect(error).toMatchObject({ code: 'SSH_CONNECTION_LOST', subject: 'box' });
  expect(performance.now() - start).toBeLessThan(5000);
});

test('a disconnected session leaves no connection at the jump host', async ({ startSshd, connect }) => {
  const inner = await startSshd({ hostKey: 'inner' });
  const outer = await startSshd({ hostKey: 'outer' });
  const session = await connect(inner.target({ jump: jumpVia(outer.target()) }));
  expect(outer.processes).toBeGreaterThan(0);
  session.disconnect();
  await expect.poll(() => [inner.processes, outer.processes]).toEqual([0, 0]);
});

function jumpVia({ host, port, user, privateKey }: Login): Login {
  return { host, port, user, ...(privateKey === undefined ? {} : { privateKey }) };
}
