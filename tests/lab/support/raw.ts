/**
 * HTTP by hand over TLS: every byte of the answer counts.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import type { Lab } from '../../../lab/index.ts';

export interface RawReply {
  /** The whole first line. */
  readonly statusLine: string;
  /** Lower-case names; the values as they came. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: the lab's token. `false`: none. */
  readonly auth?: Readonly<Record<string, string>> | false;
}

export interface Target {
  readonly port: number;
  readonly ca: string;
}

export const targetOf = (lab: Lab): Target => {
  const env = lab.env();
  return { port: Number(env.PROXMOX_PORT), ca: readFileSync(env.PROXMOX_CA_FILE!, 'utf8') };
};

export const tokenOf = ({ access }: Pick<Lab, 'access'>): Record<string, string> => ({
  Authorization: `PVEAPIToken=${access.tokenId}=${access.tokenSecret}`,
});

/** Sends one request on a connection of its own and reads the answer to its end. */
export async function send(
  { port, ca }: Target,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Promise<RawReply> {
  const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ Host: 'lab', ...length, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const bytes = await new Promise<Buffer>((done, fail) => {
    const socket = connect({ host: '127.0.0.1', port, ca });
    const chunks: Buffer[] = [];
    const finish = () => {
      socket.destroy();
      done(Buffer.concat(chunks));
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isComplete(Buffer.concat(chunks), method)) finish();
    });
    socket.on('end', finish);
    socket.on('error', fail);
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  });
  const text = bytes.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = text.slice(0, end).split('\r\n');
  const parsed = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  return { statusLine, headers: Object.fromEntries(parsed), body: text.slice(end + 4) };
}

/** Requests below `/api2/json` of the lab, with its token. */
export function api(lab: Lab) {
  const target = targetOf(lab);
  return (
    method: string,
    path: string,
    { headers = {}, body = '', auth }: RawRequest = {},
  ): Promise<RawReply> => {
    const login = auth === false ? {} : (auth ?? tokenOf(lab));
    const type = body === '' ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' };
    return send(target, method, `/api2/json${path}`, { ...type, ...login, ...headers }, body);
  };
}

/** The `data` of a reply that is an object. */
export function dataOf(reply: RawReply): Record<string, unknown> {
  return (JSON.parse(reply.body) as { data: Record<string, unknown> }).data;
}

/** The `data` of a reply that is a list. */
export function listOf(reply: RawReply): Record<string, unknown>[] {
  return (JSON.parse(reply.body) as { data: Record<string, unknown>[] }).data;
}

function isComplete(bytes: Buffer, method: string): boolean {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return method === 'HEAD' || (length !== undefined && bytes.length - end - 4 >= Number(length));
}
