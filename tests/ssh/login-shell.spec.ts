import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { findPackage, resolveProfile } from '../../fixtures/app/index.ts';
import { loadSettings } from '../../fixtures/config/index.ts';
import { secretFrom } from '../../fixtures/secrets/index.ts';
import { SshSession, inUtf8 } from '../../fixtures/ssh/index.ts';
import { AfterMark, markedPowerShell } from '../../fixtures/ssh/mark.ts';
import { GUEST_USER } from '../../lab/fleet.ts';
import { startLab } from '../../lab/index.ts';
import { errorOf } from './support/errors.ts';
import { expect, test } from './support/fixtures.ts';

/** The shell part of OpenSSH's SFTP: run by the user's shell, as sshd_config of Debian has it. */
const SFTP_SERVER = '/usr/lib/openssh/sftp-server';

test('CL17: what a login shell prints is in no answer: output, package, exit code, stream', async ({
  startSshd,
  connect,
  folder,
}) => {
  for (const banner of [
    'echo "/opt/banner: 3 updates"',
    'printf "no line end"',
    'set -x',
    'echo; echo vmwright-0',
  ]) {
    writeFileSync(join(folder, '.bashrc'), `${banner}\n`);
    const session = await connect((await startSshd()).target());
    const parts: string[] = [];
    const result = await session.exec('printf "a\\n\\nb"; exit 3', {
      check: false,
      onStdout: (text) => parts.push(text),
    });
    expect(result).toMatchObject({ stdout: 'a\n\nb', exitCode: 3 });
    expect(parts.join('')).toBe('a\n\nb');
    expect(result.command).toBe('printf "a\\n\\nb"; exit 3');
    writeFileSync(join(folder, 'harbor-1.run'), '');
    expect(await staged(session, folder)).toBe(join(folder, 'harbor-1.run'));
    expect((await session.exec('true')).stdout).toBe('');
    session.disconnect();
  }
});

async function staged(session: SshSession, folder: string): Promise<string> {
  const profile = resolveProfile('box', 'linux', 'gnome', 'wayland');
  const application = {
    title: 'Harbor',
    path: `${folder}/{file}`,
    fileGlob: 'harbor-*.run',
    process: 'harbor',
    stateFiles: [],
    kind: 'other' as const,
  };
  return (await findPackage({ machine: 'box', profile, ssh: session }, application)).path;
}

test('CL17: SFTP behind a shell that prints says so, on the way up and down', async ({
  startSshd,
  connect,
  folder,
}) => {
  test.skip(!existsSync(SFTP_SERVER), `${SFTP_SERVER} is not installed (Debian package openssh-sftp-server)`);
  const session = await connect((await startSshd({ sftp: SFTP_SERVER })).target());
  const file = join(folder, 'file');
  writeFileSync(file, 'content');
  await session.upload(file, join(folder, 'silent'));
  expect(readFileSync(join(folder, 'silent'), 'utf8')).toBe('content');
  for (const [banner, begin] of [
    ['echo Welcome to box', '"Welc"'],
    ['echo', '"\\n'],
  ]) {
    writeFileSync(join(folder, '.bashrc'), `${banner}\n`);
    for (const transfer of [
      () => session.upload(file, join(folder, 'loud')),
      () => session.download(file, join(folder, 'loud')),
    ]) {
      const error = await errorOf(transfer());
      expect(error.code).toBe('SSH_TRANSFER_FAILED');
      expect(error.message).toContain('the login shell of');
      expect(error.message).toContain('prints something');
      expect(error.seen).toContain(begin);
      expect(error.next).toContain('.bashrc');
    }
  }
  expect(existsSync(join(folder, 'loud'))).toBe(false);
});

