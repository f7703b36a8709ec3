import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { commandLine } from '../../runs/run-facts.ts';
import { requirePeer } from '../support/peers.ts';
import { ROOT, runPlaywright } from '../support/runner.ts';
import {
  spiedOn,
  startChat,
  startCluster,
  startCommand,
  tokenIn,
  vmwright,
  writeRunProject,
} from './command.ts';

test.describe.configure({ timeout: 120_000 });

const SMOKE = `
import { expect, test } from '@playwright/test';
test('smoke', async ({}, testInfo) => {
  await test.step('start', () => {});
  await test.step('log in', () => { if (testInfo.project.name === process.env.BROKEN) throw new Error('refused'); });
});`;
const SUITES = `{
  smoke: {
    specs: ['smoke.spec.ts'],
    options: { plugin: { default: 'fc', values: ['fc', 'both'] } },
    risks: [{ id: 'both', when: ({ plugin }) => plugin === 'both', warning: 'slow' }],
  },
}`;
const THREE = ['a1', 'a2', { name: 'old', skip: 'RE-CREATE' }];

interface Entry {
  readonly path: string;
  readonly text: string;
  readonly modified: number;
}

function everything(folder: string): Entry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8'), modified: statSync(path).mtimeMs }));
}

const lines = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const hostLines = (text: string): string => text.split('HOSTS:\n')[1]?.split('\n\n')[0] ?? '';

test('A3, A4, A5, A7, A8, A66, A67, A68, A70, A147: a plan does nothing; approved it runs in four phases, is watched and posted', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const state = join(folder, 'test-results/state/night');
  writeRunProject(folder, THREE, { 'smoke.spec.ts': SMOKE }, { suites: SUITES });
  const [chat, cluster] = [await startChat(), await startCluster()];
  const spy = testInfo.outputPath('spy.jsonl');
  const env = { ...chat.env, ...cluster.env };
  const selection = ['--all', '--build-name', 'night'];
  const before = everything(folder);
  const planned = await vmwright(folder, ['plan', ...selection], { env });
  expect(planned.output).toContain('command: VMWRIGHT_OPTION_PLUGIN=fc npx playwright test smoke.spec.ts');
  expect(planned.output).toContain('excluded: old - RE-CREATE');
  const unapproved = await vmwright(folder, ['run', ...selection], { env });
  expect(unapproved.exitCode).toBe(4);
  const alien = await vmwright(folder, ['run', ...selection, '--approve', '0123456789ab'], { env });
  expect(alien.exitCode).toBe(4);
  expect(everything(folder)).toEqual(before);
  expect([cluster.connections(), chat.posts]).toEqual([0, []]);

  const token = tokenIn(planned.stdout);
  const command = ['run', ...selection, '--approve', token];
  const ran = await vmwright(folder, command, {
    env: { ...env, ...spiedOn(spy) },
  });
  expect(ran.output).toContain('posted night: COMPLETED');
  expect(ran.exitCode).toBe(0);
  expect(hostLines(ran.stdout)).toBe('a1 - PASS\na2 - PASS\nold - SKIP - RE-CREATE');
  const record = JSON.parse(readFileSync(join(state, 'run.json'), 'utf8')) as Record<string, unknown>;
  expect(record).toMatchObject({ plan: token, command: commandLine(['vmwright', ...command]) });
  const journal = lines(join(state, 'journal.jsonl'));
  const executed = journal.flatMap((event) => (event.type === 'test-end' ? event.host : []));
  expect(executed).toEqual(['a1', 'a2']);
  const phases = lines(join(state, 'phases.jsonl'));
  expect(phases.map(({ phase, edge }) => `${String(phase)}:${String(edge)}`)).toEqual(
    ['plan', 'verify', 'watch', 'run'].flatMap((phase) => [`${phase}:start`, `${phase}:end`]),
  );
  const times = phases.map(({ at }) => at as number);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const started = times[6] ?? 0;
  // What a post keeps while it is on its way is its own.
  const removals = lines(spy).filter(
    ({ name, path }) => name !== 'readdirSync' && !String(path).includes('posted.json.claim'),
  );
  expect(removals.filter(({ path, at }) => String(path).startsWith(state) && Number(at) > started)).toEqual(
    [],
  );
  expect(readFileSync(join(state, 'plan.log'), 'utf8')).toContain('approve with: --approve');
  const log = readFileSync(join(state, 'run.log'), 'utf8');
  expect(log).toContain('a1 - PASS');
  expect(log).not.toContain('approve with');
  expect(chat.posts).toHaveLength(1);
  chat.close();
  cluster.close();
});

