/**
 * Answers that no Proxmox gives: what a web proxy, a cut connection or a daemon that dies makes of them.
 *
 * @module
 */
import type { ServerResponse } from 'node:http';

/** What comes instead of an answer. */
export interface Tampered {
  /** Whether the call is carried out all the same. */
  readonly carriedOut: boolean;
  /** `silence`: the connection stays open; `cut`: it ends in the middle of the real body. */
  readonly instead:
    | 'silence'
    | 'cut'
    | {
        readonly status: number;
        readonly reason?: string;
        readonly body: string;
        readonly type?: string;
        /** `data` of the real answer in place of `body`, wrapped once more. */
        readonly nested?: boolean;
      };
}

/** Sends it. @returns the status; 0 where none was sent */
export function sendTampered(response: ServerResponse, { instead }: Tampered, real: unknown): number {
  if (instead === 'silence') return 0;
  if (instead === 'cut') {
    const body = JSON.stringify({ data: real ?? null, padding: ' '.repeat(64) });
    response.writeHead(200, {
      'Content-Type': 'application/json;charset=UTF-8',
      'Content-Length': body.length,
    });
    response.write(body.slice(0, body.length / 2), () => response.destroy());
    return 200;
  }
  const { status, reason = 'OK', type = 'application/json;charset=UTF-8', nested = false } = instead;
  const body = nested ? JSON.stringify({ data: { data: real ?? null } }) : instead.body;
  response.writeHead(status, reason, {
    ...(body === '' ? {} : { 'Content-Type': type }),
    'Content-Length': Buffer.byteLength(body),
    Connection: status >= 400 ? 'close' : 'keep-alive',
  });
  response.end(body);
  return status;
}
