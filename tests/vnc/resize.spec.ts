import { expect, test } from '@playwright/test';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { TestClock } from './support/clock.ts';
import { GREEN, pixel, rawRect, rectBytes, RED, ScriptedServer, update } from './support/server.ts';

const DESKTOP_SIZE = -223;
const EXTENDED_DESKTOP_SIZE = -308;
const NOTHING = { x: 0, y: 0, width: 0, height: 0 };
const SCREEN = { x: 0, y: 0, width: 80, height: 50 };

/** A resize as most servers tell it, and as QEMU and TigerVNC do, which list the monitors too. */
const RESIZES = [
  ['DesktopSize', (to: typeof SCREEN) => rectBytes(to, DESKTOP_SIZE)],
  ['ExtendedDesktopSize', (to: typeof SCREEN) => rectBytes(to, EXTENDED_DESKTOP_SIZE, Buffer.alloc(4))],
] as const;

/** Answers full requests that its screen is as large as, like servers that cut requests to their screen. */
function serverOf(width: number, height: number) {
  const screen = { x: 0, y: 0, width, height };
  const server = new ScriptedServer({
    width,
    height,
    onRequest: (rect, incremental, to) => {
      if (incremental || screen.width === 0) return;
      const cut = {
        ...rect,
        width: Math.min(rect.width, screen.width),
        height: Math.min(rect.height, screen.height),
      };
      to.send(update(rawRect(cut, to.colour)));
    },
  });
  const resize = (to: typeof SCREEN, tell: (to: typeof SCREEN) => Buffer) => {
    Object.assign(screen, to);
    server.send(update(tell(to)));
  };
  return { server, resize };
}

for (const [name, tell] of RESIZES) {
  for (const [width, height] of [
    [0, 0],
    [0, 48],
    [64, 0],
  ] as const) {
    test(`IN5: a server that announces ${width}x${height} is waited for until it has a screen (${name})`, async () => {
      const { server, resize } = serverOf(width, height);
      server.colour = GREEN;
      const clock = new TestClock();
      const connecting = VncPage.connect({ open: server.open, name: 'fedora42', clock, wake: false });
      await clock.advance(8000, 100);
      // Whatever it will be, it has been asked for: some servers tell nothing to who asks for nothing.
      const asked = server.log.filter((message) => message.type === 'request');
      expect(asked.some(({ rect }) => rect.width > 0 && rect.height > 0)).toBe(true);
      resize(SCREEN, tell);
      const page = await clock.until(connecting);
      expect(page.size).toEqual({ width: 80, height: 50 });
      expect(pixel(await clock.until(page.frame()), 79, 49)).toEqual(GREEN);
      await page.close();
    });
  }

  test(`IN5: a screen that goes away in mid-session is waited for; nothing is pointed at meanwhile (${name})`, async () => {
    const { server, resize } = serverOf(64, 48);
    server.colour = GREEN;
    const clock = new TestClock();
    const page = await clock.until(
      VncPage.connect({ open: server.open, name: 'fedora42', clock, wake: false }),
    );
    await page.mouse.move(30, 20);
    resize(NOTHING, tell);
    await clock.advance(200, 100);
    const before = server.pointers().length;
    expect(pixel(page.latest(), 60, 40)).toEqual(GREEN);
    const frame = page.frame();
    await clock.advance(20_000, 100); // silent: there is nothing to answer with
    expect(server.connections).toBe(1);
    expect(server.pointers().slice(before)).toEqual([]);
    await expect(page.mouse.click(3, 3)).rejects.toMatchObject({
      code: 'POINT_OUTSIDE_SCREEN',
      expected: expect.stringContaining('shows none now'),
    });
    server.colour = RED;
    resize(SCREEN, tell);
    expect(pixel(await clock.until(frame), 79, 49)).toEqual(RED);
    await page.mouse.move(70, 40);
    await clock.advance(10, 10);
    expect(server.pointers().at(-1)).toMatchObject({ x: 70, y: 40 });
    await page.close();
  });
}

test('IN5: a screen that never comes is an error that says so', async () => {
  const { server } = serverOf(0, 0);
  const clock = new TestClock();
  const connecting = VncPage.connect({ open: server.open, name: 'fedora42', clock, wake: false });
  await expect(clock.until(connecting)).rejects.toMatchObject({
    code: 'VNC_HANDSHAKE_FAILED',
    seen: expect.stringContaining('0x0'),
  });
});

const STORM = 3000;
const large = (n: number) => ({ x: 0, y: 0, width: 1900 + (n % 2), height: 1000 + (n % 100) });
const DOT = rawRect({ x: 0, y: 0, width: 1, height: 1 }, RED);
/** The whole screen in one colour: Tight's cheapest way. */
const painted = (n: number) => rectBytes(large(n), 7, Buffer.from([0x80, 1, 2, 3]));

/** Sends the storm, then one more resize. How long until that has come, and how often a timer had its turn meanwhile. */
async function weather(messages: readonly Buffer[]) {
  const server = new ScriptedServer({
    onRequest: (rect, incremental, to) => {
      if (!incremental && rect.width === 64) to.paint(rect);
    },
  });
  const { stream } = await server.open();
  const connection = await RfbConnection.open(stream, { subject: 'fedora42' });
  const begin = performance.now();
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  server.send(...messages, update(rectBytes({ x: 0, y: 0, width: 60, height: 40 }, DESKTOP_SIZE)));
  await expect.poll(() => connection.size.width, { intervals: [5], timeout: 60_000 }).toBe(60);
  clearInterval(timer);
  const ms = performance.now() - begin;
  connection.close();
  return { ms, turns };
}

test('IN5: a storm of resizes costs less than the same number of plain updates, and holds up nobody', async () => {
  const many = Array.from({ length: STORM }, (_, n) => n);
  const resized = (n: number) => rectBytes(large(n), DESKTOP_SIZE);
  const plain = await weather([update(resized(0)), ...many.map(() => update(painted(0)))]);
  expect(plain.turns).toBeGreaterThan(3);
  const storms = {
    'resizes alone': many.map((n) => update(resized(n))),
    'in one message': [update(...many.map(resized))],
    'with a dot each': many.map((n) => update(resized(n), DOT)),
    'with a dot each, in one message': [update(...many.flatMap((n) => [resized(n), DOT]))],
  };
  for (const [name, messages] of Object.entries(storms)) {
    expect((await weather(messages)).ms, name).toBeLessThan(plain.ms);
  }
  const whole = await weather(many.map((n) => update(resized(n), painted(n))));
  expect(whole.ms).toBeLessThan(3 * plain.ms);
  expect(whole.turns).toBeGreaterThan(3);
});
