import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { WebSocketServer } from 'ws';
import { connectWebSocket } from '../../fixtures/vnc/index.ts';
import { requirePeer } from '../support/peers.ts';

function certificate(folder: string) {
  mkdirSync(folder, { recursive: true });
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    requirePeer(test, 'openssl'),
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ],
      ...['-subj', '/CN=lab', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile],
    ],
    { stdio: 'ignore' },
  );
  const cert = readFileSync(certFile, 'utf8');
  return { key: readFileSync(keyFile), cert, fingerprint: new X509Certificate(cert).fingerprint256 };
}

test('wss: trusted by authority or pinned fingerprint; else nothing of the credentials goes out', async () => {
  const { key, cert, fingerprint } = certificate(test.info().outputPath('tls'));
  const https = createServer({ key, cert });
  const sockets = new WebSocketServer({ server: https });
  const tokens: (string | undefined)[] = [];
  sockets.on('connection', (_socket, request) => tokens.push(request.headers.authorization));
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  const { port } = https.address() as AddressInfo;
  const target = { url: `wss://127.0.0.1:${port}/`, headers: { authorization: 'PVEAPIToken=t' } };
  try {
    for (const trust of [
      { ca: cert },
      { fingerprint },
      { fingerprint: fingerprint.replaceAll(':', '').toLowerCase() },
    ]) {
      const stream = await connectWebSocket({ ...target, ...trust }, 'vm');
      stream.destroy();
    }
    expect(tokens).toEqual(['PVEAPIToken=t', 'PVEAPIToken=t', 'PVEAPIToken=t']);
    const other = connectWebSocket({ ...target, fingerprint: 'AA'.repeat(32) }, 'vm');
    await expect(other).rejects.toMatchObject({ code: 'TLS_UNTRUSTED', seen: fingerprint });
    await expect(connectWebSocket(target, 'vm')).rejects.toMatchObject({ code: 'VNC_UNREACHABLE' });
    expect(tokens).toHaveLength(3);
  } finally {
    sockets.close();
    https.close();
    https.closeAllConnections();
  }
});
