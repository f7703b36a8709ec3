/**
 * vmwright and rfb2 as whole clients of a server that plays a recorded session over TCP.
 *
 * @module
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createRequire } from 'node:module';
import { pipeline } from 'node:stream/promises';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import type { RecordedSession } from '../../fixtures/vnc/rfb/recording.ts';
import { replay } from '../../fixtures/vnc/rfb/replay.ts';
import { connectTcp } from '../../fixtures/vnc/rfb/transport.ts';

interface Rfb2Client {
  on(event: 'rect' | 'error' | 'close', listener: (value: unknown) => void): void;
  end(): void;
}
const rfb2 = createRequire(import.meta.url)('rfb2') as {
  encodings: { raw: number };
  createConnection(options: object): Rfb2Client;
};

/** Milliseconds, the best of `rounds`, from connecting until the last rectangle is there. */
export async function rawClients(session: RecordedSession, rounds: number) {
  const rects = session.records.filter(({ bytes }) => bytes[0] === 0 && bytes.length > 100).length;
  const server = createServer((socket) => {
    const played = replay(session);
    pipeline(played, socket).catch(() => undefined); // the client has seen enough
    socket.on('data', (chunk) => played.write(chunk)).on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return {
      vmwright: await best(rounds, () => vmwrightClient(port, rects)),
      rfb2: await best(rounds, () => rfb2Client(port, rects)),
    };
  } finally {
    server.close();
  }
}

async function vmwrightClient(port: number, rects: number): Promise<void> {
  const stream = await connectTcp({ port }, 'bench');
  const connection = await RfbConnection.open(stream, { subject: 'bench', encodings: [0] });
  let seen = 1; // the first picture
  await new Promise<void>((resolve) => {
    if (seen >= rects) resolve();
    connection.onUpdate(({ rects: painted }) => {
      if (painted.length > 0 && ++seen >= rects) resolve();
    });
    connection.ended.addEventListener('abort', () => resolve());
  });
  connection.close();
}

async function rfb2Client(port: number, rects: number): Promise<void> {
  const client = rfb2.createConnection({
    host: '127.0.0.1',
    port,
    securityType: 'none',
    encodings: [rfb2.encodings.raw],
  });
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    client.on('rect', () => {
      if (++seen >= rects) resolve();
    });
    client.on('error', reject);
    client.on('close', () => resolve());
  });
  if (seen < rects) throw new Error(`rfb2 saw ${seen} of ${rects} rectangles`);
  client.end();
}

async function best(rounds: number, work: () => Promise<void>): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    await work();
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}
