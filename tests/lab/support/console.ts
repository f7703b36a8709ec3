/**
 * A WebSocket to a console, with everything that came over it.
 *
 * @module
 */
import { WebSocket } from 'ws';
import type { Target } from './raw.ts';

export interface ConsoleOutcome {
  /** The answer to the upgrade: `101`, or status and reason phrase of a refusal. */
  readonly answer: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first bytes, when some came. */
  readonly greeting: string;
  /** Close code as the client sees it; undefined while open. */
  readonly closeCode: number | undefined;
  readonly body: string;
  readonly socket: WebSocket;
}

/** Opens a console and waits for its first bytes, its refusal or its end. */
export function openConsole(
  { port, ca }: Target,
  path: string,
  headers: Readonly<Record<string, string>>,
  protocols: string[] = ['binary'],
): Promise<ConsoleOutcome> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}/api2/json${path}`, protocols, { ca, headers });
  let upgrade: ConsoleOutcome['headers'] = {};
  return new Promise((done) => {
    const finish = (outcome: Partial<ConsoleOutcome>) =>
      done({
        answer: '101',
        headers: upgrade,
        greeting: '',
        closeCode: undefined,
        body: '',
        socket,
        ...outcome,
      });
    socket.on('upgrade', (response) => (upgrade = response.headers));
    socket.once('message', (data: Buffer) => finish({ greeting: data.toString('latin1') }));
    socket.once('close', (closeCode) => finish({ closeCode }));
    socket.on('error', () => undefined);
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () =>
        finish({
          answer: `${response.statusCode ?? 0} ${response.statusMessage ?? ''}`,
          headers: response.headers,
          body,
        }),
      );
    });
  });
}
