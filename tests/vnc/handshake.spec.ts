import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { WebSocketServer } from 'ws';
import { vncResponse } from '../../fixtures/vnc/rfb/auth.ts';
import { handshake } from '../../fixtures/vnc/rfb/handshake.ts';
import { ByteReader } from '../../fixtures/vnc/rfb/reader.ts';
import type { Credentials } from '../../fixtures/vnc/rfb/vencrypt.ts';
import { connectTcp, connectWebSocket } from '../../fixtures/vnc/rfb/transport.ts';
import { duplexPair } from './support/streams.ts';

const SERVER_INIT = Buffer.concat([
  Buffer.from([0, 80, 0, 60]),
  Buffer.alloc(16),
  Buffer.from([0, 0, 0, 4]),
  Buffer.from('desk'),
]);
const OK = Buffer.alloc(4);
const CHALLENGE = Buffer.alloc(16, 7);

/** What the server sends, all at once, against what the client says to it. */
async function shake(
  sent: readonly (string | Buffer | number[])[],
  credentials: Credentials = {},
  hangUp = false,
) {
  const [client, server] = duplexPair();
  for (const part of sent) server.write(Array.isArray(part) ? Buffer.from(part) : part);
  if (hangUp) server.end();
  const said: Buffer[] = [];
  server.on('data', (chunk: Buffer) => said.push(chunk));
  const { init } = await handshake('vm', client, (stream) => new ByteReader(stream), credentials);
  await new Promise((resolve) => setImmediate(resolve));
  return { init, said: Buffer.concat(said) };
}

test('P-M2, rule 20: VNC authentication is DES under the password with the bits of each byte reversed', () => {
  const challenge = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  // From OpenSSL's legacy provider: single DES in ECB mode under 0e86ceceeef64e26, "password" with its bits reversed.
  const expected = 'b866924125c8eebb9debc1db61c538e2';
  expect(vncResponse(challenge, 'password').toString('hex')).toBe(expected);
  expect(vncResponse(challenge, 'password: only 8 bytes count').toString('hex')).toBe(expected);
});

test('versions 3.3, 3.7 and 3.8 with None', async () => {
  const v38 = await shake(['RFB 003.008\n', [1, 1], OK, SERVER_INIT]);
  expect(v38.init).toEqual({ width: 80, height: 60, name: 'desk' });
  expect(v38.said).toEqual(Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([1, 1])]));

  const v37 = await shake(['RFB 003.007\n', [1, 1], SERVER_INIT]);
  expect(v37.said).toEqual(Buffer.concat([Buffer.from('RFB 003.007\n'), Buffer.from([1, 1])]));

  const v33 = await shake(['RFB 003.003\n', [0, 0, 0, 1], SERVER_INIT]);
  expect(v33.said).toEqual(Buffer.concat([Buffer.from('RFB 003.003\n'), Buffer.from([1])]));
});

test('odd versions: 3.5 counts as 3.3, 3.889 and 4.1 as 3.8', async () => {
  expect((await shake(['RFB 003.005\n', [0, 0, 0, 1], SERVER_INIT])).said.toString()).toContain(
    'RFB 003.003',
  );
  expect((await shake(['RFB 003.889\n', [1, 1], OK, SERVER_INIT])).said.toString()).toContain('RFB 003.008');
  expect((await shake(['RFB 004.001\n', [1, 1], OK, SERVER_INIT])).said.toString()).toContain('RFB 003.008');
});

test('rule 20: VNC authentication is chosen when a password is given', async () => {
  const { said } = await shake(['RFB 003.008\n', [2, 1, 2], CHALLENGE, OK, SERVER_INIT], {
    password: 'secret',
  });
  const expected = [
    Buffer.from('RFB 003.008\n'),
    Buffer.from([2]),
    vncResponse(CHALLENGE, 'secret'),
    Buffer.from([1]),
  ];
  expect(said).toEqual(Buffer.concat(expected));
});

test('a wrong password is VNC_AUTH_FAILED with the reason of the server, without the password', async () => {
  const reason = Buffer.from('Authentication failed\0');
  const sent = ['RFB 003.008\n', [1, 2], CHALLENGE, [0, 0, 0, 1], [0, 0, 0, reason.length], reason];
  const failure = shake(sent, { password: 'hunter22' });
  await expect(failure).rejects.toMatchObject({
    code: 'VNC_AUTH_FAILED',
    seen: 'result 1: Authentication failed',
  });
  await expect(failure).rejects.not.toThrow(/hunter22/);
});

test('no password where one is needed is VNC_AUTH_FAILED', async () => {
  await expect(shake(['RFB 003.008\n', [1, 2]])).rejects.toMatchObject({ code: 'VNC_AUTH_FAILED' });
});

test('no security type in common names those offered', async () => {
  const failure = shake(['RFB 003.008\n', [2, 16, 5]]);
  await expect(failure).rejects.toMatchObject({
    code: 'VNC_HANDSHAKE_FAILED',
    seen: '16 (Tight), 5 (RA2)',
  });
});

test('a server that rejects everybody is quoted', async () => {
  const reason = Buffer.from('Too many security failures');
  const failure = shake(['RFB 003.008\n', [0], [0, 0, 0, reason.length], reason]);
  await expect(failure).rejects.toMatchObject({ code: 'VNC_HANDSHAKE_FAILED', seen: String(reason) });
});

test('anything but RFB, endless texts and an early end have their own errors', async () => {
  await expect(shake(['HTTP/1.1 400 Bad'])).rejects.toMatchObject({ code: 'VNC_HANDSHAKE_FAILED' });
  const endless = shake(['RFB 003.008\n', [0], [255, 255, 255, 255]]);
  await expect(endless).rejects.toMatchObject({ code: 'VNC_HANDSHAKE_FAILED' });
  await expect(shake(['RFB 00'], {}, true)).rejects.toMatchObject({ code: 'VNC_REFUSED' });
});

test('a WebSocket carries RFB under the subprotocol binary, with the headers given', async () => {
  const http = createServer();
  const sockets = new WebSocketServer({
    server: http,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  sockets.on('connection', (socket, request) => {
    socket.send(Buffer.from(`${socket.protocol} ${request.headers.authorization} ${request.url}`));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  try {
    const url = `ws://127.0.0.1:${port}/x?vncticket=a%2Bb`;
    const stream = await connectWebSocket({ url, headers: { authorization: 'PVEAPIToken=t' } }, 'vm');
    const [first] = (await once(stream, 'data')) as [Buffer];
    expect(first.toString()).toBe('binary PVEAPIToken=t /x?vncticket=a%2Bb');
    stream.destroy();
  } finally {
    sockets.close();
    http.close();
    http.closeAllConnections();
  }
});

test('a WebSocket that is refused says so without the ticket', async () => {
  const http = createServer();
  http.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 401 No ticket\r\n\r\n'));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  try {
    const failure = connectWebSocket({ url: `ws://127.0.0.1:${port}/x?vncticket=SECRETTICKET` }, 'vm');
    await expect(failure).rejects.toMatchObject({ code: 'VNC_REFUSED' });
    await expect(failure).rejects.toThrow(/HTTP 401 No ticket/);
    await expect(failure).rejects.not.toThrow(/SECRETTICKET/);
  } finally {
    http.close();
    http.closeAllConnections();
  }
});

test('nobody listening is VNC_UNREACHABLE', async () => {
  const path = test.info().outputPath('nobody.sock');
  await expect(connectTcp({ path }, 'vm')).rejects.toMatchObject({ code: 'VNC_UNREACHABLE' });
});
