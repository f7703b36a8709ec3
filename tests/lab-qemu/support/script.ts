/**
 * The other end of a line protocol, played by the test.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export class Scripted {
  readonly socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** The next line as it came. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error('the other end closed');
    return next.value;
  }

  async request(): Promise<{ execute: string; arguments: Record<string, unknown>; id: number }> {
    const line = await this.line();
    return JSON.parse(line.slice(line.indexOf('{'))) as Awaited<ReturnType<Scripted['request']>>;
  }

  send(...messages: readonly unknown[]): void {
    this.socket.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  }

  raw(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }
}

/** Listens at a UNIX socket and hands over each connection. */
export async function listen(path: string): Promise<{ next: () => Promise<Scripted>; close: () => void }> {
  const server = createServer();
  const waiting: Socket[] = [];
  server.on('connection', (socket) => waiting.push(socket));
  server.listen(path);
  await once(server, 'listening');
  return {
    async next() {
      while (waiting.length === 0) await once(server, 'connection');
      return new Scripted(waiting.shift()!);
    },
    close: () => server.close(),
  };
}
