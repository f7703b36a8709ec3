/** Tests do not lean on each other: they pass in any order, in one process, and each file alone. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test, type TestInfo } from '@playwright/test';
import { PLAYWRIGHT, ROOT, writeProject } from '../support/runner.ts';
import { INNER_SUITE } from '../support/shared-memory.ts';
import { rounds, SOAK } from '../support/soak.ts';
import type { Ran } from './support/shuffle-reporter.ts';

/** Files that take more than a few seconds: they spawn something, open a browser, read screens or wait. */
const NEEDS_MORE =
  /support\/(?:runner|lab-project|peers)|child_process|lab\/|chromium|\.\/command|setTimeout|slow\(\)|ocr|[Rr]eader|fuzz/;

/**
 * VMWRIGHT_SHUFFLE has the whole suite come in an order by chance. Here a part of it comes in several
 * orders, in one process, and each file alone: parts of paths below tests/ from VMWRIGHT_ORDER, with commas between, as
 * `config/,visual/` for a long check. These few are quick, and touch settings, secrets, the file system and the registry
 * of routines; one more takes its turn, so that in time each file was among them.
 */
const FILES = process.env.VMWRIGHT_ORDER?.split(',') ?? [
  'config/settings',
  'lease/record',
  'routines/engine',
  'visual/compare',
  ...turns(process.env.VMWRIGHT_SHUFFLE ?? 'none', rounds(1, 8)),
];
const SEEDS = ['one', 'two', 'three', 'four'].slice(0, rounds(2, 4));

test(
  'M52: tests pass in any order in one process, and each file alone, with the same counts',
  SOAK,
  async ({}, info) => {
    test.setTimeout(3_600_000);
    const runs: Ran[][] = [];
    for (const seed of SEEDS) runs.push(await run(ROOT, 'tests', FILES, info, seed));
    const [first = []] = runs;
    expect(first.length).toBeGreaterThan(50);
    for (const ran of runs) {
      expect(failuresOf(ran)).toEqual([]);
      expect(countsOf(ran)).toEqual(countsOf(first));
    }
    const orders = new Set(runs.map((ran) => ran.map(({ title }) => title).join('\n')));
    expect(orders.size, 'each seed gave an order of its own').toBe(SEEDS.length);

    const files = [...new Set(first.map(({ title }) => title.split(' › ')[0] ?? ''))];
    const alone: Ran[] = [];
    for (const file of files) alone.push(...(await run(ROOT, 'tests', [`/${file}`], info)));
    expect(failuresOf(alone)).toEqual([]);
    expect(countsOf(alone)).toEqual(countsOf(first));
    info.annotations.push({
      type: 'M52',
      description: `${files.length} files, ${JSON.stringify(countsOf(first))}`,
    });
  },
);

test('M52: a test that leans on another is noticed', async ({}, info) => {
  const folder = info.outputPath('leaning');
  const leaning = Array.from(
    { length: 4 },
    (_, index) => `test('${index}', () => expect(step++).toBe(${index}));`,
  );
  writeProject(folder, {
    'playwright.config.ts': `export default { fullyParallel: true };`,
    'a.spec.ts': `import { expect, test } from '@playwright/test';\nlet step = 0;\n${leaning.join('\n')}`,
  });
  const ran = await run(folder, '.', [], info, 'one');
  expect(ran).toHaveLength(leaning.length);
  expect(failuresOf(ran).length).toBeGreaterThan(0);
});

/** Runs files with one worker; what became of each test, in the order in which they ran. */
async function run(
  folder: string,
  config: string,
  files: readonly string[],
  info: TestInfo,
  seed?: string,
): Promise<Ran[]> {
  const name = `${relative(ROOT, folder).replaceAll(/\W+/g, '-')}-${seed ?? files.join('-').replaceAll(/\W+/g, '-')}`;
  const log = join(info.outputPath('runs'), `${name}.jsonl`);
  mkdirSync(info.outputPath('runs'), { recursive: true });
  const inherited = Object.entries(process.env).filter(
    ([key]) => !/^(?:TEST_|PLAYWRIGHT_|PW_|PWTEST|VMWRIGHT_TOTALS)/.test(key),
  );
  const args = [
    PLAYWRIGHT,
    'test',
    ...['--config', config, '--workers=1', '--output', join(info.outputPath('artifacts'), name)],
    `--reporter=${join(import.meta.dirname, 'support/shuffle-reporter.ts')}`,
    ...files,
  ];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: {
      ...Object.fromEntries(inherited),
      ...INNER_SUITE,
      VMWRIGHT_SHUFFLED: log,
      ...(seed === undefined ? {} : { VMWRIGHT_SHUFFLE: seed }),
    },
    stdio: 'ignore',
  });
  await new Promise((done) => child.once('close', done));
  if (!existsSync(log)) throw new Error(`no test ran: ${args.join(' ')}`);
  return readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Ran);
}

/** Files that need neither runner nor lab nor browser, `count` of them, by the seed of this run. */
function turns(seed: string, count: number): string[] {
  const folder = join(ROOT, 'tests');
  const quick = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.spec.ts') && !NEEDS_MORE.test(readFileSync(join(folder, file), 'utf8')))
    .map((file) => file.replace(/\.spec\.ts$/, ''));
  const rank = (file: string): string => createHash('sha256').update(`${seed} ${file}`).digest('hex');
  return quick.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count);
}

function failuresOf(ran: readonly Ran[]): Ran[] {
  return ran.filter(({ status }) => status !== 'passed' && status !== 'skipped');
}

function countsOf(ran: readonly Ran[]): Record<string, number> {
  const count = (status: string): number => ran.filter((one) => one.status === status).length;
  return { tests: ran.length, passed: count('passed'), skipped: count('skipped') };
}