test('A27, A72, A76, A80, A91, A93, A114, P-A12, P-A15: status, replay and post of a stored run', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const state = join(folder, 'test-results/state/night');
  writeRunProject(folder, ['a1', 'a2'], { 'smoke.spec.ts': SMOKE });
  const chat = await startChat();
  const env = { ...chat.env, BROKEN: 'a2' };
  const command = ['run', '--vms', 'a1,a2', '--build-name', 'night'];
  const token = tokenIn((await vmwright(folder, ['plan', ...command.slice(1)], { env })).stdout);
  const ran = await vmwright(folder, [...command, '--approve', token], { env });
  expect(ran.exitCode).toBe(1);
  const summary = readFileSync(join(folder, 'test-results/summary/summary.md'), 'utf8');
  expect(chat.posts).toEqual([summary]);

  const before = everything(state);
  const replayed = await vmwright(folder, ['replay', state, '--format', 'markdown'], { env });
  expect(replayed.stdout).toBe(summary);
  const saved = join(folder, 'test-results/summary/summary.json');
  const compared = await vmwright(folder, ['replay', state, '--compare', saved], { env });
  expect([compared.stdout, compared.exitCode]).toEqual(['no differences\n', 0]);
  expect(everything(state)).toEqual(before);

  const historical = await vmwright(folder, ['status'], { env });
  expect(historical.stdout).toMatch(/^state: FAILED \(historical, ended \d{4}-/m);
  expect(hostLines(historical.stdout)).toBe(hostLines(ran.stdout));
  expect(historical.stdout).toContain(`command: vmwright run --vms a1,a2`);
  expect(historical.exitCode).toBe(1);
  rmSync(join(state, 'run.log'));
  expect(hostLines((await vmwright(folder, ['status'], { env })).stdout)).toBe(hostLines(ran.stdout));
  expect(chat.posts).toHaveLength(1);

  const again = await vmwright(folder, ['post'], { env: { ...env, VMWRIGHT_GATE: 'off' } });
  expect(again.stderr).toContain('POST_DONE');
  for (const approval of [[], ['--approve', token]]) {
    const refused = await vmwright(folder, ['post', '--correction', 'a2 was wrong', ...approval], { env });
    expect(refused.exitCode).toBe(4);
  }
  expect(chat.posts).toHaveLength(1);
  const asked = await vmwright(folder, ['post', '--correction', 'a2 was wrong'], { env });
  const corrected = await vmwright(
    folder,
    ['post', '--correction', 'a2 was wrong', '--approve', tokenIn(asked.stderr)],
    { env },
  );
  expect(corrected.stdout).toContain('posted night: FAILED');
  expect(chat.posts[1]).toContain('**CORRECTION - supersedes the result posted');

  // The name once more: it inherits nothing and is posted like any other.
  const second = await vmwright(folder, command, { env: { ...env, VMWRIGHT_GATE: 'off', BROKEN: '' } });
  expect(second.output).toContain('posted night: COMPLETED');
  expect(chat.posts).toHaveLength(3);
  chat.close();
});

