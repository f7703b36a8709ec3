import { expect, test } from '@playwright/test';
import type { Area } from '../../lab/guests/simulated/rfb/encoders.ts';
import { vncResponse } from '../../lab/guests/simulated/rfb/des.ts';
import { ByteReader } from '../../lab/guests/simulated/rfb/reader.ts';
import { type Display, RfbServer } from '../../lab/guests/simulated/rfb/server.ts';
import { duplexPair } from '../vnc/support/streams.ts';

const SCREEN = { x: 0, y: 0, width: 64, height: 48 };
const PASSWORD = 'secret12';
const PIXEL_BYTES = 4;

/** A client that speaks bytes, on a screen that is damaged by hand. */
async function connected(): Promise<{
  damage: (area: Area) => void;
  request: (area: Area, incremental: boolean) => void;
  update: () => Promise<Area[]>;
}> {
  let damage: (area: Area) => void = () => undefined;
  const display: Display = {
    picture: () => ({ ...SCREEN, data: Buffer.alloc(SCREEN.width * SCREEN.height * 4, 7) }),
    onDamage: (listener) => {
      damage = listener;
      return () => undefined;
    },
    key: () => undefined,
    pointer: () => undefined,
    watched: () => undefined,
  };
  const server = new RfbServer('QEMU (test)', display);
  server.setPassword(PASSWORD, 60_000);
  const [ours, theirs] = duplexPair();
  server.accept(theirs);
  const reader = new ByteReader(ours);
  await reader.read(12);
  ours.write('RFB 003.008\n');
  await reader.read(2);
  ours.write(Buffer.from([2]));
  ours.write(vncResponse(PASSWORD, await reader.read(16)));
  expect(await reader.read(4)).toEqual(Buffer.alloc(4));
  ours.write(Buffer.from([1]));
  await reader.read(24 + 'QEMU (test)'.length);
  return {
    damage: (area) => damage(area),
    request: ({ x, y, width, height }, incremental) => {
      const bytes = Buffer.from([3, incremental ? 1 : 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      [x, y, width, height].forEach((value, index) => bytes.writeUInt16BE(value, 2 + 2 * index));
      ours.write(bytes);
    },
    update: async () => {
      const count = (await reader.read(4)).readUInt16BE(2);
      const areas: Area[] = [];
      while (areas.length < count) {
        const head = await reader.read(12);
        const [x = 0, y = 0, width = 0, height = 0] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at));
        await reader.read(width * height * PIXEL_BYTES);
        areas.push({ x, y, width, height });
      }
      return areas;
    },
  };
}

const LEFT = { x: 0, y: 0, width: 8, height: 8 };
const RIGHT = { x: 40, y: 20, width: 8, height: 8 };

test('damage outside of what was asked for is sent all the same, as QEMU does: none is lost', async () => {
  const { damage, request, update } = await connected();
  request(SCREEN, false);
  expect(await update()).toEqual([SCREEN]);
  damage(RIGHT);
  request(LEFT, false);
  expect(await update()).toEqual([RIGHT, LEFT]);
  damage(RIGHT);
  request(LEFT, true);
  expect(await update()).toEqual([RIGHT]);
});

test('of two requests for different places both are answered', async () => {
  const { request, update } = await connected();
  request(LEFT, false);
  request(RIGHT, false);
  const areas = await update();
  if (areas.length < 2) areas.push(...(await update()));
  expect(areas).toEqual([LEFT, RIGHT]);
});

test('an incremental request of an unchanged screen waits for its damage', async () => {
  const { damage, request, update } = await connected();
  request(SCREEN, true);
  const answer = update();
  expect(await Promise.race([answer, new Promise((done) => setImmediate(() => done('nothing')))])).toBe(
    'nothing',
  );
  damage(LEFT);
  expect(await answer).toEqual([LEFT]);
});
