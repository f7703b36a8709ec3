import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { constants, deflateSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { isVmwrightError } from '../../fixtures/errors.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { connectTcp } from '../../fixtures/vnc/rfb/transport.ts';
import { rawRect, rectBytes, RED, ScriptedServer, update } from './support/server.ts';
import { isSoak, rounds, SOAK } from '../support/soak.ts';

/** How many broken server messages are sent. */
const MESSAGES = rounds(10_000, 1_000_000);
/** Beyond what the process has at its start, after garbage collection by its own pace. */
const MOST_GROWTH = 400 << 20;
/** What a broken server may do to a client: anything but these is a bug. */
const HONEST_ENDS = [
  'VNC_PROTOCOL_ERROR',
  'VNC_UNSUPPORTED_ENCODING',
  'VNC_CONNECTION_LOST',
  'VNC_HANDSHAKE_FAILED',
];
const ENCODINGS = [0, 1, 2, 5, 6, 7, 16, 21, -223, -224, -239, -257, -258, -261, -308, -312, -313, -999];
const ANYWHERE = { x: 0, y: 0, width: 0, height: 0 };

const rectangle = fc.record({
  x: fc.nat(80),
  y: fc.nat(60),
  width: fc.oneof(fc.nat(64), fc.constant(65_535)),
  height: fc.oneof(fc.nat(48), fc.constant(65_535)),
});
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
/** Bytes that unpack, so that what is inside them is broken instead. */
const packed = bytes.map((payload) => {
  const piece = deflateSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(piece.length);
  return Buffer.concat([length, piece]);
});
const message = fc.oneof(
  bytes,
  fc
    .array(fc.tuple(rectangle, fc.constantFrom(...ENCODINGS), fc.oneof(bytes, packed)), { maxLength: 4 })
    .map((rects) => update(...rects.map(([rect, encoding, payload]) => rectBytes(rect, encoding, payload)))),
  ...[3, 1, 2, 150, 248].map((type) => bytes.map((payload) => Buffer.concat([Buffer.from([type]), payload]))),
);

function ended(connection: RfbConnection): Promise<unknown> {
  return new Promise((resolve) => {
    const end = () => resolve(connection.ended.reason);
    if (connection.ended.aborted) end();
    else connection.ended.addEventListener('abort', end, { once: true });
  });
}

interface Connected {
  readonly server: ScriptedServer;
  readonly connection: RfbConnection;
}

async function inMemory(): Promise<Connected> {
  const server = new ScriptedServer();
  const { stream } = await server.open();
  return { server, connection: await RfbConnection.open(stream, { subject: 'fuzz' }) };
}

/** Over loopback: sockets cut messages their own way, and their buffer is used again. */
async function overTcp(): Promise<Connected> {
  const server = new ScriptedServer();
  const { stream: inner } = await server.open();
  const relay = createServer((socket) => {
    socket.pipe(inner).pipe(socket);
    socket.on('error', () => inner.destroy()); // the client hung up
    socket.on('close', () => inner.destroy());
  });
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  try {
    const stream = await connectTcp({ port: (relay.address() as AddressInfo).port }, 'fuzz');
    return { server, connection: await RfbConnection.open(stream, { subject: 'fuzz' }) };
  } finally {
    relay.close();
  }
}

for (const [where, connect, count] of [
  ['in memory', inMemory, MESSAGES],
  ['over TCP', overTcp, MESSAGES / 10],
] as const)
  test(
    `rule 13: ${count} broken messages ${where}: an honest end or a whole picture, never a crash, a hang or a hoard`,
    SOAK,
    async () => {
      test.setTimeout(60_000 + count * 5);
      const before = process.memoryUsage.rss();
      let [sent, peak] = [0, 0];
      const begin = performance.now();
      const property = fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 8 }),
        async (messages) => {
          const { server, connection } = await connect();
          server.send(...messages);
          server.drop();
          const reason = await ended(connection);
          // No expect here: the runner keeps a step for each.
          if (!isVmwrightError(reason) || !HONEST_ENDS.includes(reason.code)) throw new Error(String(reason));
          const { width, height, data } = connection.screen.frame();
          if (data.length !== width * height * 4)
            throw new Error(`${data.length} bytes of ${width}x${height}`);
          sent += messages.length;
          // A turn of the event loop, which real sockets bring: what WeakRefs point to lives on until then.
          await new Promise((resolve) => setImmediate(resolve));
          if (sent % 64 >= messages.length) return;
          peak = Math.max(peak, process.memoryUsage.rss());
          if (peak - before > MOST_GROWTH)
            throw new Error(`${peak - before} bytes more after ${sent} messages`);
        },
      );
      while (sent < count) await fc.assert(property, { numRuns: 100 });
      const growth = peak - before;
      const seconds = ((performance.now() - begin) / 1000).toFixed(0);
      const description = `${sent} messages in ${seconds} s, resident memory + ${Math.round(growth / 1e6)} MB at most`;
      test.info().annotations.push({ type: 'fuzz', description });
      if (isSoak) process.stdout.write(`${description}\n`);
      expect(sent).toBeGreaterThanOrEqual(count);
    },
  );

