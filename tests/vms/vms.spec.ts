/** `vmwright vms` through the real command line. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { renderNotes } from '../../fixtures/lease/record.ts';
import { startLab } from '../../lab/index.ts';
import { recordOf, runOf } from '../lease/support/lease.ts';
import { ok, startScripted, TOKEN_SECRET } from '../proxmox/support/scripted-server.ts';
import { vmwright } from '../runs/command.ts';
import { ROOT, type RunnerResult } from '../support/runner.ts';

const CHOSEN = ['fedora42', 'manjaro', 'windows10', 'windows11'];

/** A matrix of some rows of the shipped one. @param change JavaScript on `row` */
function writeMatrix(folder: string, change = ''): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'matrix.ts');
  const rows = `matrix.filter(({ name }) => ${JSON.stringify(CHOSEN)}.includes(name)).map((row) => structuredClone(row))`;
  writeFileSync(
    file,
    `import matrix from '${ROOT}/vm-matrix.ts';
const rows = ${rows};
for (const row of rows) { ${change} }
export default rows;`,
  );
  return file;
}

function vms(
  env: Readonly<Record<string, string>>,
  matrix: string,
  ...args: string[]
): Promise<RunnerResult> {
  return vmwright(ROOT, ['vms', '--matrix', matrix, ...args], { env });
}

test('P-M44: of a cluster with 9 guests the 4 of the matrix are listed, no other is asked for, and nothing that it says acts', async ({}, info) => {
  const guests = Array.from({ length: 9 }, (_, index) => ({
    vmid: 101 + index,
    name: `guest${index + 1}`,
    node: 'pve',
    type: 'qemu',
    status: 'running',
  }));
  const server = await startScripted(({ path }) => {
    if (path === '/cluster/resources') return ok(guests);
    const lock = 'backup\n\u001b[2Jforged  1\u202e\u009b1A\u001b]52;c;aGk=\u0007';
    if (path.endsWith('/104/status/current'))
      return ok({ status: 'running', qmpstatus: 'running', uptime: 90, lock });
    if (path.endsWith('/status/current')) return ok({ status: 'running', qmpstatus: 'running', uptime: 90 });
    return ok(path.endsWith('/snapshot') ? [{ name: 'current' }] : { digest: 'x' });
  });
  const folder = info.outputPath();
  const ca = join(folder, 'ca.pem');
  const matrix = writeMatrix(folder);
  writeFileSync(ca, server.ca);
  try {
    const env = {
      PROXMOX_HOST: '127.0.0.1',
      PROXMOX_PORT: String(server.port),
      PROXMOX_TOKEN_ID: 'root@pam!ci',
      PROXMOX_TOKEN_SECRET: TOKEN_SECRET,
      PROXMOX_CA_FILE: ca,
    };
    const list = await vms(env, matrix, '--json');
    const rows = JSON.parse(list.stdout) as { machine: string; vmid: number; status: string }[];
    expect(rows.map(({ machine, vmid, status }) => [machine, vmid, status])).toEqual([
      ['fedora42', 101, 'running'],
      ['manjaro', 104, 'running'],
      ['windows10', 106, 'running'],
      ['windows11', 107, 'running'],
    ]);
    expect(list.exitCode).toBe(0);
    const asked = new Set(server.calls().flatMap((call) => /\/qemu\/(\d+)/.exec(call)?.[1] ?? []));
    expect([...asked].sort()).toEqual(['101', '104', '106', '107']);

    const table = await vms(env, matrix);
    expect(table.stdout.split('\n')).toHaveLength(1 + CHOSEN.length + 1);
    expect(table.stdout).toContain(String.raw`locked: backup \x1b[2Jforged  1\u202e\x9b1A\x1b]52;c;aGk=\x07`);
    expect(list.stdout + table.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(list.stdout).toContain(String.raw`\u001b[2Jforged  1\u202e\u009b1A`);
  } finally {
    await server.close();
  }
});

test('the table tells what is off, locked, left out, in use or missing; a cluster that is away is an error', async ({}, info) => {
  const lab = await startLab();
  try {
    await lab.machine('manjaro').guest.stop();
    lab.machine('windows10').lock = 'backup';
    const held = renderNotes('', recordOf(runOf('far', { host: 'elsewhere', boot: 'another' })));
    lab.machine('fedora42').change({ description: held }, [], undefined);
    const change = `if (row.name === 'windows11') { row.vm = 999; row.skip = 'licence ran out'; }`;
    const matrix = writeMatrix(info.outputPath(), change);
    const run = await vms(lab.env(), matrix);
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^MACHINE +VM +NODE +STATUS +UP +SYSTEM +NOTE$/);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^fedora42 +101 +pve +running +\S+ +linux gnome wayland +in use by .*elsewhere/),
      expect.stringMatching(/^manjaro +104 +pve +stopped +- +linux kde wayland$/),
      expect.stringMatching(/^windows10 +106 +pve +running +\S+ +windows10 +locked: backup$/),
      expect.stringMatching(
        /^windows11 +- +- +missing +- +windows11 +\[VM_NOT_FOUND\] VM 999.*; left out: licence ran out$/,
      ),
    ]);
    const starts = lines.map((line) => line.search(/STATUS|running|stopped|missing/));
    expect(new Set(starts).size).toBe(1);
    expect(run.exitCode).toBe(1);
    expect(lab.requests.filter(({ method }) => method !== 'GET')).toEqual([]);

    const nobody = await vms({ ...lab.env(), PROXMOX_PORT: '1' }, matrix);
    expect(nobody).toMatchObject({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringContaining('[PROXMOX_UNREACHABLE]'),
    });
  } finally {
    await lab.stop();
  }
});

