import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSettings } from '../../fixtures/config/index.ts';
import { secretFrom } from '../../fixtures/secrets/index.ts';
import { SshSession } from '../../fixtures/ssh/index.ts';
import type { WindowsWay } from '../../lab/guests/simulated/windows-ways.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { expect, test as base } from '../ssh/support/fixtures.ts';
import { windows } from './support/guest.ts';
import { guestOf } from '../app/support/guest.ts';

const USER = 'Jürgen Müller';

const test = base.extend<
  {
    open: (...ways: readonly (WindowsWay | 'shell-prints')[]) => Promise<SshSession>;
    timeoutScale: number;
  },
  { lab: Lab }
>({
  timeoutScale: [1, { option: true }],
  open: async ({ lab, timeoutScale }, use) => {
    const sessions: SshSession[] = [];
    const on: string[] = [];
    await use(async (...ways) => {
      for (const way of ways) lab.faults.set('windows11', way, true);
      on.push(...ways);
      const env = lab.env();
      const { sshJump, hostKeys } = loadSettings(env);
      const session = await SshSession.connect({
        machine: 'windows11',
        os: 'windows',
        host: lab.machine('windows11').guest.address,
        port: 22,
        user: USER,
        password: secretFrom(env, 'WINDOWS11_PASSWORD', 'windows11'),
        hostKeys,
        timeoutScale,
        ...(sshJump === undefined ? {} : { jump: sshJump }),
      });
      sessions.push(session);
      return session;
    });
    for (const session of sessions) session.close();
    for (const way of on) lab.faults.set('windows11', way, false);
  },
  lab: [
    async ({}, use) => {
      const lab = await startLab({ guests: ['windows11'], user: USER });
      await use(lab);
      await lab.stop();
    },
    { scope: 'worker' },
  ],
});

const PAGES = [[], ['code-page-850'], ['code-page-932']] as const;

test('WN3: users, paths and texts with umlauts come as they are, in each code page and without a console too', async ({
  open,
}) => {
  for (const ways of PAGES) {
    const session = await open(...ways);
    const { stdout } = await session.powershell('$env:USERPROFILE\n"für 日本 ✓"');
    expect(stdout).toBe(`C:\\Users\\${USER}\r\nfür 日本 ✓\r\n`);
    // What it says on standard error, too: as XML, and as a text of its own.
    const { stderr } = await session.powershell(
      `Write-Error 'kein Zugriff für ü'; [Console]::Error.WriteLine('roh: ü'); exit 1`,
      { check: false },
    );
    expect(stderr).toContain('kein Zugriff für ü');
    expect(stderr).toContain('roh: ü');
    session.close();
  }
  const session = await open('no-console');
  expect((await session.powershell(`'plain'`)).stdout).toBe('plain\r\n');
});

test('WN3: no byte order mark is in an answer', async ({ open }) => {
  const session = await open();
  const { stdout } = await session.powershell(`'a'`);
  expect(Buffer.from(stdout)).toEqual(Buffer.from('a\r\n'));
  // The agent's answer has no mark before it.
  const byAgent = await windows().asSystem({ wire: `'a'`, shown: '' });
  expect(Buffer.from(byAgent?.stdout ?? '')).toEqual(Buffer.from('a\r\n'));
});

test('WN4: PowerShell as the default shell, with a profile that prints: exit codes and answers are those of the command', async ({
  open,
  lab,
}) => {
  for (const ways of [
    [],
    ['powershell-shell'],
    ['powershell-shell', 'shell-prints'],
    ['shell-prints'],
  ] as const) {
    const session = await open(...ways);
    const before = guestOf(lab, 'windows11').log.commands.length;
    const isPowerShell = (ways as readonly string[]).includes('powershell-shell');
    expect(await session.defaultShell()).toBe(isPowerShell ? 'powershell' : 'cmd');
    for (const code of [0, 1, 3, 255]) {
      const result = await session.powershell(`'answer'; exit ${code}`, { check: false });
      expect(result).toMatchObject({ exitCode: code, stdout: 'answer\r\n' });
      expect((await session.exec(`cmd /c exit ${code}`, { check: false })).exitCode).toBe(code);
    }
    expect((await session.exec('hostname')).stdout).toBe('WINDOWS11\r\n');
    // Asked once.
    const probes = guestOf(lab, 'windows11')
      .log.commands.slice(before)
      .filter((line) => line === 'cmd /c "exit 3"');
    expect(probes).toHaveLength(1);
    session.close();
    for (const way of ways) lab.faults.set('windows11', way, false);
  }
});

