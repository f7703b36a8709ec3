/**
 * Reads screens with the code of a checkout, in a process of its own, and prints what it took, as JSON.
 *
 *     node --import tsx bench/support/first-look.ts CHECKOUT SCREEN.png ROUNDS
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as frames from '../../fixtures/image/frame.ts';
import type * as detecting from '../../fixtures/vision/ocr/detect.ts';
import type * as reading from '../../fixtures/vision/ocr/reader.ts';
import type * as recognising from '../../fixtures/vision/ocr/recognise.ts';

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
}

const [root = '', file = '', rounds = '3'] = process.argv.slice(2);
const load = async <T>(path: string): Promise<T> => (await import(pathToFileURL(join(root, path)).href)) as T;
const { decodeImage } = await load<typeof frames>('fixtures/image/frame.ts');
const { detectLines } = await load<typeof detecting>('fixtures/vision/ocr/detect.ts');
const { recogniseLine } = await load<typeof recognising>('fixtures/vision/ocr/recognise.ts');
const { createScreenReader } = await load<typeof reading>('fixtures/vision/ocr/reader.ts');

const screen = await decodeImage(readFileSync(file), file);
const looks: FirstLook[] = [];
for (let round = 0; round < Number(rounds); round++) {
  let detect = 0;
  const reader = createScreenReader({
    async detect(frame) {
      const start = performance.now();
      const boxes = await detectLines(frame);
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
const fastest = looks.reduce((one, other) => (other.whole < one.whole ? other : one));
const memory = Math.max(...looks.map((look) => look.memory));
process.stdout.write(JSON.stringify({ ...fastest, memory } satisfies FirstLook));
