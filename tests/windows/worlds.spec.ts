/**
 * The smoke scenario, the negative ones, clean-up, trace, journal, transfer, restart and installation in worlds as real
 * installations are: four machines, whose ways cover each value and most pairs of the list of issue 19.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { Fault } from '../../lab/guests/simulated/quirks.ts';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';

const USER = 'Jürgen Müller';

type Name = 'windows10' | 'windows11';

interface World {
  readonly name: string;
  readonly user: string;
  readonly ways: Readonly<Record<Name, readonly Fault[]>>;
}

/** Everywhere an installation wants a restart, and files stay in use for a while. */
const EVERYWHERE = ['installer-wants-restart', 'held-handles', 'reused-ids'] as const;

const WORLDS: readonly World[] = [
  {
    name: 'a standard user at PowerShell with a printing profile, code page 850, two seconds to a task; an administrator at cmd, code page 932, a checkpoint of 60 days ago',
    user: USER,
    ways: {
      windows11: [
        ...(['standard-user', 'powershell-shell', 'shell-prints', 'code-page-850', 'slow-tasks'] as const),
        'installer-for-all',
      ],
      windows10: ['code-page-932', 'old-checkpoint', 'fast-startup', 'on-battery'],
    },
  },
  {
    name: 'a standard user at cmd, code page 437, a checkpoint of 60 days ago; an administrator at PowerShell with a printing profile, code page 850, two seconds to a task',
    user: USER,
    ways: {
      windows11: ['standard-user', 'installer-for-all', 'old-checkpoint'],
      windows10: ['powershell-shell', 'shell-prints', 'code-page-850', 'slow-tasks'],
    },
  },
];

const SPEC = String.raw`
import { readFileSync, writeFileSync } from 'node:fs';
test.use({ guestTrace: { mode: 'on', intervalMs: 500 } });
test.afterEach(({ machine }, info) => {
  console.log(machine.name, 'WARNINGS', JSON.stringify(info.annotations.filter(({ type }) => type === 'warning')));
});

test('everything', async ({ app, machine, ssh, vm, vncPage }, info) => {
  const home = 'C:\\Users\\' + machine.user;
  const isThere = async (path) => (await ssh.powershell(ps${'`'}Test-Path -LiteralPath ${'$'}{path}${'`'})).stdout.trim();
  expect(Math.abs(Date.parse((await ssh.powershell('Get-Date')).stdout.trim()) - Date.now())).toBeLessThan(60_000);
  expect((await ssh.powershell('$env:USERPROFILE')).stdout).toBe(home + '\r\n');
  expect((await ssh.powershell('exit 3', { check: false })).exitCode).toBe(3);
  expect((await ssh.exec('cmd /c exit 4', { check: false })).exitCode).toBe(4);

  writeFileSync(info.outputPath('here'), 'grün');
  const state = home + '\\AppData\\Roaming\\Harbor\\grün.json';
  await ssh.powershell(ps${'`'}Set-Content -LiteralPath ${'$'}{state} -Value 'x'${'`'});
  await ssh.upload(info.outputPath('here'), state.replaceAll('\\', '/'));
  await ssh.download(state.replaceAll('\\', '/'), info.outputPath('back'));
  expect(readFileSync(info.outputPath('back'), 'utf8')).toBe('grün');
  await app.clean();
  expect([await isThere(state), await isThere(home + '\\AppData\\Roaming\\x')]).toEqual(['False', 'True']);

  await app.launch({ showing: HARBOR.login });
  await logIn(vncPage);
  await sendMessage(vncPage, 'Hello');
  await expect(vncPage).toShowText('alice: Hello');
  expect(await app.kernel()).toMatch(/^(19045|26100)$/);
  expect(await app.version()).toBe('1.4.0');
  expect(await app.logs()).toBe('');
  const event = { text: 'Harbor broke' };
  await vm.agent.exec(['eventcreate.exe', '/L', 'APPLICATION', '/T', 'ERROR', '/ID', '1', '/D', event.text]);
  expect(await app.logs()).toMatch(/^\d{4}-\d\d-\d\dT\S+ EventCreate: Harbor broke\r\n$/);
  await app.quit();
  expect(await app.isRunning()).toBe(false);

  const setup = home + '\\setup.msi';
  await ssh.powershell(ps${'`'}Set-Content -LiteralPath ${'$'}{setup} -Value 'MSI'${'`'});
  const up = async () => Number((await ssh.powershell('[Diagnostics.Stopwatch]::GetTimestamp()')).stdout);
  const before = await up();
  await installPackage({ machine, ssh, vm }, { path: setup, restart: true });
  expect(await up()).toBeLessThan(before);
});

test('negative', async ({ app, machine, ssh, vncPage }) => {
  await app.launch({ showing: HARBOR.login });
  await expect(logIn(vncPage, 'not-the-password')).rejects.toThrow(/"Signed in as"[^]*Wrong email or password/);
  await app.kill();
  expect(await app.isRunning()).toBe(false);
  await expect(vncPage.getByText('Write a message').click({ timeout: 1000 })).rejects.toThrow(/TEXT_NOT_FOUND/);
  await expect(ssh.download('C:/none.txt', 'none')).rejects.toThrow(/SSH_TRANSFER_FAILED/);
  await expect(ssh.powershell('Get-Nothing')).rejects.toThrow(/SSH_COMMAND_FAILED[^]*not recognized/);
  const program = "'C:\\Program Files\\Harbor\\HarborChat.exe'";
  await ssh.powershell('while (Test-Path -LiteralPath ' + program + ') { Start-Sleep -Milliseconds 200; Remove-Item -LiteralPath ' + program + ' -Force -ErrorAction SilentlyContinue }; exit 0');
  await expect(app.launch({ showing: HARBOR.login })).rejects.toThrow(/APP_NOT_STARTED.*HarborChat\.exe is not there/);
  await expect(installPackage({ machine, ssh }, { path: 'C:\\none.msi' })).rejects.toThrow(/exit code 1619/);
});

test('fails', async ({ app }) => {
  await app.clean();
  await app.launch({ showing: 'No such text', budget: 1500 });
});`;

