import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { decodedCommand } from '../../fixtures/ssh/powershell.ts';
import { runOnLab } from '../support/lab-project.ts';
import { ROOT } from '../support/runner.ts';
import { guestOf } from './support/guest.ts';

const MACHINES = ['fedora42', 'windows11'];
/** The shipped scenario, without its imports. */
const SMOKE = readFileSync(join(ROOT, 'specs/smoke.spec.ts'), 'utf8')
  .replaceAll(/^import .*$/gm, '')
  .replace(/^.*toHaveScreenshot.*$/m, '')
  .replaceAll('logIn({ vncPage })', 'logIn(vncPage)')
  .replaceAll(/sendMessage\(\{ vncPage \}, \{ text: (.*) \}\)/g, 'sendMessage(vncPage, $1)');
const SUPER = 0xffeb;

test('M14: the clean-up is the first step, and one that fails stops its machine there: nothing is launched, no key is pressed', async ({}, info) => {
  const lab = await startLab({ guests: MACHINES });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: MACHINES,
      // Processes of the system, which no user can end.
      change: `row.application.process = row.os === 'windows' ? 'services.exe' : 'systemd';`,
      spec: SMOKE,
    });
    expect(run.exitCode).toBe(1);
    expect(run.summary).toContain('TEST FLOW:\n1. clean state\n2. launch app\n3. log in\n');
    for (const [name, process] of [
      ['fedora42', 'systemd'],
      ['windows11', 'services'],
    ] as const) {
      expect(run.summary).toMatch(
        new RegExp(`${name} - FAIL - step 1 "clean state" - \\[SSH_COMMAND_FAILED\\].*`),
      );
      expect(run.output).toContain(`${process} does not end`);
      const { commands, keys } = guestOf(lab, name).log;
      const scripts = commands.map((command) => decodedCommand(command) ?? command);
      expect(scripts.filter((script) => /systemd-run|ScheduledTask/.test(script))).toEqual([]);
      expect(keys.filter(({ keysym }) => keysym === SUPER)).toEqual([]);
    }
  } finally {
    await lab.stop();
  }
});
