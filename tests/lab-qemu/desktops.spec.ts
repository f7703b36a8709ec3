import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { buildCommand, builtImage, type Desktop, desktops, openbox } from '../../lab/guests/qemu/index.ts';
import { requirePeer } from '../support/peers.ts';
import { ROOT, runPlaywright, type RunnerResult, writeProject } from '../support/runner.ts';

/** A desktop on an emulated processor: its first start here, and then one spec. */
const FIRST_BOOT_MS = 900_000;

test.describe.configure({ mode: 'serial', timeout: FIRST_BOOT_MS });

/** Runs specs on a desktop through the real runner, if somebody built it. */
async function runOn(desktop: Desktop, folder: string, files: Record<string, string>): Promise<RunnerResult> {
  requirePeer(test, 'qemu-system-x86_64');
  requirePeer(test, 'qemu-img');
  // Not even in CI is this a failure: an image of 2 GB is built on request only.
  test.skip(builtImage(undefined, desktop) === undefined, `built on request: ${buildCommand(desktop)}`);
  const lab = await startLab({ qemu: true, guests: [] });
  try {
    writeProject(folder, {
      'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/config/index.ts';
import matrix from '${ROOT}/vm-matrix.desktops.ts';
export default defineConfig({
  outputDir: 'test-results/artifacts',
  snapshotPathTemplate: '${ROOT}/specs/__screenshots__/{projectName}/{arg}{ext}',
  updateSnapshots: 'none',
  reporter: [['list'], ['json', { outputFile: 'report.json' }], ['${ROOT}/reporters/summary.ts'], ['${ROOT}/reporters/lease.ts']],
  projects: projectsFrom(matrix.filter(({ name }) => name === '${desktop.guest.name}')),
});`,
      ...files,
    });
    const known = join(folder, 'known_hosts');
    return await runPlaywright(folder, ['test'], { env: { ...lab.env(), SSH_KNOWN_HOSTS_FILE: known } });
  } finally {
    await lab.stop();
  }
}

for (const desktop of desktops.filter((one) => one !== openbox)) {
  test(`M23: the smoke spec of all machines passes on the real ${desktop.system}`, async ({}, info) => {
    const run = await runOn(desktop, info.outputPath('p'), {
      'smoke.spec.ts': `import '${ROOT}/specs/smoke.spec.ts';`,
    });
    expect(run.output).toContain('1 passed');
    expect(run.exitCode).toBe(0);
  });
}

test("M24, M26: KDE's own lock screen comes in mid-test: its greeter is killed, the password typed, the test goes on", async ({}, info) => {
  const [kde] = desktops.filter(({ name }) => name === 'kde');
  const folder = info.outputPath('p');
  const run = await runOn(kde!, folder, {
    'lock.spec.ts': `
import { expect, test } from '${ROOT}/fixtures/index.ts';
import { HARBOR, logIn, sendMessage } from '${ROOT}/routines/harbor.ts';
import { cleanState, launchApp } from '${ROOT}/routines/smoke.ts';
test('locked in mid-test', async ({ app, ssh, vncPage }) => {
  await cleanState({ app });
  await launchApp({ app }, { showing: HARBOR.login });
  const session = "$(loginctl --no-legend list-sessions | awk '$4 == \\"seat0\\" { print $1 }')";
  await ssh.exec('loginctl lock-session ' + session);
  const isLocked = async () => (await ssh.exec('loginctl show-session -p LockedHint ' + session)).stdout.trim();
  await expect.poll(isLocked, { timeout: 120_000 }).toBe('LockedHint=yes');
  await test.info().attach('locked', { body: await vncPage.screenshot(), contentType: 'image/png' });
  await logIn({ vncPage });
  await sendMessage({ vncPage }, { text: 'Unlocked and well' });
  await expect(vncPage).toShowText('alice: Unlocked and well');
  expect(await isLocked()).toBe('LockedHint=no');
});`,
  });
  expect(run.output).toContain('1 passed');
  expect(run.exitCode).toBe(0);
  const report = readFileSync(join(folder, 'report.json'), 'utf8');
  expect(report.match(/unlock the screen with \{vm_password\}/g)).toHaveLength(1);
  expect(run.output + report).not.toContain('vmwright-lab');
});
