import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { runOn } from '../../fixtures/app/guest.ts';
import type { Fault } from '../../lab/guests/simulated/quirks.ts';
import { HARBOR_WINDOWS } from '../../lab/guests/simulated/files.ts';
import { ROOT } from '../support/runner.ts';
import { appOn, harbors, type Options } from './support/app.ts';
import { type Windows, windows } from './support/guest.ts';

test('WN1: a task that starts late is waited for, and unregistered only then', async () => {
  const ways: readonly (readonly Fault[])[] = [[], ['slow-tasks']];
  for (const faults of ways) {
    const guest = windows(faults);
    const start = Date.now();
    await appOn(guest).launch();
    expect(harbors(guest)).toMatchObject([{ session: 'desktop', user: 'tester' }]);
    if (faults.length > 0) expect(Date.now() - start).toBeGreaterThanOrEqual(2000);
    // Nothing of it is left.
    const left = await guest.asSystem({ wire: `Get-ScheduledTask -TaskName 'vmwright-launch'`, shown: '' });
    expect(left?.exitCode).toBe(1);
  }
});

test('WN2: a standard user has his application started and his journal read by the agent; CIM is not asked for the build', async () => {
  const guest = windows(['standard-user']);
  const app = appOn(guest);
  await app.launch();
  expect(harbors(guest)).toMatchObject([{ session: 'desktop', user: 'tester' }]);
  guest.host.journal.append('HarborChat.exe', 7, 'it broke');
  expect(await app.logs()).toMatch(/^\d{4}-\d\d-\d\dT[^ ]+ HarborChat\.exe: it broke\r\n$/);
  expect(await app.kernel()).toBe('26100');
  await app.quit();
  expect(harbors(guest)).toEqual([]);
});

test('WN2: what is denied is said by name, never an empty answer', async () => {
  const guest = windows(['standard-user']);
  const app = appOn(guest, { agent: false });
  const error = { code: 'GUEST_DENIED', next: expect.stringContaining('guest agent') };
  await expect(app.launch()).rejects.toMatchObject({
    ...error,
    message: expect.stringContaining('register a task'),
  });
  await expect(app.logs()).rejects.toMatchObject({
    ...error,
    message: expect.stringContaining('read the event log'),
  });
  // An administrator needs no agent.
  const other = windows();
  await appOn(other, { agent: false }).launch();
  expect(harbors(other)).toHaveLength(1);
  expect(await appOn(other, { agent: false }).logs()).toBe('');
});

test('WN7: what became of the task is told: a missing file, elevation, a desktop of somebody else, nobody', async () => {
  const cases: readonly (readonly [readonly Fault[], Options, RegExp])[] = [
    [[], { path: String.raw`C:\Program Files\Harbor\None.exe` }, /None\.exe is not there/],
    [['needs-elevation'], {}, /0x800702E4: it wants an administrator/],
    [['other-session'], {}, /the desktop is not that of tester: .*\\somebody/],
  ];
  for (const [faults, options, says] of cases) {
    const guest = windows(faults);
    await expect(appOn(guest, options).launch()).rejects.toMatchObject({
      code: 'APP_NOT_STARTED',
      message: expect.stringMatching(says),
    });
    expect(harbors(guest)).toEqual([]);
  }
  const guest = windows();
  guest.processes.logOut();
  await expect(appOn(guest).launch()).rejects.toMatchObject({ code: 'APP_NOT_STARTED' });
});

test('WN7: a program that ends at once is told with its exit code', async () => {
  const guest = windows();
  guest.processes.on(({ type, process }) => {
    if (type === 'spawned' && process.comm === 'HarborChat.exe')
      queueMicrotask(() => guest.processes.exit(process.pid, 3));
  });
  await expect(appOn(guest).launch({ budget: 300 })).rejects.toMatchObject({
    code: 'APP_NOT_RUNNING',
    seen: expect.stringContaining('the program ended with exit code 3'),
  });
});

test('WN8: the task is one for a window: normal priority, on batteries too, without a time limit, in its own folder', async () => {
  const guest = windows(['on-battery']);
  await appOn(guest).launch();
  expect(harbors(guest)).toMatchObject([
    { priority: 4, cwd: String.raw`C:\Program Files\Harbor`, timeLimit: '00:00:00' },
  ]);
});

test('WN10: the application’s own windows are closed, whatever has the focus; no key is pressed', async () => {
  const guest = windows(['standard-user', 'desktop-focused']);
  const keys: string[] = [];
  const app = appOn(guest, { keys });
  await app.launch();
  guest.processes.spawn({ path: String.raw`C:\Windows\notepad.exe`, user: 'tester', session: 'desktop' });
  await app.quit();
  expect(harbors(guest)).toEqual([]);
  expect(guest.processes.list().some(({ comm }) => comm === 'notepad.exe')).toBe(true);
  expect(keys).toEqual([]);
});

