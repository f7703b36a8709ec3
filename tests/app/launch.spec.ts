import { expect, test } from '@playwright/test';
import { App, type LaunchScreen, resolveProfile } from '../../fixtures/app/index.ts';
import { type Scripted, scripted } from './support/scripted.ts';
import { Desk } from '../page/support/desk.ts';
import { lookForLaunch } from '../../fixtures/page/launch-sight.ts';
import type { ExecResult } from '../../fixtures/ssh/index.ts';

/** @param readyAt when its process is there, in ms */
function appReadyAt(
  readyAt: number,
  look: LaunchScreen['look'] = () => Promise.resolve({ isShown: true, told: '' }),
): Scripted {
  const application = { title: 'My App', path: '/opt/my-app', process: 'my-app' };
  return scripted(
    application,
    (wire, now) => ({ exitCode: wire.includes('pgrep') && now < readyAt ? 1 : 0 }),
    look,
  );
}

test('M37: a launch returns as soon as it is verified, and fails no earlier than its budget', async () => {
  const quick = appReadyAt(4000);
  await quick.app.launch({ showing: 'Sign in', budget: 30_000 });
  expect(quick.now()).toBeGreaterThanOrEqual(4000);
  expect(quick.now()).toBeLessThanOrEqual(4500);
  expect(Math.max(...quick.sleeps)).toBeLessThanOrEqual(1000);

  const never = appReadyAt(Infinity);
  await expect(never.app.launch({ showing: 'Sign in', budget: 30_000 })).rejects.toMatchObject({
    code: 'APP_NOT_RUNNING',
    seen: expect.stringContaining('process=false window=false after 30000 ms'),
  });
  expect(never.now()).toBeGreaterThanOrEqual(30_000);
  expect(never.now()).toBeLessThan(31_000);
});

test('M37: an application that is up just before the end of its budget has come up', async () => {
  const late = appReadyAt(29_900);
  await late.app.launch({ budget: 30_000 });
  expect(late.now()).toBeLessThanOrEqual(30_250);
});

/** A launcher that loses what is typed before `loadedAt`, in keys, and shows what it then gets. */
function launcherLoadedAfter(
  lostKeys: number,
  { shown = 2 } = {},
): { app: App; pressed: string[]; field: () => string } {
  const pressed: string[] = [];
  let [field, keys, time] = ['', 0, 0];
  const arrives = (key: string): void => {
    if (++keys <= lostKeys) return;
    field = key === 'Backspace' ? field.slice(0, -1) : field + key;
  };
  const done = Promise.resolve(true);
  const app = new App({
    machine: 'm',
    profile: resolveProfile('m', 'linux', 'kde', 'x11'),
    application: { title: 'My App', path: '/opt/my-app', process: 'my-app', stateFiles: [] },
    staged: { path: '/opt/my-app', others: [] },
    startedAt: 0,
    user: 'tester',
    ssh: {
      exec: (command) =>
        Promise.resolve({
          command,
          exitCode: 0,
          stdout: '',
          stderr: '',
          durationMs: 0,
        } as unknown as ExecResult),
      powershell: () => Promise.reject(new Error('not on Linux')),
    },
    timeoutScale: 1,
    guards: { clearWay: () => done, unlock: () => done, dismissBanners: () => done },
    screen: {
      size: { width: 1280, height: 800 },
      keyboard: {
        press: (key) => {
          pressed.push(key);
          if (key === 'Backspace') arrives(key);
          return done;
        },
        type: (text) => {
          pressed.push(text);
          for (const key of text) arrives(key);
          return done;
        },
      },
      waitForChange: ({ action }) => action(),
      look: () => Promise.resolve({ isShown: true, told: '' }),
      count: (text) => Promise.resolve(field === text ? shown : 0),
      witness: () => {
        throw new Error('no claim was made');
      },
    },
    clock: {
      now: () => time,
      sleep: (ms) => {
        time += ms;
        return Promise.resolve();
      },
    },
  });
  return { app, pressed, field: () => field };
}

test('M23: Super, the title, Return; what a launcher loses while it loads is typed again', async () => {
  const quick = launcherLoadedAfter(0);
  await quick.app.launch();
  expect(quick.pressed).toEqual(['Super', 'My App', 'Enter']);

  // Three keys of six are lost, then all of them and the first three of those that delete.
  for (const lost of [3, 9]) {
    const slow = launcherLoadedAfter(lost);
    await slow.app.launch();
    const again = Array.from('My App', () => 'Backspace');
    expect(slow.pressed).toEqual(['Super', 'My App', ...again, 'My App', 'Enter']);
    expect(slow.field()).toBe('My App');
  }

  // Where the list shows the application under another name, the title is enough.
  const alias = launcherLoadedAfter(0, { shown: 1 });
  await alias.app.launch();
  expect(alias.pressed).toEqual(['Super', 'My App', 'Enter']);
});

test('IN8: a launch that waits for a wrong text says which it wanted and what was read, as toShowText does', async () => {
  const labels = [
    { text: 'Harbor Chat', x: 20, y: 40 },
    { text: 'Log in to your account', x: 20, y: 90 },
  ];
  const page = await new Desk({ labels }).page();
  try {
    const launch = (readyAt: number, showing: string | RegExp) =>
      appReadyAt(readyAt, (text) => lookForLaunch(page, text)).app.launch({ showing, budget: 1000 });
    await launch(0, 'Log in to your account');
    for (const showing of ['Sign in to your account', /Sign\s?up/]) {
      const wanted = typeof showing === 'string' ? JSON.stringify(showing) : String(showing);
      const error: unknown = await launch(0, showing).catch((cause: unknown) => cause);
      expect(error).toMatchObject({
        code: 'APP_NOT_RUNNING',
        expected: expect.stringContaining(`text ${wanted}`),
        seen: expect.stringMatching(/process=true window=false after [^]*\nRead:.*"Log in to your account"/),
        next: expect.stringContaining('compare the text'),
      });
      expect((error as Error).message).toMatch(/"Harbor Chat"/);
    }
    // The screen is read too where the process is what is missing.
    await expect(launch(Infinity, 'Sign in')).rejects.toMatchObject({
      seen: expect.stringMatching(/process=false window=false after [^]*\nRead:.*"Harbor Chat"/),
      next: expect.stringContaining('by hand'),
    });
    // What OCR cannot read would be waited for in vain.
    await expect(launch(0, 'Войти')).rejects.toMatchObject({ code: 'TEXT_UNREADABLE' });
  } finally {
    await page.close();
  }
});
