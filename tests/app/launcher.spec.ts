import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';

test('a launcher that is open already stays so, and takes the title: GNOME begins in its Overview', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    lab.faults.set('fedora42', 'overview-open', true);
    const run = await runOnLab(lab, info.outputPath('p'), {
      spec: `
        test('open', async ({ app }) => { await app.launch({ showing: HARBOR.login }); });
        test('closed', async ({ app, vncPage }) => {
          await expect(vncPage).toShowText('Type to search');
          await vncPage.keyboard.press('Super');
          await expect(vncPage).not.toShowText('Type to search');
          await app.launch({ showing: HARBOR.login });
        });`,
    });
    expect(run.output).toMatch(/^\s*2 passed/m);
    expect(run.exitCode).toBe(0);
  } finally {
    await lab.stop();
  }
});
