import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { type Application, nativeCall, resolveProfile } from '../../fixtures/app/index.ts';
import type { Command } from '../../fixtures/ssh/index.ts';
import { decodedCommand, encodedCommand } from '../../fixtures/ssh/powershell.ts';
import { runOnLab } from '../support/lab-project.ts';

const application: Application = {
  title: 'Rocket.Chat',
  path: String.raw`C:\Program Files\Rocket.Chat\{file}`,
  fileGlob: 'Rocket.Chat*.exe',
  process: 'Rocket.Chat.exe',
  stateFiles: [String.raw`%APPDATA%\Rocket.Chat (Beta's)`],
};
const profile = (desktop: 'windows10' | 'windows11') => resolveProfile('m', 'windows', desktop, 'windows');

test('M29: Windows 11 ends its first-run dialog, and has no trouble when there is none', async ({}, info) => {
  const script = profile('windows11').cleanup(application);
  expect(script.wire).toContain(`Stop-Process -Name 'WebExperienceHostApp' -Force`);
  expect(script.wire).toContain(`'msedgewebview2.exe'`);
  expect(profile('windows10').cleanup(application).wire).not.toContain('WebExperienceHostApp');

  const lab = await startLab({ guests: ['windows11'] });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: ['windows11'],
      spec: `test('clean', async ({ app, ssh }) => {
        const dialog = async () => (await ssh.powershell(\`if (Get-Process -Name WebExperienceHostApp -ErrorAction SilentlyContinue) { 'there' } else { 'gone' }\`)).stdout.trim();
        expect(await dialog()).toBe('there');
        await app.clean();
        expect(await dialog()).toBe('gone');
        await app.clean();
      });`,
    });
    expect(run.output).toContain('1 passed');
  } finally {
    await lab.stop();
  }
});

test('P-M23: an interactive task starts programs, processes are named without .exe, native exit codes are looked at', async ({}, info) => {
  const { launch } = profile('windows11');
  if (launch.kind !== 'task') throw new Error('Windows starts applications by a task');
  const path = String.raw`C:\Program Files\Rocket.Chat\Rocket.Chat.exe`;
  const decoded = (script: Command): string => decodedCommand(encodedCommand(script.wire)) ?? '';
  const start = decoded(launch.start(path, 'tester'));
  expect(start).toContain(`New-ScheduledTaskAction -Execute '${path}'`);
  // Task Scheduler's schema calls this log-on InteractiveToken.
  expect(start).toContain('New-ScheduledTaskPrincipal -UserId $sid -LogonType Interactive\n');
  const order = ['Register-', 'Start-', 'Unregister-'].map((verb) => start.indexOf(`${verb}ScheduledTask`));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order).not.toContain(-1);
  for (const script of [profile('windows10').probe(application), profile('windows10').kill(application)]) {
    expect(decoded(script)).toContain(`-Name 'Rocket.Chat' -`);
    expect(decoded(script)).not.toContain('.exe');
  }
  expect(decoded(nativeCall('msiexec.exe', ['/i', "it's.msi"]))).toMatch(
    /^\$ErrorActionPreference = 'Stop'\n& 'msiexec\.exe' '\/i' 'it''s\.msi' \| .*\nif \(\$LASTEXITCODE -ne 0\) \{ exit \$LASTEXITCODE \}$/,
  );

  const lab = await startLab({ guests: ['windows11'] });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: ['windows11'],
      spec: `
        test('installs', async ({ machine, ssh }) => {
          await ssh.powershell("Set-Content -Path 'C:\\\\setup.msi' -Value 'MSI'");
          await installPackage({ machine, ssh }, { path: 'C:\\\\setup.msi' });
        });
        test('does not install', async ({ machine, ssh }) => {
          await installPackage({ machine, ssh }, { path: 'C:\\\\none.msi' });
        });`,
    });
    expect(run.output).toContain('1 passed');
    expect(run.output).toMatch(/\[SSH_COMMAND_FAILED\][^]*exit code 1619/);
  } finally {
    await lab.stop();
  }
});

test('an application of another user, which cannot be ended, fails the clean-up and the kill', async ({}, info) => {
  const lab = await startLab({ guests: ['windows10'] });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: ['windows10'],
      change: `row.application.process = 'services.exe';`,
      spec: `
        test('cleans', async ({ app }) => { await app.clean(); });
        test('kills', async ({ app }) => { await app.kill(); });`,
    });
    expect(run.output).toContain('2 failed');
    expect(run.output.match(/services does not end/g)?.length).toBeGreaterThanOrEqual(2);
  } finally {
    await lab.stop();
  }
});
