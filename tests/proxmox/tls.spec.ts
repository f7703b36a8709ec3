import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from '@playwright/test';
import { request } from 'undici';
import { fakeClock } from './support/clock.ts';
import { failure, test } from './support/fixtures.ts';
import { ok, passwordAuth } from './support/scripted-server.ts';

const OTHER_FINGERPRINT = Array(32).fill('AB').join(':');

test('an authority that is pinned is trusted', async ({ scripted, connect }) => {
  const server = await scripted(() => ok([]));
  const { api } = await connect(server.connection());
  expect(await api.nodes.$get()).toEqual([]);
});

test('a fingerprint that is pinned is trusted, however it is written, on every connection', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(() => ok([]), { leafOnly: true });
  for (const fingerprint of [server.fingerprint, server.fingerprint.replaceAll(':', '').toLowerCase()]) {
    const { api } = await connect(server.connection({ tls: { fingerprint } }));
    await Promise.all([api.nodes.$get(), api.nodes.$get(), api.nodes.$get()]);
  }
  expect(server.connections()).toBeGreaterThan(2);
});

test('a wrong fingerprint ends the connection before any credential is sent', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(() => ok([]));
  for (const overrides of [{}, { auth: passwordAuth() }]) {
    const tls = { fingerprint: OTHER_FINGERPRINT };
    const error = await failure(connect(server.connection({ ...overrides, tls }), fakeClock()));
    expect(error).toMatchObject({ code: 'PROXMOX_TLS_UNTRUSTED', seen: server.fingerprint });
    expect(error.message).toContain('PROXMOX_FINGERPRINT');
  }
  expect(server.requests).toEqual([]);
});

for (const [name, leafOnly] of [
  ['the certificate with its authority', false],
  ['the certificate alone, as pveproxy sends it', true],
] as const) {
  test(`P-M31: a server that nobody vouches for is refused at the first try: ${name}`, async ({
    scripted,
    connect,
  }) => {
    const server = await scripted(() => ok([]), { leafOnly });
    const clock = fakeClock();
    const error = await failure(connect(server.connection({ tls: {} }), clock));
    expect(error).toMatchObject({ code: 'PROXMOX_TLS_UNTRUSTED' });
    expect(error.message).toContain('PROXMOX_CA_FILE');
    expect(error.message).toContain('pve-root-ca.pem');
    expect(server.connections()).toBe(1);
    expect(server.requests).toEqual([]);
    expect(clock.pauses).toEqual([]);
  });
}

test('the authority of another cluster is not enough', async ({ scripted, connect }) => {
  const [server, other] = [await scripted(() => ok([])), await scripted(() => ok([]))];
  const error = await failure(connect(server.connection({ tls: { ca: other.ca } })));
  expect(error).toMatchObject({ code: 'PROXMOX_TLS_UNTRUSTED' });
  expect(server.requests).toEqual([]);
});

test('an authority vouches for the names in the certificate only; a fingerprint for the server', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(() => ok([]), { address: '127.0.0.2' });
  const host = '127.0.0.2';
  const error = await failure(connect(server.connection({ host })));
  expect(error).toMatchObject({ code: 'PROXMOX_TLS_UNTRUSTED' });
  expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  expect(server.requests).toEqual([]);
  const { release } = await connect(server.connection({ host, tls: { fingerprint: server.fingerprint } }));
  expect(release).toBe('9.2');
});

test('trusting a cluster trusts nothing else in the process', async ({ scripted, connect }) => {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  const server = await scripted(() => ok([]));
  await connect(server.connection({ tls: { fingerprint: server.fingerprint } }));
  expect(process.env.NODE_TLS_REJECT_UNAUTHORIZED).toBe(before);
  const url = `https://127.0.0.1:${server.port}/`;
  await expect(request(url)).rejects.toMatchObject({ code: 'SELF_SIGNED_CERT_IN_CHAIN' });
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  expect(server.calls()).toEqual(['GET /version']);
});

test('P-M31: nobody listens: three attempts, then PROXMOX_UNREACHABLE with host and port', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(() => ok([]));
  await server.close();
  const clock = fakeClock();
  const error = await failure(connect(server.connection(), clock));
  expect(error).toMatchObject({
    code: 'PROXMOX_UNREACHABLE',
    subject: `Proxmox at 127.0.0.1:${server.port}`,
  });
  expect(error.message).toContain('ECONNREFUSED');
  expect(clock.pauses).toEqual([1000, 2000]);
});

test('a server without TLS is not spoken to in the clear', async ({ scripted, connect }) => {
  const plain = createServer((_request, response) => response.end());
  let requests = 0;
  plain.on('request', () => requests++);
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  try {
    const { port } = plain.address() as AddressInfo;
    const server = await scripted(() => ok([]));
    await expect(connect(server.connection({ port }), fakeClock())).rejects.toThrow(/PROXMOX_/);
    expect(requests).toBe(0);
  } finally {
    plain.close();
  }
});
