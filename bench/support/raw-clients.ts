/**
 * vmwright and rfb2 as whole clients of a server that plays a recorded session over TCP.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import type { RecordedSession } from '../../fixtures/vnc/rfb/recording.ts';
import { connectTcp } from '../../fixtures/vnc/rfb/transport.ts';
import { type Paired, paired } from './measure.ts';
import { playServer } from './play.ts';

interface Rfb2Client {
  on(event: 'rect' | 'error' | 'close', listener: (value: unknown) => void): void;
  end(): void;
}
const rfb2 = createRequire(import.meta.url)('rfb2') as {
  encodings: { raw: number };
  createConnection(options: object): Rfb2Client;
};

/** Bytes before the pixels of an update with one rectangle. */
const HEADER = 16;

/**
 * Times from connecting until the last rectangle is there, in turns. Both must have the last picture in the end: rfb2
 * the bytes as they came, vmwright its framebuffer, with the changes of each update found.
 */
export async function rawClients(session: RecordedSession, rounds: number): Promise<Paired> {
  const updates = session.records.filter(({ bytes }) => bytes[0] === 0 && bytes.length > HEADER);
  const pixels = updates.at(-1)?.bytes.subarray(HEADER) ?? Buffer.alloc(0);
  const { port, stop } = await playServer(session);
  try {
    const { screen } = await vmwrightClient(port, updates.length);
    checkPixels('vmwright', screen.frame().data, rgbaOf(pixels));
    checkPixels('rfb2', await rfb2Client(port, updates.length), pixels);
    return await paired(
      rounds,
      () => vmwrightClient(port, updates.length),
      () => rfb2Client(port, updates.length),
    );
  } finally {
    stop();
  }
}

async function vmwrightClient(port: number, rects: number): Promise<RfbConnection> {
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
  if (seen < rects) throw new Error(`vmwright saw ${seen} of ${rects} rectangles`);
  return connection;
}

async function rfb2Client(port: number, rects: number): Promise<Uint8Array> {
  const client = rfb2.createConnection({
    host: '127.0.0.1',
    port,
    securityType: 'none',
    encodings: [rfb2.encodings.raw],
  });
  let seen = 0;
  let last: Uint8Array = new Uint8Array();
  await new Promise<void>((resolve, reject) => {
    client.on('rect', (rect) => {
      last = (rect as { data: Uint8Array }).data;
      if (++seen >= rects) resolve();
    });
    client.on('error', reject);
    client.on('close', () => resolve());
  });
  if (seen < rects) throw new Error(`rfb2 saw ${seen} of ${rects} rectangles`);
  client.end();
  return last;
}

/** Blue and red change places; nothing shows through. */
function rgbaOf(wire: Buffer): Uint8Array {
  return wire.map((value, at) => {
    const channel = at & 3;
    if (channel === 3) return 255;
    return channel === 1 ? value : (wire[at ^ 2] ?? 0);
  });
}

function checkPixels(who: string, seen: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(seen, expected) !== 0) throw new Error(`the pixels of ${who} are not what was sent`);
}
