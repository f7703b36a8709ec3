/** A Wayland desktop behind wayvnc: sway without a screen, and a terminal on it. */
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connectTcp, VncPage } from '../../fixtures/vnc/index.ts';
import { requirePeer } from '../support/peers.ts';
import { Peer } from './support/peers.ts';

/** `nobody`: sway refuses to run as root. */
const UID = 65_534;
const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
/** Reports the mouse (SGR), and keeps what it gets. */
const KEEPER = `stty raw -echo; printf '\\033[?1000h\\033[?1006h'; exec cat > typed`;

test('IN4: wayvnc: a Wayland screen is seen, keys and clicks arrive exactly, and what it would drop is refused', async () => {
  const sway = requirePeer(test, 'sway');
  const [wayvnc, foot] = [requirePeer(test, 'wayvnc'), requirePeer(test, 'foot')];
  const folder = await mkdtemp(join(tmpdir(), 'vmw-way-'));
  const isRoot = process.getuid?.() === 0;
  await writeFile(join(folder, 'keeper.sh'), KEEPER);
  await writeFile(
    join(folder, 'config'),
    `xwayland disable
output HEADLESS-1 resolution 800x600
default_border none
exec ${foot} -o colors.background=204060 sh keeper.sh
exec ${wayvnc} -u ${folder}/vnc`,
  );
  if (isRoot) await chown(folder, UID, UID);
  const demoted = ['--reuid', String(UID), '--regid', String(UID), '--clear-groups'];
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    LC_ALL: 'C.UTF-8',
    WLR_BACKENDS: 'headless',
    WLR_LIBINPUT_NO_DEVICES: '1',
    WLR_RENDERER: 'pixman',
  };
  const command = [sway, '-c', join(folder, 'config')];
  const [program, ...args] = isRoot ? [requirePeer(test, 'setpriv'), ...demoted, ...command] : command;
  const peer = new Peer(program!, args, env, folder);
  try {
    await peer.untilExists(join(folder, 'vnc'));
    const open = async () => ({ stream: await connectTcp({ path: join(folder, 'vnc') }, 'wayvnc') });
    const typed = () => readFile(join(folder, 'typed'), 'utf8').catch(() => undefined);
    await using page = await VncPage.connect({ name: 'sway', open });
    expect(page.size).toEqual({ width: 800, height: 600 });
    await expect.poll(typed, { timeout: 20_000 }).toBe('');
    // The terminal's program runs before its window is there and takes keys.
    const blueInTheMiddle = (300 * 800 + 400) * 4 + 2;
    await page.until(({ data }) => (data[blueInTheMiddle] === 0x60 ? true : undefined), { timeout: 20_000 });
    for (const character of 'é€ßñΩЖ中') {
      const refused = page.keyboard.type(`ab${character}`);
      await expect(refused).rejects.toMatchObject({ code: 'KEY_UNTYPABLE' });
    }
    await page.keyboard.type(`${ASCII}\n`);
    await expect.poll(typed).toBe(`${ASCII}\r`);
    await page.mouse.click(400, 300);
    await expect.poll(typed).toMatch(/\x1b\[<0;(\d+);(\d+)M\x1b\[<0;\1;\2m$/);
  } finally {
    await peer.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
