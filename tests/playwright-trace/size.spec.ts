/**
 * A test that says more than a trace holds.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { MOST_BYTES } from '../../fixtures/playwright-trace/writer.ts';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { ROOT } from '../support/runner.ts';

const SPEC = `
import { randomBytes } from 'node:crypto';
import { exchanged } from '${ROOT}/fixtures/wire/index.ts';
test('talks', async ({ vncPage }) => {
  await vncPage.keyboard.press('Escape');
  const before = process.memoryUsage().rss;
  for (let call = 0; call < 4400; call++) {
    const answer = randomBytes(8000).toString('hex');
    exchanged(() => ({ wire: 'ssh', method: 'EXEC', url: 'ssh://fedora42', startedAt: performance.now(), durationMs: 1, status: 0, statusText: '', request: 'call ' + call, answer }));
    if (call % 50 === 0) await new Promise((done) => setTimeout(done, 20));
  }
  console.log('GREW ' + Math.round((process.memoryUsage().rss - before) / 1048576) + ' MiB');
  await test.step('after that', () => vncPage.keyboard.press('Escape'));
});
test.afterEach(() => { ended = performance.now(); });
test.afterAll(() => console.log('WROTE IN ' + Math.round(performance.now() - ended) + ' ms'));
let ended = 0;`;

interface Line {
  readonly type: string;
  readonly callId: string;
}

test('a trace ends at 64 MiB with a note, in bounded time and memory, and the test passes', async ({}, info) => {
  test.setTimeout(300_000);
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const folder = info.outputPath('project');
    const run = await runOnLab(lab, folder, {
      spec: SPEC,
      config: `use: { trace: 'on' }, timeout: 200_000,`,
      reporters: [['json', { outputFile: 'report.json' }]],
    });
    expect(run.output).toContain('1 passed');
    expect(readFileSync(join(folder, 'report.json'), 'utf8')).toContain(
      'the trace of the screen ends early: it holds no more than 64 MiB',
    );
    const artifacts = join(folder, 'test-results/artifacts');
    const [trace = ''] = readdirSync(artifacts, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('trace.zip'),
    );
    const files = unzipSync(readFileSync(join(artifacts, trace)));
    const own = Object.entries(files).filter(
      ([name]) => name.startsWith('resources/') || name === '0-trace.trace',
    );
    const bytes = own.reduce((sum, [, { length }]) => sum + length, 0);
    expect(bytes).toBeGreaterThan(MOST_BYTES * 0.9);
    expect(bytes).toBeLessThan(MOST_BYTES * 1.01);
    expect(statSync(join(artifacts, trace)).size).toBeLessThan(MOST_BYTES * 1.01);
    // What began has ended.
    const lines = Buffer.from(files['0-trace.trace'] ?? [])
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const ids = (type: string) => lines.filter((line) => line.type === type).map(({ callId }) => callId);
    expect(ids('before').length).toBeGreaterThan(0);
    expect(ids('after')).toEqual(expect.arrayContaining(ids('before')));
    const number = (pattern: RegExp): number => Number(pattern.exec(run.output)?.[1] ?? Number.NaN);
    expect(number(/GREW (\d+) MiB/)).toBeLessThan(200);
    expect(number(/WROTE IN (\d+) ms/)).toBeLessThan(60_000);
  } finally {
    await lab.stop();
  }
});
