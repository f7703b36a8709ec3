/**
 * How soon a change of the screen is noticed: waiting on events against polling, on the same screen in the same run.
 *
 *     node --import tsx bench/waiting.ts
 *
 * A simulated server changes colour at random moments. One waiter is `waitForChange`, the others take a picture each
 * 100 ms and each second, as tools do that poll. Prints the median and worst latency of each, and the ratios.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { VncPage } from '../fixtures/vnc/index.ts';
import { rawRect, ScriptedServer, update, type Colour } from '../tests/vnc/support/server.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 12);
const SIZE = { width: 1280, height: 800 };
const RED: Colour = [200, 30, 30];
const GREEN: Colour = [30, 200, 30];
/** Between a waiter's start and the change: longer than any poll, and never in step with one. */
const [LEAST_WAIT_MS, SPREAD_MS] = [1000, 1000];

type Waiter = (page: VncPage) => Promise<unknown>;

const waiters: Record<string, Waiter> = {
  'on events': (page) => page.waitForChange({ timeout: 20_000 }),
  'each 100 ms': (page) => polling(page, 100),
  'each 1000 ms': (page) => polling(page, 1000),
};

async function polling(page: VncPage, everyMs: number): Promise<void> {
  const before = await page.frame();
  for (;;) {
    await sleep(everyMs);
    const frame = await page.frame();
    if (Buffer.compare(before.data, frame.data) !== 0) return;
  }
}

async function latencies(wait: Waiter): Promise<number[]> {
  let colour = RED;
  const server = new ScriptedServer({
    ...SIZE,
    onRequest: (rect, incremental, to) => {
      if (!incremental) to.send(update(rawRect(rect, colour)));
    },
  });
  const page = await VncPage.connect({ open: server.open, name: 'bench' });
  const all: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const waiting = wait(page);
    await sleep(LEAST_WAIT_MS + Math.random() * SPREAD_MS);
    colour = colour === RED ? GREEN : RED;
    const changedAt = performance.now();
    server.send(update(rawRect({ x: 100, y: 100, width: 64, height: 64 }, colour)));
    await waiting;
    all.push(performance.now() - changedAt);
  }
  await page.close();
  return all.sort((a, b) => a - b);
}

const median = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] ?? NaN;
const results = new Map<string, readonly number[]>();
for (const [name, wait] of Object.entries(waiters)) results.set(name, await latencies(wait));

const best = median(results.get('on events') ?? []);
console.log(`change to waiter, ${ROUNDS} rounds at ${SIZE.width}x${SIZE.height}`);
for (const [name, all] of results) {
  const [middle, worst] = [median(all), all.at(-1) ?? NaN];
  console.log(
    `${name.padEnd(13)} median ${middle.toFixed(1).padStart(7)} ms  worst ${worst.toFixed(1).padStart(7)} ms` +
      `  ${(middle / best).toFixed(1)}x`,
  );
}
