/**
 * Finding a needle on a real desktop of 1920x1080, against os-autoinst's search of the whole screen for the same part of
 * the same pictures where it is installed (Debian's os-autoinst, or OS_AUTOINST=<folder with consoles/>). It knows one
 * scale; the ratio of the seven that vmwright tries is to that one search, too.
 *
 *     node --import tsx bench/needle.ts [SCREEN.png]
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crop, decodeImage, describe, encodePng, type Frame, type Rect } from '../fixtures/image/frame.ts';
import { needleFrom } from '../fixtures/vision/needle/needle.ts';
import { findNeedle, nearMiss } from '../fixtures/vision/needle/search.ts';
import { fastest, milliseconds, ratio } from './support/measure.ts';

const OS_AUTOINST = process.env.OS_AUTOINST ?? '/usr/lib/os-autoinst';
const PEER_ROUNDS = 5;
const file = process.argv[2] ?? join(import.meta.dirname, '../tests/vision/screens/settings-light-1920.png');
const screen = await decodeImage(readFileSync(file), file);
const without = (rect: Rect): Frame => {
  const data = Uint8Array.from(screen.data);
  for (let y = rect.y; y < rect.y + rect.height; y++)
    data.fill(245, (y * screen.width + rect.x) * 4, (y * screen.width + rect.x + rect.width) * 4);
  return { ...screen, data };
};

for (const rect of [
  { x: 765, y: 66, width: 48, height: 48 },
  { x: 1000, y: 90, width: 100, height: 40 },
  { x: 40, y: 380, width: 240, height: 120 },
  { x: 700, y: 300, width: 600, height: 400 },
]) {
  const needle = needleFrom(crop(screen, rect), 'needle.png');
  const empty = without(rect);
  const peer = await peerTimes(rect, [screen, empty]);
  const row = (what: string, time: number, theirs: number | undefined): void => {
    const compared =
      theirs === undefined ? '' : `  os-autoinst ${milliseconds(theirs)}  ${ratio(theirs, time)}`;
    console.log(`${describe(rect).padEnd(20)} ${what.padEnd(28)} ${milliseconds(time)}${compared}`);
  };
  row(
    'there',
    fastest(9, () => findNeedle(screen, needle)),
    peer?.[0],
  );
  row(
    'not there, own scale',
    fastest(9, () => findNeedle(empty, needle, { scales: [1] })),
    peer?.[1],
  );
  row(
    'not there, seven scales',
    fastest(3, () => findNeedle(empty, needle)),
    peer?.[1],
  );
  row(
    'near miss',
    fastest(3, () => nearMiss(empty, needle)),
    peer?.[1],
  );
}
if (!existsSync(OS_AUTOINST)) console.log(`os-autoinst is not in ${OS_AUTOINST}: nothing to compare with`);

/** Milliseconds of os-autoinst on each of the screens; undefined where it is not installed. */
async function peerTimes(rect: Rect, screens: readonly Frame[]): Promise<number[] | undefined> {
  if (!existsSync(OS_AUTOINST)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'vmwright-bench-'));
  try {
    const files = screens.map((_, at) => join(folder, `${at}.png`));
    for (const [at, frame] of screens.entries()) writeFileSync(files[at] ?? '', await encodePng(frame));
    const script = join(import.meta.dirname, 'support/os-autoinst-search.pl');
    const { x, y, width, height } = rect;
    const words = [PEER_ROUNDS, files[0], x, y, width, height, ...files].map(String);
    const output = execFileSync('perl', [`-I${OS_AUTOINST}`, script, ...words], { encoding: 'utf8' });
    return output
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]) * 1000);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
