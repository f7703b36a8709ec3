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

test('P-M44: of a cluster with 9 guests the 4 of the matrix are listed, and no other is asked for', async ({}, info) => {
  const guests = Array.from({ length: 9 }, (_, index) => ({
    vmid: 101 + index,
    name: `guest${index + 1}`,
    node: 'pve',
    type: 'qemu',
    status: 'running',
  }));
  const server = await startScripted(({ path }) => {
    if (path === '/cluster/resources') return ok(guests);
    if (path.endsWith('/status/current')) return ok({ status: 'running', qmpstatus: 'running', uptime: 90 });
    return ok(path.endsWith('/snapshot') ? [] : {});
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
