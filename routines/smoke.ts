/**
 * What every smoke scenario does, whatever the application.
 *
 * @module
 */
import { type App, type Machine, nativeCall, sh, type SshSession, test } from '../fixtures/index.ts';
import { z } from 'zod';
import { defineRoutine, verify } from './engine/index.ts';

interface OnApp {
  readonly app: App;
}

/** The application is not running and remembers nothing: the first step of a scenario. */
export const cleanState = defineRoutine({
  name: 'clean-state',
  post: [verify.notRunning()],
  run: ({ app }: OnApp) => app.clean(),
});

/** The application runs and shows its first window. */
export const launchApp = defineRoutine({
  name: 'launch-app',
  inputs: { showing: z.string().optional(), budget: z.number().positive().optional() },
  run: ({ app }: OnApp, { showing, budget }) =>
    app.launch({
      ...(showing === undefined ? {} : { showing }),
      ...(budget === undefined ? {} : { budget }),
    }),
});

/** Unlocks KDE's screen now; before each step on the screen this happens by itself. */
export const unlockScreen = defineRoutine({
  name: 'unlock-screen',
  run: ({ app }: OnApp) => app.unlock(),
});

/** Dismisses the dialogs that the desktop is known for; before each step on the screen this happens by itself. */
export const dismissBanners = defineRoutine({
  name: 'dismiss-banners',
  run: ({ app }: OnApp) => app.dismissBanners(),
});

/** Puts the guest's journal since the test began into the report. */
export const collectLogs = defineRoutine({
  name: 'collect-logs',
  run: async ({ app }: OnApp) => {
    await test.info().attach('journal', { body: await app.logs(), contentType: 'text/plain' });
  },
});

interface OnGuest {
  readonly machine: Machine;
  readonly ssh: SshSession;
}

/** Installs a package that lies in the guest. vmwright does this only where a scenario asks for it. */
export const installPackage = defineRoutine({
  name: 'install-package',
  inputs: { path: z.string().min(1) },
  run: {
    fedora42: ({ ssh }: OnGuest, { path }) => ssh.exec(sh`sudo -n dnf install -y ${path}`),
    opensuse: ({ ssh }, { path }) => ssh.exec(sh`sudo -n zypper --non-interactive install ${path}`),
    manjaro: ({ ssh }, { path }) => ssh.exec(sh`sudo -n pacman -U --noconfirm ${path}`),
    linux: ({ ssh }, { path }) => ssh.exec(sh`sudo -n apt-get install -y ${path}`),
    windows: ({ ssh }, { path }) =>
      ssh.powershell(nativeCall('msiexec.exe', ['/i', path, '/qn', '/norestart'])),
  },
});
