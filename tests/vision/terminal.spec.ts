import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { createScreenReader, locateText, lookFor, type TextMap } from '../../fixtures/vision/index.ts';
import { connectTcp, VncPage } from '../../fixtures/vnc/index.ts';
import { requirePeer } from '../support/peers.ts';
import { Peer, startXvnc } from '../vnc/support/peers.ts';
import { bare } from './support/truth.ts';

const LINES = [
  'root@debian:~# systemctl status ssh.service',
  'Loaded: loaded (/lib/systemd/system/ssh.service; enabled)',
  'Active: active (running) since Mon 2025-02-03 10:11:12 UTC',
  'Filesystem      Size  Used Avail Use% Mounted on',
  '/dev/sda1        20G  5.3G   14G  29% /',
  'E: Unable to locate package qemu-guest',
  'Permission denied (publickey,password).',
  'Do you want to continue? [Y/n]',
  'Setting up openssh-server (1:9.2p1-2+deb12u3) ...',
  'Connection to 10.0.0.17 closed by remote host.',
];
/** Wide spaces, dark and light; the last one is the bitmap font that each X server brings along. */
const STYLES = [
  ['-fa', 'DejaVu Sans Mono', '-fs', '11', '-bg', 'black', '-fg', '#d0d0d0'],
  ['-fa', 'Noto Sans Mono', '-fs', '10', '-bg', '#300a24', '-fg', '#eeeeec'],
  ['-fa', 'DejaVu Sans Mono', '-fs', '13', '-bg', '#fdf6e3', '-fg', '#073642'],
  ['-fn', 'fixed', '-bg', 'black', '-fg', '#d0d0d0'],
];

test('a real terminal, dark and light: 94 % of words are read, no line is said to be absent, 85 % are located for sure', async () => {
  test.slow();
  const socket = join(await mkdtemp(join(tmpdir(), 'vmw-term-')), 'vnc');
  const xterm = requirePeer(test, 'xterm');
  const openbox = requirePeer(test, 'openbox');
  const args = ['-SecurityTypes', 'None', '-geometry', '1280x720'];
  const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, args);
  const env = { ...process.env, DISPLAY: display };
  const manager = new Peer(openbox, [], env);
  const page = await VncPage.connect({
    name: 'peer',
    open: async () => ({ stream: await connectTcp({ path: socket }, 'peer') }),
  });
  const sum = { words: 0, read: 0, lines: 0, located: 0 };
  const missed: string[] = [];
  try {
    for (const [round, style] of STYLES.entries()) {
      const command = `printf '%s\\n' ${LINES.map((line) => `'${line}'`).join(' ')} 'End ${round}'; exec sleep 600`;
      const terminal = new Peer(
        xterm,
        [...style, '-geometry', '80x24+20+20', '-e', 'sh', '-c', command],
        env,
      );
      const reader = createScreenReader();
      let map: TextMap | undefined;
      await page.until(
        async (frame) => {
          map = await reader.read(frame);
          return locateText(map, `End ${round}`).length > 0 ? true : undefined;
        },
        { timeout: 40_000 },
      );
      await terminal.stop();
      const seen = bare(map!.lines.map(({ text }) => text).join(' '));
      for (const word of LINES.flatMap((line) => line.split(/\s+/)).map(bare)) {
        if (word === '') continue;
        sum.words++;
        if (seen.includes(word)) sum.read++;
      }
      for (const line of LINES) {
        sum.lines++;
        if (locateText(map!, line).length > 0) sum.located++;
        else missed.push(`${lookFor(map!, line).kind}: ${line} in ${style.join(' ')}`);
      }
    }
  } finally {
    await page.close();
    await manager.stop();
    await peer.stop();
  }
  await test.info().attach('sums', { body: JSON.stringify({ ...sum, missed }) });
  expect(sum.lines).toBe(STYLES.length * LINES.length);
  expect(sum.read / sum.words).toBeGreaterThanOrEqual(0.94);
  // In fonts of one pitch OCR takes some 1 for l: what it cannot tell is unsure, in both directions.
  expect(missed.filter((line) => !line.startsWith('unsure'))).toEqual([]);
  expect(sum.located / sum.lines, missed.join('\n')).toBeGreaterThanOrEqual(0.85);
});
