/**
 * A TCP relay in front of an sshd: it refuses connections on demand.
 *
 * @module
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

export interface Relay {
  readonly port: number;
  /** Connections so far, refused ones too. */
  readonly attempts: number;
  close(): Promise<void>;
}

/** @param refused how many connections, from the first on, are closed at once */
export async function startRelay(to: number, refused: number): Promise<Relay> {
  let attempts = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (++attempts <= refused) {
      socket.destroy();
      return;
    }
    const onward = connect(to, '127.0.0.1').on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
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
