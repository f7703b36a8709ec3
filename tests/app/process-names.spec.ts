import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from '@playwright/test';
import { idleCmd, killAndWait, pidsCmd, probeCmd } from '../../fixtures/app/posix.ts';
import { requirePeer } from '../support/peers.ts';
import { windows } from '../windows/support/guest.ts';

/** Each with a name that it would mean as a pattern, or that it would hide from. */
const POSIX: readonly (readonly [name: string, other: string])[] = [
  ['notepad++', 'notepaddd'],
  ['c++', 'cc'],
  ['chrome.bin', 'chromexbin'],
  ['(sd-pam)', 'sd-pam'],
  ['a|b', 'a'],
  ['web [1]', 'web 1'],
  ['x{2}^$?*', 'xx'],
  ['back\\slash', 'backslash'],
  ['-v', 'v'],
  ["it's", 'its'],
  ['g++++++++++++++', 'gggggggggggggg'],
  // The kernel keeps 15 bytes of a name: of the eighth letter one of two.
  ['äöüäöüäöü', 'äöüäöüäx'],
];

async function exitCode(script: string): Promise<number> {
  // As sshd starts a command: no locale.
  const env = { PATH: process.env.PATH };
  return promisify(execFile)('/bin/sh', ['-c', script], { env }).then(
    () => 0,
    (error: unknown) => (error as { code: number }).code,
  );
}

test('IN7: on Linux a process name means that name: its probe sees it, and nothing else is probed or ended', async ({}, info) => {
  test.skip(process.platform !== 'linux', 'needs Linux');
  requirePeer(test, 'pkill');
  mkdirSync(info.outputDir, { recursive: true });
  const started: ChildProcess[] = [];
  const start = async (name: string) => {
    const program = join(info.outputDir, name);
    copyFileSync('/bin/sleep', program);
    const child = spawn(program, ['300'], { stdio: 'ignore' });
    started.push(child);
    await once(child, 'spawn');
    return child;
  };
  try {
    for (const [name, other] of POSIX) {
      const bystander = await start(other);
      expect(await exitCode(probeCmd(name)), `${name} is not ${other}`).toBe(1);
      const child = await start(name);
      const exited = once(child, 'exit');
      expect(await exitCode(probeCmd(name)), name).toBe(0);
      expect(await exitCode(idleCmd(name)), name).toBe(0);
      expect(await exitCode(`[ "$(${pidsCmd(name)})" = ${child.pid} ]`), name).toBe(0);
      expect(await exitCode(killAndWait(name)), name).toBe(0);
      expect(await exited).toEqual([null, 'SIGTERM']);
      expect(await exitCode(probeCmd(name)), name).toBe(1);
      expect(bystander.exitCode ?? bystander.signalCode, `${other} was ended with ${name}`).toBeNull();
      const gone = once(bystander, 'exit');
      bystander.kill();
      await gone;
    }
  } finally {
    for (const child of started) child.kill();
  }
});

/** What may be in the name of a Windows program, with all that PowerShell's wildcards make something of. */
const windowsName = fc
  .string({
    unit: fc.constantFrom(..."a b 1 [ ] ` + . ( ) $ ' ^ { } & ; , -".split(' '), ' '),
    minLength: 1,
    maxLength: 8,
  })
  .filter((name) => name.trim() === name && !name.endsWith('.'));

test('IN7: on Windows a process name means that name, whatever is in it', async () => {
  await fc.assert(
    fc.asyncProperty(windowsName, windowsName, async (name, other) => {
      fc.pre(name.toLowerCase() !== other.toLowerCase());
      const { processes, profile, ssh } = windows();
      processes.clear();
      const application = { title: 't', path: 'C:\\x', process: `${name}.exe`, stateFiles: [] };
      const run = async (command: 'probe' | 'kill') =>
        (await ssh.powershell(profile[command](application))).exitCode;
      const spawn = (each: string) =>
        processes.spawn({ path: `C:\\${each}.exe`, user: 'tester', session: 'desktop' });
      spawn(other);
      expect(await run('probe')).toBe(1);
      spawn(name);
      expect(await run('probe')).toBe(0);
      expect(await run('kill')).toBe(0);
      expect(processes.list().map(({ comm }) => comm)).toEqual([`${other}.exe`]);
      expect(await run('probe')).toBe(1);
    }),
    {
      examples: [
        ['notepad[1]', 'notepad1'],
        ['a`b', 'ab'],
        ['[', 'a'],
        ['notepad++', 'notepad'],
      ],
    },
  );
});
