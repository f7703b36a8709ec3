import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import { defineMatrix } from '../../fixtures/config/index.ts';
import { connectTcp, defineLayout, layoutOf, VncPage } from '../../fixtures/vnc/index.ts';
import { layoutNames } from '../../fixtures/vnc/layouts/index.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { chordStrokes, strokesOf } from '../../fixtures/vnc/strokes.ts';
import { requirePeer } from '../support/peers.ts';
import { Peer, runX, startXvnc } from './support/peers.ts';

/** What of each layout is typed into a real X server of that layout: every character that a line of text can hold. */
const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const OWN: Readonly<Record<string, string>> = {
  us: '',
  gb: '£€¬',
  de: 'äöüÄÖÜß§°€²³µéÉàÀêÂ',
  fr: 'éèçàùÉÈêôîÂëïÜ°£§µ²€¤',
  es: 'ñÑçÇºª·¡¿¬€áéíóúÁÉüÜàêö',
};

const test = base.extend<{ folder: string; started: Peer[] }>({
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'vmw-keys-'));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
  started: async ({}, use) => {
    const started: Peer[] = [];
    await use(started);
    for (const peer of started.reverse()) await peer.stop();
  },
});

for (const name of layoutNames) {
  test(`rule 4: every character of layout ${name} by scan codes into an X server of that layout`, async ({
    folder,
    started,
  }) => {
    const socket = join(folder, 'vnc');
    const args = ['-SecurityTypes', 'None', '-RawKeyboard'];
    const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, args);
    started.push(peer);
    await runX(display, requirePeer(test, 'setxkbmap'), ['-model', 'pc105', '-layout', name]);
    const output = join(folder, 'typed');
    const script = `head -n 2 > ${output}; touch ${output}.done; sleep 600`;
    const env = { ...process.env, DISPLAY: display, LC_ALL: 'C.UTF-8' };
    started.push(new Peer(requirePeer(test, 'xterm'), ['-u8', '-e', 'sh', '-c', script], env));
    const page = await VncPage.connect({
      open: async () => ({ stream: await connectTcp({ path: socket }, 'peer') }),
      name: 'peer',
      layout: name,
    });
    await page.until(({ data }) => (data.some((value, at) => (at & 3) < 3 && value > 0) ? true : undefined), {
      timeout: 20_000,
    });
    await page.mouse.move(60, 60); // without a window manager the pointer gives the focus
    await page.waitForStill({ timeout: 20_000, ignore: [{ x: 0, y: 0, width: 40, height: 40 }] });
    const text = `${ASCII}\n${OWN[name]}\n`;
    await page.keyboard.type(text);
    await expect
      .poll(
        () =>
          readFile(`${output}.done`)
            .then(() => true)
            .catch(() => false),
        { timeout: 20_000 },
      )
      .toBe(true);
    expect(await readFile(output, 'utf8')).toBe(text);
    await page.close();
  });
}

test('rule 4: a character that the layout lacks is KEY_UNTYPABLE with its place, and hides a secret', () => {
  expect(() => strokesOf('aß', layoutOf('us'), false)).toThrow(/KEY_UNTYPABLE[^]*character 2[^]*U\+00DF/);
  expect(() => strokesOf('aß', layoutOf('us'), true)).not.toThrow(/00DF|ß/);
  expect(() => strokesOf('aß', layoutOf('us'), true)).toThrow(/KEY_UNTYPABLE/);
  expect(() => strokesOf('aß', layoutOf('de'), false)).not.toThrow();
});

test('a chord goes by the key that the layout has for its character', () => {
  const codes = (keys: string, name: string) =>
    chordStrokes(keys, false, layoutOf(name)).map(({ held, key }) => [
      ...held.map(({ scanCode }) => scanCode),
      key.scanCode,
    ]);
  expect(codes('Control+a', 'us')).toEqual([[0x1d, 0x1e]]);
  expect(codes('Control+a', 'fr')).toEqual([[0x1d, 0x10]]);
  expect(codes('Control+Shift+T', 'de')).toEqual([[0x1d, 0x2a, 0x14]]);
  expect(codes('@', 'de')).toEqual([[0xb8, 0x10]]);
  expect(codes('^', 'de')).toEqual([[0x29], [0x39]]);
  expect(codes('Super', 'us')).toEqual([[0xdb]]);
  expect(codes('ArrowDown', 'us')).toEqual([[0xd0]]);
});

test('Windows has dead keys where X11 has none', () => {
  const presses = (os: 'linux' | 'windows') =>
    layoutOf('fr', os)
      .pressesOf('~')
      ?.map(({ scanCode }) => scanCode);
  expect(presses('linux')).toEqual([0x03]);
  expect(presses('windows')).toEqual([0x03, 0x39]);
});

test('layouts: the matrix names all of them, an unknown name lists them, one of your own can be defined', () => {
  const row = {
    name: 'vm',
    vm: 100,
    os: 'linux',
    desktop: 'openbox',
    session: 'x11',
    family: 'f',
    user: 'u',
    secrets: { password: 'PASSWORD' },
    hardware: { vga: 'std' },
    application: { title: 't', path: '/t', process: 't' },
  } as const;
  for (const name of layoutNames) {
    const keyboardLayout = name as 'us';
    expect(defineMatrix([{ ...row, keyboardLayout }])[0]?.keyboardLayout).toBe(name);
  }
  expect(defineMatrix([row])[0]?.keyboardLayout).toBe('us');
  expect(() => defineMatrix([{ ...row, keyboardLayout: 'xx' as 'us' }])).toThrow(/field keyboardLayout/);
  expect(() => layoutOf('xx')).toThrow(/LAYOUT_UNKNOWN[^]*us, gb, de, fr, es/);
  const own = { name: 'own', digits: '', upper: 'ж', home: '', lower: '' };
  expect(defineLayout(own).pressesOf('Ж')).toEqual([
    { scanCode: 0x10, keysym: 0x01000416, shift: true, altGr: false },
  ]);
  expect(() => defineLayout({ ...own, extra: '<> |' })).toThrow(RangeError);
});

test('rule 4: Xvnc says that it takes scan codes', async ({ folder, started }) => {
  const socket = join(folder, 'vnc');
  const { peer } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  started.push(peer);
  const connection = await RfbConnection.open(await connectTcp({ path: socket }, 'peer'), {
    subject: 'peer',
  });
  expect(connection.extendedKeys).toBe(true);
  connection.close();
});
