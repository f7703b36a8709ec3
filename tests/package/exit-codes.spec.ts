/** What `vmwright` exits with, and what its help says, through the real command line. */
import { expect, test } from '@playwright/test';
import { exitCodeOfRun } from '../../cli/exit-codes.ts';
import type { HostModel } from '../../runs/verdict.ts';
import type { RunModel } from '../../runs/model.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { vmwright, writeMachineProject } from '../runs/command.ts';
import { writeProject } from '../support/runner.ts';

/** A test that asks the machine something; time-outs are short. */
function writeAsking(folder: string, body: string): void {
  const spec = `test('answers', async ({ ssh }) => { ${body} });`;
  writeMachineProject(folder, spec, '{ timeoutScale: 0.2 }');
}

/** The gate is off, as in CI; time-outs are short: what does not answer will not. */
function environment(lab: Lab): Record<string, string> {
  return { ...lab.env(), VMWRIGHT_GATE: 'off', TIMEOUT_SCALE: '0.1' };
}

test('P-M39: a run exits with 3 when its machine is unreachable, and with 1 when a test failed', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const failing = info.outputPath('failing');
    writeAsking(failing, 'expect((await ssh.exec(sh`echo 1`)).stdout).toBe("2");');
    const failed = await vmwright(failing, ['run', '--all'], { env: environment(lab) });
    expect(failed.output).toMatch(/\nfedora42 - FAIL/);
    expect(failed.exitCode).toBe(1);

    lab.faults.set('fedora42', 'no-ssh', true);
    const untested = info.outputPath('untested');
    writeAsking(untested, 'await ssh.exec(sh`true`);');
    const unreachable = await vmwright(untested, ['run', '--all'], { env: environment(lab) });
    expect(unreachable.output).toContain('[SSH_UNREACHABLE]');
    expect(unreachable.exitCode).toBe(3);
    expect((await vmwright(untested, ['status'])).exitCode).toBe(3);
  } finally {
    await lab.stop();
  }
  const gone = { ...environment(lab), PROXMOX_CA_FILE: '' };
  const vms = await vmwright(info.outputPath('untested'), ['vms'], { env: gone });
  expect(vms.output).toContain('[PROXMOX_UNREACHABLE]');
  expect(vms.exitCode).toBe(3);
});

test('one failure that may be the application’s makes a run failed', () => {
  const host = (status: HostModel['status'], ...excerpts: string[]): HostModel => ({
    host: 'a',
    family: undefined,
    kernel: 'unknown',
    status,
    detail: '',
    startedAt: undefined,
    endedAt: undefined,
    durationMs: undefined,
    failures: excerpts.map((excerpt) => ({ where: 'x', excerpt })),
    pending: 0,
    isWorking: false,
    isUnreadable: false,
    suites: [],
    tests: [],
  });
  const of = (state: RunModel['state'], ...hosts: HostModel[]): number => exitCodeOfRun({ state, hosts });
  const away = 'VmwrightError: [SSH_UNREACHABLE] fedora42: no';
  expect(of('COMPLETED', host('PASS'))).toBe(0);
  expect(of('FAILED', host('PASS'), host('SKIP'), host('FAIL', away, '[LEASE_HELD] VM 101: held'))).toBe(3);
  expect(of('FAILED', host('FAIL', away), host('FAIL', 'Error: expected 2'))).toBe(1);
  expect(of('FAILED', host('FAIL', away, 'Error: a log that quotes [SSH_UNREACHABLE] '))).toBe(1);
  // No evidence is no excuse.
  expect(of('FAILED', host('FAIL', away), host('UNKNOWN'))).toBe(1);
  expect(of('FAILED', host('PASS'))).toBe(1);
  expect(of('CANCELLED', host('FAIL', away))).toBe(1);
});

test('wrong usage is 2 with a hint; help and version are 0', async ({}, info) => {
  const folder = info.outputPath('empty');
  writeProject(folder, {});
  const unknown = await vmwright(folder, ['fly']);
  expect(unknown.output).toContain("unknown command 'fly'");
  expect(unknown.output).toContain('(add --help for the usage)');
  expect(unknown.exitCode).toBe(2);
  const noMatrix = await vmwright(folder, ['plan', '--all']);
  expect(noMatrix.output).toMatch(/^\[PLAN_INVALID\]/);
  expect(noMatrix.exitCode).toBe(2);
  const help = await vmwright(folder, ['--help']);
  expect(help.output).toMatch(/Exit codes:\n(?: {2}\d {2}.+\n){5}/);
  for (const command of ['init', 'vms', 'doctor', 'lab', 'plan', 'run', 'status', 'recover']) {
    expect(help.output).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  }
  expect(help.exitCode).toBe(0);
  expect((await vmwright(folder, ['--version'])).output).toMatch(/^\d+\.\d+\.\d+\n$/);
});
