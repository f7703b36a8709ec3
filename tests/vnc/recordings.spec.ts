import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { parseSession, SessionRecorder } from '../../fixtures/vnc/rfb/recording.ts';
import { replay } from '../../fixtures/vnc/rfb/replay.ts';
import { TestClock } from './support/clock.ts';
import { pixel, RED, ScriptedServer } from './support/server.ts';

const FOLDER = join(import.meta.dirname, 'recordings');
/** SHA-256 of the last picture's RGBA, and the encodings that it took. Each was checked by eye when it was taken. */
const PINNED: Readonly<Record<string, { size: string; encodings: number[]; sha256: string }>> = {
  'qemu-tight.rfb.gz': {
    size: '720x400',
    encodings: [7],
    sha256: '4341a2add1d1bb514bffb24b43557eea756f7717decbe10ed05e81a76c90ab7f',
  },
  'qemu-zlib.rfb.gz': {
    size: '720x400',
    encodings: [6],
    sha256: '4341a2add1d1bb514bffb24b43557eea756f7717decbe10ed05e81a76c90ab7f',
  },
  'xvnc-tight.rfb.gz': {
    size: '400x300',
    encodings: [7],
    sha256: '0b113ebe7611f991259ac36f926c3ef19c1d94d2b439d5de640b299c3b5617ca',
  },
  'xvnc-zrle.rfb.gz': {
    size: '400x300',
    encodings: [16],
    sha256: '0b113ebe7611f991259ac36f926c3ef19c1d94d2b439d5de640b299c3b5617ca',
  },
};

async function play(name: string) {
  const session = parseSession(await readFile(join(FOLDER, name)), name);
  const connection = await RfbConnection.open(replay(session), { subject: name });
  await new Promise<void>((resolve) => {
    if (connection.ended.aborted) resolve();
    else connection.ended.addEventListener('abort', () => resolve(), { once: true });
  });
  return { connection, frame: connection.screen.frame() };
}

test('recorded sessions of QEMU and Xvnc decode to the pixels that they showed', async () => {
  expect((await readdir(FOLDER)).sort()).toEqual(Object.keys(PINNED).sort());
  for (const [name, pinned] of Object.entries(PINNED)) {
    await test.step(name, async () => {
      const { connection, frame } = await play(name);
      expect(connection.ended.reason).toMatchObject({ code: 'VNC_CONNECTION_LOST' });
      expect({
        size: `${frame.width}x${frame.height}`,
        encodings: [...connection.encodingsSeen].filter((encoding) => encoding >= 0).sort((a, b) => a - b),
        sha256: createHash('sha256').update(frame.data).digest('hex'),
      }).toEqual(pinned);
    });
  }
});

test('a recording holds the screen, and neither password, keys nor clipboards', async () => {
  const path = test.info().outputPath('session.rfb.gz');
  const clock = new TestClock();
  const recorder = new SessionRecorder(path, clock);
  const server = new ScriptedServer({ name: 'desk' });
  const { stream } = await server.open();
  const connection = await RfbConnection.open(stream, { subject: 'vm', recorder });
  connection.key(0x41, true);
  const clipboard = Buffer.from('correct horse battery');
  const head = Buffer.from([3, 0, 0, 0, 0, 0, 0, clipboard.length]);
  await clock.advance(1500);
  server.send(Buffer.concat([head, clipboard]));
  server.colour = RED;
  server.paint();
  await new Promise<void>((resolve) => connection.onUpdate(() => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
  const truth = Buffer.from(connection.screen.frame().data);
  connection.close();
  await recorder.close();

  const file = await readFile(path);
  expect(gunzipSync(file).includes('battery')).toBe(false);
  const session = parseSession(file, path);
  expect(session.header).toEqual({ width: 64, height: 48, name: 'desk' });
  expect(session.records.map(({ at, bytes }) => [at, bytes[0]])).toEqual([
    [0, 0],
    [1500, 3],
    [1500, 0],
  ]);
  expect(session.records[1]?.bytes).toEqual(Buffer.concat([head, Buffer.alloc(clipboard.length)]));
  const again = await RfbConnection.open(replay(session), { subject: 'vm' });
  while (!again.ended.aborted) await new Promise((resolve) => setImmediate(resolve));
  expect(Buffer.compare(again.screen.frame().data, truth)).toBe(0);
});

test('a page records each of its connections, and a recording can be a page again', async () => {
  const path = test.info().outputPath('vm.rfb.gz');
  const server = new ScriptedServer();
  const page = await VncPage.connect({ open: server.open, name: 'vm', recordSession: path });
  const lost = new Promise<unknown>((resolve) => page.onDirty(resolve));
  server.drop();
  await lost;
  server.colour = RED;
  await page.frame();
  await page.close();
  expect(server.connections).toBe(2);
  const second = parseSession(await readFile(path.replace('vm.', 'vm-2.')), 'second');
  const again = await VncPage.connect({
    open: () => Promise.resolve({ stream: replay(second) }),
    name: 'replayed',
    wake: false,
  });
  expect(pixel(again.latest(), 0, 0)).toEqual(RED);
  await again.close();
  expect(parseSession(await readFile(path), 'first').header.width).toBe(64);
});

test('a replay keeps the recorded pauses on the clock it is given', async () => {
  const session = parseSession(await readFile(join(FOLDER, 'qemu-zlib.rfb.gz')), 'replay');
  const [first] = session.records;
  if (!first) throw new Error('an empty recording');
  expect(first.bytes[0]).toBe(0);
  // QEMU's first message paints nothing, so that the session ends before its first picture.
  const late = { ...session, records: [first, { at: first.at + 5000, bytes: Buffer.from([2]) }] };
  const clock = new TestClock();
  const opening = RfbConnection.open(replay(late, { clock }), { subject: 'vm', clock, timeoutMs: 60_000 });
  await expect(clock.until(opening)).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST' });
  expect(clock.slept).toContain(5000);
});

test('what is no recording is SESSION_UNREADABLE, and an unwritable one FILE_UNWRITABLE', async () => {
  const whole = await readFile(join(FOLDER, 'qemu-zlib.rfb.gz'));
  for (const file of [Buffer.from('no gzip'), whole.subarray(0, 200), Buffer.alloc(0)]) {
    expect(() => parseSession(file, 'x')).toThrow(/SESSION_UNREADABLE/);
  }
  const recorder = new SessionRecorder(test.info().outputPath('no', 'such', 'folder'), new TestClock());
  recorder.begin({ width: 1, height: 1, name: '' });
  await expect(recorder.close()).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
});
