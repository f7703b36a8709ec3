/**
 * The summary of a run of 200 machines, 100 steps and 3 shards, merged from blobs: time in the reporter, and the whole
 * merge against merges with Playwright's own reporters. Prints ratios; below 1 the summary is faster.
 *
 *     node --import tsx bench/summary.ts
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../tests/support/runner.ts';
import { PLAYWRIGHT, writeBlobs } from './support/blobs.ts';
import { fastestOf, milliseconds } from './support/measure.ts';

const SIZE = { hosts: 200, steps: 100, shards: 3 };
const RUNS = 3;

const folder = mkdtempSync(join(tmpdir(), 'vmwright-bench-'));

function merge(reporter: string): string {
  return execFileSync(
    process.execPath,
    [PLAYWRIGHT, 'merge-reports', `--config=${reporter}.config.ts`, 'blobs'],
    {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      env: { ...process.env, NO_COLOR: '1' },
    },
  );
}

try {
  writeBlobs(folder, SIZE);
  const reporters = {
    none: `[['${join(folder, 'none.ts')}']]`,
    json: `[['json', { outputFile: 'report.json' }]]`,
    html: `[['html', { open: 'never' }]]`,
    summary: `[['${ROOT}/bench/support/timed-reporter.ts']]`,
  };
  writeFileSync(join(folder, 'none.ts'), 'export default class { printsToStdio() { return true; } }');
  for (const [name, value] of Object.entries(reporters))
    writeFileSync(join(folder, `${name}.config.ts`), `export default { reporter: ${value} };`);
  process.stdout.write(`${SIZE.hosts} machines, ${SIZE.steps} steps each, ${SIZE.shards} shards\n`);
  const times = new Map<string, number>();
  let inside = Infinity;
  let rss = 0;
  for (const name of Object.keys(reporters)) {
    const time = await fastestOf(RUNS, () => {
      const output = merge(name);
      const timed = /^TIMED (.*)$/m.exec(output)?.[1];
      if (timed !== undefined) {
        const { ms, maxRssKb } = JSON.parse(timed) as { ms: number; maxRssKb: number };
        inside = Math.min(inside, ms);
        rss = Math.max(rss, maxRssKb);
      }
      return Promise.resolve();
    });
    times.set(name, time);
    process.stdout.write(`merge-reports, ${name.padEnd(8)} ${milliseconds(time)}\n`);
  }
  const base = times.get('none') ?? 0;
  const own = (name: string): number => Math.max(1, (times.get(name) ?? 0) - base);
  const document = JSON.parse(readFileSync(join(folder, 'test-results/summary/summary.json'), 'utf8')) as {
    summary: { passed: number };
  };
  if (document.summary.passed !== SIZE.hosts)
    throw new Error(`the summary has ${document.summary.passed} passed`);
  process.stdout.write(`time in the reporter     ${milliseconds(inside)}\n`);
  process.stdout.write(`largest size of its process ${(rss / 1024).toFixed(0)} MiB\n`);
  for (const peer of ['json', 'html'])
    process.stdout.write(`summary / ${peer}: ${(own('summary') / own(peer)).toFixed(2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
