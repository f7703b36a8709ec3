/** Runs that are cut off, cut into parts, or have no room to say how they ended. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { readStored } from '../../runs/evidence/recover.ts';
import { reasonNotToPost } from '../../runs/post.ts';
import { homeVariables } from '../support/home.ts';
import { requireNamespaces } from '../support/peers.ts';
import { cleanEnvironment, PLAYWRIGHT, ROOT, runPlaywright } from '../support/runner.ts';
import { startChat, startCommand, writeRunProject } from './command.ts';
import {
  checkAgreement,
  type Ending,
  ENV,
  everything,
  leaveOldPass,
  runEnding,
  toldIn,
  writeEnding,
} from './endings.ts';

test.describe.configure({ timeout: 180_000 });

const rows = (told: ReturnType<typeof toldIn>): string | undefined =>
  told.json?.hosts.map(({ host, status }) => `${host} ${status}`).join(', ');

/** Machine a passes; b says that it is there and never ends. */
const HALF_WAY = {
  's.spec.ts': `
import { test } from '@playwright/test';
test('t', async ({}, info) => {
  if (info.project.name === 'a') return;
  console.log('B IS AT IT');
  await new Promise((done) => setTimeout(done, 600_000));
});`,
};

/** Stops the runner by `signal` while b is at it. */
async function stopped(
  folder: string,
  signal: NodeJS.Signals,
  more: Partial<Ending> = {},
): Promise<{ exitCode: number; output: string }> {
  writeEnding(folder, { files: HALF_WAY, before: `['list'],`, ...more });
  let isStopped = false;
  return runPlaywright(folder, ['test', '--workers=1'], {
    env: ENV,
    onOutput: (text, pid) => {
      if (isStopped || !text.includes('B IS AT IT')) return;
      isStopped = true;
      process.kill(pid, signal);
    },
  });
}

for (const { how, signal, more } of [
  { how: 'SIGINT', signal: 'SIGINT', more: {} },
  {
    how: 'SIGTERM, which the lease reporter takes for Ctrl+C,',
    signal: 'SIGTERM',
    more: { after: `['${ROOT}/reporters/lease.ts'],` },
  },
] as const) {
  test(`an ending: ${how} in mid-test: what has passed stands, the rest is unknown, and nothing is posted`, async ({}, info) => {
    const folder = info.outputPath('p');
    const { exitCode, output } = await stopped(folder, signal, more);
    expect(exitCode, output).toBe(130);
    const told = await checkAgreement(folder, exitCode);
    expect([told.json?.state, rows(told)]).toEqual(['CANCELLED', 'a PASS, b UNKNOWN']);
    expect(told.json?.hosts[1]?.detail).toBe('interrupted');
  });
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`an ending: ${signal} alone, of which the runner dies: its machine crashed, and its summary stays RUNNING`, async ({}, info) => {
    const folder = info.outputPath('p');
    const { exitCode } = await stopped(folder, signal);
    expect(exitCode).toBe(-1);
    const told = await checkAgreement(folder, 'killed');
    expect(told.json?.state).toBe('RUNNING');
    const stored = readStored(join(folder, 'test-results/state/night'), { now: Date.now() });
    expect(stored?.model.state).toBe('TERMINATED');
    expect(stored?.model.hosts.map(({ status }) => status)).toEqual(['PASS', 'FAIL']);
  });
}

for (const [how, hook] of [
  ['is killed after its last report', `process.kill(process.pid, 'SIGKILL')`],
  ['ends with a code of its own', `process.reallyExit(7)`],
] as const) {
  test(`VE1: under vmwright run the exit code of a runner that ${how} decides, and corrects its summary`, async ({}, info) => {
    const folder = info.outputPath('p');
    writeRunProject(
      folder,
      ['a', 'b'],
      {
        'smoke.spec.ts': `import { test } from '@playwright/test'; test('t', () => {});`,
        'other.js': `export default class { onExit() { ${hook}; } printsToStdio() { return false; } }`,
      },
      { reporters: `['./other.js']` },
    );
    const args = ['run', '--all', '--build-name', 'night'];
    const { exitCode, output } = await startCommand(folder, args, { env: { VMWRIGHT_GATE: 'off' } }).done;
    expect(exitCode, output).not.toBe(0);
    expect(output).toContain(`the summary said COMPLETED, and the run is FAILED`);
    const told = await checkAgreement(folder, exitCode);
    expect([told.json?.state, rows(told)]).toEqual(['FAILED', 'a PASS, b PASS']);
    for (const text of [told.junit, told.page, told.markdown])
      expect(text).toContain('the runner exited with code');
  });
}

