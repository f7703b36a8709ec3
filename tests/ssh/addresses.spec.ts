import { execFileSync, execSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { SshSession } from '../../fixtures/ssh/index.ts';
import { errorOf } from './support/errors.ts';
import { expect, test } from './support/fixtures.ts';
import { type Place, startDropping, startListener } from './support/places.ts';
import { freePort, makeKey, USER } from './support/sshd.ts';

/** Every pause is over at once. */
class JumpingClock {
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

test('CL15: a key is pinned by machine: its address may change and be another machine’s', async ({
  startSshd,
  connect,
}) => {
  const first = await startSshd({ hostKey: 'first' });
  (await connect(first.target({ hostKeyAlias: 'fedora42' }))).disconnect();
  const pinned = readFileSync(first.knownHosts, 'utf8');
  expect(pinned).toMatch(/^fedora42 ssh-ed25519 \S+\n$/);
  const known = execFileSync('ssh-keygen', ['-F', 'fedora42', '-l', '-f', first.knownHosts], {
    encoding: 'utf8',
  });
  expect(known).toContain(first.fingerprint);

  // Another machine gets the address of the first one: no error of either.
  const { port } = first;
  await first.stop();
  const second = await startSshd({ hostKey: 'second', port });
  (await connect(second.target({ hostKeyAlias: 'ubuntu2404' }))).disconnect();
  // The first one is not taken for that.
  const reused = await errorOf(SshSession.connect(second.target({ hostKeyAlias: 'fedora42' })));
  expect(reused).toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    expected: first.fingerprint,
    seen: second.fingerprint,
  });
  expect(reused.next).toContain("ssh-keygen -R 'fedora42'");

  // It is known at its new address, and a stranger at a new address is no friend.
  const moved = await startSshd({ hostKey: 'first' });
  (await connect(moved.target({ hostKeyAlias: 'fedora42' }))).disconnect();
  const stranger = await startSshd({ hostKey: 'stranger' });
  const foreign = await errorOf(SshSession.connect(stranger.target({ hostKeyAlias: 'fedora42' })));
  expect(foreign.code).toBe('SSH_HOST_KEY_CHANGED');
  expect(stranger.log).not.toMatch(/Accepted|Failed/);
  expect(readFileSync(first.knownHosts, 'utf8').split('\n')).toHaveLength(3);
});

test('CL15: what strict says to do pins the key by machine', async ({ startSshd, connect, folder }) => {
  const sshd = await startSshd();
  const file = join(folder, 'strict_hosts');
  const target = sshd.target({ hostKeyAlias: 'fedora42', hostKeys: { policy: 'strict', file } });
  const error = await errorOf(SshSession.connect(target));
  expect(error.code).toBe('SSH_HOST_KEY_UNKNOWN');
  execSync(error.next?.split('add the key: ')[1] ?? '', { stdio: 'ignore' });
  (await connect(target)).disconnect();
  expect(readFileSync(file, 'utf8')).toMatch(/^fedora42 ssh-ed25519 /m);
});

test('CL16: each address is tried until sshd answers with the pinned key', async ({ startSshd, connect }) => {
  const port = await freePort();
  const own = await startSshd({ hostKey: 'own', port, address: '127.0.0.7' });
  const hostKeyAlias = 'box';
  (await connect(own.target({ host: '127.0.0.7', hostKeyAlias }))).disconnect();
  const foreign = await startSshd({ hostKey: 'foreign', port, address: '127.0.0.3' });
  const silent = await startDropping('127.0.0.4', port);
  try {
    for (const addresses of [
      ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.7'],
      ['127.0.0.7', '127.0.0.3'],
      ['127.0.0.4', '127.0.0.7'],
    ]) {
      const target = own.target({ hostKeyAlias, addresses: () => Promise.resolve(addresses) });
      const session = await connect(target);
      expect((await session.exec('echo "$SSH_CONNECTION"')).stdout.split(' ')[2]).toBe('127.0.0.7');
      session.disconnect();
    }
    expect(foreign.log).not.toMatch(/Accepted|Failed/);
    const nowhere = ['127.0.0.2', '127.0.0.3'];
    const error = await errorOf(
      SshSession.waitReady(
        own.target({ hostKeyAlias, addresses: () => Promise.resolve(nowhere), clock: new JumpingClock() }),
      ),
    );
    expect(error.code).toBe('SSH_UNREACHABLE');
    for (const address of nowhere) expect(error.seen).toContain(address);
    expect(error.next).toContain('network or address in the row');
  } finally {
    await silent.close();
  }
});