test('rule 13: broken handshakes end honestly too', async () => {
  const greeting = fc.constantFrom('', 'RFB 003.008\n', 'RFB 003.003\n');
  const property = fc.asyncProperty(fc.array(bytes, { maxLength: 4 }), greeting, async (parts, greet) => {
    const server = new ScriptedServer({ silent: true });
    const { stream } = await server.open();
    const opening = RfbConnection.open(stream, { subject: 'fuzz', password: 'x' });
    server.send(Buffer.from(greet), ...parts);
    server.drop();
    const error = await opening.catch((reason: unknown) => reason);
    expect(isVmwrightError(error), String(error)).toBe(true);
  });
  await fc.assert(property, { numRuns: 500 });
});

test('LastRect ends an update whose count says otherwise', async () => {
  const { server, connection } = await inMemory();
  const endless = Buffer.from([0, 0, 255, 255]);
  server.send(endless, rawRect({ x: 0, y: 0, width: 4, height: 4 }, RED));
  server.send(...Array.from({ length: 5 }, () => rectBytes(ANYWHERE, 0)));
  server.send(rectBytes(ANYWHERE, -224));
  await new Promise<void>((resolve) => connection.onUpdate(() => resolve()));
  expect(connection.screen.frame().data[0]).toBe(255);
  connection.close();
});

test('rule 13: absurd lengths and bombs: an error at once, with little memory', async () => {
  const most = Buffer.alloc(4, 0xff);
  const screen = { x: 0, y: 0, width: 64, height: 48 };
  const bomb = deflateSync(Buffer.alloc(200 << 20), { finishFlush: constants.Z_SYNC_FLUSH });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bomb.length);
  const cases: Record<string, Buffer[]> = {
    clipboard: [Buffer.from([3, 0, 0, 0]), most],
    fence: [Buffer.from([248, 0, 0, 0]), most, Buffer.from([255])],
    'screen size': [update(rectBytes({ x: 0, y: 0, width: 65_535, height: 65_535 }, -223))],
    'extended screen size': [
      update(rectBytes({ x: 0, y: 0, width: 65_535, height: 65_535 }, -308, Buffer.alloc(4))),
    ],
    cursor: [update(rectBytes({ x: 0, y: 0, width: 65_535, height: 65_535 }, -239))],
    'Zlib length': [update(rectBytes(screen, 6, most))],
    'ZRLE length': [update(rectBytes(screen, 16, most))],
    'Tight length': [update(rectBytes(screen, 7, Buffer.from([0, 255, 255, 255])))],
    'RRE count': [update(rectBytes(screen, 2, Buffer.concat([most, most])))],
    'a rectangle beyond the screen': [update(rectBytes({ x: 60, y: 40, width: 65_535, height: 1 }, 0))],
    'Zlib bomb': [update(rectBytes(screen, 6, Buffer.concat([length, bomb])))],
    'ZRLE bomb': [update(rectBytes(screen, 16, Buffer.concat([length, bomb])))],
  };
  for (const [name, parts] of Object.entries(cases)) {
    const { server, connection } = await inMemory();
    const before = process.memoryUsage.rss();
    server.send(...parts);
    expect(await ended(connection), name).toMatchObject({ code: 'VNC_PROTOCOL_ERROR' });
    expect(process.memoryUsage.rss() - before, name).toBeLessThan(128 << 20);
  }
});

test('rule 13: endless rectangles: a tiny one again and again ends with its message, painting over and over with an error', async () => {
  const { server, connection } = await inMemory();
  const tiny = rawRect({ x: 0, y: 0, width: 1, height: 1 }, RED);
  const before = process.memoryUsage.rss();
  server.send(Buffer.from([0, 0, 255, 255]), ...Array.from({ length: 65_535 }, () => tiny));
  await new Promise<void>((resolve) => connection.onUpdate(() => resolve()));
  expect(connection.screen.frame().data[0]).toBe(255);
  const copy = rectBytes({ x: 0, y: 0, width: 64, height: 48 }, 1, Buffer.alloc(4));
  server.send(Buffer.from([0, 0, 255, 255]), ...Array.from({ length: 65_535 }, () => copy));
  expect(await ended(connection)).toMatchObject({ code: 'VNC_PROTOCOL_ERROR' });
  expect(process.memoryUsage.rss() - before).toBeLessThan(256 << 20);
});
