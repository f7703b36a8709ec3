import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { test as base, expect } from '@playwright/test';
import { capture } from '../../fixtures/vnc/rfb/capture.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { handshake } from '../../fixtures/vnc/rfb/handshake.ts';
import { ByteReader } from '../../fixtures/vnc/rfb/reader.ts';
import { connectTcp } from '../../fixtures/vnc/rfb/transport.ts';
import type { Credentials } from '../../fixtures/vnc/rfb/vencrypt.ts';
import { requirePeer } from '../support/peers.ts';
import { Peer, qmp, runX, startXvnc } from './support/peers.ts';
import { GREEN, pixel } from './support/server.ts';
import { duplexPair } from './support/streams.ts';

const test = base.extend<{ folder: string; started: Peer[] }>({
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'vmw-tls-'));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
  started: async ({}, use) => {
    const started: Peer[] = [];
    await use(started);
    for (const peer of started.reverse()) await peer.stop();
  },
});

/** An authority and a certificate for `host` by it, under the names that QEMU's tls-creds wants. */
function certificate(folder: string, host: string) {
  mkdirSync(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const [keyFile, certFile] = [file('server-key.pem'), file('server-cert.pem')];
  const openssl = (...args: string[]) =>
    execFileSync(requirePeer(test, 'openssl'), ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...args], {
      stdio: 'ignore',
    });
  openssl(
    ...[
      '-subj',
      '/CN=test authority',
      '-days',
      '2',
      '-keyout',
      file('ca-key.pem'),
      '-out',
      file('ca-cert.pem'),
    ],
    ...['-addext', 'keyUsage=critical,keyCertSign'],
  );
  openssl(
    ...['-CA', file('ca-cert.pem'), '-CAkey', file('ca-key.pem'), '-subj', `/CN=${host}`, '-days', '2'],
    ...['-addext', `subjectAltName=DNS:${host}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-addext', 'keyUsage=critical,digitalSignature,keyEncipherment'],
    ...['-addext', 'extendedKeyUsage=serverAuth', '-keyout', keyFile, '-out', certFile],
  );
  const { fingerprint256: fingerprint } = new X509Certificate(readFileSync(certFile));
  return { keyFile, certFile, ca: readFileSync(file('ca-cert.pem'), 'utf8'), fingerprint };
}

async function visit(path: string, credentials: Credentials) {
  const stream = await connectTcp({ path }, 'peer');
  const connection = await RfbConnection.open(stream, { subject: 'peer', ...credentials });
  const frame = await capture(connection, undefined, undefined);
  connection.close();
  return frame;
}

test('rule 20: Xvnc: X509None, X509Vnc, TLSNone and TLSVnc; trust by authority and name, or fingerprint', async ({
  folder,
  started,
}) => {
  const { keyFile, certFile, ca, fingerprint } = certificate(join(folder, 'pki'), 'desk.test');
  const passwords = join(folder, 'passwd');
  const vncpasswd = requirePeer(test, 'vncpasswd');
  const scrambled = execFileSync(vncpasswd, ['-f'], { input: 'pw-tls' });
  writeFileSync(passwords, scrambled);
  const start = async (types: string) => {
    const socket = join(folder, types);
    const args = [
      '-SecurityTypes',
      types,
      '-X509Cert',
      certFile,
      '-X509Key',
      keyFile,
      '-PasswordFile',
      passwords,
    ];
    const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, args);
    started.push(peer);
    await runX(display, requirePeer(test, 'xsetroot'), ['-solid', '#00ff00']);
    return socket;
  };
  const authority = { tls: { host: 'desk.test', ca } };
  const password = 'pw-tls';

  const x509 = await start('X509None');
  expect(pixel(await visit(x509, authority), 300, 300)).toEqual(GREEN);
  expect(pixel(await visit(x509, { tls: { fingerprint } }), 300, 300)).toEqual(GREEN);
  const untrusted: [string, Credentials['tls'], RegExp][] = [
    ['unknown authority', { host: 'desk.test' }, /UNABLE_TO|SELF_SIGNED/],
    ['another name', { host: 'other.test', ca }, /ALTNAME/],
    ['another fingerprint', { fingerprint: 'AA'.repeat(32) }, new RegExp(fingerprint)],
  ];
  for (const [what, tls, seen] of untrusted) {
    const failure = visit(x509, { tls });
    await expect(failure, what).rejects.toMatchObject({ code: 'TLS_UNTRUSTED' });
    await expect(failure, what).rejects.toThrow(seen);
  }
  await expect(visit(x509, {})).rejects.toMatchObject({ code: 'VNC_HANDSHAKE_FAILED', seen: 'X509None' });

  const x509Vnc = await start('X509Vnc');
  expect(pixel(await visit(x509Vnc, { ...authority, password }), 300, 300)).toEqual(GREEN);
  await expect(visit(x509Vnc, { ...authority, password: 'wrong' })).rejects.toMatchObject({
    code: 'VNC_AUTH_FAILED',
  });
  await expect(visit(x509Vnc, authority)).rejects.toMatchObject({ code: 'VNC_AUTH_FAILED', seen: 'X509Vnc' });

  expect(pixel(await visit(await start('TLSNone'), {}), 300, 300)).toEqual(GREEN);
  const anonymous = await start('TLSVnc');
  expect(pixel(await visit(anonymous, { password }), 300, 300)).toEqual(GREEN);
  await expect(visit(anonymous, { ...authority, password })).rejects.toMatchObject({
    code: 'VNC_HANDSHAKE_FAILED',
  });

  const plain = await start('None');
  await expect(visit(plain, authority)).rejects.toThrow(/offers no encryption/);
});

test('rule 20: QEMU: tls-creds with a certificate, with and without a password', async ({
  folder,
  started,
}) => {
  test.setTimeout(60_000);
  const { ca, fingerprint } = certificate(join(folder, 'pki'), 'qemu.test');
  for (const password of [undefined, 'pw-qemu']) {
    const [vnc, control] = [join(folder, `v${password}`), join(folder, `c${password}`)];
    const machine = new Peer(requirePeer(test, 'qemu-system-x86_64'), [
      ...['-accel', 'tcg', '-nodefaults', '-vga', 'std', '-display', 'none', '-m', '64', '-name', 'lab-vm'],
      ...['-object', `tls-creds-x509,id=tls,dir=${join(folder, 'pki')},endpoint=server,verify-peer=off`],
      ...['-vnc', `unix:${vnc},tls-creds=tls${password ? ',password=on' : ''}`],
      ...['-qmp', `unix:${control},server=on,wait=off`],
    ]);
    started.push(machine);
    await machine.untilExists(control);
    await machine.untilExists(vnc);
    if (password !== undefined) {
      await qmp(control, { execute: 'set_password', arguments: { protocol: 'vnc', password } });
    }
    const credentials = { password, tls: { host: 'qemu.test', ca } };
    expect((await visit(vnc, credentials)).width).toBeGreaterThan(0);
    expect((await visit(vnc, { password, tls: { fingerprint } })).width).toBeGreaterThan(0);
    await expect(visit(vnc, { password, tls: { host: 'qemu.test' } })).rejects.toMatchObject({
      code: 'TLS_UNTRUSTED',
    });
  }
});

/** A VeNCrypt server in memory, up to TLS; `serve` goes on inside. */
function scripted(
  subtypes: readonly number[],
  pki: { keyFile: string; certFile: string },
  serve: (inside: ByteReader, stream: TLSSocket) => Promise<void>,
) {
  const [client, server] = duplexPair();
  const choices: number[] = [];
  const run = async () => {
    const reader = new ByteReader(server);
    server.write('RFB 003.008\n');
    await reader.take(12);
    server.write(Buffer.from([1, 19]));
    await reader.take(1);
    server.write(Buffer.from([0, 2]));
    await reader.take(2);
    const list = Buffer.alloc(2 + subtypes.length * 4);
    list.writeUInt8(subtypes.length, 1);
    subtypes.forEach((subtype, index) => list.writeUInt32BE(subtype, 2 + index * 4));
    server.write(list);
    choices.push(await reader.u32());
    server.write(Buffer.from([1]));
    reader.release();
    const [key, cert] = [readFileSync(pki.keyFile), readFileSync(pki.certFile)];
    const stream = new TLSSocket(server, { isServer: true, key, cert });
    await serve(new ByteReader(stream), stream);
  };
  run().catch(() => undefined); // the client is judged
  return { client, choices };
}

test('X509Plain hands user and password over inside trusted TLS; Plain and TLSPlain are never taken', async ({
  folder,
}) => {
  const pki = certificate(join(folder, 'pki'), 'desk.test');
  const credentials = { user: 'ann', password: 'pw-plain', tls: { host: 'desk.test', ca: pki.ca } };
  const told: string[] = [];
  const { client, choices } = scripted([256, 259, 262], pki, async (inside, stream) => {
    const [user, password] = [await inside.u32(), await inside.u32()];
    told.push((await inside.take(user)).toString(), (await inside.take(password)).toString());
    stream.write(Buffer.alloc(4));
    await inside.u8();
    stream.write(Buffer.concat([Buffer.from([0, 80, 0, 60]), Buffer.alloc(20)]));
  });
  const { init } = await handshake('vm', client, (stream) => new ByteReader(stream), credentials);
  expect(init).toEqual({ width: 80, height: 60, name: '' });
  expect([choices, told]).toEqual([[262], ['ann', 'pw-plain']]);

  for (const given of [credentials, { user: 'ann', password: 'pw-plain' }]) {
    const open = scripted([256, 259], pki, () => Promise.resolve());
    const failure = handshake('vm', open.client, (stream) => new ByteReader(stream), given);
    await expect(failure).rejects.toMatchObject({ code: 'VNC_HANDSHAKE_FAILED', seen: 'Plain, TLSPlain' });
    await expect(failure).rejects.not.toThrow(/pw-plain/);
    expect(open.choices).toEqual([]);
  }
});

test('rule 19: Xvnc: fences mark captures, changes are pushed while somebody follows', async ({
  folder,
  started,
}) => {
  const socket = join(folder, 'vnc');
  const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  started.push(peer);
  const connection = await RfbConnection.open(await connectTcp({ path: socket }, 'peer'), {
    subject: 'peer',
  });
  const passed = new Promise<void>((resolve) => expect(connection.fence(resolve)).toBe(true));
  await passed;
  connection.following = true;
  for (const colour of ['#ff0000', '#00ff00', '#0000ff', '#00ff00']) {
    const change = new Promise<void>((resolve) => {
      const stop = connection.onUpdate(({ changed }) => {
        if (changed.length === 0) return;
        stop();
        resolve();
      });
    });
    await runX(display, requirePeer(test, 'xsetroot'), ['-solid', colour]);
    await change;
  }
  const frame = await capture(connection, undefined, undefined);
  expect(pixel(frame, 639, 479)).toEqual(GREEN);
  connection.close();
});
