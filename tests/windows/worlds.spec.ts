/** The scenario, the transfer, the restart and the clean-up in worlds as real installations are. */
import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import type { Fault } from '../../lab/guests/simulated/quirks.ts';
import { runOnLab } from '../support/lab-project.ts';

const USER = 'Jürgen Müller';

interface World {
  readonly name: string;
  readonly machine: 'windows10' | 'windows11';
  readonly faults: readonly Fault[];
  readonly user?: string;
  /** Rows that this world stands for. */
  readonly rows: string;
}

const WORLDS: readonly World[] = [
  {
    name: 'a standard user with umlauts, PowerShell with a printing profile, code page 850, slow tasks',
    machine: 'windows11',
    user: USER,
    faults: [
      ...(['standard-user', 'powershell-shell', 'shell-prints', 'code-page-850', 'slow-tasks'] as const),
      ...(['held-handles', 'reused-ids', 'desktop-focused'] as const),
    ],
    rows: 'WN1, WN2, WN3, WN4, WN16',
  },
  {
    name: 'an administrator, cmd, code page 932, fast start-up, an application in use',
    machine: 'windows10',
    user: USER,
    faults: ['code-page-932', 'fast-startup', 'held-handles', 'installer-wants-restart', 'on-battery'],
    rows: 'WN3, WN6, WN8, WN9',
  },
];

/** Everything that a smoke test does. With the desktop focused no key gets to the application. */
function spec({ user = 'tester', faults }: World): string {
  const types = !faults.includes('desktop-focused');
  return `
import { writeFileSync, readFileSync } from 'node:fs';
test.use({ guestTrace: 'on' });
test('everything', async ({ app, machine, ssh, vm, vncPage }, info) => {
  await app.clean();
  await app.launch({ showing: HARBOR.login });
  ${types ? `await logIn(vncPage); await sendMessage(vncPage, 'Hello'); await expect(vncPage).toShowText('alice: Hello');` : ''}
  expect((await ssh.powershell('$env:USERPROFILE')).stdout.trim()).toBe('C:\\\\Users\\\\${user}');
  expect((await ssh.powershell('exit 3', { check: false })).exitCode).toBe(3);
  writeFileSync(info.outputPath('here'), 'grün');
  await ssh.upload(info.outputPath('here'), 'C:/Users/${user}/grün.txt');
  await ssh.download('C:/Users/${user}/grün.txt', info.outputPath('back'));
  expect(readFileSync(info.outputPath('back'), 'utf8')).toBe('grün');
  expect(await app.kernel()).toMatch(/^(19045|26100)$/);
  await app.logs();
  await app.quit();
  expect(await app.isRunning()).toBe(false);
  await app.clean();
  await ssh.powershell("Set-Content -Path 'C:\\\\setup.msi' -Value 'MSI'");
  const upMs = async () => Number((await ssh.powershell('[Diagnostics.Stopwatch]::GetTimestamp()')).stdout);
  const before = await upMs();
  await installPackage({ machine, ssh, vm }, { path: 'C:\\\\setup.msi', restart: true });
  if (${String(faults.includes('installer-wants-restart'))}) expect(await upMs()).toBeLessThan(before);
  console.log('WARNINGS', JSON.stringify(info.annotations.filter(({ type }) => type === 'warning')));
});
test('fails', async ({ app }) => {
  await app.clean();
  await app.launch({ showing: 'No such text', budget: 1500 });
});`;
}

for (const world of WORLDS) {
  test(`${world.rows}: ${world.name}`, async ({}, info) => {
    test.setTimeout(240_000);
    const { machine, faults, user } = world;
    await withLab(world, async (lab) => {
      for (const fault of faults) lab.faults.set(machine, fault, true);
      const run = await runOnLab(lab, info.outputPath('p'), {
        machines: [machine],
        spec: spec(world),
        ...(user === undefined ? {} : { change: `row.user = ${JSON.stringify(user)};` }),
      });
      expect(run.output).toContain('1 passed');
      expect(run.output).toContain('1 failed');
      expect(run.output).toContain('WARNINGS []');
      expect(run.output).toMatch(/APP_NOT_RUNNING.*process=true window=false/);
      expect(run.output).not.toMatch(/GUEST_DENIED|there is no journal|guest trace is lost/);
    });
  });
}

async function withLab({ machine, user }: World, action: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await startLab({ guests: [machine], ...(user === undefined ? {} : { user }) });
  try {
    await action(lab);
  } finally {
    await lab.stop();
  }
}