test('a run approves no new references', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  writeRunProject(folder, ['a1'], {
    'smoke.spec.ts': `import { expect, test } from '@playwright/test';
test('t', () => { expect('screen').toMatchSnapshot('screen.txt'); });`,
  });
  const { output } = await vmwright(folder, ['run', '--all'], { env: { VMWRIGHT_GATE: 'off' } });
  expect(output).toContain("snapshot doesn't exist");
  expect(everything(folder).filter(({ path }) => path.includes('-snapshots'))).toEqual([]);
});

test('A6, A53, A54, A65: what is wrong with the plan stops before anything is asked or written', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  writeRunProject(folder, THREE, { 'smoke.spec.ts': SMOKE }, { suites: SUITES });
  const [chat, cluster] = [await startChat(), await startCluster()];
  const env = { ...chat.env, ...cluster.env };
  const before = everything(folder);

  const spy = testInfo.outputPath('spy.jsonl');
  const missing = await vmwright(folder, ['plan', '--all', '--matrix', 'nope.ts'], {
    env: { ...env, ...spiedOn(spy) },
  });
  expect(missing.exitCode).toBe(2);
  expect(missing.stderr).toContain('nope.ts');
  const listed = existsSync(spy) ? lines(spy).filter(({ name }) => name === 'readdirSync') : [];
  expect(listed.filter(({ path }) => String(path).startsWith(folder))).toEqual([]);

  const risky = ['--all', '--option', 'plugin=both'];
  const token = tokenIn((await vmwright(folder, ['plan', ...risky], { env })).stdout);
  const unconfirmed = await vmwright(folder, ['run', ...risky, '--approve', token], { env });
  expect(unconfirmed.stderr).toContain('RISK_UNCONFIRMED');
  expect(unconfirmed.exitCode).toBe(4);
  expect(everything(folder)).toEqual(before);

  writeRunProjectBroken(folder);
  const broken = await vmwright(folder, ['run', '--all'], { env: { ...env, VMWRIGHT_GATE: 'off' } });
  expect(broken.exitCode).toBe(2);
  expect(existsSync(join(folder, 'test-results'))).toBe(false);
  expect([cluster.connections(), chat.posts]).toEqual([0, []]);
  chat.close();
  cluster.close();
});

function writeRunProjectBroken(folder: string): void {
  rmSync(folder, { recursive: true });
  writeRunProject(folder, [{ name: 'a1', vm: 5 }], { 'smoke.spec.ts': SMOKE });
}

test('A50: a run of an explicit list with a blacklisted machine ends before anything is asked, started or stored', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  writeRunProject(folder, THREE, { 'smoke.spec.ts': SMOKE });
  const [chat, cluster] = [await startChat(), await startCluster()];
  // Nobody has to approve, so that nothing else stops it; a lease takes a connection to the cluster.
  const env = { ...chat.env, ...cluster.env, VMWRIGHT_GATE: 'off' };
  const before = everything(folder);
  for (const more of [[], ['--categorize', '--no-watch']]) {
    const refused = await vmwright(folder, ['run', '--vms', 'a1,old', ...more], { env });
    expect(refused.exitCode, more.join(' ')).not.toBe(0);
    expect(refused.stderr).toMatch(/HOST_BLACKLISTED[^]*\bold\b[^]*RE-CREATE/);
    expect(refused.stdout).not.toContain('host: a1');
  }
  expect(everything(folder)).toEqual(before);
  const flagged = ['run', '--vms', 'a1,old', '--allow-blacklisted', '--build-name', 'flagged'];
  await vmwright(folder, flagged, { env });
  const journal = readFileSync(join(folder, 'test-results/state/flagged/journal.jsonl'), 'utf8');
  expect(journal).toMatch(/"test-end"[^\n]*"host":"a1"/);
  expect(chat.posts.every((text) => text.includes('flagged'))).toBe(true);
  expect(cluster.connections()).toBe(0);
  chat.close();
  cluster.close();
});

