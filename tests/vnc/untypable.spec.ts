import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { typesAnyCharacter } from '../../fixtures/vnc/any-character.ts';
import { connectTcp, VncPage, type VncPageOptions } from '../../fixtures/vnc/index.ts';
import { requirePeer } from '../support/peers.ts';
import { Peer, startXvnc } from './support/peers.ts';
import { rectBytes, ScriptedServer, update } from './support/server.ts';

/** What real wayvnc dropped without a word. */
const FOREIGN = 'é€ßñΩЖ中';
const SCAN_CODES = update(rectBytes({ x: 0, y: 0, width: 0, height: 0 }, -258));

async function pageOf(name: string, options: Partial<VncPageOptions> = {}, takesPlaces = false) {
  const server = new ScriptedServer({
    name,
    onRequest: (rect, incremental, to) => {
      if (!incremental && takesPlaces) to.send(SCAN_CODES);
      if (!incremental) to.paint(rect);
    },
  });
  const page = await VncPage.connect({ open: server.open, name: 'fedora42', wake: false, ...options });
  return { server, page };
}

for (const [name, takesPlaces] of [
  ['WayVNC', true],
  ['WayVNC', false],
  ['Weston VNC backend', false],
  ['GNOME', false],
  ['desk', true],
  ['desk', false],
  ['QEMU (fedora42)', true],
] as const) {
  const how = takesPlaces ? 'by places' : 'by keysyms';
  test(`IN4: a server that may drop a character is not sent it: ${name}, ${how}`, async () => {
    const { server, page } = await pageOf(name, {}, takesPlaces);
    for (const character of FOREIGN) {
      await expect(page.keyboard.type(`ab${character}`)).rejects.toMatchObject({
        code: 'KEY_UNTYPABLE',
        message: expect.stringContaining(character),
        next: expect.stringContaining('anyCharacter'),
      });
      await expect(page.keyboard.press(character)).rejects.toMatchObject({ code: 'KEY_UNTYPABLE' });
      await expect(page.keyboard.press(`Control+${character}`)).rejects.toMatchObject({
        code: 'KEY_UNTYPABLE',
      });
      await expect(page.keyboard.down(character)).rejects.toMatchObject({ code: 'KEY_UNTYPABLE' });
    }
    await page.frame();
    expect(server.keys()).toEqual([]);
    await page.keyboard.type('aB~');
    await page.close();
    // The layout that it has, or the word of whoever knows the server.
    const german = await pageOf(name, { layout: 'de' }, takesPlaces);
    await german.page.keyboard.type('ß€');
    await expect(german.page.keyboard.type('Ω')).rejects.toMatchObject({ code: 'KEY_UNTYPABLE' });
    await german.page.close();
    if (takesPlaces) return;
    const any = await pageOf(name, { anyCharacter: true });
    await any.page.keyboard.type(FOREIGN);
    await any.page.frame();
    expect(any.server.keys()).toHaveLength(2 * Array.from(FOREIGN).length);
    await any.page.close();
  });
}

test('IN4: fences and scan codes make no Wayland server and no QEMU one that types any character', () => {
  const like = { hasFences: true, extendedKeys: true, isQemu: false };
  expect(typesAnyCharacter({ ...like, serverName: 'desk' })).toBe(true);
  for (const serverName of ['WayVNC', 'Weston VNC backend', 'neatvnc'])
    expect(typesAnyCharacter({ ...like, serverName })).toBe(false);
  expect(typesAnyCharacter({ ...like, isQemu: true, serverName: 'QEMU (vm)' })).toBe(false);
});

test('IN4: Xvnc and x11vnc type any character: each arrives exactly', async () => {
  test.setTimeout(90_000);
  const folder = await mkdtemp(join(tmpdir(), 'vmw-any-'));
  const started: Peer[] = [];
  try {
    const socket = join(folder, 'vnc');
    const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
    started.push(peer);
    const second = new Peer(requirePeer(test, 'x11vnc'), [
      ...['-display', display, '-rfbport', '0', '-unixsock', `${socket}2`, '-nopw'],
      ...['-forever', '-shared', '-noxdamage', '-nolookup'],
    ]);
    started.push(second);
    await second.untilExists(`${socket}2`);
    const output = join(folder, 'typed');
    const script = `stty raw -echo; exec cat > ${output}`;
    const env = { ...process.env, DISPLAY: display, LC_ALL: 'C.UTF-8' };
    started.push(new Peer(requirePeer(test, 'xterm'), ['-u8', '-e', 'sh', '-c', script], env));
    let wanted = '';
    for (const path of [socket, `${socket}2`]) {
      const open = async () => ({ stream: await connectTcp({ path }, 'peer') });
      const page = await VncPage.connect({ open, name: 'peer' });
      await page.until(({ data }) => data.some((value, at) => (at & 3) < 3 && value > 0) || undefined, {
        timeout: 20_000,
      });
      await page.mouse.move(60, 60); // without a window manager the pointer gives the focus
      await page.waitForStill({ timeout: 20_000, ignore: [{ x: 0, y: 0, width: 40, height: 40 }] });
      const text = `aB ${FOREIGN} ~`;
      await page.keyboard.type(text);
      wanted += text;
      await expect.poll(() => readFile(output, 'utf8'), { timeout: 20_000 }).toBe(wanted);
      await page.close();
    }
  } finally {
    for (const each of started.reverse()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
