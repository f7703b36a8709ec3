/**
 * What every smoke scenario does, whatever the application.
 *
 * @module
 */
import { type App, type Machine, sh, type SshSession, test, type Vm } from '../fixtures/index.ts';
import { z } from 'zod';
import { defineRoutine, verify } from './engine/index.ts';
import { installMsi } from './windows-installer.ts';

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
  /** For a restart. */
  readonly vm?: Vm;
}

/**
 * Installs a package that lies in the guest. vmwright does this only where a scenario asks for it. A Windows package that
 * wants a restart gets it with `restart` and `vm`; else a warning tells.
 */
export const installPackage = defineRoutine({
  name: 'install-package',
  inputs: { path: z.string().min(1), restart: z.boolean().default(false) },
  run: {
    fedora42: ({ ssh }: OnGuest, { path }) => ssh.exec(sh`sudo -n dnf install -y ${path}`),
    opensuse: ({ ssh }, { path }) => ssh.exec(sh`sudo -n zypper --non-interactive install ${path}`),
    manjaro: ({ ssh }, { path }) => ssh.exec(sh`sudo -n pacman -U --noconfirm ${path}`),
    linux: ({ ssh }, { path }) => ssh.exec(sh`sudo -n apt-get install -y ${path}`),
    windows: (on, inputs) => installMsi(on, inputs),
  },
});