test('CL17: a shell that ends before the command began gives no answer, whatever its exit code', async ({
  startSshd,
  connect,
  folder,
}) => {
  for (const code of [0, 1]) {
    writeFileSync(join(folder, '.bashrc'), `echo closed until Monday\nexit ${code}\n`);
    const session = await connect((await startSshd()).target());
    for (const check of [true, false]) {
      const error = await errorOf(session.exec('pgrep harbor', { check }));
      expect(error.code).toBe('SSH_SHELL_ENDED');
      expect(error.seen).toContain(`exit code ${code}`);
      expect(error.seen).toContain('closed until Monday');
      expect(error.next).toContain('nologin');
    }
    session.disconnect();
  }
});

test('CL17: a command in any shell that prints comes out as it is', async ({
  startSshd,
  connect,
  folder,
}) => {
  const program = join(folder, 'shell');
  for (const shell of ['dash', 'bash']) {
    writeFileSync(program, `#!/bin/sh\necho hello from the shell\nexec /bin/${shell} "$@"\n`);
    chmodSync(program, 0o755);
    const lines = [`ForceCommand ${program} -c "$SSH_ORIGINAL_COMMAND"`];
    const session = await connect((await startSshd({ lines })).target());
    expect((await session.exec('cat <<X\n1\nX\nexec printf 2')).stdout).toBe('1\n2');
    session.disconnect();
  }
});

test('CL17: a PowerShell profile that prints is in no answer either', async () => {
  const lab = await startLab({ guests: ['windows11', 'fedora42'] });
  try {
    for (const [name, os] of [
      ['windows11', 'windows'],
      ['fedora42', 'linux'],
    ] as const) {
      const env = lab.env();
      const { sshJump, hostKeys } = loadSettings(env);
      const session = await SshSession.connect({
        machine: name,
        os,
        host: lab.machine(name).guest.address,
        port: 22,
        user: GUEST_USER,
        password: secretFrom(env, `${name.toUpperCase()}_PASSWORD`, name),
        hostKeys,
        ...(sshJump === undefined ? {} : { jump: sshJump }),
      });
      lab.faults.set(name, 'shell-prints', true);
      const { stdout } =
        os === 'windows' ? await session.powershell("Write-Output 'a'") : await session.exec('echo a');
      expect(stdout.trimEnd()).toBe('a');
      session.close();
    }
  } finally {
    await lab.stop();
  }
});

test('CL17: however output is cut into pieces, what follows the mark is the answer', () => {
  const text = fc.string({ unit: fc.constantFrom('\n', '\r', 'm', 'vmwright-', 'x'), maxLength: 12 });
  fc.assert(
    fc.property(
      text,
      text,
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.nat(60)),
      (before, answer, end, cuts) => {
        const mark = 'vmwright-m';
        fc.pre(!`${before}\n`.includes(`\n${mark}\n`) && !before.includes(mark));
        const whole = `${before}${end}${mark}${end}${answer}`;
        const own = new AfterMark(mark);
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b),
          whole.length,
        ];
        const pieces = places.slice(1).map((place, index) => whole.slice(places[index], place));
        expect(pieces.map((piece) => own.push(piece)).join('')).toBe(answer);
        expect(own.isFound).toBe(true);
      },
    ),
  );
});

test('CL17: in PowerShell the mark comes before everything but what has to be first', () => {
  const first = inUtf8(`'';'M'`);
  const marked = (script: string): string => markedPowerShell(script, 'M');
  expect(marked('Get-Date\nexit 3')).toBe(`${first}\nGet-Date\nexit 3`);
  expect(marked('# notes\nusing namespace System.IO\nGet-Date')).toBe(
    `# notes\nusing namespace System.IO\n${first}\nGet-Date`,
  );
  expect(marked('using namespace System.IO; Get-Date')).toBe(`using namespace System.IO;${first}\n Get-Date`);
  expect(marked('param($x = 1)\n$x')).toBe(`${first}\n& {\nparam($x = 1)\n$x\n}`);
  expect(marked('[CmdletBinding()] param()\n1')).toBe(`${first}\n& {\n[CmdletBinding()] param()\n1\n}`);
});