test('VE14: a blacklisted machine that is allowed runs and is reported as what it did, alone, with others and in groups', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const rows = [
    { name: 'a1', family: 'f' },
    { name: 'good', family: 'f', skip: 'RE-CREATE' },
    { name: 'bad', family: 'g', skip: 'NO DISK' },
    { name: 'other', family: 'g', skip: 'GONE' },
  ];
  writeRunProject(folder, rows, {
    'smoke.spec.ts': `
import { appendFileSync } from 'node:fs';
import { expect, test } from '${ROOT}/fixtures/index.ts';
test('t', ({ machine }) => {
  appendFileSync('ran.txt', machine.name + '\\n');
  expect(machine.name).not.toBe('bad');
});`,
  });
  const env = { VMWRIGHT_GATE: 'off', VMWRIGHT_ALLOW_BLACKLISTED: 'other' };
  const run = async (
    ...args: string[]
  ): Promise<{ exitCode: number; hosts: string; state: string; ran: string[] }> => {
    rmSync(join(folder, 'ran.txt'), { force: true });
    const { exitCode, stdout } = await vmwright(folder, ['run', ...args, '--build-name', 'night'], { env });
    const ran = existsSync(join(folder, 'ran.txt')) ? readFileSync(join(folder, 'ran.txt'), 'utf8') : '';
    const shown = (await vmwright(folder, ['status', '--build', 'night'], { env })).stdout;
    const [, state = ''] = /^state: (\w+)/m.exec(shown) ?? [];
    expect(stdout).toContain('blacklisted');
    return {
      exitCode,
      hosts: hostLines(shown).replaceAll(/ - .* at .*| - test .*/g, ''),
      state,
      ran: ran.split('\n').filter(Boolean).sort(),
    };
  };
  expect(await run('--vms', 'good', '--allow-blacklisted')).toEqual({
    exitCode: 0,
    state: 'COMPLETED',
    hosts: 'good - PASS',
    ran: ['good'],
  });
  expect(await run('--vms', 'a1,good,bad', '--allow-blacklisted', '--categorize')).toEqual({
    exitCode: 1,
    state: 'FAILED',
    hosts: 'a1 - PASS\ngood - PASS\nbad - FAIL',
    ran: ['a1', 'bad', 'good'],
  });
  // What the environment allows is not in a plan that leaves it out.
  const broad = await vmwright(folder, ['run', '--all', '--build-name', 'broad'], { env });
  expect(broad.exitCode).toBe(0);
  expect(hostLines(broad.stdout)).toMatch(/a1 - PASS\ngood - SKIP - RE-CREATE[^]*other - SKIP - GONE/);
});

test('VE14: a config whose projects leave out what the plan allows is a mismatch, and nothing starts', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  writeRunProject(
    folder,
    THREE,
    { 'smoke.spec.ts': SMOKE },
    {
      config: `projects: matrix.map(({ name, skip }) => ({ name, metadata: { vmwright: { host: name, skip } } })),`,
    },
  );
  const env = { VMWRIGHT_GATE: 'off' };
  const refused = await vmwright(folder, ['run', '--vms', 'a1,old', '--allow-blacklisted'], { env });
  expect(refused.stderr).toMatch(/PLAN_MISMATCH[^]*missing: \[old\][^]*projectsFrom/);
  expect(refused.exitCode).toBe(1);
  expect(existsSync(join(folder, 'test-results'))).toBe(false);
});