test('VE1: vmwright run ends no runner while a teardown project is at work; one that it ends before its end is told is HUNG, and not posted', async ({}, info) => {
  const chat = await startChat();
  const env = { ...chat.env, VMWRIGHT_GATE: 'off' };
  const run = async (name: string, spec: string, head: string, config = '') => {
    const folder = info.outputPath(name);
    writeRunProject(
      folder,
      ['a'],
      { 'smoke.spec.ts': spec, 'check.ts': head },
      config === '' ? {} : { config },
    );
    const args = ['run', '--all', '--build-name', 'night', '--grace', '1'];
    const { exitCode, output } = await startCommand(folder, args, { env }).done;
    expect(exitCode, output).not.toBe(0);
    return { told: toldIn(folder), folder };
  };
  const late = (ms: number): string => `await new Promise((done) => setTimeout(done, ${ms}));`;
  const [checked, hung] = await Promise.all([
    run(
      'checked',
      `import { test } from '@playwright/test'; test('t', () => {});`,
      `import { test } from '@playwright/test'; test('c', async () => { ${late(4_000)} throw new Error('the disk is broken'); });`,
      `projects: [...projectsFrom(matrix).map((project) => ({ ...project, testMatch: 'smoke.spec.ts', teardown: 'check' })), { name: 'check', testMatch: 'check.ts' }],`,
    ),
    run(
      'hung',
      `import { test as base } from '@playwright/test';
const test = base.extend({ thing: [async ({}, use) => { await use(1); ${late(20_000)} throw new Error('the VM was left broken'); }, { scope: 'worker', auto: true }] });
test('t', () => {});`,
      '',
    ),
  ]);
  chat.close();
  expect([checked.told.json?.state, rows(checked.told)]).toEqual(['FAILED', 'a PASS']);
  expect(checked.told.markdown).toContain('the disk is broken');
  expect([hung.told.json?.state, rows(hung.told)]).toEqual(['HUNG', 'a PASS']);
  expect(hung.told.markdown).toContain('what came after its tests (teardowns, other reporters) is not known');
  expect(chat.posts.map((text) => text.includes('FAILED'))).toEqual([true]);
});

for (const [how, ending, exit, state] of [
  [
    'a handler that changes the exit code',
    {
      config: `metadata: (process.on('exit', () => { if (process.env.TEST_WORKER_INDEX === undefined) process.exitCode = 3; }), {}),`,
    },
    3,
    'FAILED',
  ],
  [
    'a reporter before it that ends the process in onEnd',
    {
      before: `['./other.js'],`,
      files: {
        'other.js': `export default class { onEnd() { process.exit(0); } printsToStdio() { return false; } }`,
      },
    },
    0,
    'TERMINATED',
  ],
] as const) {
  test(`VE1: ${how}: the run is ${state}`, async ({}, info) => {
    const folder = info.outputPath('p');
    const { exitCode, output } = await runEnding(folder, ending);
    expect(exitCode, output).toBe(exit);
    const told = await checkAgreement(folder, exitCode);
    expect(told.json?.state).toBe(state);
    if (exit > 0) expect(told.junit).toContain('the runner exited with code');
  });
}

/** What one shard, or the merge of several, left. */
async function merged(
  folder: string,
  b: string,
  { shards = [1, 2] as readonly number[] } = {},
): Promise<{ exits: number[]; told: ReturnType<typeof toldIn> }> {
  const ending: Partial<Ending> = {
    before: `['blob'],`,
    files: {
      's.spec.ts': `import { expect, test } from '@playwright/test'; test('t', ({}, info) => { if (info.project.name === 'b') ${b} });`,
    },
  };
  writeEnding(folder, ending);
  const exits: number[] = [];
  mkdirSync(join(folder, 'all'));
  for (const shard of shards) {
    const file = join(folder, `${shard}.zip`);
    const { exitCode } = await runPlaywright(folder, ['test', `--shard=${shard}/2`], {
      env: { ...ENV, VMWRIGHT_RUN_ID: 'r', PLAYWRIGHT_BLOB_OUTPUT_FILE: file },
    });
    exits.push(exitCode);
    const own = toldIn(folder);
    // A shard speaks for its own machines, and is never posted.
    expect(own.json?.state === 'COMPLETED').toBe(exitCode === 0);
    const stored = readStored(join(folder, 'test-results/state/night'), { now: Date.now() });
    if (shard === 1) expect(stored?.model.state).toBe('UNKNOWN');
    if (existsSync(file)) copyFileSync(file, join(folder, 'all', `${shard}.zip`));
  }
  await runPlaywright(folder, ['merge-reports', '--config=playwright.config.ts', 'all'], {
    env: { ...ENV, VMWRIGHT_RUN_ID: 'r' },
  });
  return { exits, told: await checkAgreement(folder, Math.max(...exits)) };
}

