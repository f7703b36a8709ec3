/** What the doctor tells of a Windows guest, and that the page "Windows guests" has a command for all of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Notebook } from '../../fixtures/doctor/index.ts';
import { examineWindows, WINDOWS_CURES, type WindowsCheck } from '../../fixtures/doctor/windows.ts';
import { factsScript, machineFacts, USER_FACTS } from '../../fixtures/doctor/windows-facts.ts';
import { VmwrightError } from '../../fixtures/errors.ts';
import type { Fault } from '../../lab/guests/simulated/quirks.ts';
import { startLab } from '../../lab/index.ts';
import { ROOT } from '../support/runner.ts';
import { type Windows, windows } from '../windows/support/guest.ts';
import { runDoctor } from './support/command.ts';

// The environment is the process's.
test.describe.configure({ mode: 'serial' });

const CHECKS = Object.keys(WINDOWS_CURES) as WindowsCheck[];
const AFTERWARDS = ', and take the checkpoint anew';
const cureOf = (check: WindowsCheck, user = 'tester'): string =>
  WINDOWS_CURES[check].join('; ').replaceAll('{user}', user);

type Guest = Parameters<typeof examineWindows>[0];

/** Findings by check. */
async function examined(
  guest: Windows,
  { agent = true, ...over }: Partial<Guest['ssh']> & { readonly agent?: boolean } = {},
): Promise<Map<string, { state: string; text: string; remedy?: string }>> {
  const notes = new Notebook('windows11');
  await examineWindows(
    {
      user: guest.host.definition.user,
      ssh: {
        powershell: (script) => guest.ssh.powershell(script),
        defaultShell: () => Promise.resolve('cmd'),
        shellGreeting: () => Promise.resolve(''),
        ...over,
      },
      afterwards: AFTERWARDS,
      asSystem: agent ? guest.asSystem : () => Promise.resolve(undefined),
    },
    notes,
  );
  return new Map(notes.findings.map((finding) => [finding.check, finding]));
}

const states = (found: Map<string, { state: string }>): Record<string, string> =>
  Object.fromEntries([...found].map(([check, { state }]) => [check, state]));
const allBut = (...others: readonly WindowsCheck[]): Record<string, string> =>
  Object.fromEntries(CHECKS.map((check) => [check, others.includes(check) ? 'warning' : 'ok']));

test('a machine that is set as the page says is told nothing but that, by an administrator with the agent and without it, and by a standard user with it', async () => {
  for (const [faults, agent] of [
    [[], true],
    [[], false],
    [['standard-user'], true],
  ] as const) {
    const guest = windows(faults, { user: 'Jürgen Müller' });
    expect(states(await examined(guest, { agent }))).toEqual(allBut());
  }
});

test('each setting that is another is one finding, with the command that sets it', async () => {
  const cases: readonly (readonly [Fault, RegExp, ...WindowsCheck[]])[] = [
    ['no-console', /^437, and a command has no console/, 'code-page'],
    ['other-session', /^the desktop is that of somebody, not of tester$/, 'session'],
    ['restart-pending', /^a restart is pending, for updates$/, 'restart'],
    ['updates-by-themselves', /may restart in a test$/, 'updates'],
    ['display-sleeps', /^the display is switched off after 600 s$/, 'display'],
    ['fast-startup', /^on: .*keeps the kernel$/, 'hibernation'],
    ['password-expires', /^that of tester expires on \d{4}-\d\d-\d\dT/, 'password'],
    ['services-by-hand', /^does not start with the machine$/, 'sshd', 'agent-service'],
    ['public-network', /^the network is Public, and SSH is let in on Private only$/, 'firewall'],
    ['prompts-on', /^may come up: set-up reminder, welcome page$/, 'prompts'],
    ['screen-saver', /^on: it covers the desktop/, 'screen-saver'],
  ];
  for (const [fault, says, ...checks] of cases) {
    const found = await examined(windows([fault]));
    expect(states(found), fault).toEqual(allBut(...checks));
    for (const check of checks) {
      expect(found.get(check)?.text).toMatch(says);
      const isHis = WINDOWS_CURES[check].every((cure) => cure.includes('HKCU'));
      const where = isHis ? 'a PowerShell of tester' : 'an elevated PowerShell of the guest';
      expect(found.get(check)?.remedy).toBe(`in ${where}: ${cureOf(check)}${AFTERWARDS}`);
    }
  }
  const guest = windows();
  guest.processes.logOut();
  expect((await examined(guest)).get('session')?.text).toBe('nobody is logged in on the desktop');
  expect((await examined(windows(['code-page-850']))).get('code-page')?.text).toMatch(/^850; .*UTF-8$/);
});

test('keys of an administrator that sshd does not read, and a file of them that it does not take', async () => {
  const own = String.raw`C:\Users\tester\.ssh\authorized_keys`;
  const shared = String.raw`C:\ProgramData\ssh\administrators_authorized_keys`;
  const guest = windows();
  await guest.disk.write(own, 'ssh-ed25519 AAAA');
  const found = await examined(guest);
  expect(states(found)).toEqual(allBut('keys'));
  expect(found.get('keys')?.text).toMatch(/^tester is an administrator, whose \.ssh/);
  await guest.disk.write(shared, 'ssh-ed25519 AAAA');
  expect(states(await examined(guest))).toEqual(allBut());
  guest.faults.add('inherited-rights');
  expect(states(await examined(guest))).toEqual(allBut('key-rights'));
  // A standard user's own are read.
  const other = windows(['standard-user']);
  await other.disk.write(own, 'ssh-ed25519 AAAA');
  expect(states(await examined(other))).toEqual(allBut());
});

