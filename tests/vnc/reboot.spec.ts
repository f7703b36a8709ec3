import { expect, test } from '@playwright/test';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';
import { TestClock } from './support/clock.ts';
import { GREEN, pixel, ScriptedServer } from './support/server.ts';

/** A real shutdown and boot takes minutes where the processor is emulated. */
const REAL_REBOOT = process.env.VMWRIGHT_REAL_REBOOT === '1';

test('a machine that may go away is waited for, however long; then the picture is its new one', async () => {
  const clock = new TestClock();
  const server = new ScriptedServer();
  let isAway = false;
  let tried = 0;
  const open = () => {
    if (!isAway) return server.open();
    tried++;
    return Promise.reject(new Error('VM 101 not running'));
  };
  const page = await clock.until(VncPage.connect({ open, name: 'fedora42', clock }));
  const shown = page.until((frame) => (pixel(frame, 1, 1)[1] === 255 ? 'green' : undefined), {
    timeout: 300_000,
  });
  const reboot = page.expectSilence(async () => {
    isAway = true;
    server.drop();
    await clock.sleep(120_000);
    server.colour = GREEN;
    isAway = false;
    return 'rebooted';
  });
  expect(await clock.until(reboot, 100)).toBe('rebooted');
  expect(tried).toBeGreaterThan(100);
  expect(await clock.until(shown)).toBe('green');
  expect([server.connections, pixel(page.latest(), 1, 1)]).toEqual([2, GREEN]);
  await page.close();
});

test('rule 10: a server that merely says nothing during a reboot keeps its connection', async () => {
  const clock = new TestClock();
  let isSilent = false;
  const server = new ScriptedServer({
    onRequest: (rect, incremental, to) => {
      if (!incremental && !isSilent) to.paint(rect);
    },
  });
  const page = await clock.until(VncPage.connect({ open: server.open, name: 'fedora42', clock }));
  const waiting = page.waitForStill({ timeout: 200_000 });
  const frame = page.frame();
  isSilent = true;
  await clock.until(
    page.expectSilence(async () => {
      await clock.sleep(60_000);
      isSilent = false;
      server.paint();
    }),
    100,
  );
  await clock.until(Promise.all([frame, waiting]));
  expect(server.connections).toBe(1);
  await page.close();
});

test('what comes after a machine that did not come back is an error, not a wait', async () => {
  const clock = new TestClock();
  const server = new ScriptedServer();
  let isAway = false;
  const open = () => (isAway ? Promise.reject(new Error('VM 101 not running')) : server.open());
  const page = await clock.until(VncPage.connect({ open, name: 'fedora42', clock }));
  const reboot = page.expectSilence(() => {
    isAway = true;
    server.drop();
    return clock.sleep(1000);
  });
  await expect(clock.until(reboot)).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST' });
  await page.close();
});

test('rule 7: typing that a reboot interrupts fails, and a Shift that was held is up on the new connection', async () => {
  const clock = new TestClock();
  const server = new ScriptedServer({ name: 'QEMU (fedora42)' });
  const page = await clock.until(
    VncPage.connect({ open: server.open, name: 'fedora42', clock, wake: false }),
  );
  await clock.until(page.keyboard.down('Shift'));
  const typing = page.keyboard.type('x'.repeat(200));
  typing.catch(() => undefined);
  await clock.advance(500, 10);
  const reboot = page.expectSilence(() => {
    server.drop();
    return clock.sleep(1000);
  });
  await clock.until(reboot);
  await expect(typing).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST' });
  server.log.length = 0;
  await clock.until(page.keyboard.press('a'));
  await expect.poll(() => server.keys()).toEqual(['+61', '-61']);
  await page.close();
});

