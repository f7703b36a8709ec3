/**
 * Behaviour that a row asks for, taken out: the test that cites the row has to die of it.
 *
 * @module
 */

import type { Mutation } from '../../support/mutant.ts';

export interface Mutant extends Mutation {
  /** The row whose test dies. */
  readonly row: string;
  /** What is taken out. */
  readonly without: string;
  readonly spec: string;
  /** What the dying assertion says. */
  readonly says: RegExp;
}

/** Each takes a few seconds. */
export const QUICK: readonly Mutant[] = [
  {
    row: 'M34',
    without: 'withholding the submit key',
    file: 'fixtures/vnc/fill.ts',
    find: '    if (attempt >= tries) throw',
    replace: `    if (attempt >= tries && submit !== undefined) void page.keyboard.press(submit);
    if (attempt >= tries) throw`,
    spec: 'tests/page/fill.spec.ts',
    says: /not\.toContain/,
  },
  {
    row: 'M35',
    without: 'the difference between unsure and no',
    file: 'fixtures/matchers/to-show.ts',
    find: "seen[1]?.verdict === 'fail') !== context.isNot &&\n              seen.every(({ verdict }) => verdict !== 'unsure')",
    replace: "seen[1]?.verdict !== 'pass') !== context.isNot",
    spec: 'tests/vlm/page.spec.ts',
    says: /resolved instead of rejected/,
  },
  {
    row: 'M31',
    without: 'a precheck being asked for by each click',
    file: 'fixtures/page/claims.ts',
    find: 'precheck = false, ...options',
    replace: "precheck = process.env.VLM_PRECHECK === '1', ...options",
    spec: 'tests/vlm/page.spec.ts',
    says: /toEqual/,
  },
  {
    row: 'M54',
    without: 'looking at blacklisted rows',
    file: 'fixtures/config/matrix.ts',
    find: '    seen.set(machine[field], index);',
    replace: '    if (machine.skip === undefined) seen.set(machine[field], index);',
    spec: 'tests/config/matrix.spec.ts',
    says: /the matrix was accepted/,
  },
  {
    row: 'T40',
    without: 'counting each crash',
    file: 'fixtures/trace/recover.ts',
    find: "traces.filter(({ outcome }) => outcome === 'recovered').length",
    replace: "(traces.some(({ outcome }) => outcome === 'recovered') ? 1 : 0)",
    spec: 'tests/trace/recover.spec.ts',
    says: /toBe/,
  },
];

/** Each spawns a runner, a lab or npm: taken by `npm run test:soak`. */
export const SLOW: readonly Mutant[] = [
  {
    row: 'T40',
    without: 'giving back the machines of a crashed run',
    file: 'reporters/recover.ts',
    find: 'giveBack(found, config).catch(complain)',
    replace: 'Promise.resolve(void giveBack)',
    spec: 'tests/trace/run.spec.ts',
    says: /toMatch|toBe/,
  },
  {
    row: 'A50',
    without: 'the stop at a blacklisted machine',
    file: 'cli/run.ts',
    find: 'makePlan(options)',
    replace: 'makePlan({ ...options, allowBlacklisted: true })',
    spec: 'tests/runs/run.spec.ts',
    says: /toBe/,
  },
  {
    row: 'A73',
    without: 'leaving the remote alone',
    file: 'cli/init.ts',
    find: '  say(nextSteps(',
    replace: `  try {
    execFileSync('git', ['-C', folder, 'pu' + 'sh', '--quiet', 'origin', 'HEAD']);
  } catch {}
  say(nextSteps(`,
    spec: 'tests/suite/push.spec.ts',
    says: /not\.toMatch/,
  },
  {
    row: 'A78',
    without: 'asking nobody else',
    file: 'cli/status.ts',
    find: '  const isScreen = options.watch',
    replace: `  await fetch('http://127.0.0.1:9/runs').catch(() => undefined);
  const isScreen = options.watch`,
    spec: 'tests/runs/status.spec.ts',
    says: /toEqual/,
  },
  {
    row: 'M25',
    without: 'doing without a display',
    file: 'fixtures/app/profiles/kde.ts',
    find: 'settings: [NO_LOCK]',
    replace: "settings: [NO_LOCK, 'DISP' + 'LAY=:0 true']",
    spec: 'tests/app/input.spec.ts',
    says: /toEqual/,
  },
  {
    row: 'M42',
    without: 'leaving baselines to the matcher',
    file: 'fixtures/matchers/to-show-text.ts',
    find: 'export async function toShowText(',
    replace: `import { existsSync } from 'node:fs';
import { test as runner } from '@playwright/test';
export async function toShowText(...all: Parameters<typeof shown>) {
  existsSync(runner.info().snapshotPath('desktop.png', { kind: 'screenshot' }));
  return shown(...all);
}
async function shown(`,
    spec: 'tests/matchers/opt-in.spec.ts',
    says: /toBe\(expected\)/,
  },
  {
    row: 'M53',
    without: 'brands that all copies share',
    file: 'fixtures/errors.ts',
    find: 'Symbol.for(',
    replace: 'Symbol(',
    spec: 'tests/package/consumer.spec.ts',
    says: /1 passed/,
  },
  {
    row: 'M54',
    without: 'noting who wrote a baseline',
    file: 'fixtures/visual/written.ts',
    find: '!isAgain && !isSame',
    replace: '!isAgain && !isSame && writer.test === file',
    spec: 'tests/matchers/to-have-screenshot.spec.ts',
    says: /toEqual/,
  },
];
