/** Traces, crashes and recovery through the real runner, against a lab. */
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { recover } from '../../cli/recover.ts';
import { pidExists, readStart } from '../../fixtures/process/view.ts';
import { renderNotes } from '../../fixtures/lease/record.ts';
import type { Snapshot } from '../../fixtures/trace/sample.ts';
import { currentRun } from '../../cli/status.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { recordOf, runOf } from '../lease/support/lease.ts';
import { type LabRunOptions, runOnLab } from '../support/lab-project.ts';
import { ROOT, runPlaywright } from '../support/runner.ts';

let lab: Lab;
test.beforeEach(async () => {
  lab = await startLab({ guests: ['fedora42', 'windows11'] });
});
test.afterEach(async () => {
  await lab.stop();
});

interface Place {
  readonly folder: string;
  readonly shm: string;
  readonly sessions: string;
  readonly state: string;
  readonly env: Record<string, string>;
}

function placeIn(root: string): Place {
  const [shm, sessions] = [join(root, 'shm'), join(root, 'sessions')];
  mkdirSync(shm, { recursive: true });
  return {
    folder: join(root, 'p'),
    shm,
    sessions,
    state: join(root, 'p/test-results/state'),
    env: { VMWRIGHT_TRACE_DIR: shm, VMWRIGHT_SESSIONS_DIR: sessions, VMWRIGHT_BUILD_NAME: 'nightly' },
  };
}

function traced(spec: string): string {
  return `test.use({ guestTrace: { mode: 'on', intervalMs: 50 } });\n${spec}`;
}

/** Ends the runner when `AT <step>` is printed, and with `all` its worker too, as the end of a CI job does. */
function killAt(step: number, all = true): NonNullable<LabRunOptions['onOutput']> {
  let killed = false;
  return (text, pid) => {
    const worker = new RegExp(`^AT ${step} (\\d+)$`, 'm').exec(text)?.[1];
    if (killed || worker === undefined) return;
    killed = true;
    process.kill(pid, 'SIGKILL');
    if (all) process.kill(Number(worker), 'SIGKILL');
  };
}

function sessionsIn({ sessions }: Place): string[] {
  return existsSync(sessions) ? readdirSync(sessions).filter((name) => !/\.jsonl$|^\./.test(name)) : [];
}

function jsonLines<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Waits until the worker that traces has followed its runner. */
async function workerEnds({ shm }: Place): Promise<void> {
  const pid = Number(/vmwright_trace_(\d+)/.exec(readdirSync(shm).join(' '))?.[1]);
  await expect.poll(() => pidExists(pid) && readStart(pid) !== 'gone', { timeout: 40_000 }).toBe(false);
}

/** What was written counts as old. */
function age(folder: string): void {
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), 1000, 1000);
}

async function recovered(place: Place, options: { dryRun?: boolean; force?: string } = {}): Promise<string> {
  let text = '';
  const stdout = { write: (part: string) => (text += part) };
  const env = { ...lab.env(), ...place.env };
  await recover({ state: place.state, matrix: join(ROOT, 'vm-matrix.ts'), ...options }, stdout, env);
  return text;
}

function notes(): string {
  return String(lab.machine('fedora42').config.description ?? '');
}

test('T3, P-T3: a run that ends leaves nothing in shared memory; its session tells of the worker and the guest', async ({}, info) => {
  test.slow(); // two systems
  for (const machine of ['fedora42', 'windows11']) {
    const place = placeIn(info.outputPath(machine));
    const run = await runOnLab(lab, place.folder, {
      machines: [machine],
      env: place.env,
      spec: traced(`
test('traced', async ({ app }, info) => {
  console.log('PID ' + process.pid);
  await app.launch();
  const { readdirSync, readFileSync } = await import('node:fs');
  const dir = process.env.VMWRIGHT_TRACE_DIR;
  const seen = () => readFileSync(dir + '/vmwright_trace_' + process.pid + '.jsonl', 'utf8').includes('arbor');
  await expect.poll(seen).toBe(true);
  console.log('FILES ' + readdirSync(dir).length);
});`),
    });
    expect(run.output).toContain('1 passed');
    expect(run.output).toContain('FILES 2');
    expect(readdirSync(place.shm)).toEqual([]);
    const [session] = sessionsIn(place);
    const snapshots = jsonLines<Snapshot>(join(place.sessions, session!, 'proc_trace.jsonl'));
    const pid = Number(/PID (\d+)/.exec(run.output)?.[1]);
    for (const snapshot of snapshots) expect(snapshot).toMatchObject({ pid, comm: 'node' });
    const names = new Set(snapshots.flatMap(({ sample }) => sample?.processes.map(({ comm }) => comm) ?? []));
    expect([...names]).toEqual([machine === 'fedora42' ? 'harbor-chat' : 'HarborChat.exe']);
    expect(snapshots.filter(({ error }) => error !== undefined)).toEqual([]);
    const times = snapshots.map(({ capturedAt }) => capturedAt);
    expect(times).toEqual([...new Set(times)].sort());
  }
});