for (const [what, b, shards, state, hosts] of [
  ['that passed', '{}', [1, 2], 'COMPLETED', 'a PASS, b PASS'],
  ['of which one failed', `expect(1).toBe(2);`, [1, 2], 'FAILED', 'a PASS, b FAIL'],
  ['of which one never ran', '{}', [1], 'UNKNOWN', 'a PASS, b UNKNOWN'],
  [
    'of which one was killed',
    `process.kill(process.ppid, 'SIGKILL');`,
    [1, 2],
    'UNKNOWN',
    'a PASS, b UNKNOWN',
  ],
  ['of which one lost its worker', `process.exit(3);`, [1, 2], 'FAILED', 'a PASS, b FAIL'],
] as const) {
  test(`an ending: two shards ${what}, merged: all that tells of the run agrees`, async ({}, info) => {
    const { told } = await merged(info.outputPath('p'), b, { shards });
    expect([told.json?.state, rows(told)]).toEqual([state, hosts]);
  });
}

/**
 * Runs Playwright where `test-results` is a file system of 1 MB that holds an older pass. The mount is one of its own
 * namespace: nobody else sees it and nothing of it stays. What was left there is copied to `after/test-results`.
 */
async function onSmallDisk(
  { program, args }: ReturnType<typeof requireNamespaces>,
  folder: string,
  fill: string,
): Promise<number> {
  const script = `
mount -t tmpfs -o size=1m tmpfs test-results && touch after/mounted || exit 99
cp -r old/. test-results/
${fill}
"$0" "$@"
code=$?
rm -f test-results/ballast
cp -r test-results/. after/test-results/
exit $code`;
  const command = [...args, 'sh', '-c', script, process.execPath, PLAYWRIGHT, 'test', '--workers=1'];
  const child = spawn(program, command, {
    cwd: folder,
    env: { ...cleanEnvironment(), ...homeVariables(join(folder, 'home')), ...ENV },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => done(code ?? -1));
  });
}

/** Writes until there is no room for one byte more. */
const FILL = 'cat /dev/zero > test-results/ballast 2>/dev/null';

for (const [what, fill, body] of [
  ['is full from the start', FILL, ''],
  ['has room for 30 kB', `${FILL}; truncate -s -30000 test-results/ballast`, ''],
  ['has room for 120 kB', `${FILL}; truncate -s -120000 test-results/ballast`, ''],
  [
    'is filled by a test',
    '',
    `if (n === 2) try { writeFileSync('test-results/dump', Buffer.alloc(2_000_000)); } catch {}`,
  ],
  [
    'is filled by a test and cleared by another',
    '',
    `if (n === 2) try { writeFileSync('test-results/dump', Buffer.alloc(2_000_000)); } catch {}
  if (n === 4) rmSync('test-results/dump', { force: true });`,
  ],
] as const) {
  test(`VE2: a disk of 1 MB that ${what}: no older PASS stands, and COMPLETED takes whole evidence`, async ({}, info) => {
    const namespaces = requireNamespaces(test, ['--mount']);
    const folder = info.outputPath('p');
    writeEnding(folder, {
      files: {
        's.spec.ts': `
import { rmSync, writeFileSync } from 'node:fs';
import { test } from '@playwright/test';
for (const n of [1, 2, 3, 4]) test('t' + n, async () => {
  ${body}
  for (let m = 0; m < 9; m++) await test.step('a step with a long title '.repeat(20) + m, () => {});
});`,
      },
    });
    leaveOldPass(folder);
    renameSync(join(folder, 'test-results'), join(folder, 'old'));
    for (const made of ['test-results', 'after/test-results'])
      mkdirSync(join(folder, made), { recursive: true });
    const exitCode = await onSmallDisk(namespaces, folder, fill);
    const isMounted = existsSync(join(folder, 'after/mounted'));
    expect(isMounted).toBe(true);
    expect([0, 1]).toContain(exitCode);
    const after = join(folder, 'after');
    const summary = join(after, 'test-results/summary');
    for (const file of everything(summary)) expect(file).not.toMatch(/an older run|\{"state":"COMPLETED"\}/);
    const stored = readStored(join(after, 'test-results/state/night'), { now: Date.now() });
    // What could not be written in between is written as soon as there is room.
    const isWhole = what.includes('cleared');
    expect([stored?.model.state, toldIn(after).json?.state].includes('COMPLETED')).toBe(isWhole);
    if (isWhole) await checkAgreement(after, exitCode);
    else if (stored !== undefined) expect(reasonNotToPost(stored.model)).toBeDefined();
  });
}
