import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadSettings } from '../../fixtures/config/index.ts';
import { Secret, secretFrom } from '../../fixtures/secrets/index.ts';
import { decodedCommand, encodedCommand, ps, SshSession, type SshTarget } from '../../fixtures/ssh/index.ts';
import { markedPowerShell, newMark } from '../../fixtures/ssh/mark.ts';
import { sentScript } from '../../fixtures/ssh/powershell.ts';
import { GUEST_USER } from '../../lab/fleet.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { errorOf } from './support/errors.ts';
import { expect, test as base } from './support/fixtures.ts';
import { MARK_LINE, type Recorder, type Reply, startRecorder } from './support/recorder.ts';

const test = base.extend<
  { record: (reply: (command: string) => Reply) => Promise<{ session: SshSession; recorder: Recorder }> },
  { lab: Lab }
>({
  record: async ({ connect }, use) => {
    const recorders: Recorder[] = [];
    await use(async (reply) => {
      const recorder = await startRecorder(reply);
      recorders.push(recorder);
      return { recorder, session: await connect(recorder.target) };
    });
    for (const recorder of recorders) void recorder.close();
  },
  lab: [
    async ({}, use) => {
      const lab = await startLab({ guests: ['windows11'] });
      await use(lab);
      await lab.stop();
    },
    { scope: 'worker' },
  ],
});

function windows(lab: Lab): SshTarget {
  const env = lab.env();
  const { sshJump, hostKeys } = loadSettings(env);
  return {
    machine: 'windows11',
    os: 'windows',
    host: lab.machine('windows11').guest.address,
    port: 22,
    user: GUEST_USER,
    password: secretFrom(env, 'WINDOWS11_PASSWORD', 'windows11'),
    hostKeys,
    ...(sshJump === undefined ? {} : { jump: sshJump }),
  };
}

/** The script as it was given: without the line that marks off its answer. */
function scriptOf(line: string): string {
  const [mark = '(no mark)'] = MARK_LINE.exec(argumentOf(line)) ?? [];
  expect(argumentOf(line).startsWith(mark)).toBe(true);
  return argumentOf(line).slice(mark.length);
}

/** The argument as PowerShell reads it, without our own decoder. */
function argumentOf(line: string): string {
  const [, encoded = ''] =
    /^powershell -NoProfile -NonInteractive -EncodedCommand ([\w+/=]+)$/.exec(line) ?? [];
  return Buffer.from(encoded, 'base64').toString('utf16le');
}

test('M27: what is sent decodes to the script byte for byte, and nothing of it is there in the raw', async ({
  record,
}) => {
  const { session, recorder } = await record(() => ({ exitCode: 0 }));
  const scripts = [
    'Get-Process | ForEach-Object { $_.Name } | Where-Object { $_ -ne "${env:X}" }',
    `Write-Output 'a''b' "c\`"d" \`\n  \${env:USERPROFILE}\r\n\t; # é ’ 日本 🎉`,
    'exit 0',
  ];
  for (const script of scripts) await session.powershell(script);
  expect(recorder.commands.map(scriptOf)).toEqual(scripts);
  for (const line of recorder.commands) {
    expect(line).not.toContain('$');
    expect(line).not.toMatch(/\s-c(ommand)?\s/i);
  }
});

test('M27: any script survives encoding', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 800 }), (script) => {
      expect(argumentOf(encodedCommand(script))).toBe(script);
      expect(decodedCommand(encodedCommand(script))).toBe(script);
    }),
  );
  expect(decodedCommand('powershell -File x.ps1')).toBeUndefined();
});

test('WN18: a script longer than a command line of cmd.exe, with what sshd puts around it, goes through standard input', async ({
  record,
  lab,
  connect,
}) => {
  const { session, recorder } = await record(() => ({ exitCode: 0 }));
  await session.powershell('x'.repeat(2700));
  const [line = ''] = recorder.commands;
  const around = String.raw`c:\windows\system32\cmd.exe /c ""`.length;
  expect(line.length + around).toBeLessThanOrEqual(8191);
  expect(scriptOf(line)).toBe('x'.repeat(2700));
  const error = await errorOf(session.powershell('x'.repeat(3100), { input: 'its own' }));
  expect(error.code).toBe('SSH_COMMAND_INVALID');
  expect(error.message).toContain('8191');
  expect(error.next).toContain('-ExecutionPolicy Bypass -File');
  expect(error.next).toContain('byte order mark');
  expect(recorder.commands).toHaveLength(1);

  const windowsSession = await connect(windows(lab));
  // At each length around the limit: no line is too long, and each script answers.
  const isLong = (length: number): boolean =>
    sentScript(markedPowerShell(`'${'ü'.repeat(length)}'; exit 5`, newMark()), undefined).input !== undefined;
  let limit = 1000;
  while (!isLong(limit)) limit++;
  for (let length = limit - 16; length <= limit + 4; length += 2) {
    const script = `'${'ü'.repeat(length)}'; exit 5`;
    const { stdout, exitCode } = await windowsSession.powershell(script, { check: false });
    expect(stdout).toBe(`${'ü'.repeat(length)}\r\n`);
    expect(exitCode).toBe(5);
  }
  const long = await windowsSession.powershell(`'${'日本'.repeat(20_000)}'`);
  expect(long.stdout).toHaveLength(40_002);
});

