import { execFile } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { type Application, findPackage, resolveProfile } from '../../fixtures/app/index.ts';
import { sessionCommand } from '../../fixtures/app/posix.ts';
import type { Command } from '../../fixtures/ssh/index.ts';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { guestOf } from './support/guest.ts';

const application: Application = {
  title: 'My App',
  path: '/tmp/{file}',
  fileGlob: '*.AppImage',
  process: 'my-app',
  stateFiles: [],
};

/** A Linux machine whose shell is this one's. */
function thisLinux(commands: string[] = []) {
  const exec = async (command: Command | string) => {
    const wire = typeof command === 'string' ? command : command.wire;
    commands.push(wire);
    const run = await promisify(execFile)('/bin/sh', ['-c', wire]).catch((error: unknown) => error);
    const { stdout, stderr, code = 0 } = run as { stdout: string; stderr: string; code?: number };
    return { command: wire, exitCode: code, stdout, stderr, durationMs: 1 } as never;
  };
  const profile = resolveProfile('m', 'linux', 'openbox', 'x11');
  return { machine: 'm', profile, ssh: { exec, powershell: exec } };
}

function stage(folder: string, ages: Readonly<Record<string, number>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, age] of Object.entries(ages)) {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), 1_700_000_000 - age, 1_700_000_000 - age);
  }
}

test('M12: a missing package names machine and pattern before the screen is opened, and nothing is uploaded', async ({}, info) => {
  const machines = ['fedora42', 'windows11'];
  const lab = await startLab({ guests: machines });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines,
      change: `row.application.path = row.os === 'windows' ? 'D:\\\\none\\\\{file}' : '/opt/none/{file}';`,
      spec: `test('starts', async ({ app, vncPage }) => { await app.launch(); });`,
    });
    expect(run.exitCode).toBe(1);
    expect(run.summary).toMatch(/\[PACKAGE_MISSING\] fedora42, Harbor Chat/);
    expect(run.summary).toContain('/opt/none/harbor-chat');
    expect(run.summary).toMatch(/\[PACKAGE_MISSING\] windows11, Harbor Chat/);
    expect(run.summary).toContain(String.raw`D:\none\HarborChat.exe`);
    expect(lab.requests.filter(({ path }) => path.includes('vnc'))).toEqual([]);
    for (const name of machines) {
      const { commands, keys } = guestOf(lab, name).log;
      expect(commands.length).toBeGreaterThan(0);
      expect(commands.filter((command) => /sftp|scp|\bcat >|\btee\b|Set-Content/i.test(command))).toEqual([]);
      expect(keys).toEqual([]);
    }
  } finally {
    await lab.stop();
  }
});

test.describe('on this Linux', () => {
  test.skip(process.platform !== 'linux', 'needs Linux');

  test('M13: one listing finds the newest match; of equally new ones the first by name; a name stays as it is', async ({}, info) => {
    const folder = info.outputPath("it's a folder");
    stage(folder, { 'b.AppImage': 60, "my app'1.AppImage": 0, 'my app "2".AppImage': 0, 'new.txt': -60 });
    mkdirSync(join(folder, 'folder.AppImage/inside'), { recursive: true });
    utimesSync(join(folder, 'folder.AppImage'), 1, 1);
    const commands: string[] = [];
    const found = await findPackage(thisLinux(commands), { ...application, path: `${folder}/{file}` });
    expect(commands).toHaveLength(1);
    expect(found).toEqual({
      path: join(folder, 'my app "2".AppImage'),
      others: ["my app'1.AppImage", 'b.AppImage', 'folder.AppImage'].map((name) => join(folder, name)),
    });

    const path = join(folder, "my app'1.AppImage");
    const bin = info.outputPath('bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'systemd-run'), '#!/bin/sh\nfor word; do last=$word; done; printf %s "$last"\n', {
      mode: 0o755,
    });
    const started = await promisify(execFile)('/bin/sh', [
      '-c',
      `PATH=${bin}:$PATH; ${sessionCommand(path).wire}`,
    ]);
    expect(started.stdout).toBe(path);
  });

  test('M13: no match is an error that names the pattern', async ({}, info) => {
    stage(info.outputPath('empty'), { 'b.txt': 0 });
    const looking = findPackage(thisLinux(), { ...application, path: info.outputPath('empty/{file}') });
    await expect(looking).rejects.toMatchObject({
      code: 'PACKAGE_MISSING',
      expected: info.outputPath('empty/*.AppImage'),
    });
  });
});

test('M13: of two staged packages the newest is used, and the notes of the run say so', async ({}, info) => {
  const machines = ['fedora42', 'windows11'];
  const lab = await startLab({ guests: machines });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines,
      change: `row.application.fileGlob = row.os === 'windows' ? 'Harbor*.exe' : 'harbor-chat*';`,
      spec: `
        test.beforeEach(async ({ machine, ssh }) => {
          if (machine.os === 'windows') await ssh.powershell(ps\`Set-Content -Path \${"C:\\\\Program Files\\\\Harbor\\\\Harbor Chat'2.exe"} -Value 'MZ'\`);
          else await ssh.exec(sh\`cp \${'/opt/harbor/harbor-chat'} \${"/opt/harbor/harbor-chat it's 2"} && touch -d '2030-01-01 00:00:00' \${"/opt/harbor/harbor-chat it's 2"}\`);
        });
        test('finds', async ({ app, machine }) => {
          const { path, others } = await app.stage();
          expect(path).toBe(machine.os === 'windows' ? "C:\\\\Program Files\\\\Harbor\\\\harbor chat'2.exe" : "/opt/harbor/harbor-chat it's 2");
          expect(others).toHaveLength(1);
        });`,
    });
    expect(run.output).toContain('2 passed');
    const note =
      /fedora42: several packages are staged; the newest is used: \/opt\/harbor\/harbor-chat it's 2 \(not \/opt\/harbor\/harbor-chat\)/;
    expect(run.summary.slice(run.summary.indexOf('NOTES'))).toMatch(note);
  } finally {
    await lab.stop();
  }
});
