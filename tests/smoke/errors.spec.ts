import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { type LabRun, type LabRunOptions, runOnLab } from '../support/lab-project.ts';

let lab: Lab;

test.beforeAll(async () => {
  lab = await startLab();
});
test.afterAll(async () => {
  await lab.stop();
});

const LAUNCHES = `test('smoke', async ({ app }) => { await app.launch(); });`;

async function fails(folder: string, options: Partial<LabRunOptions>): Promise<LabRun> {
  const run = await runOnLab(lab, folder, { spec: LAUNCHES, ...options });
  expect(run.exitCode).toBe(1);
  return run;
}

/** The error's first line and what it says to do, once each in the summary's notes. */
function expectError(run: LabRun, firstLine: RegExp, next: RegExp): void {
  expect(run.summary).toMatch(firstLine);
  expect(run.summary).toMatch(next);
  expect(run.summary).toContain('fedora42 - FAIL');
}

test('an unknown project names those that exist', async ({}, info) => {
  const run = await fails(info.outputPath('p'), { args: ['--project=fedora24'] });
  expect(run.output).toContain('Project(s) "fedora24" not found. Available projects: "fedora42"');
});

test('a missing secret names variable and machine', async ({}, info) => {
  const run = await fails(info.outputPath('p'), { env: { FEDORA42_PASSWORD: undefined } });
  expectError(
    run,
    /\[SECRET_MISSING\] tester on fedora42: the secret FEDORA42_PASSWORD is not set/,
    /set FEDORA42_PASSWORD in the environment or in \.env/,
  );
});

test('an unreachable cluster names address and setting', async ({}, info) => {
  const run = await fails(info.outputPath('p'), { env: { PROXMOX_PORT: '1' } });
  expectError(run, /\[PROXMOX_UNREACHABLE\].*127\.0\.0\.1:1/, /PROXMOX_HOST/);
});

test('a wrong token shows itself at once, without its secret', async ({}, info) => {
  const run = await fails(info.outputPath('p'), {
    env: { PROXMOX_TOKEN_SECRET: '11111111-2222-3333-4444-555555555555' },
  });
  expectError(run, /\[PROXMOX_AUTH_FAILED\]/, /PROXMOX_TOKEN_SECRET/);
  expect(run.output).not.toContain('11111111-2222');
});

test('a missing VM names those that exist', async ({}, info) => {
  const run = await fails(info.outputPath('p'), { change: 'row.vm = 999;' });
  expectError(run, /\[VM_NOT_FOUND\] VM 999/, /101 fedora42/);
});

test('a locked VM names the lock and who may take it off', async ({}, info) => {
  lab.faults.set('fedora42', 'lock:backup', true);
  try {
    const run = await fails(info.outputPath('p'), { env: { TIMEOUT_SCALE: '0.1' } });
    expectError(run, /\[VM_LOCKED\] VM 101 \(fedora42\) on pve: the VM stayed locked/, /qm unlock 101/);
    expect(run.summary).toContain('lock backup');
  } finally {
    lab.faults.set('fedora42', 'lock:backup', false);
  }
});

test('a missing package names machine and pattern', async ({}, info) => {
  const run = await fails(info.outputPath('p'), { change: `row.application.path = '/opt/none/{file}';` });
  expectError(run, /\[PACKAGE_MISSING\] fedora42, Harbor Chat/, /\/opt\/none\/harbor-chat/);
});

test('M3: hardware that VNC cannot see is refused before the first step', async ({}, info) => {
  const { config, snapshots } = lab.machine('fedora42');
  const checkpoint = snapshots.get('ready')?.config as { vga: string };
  checkpoint.vga = 'virtio';
  try {
    const run = await fails(info.outputPath('p'), {});
    expectError(run, /\[HARDWARE_UNSUITABLE\] VM 101/, /set vga=std/);
  } finally {
    checkpoint.vga = 'std';
    config.vga = 'std';
  }
});

test('hardware that the checkpoint sets right is no reason to refuse a machine', async ({}, info) => {
  lab.machine('fedora42').config.vga = 'virtio';
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `test('on', async ({ ssh }) => { await ssh.exec('true'); });`,
  });
  expect(run.output).toContain('1 passed');
  expect(lab.machine('fedora42').config.vga).toBe('std');
});

test('a missing checkpoint names the snapshots that exist', async ({}, info) => {
  const run = await fails(info.outputPath('p'), { change: `row.checkpoint = 'golden';` });
  expectError(
    run,
    /\[SNAPSHOT_NOT_FOUND\] VM 101 \(fedora42\) on pve: there is no snapshot "golden"/,
    /ready/,
  );
});

test('a row that is left out is skipped with its reason, and no machine is touched', async ({}, info) => {
  const before = lab.requests.length;
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: LAUNCHES,
    change: `row.skip = 'RE-CREATE MIGHT BE NEEDED';`,
  });
  expect(run.exitCode).toBe(0);
  expect(run.summary).toContain('fedora42 - SKIP - RE-CREATE MIGHT BE NEEDED');
  expect(lab.requests.length).toBe(before);
});

test('a project that is not of the matrix is told what it lacks', async ({}, info) => {
  const run = await fails(info.outputPath('p'), { withoutMachine: true });
  expect(run.output).toContain('[MACHINE_MISSING] project "fedora42": the project has no machine');
});
