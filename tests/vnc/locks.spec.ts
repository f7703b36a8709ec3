import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connectTcp, VncPage } from '../../fixtures/vnc/index.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { requirePeer } from '../support/peers.ts';
import { TestClock } from './support/clock.ts';
import { Peer, runX, startXvnc, writtenTo } from './support/peers.ts';
import { rectBytes, ScriptedServer, update } from './support/server.ts';

const CAPS = 0xffe5;
const NUM = 0xff7f;
const SHIFT = 0xffe1;
const NOWHERE = { x: 0, y: 0, width: 0, height: 0 };
/** Both ways in which servers tell of LEDs. */
const LED_STATES = {
  QEMU: (bits: number) => rectBytes(NOWHERE, -261, Buffer.from([bits])),
  VMware: (bits: number) => rectBytes(NOWHERE, 0x574d5668, Buffer.from([0, 0, 0, bits])),
} as const;

interface GuestOptions {
  readonly tell?: keyof typeof LED_STATES;
  readonly leds?: number;
  /** The guest has made something else of the key. */
  readonly isStuck?: boolean;
  readonly name?: string;
  /** Milliseconds that it takes to act on a key. */
  readonly lagMs?: number;
}

/** A guest whose letters depend on Shift and Caps Lock, as keys by their place do, and whose LEDs follow the locks. */
class LockingGuest {
  typed = '';
  leds: number;
  readonly server: ScriptedServer;
  readonly #tell: (bits: number) => Buffer;
  #shift = false;

