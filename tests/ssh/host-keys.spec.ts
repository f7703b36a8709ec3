import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorOf } from './support/errors.ts';
import { expect, test } from './support/fixtures.ts';
import { SshSession } from '../../fixtures/ssh/index.ts';
import { fingerprintOf } from './support/sshd.ts';

test('accept-new pins the key at first sight, once, as OpenSSH reads it', async ({ startSshd, connect }) => {
  const sshd = await startSshd();
  await connect(sshd.target());
  await connect(sshd.target());
  const pinned = readFileSync(sshd.knownHosts, 'utf8');
  expect(pinned.split('\n').filter(Boolean)).toHaveLength(1);
  expect(pinned).toContain(readFileSync(`${sshd.hostKeyFile}.pub`, 'utf8').split(' ')[1]!);
  const found = execFileSync('ssh-keygen', ['-F', `[127.0.0.1]:${sshd.port}`, '-l', '-f', sshd.knownHosts], {
    encoding: 'utf8',
  });
  expect(found).toContain(sshd.fingerprint);
});

test('a changed key is refused before the log-in, naming both fingerprints and the remedy', async ({
  startSshd,
  connect,
}) => {
  const first = await startSshd({ hostKey: 'first' });
  await connect(first.target());
  await first.stop();
  const second = await startSshd({ hostKey: 'second', port: first.port });
  for (const policy of ['accept-new', 'strict'] as const) {
    const hostKeys = { policy, file: first.knownHosts };
    const error = await errorOf(SshSession.connect(second.target({ hostKeys })));
    expect(error.code).toBe('SSH_HOST_KEY_CHANGED');
    expect(error.subject).toContain('box');
    expect(error.message).toContain(first.fingerprint);
    expect(error.message).toContain(second.fingerprint);
    expect(error.next).toContain(`ssh-keygen -R '[127.0.0.1]:${second.port}' -f ${first.knownHosts}`);
  }
  expect(second.log).not.toContain('Accepted');

  execFileSync('ssh-keygen', ['-R', `[127.0.0.1]:${second.port}`, '-f', first.knownHosts], {
    stdio: 'ignore',
  });
  const session = await connect(second.target());
  expect((await session.exec('echo in')).stdout).toBe('in\n');
});

test('a key of another type does not slip past a pinned one', async ({ startSshd, connect }) => {
  const first = await startSshd({ hostKey: 'rsa', keyType: 'rsa' });
  await connect(first.target());
  await first.stop();
  const second = await startSshd({ hostKey: 'ecdsa', keyType: 'ecdsa', port: first.port });
  const error = await errorOf(SshSession.connect(second.target()));
  expect(error.code).toBe('SSH_HOST_KEY_CHANGED');
  expect(error.expected).toBe(first.fingerprint);
  expect(error.seen).toBe(second.fingerprint);
});

test('the pinned type is asked for, where the server has several', async ({ startSshd, connect, folder }) => {
  const sshd = await startSshd({ hostKey: 'rsa', keyType: 'rsa', also: ['ed25519', 'ecdsa'] });
  const key = readFileSync(`${sshd.hostKeyFile}.pub`, 'utf8').trim();
  const file = join(folder, 'strict_hosts');
  writeFileSync(file, `# by hand\n\n[127.0.0.1]:${sshd.port} ${key}\n`);
  const session = await connect(sshd.target({ hostKeys: { policy: 'strict', file } }));
  expect((await session.exec('echo in')).stdout).toBe('in\n');
});

test('strict takes only known keys, and writes nothing', async ({ startSshd, connect, folder }) => {
  const sshd = await startSshd();
  const file = join(folder, 'strict_hosts');
  const target = sshd.target({ hostKeys: { policy: 'strict', file } });
  const error = await errorOf(SshSession.connect(target));
  expect(error.code).toBe('SSH_HOST_KEY_UNKNOWN');
  expect(error.seen).toBe(sshd.fingerprint);
  expect(existsSync(file)).toBe(false);

  const [type, key] = readFileSync(`${sshd.hostKeyFile}.pub`, 'utf8').split(' ');
  writeFileSync(file, `other.example,[127.0.0.1]:${sshd.port} ${type} ${key}\n`);
  expect((await (await connect(target)).exec('echo in')).stdout).toBe('in\n');
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
  expect(readFileSync(file, 'utf8'), 'names are hashed').toMatch(/^\|1\|/);
  expect((await (await connect(target)).exec('echo in')).stdout).toBe('in\n');
});

test('off takes any key and pins none', async ({ startSshd, connect }) => {
  const first = await startSshd({ hostKey: 'first' });
  await connect(first.target());
  const pinned = readFileSync(first.knownHosts, 'utf8');
  await first.stop();
  const second = await startSshd({ hostKey: 'second', port: first.port });
  const session = await connect(second.target({ hostKeys: { policy: 'off', file: first.knownHosts } }));
  expect((await session.exec('echo in')).stdout).toBe('in\n');
  expect(readFileSync(first.knownHosts, 'utf8')).toBe(pinned);
  expect(fingerprintOf(second.hostKeyFile)).not.toBe(fingerprintOf(first.hostKeyFile));
});

test('parallel first sights tear no line', async ({ startSshd, connect }) => {
  const servers = await Promise.all([startSshd({ hostKey: 'a' }), startSshd({ hostKey: 'b' })]);
  await Promise.all([...servers, ...servers].map((sshd) => connect(sshd.target())));
  const lines = readFileSync(servers[0].knownHosts, 'utf8').split('\n').filter(Boolean);
  expect(lines.every((line) => /^\[127\.0\.0\.1\]:\d+ ssh-ed25519 [\w+/=]+$/.test(line))).toBe(true);
  for (const sshd of servers)
    await connect(sshd.target({ hostKeys: { policy: 'strict', file: sshd.knownHosts } }));
});
