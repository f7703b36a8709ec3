import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import type { Frame } from '../../fixtures/image/frame.ts';
import { connectTcp, VncPage, type VncPageOptions } from '../../fixtures/vnc/index.ts';
import { capture } from '../../fixtures/vnc/rfb/capture.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { requirePeer } from '../support/peers.ts';
import { Peer, qmp, runX, startXvnc, writtenTo } from './support/peers.ts';
import { BLUE, GREEN, pixel, RED } from './support/server.ts';

const ENCODINGS = { Raw: 0, RRE: 2, Hextile: 5, Zlib: 6, Tight: 7, ZRLE: 16 } as const;
type EncodingName = keyof typeof ENCODINGS;

/** A folder with a short path (UNIX sockets), and processes that end with the test. */
const test = base.extend<{ folder: string; started: Peer[] }>({
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'vmw-vnc-'));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
  started: async ({}, use) => {
    const started: Peer[] = [];
    await use(started);
    for (const peer of started.reverse()) await peer.stop();
  },
});

test.describe.configure({ mode: 'default' });

function pageAt(
  path: string,
  options: Partial<VncPageOptions> & { password?: string } = {},
): Promise<VncPage> {
  const { password, ...rest } = options;
  const open = async () => {
    const stream = await connectTcp({ path }, 'peer');
    return password === undefined ? { stream } : { stream, password };
  };
  return VncPage.connect({ open, name: 'peer', ...rest });
}

/** A picture in one encoding, which the server must really have used. */
async function frameIn(name: EncodingName, path: string, password?: string): Promise<Frame> {
  const stream = await connectTcp({ path }, 'peer');
  const encodings = [ENCODINGS[name]];
  const connection = await RfbConnection.open(stream, { subject: 'peer', encodings, password });
  const frame = await capture(connection, undefined, undefined);
  expect([...connection.encodingsSeen], `encodings of ${name}`).toContain(ENCODINGS[name]);
  connection.close();
  return frame;
}

function colours(frame: Frame): number {
  return new Set(new Uint32Array(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength / 4)).size;
}

test('rule 19: Xvnc: each of its encodings gives the same pixels as Raw, of a busy picture', async ({
  folder,
  started,
}) => {
  const socket = join(folder, 'vnc');
  const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  started.push(peer);
  const program = requirePeer(test, 'xterm');
  const script = [
    'seq 1 300 | tr "\\n" " "',
    'for i in $(seq 16 231); do printf "\\033[48;5;${i}m "; done',
    'printf "\\033[0m"; tput civis; sleep 600',
  ].join('; ');
  started.push(
    new Peer(program, ['-geometry', '90x30+5+5', '-e', 'sh', '-c', script], {
      ...process.env,
      DISPLAY: display,
    }),
  );
  const raw = await pageAt(socket, { encodings: [ENCODINGS.Raw] });
  await raw.until((frame) => (colours(frame) > 200 ? true : undefined), { timeout: 20_000, what: 'xterm' });
  const truth = await raw.waitForStill({ timeout: 20_000 });
  for (const name of ['Raw', 'RRE', 'Hextile', 'Tight', 'ZRLE'] as const) {
    expect(Buffer.compare((await frameIn(name, socket)).data, truth.data), name).toBe(0);
  }
  await raw.close();
});

test('Xvnc: a solid colour is exact, a change is seen, freshness holds over 50 rounds', async ({
  folder,
  started,
}) => {
  const socket = join(folder, 'vnc');
  const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  started.push(peer);
  const program = requirePeer(test, 'xsetroot');
  const page = await pageAt(socket);
  for (let round = 0; round < 50; round++) {
    const [name, colour] = round % 2 ? (['#00ff00', GREEN] as const) : (['#ff0000', RED] as const);
    await runX(display, program, ['-solid', name]);
    const frame = await page.frame();
    expect([pixel(frame, 0, 0), pixel(frame, 639, 479)], `round ${round}`).toEqual([colour, colour]);
  }
  const action = () => runX(display, program, ['-solid', '#0000ff']);
  expect(
    pixel(await page.waitForChange({ action, clip: { x: 600, y: 400, width: 8, height: 8 } }), 0, 0),
  ).toEqual(BLUE);
  await page.close();
});

test('rule 12: Xvnc: a resize in mid-session arrives with a whole picture', async ({ folder, started }) => {
  const socket = join(folder, 'vnc');
  const xrandr = requirePeer(test, 'xrandr');
  const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  started.push(peer);
  const page = await pageAt(socket);
  await runX(display, requirePeer(test, 'xsetroot'), ['-solid', '#00ff00']);
  await runX(display, xrandr, ['--output', 'VNC-0', '--mode', '800x600']);
  const frame = await page.until((shown) => (shown.width === 800 ? shown : undefined), { timeout: 10_000 });
  expect([frame.width, frame.height, page.size.width]).toEqual([800, 600, 800]);
  expect(pixel(await page.frame(), 799, 599)).toEqual(GREEN);
  await page.close();
});

