import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connectTcp, VncPage } from '../../fixtures/vnc/index.ts';
import { requirePeer } from '../support/peers.ts';
import { runX, startXvnc } from './support/peers.ts';
import { pixel } from './support/server.ts';
import { rounds, SOAK } from '../support/soak.ts';

/** A thousand is what a release is measured with. */
const ROUNDS = rounds(100, 2000);

test('rule 11: change, then capture, on Xvnc: never a stale picture, watched or not', SOAK, async () => {
  test.setTimeout(60_000 + ROUNDS * 200);
  const folder = await mkdtemp(join(tmpdir(), 'vmw-fresh-'));
  const socket = join(folder, 'vnc');
  const program = requirePeer(test, 'xsetroot');
  const { peer, display } = await startXvnc(requirePeer(test, 'Xvnc'), socket, ['-SecurityTypes', 'None']);
  const page = await VncPage.connect({
    name: 'peer',
    open: async () => ({ stream: await connectTcp({ path: socket }, 'peer') }),
  });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const colour = [round & 255, (round * 7) & 255, (round >> 8) & 255] as const;
      const hex = colour.map((part) => part.toString(16).padStart(2, '0')).join('');
      const stop = round % 2 === 0 ? page.onDirty(() => undefined) : () => undefined;
      await runX(display, program, ['-solid', `#${hex}`]);
      const frame = await page.frame();
      expect([pixel(frame, 0, 0), pixel(frame, 639, 479)], `round ${round}`).toEqual([colour, colour]);
      stop();
    }
  } finally {
    await page.close();
    await peer.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
