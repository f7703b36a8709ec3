import { expect, test } from '@playwright/test';
import type { Command } from '../../fixtures/ssh/index.ts';
import { installMsi } from '../../routines/windows-installer.ts';
import type { Fault } from '../../lab/guests/simulated/quirks.ts';
import { type Windows, windows } from './support/guest.ts';

const PATH = String.raw`C:\setup.msi`;

/** A machine that notes what is done to it. */
async function installOn(guest: Windows, restart: boolean): Promise<string[]> {
  const done: string[] = [];
  const note = (what: string) => (): Promise<void> => Promise.resolve(void done.push(what));
  const vm = {
    agent: { waitReady: note('ready'), waitSilent: note('silent') },
    reboot: note('reboot'),
    away: async (action: () => Promise<void>) => {
      done.push('away');
      await action();
    },
  };
  const ssh = {
    powershell: (script: Command | string) => guest.ssh.powershell(script),
    disconnect: () => void done.push('disconnect'),
  };
  await installMsi({ machine: { name: 'windows11' }, ssh, vm }, { path: PATH, restart });
  return done;
}

async function staged(...faults: readonly Fault[]): Promise<Windows> {
  const guest = windows(faults);
  await guest.disk.write(PATH, 'MSI');
  return guest;
}

const warnings = (): string[] =>
  test.info().annotations.flatMap(({ type, description = '' }) => (type === 'warning' ? [description] : []));

test('WN6: 3010 is a success with a restart to come: told, and done where the routine asks for it', async () => {
  expect(await installOn(await staged(), true)).toEqual([]);
  expect(warnings()).toEqual([]);
  expect(await installOn(await staged('installer-wants-restart'), false)).toEqual([]);
  expect(warnings()).toEqual([expect.stringContaining('complete only after a restart')]);
  const done = await installOn(await staged('installer-wants-restart'), true);
  expect(done).toEqual(['reboot', 'ready', 'disconnect']);
});

test('WN6: 1641 restarts the machine by itself: it is waited for', async () => {
  const done = await installOn(await staged('installer-restarts'), false);
  expect(done).toEqual(['away', 'silent', 'ready', 'disconnect']);
});

test('WN6: 1618 is another installation, by name; any other code is a failure', async () => {
  await expect(installOn(await staged('installer-busy'), false)).rejects.toMatchObject({
    code: 'INSTALLER_BUSY',
    message: expect.stringContaining('another installation is running'),
  });
  await expect(installOn(windows(), false)).rejects.toMatchObject({
    code: 'SSH_COMMAND_FAILED',
    seen: expect.stringContaining('exit code 1619'),
  });
});