test('T53: the default config in a worker of a user throws nothing; the option is exported', async ({}, info) => {
  const place = placeIn(info.outputPath());
  const run = await runOnLab(lab, place.folder, {
    spec: `
import { loadTraceSettings } from '${ROOT}/fixtures/trace/config.ts';
test('default', async ({ isolatedTraceConfig }, info) => {
  console.log('DEFAULT ' + loadTraceSettings().config.tmpfsPath + ' ' + process.env.TEST_WORKER_INDEX);
  expect(isolatedTraceConfig.tmpfsPath.startsWith(info.outputDir)).toBe(true);
});`,
  });
  expect(run.output).toContain('DEFAULT /dev/shm 0');
  expect(run.output).toContain('1 passed');
});

test('T62: what lies in the home of whoever runs it changes nothing', async ({}, info) => {
  const home = info.outputPath('home');
  for (const name of ['.config/vmwright/config', '.local/state/vmwright/sessions']) {
    mkdirSync(join(home, name, '..'), { recursive: true });
    writeFileSync(join(home, name), '{ poison');
  }
  const place = placeIn(info.outputPath());
  const run = await runOnLab(lab, place.folder, {
    env: { HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_STATE_HOME: join(home, '.local/state') },
    spec: `test('runs', async ({ ssh }) => { await ssh.exec('true'); });`,
  });
  expect(run.output).toContain('1 passed');
});

const STEPS = `
test('steps', async ({ app, ssh }) => {
  for (const n of [1, 2, 3]) {
    await test.step('step number ' + n, async () => {
      console.log('AT ' + n + ' ' + process.pid);
      if (process.env.STOP_AT === String(n)) for (;;) await ssh.exec('sleep 0.05');
    });
  }
});`;

test('T27: a run that is killed at any step is finished by the next one, with everything it had written', async ({}, info) => {
  test.slow(); // six runs
  for (const step of [1, 3]) {
    const place = placeIn(info.outputPath(String(step)));
    const killed = await runOnLab(lab, place.folder, {
      spec: traced(STEPS),
      env: { ...place.env, STOP_AT: String(step) },
      onOutput: killAt(step),
    });
    expect(killed.exitCode).toBe(-1);
    expect(notes()).toContain('vmwright lease');
    await workerEnds(place);
    const journal = readFileSync(join(place.state, 'nightly/journal.jsonl'), 'utf8');
    expect(journal).toContain(`step number ${step}`);
    const snapshots = readFileSync(
      join(
        place.shm,
        readdirSync(place.shm).find((name) => name.endsWith('.jsonl'))!,
      ),
      'utf8',
    );
    age(place.shm);

    const env = { ...lab.env(), ...place.env, SSH_KNOWN_HOSTS_FILE: join(place.folder, 'known_hosts') };
    const next = await runPlaywright(place.folder, ['test'], { env });
    expect(next.output).toContain('1 passed');
    expect(next.output).toMatch(
      new RegExp(
        `vmwright recover: run nightly \\(process \\d+\\) was cut off and finished as crashed: fedora42 FAIL - crashed at step ${step}`,
      ),
    );
    expect(next.output).toMatch(
      /vmwright recover: trace of fedora42 finished as crashed \(process \d+ is gone\)/,
    );
    expect(notes()).toBe('');
    expect(readdirSync(place.shm)).toEqual([]);
    const run = sessionsIn(place).find((name) => name.startsWith('run_nightly_'))!;
    expect(readFileSync(join(place.sessions, run, 'journal.jsonl'), 'utf8')).toBe(journal);
    const trace = sessionsIn(place).find((name) => name.startsWith('crashed_'))!;
    expect(
      readFileSync(join(place.sessions, trace, 'proc_trace.jsonl'), 'utf8').startsWith(
        snapshots.slice(0, snapshots.lastIndexOf('\n') + 1),
      ),
    ).toBe(true);
    expect(JSON.parse(readFileSync(join(place.sessions, run, 'summary.json'), 'utf8'))).toMatchObject({
      subtype: 'crashed',
      success: false,
      hosts: [{ host: 'fedora42', status: 'FAIL', detail: `crashed at step ${step}` }],
    });
    expect((await runPlaywright(place.folder, ['test'], { env })).output).not.toContain('vmwright recover');
  }
});

