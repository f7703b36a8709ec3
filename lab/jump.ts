/**
 * The way into the lab's virtual network: an SSH server that offers nothing but `direct-tcpip`, as OpenSSH's
 * ProxyJump uses it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { makeHostKey } from './host-key.ts';

export interface JumpHost {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Cuts every open connection. */
  cut(): void;
  close(): Promise<void>;
}

/** @param connect opens a connection to a guest's address and port, or rejects as a refused connection */
export async function startJumpHost(
  connect: (address: string, port: number) => Promise<Duplex>,
): Promise<JumpHost> {
  const user = 'jump';
  const password = randomBytes(12).toString('base64url');
  const hostKey = makeHostKey();
  const server = new ssh2.Server({ hostKeys: [hostKey], ident: 'vmwright-lab-jump' }, (client) => {
    client.on('authentication', (context) => {
      const isRight =
        context.method === 'password' && context.username === user && context.password === password;
      if (isRight) context.accept();
      else context.reject(['password']);
    });
    client.on('error', () => client.end());
    client.on('tcpip', (accept, reject, { destIP, destPort }) => {
      connect(destIP, destPort).then(
        (guest) => {
          const channel = accept();
          guest.on('error', () => channel.destroy());
          channel.on('error', () => guest.destroy());
          guest.on('close', () => channel.end());
          channel.on('close', () => guest.destroy());
          guest.pipe(channel).pipe(guest);
        },
        () => reject(),
      );
    });
  });
  const sockets = new Set<Socket>();
  const listener: TcpServer = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    server.injectSocket(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: (listener.address() as AddressInfo).port,
    user,
    password,
    cut,
    async close() {
      listener.close();
      cut();
      await once(listener, 'close');
    },
  };
}