test('Xvnc: typed text arrives exactly, capitals, symbols and accents', async ({ folder, started }) => {
  const socket = join(folder, 'vnc');
  const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  started.push(peer);
  const output = join(folder, 'typed');
  const program = requirePeer(test, 'xterm');
  const args = ['-u8', '-e', 'sh', '-c', `head -n 3 > ${output}; touch ${output}.done; sleep 600`];
  started.push(new Peer(program, args, { ...process.env, DISPLAY: display, LC_ALL: 'C.UTF-8' }));
  const page = await pageAt(socket);
  await page.until((frame) => (colours(frame) > 1 ? true : undefined), { timeout: 20_000, what: 'xterm' });
  await page.mouse.move(60, 60); // without a window manager the pointer gives the focus
  await page.waitForStill({ timeout: 20_000, ignore: [{ x: 0, y: 0, width: 40, height: 40 }] });
  const text = 'The quick brown fox 0123456789\n~!@#$%^&*()_+{}|:"<>?`-=[]\\;\',./\nÀ la café, Ünïcode\n';
  await page.keyboard.type(text);
  expect(await writtenTo(output)).toBe(text);
  await page.close();
});

test('Xvnc killed in mid-wait: the error names what was lost within seconds', async ({ folder, started }) => {
  const socket = join(folder, 'vnc');
  const { peer } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  started.push(peer);
  const page = await pageAt(socket);
  const waiting = page.until(() => undefined, { timeout: 60_000 });
  waiting.catch(() => undefined);
  const killed = performance.now();
  await peer.stop();
  await expect(waiting).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST', subject: 'peer' });
  expect(performance.now() - killed).toBeLessThan(5000);
  await page.close();
});

test('x11vnc: password, pixels, every encoding', async ({ folder, started }) => {
  const socket = join(folder, 'vnc');
  const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  started.push(peer);
  await runX(display, requirePeer(test, 'xsetroot'), ['-solid', '#ff0000']);
  const program = requirePeer(test, 'x11vnc');
  const second = new Peer(program, [
    ...['-display', display, '-rfbport', '0', '-unixsock', `${socket}2`, '-passwd', 'pw-x11'],
    ...['-forever', '-shared', '-noxdamage', '-nolookup'],
  ]);
  started.push(second);
  await second.untilExists(`${socket}2`);
  const page = await pageAt(`${socket}2`, { password: 'pw-x11' });
  expect(pixel(await page.frame(), 320, 240)).toEqual(RED);
  for (const name of ['Raw', 'RRE', 'Hextile', 'Zlib', 'Tight', 'ZRLE'] as const) {
    expect(pixel(await frameIn(name, `${socket}2`, 'pw-x11'), 100, 100), name).toEqual(RED);
  }
  await page.close();
  const wrong = pageAt(`${socket}2`, { password: 'wrong' });
  await expect(wrong).rejects.toMatchObject({ code: 'VNC_AUTH_FAILED' });
});

test.describe('QEMU', () => {
  test.describe.configure({ timeout: 120_000 });

  async function startQemu(folder: string, started: Peer[]) {
    const [vnc, control] = [join(folder, 'q.vnc'), join(folder, 'q.qmp')];
    const machine = new Peer(requirePeer(test, 'qemu-system-x86_64'), [
      ...['-accel', 'tcg', '-nodefaults', '-vga', 'std', '-display', 'none', '-m', '64', '-name', 'lab-vm'],
      ...['-vnc', `unix:${vnc},password=on`, '-qmp', `unix:${control},server=on,wait=off`],
    ]);
    started.push(machine);
    await machine.untilExists(control);
    await machine.untilExists(vnc);
    const allow = (password: string) =>
      qmp(
        control,
        { execute: 'set_password', arguments: { protocol: 'vnc', password } },
        { execute: 'expire_password', arguments: { protocol: 'vnc', time: '+30' } },
      );
    return { vnc, control, machine, allow };
  }

  test('the firmware screen in each of its encodings, after VNC authentication', async ({
    folder,
    started,
  }) => {
    const { vnc, control, allow } = await startQemu(folder, started);
    await allow('pw-qemu1');
    const raw = await pageAt(vnc, { password: 'pw-qemu1', encodings: [ENCODINGS.Raw], timeoutScale: 5 });
    expect(raw.serverName).toBe('QEMU (lab-vm)');
    await raw.until((frame) => (frame.width === 720 && colours(frame) > 1 ? true : undefined), {
      timeout: 60_000,
    });
    await qmp(control, { execute: 'stop' }); // the firmware's caret blinks
    const truth = await raw.frame();
    for (const name of ['Raw', 'Hextile', 'Zlib', 'Tight', 'ZRLE'] as const) {
      await allow('pw-qemu1');
      const frame = await frameIn(name, vnc, 'pw-qemu1');
      expect(Buffer.compare(frame.data, truth.data), name).toBe(0);
    }
    await raw.close();
  });

  test('a wrong password, and a machine that is killed, have their errors', async ({ folder, started }) => {
    const { vnc, machine, allow } = await startQemu(folder, started);
    await allow('pw-qemu1');
    const wrong = pageAt(vnc, { password: 'other' });
    await expect(wrong).rejects.toMatchObject({ code: 'VNC_AUTH_FAILED' });
    await expect(wrong).rejects.toThrow(/Authentication failed/);
    const page = await pageAt(vnc, { password: 'pw-qemu1' });
    const typing = page.keyboard.type('x'.repeat(1000));
    typing.catch(() => undefined);
    await machine.stop();
    await expect(typing).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST', subject: 'peer' });
    await expect(page.frame()).rejects.toMatchObject({ code: 'VNC_CONNECTION_LOST' });
    await page.close();
  });

  test('a paused machine is not a lost one', async ({ folder, started }) => {
    const { vnc, control, allow } = await startQemu(folder, started);
    await allow('pw-qemu1');
    const page = await pageAt(vnc, { password: 'pw-qemu1', timeoutScale: 1 });
    await qmp(control, { execute: 'stop' });
    const waiting = page.until(() => undefined, { timeout: 6000 });
    await expect(waiting).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    await page.close();
  });
});