test('T40: the crashed run’s machine is free again although the next run never takes it', async ({}, info) => {
  test.slow(); // two runs
  const place = placeIn(info.outputPath());
  const machines = ['fedora42', 'windows11'];
  await runOnLab(lab, place.folder, {
    machines,
    args: ['--project=fedora42'],
    spec: traced(STEPS),
    env: { ...place.env, STOP_AT: '2' },
    onOutput: killAt(2),
  });
  expect(notes()).toContain('vmwright lease');
  await workerEnds(place);
  age(place.shm);
  const env = { ...lab.env(), ...place.env, SSH_KNOWN_HOSTS_FILE: join(place.folder, 'known_hosts') };
  const next = await runPlaywright(place.folder, ['test', '--project=windows11'], { env });
  expect(next.output).toContain('1 passed');
  expect(next.output).toMatch(/vmwright recover: VM 101 \(fedora42\)[^\n]* freed \(its processes are gone\)/);
  expect(notes()).toBe('');
  expect(readdirSync(place.shm)).toEqual([]);
});

test('T48: `vmwright recover` frees what a killed run held, tells first with --dry-run, and does it once; the index is for nobody', async ({}, info) => {
  lab.machine('fedora42').config.description = 'Owner: desktop team';
  const place = placeIn(info.outputPath());
  await runOnLab(lab, place.folder, {
    spec: traced(STEPS),
    env: { ...place.env, STOP_AT: '2' },
    onOutput: killAt(2, false),
  });
  await workerEnds(place);
  age(place.shm);
  const held = notes();
  const plan = await recovered(place, { dryRun: true });
  expect(plan).toMatch(
    /run nightly \(process \d+\) was cut off and would be finished as crashed: fedora42 FAIL - crashed at step 2/,
  );
  expect(plan).toMatch(/VM 101 \(fedora42\) on pve would be freed \(its processes are gone\): run /);
  expect([notes(), sessionsIn(place), readdirSync(place.shm).length]).toEqual([held, [], 2]);
  const done = await recovered(place);
  expect(done).toMatch(/VM 101 \(fedora42\) on pve freed \(its processes are gone\): run /);
  expect([notes(), sessionsIn(place).length, readdirSync(place.shm)]).toEqual(['Owner: desktop team', 2, []]);
  const again = await recovered(place);
  expect(again).not.toContain('freed');
  expect(again).not.toContain('finished');
  const status = () => currentRun({ state: place.state }, Date.now()).model;
  const before = status();
  expect(before).toMatchObject({ state: 'TERMINATED', hosts: [{ host: 'fedora42', status: 'FAIL' }] });
  writeFileSync(join(place.sessions, 'sessions.jsonl'), 'nonsense\n');
  expect(status()).toEqual(before);
});

test('leases of the living, of others and of the unknown are kept; --force names one', async ({}, info) => {
  const place = placeIn(info.outputPath());
  const { config } = lab.machine('fedora42');
  const alien = renderNotes('Note', recordOf(runOf('4711', { host: 'ci-3', boot: 'another' })));
  config.description = alien;
  expect(await recovered(place)).toContain(
    'VM 101 (fedora42) on pve stays held (of another host, boot or container',
  );
  expect(await recovered(place, { force: 'another' })).toContain('stays held');
  expect(config.description).toBe(alien);
  config.description = `${alien.slice(0, -20)} edited`;
  expect(await recovered(place, { force: '4711' })).toContain(
    'stays held (what the notes say cannot be read)',
  );
  config.description = alien;
  expect(await recovered(place, { force: '4711', dryRun: true })).toContain(
    'would be freed (named by --force)',
  );
  expect(config.description).toBe(alien);
  expect(await recovered(place, { force: '4711' })).toContain('freed (named by --force)');
  expect(config.description).toBe('Note');
});