for (const world of WORLDS) {
  test(`WN1, WN2, WN3, WN4, WN6, WN8, WN9, WN13, WN16: ${world.name}`, async ({}, info) => {
    test.setTimeout(420_000);
    const machines = Object.keys(world.ways) as Name[];
    const lab = await startLab({ guests: machines, user: world.user });
    try {
      for (const machine of machines)
        for (const way of [...EVERYWHERE, ...world.ways[machine]]) lab.faults.set(machine, way, true);
      const traces = info.outputPath('traces');
      const run = await runOnLab(lab, info.outputPath('p'), {
        machines,
        spec: SPEC,
        change: `row.user = ${JSON.stringify(world.user)}; row.application.stateFiles = ['%APPDATA%\\\\Harbor'];`,
        args: ['--workers=2'],
        env: { VMWRIGHT_SESSIONS_DIR: traces },
      });
      expect(run.output).toContain('4 passed');
      expect(run.output).toContain('2 failed');
      for (const machine of machines) {
        expect(run.output.match(new RegExp(`^${machine} WARNINGS \\[\\]$`, 'gm'))).toHaveLength(3);
        expect(run.summary).toMatch(new RegExp(`${machine} - FAIL`));
      }
      expect(
        run.output.match(/\[APP_NOT_RUNNING\].*process=true window=false/g)?.length,
      ).toBeGreaterThanOrEqual(2);
      // Each test of each machine has a trace, which has seen the application.
      const sessions = readdirSync(traces).filter((name) => name.startsWith('windows'));
      expect(sessions).toHaveLength(6);
      for (const session of sessions)
        expect(readFileSync(join(traces, session, 'proc_trace.jsonl'), 'utf8')).toContain('HarborChat.exe');
    } finally {
      await lab.stop();
    }
  });
}
