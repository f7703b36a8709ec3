/**
 * A server that plays a recorded session to each client, in a process of its own: what it takes is not the clients'.
 *
 * @module
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { replay } from '../../fixtures/vnc/rfb/replay.ts';
import type { RecordedSession } from '../../fixtures/vnc/rfb/recording.ts';

/** Its port on loopback, and the way to end it. */
export async function playServer(session: RecordedSession): Promise<{ port: number; stop: () => void }> {
  const child = fork(fileURLToPath(import.meta.url), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  });
  child.send(session);
  const [port] = (await once(child, 'message')) as [number];
  return { port, stop: () => child.disconnect() };
}

async function serve(session: RecordedSession): Promise<void> {
  const server = createServer((socket) => {
    const played = replay(session);
    pipeline(played, socket).catch(() => undefined); // the client has seen enough
    socket.on('data', (chunk) => played.write(chunk)).on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.((server.address() as AddressInfo).port);
  process.once('disconnect', () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.once('message', (session) => void serve(session as RecordedSession));