test('CL16: addresses are asked for anew at each attempt, and IPv6 alone does', async ({
  startSshd,
  connect,
}) => {
  const sshd = await startSshd({ address: '::1' });
  const rounds = [['127.0.0.1'], ['127.0.0.1'], ['::1']];
  const clock = new JumpingClock();
  const session = await SshSession.waitReady(
    sshd.target({ clock, addresses: () => Promise.resolve(rounds.shift() ?? ['::1']) }),
  );
  expect((await session.exec('echo in')).stdout).toBe('in\n');
  expect(clock.slept).toHaveLength(2);
  session.disconnect();
  (await connect(sshd.target({ host: '::1' }))).disconnect();
});

const NO_ALGORITHMS = [
  [
    'KexAlgorithms sntrup761x25519-sha512@openssh.com',
    'sntrup761x25519-sha512@openssh.com',
    'curve25519-sha256',
  ],
  ['Ciphers 3des-cbc', '3des-cbc', 'aes128-ctr'],
  ['Ciphers aes128-ctr\nMACs umac-64@openssh.com', 'umac-64@openssh.com', 'hmac-sha2-256'],
] as const;
for (const [lines, theirs, ours] of NO_ALGORITHMS) {
  test(`CL18: no algorithm in common is final, with what each side offers: ${theirs}`, async ({
    startSshd,
  }) => {
    const sshd = await startSshd({ lines: lines.split('\n') });
    const clock = new JumpingClock();
    const target = sshd.target({ clock });
    for (const opening of [() => SshSession.connect(target), () => SshSession.waitReady(target)]) {
      const error = await errorOf(opening());
      expect(error.code).toBe('SSH_NEGOTIATION_FAILED');
      expect(error.seen).toContain(theirs);
      expect(error.expected).toContain(ours);
      expect(error.next).toContain('sshd_config');
    }
    expect(clock.slept).toEqual([]);
  });
}

test('CL18: a host key that is not the pinned one is final, from the wait too', async ({
  startSshd,
  connect,
}) => {
  const first = await startSshd({ hostKey: 'first' });
  (await connect(first.target({ hostKeyAlias: 'box' }))).disconnect();
  const second = await startSshd({ hostKey: 'second' });
  const clock = new JumpingClock();
  const error = await errorOf(SshSession.waitReady(second.target({ hostKeyAlias: 'box', clock })));
  expect(error.code).toBe('SSH_HOST_KEY_CHANGED');
  expect(clock.slept).toEqual([]);
});

test('CL18: a log-in that is refused while the machine boots is tried again until it is past its boot', async ({
  startSshd,
  folder,
}) => {
  const sshd = await startSshd();
  const keys = join(folder, 'user.pub');
  renameSync(keys, `${keys}.later`);
  const clock = new JumpingClock();
  let asked = 0;
  const hasBooted = (): Promise<boolean> => {
    // The boot ends right after the second refusal.
    if (++asked === 2) renameSync(`${keys}.later`, keys);
    return Promise.resolve(asked >= 2);
  };
  const session = await SshSession.waitReady(sshd.target({ clock, hasBooted }));
  expect((await session.exec('echo in')).stdout).toBe('in\n');
  expect(asked).toBe(2);
  session.disconnect();
});

