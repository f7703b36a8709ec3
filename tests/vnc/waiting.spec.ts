import { expect, test } from '@playwright/test';
import type { Rect } from '../../fixtures/image/frame.ts';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { TestClock } from './support/clock.ts';
import { BLACK, GREEN, pixel, RED, ScriptedServer, update, rawRect } from './support/server.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const CARET: Rect = { x: 20, y: 10, width: 1, height: 2 };

async function start(server: ScriptedServer) {
  const clock = new TestClock();
  const page = await clock.until(VncPage.connect({ open: server.open, name: 'fedora42', clock }));
  return { clock, page };
}

/** Blinks a caret of two pixels every 200 ms of the clock. */
function blinking(clock: TestClock): ScriptedServer {
  let on = false;
  const server = new ScriptedServer({
    onRequest: (rect, incremental, to) => {
      if (!incremental) to.send(update(rawRect(rect, BLACK), rawRect(CARET, on ? RED : BLACK)));
    },
  });
  const blink = async (): Promise<never> => {
    for (;;) {
      await clock.sleep(200);
      on = !on;
      server.send(update(rawRect(CARET, on ? RED : BLACK)));
    }
  };
  void blink();
  return server;
}

test('M62, P-M24: a blinking caret of two pixels keeps the screen from being still, unless it is ignored', async () => {
  const clock = new TestClock();
  const server = blinking(clock);
  const page = await clock.until(VncPage.connect({ open: server.open, name: 'fedora42', clock }));
  const still = page.waitForStill({ timeout: 3000 });
  await expect(clock.until(still)).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
  await expect(still).rejects.toThrow(/1x2 at 20,10 moved last/);
  const ignoring = await clock.until(page.waitForStill({ timeout: 3000, ignore: [CARET] }));
  expect(ignoring.width).toBe(64);
  const clipped = page.waitForStill({ timeout: 3000, clip: { x: 0, y: 20, width: 64, height: 28 } });
  expect((await clock.until(clipped)).height).toBe(28);
  await page.close();
});

test('M62, P-M24: one changed pixel is a change; an ignored one is not', async () => {
  const server = new ScriptedServer();
  const { clock, page } = await start(server);
  const spot = { x: 30, y: 30, width: 1, height: 1 };
  const before = await clock.until(page.frame());
  const ignoring = page.waitForChange({ since: before, ignore: [spot], timeout: 1000 });
  ignoring.catch(() => undefined);
  const change = page.waitForChange({ since: before, timeout: 1000 });
  await clock.advance(100);
  server.send(update(rawRect(spot, RED)));
  expect(pixel(await clock.until(change), 30, 30)).toEqual(RED);
  await expect(clock.until(ignoring)).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
  await page.close();
});

test('waitForChange takes its picture before the action', async () => {
  const server = new ScriptedServer();
  const { clock, page } = await start(server);
  const action = () => {
    server.colour = GREEN;
    server.paint();
    return Promise.resolve();
  };
  expect(pixel(await clock.until(page.waitForChange({ action })), 0, 0)).toEqual(GREEN);
  await page.close();
});

test('rule 14: until: evaluates at once, then only when the region changes', async () => {
  const server = new ScriptedServer();
  const { clock, page } = await start(server);
  const clip = { x: 0, y: 0, width: 10, height: 10 };
  let evaluations = 0;
  const waiting = page.until(
    (frame) => {
      evaluations++;
      return pixel(frame, 2, 2)[0] === 255 ? 'red' : undefined;
    },
    { clip, timeout: 20_000 },
  );
  await clock.advance(400);
  expect(evaluations).toBe(1);
  server.send(update(rawRect({ x: 30, y: 30, width: 5, height: 5 }, RED)));
  await clock.advance(400);
  expect(evaluations).toBe(1);
  server.send(update(rawRect({ x: 5, y: 5, width: 5, height: 5 }, RED)));
  await nextTurn();
  await nextTurn();
  await nextTurn();
  expect(evaluations).toBe(2);
  server.send(update(rawRect(clip, RED)));
  expect(await waiting).toBe('red');
  expect(evaluations).toBe(3);
  await page.close();
});

test('until: a change during an evaluation leads to one more', async () => {
  const server = new ScriptedServer();
  const { clock, page } = await start(server);
  const seen: string[] = [];
  const waiting = page.until(async (frame) => {
    seen.push(pixel(frame, 1, 1).join());
    if (seen.length === 1) {
      server.send(update(rawRect(server.whole, RED)));
      await clock.sleep(300);
      return undefined;
    }
    return true;
  });
  await clock.until(waiting);
  expect(seen).toEqual(['0,0,0', '255,0,0']);
  await page.close();
});

test('rules 12, 14: until: a change that the server never reported is found by the last look', async () => {
  let hidden = false;
  const server = new ScriptedServer({
    onRequest: (rect, incremental, to) => {
      if (!incremental) to.send(update(rawRect(rect, hidden ? RED : BLACK)));
    },
  });
  const { clock, page } = await start(server);
  const waiting = page.until((frame) => (pixel(frame, 40, 40)[0] === 255 ? true : undefined), {
    timeout: 1000,
  });
  await clock.advance(700);
  hidden = true;
  expect(await clock.until(waiting)).toBe(true);
  await page.close();
});

test('until: WAIT_TIMEOUT names the machine, the time and what was waited for', async () => {
  const { clock, page } = await start(new ScriptedServer());
  const waiting = page.until(() => undefined, { timeout: 1500, what: 'the text "Sign in"' });
  await expect(clock.until(waiting)).rejects.toThrow(
    /WAIT_TIMEOUT\] fedora42: .* within 1500 ms[^]*the text "Sign in"/,
  );
  await page.close();
});

test('until: what check throws comes out, and an abort ends it', async () => {
  const { clock, page } = await start(new ScriptedServer());
  const failing = page.until(() => {
    throw new Error('no OCR model');
  });
  await expect(clock.until(failing)).rejects.toThrow('no OCR model');
  const controller = new AbortController();
  const waiting = page.until(() => undefined, { signal: controller.signal, timeout: 60_000 });
  waiting.catch(() => undefined);
  await clock.advance(300);
  controller.abort(new Error('test over'));
  await expect(waiting).rejects.toThrow('test over');
  await page.close();
});

test('changes(): rectangles that really differ, those between two looks together', async () => {
  const server = new ScriptedServer();
  const { page } = await start(server);
  const controller = new AbortController();
  const changes = page.changes(controller.signal);
  const first = changes.next();
  server.send(update(rawRect(server.whole, BLACK))); // painted, but nothing differs
  server.send(update(rawRect({ x: 2, y: 3, width: 4, height: 5 }, RED)));
  expect((await first).value).toEqual([{ x: 2, y: 3, width: 4, height: 5 }]);
  server.send(update(rawRect({ x: 0, y: 0, width: 4, height: 5 }, RED)));
  server.send(update(rawRect({ x: 40, y: 40, width: 2, height: 2 }, RED)));
  for (let turn = 0; turn < 8; turn++) await nextTurn();
  const { value } = await changes.next();
  expect(value).toHaveLength(2);
  controller.abort();
  expect((await changes.next()).done).toBe(true);
  await page.close();
});
