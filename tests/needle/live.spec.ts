import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { ROOT } from '../support/runner.ts';

test("a needle cropped from a machine's live screen is found by a spec on that machine", async () => {
  test.slow();
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const folder = test.info().outputPath('project');
    const out = join(folder, 'needles/corner.png');
    const args = ['--import', 'tsx', join(ROOT, 'cli/main.ts'), 'needle', '--machine', 'fedora42'];
    const cropped = await promisify(execFile)(
      process.execPath,
      [...args, '--at', '0,0,140x40', '--out', out],
      { cwd: ROOT, env: { ...process.env, ...lab.env() } },
    );
    expect(cropped).toEqual({ stdout: `${out}: 140x40 at 0,0\n`, stderr: '' });
    const { exitCode, output } = await runOnLab(lab, folder, {
      spec: `
test('finds the corner', async ({ vncPage }) => {
  expect(await vncPage.getByImage('corner.png').boundingBox()).toEqual({ x: 0, y: 0, width: 140, height: 40 });
});`,
    });
    expect(output).toContain('1 passed');
    expect(exitCode).toBe(0);
  } finally {
    await lab.stop();
  }
});
