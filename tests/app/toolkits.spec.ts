import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';

test('a submenu that wants motion opens, and a drag that wants time is dropped, on a simulated desktop', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    for (const fault of ['menu-wants-motion', 'drag-wants-time'] as const)
      lab.faults.set('fedora42', fault, true);
    const run = await runOnLab(lab, info.outputPath('p'), {
      spec: `
        test('menu', async ({ apps, vncPage }) => {
          await apps.open('text-editor', { showing: 'Untitled document' });
          await vncPage.getByText('Insert').click();
          await vncPage.getByText('Symbol').hover();
          await vncPage.getByText('Star', { exact: true }).click({ timeout: 4000 });
          await expect(vncPage).toShowText('Chosen: Star');
        });
        test('drag', async ({ apps, vncPage }) => {
          await apps.open('text-editor', { showing: 'Untitled document' });
          const { x, y, width } = await vncPage.getByText('Stamp', { exact: true }).boundingBox();
          await vncPage.mouse.drag({ x: x + width / 2, y: y + 8 }, { x: x - 200, y: y - 100 });
          await expect(vncPage).toShowText('Stamped', { timeout: 4000 });
        });`,
    });
    expect(run.output).toMatch(/^\s*2 passed/m);
    expect(run.exitCode).toBe(0);
  } finally {
    await lab.stop();
  }
});
