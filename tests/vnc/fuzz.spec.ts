import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { isVmwrightError } from '../../fixtures/errors.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { rawRect, rectBytes, RED, ScriptedServer, update } from './support/server.ts';

const RUNS = 3000;
/** What a broken server may do to a client: anything but these is a bug. */
const HONEST_ENDS = [
  'VNC_PROTOCOL_ERROR',
  'VNC_UNSUPPORTED_ENCODING',
  'VNC_CONNECTION_LOST',
  'VNC_HANDSHAKE_FAILED',
];
const ENCODINGS = [0, 1, 2, 5, 6, 7, 16, 21, -223, -224, -239, -257, -258, -261, -308, -999];

const rectangle = fc.record({
  x: fc.nat(80),
  y: fc.nat(60),
  width: fc.oneof(fc.nat(64), fc.constant(65_535)),
  height: fc.oneof(fc.nat(48), fc.constant(65_535)),
});
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const message = fc.oneof(
  bytes,
  fc
    .array(fc.tuple(rectangle, fc.constantFrom(...ENCODINGS), bytes), { maxLength: 4 })
    .map((rects) => update(...rects.map(([rect, encoding, payload]) => rectBytes(rect, encoding, payload)))),
  bytes.map((payload) => Buffer.concat([Buffer.from([3]), payload])),
  bytes.map((payload) => Buffer.concat([Buffer.from([1]), payload])),
);

test(`${RUNS} broken messages: an honest end or a whole picture, never a crash or a hang`, async () => {
  const property = fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 4 }), async (messages) => {
    const server = new ScriptedServer();
    const { stream } = await server.open();
    const connection = await RfbConnection.open(stream, { subject: 'fuzz' });
    server.send(...messages);
    server.drop();
    const reason = await new Promise<unknown>((resolve) => {
      const end = () => resolve(connection.ended.reason);
      if (connection.ended.aborted) end();
      else connection.ended.addEventListener('abort', end, { once: true });
    });
    expect(isVmwrightError(reason) && HONEST_ENDS.includes(reason.code), String(reason)).toBe(true);
    const { width, height, data } = connection.screen.frame();
    expect(data.length).toBe(width * height * 4);
  });
  await fc.assert(property, { numRuns: RUNS });
});

test('broken handshakes end honestly too', async () => {
  const property = fc.asyncProperty(fc.array(bytes, { maxLength: 4 }), fc.boolean(), async (parts, greet) => {
    const server = new ScriptedServer({ silent: true });
    const { stream } = await server.open();
    const opening = RfbConnection.open(stream, { subject: 'fuzz', password: 'x' });
    if (greet) server.send(Buffer.from('RFB 003.008\n'));
    server.send(...parts);
    server.drop();
    const error = await opening.catch((reason: unknown) => reason);
    expect(isVmwrightError(error), String(error)).toBe(true);
  });
  await fc.assert(property, { numRuns: 500 });
});

test('LastRect ends an update whose count says otherwise', async () => {
  const server = new ScriptedServer();
  const { stream } = await server.open();
  const connection = await RfbConnection.open(stream, { subject: 'fuzz' });
  const endless = Buffer.from([0, 0, 255, 255]);
  server.send(endless, rawRect({ x: 0, y: 0, width: 4, height: 4 }, RED));
  server.send(...Array.from({ length: 5 }, () => rectBytes({ x: 0, y: 0, width: 0, height: 0 }, 0)));
  server.send(rectBytes({ x: 0, y: 0, width: 0, height: 0 }, -224));
  await new Promise<void>((resolve) => connection.onUpdate(() => resolve()));
  expect(connection.screen.frame().data[0]).toBe(255);
  connection.close();
});
