import { expect, test } from '@playwright/test';
import { layoutOf, VncPage } from '../../fixtures/vnc/index.ts';
import { layoutNames } from '../../fixtures/vnc/layouts/index.ts';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';
import { KEEPER, QemuDesktop } from './support/qemu-desktop.ts';

/** Two thousand, ten times, is what a release is measured with. */
const CHARACTERS = 500;
const ROUNDS = rounds(1, 20);
/** A minute, and some rounds, to measure with. */
const IDLE_MS = Number(process.env.VMWRIGHT_IDLE_MS ?? 4000);
const IDLE_ROUNDS = rounds(2, 20);
/** A thousand is what a release is measured with; each tenth comes after QEMU has gone lazy. */
const FRESH_ROUNDS = rounds(10, 100);
const LAZY_MS = 4000;
const FIRST_BOOT_MS = 300_000;

const ALPHABET = `abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 ~!@#$%^&*()_+{}|:"<>?\`-=[]\\;',./`;

/** What a keyboard of Western Europe may have. */
const CANDIDATES = Array.from({ length: 0x17f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index))
  .filter((character) => !/[\u007f-\u00a0\u00ad]/.test(character))
  .concat('€');

/**
 * Paints itself in another colour whenever the file `paint` is there, after so many seconds; says when it did: when the
 * terminal answers a question that came after the paint.
 */
const PAINTER = `
import os, sys, time, tty
tty.setraw(0)
colours = 0
sys.stdout.write('\\033[?25l')
while True:
    if os.path.exists('/home/tester/paint'):
        wait = float(open('/home/tester/paint').read())
        os.remove('/home/tester/paint')
        time.sleep(wait)
        colours += 1
        sys.stdout.write('\\033[%dm\\033[2J\\033[6n' % (41 + colours % 6))
        sys.stdout.flush()
        while os.read(0, 1) != b'R': pass
        with open('/tmp/painted', 'a') as done: done.write('%d\\n' % time.time_ns())
    time.sleep(0.05)`;
import { rounds, SOAK } from '../support/soak.ts';

test.describe.configure({ mode: 'serial', timeout: 60_000 });

let desktop: QemuDesktop;
let page: VncPage;
let hasPainter = false;
let hasKeeper = false;

test.beforeAll(async () => {
  test.setTimeout(FIRST_BOOT_MS);
  requirePeer(test, 'qemu-system-x86_64');
  requireRealGuest(test);
  desktop = await QemuDesktop.start();
  page = await desktop.page();
});

test.afterAll(async () => {
  await (page as VncPage | undefined)?.close();
  await (desktop as QemuDesktop | undefined)?.dispose();
});

/** Once; each test that types needs it. */
async function startKeeper(): Promise<void> {
  if (!hasKeeper) await desktop.terminal(page, 'keeper', KEEPER, { x: 0, y: 0 });
  hasKeeper = true;
}

/** Once; two tests need it. */
async function startPainter(): Promise<void> {
  if (!hasPainter) await desktop.terminal(page, 'painter', PAINTER, { x: 640, y: 0 });
  hasPainter = true;
}

test('mixed characters typed into a terminal arrive exactly, each and in order', SOAK, async ({}, info) => {
  test.setTimeout(60_000 + ROUNDS * CHARACTERS * 200);
  await startKeeper();
  for (let round = 0; round < ROUNDS; round++) {
    const text = Array.from(
      { length: CHARACTERS },
      (_, index) => ALPHABET[(index * 31 + (index >> 6) + round) % ALPHABET.length],
    ).join('');
    await desktop.shell('rm -f /tmp/before; cp /tmp/typed /tmp/before');
    const begin = performance.now();
    await page.keyboard.type(text);
    info.annotations.push({
      type: 'typing',
      description: `${CHARACTERS} in ${Math.round(performance.now() - begin)} ms`,
    });
    const typed = () => desktop.shell('tail -c +$(($(stat -c %s /tmp/before) + 1)) /tmp/typed');
    await expect
      .poll(async () => (await typed()).length, { timeout: 30_000 })
      .toBeGreaterThanOrEqual(text.length);
    expect(await typed(), `round ${round}`).toBe(text);
  }
});