test('CL18: a refused log-in is final once the machine is past its boot, or when the time is over', async ({
  startSshd,
  folder,
}) => {
  const sshd = await startSshd();
  const privateKey = readFileSync(makeKey(folder, 'stranger'), 'utf8');
  const refusals = (): number =>
    sshd.log.match(/Connection (?:closed|reset) by authenticating user/g)?.length ?? 0;
  const clock = new JumpingClock();
  const booted = sshd.target({ privateKey, clock, hasBooted: () => Promise.resolve(true) });
  expect((await errorOf(SshSession.waitReady(booted))).code).toBe('SSH_AUTH_FAILED');
  expect(clock.slept).toEqual([]);
  await expect.poll(refusals).toBe(2);
  for (const unknown of [{ hasBooted: () => Promise.resolve(false) }, {}]) {
    const before = clock.now();
    const error = await errorOf(SshSession.waitReady(sshd.target({ privateKey, clock, ...unknown })));
    expect(error.code).toBe('SSH_AUTH_FAILED');
    expect(clock.now() - before).toBeGreaterThan(60_000);
    expect(clock.now() - before).toBeLessThanOrEqual(120_000);
  }
  // Few enough to lock no account.
  expect(refusals()).toBeLessThan(16);
  const direct = await errorOf(SshSession.connect(sshd.target({ privateKey, clock })));
  expect(direct.code).toBe('SSH_AUTH_FAILED');
});

test('CL20: no answer, a refused port, a wrong route, a firewall that drops and what is no sshd are told apart', async ({
  startSshd,
}) => {
  const sshd = await startSshd();
  const places: Place[] = [];
  const place = async (starting: Promise<Place>): Promise<{ host: string; port: number }> => {
    const started = await starting;
    places.push(started);
    return { host: started.host, port: started.port };
  };
  const jump = { host: '127.0.0.1', port: sshd.port, user: USER, privateKey: sshd.target().privateKey ?? '' };
  const refused = { host: '127.0.0.1', port: await freePort() };
  const dropped = await place(startDropping());
  const cases = [
    [refused, 'the port is refused', 'systemctl status ssh'],
    [{ ...refused, jump }, 'the port is refused', 'systemctl status ssh'],
    // TCP to a broadcast address has no route.
    [{ host: '255.255.255.255', port: 22 }, 'there is no way to the address', 'SSH_JUMP_HOST'],
    [{ host: '255.255.255.255', port: 22, jump }, 'there is no way to the address', 'SSH_JUMP_HOST'],
    [dropped, 'packets to the address are lost', 'firewalls that drop'],
    [{ ...dropped, jump }, 'packets to the address are lost', 'firewalls that drop'],
    [{ host: 'no-such-machine.invalid', port: 22 }, 'the name is unknown', 'correct the name'],
    [await place(startListener(() => undefined)), 'says nothing', 'sshd hangs'],
    [await place(startListener((socket) => socket.end())), 'closed before sshd says a word', 'MaxStartups'],
    [
      await place(startListener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
      'no SSH server',
      'sshPort',
    ],
    [
      await place(startListener((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))),
      'ends before the log-in is through',
      'log of sshd',
    ],
  ] as const;
  try {
    for (const [where, message, next] of cases) {
      const start = performance.now();
      // The log-in at the jump host takes seconds on a busy machine.
      const budget = 'jump' in where ? 4000 : 1500;
      const error = await errorOf(SshSession.waitReady(sshd.target(where), budget));
      // Not when the system or the jump host gives up by itself, after two minutes.
      expect(performance.now() - start).toBeLessThan(30_000);
      expect(error.code, message).toBe('SSH_UNREACHABLE');
      expect(error.message.split('\n')[0]).toContain(message);
      expect(error.next).toContain(next);
      expect(error.expected).toContain(where.host);
    }
  } finally {
    for (const opened of places) await opened.close();
  }
});
