import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { decodeImage, type Frame } from '../../fixtures/image/frame.ts';
import { createScreenReader, findText, locateText, lookFor } from '../../fixtures/vision/index.ts';
import { isBitmapFont, withoutNeighbours } from '../../fixtures/vision/ocr/bitmap-font.ts';

/** What xterm showed, in X11's fonts of these names. */
const LINES = [
  'Fedora Linux 42 (Workstation Edition) kernel 6.14.0-63',
  '[root@host ~]# systemctl status harbor-chat.service',
  'Active: active (running) since Sat 2026-11-21 13:39:31 UTC',
  'Main PID: 4711 (harbor-chat) Tasks: 18 Memory: 120.4M',
  'The quick brown fox jumps over the lazy dog 0123456789',
  'error: package libfoo-1.2.3-4.x86_64 conflicts with bar',
  'Installed: nodejs 20.20.2, electron 31, playwright 1.65',
  'Welcome back, Alice! You have 3 unread messages today.',
  '/usr/lib/modules/6.14.0/kernel/drivers/gpu/drm/i915.ko',
  'Transaction test succeeded. Running transaction now.',
];

for (const font of ['6x10', '7x13']) {
  test(`a terminal in the bitmap font ${font}: nearly every line is located, where it is, and none is taken for absent; none with one wrong letter`, async () => {
    const file = join(import.meta.dirname, 'screens', `bitmap-${font}.png`);
    const map = await createScreenReader().read(await decodeImage(readFileSync(file), font));
    const read = map.lines.map(({ text }) => text).join('\n');
    const pitch = Number(font.split('x')[1]);
    let unsure = 0;
    for (const [row, line] of LINES.entries()) {
      expect(lookFor(map, line).kind, `${line} in\n${read}`).not.toBe('absent');
      const [hit, ...others] = locateText(map, line);
      if (hit === undefined) {
        unsure++;
        continue;
      }
      expect(others, line).toEqual([]);
      const middle = hit.box.y + hit.box.height / 2;
      expect(middle, `${line} in\n${read}`).toBeGreaterThan(21 + row * pitch);
      expect(middle, line).toBeLessThan(23 + (row + 1) * pitch);
    }
    expect(unsure, read).toBeLessThanOrEqual(4);
    const decoys = LINES.flatMap((line) =>
      [...line.matchAll(/[a-hj-np-rt-z]/gi)].map(
        ({ 0: letter, index }) =>
          `${line.slice(0, index)}${letter.toLowerCase() === 'a' ? 'e' : 'a'}${line.slice(index + 1)}`,
      ),
    );
    expect(decoys.length).toBeGreaterThan(250);
    expect(decoys.filter((decoy) => findText(map, decoy).length > 0)).toEqual([]);
  });
}

test('hard edges make a bitmap font, many shades do not, and a plain picture is none', () => {
  expect(isBitmapFont(drawn(['..#..', '.#.#.', '..#..']))).toBe(true);
  expect(isBitmapFont(drawn(['..#..', '.g.r.', '..#..']))).toBe(true);
  expect(isBitmapFont(drawn(['12345', '67.89', 'abcde']))).toBe(false);
  expect(isBitmapFont(drawn(['.....', '.....']))).toBe(false);
  // A plate of another colour is no letter.
  expect(isBitmapFont(drawn(['...BBBBBBBB', '...B123456B', '...BBBBBBBB']))).toBe(false);
});

test('what the lines above and below reach in with is painted over, a letter that reaches the edge is not', () => {
  const line = [
    '.#...#..',
    '##...#..',
    '...#.#..',
    '..##.#..',
    '...#.#..',
    '...#.#..',
    '.....#..',
    'g....#.r',
    '.g...#.r',
  ];
  expect(letters(withoutNeighbours(drawn(line)))).toEqual([
    '.....#..',
    '.....#..',
    '...#.#..',
    '..##.#..',
    '...#.#..',
    '...#.#..',
    '.....#..',
    '.....#..',
    '.....#..',
  ]);
});

/** A pixel a character, each of its own colour; the ground is a dot. */
function drawn(rows: readonly string[]): Frame {
  const width = rows[0]?.length ?? 0;
  const data = Uint8Array.from(rows.join(''), (letter) => letter.charCodeAt(0));
  const rgba = Uint8Array.from({ length: data.length * 4 }, (_, at) =>
    at % 4 === 3 ? 255 : (data[at >> 2] ?? 0),
  );
  return { width, height: rows.length, data: rgba };
}

function letters({ width, height, data }: Frame): string[] {
  const all = String.fromCharCode(...data.filter((_, at) => at % 4 === 0));
  return Array.from({ length: height }, (_, row) => all.slice(row * width, (row + 1) * width));
}