test('A9, A65, A125: a spec that is gone since the plan stops the run; a confirmed risk does not; the flow is that of the specs, planned or by the config', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const suites = SUITES.replace(`['smoke.spec.ts']`, `['smoke.spec.ts', 'more.spec.ts']`);
  writeRunProject(folder, ['a1'], { 'smoke.spec.ts': SMOKE, 'more.spec.ts': SMOKE }, { suites });
  const selection = ['--all', '--option', 'plugin=both', '--confirm-risk', 'both', '--build-name', 'night'];
  const token = tokenIn((await vmwright(folder, ['plan', ...selection])).stdout);
  const command = ['run', ...selection, '--approve', token];
  const more = join(folder, 'more.spec.ts');
  const text = readFileSync(more, 'utf8');
  rmSync(more);
  const stopped = await vmwright(folder, command);
  expect(stopped.stderr).toContain('PLAN_MISMATCH');
  expect(stopped.stderr).toContain('missing: [more.spec.ts on a1] extra: []');
  expect(existsSync(join(folder, 'test-results/state'))).toBe(false);
  writeRunProject(
    join(folder, 'again'),
    ['a1'],
    { 'smoke.spec.ts': SMOKE, 'more.spec.ts': text },
    { suites },
  );
  const again = join(folder, 'again');
  expect((await vmwright(again, command)).exitCode).toBe(0);
  const flow = (): unknown =>
    (JSON.parse(readFileSync(join(again, 'test-results/summary/summary.json'), 'utf8')) as { flow: unknown })
      .flow;
  const planned = flow();
  expect(planned).toEqual(['more', 'smoke'].map((suite) => ({ suite, steps: ['start', 'log in'] })));
  await runPlaywright(again, ['test']);
  expect(flow()).toEqual(planned);
});

test('A30, A77, A172, P-A9, P-A16: groups run one after another, each posted once; the plan stays as it was', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const state = join(folder, 'test-results/state/night');
  const rows = [
    { name: 'u1', family: 'ubuntu' },
    { name: 'redhat', family: 'ubuntu' },
    { name: 's1', family: 'suse' },
    { name: 'w1', family: 'win' },
  ];
  const spec = `
import { copyFileSync } from 'node:fs';
import { test } from '@playwright/test';
test('smoke', ({}, testInfo) => { copyFileSync('test-results/state/night/run.json', testInfo.project.name + '.json'); });`;
  writeRunProject(folder, rows, { 'smoke.spec.ts': spec });
  const chat = await startChat();
  const env = { ...chat.env, VMWRIGHT_GATE: 'off' };
  const command = ['run', '--all', '--categorize', '--build-name', 'night'];
  const ran = await vmwright(folder, command, { env });
  expect(ran.exitCode).toBe(0);
  const rowsOf = (text: string): string[] =>
    [...text.matchAll(/^\| (\w+) \| unknown \|/gm)].map(([, host]) => host!);
  expect(chat.posts.map(rowsOf)).toEqual([['u1', 'redhat'], ['s1'], ['w1']]);
  const record = (name: string): { plan: string; groups: unknown } =>
    JSON.parse(readFileSync(join(folder, name), 'utf8')) as { plan: string; groups: unknown };
  const final = record('test-results/state/night/run.json');
  for (const host of ['u1', 'redhat', 's1', 'w1']) {
    expect(record(`${host}.json`).plan).toBe(final.plan);
    expect(record(`${host}.json`).groups).toEqual(final.groups);
  }
  const { stdout } = await vmwright(folder, ['status'], { env });
  expect(hostLines(stdout)).toBe('u1 - PASS\nredhat - PASS\ns1 - PASS\nw1 - PASS');
  expect(stdout).toContain('state: COMPLETED');
  expect(readdirSync(join(state, 'groups'))).toEqual(['suse', 'ubuntu', 'win']);
  chat.close();
});

