import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connectTcp, VncPage } from '../../fixtures/vnc/index.ts';
import { requirePeer } from '../support/peers.ts';
import { TestClock } from './support/clock.ts';
import { Peer } from './support/peers.ts';
import { rectBytes, ScriptedServer, update } from './support/server.ts';

/** What moves a relative mouse nowhere. */
const STILL = { x: 0x7fff, y: 0x7fff };

/** QEMU tells what its pointer is with the first picture, and whenever that changes. */
function pointerType(isAbsolute: boolean): Buffer {
  return update(rectBytes({ x: isAbsolute ? 1 : 0, y: 0, width: 64, height: 48 }, -257));
}

async function relative() {
  let told = false;
  const server = new ScriptedServer({
    name: 'QEMU (fedora42)',
    onRequest: (rect, incremental, to) => {
      if (!told) to.send(pointerType(false));
      told = true;
      if (!incremental) to.paint(rect);
    },
  });
  const clock = new TestClock();
  const page = await clock.until(VncPage.connect({ open: server.open, name: 'fedora42', clock }));
  return { server, clock, page };
}

test.describe.configure({ timeout: 60_000 });

test('IN2: a relative mouse is not moved and not clicked: every verb is POINTER_RELATIVE with the cure', async () => {
  const { server, clock, page } = await relative();
  const verbs: readonly (() => Promise<unknown>)[] = [
    () => page.mouse.move(30, 20),
    () => page.mouse.click(30, 20),
    () => page.mouse.dblclick(30, 20),
    () => page.mouse.hover(30, 20),
    () => page.mouse.drag({ x: 1, y: 1 }, { x: 30, y: 20 }),
    () => page.mouse.wheel(0, 100),
    () => page.mouse.down(),
    () => page.mouse.up(),
    () => page.mouse.wiggle(),
  ];
  for (const verb of verbs) {
    await expect(clock.until(verb(), 500)).rejects.toMatchObject({
      code: 'POINTER_RELATIVE',
      subject: 'fedora42',
      next: expect.stringContaining('--tablet 1'),
    });
  }
  await clock.until(page.mouse.park());
  await clock.until(page.keyboard.type('a'));
  // Waiting keeps the display awake by pointer events; connecting nudges it.
  const waiting = page.until(() => undefined, { timeout: 1000 });
  await expect(clock.until(waiting)).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
  const pointers = server.pointers();
  expect(pointers.length).toBeGreaterThan(4);
  for (const pointer of pointers) expect(pointer).toMatchObject({ ...STILL, buttons: 0 });
  await page.close();
});

test('IN2: a tablet that comes while the guest starts is waited for, and one that goes is noticed', async () => {
  const { server, clock, page } = await relative();
  const click = page.mouse.click(30, 20);
  await clock.advance(2000, 100);
  expect(server.pointers().every(({ buttons }) => buttons === 0)).toBe(true);
  server.send(pointerType(true));
  await clock.until(click);
  expect(server.pointers().filter(({ buttons }) => buttons === 1)).toMatchObject([{ x: 30, y: 20 }]);
  server.send(pointerType(false));
  await clock.advance(100, 10);
  await expect(clock.until(page.mouse.click(30, 20), 500)).rejects.toMatchObject({
    code: 'POINTER_RELATIVE',
  });
  await page.close();
});

test('IN2: QEMU without a tablet: a click is POINTER_RELATIVE, pictures and keys go on', async () => {
  test.setTimeout(90_000);
  const folder = await mkdtemp(join(tmpdir(), 'vmw-mouse-'));
  const vnc = join(folder, 'q.vnc');
  const machine = new Peer(requirePeer(test, 'qemu-system-x86_64'), [
    ...['-accel', 'tcg', '-nodefaults', '-vga', 'std', '-display', 'none', '-m', '64'],
    ...['-vnc', `unix:${vnc}`],
  ]);
  try {
    await machine.untilExists(vnc);
    const open = async () => ({ stream: await connectTcp({ path: vnc }, 'peer') });
    const page = await VncPage.connect({ open, name: 'peer' });
    await expect(page.mouse.click(100, 100)).rejects.toMatchObject({ code: 'POINTER_RELATIVE' });
    await page.keyboard.press('Escape');
    expect((await page.frame()).width).toBeGreaterThan(0);
    await page.close();
  } finally {
    await machine.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
