/** A VM whose VNC server has a keyboard of its own. */
import { expect, test } from '@playwright/test';
import { runOnLab } from '../support/lab-project.ts';
import { startLab } from '../../lab/index.ts';

test('a keyboard in the config of the VM is refused before anything is shown or typed, whatever the layout', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const { config, snapshots } = lab.machine('fedora42');
    for (const keyboard of ['de', 'en-us', 'ja']) {
      config.keyboard = keyboard;
      // The rollback before the test brings back the config of its snapshot.
      Object.assign(snapshots.get('ready')?.config ?? {}, { keyboard });
      const asked = lab.requests.length;
      const { output, exitCode } = await runOnLab(lab, info.outputPath(keyboard), {
        spec: `test('types', async ({ vncPage }) => { await vncPage.keyboard.type('xyz'); });`,
      });
      expect(exitCode).toBe(1);
      expect(output).toMatch(
        new RegExp(
          `KEYBOARD_CONFLICT[^]*keyboardLayout of the row \\(us\\)[^]*keyboard: ${keyboard}[^]*qm set 101 --delete keyboard[^]*"ready" anew`,
        ),
      );
      expect(lab.requests.slice(asked).filter(({ path }) => path.includes('vncproxy'))).toEqual([]);
    }
  } finally {
    await lab.stop();
  }
});