test('CL25: without a cluster the machines are those of the lab, which is said beside the list and ends with it', async ({}, info) => {
  const folder = info.outputPath('own');
  const matrix = writeMatrix(folder, "if (row.name === 'manjaro') row.name = row.vm = 'of-my-own';");
  const run = await vmwright(folder, ['vms', '--json', '--matrix', matrix], { env: { PROXMOX_HOST: '' } });
  const rows = JSON.parse(run.stdout) as { machine: string; status: string; error?: string }[];
  expect(rows.map(({ machine, status }) => [machine, status])).toEqual([
    ['fedora42', 'running'],
    ['of-my-own', 'missing'],
    ['windows10', 'running'],
    ['windows11', 'running'],
  ]);
  expect(rows[1]?.error).toContain('VM_NOT_FOUND');
  expect(run.stderr).toBe('PROXMOX_HOST is not set: the embedded lab stands in for a cluster.\n');
  expect(run.exitCode).toBe(1);
});

test('CL25: a real guest of the lab that nobody has built is left out, with how to build it', async ({}, info) => {
  const folder = info.outputPath('own');
  mkdirSync(folder, { recursive: true });
  const matrix = join(folder, 'matrix.ts');
  const names = ['fedora42', 'debian12'];
  writeFileSync(
    matrix,
    `import matrix from '${ROOT}/vm-matrix.ts';
export default matrix.filter(({ name }) => ${JSON.stringify(names)}.includes(name));`,
  );
  const env = { PROXMOX_HOST: '', VMWRIGHT_LAB_DIR: join(folder, 'empty') };
  const list = await vmwright(folder, ['vms', '--matrix', matrix], { env });
  expect(list.stdout).toMatch(/^fedora42 +101 .*running/m);
  expect(list.stdout).toMatch(
    /^debian12 +- .*missing .*left out: it is not built yet: npx vmwright lab build$/m,
  );
  expect(list.exitCode).toBe(0);

  const needle = ['needle', '--at', '0,0,140x40', '--matrix', matrix, '--out', join(folder, 'n.png')];
  const cropped = await vmwright(folder, [...needle, '--machine', 'fedora42'], { env });
  expect(cropped.stdout).toContain('140x40 at 0,0');
  expect(cropped.exitCode).toBe(0);
  const unbuilt = await vmwright(folder, [...needle, '--machine', 'debian12'], { env });
  expect(unbuilt.output).toMatch(/LAB_IMAGE_MISSING[^]*npx vmwright lab build/);
  expect(unbuilt.exitCode).not.toBe(0);
});
