import { expect, test } from '@playwright/test';
import { decodeImage } from '../../fixtures/image/frame.ts';
import { VncPage, type VncPageOptions } from '../../fixtures/vnc/index.ts';
import { TestClock } from './support/clock.ts';
import {
  BLACK,
  BLUE,
  GREEN,
  pixel,
  rawRect,
  rectBytes,
  RED,
  ScriptedServer,
  update,
} from './support/server.ts';

async function pageOn(server: ScriptedServer, options: Partial<VncPageOptions> = {}): Promise<VncPage> {
  return VncPage.connect({ open: server.open, name: 'fedora42', ...options });
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('P-M4, rules 19, 20: asks for 32 bits and gives an encoding that nobody offered its name', async () => {
  const server = new ScriptedServer({
    onRequest: (rect, _incremental, to) => to.send(update(rectBytes(rect, 50, Buffer.alloc(16)))),
  });
  await expect(pageOn(server)).rejects.toMatchObject({ code: 'VNC_UNSUPPORTED_ENCODING' });
  await expect(pageOn(server)).rejects.toThrow(/Open H\.264/);
  expect(server.log[0]).toEqual({ type: 'format' });
});

test('P-M5, rule 11: a screenshot holds pixels painted after it was asked for', async () => {
  for (const staleUpdates of [1, 2, 3]) {
    let asked = false;
    const server = new ScriptedServer({
      onRequest: (rect, incremental, to) => {
        if (incremental) return;
        if (asked) {
          asked = false;
          to.colour = RED; // old pictures that were under way, then the answer
          for (let n = 0; n < staleUpdates; n++) to.paint();
          to.colour = GREEN;
        }
        to.paint(rect);
      },
    });
    const page = await pageOn(server);
    asked = true;
    const frame = await page.frame();
    expect(pixel(frame, 5, 5), `${staleUpdates} stale updates`).toEqual(GREEN);
    await page.close();
  }
});

test('P-M5, rule 11: QEMU too: an update of an open request is not taken for the answer', async () => {
  const server = new ScriptedServer({ name: 'QEMU (vm)' });
  const page = await pageOn(server);
  await page.frame();
  const stop = page.onDirty(() => undefined); // opens a request for changes
  for (let turn = 0; turn < 6; turn++) await nextTurn();
  server.colour = GREEN;
  const pending = page.frame();
  server.send(update(rawRect(server.whole, RED)));
  expect(pixel(await pending, 5, 5)).toEqual(GREEN);
  stop();
  await page.frame();
  const before = server.log.filter(({ type }) => type === 'request').length;
  await page.frame();
  const requests = server.log.filter(({ type }) => type === 'request').length - before;
  expect(requests, 'one request where nothing is open').toBe(1);
  await page.close();
});

test('P-M5, rule 11: an old update that is still under way in pieces does not count', async () => {
  const server = new ScriptedServer();
  const page = await pageOn(server);
  const stale = update(rawRect(server.whole, RED));
  server.send(stale.subarray(0, 100));
  await nextTurn();
  await nextTurn();
  server.colour = GREEN;
  const pending = page.frame();
  server.send(stale.subarray(100));
  expect(pixel(await pending, 5, 5)).toEqual(GREEN);
  await page.close();
});

test('P-M6, rule 11: late small rectangles of one update are painted, in however many pieces it comes', async () => {
  let popup = false;
  const server = new ScriptedServer({
    onRequest: (rect, incremental, to) => {
      if (incremental) return;
      if (!popup) {
        to.paint(rect);
        return;
      }
      const small = rawRect({ x: 10, y: 10, width: 4, height: 4 }, RED);
      const message = update(rawRect(to.whole, BLUE), rawRect(to.whole, GREEN), small);
      const third = Math.floor(message.length / 3);
      to.send(message.subarray(0, third));
      setImmediate(() => {
        to.send(message.subarray(third, 2 * third));
        setImmediate(() => to.send(message.subarray(2 * third)));
      });
    },
  });
  const page = await pageOn(server);
  popup = true;
  const frame = await page.frame();
  expect(pixel(frame, 11, 11)).toEqual(RED);
  expect(pixel(frame, 20, 20)).toEqual(GREEN);
  await page.close();
});

test('P-M3, rule 21: two refusals, then the third ticket is used, after 1 and 2 s', async () => {
  const clock = new TestClock();
  const refusing = new ScriptedServer({ refuse: true });
  const good = new ScriptedServer();
  const tickets: number[] = [];
  const open = () => {
    tickets.push(tickets.length + 1);
    return tickets.length < 3 ? refusing.open() : good.open();
  };
  const page = await clock.until(VncPage.connect({ open, name: 'fedora42', clock }));
  expect(tickets).toEqual([1, 2, 3]);
  expect(clock.slept.filter((ms) => ms === 1000 || ms === 2000)).toEqual([1000, 2000]);
  await page.close();
});

test('P-M3, rule 21: six refusals end it, after 1, 2, 4, 8 and 8 s', async () => {
  const clock = new TestClock();
  const refusing = new ScriptedServer({ refuse: true });
  const attempt = VncPage.connect({ open: refusing.open, name: 'fedora42', clock });
  await expect(clock.until(attempt, 500)).rejects.toMatchObject({ code: 'VNC_REFUSED', subject: 'fedora42' });
  expect(refusing.connections).toBe(6);
  expect(clock.slept.filter((ms) => ms < 10_000)).toEqual([1000, 2000, 4000, 8000, 8000]);
});

test('an error of open() itself is not retried', async () => {
  let calls = 0;
  const open = () => {
    calls++;
    return Promise.reject(new Error('VM 101 does not exist'));
  };
  await expect(VncPage.connect({ open, name: 'fedora42' })).rejects.toThrow('VM 101 does not exist');
  expect(calls).toBe(1);
});

test('rule 13: other viewers may stay, on every connection', async () => {
  const clock = new TestClock();
  const server = new ScriptedServer();
  const page = await clock.until(pageOn(server, { clock }));
  server.drop();
  await clock.until(page.frame());
  expect(server.shared).toEqual([true, true]);
  await page.close();
});

test('P-M7, rule 16: on connect the pointer is nudged and Shift tapped', async () => {
  const server = new ScriptedServer();
  const page = await pageOn(server);
  await nextTurn();
  await nextTurn();
  expect(server.keys()).toEqual(['+ffe1', '-ffe1']);
  expect(server.pointers().slice(0, 2)).toEqual([
    { type: 'pointer', x: 62, y: 47, buttons: 0 },
    { type: 'pointer', x: 63, y: 47, buttons: 0 },
  ]);
  await page.close();
});

test('P-M8, rule 15: two screenshots at once are both whole, one after the other', async () => {
  const server = new ScriptedServer();
  const page = await pageOn(server);
  server.colour = GREEN;
  const clip = { x: 8, y: 8, width: 16, height: 12 };
  const [whole, part] = await Promise.all([page.screenshot(), page.screenshot({ clip })]);
  const images = await Promise.all([decodeImage(whole, 'whole'), decodeImage(part, 'part')]);
  expect(images.map(({ width, height }) => [width, height])).toEqual([
    [64, 48],
    [16, 12],
  ]);
  for (const image of images) expect(pixel(image, 3, 3)).toEqual(GREEN);
  await page.close();
});

test('a mask is painted over in pink, in screen coordinates, in the picture alone', async () => {
  const server = new ScriptedServer();
  const page = await pageOn(server);
  const clip = { x: 10, y: 10, width: 20, height: 20 };
  const png = await page.screenshot({ clip, mask: [{ x: 0, y: 0, width: 15, height: 15 }] });
  const image = await decodeImage(png, 'masked');
  expect(pixel(image, 4, 4)).toEqual([255, 0, 255]);
  expect(pixel(image, 5, 5)).toEqual(BLACK);
  expect(pixel(page.latest(), 12, 12)).toEqual(BLACK);
  await page.close();
});

test('a lost connection names the machine and what was lost, and later calls say so too', async () => {
  const server = new ScriptedServer();
  let gone = false;
  const open = () =>
    gone ? Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:8006')) : server.open();
  const page = await VncPage.connect({ open, name: 'fedora42' });
  const waiting = page.until(() => undefined, { timeout: 30_000 });
  waiting.catch(() => undefined);
  await nextTurn();
  gone = true;
  server.drop();
  await expect(waiting).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST', subject: 'fedora42' });
  await expect(waiting).rejects.toThrow(/VNC connection[^]*closed[^]*ECONNREFUSED/);
  await expect(page.frame()).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST' });
  await expect(page.mouse.move(1, 1)).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST' });
  expect(pixel(page.latest(), 1, 1)).toEqual(BLACK);
  await page.close();
});

test('rule 12: a connection that comes back is used again, with a fresh ticket and a whole picture', async () => {
  const server = new ScriptedServer();
  const page = await pageOn(server);
  const shown = page.until((frame) => (pixel(frame, 1, 1)[1] === 255 ? 'green' : undefined), {
    timeout: 10_000,
  });
  await nextTurn();
  server.colour = GREEN;
  server.drop();
  expect(await shown).toBe('green');
  expect(server.connections).toBe(2);
  await page.close();
});

test('rule 10: a server that falls silent while somebody waits is lost after 4 s, not before a probe', async () => {
  const clock = new TestClock();
  let silent = false;
  const server = new ScriptedServer({
    onRequest: (rect, incremental, to) => {
      if (!incremental && !silent) to.paint(rect);
    },
  });
  let gone = false;
  const open = () => (gone ? Promise.reject(new Error('no machine')) : server.open());
  const page = await clock.until(VncPage.connect({ open, name: 'fedora42', clock }));
  const waiting = page.until(() => undefined, { timeout: 60_000 });
  waiting.catch(() => undefined);
  await clock.advance(1000);
  silent = true;
  gone = true;
  const before = clock.now();
  await expect(clock.until(waiting)).rejects.toThrow(/no byte for 4\d\d\d ms/);
  expect(clock.now() - before).toBeLessThan(7000);
  const probes = server.log.filter((m) => m.type === 'request' && !m.incremental && m.rect.width === 16);
  expect(probes.length).toBeGreaterThan(0);
  await page.close();
});

test('rule 10: a still screen is not a lost one: a minute of waiting', async () => {
  const clock = new TestClock();
  const server = new ScriptedServer();
  const page = await clock.until(pageOn(server, { clock }));
  const waiting = page.until(() => undefined, { timeout: 60_000 });
  await expect(clock.until(waiting, 100)).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
  expect(server.connections).toBe(1);
  await page.close();
});

test('rules 9, 21: while waiting the pointer is sent again every 200 ms; idle, something goes out each 30 s', async () => {
  const clock = new TestClock();
  const server = new ScriptedServer();
  const page = await clock.until(pageOn(server, { clock }));
  const before = server.pointers().length;
  const waiting = page.until(() => undefined, { timeout: 2000 });
  await expect(clock.until(waiting)).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
  expect(server.pointers().length - before).toBeGreaterThanOrEqual(9);
  server.log.length = 0;
  await clock.advance(300_000, 1000);
  expect(server.log.filter((m) => m.type === 'request' && m.rect.width === 1)).toHaveLength(10);
  await page.close();
});

test('rule 12: a resize in mid-test: the last good picture stays until the new one is whole', async () => {
  let width = 64;
  const server = new ScriptedServer({
    onRequest: (rect, incremental, to) => {
      if (!incremental && rect.width !== 100) to.paint(rect);
    },
  });
  server.colour = GREEN;
  const page = await pageOn(server);
  width = 100;
  server.send(update(rectBytes({ x: 0, y: 0, width, height: 30 }, -223)));
  await nextTurn();
  await nextTurn();
  await nextTurn();
  expect(page.size).toEqual({ width: 100, height: 30 });
  expect([page.latest().width, pixel(page.latest(), 60, 40)]).toEqual([64, GREEN]);
  server.colour = RED;
  server.paint({ x: 0, y: 0, width: 60, height: 30 });
  await nextTurn();
  expect(page.latest().width).toBe(64);
  server.paint({ x: 60, y: 0, width: 40, height: 30 });
  await nextTurn();
  await nextTurn();
  await nextTurn();
  expect([page.latest().width, pixel(page.latest(), 99, 29)]).toEqual([100, RED]);
  await page.close();
});

test('rule 21: two handshakes on one machine never overlap: the second begins when the first is done', async () => {
  const servers = [new ScriptedServer(), new ScriptedServer()];
  const doneBefore: number[] = [];
  const connects = servers.map((server) => {
    const open = () => {
      doneBefore.push(servers.filter((each) => each.log.length > 0).length);
      return server.open();
    };
    return VncPage.connect({ open, name: 'fedora42', consoleKey: `${process.pid} one machine` });
  });
  for (const page of await Promise.all(connects)) await page.close();
  expect(doneBefore).toEqual([0, 1]);
});

test('a closed page says that vmwright closed it', async () => {
  const page = await pageOn(new ScriptedServer());
  await page.close();
  await expect(page.frame()).rejects.toThrow(/vmwright closed the VNC page/);
});