/** Reboots and rolls back with the page open, waits for pixels meanwhile, and uses keyboard and mouse afterwards. */
const goesOn = (...disturbances: readonly string[]) => `
test('goes on', async ({ vm, vncPage }) => {
  test.setTimeout(600_000);
  const size = { ...vncPage.size };
  for (const disturb of [${disturbances.join(', ')}]) {
    const before = await vncPage.frame();
    const changed = vncPage.waitForChange({ since: before, timeout: 500_000 });
    changed.catch(() => undefined);
    await disturb(vm);
    const after = await vncPage.frame();
    await vncPage.mouse.move(30, 40);
    await vncPage.keyboard.press('Escape');
    expect((await vncPage.screenshot()).length).toBeGreaterThan(0);
    if (Buffer.compare(before.data, after.data) !== 0) await changed;
  }
  await vncPage.until(({ width, height }) => (width === size.width && height === size.height) || undefined, {
    timeout: 300_000,
  });
});`;

async function passes(lab: Lab, folder: string, machine: string, spec: string): Promise<void> {
  const run = await runOnLab(lab, folder, { machines: [machine], spec }).finally(() => lab.stop());
  expect(run.output).toContain('1 passed');
  expect(run.exitCode).toBe(0);
}

test('vm.reboot() and rollbacks in mid-test: the page goes on, on a simulated machine', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  const spec = goesOn('(vm) => vm.reboot()', "(vm) => vm.snapshots.rollback('ready')", '(vm) => vm.reset()');
  await passes(lab, info.outputPath('p'), 'fedora42', spec);
});

/** The lab with the real guest. */
async function realLab(): Promise<Lab> {
  requirePeer(test, 'qemu-system-x86_64');
  requireRealGuest(test);
  return startLab({ guests: [], qemu: true });
}

test('a rollback in mid-test on the real guest: the page goes on', async ({}, info) => {
  test.setTimeout(300_000);
  const spec = goesOn("(vm) => vm.snapshots.rollback('ready')");
  await passes(await realLab(), info.outputPath('p'), 'debian12', spec);
});

/** The guest has booted anew, and its desktop is seen by the page of before and takes its mouse and keys. */
const REBOOT = `
test('reboots', async ({ vm, vncPage }) => {
  test.setTimeout(600_000);
  const bootId = async () => (await vm.agent.exec(['cat', '/proc/sys/kernel/random/boot_id'])).stdout.trim();
  await vncPage.mouse.park();
  const [before, size, desktop] = [await bootId(), { ...vncPage.size }, await vncPage.waitForStill({ timeout: 60_000 })];
  const changed = vncPage.waitForChange({ since: desktop, timeout: 300_000 });
  await Promise.all([changed, vm.reboot()]);
  await vm.agent.waitReady(300_000);
  expect(await bootId()).not.toBe(before);
  const isDesktop = ({ width, height, data }) =>
    width === size.width && height === size.height && Buffer.compare(data, desktop.data) === 0;
  await vncPage.until(
    async (frame) => {
      await vncPage.mouse.park(); // the new desktop begins with the pointer in its middle
      return isDesktop(frame) || undefined;
    },
    { timeout: 300_000 },
  );
  const clip = { x: 300, y: 300, width: 40, height: 40 };
  await vncPage.waitForChange({ clip, timeout: 60_000, action: () => vncPage.mouse.move(310, 310) });
  const first = 'for each in /dev/input/by-path/*-kbd; do timeout 20 head -c 24 "$each" | wc -c & done; wait';
  let isRead = false;
  const keyboards = vm.agent.exec(['sh', '-c', first]).finally(() => (isRead = true));
  while (!isRead) await vncPage.keyboard.press('Shift', { delay: 100 });
  expect((await keyboards).stdout.split('\\n')).toContain('24');
});`;

test('vm.reboot() of the real guest: the page sees the new boot, and its input arrives there', async ({}, info) => {
  test.skip(!REAL_REBOOT, 'takes minutes: set VMWRIGHT_REAL_REBOOT=1');
  test.setTimeout(900_000);
  await passes(await realLab(), info.outputPath('p'), 'debian12', REBOOT);
});
