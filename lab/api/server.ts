/**
 * HTTPS as pveproxy speaks it: headers, reason phrases, limits.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ServerCertificate } from '../certificate.ts';
import { ApiError, badParameters } from './errors.ts';
import type { RawParameters } from './parameters.ts';
import { type Answer, type Cluster, dispatch, type Router } from './router.ts';
import { sendTampered, type Tampered } from './tamper.ts';

const PREFIX = '/api2/json';
const BODY_LIMIT = 512 * 1024;
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const KEEP_ALIVE_MS = 5000;

/** One request as it came, for tests that look at what a client sent. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  body: string;
  status: number;
}

export interface ApiServerOptions {
  readonly certificate: ServerCertificate;
  readonly cluster: Cluster;
  readonly router: Router;
  /** PVE delays each 401 by 3 s; the lab does not unless asked. Milliseconds. */
  readonly unauthorizedDelayMs: number;
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** So long pveproxy waits for the daemon, or another node: then it answers 596, and the call goes on. Milliseconds. */
  readonly hopTimeoutMs: number;
  /** What is answered instead; undefined for the real answer. Asked once a call, after the log-in. */
  readonly tamper: (entry: LoggedRequest) => Tampered | undefined;
  /** Requests outside of `/api2`; returns false when it does not know the path. */
  readonly extra: (request: IncomingMessage, response: ServerResponse, body: string) => boolean;
}

export interface ApiServer {
  readonly server: Server;
  readonly requests: LoggedRequest[];
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const requests: LoggedRequest[] = [];
  const { certificate, privateKey } = options.certificate;
  const server = createServer({
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('upgrade', options.onUpgrade);
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', 'https://lab');
    const entry = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.search.slice(1),
      body: '',
      status: 0,
    };
    requests.push(entry);
    answer(options, request, response, url, entry).then(
      (sent) => (entry.status = sent),
      () => response.destroy(),
    );
  });
  return { server, requests };
}

async function answer(
  options: ApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  entry: LoggedRequest,
): Promise<number> {
  try {
    const method = request.method ?? '';
    if (!METHODS.includes(method)) throw new ApiError(501, `method '${method}' not available`);
    if (request.headers['transfer-encoding'] !== undefined) {
      throw new ApiError(501, 'chunked transfer encoding not supported');
    }
    entry.body = await readBody(request);
    if (!url.pathname.startsWith(`${PREFIX}/`)) {
      if (options.extra(request, response, entry.body)) return response.statusCode;
      throw new ApiError(501, 'no such uri');
    }
    const path = url.pathname.slice(PREFIX.length);
    const { cluster, router } = options;
    const isPublic = router.isPublic(method, path);
    const caller = isPublic ? { id: '', isToken: false } : cluster.access.authenticate(request);
    const found = router.find(method, path);
    const raw = parametersOf(request, url, entry.body);
    const tampered = options.tamper(entry);
    if (tampered !== undefined) {
      const real = tampered.carriedOut ? await dispatch(cluster, caller, found, raw) : undefined;
      return sendTampered(response, tampered, real?.data);
    }
    const answered = await withinHop(dispatch(cluster, caller, found, raw), options.hopTimeoutMs);
    return send(response, 200, 'OK', toBody(answered));
  } catch (error) {
    const fault =
      error instanceof ApiError ? error : new ApiError(500, error instanceof Error ? error.message : 'error');
    if (fault.status === 401 && options.unauthorizedDelayMs > 0) {
      await new Promise((done) => setTimeout(done, options.unauthorizedDelayMs).unref());
    }
    const { errors, message } = fault;
    const body = fault.bodiless
      ? undefined
      : { data: null, ...(errors ? { errors } : {}), message: `${message}\n` };
    return send(response, fault.status, message, body);
  }
}

/** @throws 596 `Connection timed out` */
async function withinHop(answered: Promise<Answer>, limitMs: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ApiError(596, 'Connection timed out', { bodiless: true })), limitMs);
  });
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}

function toBody(result: Answer): unknown {
  return result.total === undefined ? { data: result.data } : { data: result.data, total: result.total };
}

function send(response: ServerResponse, status: number, reason: string, body: unknown): number {
  const date = new Date().toUTCString();
  response.statusMessage = (reason.split('\n')[0] ?? '').replaceAll(/[^\u0020-\u007e\u00a0-\u00ff]/g, '?');
  response.statusCode = status;
  response.setHeader('Cache-Control', 'max-age=0');
  response.setHeader('Pragma', 'no-cache');
  response.setHeader('Server', 'pve-api-daemon/3.0');
  response.setHeader('Date', date);
  response.setHeader('Expires', date);
  response.setHeader('Connection', status >= 400 ? 'close' : 'Keep-Alive');
  if (body === undefined) {
    response.setHeader('Content-Length', 0);
    response.end();
    return status;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  response.setHeader('Content-Type', 'application/json;charset=UTF-8');
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
  return status;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new ApiError(501, 'for data too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Query and body parameters; a repeated key is an array. The form parser splits on `;` as well as on `&`. */
function parametersOf(request: IncomingMessage, url: URL, body: string): RawParameters {
  const fromQuery = parseForm(url.search.slice(1));
  if (body === '') return fromQuery;
  if (request.method === 'GET' || request.method === 'DELETE') {
    throw new ApiError(501, `Unexpected content for method '${request.method}'`);
  }
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/json')) return { ...fromQuery, ...parseJson(body) };
  if (type.startsWith('application/x-www-form-urlencoded')) return { ...fromQuery, ...parseForm(body) };
  throw new ApiError(506, `unsupported content type '${type}'`);
}

function parseForm(form: string): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  for (const pair of form.split(/[&;]/).filter((part) => part !== '')) {
    const [key = '', ...rest] = pair.split('=');
    const decode = (part: string): string => decodeURIComponent(part.replaceAll('+', ' '));
    const [name, value] = [decode(key), decode(rest.join('='))];
    const known = result[name];
    if (known === undefined) result[name] = value;
    else result[name] = [...(Array.isArray(known) ? known : [known]), value];
  }
  return result;
}

function parseJson(body: string): Record<string, string | string[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw badParameters({ body: 'malformed JSON' });
  }
  if (typeof parsed !== 'object' || parsed === null) return {};
  return Object.fromEntries(
    Object.entries(parsed).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map(String) : scalar(value),
    ]),
  );
}

function scalar(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
