import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { createScreenReader, findText, locateText, lookFor } from '../../fixtures/vision/index.ts';
import { connectTcp, VncPage } from '../../fixtures/vnc/index.ts';
import { requirePeer } from '../support/peers.ts';
import { Peer } from '../vnc/support/peers.ts';

const LINES = [
  'GNU GRUB version 2.06-13+deb12u1',
  'Started systemd-logind.service - User Login Management.',
  'Starting NetworkManager-wait-online.service',
  'Failed to start harbor-chat.service',
  'Last login: Sat Nov 21 13:39:31 UTC 2026',
  'The quick brown fox jumps over the lazy dog',
  'error: package libfoo-1.2.3-4.x86_64 conflicts with bar',
  '/usr/lib/modules/6.14.0/kernel/drivers/gpu/drm/i915.ko',
  'Unable to mount root fs',
];

test('a text console in QEMU, 720x400 in the font of the VGA: its lines are located, at most two are doubted, one wrong letter is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vmw-console-'));
  const disk = join(folder, 'disk');
  await writeFile(disk, bootSector(`${LINES.join('\r\n')}\r\nEnd of text\r\n`));
  const socket = join(folder, 'vnc');
  const machine = new Peer(requirePeer(test, 'qemu-system-x86_64'), [
    ...['-accel', 'tcg', '-m', '16', '-nodefaults', '-vga', 'std', '-vnc', `unix:${socket}`],
    ...['-drive', `file=${disk},format=raw,if=ide`],
  ]);
  try {
    await machine.untilExists(socket);
    const page = await VncPage.connect({
      name: 'peer',
      open: async () => ({ stream: await connectTcp({ path: socket }, 'peer') }),
    });
    try {
      const reader = createScreenReader();
      const map = await page.until(
        async (frame) => {
          const seen = await reader.read(frame);
          return locateText(seen, 'End of text').length > 0 ? seen : undefined;
        },
        { timeout: 60_000 },
      );
      expect([map.width, map.height]).toEqual([720, 400]);
      const read = map.lines.map(({ text }) => text).join('\n');
      expect(
        LINES.filter((line) => lookFor(map, line).kind === 'absent'),
        read,
      ).toEqual([]);
      expect(LINES.filter((line) => locateText(map, line).length !== 1).length, read).toBeLessThanOrEqual(2);
      const decoys = LINES.flatMap((line) =>
        [...line.matchAll(/[bdehkmqrtwx]/g)].map(
          ({ index }) => `${line.slice(0, index)}${line[index] === 'a' ? 'e' : 'a'}${line.slice(index + 1)}`,
        ),
      );
      expect(decoys.length).toBeGreaterThan(40);
      expect(decoys.filter((decoy) => findText(map, decoy).length > 0)).toEqual([]);
    } finally {
      await page.close();
    }
  } finally {
    await machine.stop();
  }
});

/** Prints the text through the BIOS and halts, the cursor off. */
function bootSector(text: string): Buffer {
  const code = [
    ...[0xfc, 0x31, 0xc0, 0x8e, 0xd8], // cld; xor ax, ax; mov ds, ax
    ...[0xb8, 0x03, 0x00, 0xcd, 0x10], // mov ax, 3: text mode, an empty screen; int 10h
    ...[0xb4, 0x01, 0xb5, 0x20, 0xcd, 0x10], // mov ah, 1; mov ch, 20h: no cursor; int 10h
  ];
  const loop = [
    ...[0xac, 0x84, 0xc0, 0x74, 0x09], // lodsb; test al, al; jz halt
    ...[0xb4, 0x0e, 0x31, 0xdb, 0xcd, 0x10], // mov ah, 0eh: print; xor bx, bx; int 10h
    ...[0xeb, 0xf3, 0x90], // jmp lodsb; nop
    ...[0xfa, 0xf4], // halt: cli; hlt
  ];
  const at = 0x7c00 + code.length + 3 + loop.length;
  const sector = Buffer.alloc(512);
  Buffer.from([...code, 0xbe, at & 0xff, at >> 8, ...loop]).copy(sector); // mov si, text
  sector.write(`${text}\0`, at - 0x7c00, 'latin1');
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