test('WN17: the task is the identity’s, by its SID: a user whose name the task folder does not know has it too', async () => {
  const guest = windows([], { user: 'Jürgen Müller' });
  const app = appOn(guest, { user: 'Jürgen Müller' });
  await app.launch();
  expect(harbors(guest)).toMatchObject([{ user: 'Jürgen Müller', session: 'desktop' }]);
  // The account of the machine itself, as which the agent runs, has no desktop.
  expect(guest.profile.launch).toMatchObject({ kind: 'task' });
});

test('WN19: a locked session, a log-in window and a desktop are told apart', async () => {
  const stateOf = async (guest: Windows): Promise<number | undefined> =>
    (await guest.ssh.powershell(guest.profile.desktopState('tester'))).exitCode;
  const guest = windows();
  expect(await stateOf(guest)).toBe(0);
  guest.faults.add('session-locked');
  expect(await stateOf(guest)).toBe(4);
  guest.faults.delete('session-locked');
  guest.processes.logOut();
  expect(await stateOf(guest)).toBe(3);
});

test('WN14: of a first-run dialog only its own helpers are ended, never another application’s of the same name', async () => {
  for (const ways of [[], ['standard-user']] as const) {
    const guest = windows(ways);
    const { processes } = guest;
    const by = (path: string, ppid: number) =>
      processes.spawn({ path: `C:\\Edge\\${path}.exe`, user: 'tester', session: 'desktop', ppid });
    const dialog = processes.list().find(({ comm }) => comm === 'WebExperienceHostApp.exe')!;
    const own = by('msedgewebview2', dialog.pid);
    const deeper = by('msedgewebview2', own.pid);
    const teams = by('Teams', 1);
    const foreign = by('msedgewebview2', teams.pid);
    const orphan = by('msedgewebview2', 99_999);
    const app = { title: 'Harbor', path: HARBOR_WINDOWS, process: 'HarborChat', stateFiles: [] };
    const result = await guest.ssh.powershell(guest.profile.cleanup(app));
    expect(result).toMatchObject({ exitCode: 0 });
    const left = processes.list().map(({ pid }) => pid);
    expect(left).not.toContain(dialog.pid);
    for (const { pid } of [teams, foreign, orphan]) expect(left).toContain(pid);
    // With the dialog its helpers end by themselves; who may see the tree ends them.
    if (ways.length === 0) for (const { pid } of [own, deeper]) expect(left).not.toContain(pid);
  }
});

test('WN16: files that stay open for a moment are waited for; one that stays open is told by name, and the rest is kept', async () => {
  const guest = windows(['held-handles']);
  const app = {
    title: 'Harbor',
    path: HARBOR_WINDOWS,
    process: 'HarborChat',
    stateFiles: [String.raw`%APPDATA%\Harbor`],
  };
  await guest.disk.write(String.raw`C:\Users\tester\AppData\Roaming\Harbor\session.json`, '{}');
  guest.processes.spawn({ path: HARBOR_WINDOWS, user: 'tester', session: 'desktop' });
  const clean = () =>
    runOn({ machine: 'm', profile: guest.profile, ssh: guest.ssh }, guest.profile.cleanup(app));
  await clean();
  expect(await guest.disk.exists(String.raw`C:\Users\tester\AppData\Roaming\Harbor`)).toBe(false);

  await guest.disk.write(String.raw`C:\Users\tester\AppData\Roaming\Harbor\session.json`, '{}');
  guest.host.held.isHeld = () => true;
  await expect(clean()).rejects.toMatchObject({
    code: 'GUEST_FILE_IN_USE',
    message: expect.stringMatching(/Roaming\\Harbor: .*used by another process/),
  });
});

test('WN12: entries of the Credential Manager stay, and the page, the API and the verb itself say so, with what to do instead', () => {
  const guest = windows();
  const app = { title: 'Harbor', path: HARBOR_WINDOWS, process: 'HarborChat', stateFiles: [] };
  expect(guest.profile.cleanup(app).wire).not.toMatch(/cmdkey|vault|credential/i);
  const text = (file: string): string =>
    readFileSync(join(ROOT, file), 'utf8').replaceAll(/\s+(?:\* )?/g, ' ');
  expect(text('docs/windows.md')).toMatch(
    /entries in the Credential Manager stay, .*cmdkey\.exe \/list.*log out of the application before the checkpoint/,
  );
  for (const file of ['docs/api.md', 'fixtures/app/app.ts'])
    expect(text(file)).toMatch(/those of Windows' Credential Manager stay: the checkpoint has none/);
});
