/** Every way in which a run may end, on the real runner. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@playwright/test';
import { readStored } from '../../runs/evidence/recover.ts';
import { FILES } from '../../runs/store.ts';
import { homeVariables } from '../support/home.ts';
import { cleanEnvironment, PLAYWRIGHT, ROOT, runPlaywright } from '../support/runner.ts';
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

const spec = (body: string, head = ''): Record<string, string> => ({
  's.spec.ts': `
import { expect, test as base } from '@playwright/test';
${head === '' ? 'const test = base;' : head}
${body}`,
});
const workerFixture = (after: string): string => `
const test = base.extend({ thing: [async ({}, use, info) => { await use(1); ${after} }, { scope: 'worker', auto: true }] });`;
const reporter = (body: string): Record<string, string> => ({
  'other.js': `export default class { ${body} }`,
});
const AFTER = `['./other.js'],`;
const throws = (hook: string): string =>
  `${hook}() { throw new Error('the upload broke'); } printsToStdio() { return false; }`;

/** The causes of VE1 whose error Playwright tells, or whose fact it knows. */
const CAUSES: Readonly<Record<string, Ending>> = {
  'a worker fixture whose teardown throws, on one machine': {
    files: spec(
      `test('t', () => {});`,
      workerFixture(`if (info.project.name === 'b') throw new Error('the tunnel broke');`),
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
    says: 'the tunnel broke',
  },
  'a rejection that nobody handles, after the last test': {
    files: spec(
      `test('t', ({}, info) => { if (info.project.name === 'b') process.on('disconnect', () => {}); });`,
      workerFixture(
        `if (info.project.name === 'b') { void Promise.reject(new Error('nobody waited')); await new Promise((done) => setTimeout(done, 50)); }`,
      ),
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
    says: 'nobody waited',
  },
  'a global set-up that throws': {
    config: `globalSetup: './hook.ts',`,
    files: { 'hook.ts': `export default () => { throw new Error('the lab did not start'); };` },
    exit: 1,
    state: 'FAILED',
    hosts: 'a UNKNOWN, b UNKNOWN',
    says: 'the lab did not start',
  },
  'a global teardown that throws': {
    config: `globalTeardown: './hook.ts',`,
    files: { 'hook.ts': `export default () => { throw new Error('the lab did not stop'); };` },
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b PASS',
    says: 'the lab did not stop',
  },
  'a flaky test where they are forbidden': {
    args: ['--fail-on-flaky-tests', '--retries=1'],
    files: spec(`test('t', ({}, info) => { expect(info.project.name === 'b' ? info.retry : 1).toBe(1); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
    says: 'this run forbids flaky tests',
  },
  'max-failures': {
    args: ['--max-failures=1', '--workers=1'],
    files: spec(`test('t', ({}, info) => { expect(info.project.name).toBe('b'); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a FAIL, b UNKNOWN',
    says: 'Testing stopped early after 1 maximum allowed failures',
  },
  'the global time-out': {
    config: `globalTimeout: 2500,`,
    files: spec(`test('t', async () => { await new Promise(() => {}); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a UNKNOWN, b UNKNOWN',
    says: 'Timed out waiting',
  },
  'a reporter before it that throws at the end': {
    before: AFTER,
    files: reporter(throws('onEnd')),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b PASS',
    says: 'the upload broke',
  },
  'a reporter after it that throws at the end': {
    after: AFTER,
    files: reporter(throws('onEnd')),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b PASS',
    says: 'the upload broke',
  },
  'a reporter after it that throws when all is over': {
    after: AFTER,
    files: reporter(throws('onExit')),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b PASS',
    says: 'the upload broke',
  },
  'a reporter after it that calls the run failed': {
    after: AFTER,
    files: reporter(
      `onEnd() { return Promise.resolve({ status: 'failed' }); } printsToStdio() { return false; }`,
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b PASS',
    says: 'Playwright says that the run failed',
  },
  'a reporter after it that ends the process itself': {
    after: AFTER,
    files: reporter(`onExit() { process.exit(7); } printsToStdio() { return false; }`),
    exit: 7,
    state: 'FAILED',
    hosts: 'a PASS, b PASS',
    says: 'the runner exited with code 7',
  },
  'a test of a project that is no machine': {
    projects: `host('a'), { name: 'plain' }`,
    files: spec(`test('t', ({}, info) => { expect(info.project.name).toBe('a'); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS',
    says: 'plain › s.spec.ts › t',
  },
  'a worker that dies': {
    files: spec(`test('t', ({}, info) => { if (info.project.name === 'b') process.exit(3); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
    says: 'worker process exited unexpectedly',
  },
  'a spec file that cannot be loaded': {
    files: { 'x.spec.ts': `throw new Error('no such module');` },
    exit: 1,
    state: 'FAILED',
    hosts: 'a UNKNOWN, b UNKNOWN',
    says: 'no such module',
  },
};

for (const [name, ending] of Object.entries(CAUSES)) {
  test(`VE1: ${name}: the run is FAILED, and the error stands in every report`, async ({}, info) => {
    const folder = info.outputPath('p');
    const { exitCode } = await runEnding(folder, ending);
    expect(exitCode).toBe(ending.exit);
    const told = await checkAgreement(folder, exitCode);
    check(told, ending);
  });
}

function check(told: ReturnType<typeof toldIn>, { state, hosts, says = '' }: Ending): void {
  expect(told.json?.state).toBe(state);
  expect(told.json?.hosts.map((row) => `${row.host} ${row.status}`).join(', ')).toBe(hosts);
  expect(told.markdown?.split('**FAILURE NOTES:**')[1] ?? '').toContain(says);
  expect(told.page).toContain(says);
  expect(told.junit).toMatch(/<(?:error|failure) /);
  expect(told.junit).toContain(says);
  expect(JSON.stringify(told.ctrf)).toContain(says);
}

/** Endings that are right as they were, and those of machines and tests. */
const OTHERS: Readonly<Record<string, Ending>> = {
  'all pass': { exit: 0, state: 'COMPLETED', hosts: 'a PASS, b PASS' },
  'one fails': {
    files: spec(`test('t', ({}, info) => { expect(info.project.name).toBe('a'); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'a test times out': {
    files: spec(
      `test('t', async ({}, info) => { info.setTimeout(500); if (info.project.name === 'b') await new Promise(() => {}); });`,
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'a flaky test': {
    args: ['--retries=1'],
    files: spec(`test('t', ({}, info) => { expect(info.retry).toBe(1); });`),
    exit: 0,
    state: 'COMPLETED',
    hosts: 'a PASS, b PASS',
  },
  'a test that is meant to fail': {
    files: spec(`test('t', () => { test.fail(); expect(1).toBe(2); });`),
    exit: 0,
    state: 'COMPLETED',
    hosts: 'a PASS, b PASS',
  },
  'a test that was meant to fail and passes': {
    files: spec(`test('t', () => { test.fail(); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a FAIL, b FAIL',
  },
  'everything is skipped': {
    files: spec(`test('t', () => { test.skip(true, 'not today'); });`),
    exit: 0,
    state: 'COMPLETED',
    hosts: 'a SKIP, b SKIP',
  },
  'a blacklisted machine': {
    projects: `host('a'), host('b', { skip: 'RE-CREATE' })`,
    files: spec(`test('t', ({}, info) => { test.skip(info.project.name === 'b', 'RE-CREATE'); });`),
    exit: 0,
    state: 'COMPLETED',
    hosts: 'a PASS, b SKIP',
  },
  'a blacklisted machine whose test fails': {
    projects: `host('a'), host('b', { skip: 'RE-CREATE' })`,
    files: spec(`test('t', ({}, info) => { expect(info.project.name).toBe('a'); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'a hook fails and drops the tests after it': {
    files: spec(
      `test.describe.serial('g', () => { test('one', ({}, info) => { expect(info.project.name).toBe('a'); }); test('two', () => {}); });`,
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'a set-up project fails': {
    projects: `{ name: 'prepare', testMatch: 'prepare.ts' }, host('a', {}, { dependencies: ['prepare'] })`,
    files: {
      'prepare.ts': `import { test } from '@playwright/test'; test('p', () => { throw new Error('no disk'); });`,
    },
    exit: 1,
    state: 'FAILED',
    hosts: 'a UNKNOWN',
    says: 'no disk',
  },
  'a hook before all tests fails on one machine': {
    files: spec(
      `test.beforeAll(({}, info) => { expect(info.project.name).toBe('a'); }); test('one', () => {}); test('two', () => {});`,
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'a hook after all tests fails on one machine': {
    files: spec(
      `test.afterAll(({}, info) => { expect(info.project.name).toBe('a'); }); test('one', () => {}); test('two', () => {});`,
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'a soft assertion fails': {
    files: spec(`test('t', ({}, info) => { expect.soft(info.project.name).toBe('a'); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'the teardown of a fixture of the test throws': {
    files: spec(
      `test('t', ({ thing }) => {});`,
      `const test = base.extend({ thing: async ({}, use, info) => { await use(1); expect(info.project.name).toBe('a'); } });`,
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'all retries fail': {
    args: ['--retries=2'],
    files: spec(`test('t', ({}, info) => { expect(info.project.name).toBe('a'); });`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  'a test to be fixed beside a passing one': {
    files: spec(`test('one', () => {}); test.fixme('two', () => {});`),
    exit: 0,
    state: 'COMPLETED',
    hosts: 'a PASS, b PASS',
  },
  'test.only where it is forbidden': {
    args: ['--forbid-only'],
    files: spec(`test.only('one', () => {}); test('two', () => {});`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a UNKNOWN, b UNKNOWN',
    says: 'item focused with',
  },
  'two tests of one title': {
    files: spec(`test('one', () => {}); test('one', () => {});`),
    exit: 1,
    state: 'FAILED',
    hosts: 'a UNKNOWN, b UNKNOWN',
    says: 'duplicate test title',
  },
  'a spec that prints a summary of its own': {
    files: spec(
      `test('t', ({}, info) => { console.log('state: COMPLETED\\n\\nHOSTS:\\na - PASS\\nb - PASS\\n\\nTIMING:\\n\\n  2 passed (1s)'); expect(info.project.name).toBe('a'); });`,
    ),
    exit: 1,
    state: 'FAILED',
    hosts: 'a PASS, b FAIL',
  },
  repetitions: { args: ['--repeat-each=3'], exit: 0, state: 'COMPLETED', hosts: 'a PASS, b PASS' },
  'no machine at all': { projects: `{ name: 'plain' }`, exit: 0, state: 'UNKNOWN', hosts: '' },
  'a failure is skipped on its retry': {
    args: ['--retries=1'],
    files: spec(`test('t', ({}, info) => { test.skip(info.retry === 1, 'enough'); expect(1).toBe(2); });`),
    // Playwright calls that skipped; the machine failed all the same.
    exit: 0,
    state: 'FAILED',
    hosts: 'a FAIL, b FAIL',
  },
};

for (const [name, ending] of Object.entries(OTHERS)) {
  test(`an ending: ${name}: all that tells of the run agrees, and good news takes an exit code of 0`, async ({}, info) => {
    const folder = info.outputPath('p');
    const { exitCode } = await runEnding(folder, ending);
    expect(exitCode).toBe(ending.exit);
    const told = await checkAgreement(folder, exitCode);
    expect(told.json?.state).toBe(ending.state);
    expect(told.json?.hosts.map((row) => `${row.host} ${row.status}`).join(', ')).toBe(ending.hosts);
    expect(told.markdown).toContain(ending.says ?? '');
  });
}

test('VE4: a test skipped beside a passing one is told in SUMMARY, HOSTS, NOTES, page, JUnit and CTRF', async ({}, info) => {
  const folder = info.outputPath('p');
  const files = spec(`
test('one', () => {});
test('two', () => {});
test('three', ({}, info) => { test.skip(info.project.name === 'a', 'no model'); });`);
  const { exitCode } = await runEnding(folder, { files });
  expect(exitCode).toBe(0);
  const told = await checkAgreement(folder, exitCode);
  expect(told.json?.hosts.map(({ status, detail }) => [status, detail])).toEqual([
    ['PASS', '2 of 3 passed, 1 skipped: no model'],
    ['PASS', 'completed'],
  ]);
  expect(told.markdown).toContain(
    '| passed | 2 |\n| failed | 0 |\n| skipped | 0 |\n| tests | 5 of 6 passed, 1 skipped |',
  );
  expect(told.markdown).toContain('- skipped: a "three" - no model');
  expect(told.page).toContain('tests: 5 of 6 passed, 1 skipped');
  expect(told.page).toContain('2 of 3 passed, 1 skipped: no model');
  expect(told.junit).toContain('tests="3" failures="0" errors="0" skipped="1"');
  expect(told.junit).toContain('name="a › three" time="0.000"><skipped message="no model"/>');
  expect(told.ctrf?.results.tests.filter(({ status }) => status === 'skipped')).toMatchObject([
    { name: 'a › three', message: 'no model' },
  ]);
  expect(told.json?.tests).toEqual({ planned: 6, passed: 5, failed: 0, skipped: 1, open: 0 });
  for (const template of ['github-actions', 'gitlab-ci'])
    expect(readFileSync(join(ROOT, `templates/ci/${template}.yml`), 'utf8')).toMatch(/VLM_REQUIRED: ['"]?1/);
});

test('VE6: --list touches nothing; a run that finds no test is FAILED in the summary, and no part of history', async ({}, info) => {
  const folder = info.outputPath('p');
  const all = `['${ROOT}/reporters/recover.ts'], ['${ROOT}/reporters/redact.ts'], ['${ROOT}/reporters/film.ts'], ['${ROOT}/reporters/allure.ts', { resultsDir: 'test-results/allure-results' }],`;
  await runEnding(folder, { before: all, after: `['${ROOT}/reporters/lease.ts'],` });
  expect(toldIn(folder).json?.state).toBe('COMPLETED');
  const results = join(folder, 'test-results');
  // Another run was killed: the next run finishes it, a list does not.
  const killed = join(results, 'state/killed');
  cpSync(join(results, 'state/night'), killed, { recursive: true });
  const [begin = ''] = readFileSync(join(killed, FILES.journal), 'utf8').split('\n');
  writeFileSync(join(killed, FILES.journal), `${begin}\n`.replace('"night"', '"killed"'));
  writeFileSync(
    join(killed, FILES.record),
    readFileSync(join(killed, FILES.record), 'utf8').replaceAll('"night"', '"killed"'),
  );
  const before = everything(results);
  const listed = await runPlaywright(folder, ['test', '--list'], {
    env: { ...ENV, VMWRIGHT_BUILD_NAME: 'other' },
  });
  expect(listed.exitCode).toBe(0);
  expect(everything(results)).toEqual(before);

  rmSync(killed, { recursive: true });
  const state = everything(join(results, 'state'));
  for (const [args, exit] of [
    [['--grep=nothing'], 1],
    [['--grep=nothing', '--pass-with-no-tests'], 0],
  ] as const) {
    const { exitCode } = await runPlaywright(folder, ['test', ...args], {
      env: { VMWRIGHT_BUILD_NAME: 'other' },
    });
    expect(exitCode).toBe(exit);
    const told = toldIn(folder);
    expect(told.json?.state).toBe('FAILED');
    expect(told.markdown).toContain('- run: no test was found');
    expect(told.junit).toContain('<error message="no test was found">');
    expect(told.page).not.toContain('>Trend<');
    expect(told.markdown).toContain('no test of this run is for it: grep');
    expect(everything(join(results, 'state'))).toEqual(state);
  }
});

test('VE7: a machine that a filter left without a test has a row with the reason; named, the run is not COMPLETED', async ({}, info) => {
  const projects = `host('a'), host('b', {}, { testMatch: 'other.spec.ts' }), host('c', {}, { testIgnore: 's.spec.ts' })`;
  const ending = {
    projects,
    files: { 'other.spec.ts': `import { test } from '@playwright/test'; test('only', () => {});` },
  };
  const rows = async (name: string, args: string[]): Promise<(string | undefined)[]> => {
    const folder = info.outputPath(name);
    const { exitCode } = await runEnding(folder, { ...ending, args });
    expect(exitCode).toBe(0);
    const { json } = await checkAgreement(folder, exitCode);
    return [
      json?.state,
      ...(json?.hosts ?? []).map(({ host, status, detail }) => `${host} ${status} ${detail}`),
    ];
  };
  const none = 'no test of this run is for it';
  const [grep, files, named] = await Promise.all([
    rows('grep', ['--grep=only']),
    rows('files', ['s.spec.ts']),
    rows('named', ['--grep=only', '--project=a', '--project=b']),
  ]);
  expect(grep).toEqual(['COMPLETED', 'a PASS completed', 'b PASS completed', 'c PASS completed']);
  expect(files).toEqual([
    'COMPLETED',
    'a PASS completed',
    `b SKIP ${none}: the files that were named`,
    `c SKIP ${none}: the files that were named`,
  ]);
  expect(named[0]).toBe('COMPLETED');
  const { exitCode } = await runEnding(info.outputPath('lost'), {
    ...ending,
    args: ['s.spec.ts', '--project=a', '--project=b'],
  });
  expect(exitCode).toBe(0);
  const { json: lost } = await checkAgreement(info.outputPath('lost'), exitCode);
  expect(lost?.state).toBe('UNKNOWN');
  expect(lost?.hosts[1]).toMatchObject({
    host: 'b',
    status: 'UNKNOWN',
    detail: `${none}: the files that were named`,
  });
});

test('VE8: two folders with a spec of one name and a test of one title, two groups, repetitions: each is a test of its own', async ({}, info) => {
  const one = (body: string): string =>
    `import { expect, test } from '@playwright/test'; test('t', ({}, info) => { ${body} });`;
  const failsOnB = `expect(info.project.name).toBe('a');`;
  const files = {
    's.spec.ts': '',
    'x/a.spec.ts': one(''),
    'y/a.spec.ts': one(failsOnB),
    'y/b.spec.ts': `import { expect, test } from '@playwright/test';
test.describe('one', () => { test('u', () => {}); });
test.describe('two', () => { test('u', ({}, info) => { if (info.repeatEachIndex === 1) ${failsOnB} }); });`,
  };
  const folder = info.outputPath('p');
  const { exitCode } = await runEnding(folder, { files, args: ['--repeat-each=2'] });
  expect(exitCode).toBe(1);
  const told = await checkAgreement(folder, exitCode);
  expect(told.json?.hosts.map(({ status }) => status)).toEqual(['PASS', 'FAIL']);
  expect(told.json?.tests).toMatchObject({ planned: 16, passed: 13, failed: 3, open: 0 });
  const onB = told.ctrf?.results.tests.filter(({ name }) => name.startsWith('b › ')) ?? [];
  expect(onB.map(({ filePath, name, status }) => `${filePath} ${name} ${status}`).sort()).toEqual([
    'x/a.spec.ts b › t (repetition 2) passed',
    'x/a.spec.ts b › t passed',
    'y/a.spec.ts b › t (repetition 2) failed',
    'y/a.spec.ts b › t failed',
    'y/b.spec.ts b › one › u (repetition 2) passed',
    'y/b.spec.ts b › one › u passed',
    'y/b.spec.ts b › two › u (repetition 2) failed',
    'y/b.spec.ts b › two › u passed',
  ]);
});

test('VE2: from the runner’s first moment on the summary says that this run is RUNNING, in mid-test with its machines', async ({}, info) => {
  const folder = info.outputPath('p');
  const look = (name: string): string =>
    `cpSync('test-results/summary', 'seen/${name}', { recursive: true })`;
  writeEnding(folder, {
    config: `globalSetup: './hook.ts',`,
    files: {
      'hook.ts': `import { cpSync } from 'node:fs'; export default () => ${look('set-up')};`,
      ...spec(
        `test('t', ({}, info) => { if (info.project.name === 'a') ${look('test')}; });`,
        `import { cpSync } from 'node:fs'; const test = base;`,
      ),
    },
  });
  leaveOldPass(folder);
  const { exitCode } = await runPlaywright(folder, ['test', '--workers=1'], { env: ENV });
  expect(exitCode).toBe(0);
  for (const [name, hosts] of [
    ['set-up', []],
    ['test', ['a', 'b']],
  ] as const) {
    const seen = everything(join(folder, 'seen', name)).filter((file) => !file.includes('/.claim/'));
    expect(seen).toHaveLength(6);
    for (const file of seen) expect(file).toMatch(/RUNNING|<error message="WAIT: not started"/);
    const summary = readFileSync(join(folder, 'seen', name, 'summary.json'), 'utf8');
    expect((JSON.parse(summary) as { hosts: { host: string }[] }).hosts.map(({ host }) => host)).toEqual(
      hosts,
    );
  }
});

test('VE2: kill -9 at 20 random moments, from the runner’s first on: no older PASS stands, and nothing is called COMPLETED', async ({}, info) => {
  test.setTimeout(300_000);
  const folder = info.outputPath('p');
  writeEnding(folder, {
    config: `globalSetup: './hook.ts',`,
    files: {
      'hook.ts': `export default () => new Promise((done) => setTimeout(done, 100));`,
      ...spec(`for (const n of [1, 2, 3]) test('t' + n, () => new Promise((done) => setTimeout(done, 60)));`),
    },
  });
  const summary = join(folder, 'test-results/summary/summary.md');
  let killed = 0;
  for (let round = 0; round < 20; round++) {
    leaveOldPass(folder);
    const child = spawn(process.execPath, [PLAYWRIGHT, 'test'], {
      cwd: folder,
      env: { ...cleanEnvironment(), ...homeVariables(join(folder, 'home')), ...ENV },
      stdio: 'ignore',
    });
    const exited = new Promise((done) => child.once('exit', done));
    // The clock starts with the first sign of the run: before it nothing of vmwright has been loaded.
    while (child.exitCode === null && readFileSync(summary, 'utf8').includes('an older run')) await sleep(2);
    await Promise.race([sleep(Math.random() * 1_500), exited]);
    child.kill('SIGKILL');
    await exited;
    for (const text of everything(join(folder, 'test-results/summary')))
      expect(text).not.toContain('an older run');
    if (child.exitCode !== null) {
      await checkAgreement(folder, child.exitCode);
      continue;
    }
    killed++;
    const journal = join(folder, 'test-results/state/night/journal.jsonl');
    // Only a runner that had told its own end, and that it was good, has said enough to be believed.
    const hasEnded = existsSync(journal) && readFileSync(journal, 'utf8').includes('"status":"passed"');
    const state = readStored(join(folder, 'test-results/state/night'), { now: Date.now() })?.model.state;
    if (!hasEnded) expect([state, toldIn(folder).json?.state]).not.toContain('COMPLETED');
  }
  expect(killed).toBeGreaterThan(0);
});

test('VE2: what cannot be written is removed; where neither works stderr and the exit code say so', async ({}, info) => {
  const removed = info.outputPath('removed');
  writeEnding(removed, {});
  leaveOldPass(removed);
  // A draft cannot be written where a folder stands.
  for (const name of ['summary.md', 'index.html'])
    mkdirSync(join(removed, 'test-results/summary', `${name}.tmp/x`), { recursive: true });
  const first = await runPlaywright(removed, ['test'], { env: ENV });
  expect(first.exitCode).toBe(0);
  expect(first.stderr).toContain('summary.md could not be written');
  const told = await checkAgreement(removed, 0);
  expect([told.markdown, told.page]).toEqual([undefined, undefined]);
  expect(told.json?.state).toBe('COMPLETED');

  const stale = info.outputPath('stale');
  writeEnding(stale, {});
  mkdirSync(join(stale, 'test-results/summary/summary.md/x'), { recursive: true });
  const second = await runPlaywright(stale, ['test'], { env: ENV });
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toContain('SUMMARY_STALE');
});

test('VE2: where the reporter itself fails in mid-run nobody knows the run, though all tests passed', async ({}, info) => {
  const folder = info.outputPath('p');
  // A draft of the record cannot be written where a folder stands.
  writeEnding(folder, {
    files: spec(
      `test('t', () => { mkdirSync('test-results/state/night/run.json.tmp', { recursive: true }); });`,
      `import { mkdirSync } from 'node:fs'; const test = base;`,
    ),
  });
  const { stderr, exitCode } = await runPlaywright(folder, ['test'], { env: ENV });
  expect([stderr, exitCode]).toEqual([expect.stringContaining('vmwright summary: Error: EISDIR'), 0]);
  const told = await checkAgreement(folder, exitCode);
  expect(told.json?.state).toBe('UNKNOWN');
  expect(told.markdown).toContain('- summary reporter: EISDIR');
});

test('VE2: a state folder that cannot be written to, and a reporter that fails within, leave no PASS', async ({}, info) => {
  const folder = info.outputPath('p');
  writeEnding(folder, { files: { 'test-results/state': 'a file where the folder should be' } });
  leaveOldPass(folder);
  const { stderr } = await runPlaywright(folder, ['test'], { env: ENV });
  expect(stderr).toContain('vmwright summary:');
  const told = toldIn(folder);
  expect(told.json?.state).toBe('UNKNOWN');
  expect(told.markdown).not.toContain('an older run');
});