test('VE17: a run in groups is one post a group, each of its own evidence, and none of the whole', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const groups = join(folder, 'test-results/state/night/groups');
  writeRunProject(
    folder,
    [
      { name: 'u1', family: 'ubuntu' },
      { name: 's1', family: 'suse' },
      { name: 'w1', family: 'win' },
    ],
    { 'smoke.spec.ts': SMOKE },
  );
  const chat = await startChat();
  const gate = { VMWRIGHT_GATE: 'off' };
  const post = (build: string, more: readonly string[] = []): Promise<{ exitCode: number; stderr: string }> =>
    vmwright(folder, ['post', '--build', build, ...more], { env: { ...chat.env, ...gate } });
  // Nobody listens to the run itself: what is posted, `post` posts.
  const env = { ...gate, BROKEN: 's1' };
  await vmwright(folder, ['run', '--all', '--categorize', '--build-name', 'night'], { env });
  for (const more of [[], ['--correction', 'why'], ['--not-there']]) {
    const whole = await post('night', more);
    expect(whole.stderr).toMatch(
      /POST_REFUSED[^]*--build night\/groups\/ubuntu, --build night\/groups\/suse/,
    );
    expect(whole.exitCode).toBe(1);
  }
  expect(chat.posts).toEqual([]);

  // A group with another's journal: it is of this run and says nothing of the group's machines.
  const win = join(groups, 'win/journal.jsonl');
  const own = readFileSync(win, 'utf8');
  writeFileSync(win, own.replace(/"run":"[^"]+"/, '"run":"another"'));
  expect((await post('night/groups/win')).stderr).toContain('POST_REFUSED');
  writeFileSync(win, readFileSync(join(groups, 'ubuntu/journal.jsonl'), 'utf8'));
  expect((await post('night/groups/win')).stderr).toContain('POST_REFUSED');
  writeFileSync(win, own);
  expect(chat.posts).toEqual([]);

  for (const group of ['ubuntu', 'suse', 'win']) {
    expect((await post(`night/groups/${group}`)).exitCode).toBe(0);
    expect((await post(`night/groups/${group}`)).stderr).toContain('POST_DONE');
  }
  const told = chat.posts.map((text) =>
    [...text.matchAll(/^\| (\w+) \| unknown \| \S+ (\w+) /gm)].map(
      ([, host, status]) => `${host!} ${status!}`,
    ),
  );
  expect(told).toEqual([['u1 PASS'], ['s1 FAIL'], ['w1 PASS']]);
  expect((await post('night')).stderr).toContain('POST_REFUSED');
  expect(chat.posts).toHaveLength(3);
  chat.close();
});

test('A40, A41: a runner that never exits is ended after its results are stored, its workers with it', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  writeRunProject(
    folder,
    ['a1'],
    {
      'smoke.spec.ts': `
import { writeFileSync } from 'node:fs';
import { test } from '@playwright/test';
test('smoke', () => {
  writeFileSync('worker-pid', String(process.pid));
  process.on('exit', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});`,
    },
    {
      head: `
import { readFileSync, writeFileSync } from 'node:fs';
if (process.env.TEST_WORKER_INDEX === undefined) process.on('SIGTERM', () => {
  writeFileSync('at-signal', readFileSync('test-results/state/night/journal.jsonl', 'utf8'));
  process.exit(143);
});`,
    },
  );
  const chat = await startChat();
  const ran = await vmwright(folder, ['run', '--all', '--build-name', 'night', '--grace', '1'], {
    env: { ...chat.env, VMWRIGHT_GATE: 'off' },
  });
  expect(readFileSync(join(folder, 'at-signal'), 'utf8')).toMatch(/"test-end".*"outcome":"passed"/);
  // Its results stand; what its teardown would have said nobody knows, so it is no good news that is posted.
  const told = readFileSync(join(folder, 'test-results/summary/summary.md'), 'utf8');
  expect(told).toContain('_state: HUNG (ended');
  expect(told).toContain('| a1 | unknown | ✅ PASS | completed |');
  expect(told).toContain('the runner did not exit after the last result and was ended');
  expect(ran.output).toContain('not posted: ');
  expect([ran.exitCode, chat.posts]).toEqual([143, []]);
  const worker = Number(readFileSync(join(folder, 'worker-pid'), 'utf8'));
  await expect
    .poll(
      () => existsSync(`/proc/${worker}/cmdline`) && readFileSync(`/proc/${worker}/cmdline`, 'utf8') !== '',
    )
    .toBe(false);
  chat.close();
});