test('WN2: doctor says what the user is denied over SSH, and who does it instead', async () => {
  const withAgent = (await examined(windows(['standard-user']))).get('user-rights');
  expect(withAgent).toMatchObject({
    state: 'ok',
    text: 'tester is denied over SSH: CIM, tasks, event log; the guest agent does it instead, as SYSTEM',
  });
  const without = await examined(windows(['standard-user']), { agent: false });
  expect(without.get('user-rights')).toMatchObject({
    state: 'warning',
    text: expect.stringMatching(/^tester is denied over SSH: CIM, tasks, event log; .*GUEST_DENIED$/),
    remedy: expect.stringContaining(`Add-LocalGroupMember -SID S-1-5-32-544 -Member 'tester'`),
  });
  // What needs those rights to be looked at says so by name, and is not taken for right.
  for (const check of ['session', 'firewall'] as const)
    expect(without.get(check)).toMatchObject({
      state: 'warning',
      text: expect.stringMatching(/^could not be looked at: .*(denied|elevated)/),
    });
  const administrator = (await examined(windows(), { agent: false })).get('user-rights');
  expect(administrator).toMatchObject({ state: 'ok', text: expect.stringContaining('may use CIM') });
});

test('WN4: doctor tells the default shell, and what its profile prints', async () => {
  const lab = await startLab({ guests: ['windows11'] });
  try {
    const run = () => runDoctor(lab, { project: ['windows11'] });
    const usual = await run();
    expect(usual.row('windows11', 'shell')).toBe('ok cmd.exe, which prints nothing');
    expect(CHECKS.filter((check) => !usual.row('windows11', check).startsWith('ok '))).toEqual([]);
    lab.faults.set('windows11', 'powershell-shell', true);
    lab.faults.set('windows11', 'shell-prints', true);
    const other = await run();
    expect(other.row('windows11', 'shell')).toMatch(
      /^warning PowerShell is the default shell of sshd, and prints before each command: "\/usr\/games\/fortune says:".* -> .*Remove-ItemProperty .*DefaultShell/,
    );
    // What the profile prints is no answer of any other look.
    expect(CHECKS.filter((check) => !other.row('windows11', check).startsWith('ok '))).toEqual(['shell']);
    expect(other.problems).toEqual([]);
  } finally {
    await lab.stop();
  }
});

test('what cannot be told is a warning by name, whatever the guest answers; nothing is taken for right', async () => {
  const guest = windows();
  const lost = new VmwrightError({
    code: 'SSH_COMMAND_TIMEOUT',
    subject: 'windows11',
    message: 'no answer',
    next: 'wait',
  });
  const answers: readonly (() => Promise<never> | ReturnType<Windows['ssh']['powershell']>)[] = [
    () => Promise.reject(lost),
    ...[
      '',
      'sshd',
      'CIM!\r\ndisplay=\r\nsshd=\r\nnetwork=\r\npassword!odd\r\nhibernation=\r\nrestart for updates=\r\nrestart for components=',
      '\u0000=\uFFFD',
    ].map((stdout) => async () => ({ ...(await guest.ssh.powershell('exit 0')), stdout })),
  ];
  for (const answer of answers) {
    const found = await examined(guest, { powershell: answer, agent: false });
    expect([...found.keys()].toSorted()).toEqual([...CHECKS].toSorted());
    for (const check of CHECKS.filter((name) => name !== 'shell')) {
      expect(found.get(check), check).toMatchObject({ state: 'warning' });
      expect(found.get(check)?.text).toMatch(/^could not be looked at: ./);
      expect(found.get(check)?.remedy).toContain(cureOf(check));
    }
  }
  const shellless = await examined(guest, { defaultShell: () => Promise.reject(lost) });
  expect(states(shellless)).toEqual(allBut('shell'));
  await expect(
    examined(guest, { powershell: () => Promise.reject(new TypeError('a fault')) }),
  ).rejects.toThrow('a fault');
});

test('the looks change nothing: each word in them is one that only looks', () => {
  for (const facts of [USER_FACTS, machineFacts('tester')]) {
    const { wire } = factsScript(facts);
    const cmdlets = new Set(wire.match(/\b[A-Z][a-z]+-[A-Z]\w+/g));
    const others = [...cmdlets].filter((word) => !/^(?:Get|Test|Out|Where|New-Object)/.test(word));
    // Of names of files, values and rules.
    expect(others.toSorted()).toEqual(
      wire.includes('QEMU-Guest-Agent')
        ? ['Guest-Agent', 'Server-In'].filter((word) => cmdlets.has(word))
        : [],
    );
    expect(wire.match(/\w+\.exe \S+/gi) ?? []).toEqual(
      wire.includes('powercfg') ? ['powercfg.exe /query', 'powercfg.exe /query'] : [],
    );
    expect(wire).not.toMatch(/Get-\w+ [^;]*\| (?!Where-Object|Out-Null)/);
  }
});

/** Done once, with nothing that a look could find afterwards. */
const INSTALLING = ['Add-WindowsCapability -Online -Name OpenSSH.Server~~~~0.0.1.0', 'Start-Service sshd'];

test('WN20: the page has the command of every finding, and no setting that doctor does not look at', () => {
  const page = readFileSync(join(ROOT, 'docs/windows.md'), 'utf8');
  const lines = [...page.matchAll(/^```powershell\n([^]*?)^```/gm)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );
  const cures = CHECKS.flatMap((check) => WINDOWS_CURES[check]).map((cure) =>
    cure.replaceAll('{user}', 'tester'),
  );
  expect([...new Set(lines)].toSorted()).toEqual([...new Set([...cures, ...INSTALLING])].toSorted());
  // What is set outside of the guest.
  expect(page).toMatch(/^qm set 106 --args '-global VGA\.xres=\d+ -global VGA\.yres=\d+'$/m);
});
