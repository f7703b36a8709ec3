import { inspect } from 'node:util';
import { expect, test } from '@playwright/test';
import { Secret } from '../../fixtures/secrets/index.ts';
import { VncPage, type Target, type VncPageOptions } from '../../fixtures/vnc/index.ts';
import { CreditWindow } from '../../fixtures/vnc/credit.ts';
import { chordOf, keysymOf } from '../../fixtures/vnc/keys.ts';
import { strokesOf } from '../../fixtures/vnc/strokes.ts';
import { motionPath } from '../../fixtures/vnc/motion.ts';
import { TestClock } from './support/clock.ts';
import { BLUE, GREEN, RED, ScriptedServer } from './support/server.ts';

async function start(server = new ScriptedServer(), options: Partial<VncPageOptions> = {}) {
  const clock = new TestClock();
  const page = await clock.until(
    VncPage.connect({ open: server.open, name: 'fedora42', clock, wake: false, ...options }),
  );
  return { clock, page, server };
}

/** Lets the server read what was sent. */
const settle = async () => {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('P-M46, rule 5: characters and key names as keysyms; an unknown name lists near ones', () => {
  expect(keysymOf('é')).toBe(0xe9);
  expect(keysymOf('€')).toBe(0x010020ac);
  expect(keysymOf('😀')).toBe(0x0101f600);
  expect(['Super', 'Win', 'Meta', 'Control', 'Alt', 'F1', 'F12', 'Escape'].map(keysymOf)).toEqual([
    0xffeb, 0xffeb, 0xffeb, 0xffe3, 0xffe9, 0xffbe, 0xffc9, 0xff1b,
  ]);
  expect(keysymOf('arrowdown')).toBe(0xff54);
  expect(() => keysymOf('foo')).toThrow(/KEY_UNKNOWN/);
  expect(() => keysymOf('Entr')).toThrow(/did you mean Enter/);
  expect(() => keysymOf('ArowDown')).toThrow(/ArrowDown/);
});

test('rule 5: chords follow the grammar of Playwright', () => {
  expect(chordOf('Control+Shift+T')).toEqual(['Control', 'Shift', 'T']);
  expect(chordOf('Control++')).toEqual(['Control', '+']);
  expect(chordOf('+')).toEqual(['+']);
  expect(chordOf('a')).toEqual(['a']);
});

test('rule 3: press: down in order, up in reverse', async () => {
  const { page, server } = await start();
  await page.keyboard.press('Control+Shift+T');
  await settle();
  expect(server.keys()).toEqual(['+ffe3', '+ffe1', '+54', '-54', '-ffe1', '-ffe3']);
  await page.close();
});

test("a chord's letter follows Shift: QEMU presses Caps Lock where they disagree", async () => {
  const { page, server } = await start();
  const pressed = async (...keys: string[]) => {
    await settle();
    server.log.length = 0;
    for (const key of keys) await page.keyboard.press(key);
    await settle();
    return server.keys().filter((key) => key.startsWith('+'));
  };
  expect(await pressed('Control+T')).toEqual(['+ffe3', '+74']);
  expect(await pressed('Shift+a', 'Shift+1', 'Shift+Tab')).toEqual([
    ...['+ffe1', '+41', '+ffe1', '+21', '+ffe1', '+ff09'],
  ]);
  expect(await pressed('A', 'a', '!')).toEqual(['+ffe1', '+41', '+61', '+ffe1', '+21']);
  await page.keyboard.down('Shift');
  expect(await pressed('a')).toEqual(['+41']);
  await page.keyboard.up('Shift');
  expect(await pressed('a')).toEqual(['+61']);
  await page.close();
});

test('rules 4, 6: type: capitals and shifted symbols bring Shift; newline and tab are keys; \\r is dropped', async () => {
  const { page, server } = await start(new ScriptedServer(), { anyCharacter: true });
  await page.keyboard.type('aB!\r\n\té');
  await settle();
  expect(server.keys()).toEqual([
    ...['+61', '-61', '+ffe1', '+42', '-42', '-ffe1', '+ffe1', '+21', '-21', '-ffe1'],
    ...['+ff0d', '-ff0d', '+ff09', '-ff09', '+e9', '-e9'],
  ]);
  await page.close();
});

test('rule 4: a character that no key gives fails before the first key', async () => {
  const { page, server } = await start();
  await expect(page.keyboard.type('ab\u0001c')).rejects.toThrow(/character 3[^]*U\+0001/);
  await expect(page.keyboard.press('Control+Foo')).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
  await settle();
  expect(server.keys()).toEqual([]);
  await page.close();
});

test('two texts typed at once do not mix', async () => {
  const { page, server } = await start();
  await Promise.all([page.keyboard.type('ab'), page.keyboard.type('cd')]);
  await settle();
  expect(server.keys().filter((key) => key.startsWith('+'))).toEqual(['+61', '+62', '+63', '+64']);
  await page.close();
});

test('rule 1: the credit window keeps at most 40 key events in QEMU, and typing ends when it is drained', async () => {
  const server = new ScriptedServer({ name: 'QEMU (fedora42)' });
  const { clock, page } = await start(server);
  const started = clock.now();
  const typing = page.keyboard.type('x'.repeat(200));
  let most = 0;
  const state = { done: false };
  void typing.then(() => (state.done = true));
  while (!state.done) {
    await clock.advance(10, 10);
    const handedOn = Math.floor((clock.now() - started) / 10);
    most = Math.max(most, server.keys().length - handedOn);
  }
  expect(server.keys()).toHaveLength(400);
  expect(most).toBeLessThanOrEqual(40);
  expect(most).toBeGreaterThan(30);
  expect(clock.now() - started).toBeGreaterThanOrEqual(4000);
  expect(clock.now() - started).toBeLessThan(4400);
  await page.close();
});

test('rule 2: no key is held for longer than 8 ms, in QEMU neither; what slows typing down comes after key-up', async () => {
  const server = new ScriptedServer({ name: 'QEMU (fedora42)' });
  const { clock, page } = await start(server);
  const state = { done: false };
  const typing = page.keyboard.type('aB'.repeat(40)).finally(() => (state.done = true));
  const heldSince = new Map<string, number>();
  const longest = { ms: 0 };
  let read = 0;
  const look = () => {
    for (const key of server.keys().slice(read)) {
      read++;
      const name = key.slice(1);
      if (key.startsWith('+')) heldSince.set(name, clock.now());
      // Shift repeats nothing; it is down for as long as its letter waits in the queue.
      else if (name !== 'ffe1') longest.ms = Math.max(longest.ms, clock.now() - (heldSince.get(name) ?? 0));
    }
  };
  while (!state.done) {
    await clock.advance(2, 2);
    look();
  }
  await typing;
  expect(read).toBe(240);
  expect(longest.ms).toBeLessThanOrEqual(8);
  server.log.length = 0;
  const slow = page.keyboard.type('ab', { delay: 100 });
  await clock.advance(50, 10);
  expect(server.keys()).toEqual(['+61', '-61']);
  await clock.until(slow);
  expect(server.keys()).toEqual(['+61', '-61', '+62', '-62']);
  await page.close();
});

test('rule 1: other servers get keys at once', async () => {
  const { clock, page, server } = await start();
  const started = clock.now();
  await page.keyboard.type('x'.repeat(400));
  expect(clock.now()).toBe(started);
  await settle();
  expect(server.keys()).toHaveLength(800);
  await page.close();
});

test('rule 1: a credit window refills one event in 10 ms', async () => {
  const clock = new TestClock();
  const credit = new CreditWindow(clock, 3, 10);
  for (let n = 0; n < 3; n++) await credit.take();
  const fourth = credit.take();
  await clock.until(fourth, 1);
  expect(clock.now()).toBe(10);
  await clock.until(credit.drained(), 1);
  expect(clock.now()).toBe(40);
});

test('rule 8: a secret is typed, and shown nowhere: not in errors, not when printed', async () => {
  const value = 'hunter2-very-secret';
  const { page, server } = await start(new ScriptedServer({ name: 'QEMU (x)' }));
  const secret = new Secret('APP_PASSWORD', `${value}\u0001`);
  const failure = await page.keyboard.type(secret).catch((error: unknown) => error);
  expect(inspect(failure, { depth: 9 })).not.toContain('hunter2');
  const typing = page.keyboard.type(new Secret('APP_PASSWORD', value.repeat(20)));
  typing.catch(() => undefined);
  await settle();
  server.drop();
  const lost = await typing.catch((error: unknown) => error);
  expect(lost).toMatchObject({ code: 'VNC_CONNECTION_LOST' });
  expect(inspect(lost, { depth: 9 })).not.toContain('hunter2');
  await page.close();
});

test('rule 7: a connection lost while typing fails the text and never repeats it', async () => {
  const server = new ScriptedServer({ name: 'QEMU (x)' });
  const { clock, page } = await start(server);
  const typing = page.keyboard.type('y'.repeat(400));
  typing.catch(() => undefined);
  await clock.advance(100);
  server.drop();
  await expect(clock.until(typing)).rejects.toThrow(/typing was interrupted \(after \d+ of 400 characters\)/);
  await clock.until(page.keyboard.press('a'));
  await settle();
  expect(server.connections).toBe(2);
  expect(server.keys().slice(-2)).toEqual(['+61', '-61']);
  expect(server.keys().filter((key) => key === '+79').length).toBeLessThan(400);
  await page.close();
});

test('P-M9, rule 18: a natural move has at least 8 steps and ends on its target; an instant one is a jump', async () => {
  const path = motionPath({ x: 0, y: 0 }, { x: 50, y: 40 }, 'natural', () => 0.7);
  expect(path.length).toBeGreaterThanOrEqual(8);
  expect(path.at(-1)).toMatchObject({ x: 50, y: 40 });

  const { clock, page, server } = await start();
  await page.mouse.move(10, 10);
  await settle();
  expect(server.pointers()).toHaveLength(1);
  await clock.until(page.mouse.move(50, 40, { motion: 'natural' }));
  await settle();
  expect(server.pointers().length).toBeGreaterThanOrEqual(9);
  expect(server.pointers().at(-1)).toMatchObject({ x: 50, y: 40, buttons: 0 });
  await page.close();
});

test('rule 17: a click holds 150 ms, a double click 100 ms, with the button asked for', async () => {
  const { clock, page, server } = await start();
  const started = clock.now();
  await clock.until(page.mouse.click(5, 6, { button: 'right' }), 10);
  expect(clock.now() - started).toBe(150);
  await clock.until(page.mouse.dblclick(7, 8), 10);
  await settle();
  expect(server.pointers().map(({ x, y, buttons }) => [x, y, buttons])).toEqual([
    ...[
      [5, 6, 0],
      [5, 6, 4],
      [5, 6, 0],
    ],
    ...[
      [7, 8, 0],
      [7, 8, 1],
      [7, 8, 0],
      [7, 8, 1],
      [7, 8, 0],
    ],
  ]);
  expect(clock.now() - started).toBe(450);
  await page.close();
});

test('rules 16, 17: wheel, drag, hover and park', async () => {
  const { clock, page, server } = await start();
  await page.mouse.move(20, 20);
  await page.mouse.wheel(0, 250);
  await settle();
  expect(server.pointers().map(({ buttons }) => buttons)).toEqual([0, 16, 0, 16, 0, 16, 0]);
  server.log.length = 0;
  await clock.until(page.mouse.drag({ x: 1, y: 1 }, { x: 40, y: 30 }));
  await settle();
  const drag = server.pointers();
  expect(drag.at(0)).toMatchObject({ x: 1, y: 1, buttons: 0 });
  expect(drag.at(-2)).toMatchObject({ x: 40, y: 30, buttons: 1 });
  expect(drag.at(-1)).toMatchObject({ x: 40, y: 30, buttons: 0 });
  expect(drag.length).toBeGreaterThan(8);
  server.log.length = 0;
  // It is there already: QEMU would ignore the move alone.
  await clock.until(page.mouse.hover(40, 30, { motion: 'instant' }));
  await page.mouse.park();
  await settle();
  const aside = [
    [39, 30],
    [40, 30],
  ];
  expect(server.pointers().map(({ x, y }) => [x, y])).toEqual([
    [40, 30],
    ...[...aside, ...aside, ...aside],
    [63, 47],
  ]);
  await expect(page.mouse.click(64, 0)).rejects.toMatchObject({ code: 'POINT_OUTSIDE_SCREEN' });
  await page.close();
});

test('a hover moves as a hand does, a drag begins and ends slowly, and the machine scales their pauses', async () => {
  const took: number[][] = [];
  for (const timeoutScale of [1, 4]) {
    const { clock, page, server } = await start(new ScriptedServer(), { timeoutScale });
    await page.mouse.move(1, 1);
    await settle();
    server.log.length = 0;
    const begin = clock.now();
    await clock.until(page.mouse.hover(50, 40), 2);
    const hovered = clock.now();
    await settle();
    const path = server.pointers().map(({ x, y }) => `${x},${y}`);
    expect(new Set(path).size, 'different places on the way').toBeGreaterThan(8);
    expect(path.slice(-4), 'it moves on the spot').toEqual(['49,40', '50,40', '49,40', '50,40']);
    server.log.length = 0;
    await clock.until(page.mouse.drag({ x: 2, y: 2 }, { x: 60, y: 2 }), 2);
    await settle();
    const held = server.pointers().filter(({ buttons }) => buttons === 1);
    expect(held.slice(0, 5).map(({ x }) => x)).toEqual([2, 5, 8, 11, 14]);
    expect(held.at(-1)).toMatchObject({ x: 60, y: 2 });
    took.push([hovered - begin, clock.now() - hovered]);
    // One that is shorter than what begins it goes no further.
    server.log.length = 0;
    await clock.until(page.mouse.drag({ x: 10, y: 10 }, { x: 13, y: 10 }));
    await settle();
    expect(Math.max(...server.pointers().map(({ x }) => x))).toBe(13);
    expect(server.pointers().at(-1)).toMatchObject({ x: 13, y: 10, buttons: 0 });
    await page.close();
  }
  expect(took[1]).toEqual(took[0]!.map((ms) => ms * 4));
});

test('rule 17: after a reboot a click where the pointer was last, and parking again, begin one pixel aside', async () => {
  const { clock, page, server } = await start(new ScriptedServer(), { wake: true });
  const events = () => server.pointers().map(({ x, y, buttons }) => [x, y, buttons]);
  await clock.until(page.mouse.click(5, 6), 10);
  server.drop();
  await clock.until(page.frame());
  server.log.length = 0;
  await clock.until(page.mouse.click(5, 6), 10);
  await clock.until(page.mouse.click(5, 6), 10);
  await settle();
  const click = [
    [5, 6, 0],
    [5, 6, 1],
    [5, 6, 0],
  ];
  expect(events()).toEqual([[4, 6, 0], ...click, ...click]);
  server.log.length = 0;
  await page.mouse.park();
  await page.mouse.park();
  await settle();
  expect(events()).toEqual([
    [63, 47, 0],
    [62, 47, 0],
    [63, 47, 0],
  ]);
  await page.close();
});

test('a locator clicks what its finder finds, where asked, with modifiers', async () => {
  const { clock, page, server } = await start();
  const target: Target = {
    description: 'text "Log in"',
    resolve: () => Promise.resolve({ x: 10, y: 10, width: 20, height: 10 }),
  };
  const locator = page.locator(target);
  await clock.until(locator.click());
  await clock.until(
    locator.click({ position: { x: 1, y: 2 }, offset: { x: 0, y: 5 }, modifiers: ['Control'] }),
  );
  await clock.until(locator.hover());
  await settle();
  const positions = server.pointers().map(({ x, y, buttons }) => [x, y, buttons].join());
  expect(positions.slice(0, 6)).toEqual(['20,15,0', '20,15,1', '20,15,0', '11,17,0', '11,17,1', '11,17,0']);
  expect(server.keys()).toEqual(['+ffe3', '-ffe3']);
  expect(String(locator)).toBe('text "Log in"');
  await page.close();
});

test('strokes of a text count characters, not UTF-16 units', () => {
  expect(strokesOf('a😀b', undefined, false).map(([stroke]) => stroke?.key.keysym)).toEqual([
    0x61, 0x0101f600, 0x62,
  ]);
});

test('a click after typing waits until the keys have arrived: QEMU queues keys, not buttons', async () => {
  const { clock, page, server } = await start(new ScriptedServer({ name: 'QEMU (fedora42)' }));
  const pressed = () => server.pointers().some(({ buttons }) => buttons === 1);
  await clock.until(page.keyboard.type('abc'));
  const click = page.mouse.click(10, 10);
  for (const colour of [RED, GREEN, BLUE, RED, GREEN]) {
    await clock.advance(60, 20);
    expect(pressed()).toBe(false);
    server.colour = colour;
    server.paint();
  }
  await clock.until(click, 20);
  expect(pressed()).toBe(true);

  server.log.length = 0;
  const slept = clock.slept.length;
  await clock.until(page.mouse.click(10, 10), 20);
  expect(clock.slept.slice(slept)).not.toContain(80);
  await page.close();
});

test('a screen that never rests holds up a click after typing for two seconds', async () => {
  const { clock, page, server } = await start(new ScriptedServer({ name: 'QEMU (fedora42)' }));
  await clock.until(page.keyboard.type('abc'));
  const begin = clock.now();
  const click = page.mouse.click(10, 10);
  for (let round = 0; !server.pointers().some(({ buttons }) => buttons === 1); round++) {
    await clock.advance(40, 20);
    server.colour = round % 2 === 0 ? RED : GREEN;
    server.paint();
    expect(round).toBeLessThan(100);
  }
  expect(clock.now() - begin).toBeGreaterThanOrEqual(2000);
  await clock.until(click, 20);
  await page.close();
});

test('rule 1: after 300 key events the screen is asked whether they arrived, before more can overflow the queue', async () => {
  const { clock, page, server } = await start(new ScriptedServer({ name: 'QEMU (fedora42)' }));
  const typing = page.keyboard.type('x'.repeat(200));
  while (server.keys().length < 300) await clock.advance(10, 10);
  for (const colour of [RED, GREEN, BLUE, RED, GREEN, BLUE]) {
    server.colour = colour;
    server.paint(); // the guest is still busy with what it got
    await clock.advance(60, 20);
    expect(server.keys()).toHaveLength(300);
  }
  await clock.until(typing, 20);
  await settle();
  expect(server.keys()).toHaveLength(400);
  await page.close();
});

test('no pointer event overtakes keys: a move may take the focus with it', async () => {
  const { clock, page, server } = await start(new ScriptedServer({ name: 'QEMU (fedora42)' }));
  await clock.until(page.keyboard.type('abc'));
  const place = () => server.pointers().filter(({ x, y }) => x === 11 && y === 12);
  const move = page.mouse.move(11, 12);
  for (const colour of [RED, GREEN]) {
    await clock.advance(60, 20);
    expect(place()).toEqual([]);
    server.colour = colour;
    server.paint();
  }
  await clock.until(move, 20);
  await expect.poll(() => place().length).toBeGreaterThan(0);
  await page.close();
});