test('WN13: a password that the clock has made expire is told with its cure', async ({ open, lab }) => {
  lab.faults.set('windows11', 'password-expires', true);
  (await open()).close();
  const agent = (time?: number) =>
    lab.machine('windows11').guest.agent('guest-set-time', time === undefined ? {} : { time });
  try {
    await agent((Date.now() + 60 * 86_400_000) * 1e6);
    await expect(open()).rejects.toMatchObject({
      code: 'SSH_AUTH_FAILED',
      next: expect.stringMatching(/expires 42 days.*PasswordNeverExpires \$true.*checkpoint/),
    });
    // A password that does not expire is good on any day.
    lab.faults.set('windows11', 'password-expires', false);
    const session = await open();
    expect((await session.powershell(`'in'`)).stdout).toBe('in\r\n');
  } finally {
    lab.faults.set('windows11', 'password-expires', false);
    await agent();
  }
});

test('WN16: an upload over a file that its program has just let go of waits for it', async ({
  open,
  lab,
  folder,
}) => {
  const session = await open('held-handles');
  const local = join(folder, 'new.exe');
  writeFileSync(local, 'MZ harbor-chat');
  const remote = 'C:/Program Files/Harbor/HarborChat.exe';
  await lab.machine('windows11').guest.agent('guest-ping', {});
  const launch = `Start-Process -FilePath 'C:\\Program Files\\Harbor\\HarborChat.exe'; Start-Sleep -Milliseconds 50; Stop-Process -Name 'HarborChat' -Force`;
  await session.powershell(launch);
  const start = Date.now();
  await session.upload(local, remote);
  expect(Date.now() - start).toBeGreaterThan(500);
});

test.describe('with little time', () => {
  test.use({ timeoutScale: 0.1 });

  test('WN16: an upload over a file that its program keeps open says so; the old file is whole, and nothing is left beside it', async ({
    open,
    lab,
    folder,
  }) => {
    const session = await open('held-handles');
    const local = join(folder, 'new.exe');
    writeFileSync(local, 'MZ another');
    const program = String.raw`C:\Program Files\Harbor\HarborChat.exe`;
    const read = async (): Promise<string> =>
      (await session.powershell(`Get-Content -LiteralPath '${program}'`)).stdout;
    const before = await read();
    // The agent's programs are in no job that ends them with their command.
    const asSystem = (script: string): Promise<unknown> =>
      lab.machine('windows11').guest.agent('guest-exec', {
        path: 'powershell.exe',
        arg: ['-EncodedCommand', Buffer.from(script, 'utf16le').toString('base64')],
      });
    await asSystem(`Start-Process -FilePath '${program}'`);
    const isRunning = async (): Promise<boolean> =>
      (await session.powershell(`Get-Process -Name 'HarborChat'`, { check: false })).exitCode === 0;
    await expect.poll(isRunning).toBe(true);
    try {
      await expect(session.upload(local, program.replaceAll('\\', '/'))).rejects.toMatchObject({
        code: 'SSH_TRANSFER_FAILED',
        message: expect.stringContaining('is in use'),
        next: expect.stringContaining('app.kill()'),
      });
      expect(await read()).toBe(before);
      const part = await session.powershell(`Test-Path -LiteralPath '${program}.part'`);
      expect(part.stdout.trim()).toBe('False');
    } finally {
      await asSystem(`Stop-Process -Name 'HarborChat' -Force`);
      await expect.poll(isRunning).toBe(false);
    }
  });
});