test('A71: typed in a terminal, "approve without watcher" runs and posts nothing; anything else does not run', async ({}, testInfo) => {
  requirePeer(test, 'script');
  const folder = testInfo.outputPath('p');
  writeRunProject(folder, ['a1'], { 'smoke.spec.ts': SMOKE });
  const chat = await startChat();
  const terminal = { columns: 120, rows: 40 };
  const answer = async (text: string): Promise<string> => {
    const command = startCommand(folder, ['run', '--all', '--build-name', 'night'], {
      env: chat.env,
      terminal,
    });
    await command.saw(/approve without watcher/);
    command.child.stdin.write(`${text}\n`);
    const { exitCode, stdout } = await command.done;
    return `${exitCode} ${stdout}`;
  };
  expect(await answer('yes')).toMatch(/^4 [^]*APPROVAL_NEEDED/);
  expect(existsSync(join(folder, 'test-results'))).toBe(false);
  expect(await answer('approve without watcher')).toMatch(/^0 [^]*a1 - [^]*PASS/);
  const phases = lines(join(folder, 'test-results/state/night/phases.jsonl')).map(({ phase }) => phase);
  expect(phases).not.toContain('watch');
  expect(chat.posts).toEqual([]);
  expect(await answer('approve')).toContain('posted night: COMPLETED');
  expect(chat.posts).toHaveLength(1);
  chat.close();
});

test('A75, A79: during a run status is live and redraws; a second run of its machines is refused', async ({}, testInfo) => {
  requirePeer(test, 'script');
  const folder = testInfo.outputPath('p');
  writeRunProject(folder, ['a1', 'a2'], {
    'smoke.spec.ts': `
import { existsSync } from 'node:fs';
import { test } from '@playwright/test';
test('smoke', async ({}, testInfo) => {
  testInfo.setTimeout(60_000);
  await test.step('wait for the operator, whose terminal is much narrower than this title', async () => {
    while (!existsSync('go')) await new Promise((done) => setTimeout(done, 50));
  });
});`,
  });
  const [chat, cluster] = [await startChat(), await startCluster()];
  const env = { ...chat.env, ...cluster.env, VMWRIGHT_GATE: 'off' };
  const command = ['run', '--all', '--build-name', 'night'];
  const running = startCommand(folder, command, { env });
  const journal = join(folder, 'test-results/state/night/journal.jsonl');
  await expect
    .poll(() => existsSync(journal) && readFileSync(journal, 'utf8').includes('step-begin'), {
      timeout: 60_000,
    })
    .toBe(true);
  const live = await vmwright(folder, ['status'], { env });
  expect(live.stdout).toMatch(/^state: RUNNING \(live, as of/m);
  expect(hostLines(live.stdout)).toBe('a1 - RUN - in progress - step 1/1\na2 - WAIT - not started');
  expect(live.exitCode).toBe(0);
  const refused = await vmwright(folder, command, { env });
  expect(refused.stderr).toMatch(/RUN_ACTIVE[^]*night, process \d+/);
  const early = await vmwright(folder, ['post'], { env });
  expect(early.stderr).toContain('its state is RUNNING');

  const watch = startCommand(folder, ['status', '--watch'], { env, terminal: { columns: 50, rows: 60 } });
  await watch.saw(/\u001b\[H[^]*\u001b\[H/);
  writeFileSync(join(folder, 'go'), '');
  const { stdout, exitCode } = await watch.done;
  expect(exitCode).toBe(0);
  const frames = stdout
    .split('\u001b[H')
    .slice(1)
    .filter((frame) => frame.includes('HOSTS'));
  expect(frames.length).toBeGreaterThan(1);
  for (const frame of frames.slice(0, -1)) {
    for (const line of frame.split('\n'))
      expect(line.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, '').trimEnd().length).toBeLessThanOrEqual(50);
  }
  expect(frames.at(-1)).toMatch(/state: COMPLETED \(historical/);
  expect((await running.done).exitCode).toBe(0);
  expect(cluster.connections()).toBe(0);
  chat.close();
  cluster.close();
});
