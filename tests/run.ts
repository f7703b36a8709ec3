/**
 * `npm test`: every suite one after the other, and the sums as the last line.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './support/runner.ts';
import type { Totals } from './support/totals-reporter.ts';

const folder = mkdtempSync(join(tmpdir(), 'vmwright-totals-'));
const totalsFile = join(folder, 'totals.jsonl');

function run(title: string, args: readonly string[]): boolean {
  process.stdout.write(`\n== ${title}: ${args.join(' ')}\n`);
  const { status } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...withoutCluster(), VMWRIGHT_TOTALS: totalsFile },
  });
  return status === 0;
}

/** The tests are about vmwright, on its own lab, whatever cluster the environment or .env names. */
function withoutCluster(): NodeJS.ProcessEnv {
  return { ...process.env, PROXMOX_HOST: '' };
}

const playwright = join(ROOT, 'node_modules/@playwright/test/cli.js');
const steps = [
  // Elsewhere the real guest is left out, with its reason, until somebody builds it.
  ...(process.env.CI === undefined
    ? []
    : [() => run('image of the real guest', ['--import', 'tsx', 'cli/main.ts', 'lab', 'build'])]),
  () => run('tests of vmwright itself', [playwright, 'test', '--config', 'tests']),
  () => run('smoke scenario on the embedded lab', [playwright, 'test']),
];
const results = steps.map((step) => step());
const totals = readFileSync(totalsFile, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Totals);
rmSync(folder, { recursive: true });

for (const failure of totals.flatMap(({ failures }) => failures))
  process.stdout.write(`\nfailed: ${failure}`);

const sum = (key: 'passed' | 'failed' | 'skipped'): number =>
  totals.reduce((total, suite) => total + suite[key], 0);
const failed = Math.max(sum('failed'), results.filter((ok) => !ok).length);
process.stdout.write(`\n\n${sum('passed')} passed, ${failed} failed, ${sum('skipped')} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