  constructor(clock: TestClock, { tell = 'QEMU', leds = 4, isStuck = false, name, lagMs = 0 }: GuestOptions) {
    this.leds = leds;
    this.#tell = LED_STATES[tell];
    this.server = new ScriptedServer({
      ...(name === undefined ? {} : { name }),
      onRequest: (rect, incremental, to) => {
        if (!incremental) to.send(update(this.#tell(this.leds)));
        if (!incremental) to.paint(rect);
      },
      onKey: ({ keysym, down }) => {
        if (lagMs > 0) void clock.sleep(lagMs).then(() => act(keysym, down));
        else act(keysym, down);
      },
    });
    const act = (keysym: number, down: boolean) => {
      if (keysym === SHIFT) this.#shift = down;
      if (!down) return;
      const lock = { [CAPS]: 4, [NUM]: 2 }[keysym];
      if (lock !== undefined && !isStuck) this.toggle(lock);
      const char = String.fromCharCode(keysym);
      if (/^[ -~]$/.test(char)) this.typed += this.#cased(char);
    };
  }

  /** A lock is switched: by its key, or by the guest itself. */
  toggle(lock: number): void {
    this.leds ^= lock;
    this.server.send(update(this.#tell(this.leds)));
  }

  #cased(char: string): string {
    if (!/[a-z]/i.test(char)) return char;
    return this.#shift !== (this.leds & 4) > 0 ? char.toUpperCase() : char.toLowerCase();
  }
}

async function open(options: GuestOptions = {}) {
  const clock = new TestClock();
  const guest = new LockingGuest(clock, options);
  const page = await clock.until(
    VncPage.connect({ open: guest.server.open, name: 'fedora42', clock, wake: false }),
  );
  return { guest, page, does: <T>(action: Promise<T>) => clock.until(action) };
}

for (const tell of ['QEMU', 'VMware'] as const) {
  test(`IN1: Caps Lock is switched off before typing and put back (${tell} LED state)`, async () => {
    const { guest, page, does } = await open({ tell });
    await does(page.keyboard.type('Passw0rd'));
    expect(guest.typed).toBe('Passw0rd');
    expect(guest.leds).toBe(4);
    await does(page.keyboard.press('x'));
    await does(page.keyboard.press('X'));
    await does(page.keyboard.type('Yz'));
    expect(guest.typed).toBe('Passw0rdxXYz');
    expect(guest.leds).toBe(4);
    // A key that no lock changes leaves it alone.
    const before = guest.server.keys().length;
    await does(page.keyboard.press('Enter'));
    expect(guest.server.keys().slice(before)).toEqual(['+ff0d', '-ff0d']);
    await page.close();
  });
}

test('IN1: without Caps Lock, and where the server tells nothing, no lock is pressed', async () => {
  const { guest, page, does } = await open({ leds: 3 });
  await does(page.keyboard.type('Passw0rd'));
  expect(guest.typed).toBe('Passw0rd');
  expect(guest.server.keys()).not.toContain(`+${CAPS.toString(16)}`);
  await page.close();
  const server = new ScriptedServer();
  const silent = await VncPage.connect({ open: server.open, name: 'fedora42', wake: false });
  await silent.keyboard.type('Ab');
  await silent.frame();
  expect(server.keys()).toEqual(['+ffe1', '+41', '-41', '-ffe1', '+62', '-62']);
  await silent.close();
});

test('IN1: a lock that a spec presses, and one that the guest switches, are known to the next text', async () => {
  const { guest, page, does } = await open({ leds: 0 });
  await does(page.keyboard.press('CapsLock'));
  await does(page.keyboard.type('Ab'));
  await does(page.keyboard.down('CapsLock'));
  await does(page.keyboard.up('CapsLock'));
  await does(page.keyboard.type('Cd'));
  guest.toggle(4);
  await does(page.keyboard.type('Ef'));
  expect(guest.typed).toBe('AbCdEf');
  expect(guest.leds).toBe(4);
  await page.close();
});

test('IN1: QEMU tells of a lock once the guest has acted on its key: the next text waits for that', async () => {
  const { guest, page, does } = await open({ leds: 0, name: 'QEMU (fedora42)', lagMs: 300 });
  await does(page.keyboard.press('CapsLock'));
  await does(page.keyboard.type('Ab'));
  await does(page.keyboard.down('CapsLock'));
  await does(page.keyboard.up('CapsLock'));
  await does(page.keyboard.press('CapsLock'));
  await does(page.keyboard.type('Cd'));
  await does(page.keyboard.type('Ef'));
  await expect.poll(() => does(page.frame()).then(() => guest.typed)).toBe('AbCdEf');
  expect(guest.leds).toBe(4);
  await page.close();
});

test('IN1: a lock that does not switch is an error before the first key; a text that fails puts it back', async () => {
  const stuck = await open({ isStuck: true });
  await expect(stuck.does(stuck.page.keyboard.type('Ab'))).rejects.toMatchObject({
    code: 'LOCK_STUCK',
    message: expect.stringContaining('Caps Lock'),
  });
  expect(stuck.guest.typed).toBe('');
  await stuck.page.close();
  const { guest, page, does } = await open();
  await expect(does(page.keyboard.type('a\u0001'))).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
  expect(guest.leds).toBe(4);
  await page.close();
});

test('IN1: Xvnc: a text arrives exactly under Caps Lock, by keysyms and by places; the lock is on afterwards', async () => {
  test.setTimeout(60_000);
  for (const args of [[], ['-RawKeyboard']]) {
    const folder = await mkdtemp(join(tmpdir(), 'vmw-locks-'));
    const started: Peer[] = [];
    try {
      const socket = join(folder, 'vnc');
      const xvnc = requirePeer(test, 'Xvnc');
      const { peer, display } = await startXvnc(xvnc, socket, ['-SecurityTypes', 'None', ...args]);
      started.push(peer);
      await runX(display, requirePeer(test, 'setxkbmap'), ['-model', 'pc105', '-layout', 'us']);
      const output = join(folder, 'typed');
      const script = `head -n 2 > ${output}; touch ${output}.done; sleep 600`;
      const env = { ...process.env, DISPLAY: display };
      started.push(new Peer(requirePeer(test, 'xterm'), ['-e', 'sh', '-c', script], env));
      const dial = async () => ({ stream: await connectTcp({ path: socket }, 'peer') });
      const page = await VncPage.connect({
        open: dial,
        name: 'peer',
        ...(args.length > 0 ? { layout: 'us' } : {}),
      });
      await page.until(({ data }) => data.some((value, at) => (at & 3) < 3 && value > 0) || undefined, {
        timeout: 20_000,
      });
      await page.mouse.move(60, 60); // without a window manager the pointer gives the focus
      await page.waitForStill({ timeout: 20_000, ignore: [{ x: 0, y: 0, width: 40, height: 40 }] });
      // Another viewer presses it: the page hears of that by the LED alone.
      const other = await RfbConnection.open((await dial()).stream, { subject: 'other' });
      other.key(CAPS, true, 0x3a);
      other.key(CAPS, false, 0x3a);
      const leds = async () => {
        other.requestUpdate({ x: 0, y: 0, width: 1, height: 1 }, false);
        await new Promise((done) => setTimeout(done, 20));
        return other.leds ?? 0;
      };
      await expect.poll(leds, { timeout: 20_000 }).toBe(4);
      await page.keyboard.type('Passw0rd Is 42!\n');
      await page.keyboard.type('aB~\n');
      expect(await writtenTo(output)).toBe('Passw0rd Is 42!\naB~\n');
      await expect.poll(leds, { timeout: 20_000 }).toBe(4);
      other.close();
      await page.close();
    } finally {
      for (const each of started.reverse()) await each.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }
});
