/**
 * What the benchmarks share.
 *
 * @module
 */
import type { Frame, Rect } from '../../fixtures/image/frame.ts';

/** Shortest time of a run, in milliseconds, after one that warms up: what else the machine does only adds to it. */
export function fastest(runs: number, action: () => unknown): number {
  action();
  return Math.min(
    ...Array.from({ length: runs }, () => {
      const start = performance.now();
      action();
      return performance.now() - start;
    }),
  );
}

/** As {@link fastest}, of runs one after the other; the first counts too. */
export async function fastestOf(runs: number, action: (run: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await action(run);
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

/** Of two that ran in turns, so that a machine which is slower for a while is so for both. */
export interface Paired {
  /** Shortest times in milliseconds. */
  readonly first: number;
  readonly second: number;
  /** Median of second / first, pair by pair: above 1 the first is faster. */
  readonly ratio: number;
}

/** Neither warms up: the caller has run both. */
export async function paired(rounds: number, first: () => unknown, second: () => unknown): Promise<Paired> {
  const pairs: [number, number][] = [];
  for (let round = 0; round < rounds; round++) pairs.push([await timed(first), await timed(second)]);
  const ratios = pairs.map(([one, other]) => other / one).sort((a, b) => a - b);
  return {
    first: Math.min(...pairs.map(([one]) => one)),
    second: Math.min(...pairs.map(([, other]) => other)),
    ratio: ratios[ratios.length >> 1] ?? Number.NaN,
  };
}

async function timed(action: () => unknown): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

export function milliseconds(time: number): string {
  return `${time.toFixed(1).padStart(8)} ms`;
}

export function ratio(slow: number, fast: number): string {
  return `${(slow / fast).toFixed(1)}x`;
}

/** A coloured picture with structure everywhere, the same at every call; inside `inverted` in negative. */
export function testCard({ width, height }: { width: number; height: number }, inverted?: Rect): Frame {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const ink = ((x >> 3) * 7 + (y >> 4) * 13) % 5 === 0 ? 60 : 220;
      const flip =
        inverted !== undefined &&
        x >= inverted.x &&
        x < inverted.x + inverted.width &&
        y >= inverted.y &&
        y < inverted.y + inverted.height
          ? 255
          : 0;
      data.set([ink ^ flip, ((ink + x / 16) & 255) ^ flip, ((ink + y / 8) & 255) ^ flip, 255], at);
    }
  }
  return { width, height, data };
}
