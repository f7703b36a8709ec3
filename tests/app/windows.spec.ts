import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { type Application, resolveProfile } from '../../fixtures/app/index.ts';
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
  expect(script.wire).toContain(`Stop-Process -Name 'msedgewebview2' -Force`);
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

test('state files are expanded by PowerShell, and nothing else in their names is', () => {
  expect(profile('windows10').cleanup(application).wire).toContain(
    String.raw`if (Test-Path -Path "$env:APPDATA\Rocket.Chat (Beta's)") { Remove-Item`,
  );
});

test('processes are named without .exe', () => {
  expect(profile('windows10').probe(application).wire).toContain(
    `Get-Process -Name 'Rocket.Chat' -ErrorAction`,
  );
});

test('a program starts on the desktop of the user, by an interactive task', () => {
  const { launch } = profile('windows11');
  if (launch.kind !== 'command') throw new Error('Windows starts applications by a command');
  const script = launch.command(String.raw`C:\Program Files\Rocket.Chat\Rocket.Chat.exe`).wire;
  expect(script).toContain(
    String.raw`New-ScheduledTaskAction -Execute 'C:\Program Files\Rocket.Chat\Rocket.Chat.exe'`,
  );
  expect(script).toContain('-LogonType Interactive');
  expect(script.indexOf('Register-')).toBeLessThan(script.indexOf('Start-ScheduledTask'));
  expect(script.indexOf('Start-ScheduledTask')).toBeLessThan(script.indexOf('Unregister-'));
});