test('an exit status in one packet with the answer to the request is not lost', async ({ record }) => {
  const { session } = await record((command) => ({ exitCode: Number(command), stdout: 'o', stderr: 'e' }));
  for (const exitCode of [0, 1, 255]) {
    const result = await session.exec(String(exitCode), { check: false });
    expect(result).toMatchObject({ exitCode, stdout: 'o', stderr: 'e' });
  }
});

test('errors in XML become text; progress goes; other output stays', async ({ record }) => {
  const xml =
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">' +
    '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T></TN></Obj>' +
    '<S S="Error">Get-Item : Cannot find &lt;C:\\a&amp;b&gt;_x000D__x000A_</S>' +
    '<S S="Error">At line:1_x005F_x_x000D__x000A_</S></Objs>';
  const stderrs = [xml, `native tool: failed\r\n${xml}`, 'plain text', xml.replaceAll(/<S S.*<\/S>/g, '')];
  const { session } = await record(() => ({ exitCode: 1, stderr: stderrs.shift() ?? '' }));
  const error = await errorOf(session.powershell('Get-Item x'));
  expect(error.code).toBe('SSH_COMMAND_FAILED');
  expect(error.subject).toBe('recorder, Get-Item x');
  expect(error.seen).toBe('Get-Item : Cannot find <C:\\a&b>\n            At line:1_x');
  const { stderr } = await session.powershell('x', { check: false });
  expect(stderr).toBe('native tool: failed\r\nGet-Item : Cannot find <C:\\a&b>\r\nAt line:1_x\r\n');
  expect((await session.powershell('x', { check: false })).stderr).toBe('plain text');
  expect((await session.powershell('x', { check: false })).stderr).toBe('');
});

test('a secret in a script is encoded on the wire and shown by name', async ({ record }) => {
  const { session, recorder } = await record(() => ({ exitCode: 5, stderr: 'bad: swordfish-9' }));
  const secret = new Secret('WIN_PASSWORD', 'swordfish-9');
  const error = await errorOf(session.powershell(ps`Connect ${secret}`));
  expect(scriptOf(recorder.commands[0]!)).toBe("Connect 'swordfish-9'");
  expect(error.message).toContain('Connect {WIN_PASSWORD}');
  expect(error.message).toContain('bad: {WIN_PASSWORD}');
  expect(error.message).not.toContain('swordfish');
  expect(error.message).not.toContain(recorder.commands[0]!.split(' ').at(-1)!);
});

test('lab Windows: $_ and ${...} arrive through OpenSSH and cmd.exe, as a raw -Command they do not', async ({
  lab,
  connect,
}) => {
  const session = await connect(windows(lab));
  const script = `Write-Output 'a' 'b' | ForEach-Object { Write-Output "<$_ \${env:USERNAME}>" }`;
  expect((await session.powershell(script)).stdout).toBe('<a tester>\r\n<b tester>\r\n');
  const unprotected = await session.exec(`powershell -Command ${script}`, { check: false });
  expect(unprotected.stdout).not.toContain('<a');
});

test('lab Windows: values round trip as PowerShell strings', async ({ lab, connect }) => {
  const session = await connect(windows(lab));
  // The lab's PowerShell knows the straight quote only.
  const unit = fc.constantFrom(...Array.from(`'"\`$(){}[]@#;|&<>%^!*? \\/aé日`));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, minLength: 1 }), async (value) => {
      expect((await session.powershell(ps`Write-Output ${value}`)).stdout).toBe(`${value}\r\n`);
    }),
    { numRuns: 60 },
  );
});

test('lab Windows: exit codes and errors', async ({ lab, connect }) => {
  const session = await connect(windows(lab));
  expect((await session.powershell('exit 3', { check: false })).exitCode).toBe(3);
  const error = await errorOf(
    session.powershell(ps`$ErrorActionPreference = 'Stop'
Remove-Item -Path ${'C:\\no such'}`),
  );
  expect(error.code).toBe('SSH_COMMAND_FAILED');
  expect(error.subject).toContain('windows11');
  expect(error.seen).toContain("Cannot find path 'C:\\no such'");
});

test('lab Windows: a file goes there and back, over an existing one', async ({ lab, connect, folder }) => {
  const session = await connect(windows(lab));
  const remote = 'C:/Users/tester/note.bin';
  for (const size of [100_000, 5]) {
    const bytes = Buffer.alloc(size, 'vmwright');
    writeFileSync(join(folder, 'out'), bytes);
    await session.upload(join(folder, 'out'), remote);
    await session.download(remote, join(folder, 'back'));
    expect(readFileSync(join(folder, 'back')).equals(bytes)).toBe(true);
  }
});

test('lab Windows: a guest that boots is waited for; a cut connection names it', async ({ lab }) => {
  const { guest } = lab.machine('windows11');
  await guest.reset();
  const refused = await errorOf(
    SshSession.connect({ ...windows(lab), clock: { now: () => 0, sleep: () => Promise.resolve() } }),
  );
  expect(refused.code).toBe('SSH_UNREACHABLE');
  const session = await SshSession.waitReady(windows(lab));
  const sleeping = session.powershell('Start-Sleep -Seconds 30; exit 0');
  const cut = errorOf(sleeping);
  await session.powershell('exit 0');
  lab.faults.set('windows11', 'drop-ssh', true);
  expect(await cut).toMatchObject({ code: 'SSH_CONNECTION_LOST', subject: 'windows11' });
  session.disconnect();
});
