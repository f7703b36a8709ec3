/**
 * Reads a screen with the code of a checkout, in a process of its own, and looks for each of some texts on it as if it
 * had never seen it; prints what it took, as JSON.
 *
 *     node --import tsx bench/support/first-look.ts CHECKOUT SCREEN.png ROUNDS '["text", ...]'
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as frames from '../../fixtures/image/frame.ts';
import type * as detecting from '../../fixtures/vision/ocr/detect.ts';
import type * as reading from '../../fixtures/vision/ocr/reader.ts';
import type * as networks from '../../fixtures/vision/ocr/network-lines.ts';
import type * as recognising from '../../fixtures/vision/ocr/recognise.ts';
import type * as candidates from '../../fixtures/vision/text/candidates.ts';

/** Of the fastest round, milliseconds. */
export interface FirstLook {
  readonly whole: number;
  /** Finding where lines are. */
  readonly detect: number;
  /** Processor time of all threads, which other work on the machine changes less than the clock. */
  readonly cpu: number;
  readonly lines: number;
  /** The largest amount of resident memory, MB. */
  readonly memory: number;
  /** Until one of the texts was found, the mean of all, milliseconds; undefined where a checkout reads all at once. */
  readonly found?: { readonly whole: number; readonly cpu: number; readonly slowest: number };
}

const [root = '', file = '', rounds = '3', texts = '[]'] = process.argv.slice(2);
const load = async <T>(path: string): Promise<T> => (await import(pathToFileURL(join(root, path)).href)) as T;
const { decodeImage } = await load<typeof frames>('fixtures/image/frame.ts');
const { detectLines } = await load<typeof detecting>('fixtures/vision/ocr/detect.ts');
const { recogniseLine } = await load<typeof recognising>('fixtures/vision/ocr/recognise.ts');
const { createScreenReader } = await load<typeof reading>('fixtures/vision/ocr/reader.ts');

/** Undefined where the checkout has no such part. */
const maybe = async <T>(path: string): Promise<T | undefined> =>
  existsSync(join(root, path)) ? load<T>(path) : undefined;
const tiles = await maybe<typeof networks>('fixtures/vision/ocr/network-lines.ts');
const first = await maybe<typeof candidates>('fixtures/vision/text/candidates.ts');

const screen = await decodeImage(readFileSync(file), file);
const looks: FirstLook[] = [];
for (let round = 0; round < Number(rounds); round++) {
  let detect = 0;
  const reader = createScreenReader({
    async detect(frame) {
      const start = performance.now();
      // Nothing is remembered of the round before.
      const boxes = await detectLines(frame, tiles && ((tile) => tiles.networkLines(tile)));
      detect += performance.now() - start;
      return boxes;
    },
    recognise: recogniseLine,
  });
  const [start, used] = [performance.now(), process.cpuUsage()];
  const { lines } = await reader.read(screen);
  const { user, system } = process.cpuUsage(used);
  looks.push({
    whole: performance.now() - start,
    detect,
    cpu: (user + system) / 1000,
    lines: lines.length,
    memory: process.resourceUsage().maxRSS / 1024,
  });
}
const searches: { readonly whole: number; readonly cpu: number }[] = [];
for (const text of first === undefined ? [] : (JSON.parse(texts) as string[])) {
  const reader = createScreenReader({
    detect: (frame) => detectLines(frame, tiles && ((tile) => tiles.networkLines(tile))),
    recognise: recogniseLine,
  });
  const [start, used] = [performance.now(), process.cpuUsage()];
  await reader.read(screen, first?.wantedBy(text));
  const { user, system } = process.cpuUsage(used);
  searches.push({ whole: performance.now() - start, cpu: (user + system) / 1000 });
}
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const found = {
  whole: mean(searches.map(({ whole }) => whole)),
  cpu: mean(searches.map(({ cpu }) => cpu)),
  slowest: Math.max(...searches.map(({ whole }) => whole)),
};
const fastest = looks.reduce((one, other) => (other.whole < one.whole ? other : one));
const memory = Math.max(...looks.map((look) => look.memory));
const answer: FirstLook = { ...fastest, memory, ...(searches.length > 0 && { found }) };
process.stdout.write(JSON.stringify(answer));
