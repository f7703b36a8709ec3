/**
 * Addresses at which a connection comes to nothing, each in its own way.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface Place {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A listener in a thread that sleeps: once its queue is full the kernel drops each further packet, as a firewall does. */
export async function startDropping(host = '127.0.0.1', port = 0): Promise<Place> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ ...workerData, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true, workerData: { host, port } },
  );
  const [bound] = (await once(worker, 'message')) as [number];
  const queued = await fillQueue(host, bound);
  return {
    host,
    port: bound,
    async close() {
      for (const socket of queued) socket.destroy();
      await worker.terminate();
    },
  };
}

/** Connects until one gets no answer within a moment. */
async function fillQueue(host: string, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (;;) {
    const socket = connect({ host, port }).on('error', () => undefined);
    sockets.push(socket);
    const isIn = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>((done) => setTimeout(() => done(false), 300)),
    ]);
    if (!isIn) return sockets;
  }
}

/** A listener that does with each connection what `serve` says. */
export async function startListener(serve: (socket: Socket) => void): Promise<Place> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on('error', () => undefined));
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