/** What arrives of what `action` types. */
async function typedBy(action: () => Promise<void>, length: number): Promise<string> {
  await desktop.shell('cp /tmp/typed /tmp/before');
  await action();
  const typed = () => desktop.shell('tail -c +$(($(stat -c %s /tmp/before) + 1)) /tmp/typed');
  await expect.poll(async () => (await typed()).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(length);
  return typed();
}

/** A lock as X has it. */
async function hasLock(name: 'Caps' | 'Num'): Promise<boolean> {
  return new RegExp(`${name} Lock:\\s+on`).test(await desktop.asUser('xset q'));
}

/** QEMU's VNC server counts what viewers press, and of what the guest's own keyboard does it sees the LED. */
const PRESSED_BY = ['the guest', 'a viewer', 'the guest, then a viewer', 'a viewer, then the guest'] as const;

async function pressLock(key: 'CapsLock' | 'NumLock', by: (typeof PRESSED_BY)[number]): Promise<void> {
  for (const who of by.split(', then ')) {
    if (who === 'the guest') await desktop.sendKey(key === 'CapsLock' ? 'caps_lock' : 'num_lock');
    else await page.keyboard.press(key);
  }
}

test('IN1: QEMU: a text arrives exactly under Caps Lock, whoever pressed it, and the lock is as before', async () => {
  test.setTimeout(120_000);
  await startKeeper();
  const text = 'Passw0rd, aBc ~!';
  for (const by of PRESSED_BY) {
    await pressLock('CapsLock', by);
    const isOn = !by.includes('then');
    await expect.poll(() => hasLock('Caps'), { timeout: 30_000 }).toBe(isOn);
    expect(await typedBy(() => page.keyboard.type(text), text.length), by).toBe(text);
    expect(await typedBy(() => page.keyboard.press('x'), 1), by).toBe('x');
    expect(await hasLock('Caps'), by).toBe(isOn);
    await pressLock('CapsLock', by);
  }
});

test("IN1: QEMU: the keypad's digits arrive as digits, whoever switched Num Lock, which is as before", async () => {
  test.setTimeout(120_000);
  await startKeeper();
  const digits = async () => {
    for (const key of ['Numpad7', 'Numpad0', 'NumpadDecimal', 'NumpadAdd']) await page.keyboard.press(key);
  };
  let isOn = await hasLock('Num');
  for (const by of PRESSED_BY) {
    for (let press = 0; press < 2; press++) {
      await pressLock('NumLock', by);
      if (!by.includes('then')) isOn = !isOn;
      await expect.poll(() => hasLock('Num'), { timeout: 30_000 }).toBe(isOn);
      expect(await typedBy(digits, 4), `${by}, Num Lock ${isOn ? 'on' : 'off'}`).toBe('70.+');
      expect(await hasLock('Num')).toBe(isOn);
    }
  }
  // Another viewer, of which the page hears by the LED alone.
  const other = await desktop.page();
  await other.keyboard.press('NumLock');
  await other.close();
  await expect.poll(() => hasLock('Num'), { timeout: 30_000 }).toBe(!isOn);
  expect(await typedBy(digits, 4)).toBe('70.+');
  expect(await hasLock('Num')).toBe(!isOn);
});

for (const name of layoutNames) {
  test(`each character of layout ${name} arrives in a terminal of that layout`, async () => {
    const layout = layoutOf(name);
    const text = CANDIDATES.filter((character) => layout.pressesOf(character) !== undefined).join('');
    expect(text.length).toBeGreaterThanOrEqual(95);
    await desktop.asUser(`setxkbmap -model pc105 -layout ${name}`);
    const typist = await desktop.page({ layout });
    try {
      await typist.mouse.click(300, 200);
      await desktop.shell('cp /tmp/typed /tmp/before');
      await typist.keyboard.type(text);
      const typed = () => desktop.shell('tail -c +$(($(stat -c %s /tmp/before) + 1)) /tmp/typed');
      await expect
        .poll(async () => (await typed()).length, { timeout: 30_000 })
        .toBeGreaterThanOrEqual(text.length);
      expect(await typed()).toBe(text);
    } finally {
      await typist.close();
      await desktop.asUser('setxkbmap -model pc105 -layout us');
    }
  });
}

test('rule 9: a change after idleness is seen', SOAK, async ({}, info) => {
  test.setTimeout(60_000 + IDLE_ROUNDS * (IDLE_MS + 20_000));
  await startPainter();
  const clip = { x: 740, y: 100, width: 200, height: 100 };
  const latencies: number[] = [];
  for (let round = 0; round < IDLE_ROUNDS; round++) {
    const before = await page.waitForStill({ clip, timeout: 30_000 });
    await desktop.shell(`echo ${IDLE_MS / 1000} > /home/tester/new; mv /home/tester/new /home/tester/paint`);
    const changed = await page.waitForChange({ since: before, clip, timeout: IDLE_MS + 15_000 });
    const seenAt = performance.now();
    expect(Buffer.compare(changed.data, before.data)).not.toBe(0);
    const offset = await desktop.clockOffset();
    const paintedAt = Number((await desktop.shell('tail -n 1 /tmp/painted')).trim()) / 1e6 + offset;
    latencies.push(Math.round(seenAt - paintedAt));
  }
  expect(latencies).toHaveLength(IDLE_ROUNDS);
  info.annotations.push({ type: 'change to waiter, ms', description: latencies.join(', ') });
});

test(
  'rule 11: a picture that is taken after a change shows it, however idle the screen was',
  SOAK,
  async () => {
    test.setTimeout(60_000 + FRESH_ROUNDS * 5000);
    await startPainter();
    const clip = { x: 740, y: 100, width: 1, height: 1 };
    const paints = async () => Number(await desktop.shell('cat /tmp/painted | wc -l'));
    let before = Buffer.from((await page.frame({ clip })).data);
    const stale: number[] = [];
    for (let round = 1; round <= FRESH_ROUNDS; round++) {
      const painted = await paints();
      const delay = round % 10 === 0 ? LAZY_MS / 1000 : 0;
      await desktop.shell(`echo ${delay} > /home/tester/new; mv /home/tester/new /home/tester/paint`);
      await expect.poll(paints, { timeout: LAZY_MS + 15_000, intervals: [20] }).toBe(painted + 1);
      const after = Buffer.from((await page.frame({ clip })).data);
      if (after.equals(before)) stale.push(round);
      before = after;
    }
    expect(stale).toEqual([]);
  },
);
