/**
 * A TCP relay in front of an sshd: it refuses connections on demand, and may be slow.
 *
 * @module
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

export interface Relay {
  readonly port: number;
  /** Connections so far, refused ones too. */
  readonly attempts: number;
  close(): Promise<void>;
}

/**
 * @param refused how many connections, from the first on, are closed at once
 * @param stallMs on the way back each piece of up to 64 KiB waits so long, as over a slow line
 */
export async function startRelay(to: number, refused: number, stallMs = 0): Promise<Relay> {
  let attempts = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (++attempts <= refused) {
      socket.destroy();
      return;
    }
    const onward = connect(to, '127.0.0.1').on('error', () => socket.destroy());
    const stalled = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const piece of pieces) {
        if (stallMs > 0) await new Promise((done) => setTimeout(done, stallMs));
        yield piece;
      }
    };
    socket.pipe(onward);
    pipeline(onward, stalled, socket).catch(() => undefined);
    socket.on('close', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get attempts() {
      return attempts;
    },
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}
