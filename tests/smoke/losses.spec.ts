import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'dotenv';
import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { ROOT } from '../support/runner.ts';

/** Says so in mid-test, and then waits for a screen that never comes: only the loss can end that early. */
const WAITS = `
test('loses something', async ({ app, vncPage }) => {
  await app.launch({ showing: HARBOR.login });
  await test.step('wait', async () => {
    console.log('IN MID-TEST');
    await expect(vncPage).toShowText('Never on this screen', { timeout: 100_000 });
  });
});`;

/** The same, with a command that takes for ever. */
const RUNS = `
test('loses something', async ({ ssh }) => {
  await test.step('run', async () => {
    console.log('IN MID-TEST');
    await ssh.exec('sleep 100', { timeout: 100_000 });
  });
});`;

/** The runner's own time-out never comes into it. */
const NOT_TIMED_OUT = /Test timeout of/;

function inMidTest(action: () => void): (text: string) => void {
  let done = false;
  return (text) => {
    if (done || !text.includes('IN MID-TEST')) return;
    done = true;
    action();
  };
}

test.describe('with a lab in this process', () => {
  let lab: Lab;
  test.beforeEach(async () => {
    lab = await startLab({ guests: ['fedora42'] });
  });
  test.afterEach(async () => {
    await lab.stop();
  });

  test('a VNC server that goes away in mid-test is named, and the summary is true', async ({}, info) => {
    const run = await runOnLab(lab, info.outputPath('p'), {
      spec: WAITS,
      onOutput: inMidTest(() => lab.faults.set('fedora42', 'no-vnc', true)),
    });
    expect(run.exitCode).toBe(1);
    expect(run.output).not.toMatch(NOT_TIMED_OUT);
    expect(run.summary).toMatch(
      /fedora42 - FAIL - step 1 "wait" - \[VNC_(CONNECTION_LOST|REFUSED)\] fedora42/,
    );
    expect(run.summary).toContain('state: FAILED');
  });

  test('a VNC connection that is cut once is made anew, and the test goes on', async ({}, info) => {
    const run = await runOnLab(lab, info.outputPath('p'), {
      spec: WAITS.replace("'Never on this screen', { timeout: 100_000 }", "'Password'"),
      onOutput: inMidTest(() => lab.faults.set('fedora42', 'drop-vnc', true)),
    });
    expect(run.output).toContain('1 passed');
  });

  test('an sshd that goes away in mid-command is named, and the summary is true', async ({}, info) => {
    const run = await runOnLab(lab, info.outputPath('p'), {
      spec: RUNS,
      onOutput: inMidTest(() => lab.faults.set('fedora42', 'no-ssh', true)),
    });
    expect(run.exitCode).toBe(1);
    expect(run.output).not.toMatch(NOT_TIMED_OUT);
    expect(run.summary).toMatch(/fedora42 - FAIL - step 1 "run" - \[SSH_CONNECTION_LOST\] fedora42/);
    expect(run.summary).toContain('state: FAILED');
  });
});

test('a Proxmox that dies in mid-test is named, and the run still ends with a true summary', async ({}, info) => {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'lab/serve.ts', '--guests', 'fedora42,windows11'],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const file = await new Promise<string>((done) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /ready: env=(.+)/.exec(line)?.[1];
      if (found !== undefined) done(found);
    });
  });
  const env = parse(readFileSync(file));
  const run = await runOnLab({ env: () => env }, info.outputPath('p'), {
    spec: WAITS,
    machines: ['fedora42', 'windows11'],
    args: ['--workers=1'],
    onOutput: inMidTest(() => child.kill('SIGKILL')),
  });
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(run.exitCode).toBe(1);
  expect(run.output).not.toMatch(NOT_TIMED_OUT);
  expect(run.summary).toMatch(/fedora42 - FAIL - step 1 "wait" - \[(VNC|PROXMOX)_\w+\] /);
  expect(run.summary).toMatch(/windows11 - FAIL - .*\[PROXMOX_UNREACHABLE\].*127\.0\.0\.1/);
  expect(run.summary).toMatch(/finished +2\npassed +0\nfailed +2\n/);
});
