/** A VM whose VNC server has a keyboard of its own. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';
import { KEEPER, QemuDesktop } from '../vnc/support/qemu-desktop.ts';
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

test('IN3: a real QEMU with -k de: its VNC server types other characters, which is refused with a cure that cures', async ({}, info) => {
  test.setTimeout(600_000);
  requirePeer(test, 'qemu-system-x86_64');
  requirePeer(test, 'qemu-img');
  requireRealGuest(test);
  const lab = await startLab({ qemu: true, guests: [] });
  try {
    const { config, snapshots, guest } = lab.machine('debian12');
    const kept = snapshots.get('ready')?.config ?? {};
    for (const one of [config, kept]) Object.assign(one, { keyboard: 'de' });
    const text = 'xyz@#[]{}|89-_/;';
    const spec = `test('types', async ({ apps, ssh, vncPage }) => {
      await apps.open({ path: 'xterm', args: ['-T', 'Typed here', '-e', 'cat > typed'] }, { showing: 'Typed here' });
      await vncPage.keyboard.type('${text}\\n');
      await expect.poll(async () => (await ssh.exec('cat typed')).stdout, { timeout: 30_000 }).toContain('\\n');
      expect((await ssh.exec('cat typed')).stdout).toBe('${text}\\n');
    });`;
    const refused = await runOnLab(lab, info.outputPath('refused'), { machines: ['debian12'], spec });
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toMatch(/KEYBOARD_CONFLICT[^]*keyboard: de[^]*--delete keyboard/);
    // Not even a console was opened: no key can have arrived.
    expect(lab.requests.filter(({ path }) => path.includes('vncproxy'))).toEqual([]);
    expect(readFileSync(`/proc/${guest.pid()}/cmdline`, 'utf8')).toContain('\0-k\0de\0');

    // What would have arrived, in this very guest; keys repeat on a machine that is busy.
    const desktop = new QemuDesktop(guest);
    const page = await desktop.page();
    await desktop.terminal(page, 'keeper', KEEPER, { x: 0, y: 0 });
    await page.keyboard.type(text);
    const typed = async () => (await desktop.shell('cat /tmp/typed')).replaceAll(/(.)\1+/g, '$1');
    await expect.poll(typed, { timeout: 60_000 }).toBe('xzyQ|89&)>89/?7,');
    await page.close();

    for (const one of [config, kept]) Reflect.deleteProperty(one, 'keyboard');
    const cured = await runOnLab(lab, info.outputPath('cured'), { machines: ['debian12'], spec });
    expect(cured.output).toMatch(/^\s*1 passed/m);
    expect(cured.exitCode).toBe(0);
    expect(readFileSync(`/proc/${guest.pid()}/cmdline`, 'utf8')).not.toContain('\0-k\0');
  } finally {
    await lab.stop();
  }
});
