import { expect, test } from '@playwright/test';
import { nativeCall } from '../../fixtures/app/index.ts';
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
    agent: {
      waitReady: note('ready'),
      waitSilent: note('silent'),
      exec: async ([, ...words]: readonly string[]) => {
        done.push('as SYSTEM');
        const { exitCode, stdout, stderr } = await asSystem(guest, words.at(-1) ?? '');
        return { exitCode, signal: undefined, stdout, stderr };
      },
    },
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

function asSystem({ shell }: Windows, encoded: string) {
  const command = `powershell.exe -EncodedCommand ${encoded}`;
  return shell.exec({
    command,
    stdin: '',
    user: 'SYSTEM',
    session: 'system',
    signal: new AbortController().signal,
  });
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

test('an installer that a policy keeps from starting is a failure that says so, never an installation', async () => {
  const guest = await staged('installer-blocked');
  const call = await guest.ssh.powershell(nativeCall('msiexec.exe', ['/i', PATH]));
  expect(call).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('blocked by group policy') });
  await expect(installOn(guest, false)).rejects.toMatchObject({
    code: 'SSH_COMMAND_FAILED',
    seen: expect.stringMatching(/exit code 1: .*blocked by group policy/s),
  });
});

test('WN2: what a standard user may not install for all users the guest agent does, as SYSTEM; without it, it is GUEST_DENIED', async () => {
  expect(await installOn(await staged('standard-user'), false)).toEqual([]);
  const guest = await staged('standard-user', 'installer-for-all');
  expect(await installOn(guest, false)).toEqual(['as SYSTEM']);
  guest.faults.add('installer-wants-restart');
  expect(await installOn(guest, true)).toEqual(['as SYSTEM', 'reboot', 'ready', 'disconnect']);
  guest.faults.delete('standard-user');
  expect(await installOn(guest, true)).toEqual(['reboot', 'ready', 'disconnect']);
  const ssh = {
    powershell: (script: Command | string) => guest.ssh.powershell(script),
    disconnect: () => undefined,
  };
  guest.faults.add('standard-user');
  await expect(
    installMsi({ machine: { name: 'windows11' }, ssh }, { path: PATH, restart: false }),
  ).rejects.toMatchObject({
    code: 'GUEST_DENIED',
    seen: expect.stringContaining('Error 1925'),
    next: expect.stringContaining('{ machine, ssh, vm }'),
  });
});
