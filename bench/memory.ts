/**
 * Memory of an hour of session: ten updates a second of a 1920x1080 screen, played as fast as they are taken, to a
 * vmwright page that somebody follows and to rfb2, each in a process of its own. Prints what each holds after the first
 * six minutes and after the hour, garbage collected.
 *
 *     node --import tsx bench/memory.ts
 *
 * @module
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { replay } from '../fixtures/vnc/rfb/replay.ts';
import { connectTcp, VncPage } from '../fixtures/vnc/index.ts';

const HEADER = { width: 1920, height: 1080, name: 'bench' };
const UPDATES = Number(process.env.VMWRIGHT_BENCH_UPDATES ?? 36_000);
const RECT = { width: 64, height: 48 };
const CLIENTS = ['vmwright', 'rfb2'] as const;
type ClientName = (typeof CLIENTS)[number];

interface Memory {
  /** Bytes: of the process, and of the JavaScript heap with what its buffers hold. */
  readonly rss: number;
  readonly held: number;
}

/** A Raw rectangle of one colour somewhere on the screen. */
function updateOf(round: number): Buffer {
  const bytes = Buffer.alloc(16 + RECT.width * RECT.height * 4, round & 0xff);
  bytes.writeUInt32BE(1, 0);
  bytes.writeUInt16BE((round * 97) % (HEADER.width - RECT.width), 4);
  bytes.writeUInt16BE((round * 61) % (HEADER.height - RECT.height), 6);
  bytes.writeUInt16BE(RECT.width, 8);
  bytes.writeUInt16BE(RECT.height, 10);
  bytes.writeInt32BE(0, 12);
  return bytes;
}

/** The whole screen once, then the hour; at each mark the client is asked what it holds. */
function* messages(): Generator<Buffer> {
  const whole = Buffer.alloc(16 + HEADER.width * HEADER.height * 4);
  whole.writeUInt32BE(1, 0);
  whole.writeUInt16BE(HEADER.width, 8);
  whole.writeUInt16BE(HEADER.height, 10);
  yield whole;
  for (let round = 0; round < UPDATES; round++) yield updateOf(round);
}

async function play(socket: Socket, ask: () => Promise<Memory>): Promise<Memory[]> {
  const greeting = replay({ header: HEADER, records: [] });
  const marks: Memory[] = [];
  socket.on('error', () => undefined);
  // The handshake comes from the replay; what follows is too much to be held at once.
  socket.on('data', (chunk: Buffer) => greeting.writable && greeting.write(chunk));
  for await (const chunk of greeting) socket.write(chunk as Buffer);
  let round = -1;
  for (const bytes of messages()) {
    if (!socket.write(bytes)) await once(socket, 'drain');
    round++;
    if (round === UPDATES / 10 || round === UPDATES) marks.push(await ask());
  }
  return marks;
}

async function measure(name: ClientName): Promise<Memory[]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const child = fork(fileURLToPath(import.meta.url), [name, String(port)], {
    execArgv: ['--expose-gc', '--import', 'tsx'],
  });
  try {
    const [socket] = (await once(server, 'connection')) as [Socket];
    return await play(socket, async () => {
      const answer = once(child, 'message');
      child.send('how much');
      return ((await answer) as [Memory])[0];
    });
  } finally {
    child.kill();
    server.close();
  }
}

/** The child: connects, and answers whoever asks. */
async function client(name: ClientName, port: number): Promise<void> {
  process.on('message', () => {
    // What the socket still holds is decoded first.
    setTimeout(() => {
      globalThis.gc?.();
      const { rss, heapUsed, arrayBuffers, external } = process.memoryUsage();
      process.send?.({ rss, held: heapUsed + Math.max(arrayBuffers, external) } satisfies Memory);
    }, 300);
  });
  if (name === 'vmwright') {
    const page = await VncPage.connect({
      name: 'bench',
      open: async () => ({ stream: await connectTcp({ port }, 'bench') }),
    });
    page.onDirty(() => undefined);
    return;
  }
  const rfb2 = createRequire(import.meta.url)('rfb2') as {
    encodings: { raw: number };
    createConnection(options: object): { on(event: string, listener: () => void): void };
  };
  const session = rfb2.createConnection({
    host: '127.0.0.1',
    port,
    securityType: 'none',
    encodings: [rfb2.encodings.raw],
  });
  session.on('rect', () => undefined);
  session.on('error', () => undefined);
}

const [role, port] = process.argv.slice(2);
if (role !== undefined) await client(role as ClientName, Number(port));
else {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1).padStart(7);
  const ends: number[] = [];
  for (const name of CLIENTS) {
    const [early, late] = await measure(name);
    if (early === undefined || late === undefined) throw new Error(`${name} did not answer`);
    ends.push(late.rss);
    process.stdout.write(
      `${name.padEnd(9)} after 6 min ${megabytes(early.rss)} MB, held ${megabytes(early.held)} MB` +
        `   after 1 h ${megabytes(late.rss)} MB, held ${megabytes(late.held)} MB` +
        `   growth of what is held ${megabytes(late.held - early.held)} MB\n`,
    );
  }
  const [ours, theirs] = ends as [number, number];
  process.stdout.write(`after 1 h, rfb2 / vmwright: ${(theirs / ours).toFixed(2)}\n`);
}
