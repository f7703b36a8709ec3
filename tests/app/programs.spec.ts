import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { type App, resolveProfile } from '../../fixtures/app/index.ts';
import { commandLine } from '../../fixtures/app/windows-task.ts';
import { runOnLab } from '../support/lab-project.ts';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';
import { scripted } from './support/scripted.ts';

/** A real desktop on an emulated processor, which may be started here for the first time. */
const REAL_MS = 900_000;

/** What the simulated guests call things. */
const NAMES = `
  const isWindows = (machine) => machine.os === 'windows';
  const editorOf = (machine) => isWindows(machine) ? 'notepad' : 'text-editor';
  const pathOf = (machine) => isWindows(machine) ? 'C:\\\\Windows\\\\notepad.exe' : '/usr/bin/text-editor';
  const shellOf = (machine) => ({ gnome: 'gnome-shell', kde: 'plasmashell' })[machine.desktop] ?? 'explorer';`;

test('IN13: programs by name, by path with arguments, and by title, on GNOME, KDE and Windows: opened in the session, typed into, closed', async ({}, info) => {
  const machines = ['fedora42', 'manjaro', 'windows11'];
  const lab = await startLab({ guests: machines });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines,
      // An application that is not staged is none of another program's business.
      change: `row.application.path = row.os === 'windows' ? 'C:\\\\None\\\\{file}' : '/opt/none/{file}';`,
      spec: `${NAMES}
        test('programs', async ({ apps, vncPage, machine }) => {
          const path = pathOf(machine);
          const editor = await apps.open(editorOf(machine), { showing: 'Untitled document' });
          expect(await editor.isRunning()).toBe(true);
          await vncPage.keyboard.type('Second program');
          await expect(vncPage).toShowText('Second program');
          await editor.quit();
          expect(await editor.isRunning()).toBe(false);
          await expect(vncPage).not.toShowText('Second program');

          const notes = await apps.open({ path, args: ['my notes.txt'] }, { showing: 'my notes.txt' });
          await notes.kill();
          expect(await notes.isRunning()).toBe(false);
          await notes.launch({ showing: 'my notes.txt' });
          await notes.clean();
          expect(await notes.isRunning()).toBe(false);

          // A process that ran before is none of its own, and the text of its window proves it.
          const shell = { path, process: shellOf(machine), args: ['one.txt'] };
          await expect(apps.open(shell, { budget: 1500 })).rejects.toMatchObject({
            code: 'APP_NOT_RUNNING',
            seen: expect.stringMatching(/process=true.*ran before the launch \\(process \\d+\\) and no process of it is new/),
          });
          await expect(apps.open(shell, { showing: 'one.txt', budget: 1500 })).rejects.toMatchObject({
            seen: expect.stringMatching(/ran before.*its text was on the screen/),
          });
          await apps.open({ ...shell, args: ['two.txt'] }, { showing: 'two.txt' });

          for (const wrong of ['no-such-program', 'sub/folder', '-v', 'text*', '']) {
            await expect(apps.find(wrong), wrong).rejects.toMatchObject({ code: wrong === 'sub/folder' && isWindows(machine) ? 'GUEST_PATH_UNSAFE' : 'PROGRAM_NOT_FOUND' });
          }
          await expect(apps.find(isWindows(machine) ? 'C:\\\\Windows\\\\none.exe' : '/usr/bin/none')).rejects.toMatchObject({ code: 'PROGRAM_NOT_FOUND' });
        });
        test('by its name for people', async ({ apps, machine }) => {
          // Electron on Wayland dies when it is not the launcher that starts it.
          const path = isWindows(machine) ? 'HarborChat' : '/opt/harbor/harbor-chat';
          const chat = await apps.open({ path, title: 'Harbor Chat' }, { showing: 'Sign in to Harbor' });
          expect(await chat.isRunning()).toBe(true);
        });`,
    });
    expect(run.output).toMatch(/^\s*6 passed/m);
    expect(run.exitCode).toBe(0);
  } finally {
    await lab.stop();
  }
});

