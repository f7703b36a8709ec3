/**
 * A small HTTPS server that answers what a test tells it to: for replies that the lab is too correct to give.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { Secret } from '../../../fixtures/secrets/index.ts';
import type { ProxmoxConnection } from '../../../fixtures/proxmox/index.ts';
import { makeCertificate } from '../../../lab/certificate.ts';

export const TOKEN_SECRET = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';
export const PASSWORD = 'pa;ss&word=100%';

export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ScriptedReply {
  /** Default 200. */
  readonly status?: number;
  /** The reason phrase. Default `OK`. */
  readonly reason?: string;
  /** Sent as JSON. Absent: an empty body. */
  readonly json?: unknown;
  /** Sent as it is, as a web page. */
  readonly html?: string;
  /** Sent piece by piece as JSON, as long as the client reads. */
  readonly pieces?: Iterable<string>;
}

/** `drop` cuts the connection without an answer, `silence` keeps it open without one. */
export type Answer = ScriptedReply | 'drop' | 'silence';
export type Script = (request: ScriptedRequest, count: number) => Answer | Promise<Answer>;

export interface ScriptedServer {
  readonly port: number;
  readonly ca: string;
  readonly fingerprint: string;
  readonly requests: ScriptedRequest[];
  /** TCP connections so far. */
  readonly connections: () => number;
  /** How the client reaches it, with a token unless `auth` says else. */
  connection(overrides?: Partial<ProxmoxConnection>): ProxmoxConnection;
  /** `METHOD /path` of each request below `/api2/json`. */
  calls(): string[];
  close(): Promise<void>;
}

/** The token that {@link ScriptedServer.connection} uses. */
export const tokenAuth = (): ProxmoxConnection['auth'] => ({
  type: 'token',
  id: 'root@pam!ci',
  secret: new Secret('PROXMOX_TOKEN_SECRET', TOKEN_SECRET),
});

export const passwordAuth = (): ProxmoxConnection['auth'] => ({
  type: 'password',
  user: 'root@pam',
  password: new Secret('PROXMOX_PASSWORD', PASSWORD),
});

/** A task's id, as power verbs and snapshots answer. */
export const UPID = 'UPID:pve:00004686:0005B477:6A4A8EEF:qmstart:101:root@pam:';
export const ok = (data: unknown): ScriptedReply => ({ json: { data } });
export const version = ok({ release: '9.2', version: '9.2.4', repoid: '5e5ae681198514d4' });
/** A refusal as pveproxy of PVE 9 words it: reason phrase, and `message` in the body. */
export const refusal = (status: number, reason: string, errors?: Record<string, string>): ScriptedReply => ({
  status,
  reason,
  json: { data: null, ...(errors === undefined ? {} : { errors }), message: `${reason}\n` },
});

/**
 * Starts it on loopback. `GET /version` is answered unless the script does it: it gets every other request, with the
 * number of requests so far to the same method and path.
 *
 * @param options.leafOnly sends the certificate without its authority, as pveproxy does
 * @param options.ownVersion leaves `GET /version` to the script
 * @param options.address loopback address to listen on; the certificate names 127.0.0.1 and localhost
 */
export async function startScripted(
  script: Script,
  options: { leafOnly?: boolean; ownVersion?: boolean; address?: string } = {},
): Promise<ScriptedServer> {
  const { ca, certificate, privateKey } = await makeCertificate();
  const leaf = certificate.slice(0, certificate.indexOf('-----END CERTIFICATE-----') + 26);
  const requests: ScriptedRequest[] = [];
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  let connections = 0;
  const server = createServer({ cert: options.leafOnly ? leaf : certificate, key: privateKey });
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'https://server');
      const request: ScriptedRequest = {
        method: incoming.method ?? '',
        path: url.pathname.replace('/api2/json', ''),
        query: url.search.slice(1),
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
      };
      requests.push(request);
      const key = `${request.method} ${request.path}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      const isVersion = key === 'GET /version' && options.ownVersion !== true;
      void Promise.resolve(isVersion ? version : script(request, count)).then((answer) => {
        if (answer === 'silence') return;
        if (answer === 'drop') {
          incoming.socket.destroy();
          return;
        }
        const { status = 200, reason = 'OK', json, html, pieces } = answer;
        if (pieces !== undefined) {
          response.writeHead(status, reason, { 'Content-Type': 'application/json;charset=UTF-8' });
          // A client that has read enough hangs up in the middle.
          pipeline(Readable.from(pieces), response, () => undefined);
          return;
        }
        const body = json === undefined ? (html ?? '') : JSON.stringify(json);
        const type = json === undefined ? 'text/html' : 'application/json;charset=UTF-8';
        response.writeHead(status, reason, {
          'Content-Length': Buffer.byteLength(body),
          ...(body === '' ? {} : { 'Content-Type': type }),
          ...(status >= 400 ? { Connection: 'close' } : {}),
        });
        response.end(body);
      });
    });
  });
  server.listen(0, options.address ?? '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    ca,
    fingerprint: new X509Certificate(leaf).fingerprint256,
    requests,
    connections: () => connections,
    connection: (overrides = {}) => ({
      host: '127.0.0.1',
      port,
      auth: tokenAuth(),
      tls: { ca },
      ...overrides,
    }),
    calls: () => requests.map(({ method, path }) => `${method} ${path}`),
    async close() {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
