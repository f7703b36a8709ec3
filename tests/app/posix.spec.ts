import { execFile, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { type Application, resolveProfile } from '../../fixtures/app/index.ts';
import {
  cleanupScript,
  guestPath,
  idleCmd,
  killAndWait,
  killCmd,
  probeCmd,
  sessionCommand,
} from '../../fixtures/app/posix.ts';
import { requirePeer } from '../support/peers.ts';

const application: Application = {
  title: 'Harbor Chat',
  path: '/opt/harbor/{file}',
  fileGlob: 'harbor-chat*',
  process: 'harbor-chat',
  stateFiles: ['~/.config/harbor', "~/.cache/it's here"],
};
const profile = (desktop: string, session = 'wayland') => resolveProfile('m', 'linux', desktop, session);
const cleanup = (desktop: string, session?: string): string =>
  profile(desktop, session).cleanup(application).wire;

async function shell(
  script: string,
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const run = promisify(execFile)('/bin/sh', ['-c', script], { env: { ...process.env, ...env } });
    return { code: 0, ...(await run) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

test('M15, P-M22: processes are matched by -x, never by -f', () => {
  expect(killCmd('app')).toMatch(/pkill .*-x app/);
  const scripts = ['gnome', 'kde'].flatMap((desktop) => [
    cleanup(desktop),
    profile(desktop).probe(application).wire,
    profile(desktop).kill(application).wire,
    profile(desktop).locker?.probe.wire ?? '',
    profile(desktop).locker?.kill.wire ?? '',
    profile(desktop).locker?.takesKeys.wire ?? '',
  ]);
  for (const script of [...scripts, killCmd('app'), probeCmd('app')]) {
    expect(script).not.toMatch(/p(?:kill|grep)\b[^\n|;]* -\w*f/);
  }
});

test('M17: names longer than 15 bytes are sent as the kernel knows them', () => {
  const { locker } = profile('kde');
  for (const command of [locker?.probe.wire, locker?.kill.wire, locker?.takesKeys.wire]) {
    expect(command).toMatch(/p(kill -TERM|grep) -x kscreenlocker_g[ )]/);
    expect(command).not.toContain('kscreenlocker_greet');
  }
  expect(cleanup('gnome')).toContain('-x gnome-keyring-d');
  expect(cleanup('gnome')).not.toContain('-x gnome-keyring-daemon');
});

test.describe('on this Linux', () => {
  test.skip(process.platform !== 'linux', 'needs Linux');

  test('M17: a process with a name of 19 characters is ended', async ({}, info) => {
    requirePeer(test, 'pkill');
    mkdirSync(info.outputDir, { recursive: true });
    const program = info.outputPath('vmwright-sleeper-19');
    copyFileSync('/bin/sleep', program);
    const child = spawn(program, ['60']);
    await once(child, 'spawn');
    expect((await shell(probeCmd('vmwright-sleeper-19'))).code).toBe(0);
    const exited = once(child, 'exit');
    expect(await shell(killAndWait('vmwright-sleeper-19'))).toMatchObject({ code: 0 });
    expect(await exited).toEqual([null, 'SIGTERM']);
  });

  test('a process that computes is not idle, one that waits is', async ({}, info) => {
    requirePeer(test, 'pgrep');
    mkdirSync(info.outputDir, { recursive: true });
    const program = info.outputPath('vmwright-thinker');
    copyFileSync('/bin/sh', program);
    expect((await shell(idleCmd('vmwright-thinker'))).code).toBe(1);
    const script = 'trap "d=1" USR1; echo ready; while [ -z "$d" ]; do :; done; echo done; read x';
    const child = spawn(program, ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    expect((await shell(idleCmd('vmwright-thinker'))).code).toBe(1);
    child.kill('SIGUSR1');
    await once(child.stdout, 'data');
    expect((await shell(idleCmd('vmwright-thinker'))).code).toBe(0);
    const exited = once(child, 'exit');
    child.stdin.end();
    await exited;
  });

  test('P-M22: the probe of a process that is not there says so, whatever its own command line holds', async () => {
    requirePeer(test, 'pgrep');
    expect((await shell(probeCmd('vmwright-no-such'))).code).toBe(1);
  });

  test('a process that ignores TERM is ended by force', async ({}, info) => {
    requirePeer(test, 'pkill');
    mkdirSync(info.outputDir, { recursive: true });
    const program = info.outputPath('vmwright-stubborn');
    copyFileSync('/bin/sh', program);
    const child = spawn(program, ['-c', 'trap "" TERM; echo ready; while :; do read x || break; done'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const exited = once(child, 'exit');
    expect(await shell(killAndWait('vmwright-stubborn'))).toMatchObject({ code: 0 });
    expect(await exited).toEqual([null, 'SIGKILL']);
  });

  test('M18, M19: clean-up leaves no state and no credentials behind, and touches nothing else', async ({}, info) => {
    requirePeer(test, 'pkill');
    const home = info.outputPath('home');
    const write = (name: string): void => {
      mkdirSync(join(home, name, '..'), { recursive: true });
      writeFileSync(join(home, name), 'x');
    };
    const gone = [
      '.local/share/keyrings/default',
      '.local/share/keyrings/login.keyring',
      '.local/share/kwalletd/a.kwl',
      '.config/harbor/session.json',
      ".cache/it's here/x",
    ];
    const kept = [
      '.config/other/session.json',
      '.local/share/keyrings/user.keystore',
      '.local/share/kwalletd/a.salt',
    ];
    for (const name of [...gone, ...kept]) write(name);
    for (const desktop of ['gnome', 'kde']) {
      expect(await shell(cleanup(desktop), { HOME: home })).toMatchObject({ code: 0, stderr: '' });
    }
    expect(gone.filter((name) => existsSync(join(home, name)))).toEqual([]);
    expect(kept.filter((name) => !existsSync(join(home, name)))).toEqual([]);
    expect(readdirSync(join(home, '.config'))).toContain('kscreenlockerrc');
  });

  test('M21: the keyring daemon is gone before its files are removed', async ({}, info) => {
    requirePeer(test, 'pkill');
    const script = cleanup('gnome');
    const kill = script.indexOf('pkill -TERM -x gnome-keyring-d');
    expect(kill).toBeGreaterThan(0);
    for (const found of script.matchAll(/rm [^\n]*keyrings/g)) expect(found.index).toBeGreaterThan(kill);

    const home = info.outputPath('home');
    const keyring = join(home, '.local/share/keyrings/default');
    mkdirSync(join(keyring, '..'), { recursive: true });
    // Named as the kernel names the real one: it writes the file anew for as long as it lives, and once more at its end.
    const daemon = info.outputPath('gnome-keyring-d');
    copyFileSync('/bin/bash', daemon);
    const body =
      'trap "echo again > $FILE; exit" TERM; echo ready; while :; do echo x > "$FILE"; read -t 0.01 y; done';
    const child = spawn(daemon, ['-c', body], {
      env: { ...process.env, FILE: keyring },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const exited = once(child, 'exit');
    expect(await shell(script, { HOME: home })).toMatchObject({ code: 0 });
    await exited;
    expect(existsSync(keyring)).toBe(false);
  });
});

test('M20: only KDE has its locker switched off', () => {
  expect(cleanup('kde')).toContain('kscreenlockerrc');
  expect(cleanup('gnome')).not.toContain('kscreenlockerrc');
});

test('a path keeps its globs and loses nothing else', () => {
  expect(guestPath('~/.local/share/kwalletd/*.kwl')).toBe('"$HOME"/.local/share/kwalletd/*.kwl');
  expect(guestPath("~/a b/it's")).toBe(String.raw`"$HOME"'/a b/it'\''s'`);
  expect(guestPath('/opt/$(reboot)/*')).toBe("'/opt/$(reboot)/'*");
});

test('nothing needs a display of its own: all input goes through VNC', () => {
  const scripts = ['gnome', 'kde'].flatMap((desktop) => [
    cleanup(desktop),
    profile(desktop).probe(application).wire,
  ]);
  const openbox = resolveProfile('m', 'linux', 'openbox', 'x11');
  for (const script of [...scripts, openbox.cleanup(application).wire, sessionCommand('/opt/x').wire]) {
    expect(script).not.toMatch(/xdotool|xset |DISPLAY=/);
  }
});

test('an application whose process cannot be ended fails the clean-up', () => {
  expect(cleanupScript(application, { daemons: [], files: [], settings: [] }).wire).toContain('does not end');
});