test('a program that was there before a launch, and the words of a Windows command line', async () => {
  // One instance shows the windows of all: its process stays the same.
  const { app, shows } = oneInstance();
  await expect(app.launch({ budget: 1000 })).rejects.toMatchObject({
    code: 'APP_NOT_RUNNING',
    seen: expect.stringContaining('ran before the launch (process 41)'),
    next: expect.stringContaining('{ showing }'),
  });
  await expect(app.launch({ showing: 'Old', budget: 1000 })).rejects.toMatchObject({
    seen: expect.stringContaining('its text was on the screen'),
  });
  Object.assign(shows, { afterLaunch: 'New', isLaunched: false });
  await app.launch({ showing: 'New', budget: 1000 });

  // CommandLineToArgvW: a backslash means itself unless a quotation mark follows.
  expect(commandLine(['plain', 'two words', String.raw`C:\a b\ `, '', 'say "hi"', String.raw`x\"`])).toBe(
    String.raw`plain "two words" "C:\a b\ " "" "say \"hi\"" "x\\\""`,
  );
  expect(commandLine([String.raw`C:\a b` + '\\'])).toBe(String.raw`"C:\a b\\"`);
});

/** A program whose only process was there before. */
function oneInstance(): { app: App; shows: { afterLaunch: string; isLaunched: boolean } } {
  const shows = { afterLaunch: '', isLaunched: false };
  const { app } = scripted(
    { title: 'Editor', path: '/usr/bin/editor', process: 'editor' },
    (wire) => {
      if (wire.includes('systemd-run')) shows.isLaunched = true;
      return { stdout: wire.includes('pgrep') && !wire.includes('/dev/null') ? '41\n' : '' };
    },
    (text) => {
      const isShown = text === 'Old' || (shows.isLaunched && text === shows.afterLaunch);
      return Promise.resolve({ isShown, told: '' });
    },
    { launch: resolveProfile('m', 'linux', 'openbox', 'x11').start([]) },
  );
  return { app, shows };
}

test('IN13: programs of the real guest, by name and by path, in its session: typed into, checked in the guest, closed', async ({}, info) => {
  test.setTimeout(REAL_MS);
  requirePeer(test, 'qemu-system-x86_64');
  requirePeer(test, 'qemu-img');
  requireRealGuest(test);
  const lab = await startLab({ qemu: true, guests: [] });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: ['debian12'],
      spec: `
        test('programs', async ({ apps, ssh, vncPage }) => {
          const terminal = await apps.open({ path: 'xterm', args: ['-fa', 'DejaVu Sans Mono', '-fs', '14'] }, { showing: 'tester@debian12' });
          expect(await terminal.isRunning()).toBe(true);
          await vncPage.keyboard.type('echo "$DISPLAY" > written; exit\\n');
          await expect.poll(() => terminal.isRunning()).toBe(false);
          expect((await ssh.exec('cat written')).stdout).toMatch(/^:\\d/);

          const watch = await apps.open({ path: '/usr/bin/xterm', args: ['-T', 'With a title', '-e', 'cat'] }, { showing: 'With a title' });
          await watch.quit();
          expect(await watch.isRunning()).toBe(false);
          // What a start script leaves behind goes on without it.
          const left = await apps.open({ path: '/bin/sh', args: ['-c', 'xterm -T "Left behind" -e cat &'], process: 'xterm' }, { showing: 'Left behind' });
          await left.kill();
          expect(await left.isRunning()).toBe(false);

          await expect(apps.open({ path: '/etc/hostname' }, { budget: 1000 })).rejects.toMatchObject({ code: 'SSH_COMMAND_FAILED' });
          await expect(apps.find('no-such-program')).rejects.toMatchObject({ code: 'PROGRAM_NOT_FOUND' });
        });`,
    });
    expect(run.output).toMatch(/^\s*1 passed/m);
    expect(run.exitCode).toBe(0);
  } finally {
    await lab.stop();
  }
});
