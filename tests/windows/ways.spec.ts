/** Each way of the simulated Windows, seen by a client: what it answers with the switch off, and with it on. */
import { expect, test } from '@playwright/test';
import { createAgent } from '../../lab/guests/simulated/agent.ts';
import { Desktop } from '../../lab/guests/simulated/desktop/desktop.ts';
import { fleet } from '../../lab/fleet.ts';
import { SimulatedGuest } from '../../lab/guests/simulated/guest.ts';
import { HARBOR_WINDOWS } from '../../lab/guests/simulated/files.ts';
import { WINDOWS_WAYS, type WindowsWay } from '../../lab/guests/simulated/windows-ways.ts';
import { type Windows, windows } from './support/guest.ts';

interface Check {
  /** What a client does and is told. */
  readonly ask: (guest: Windows) => Promise<unknown>;
  readonly off: unknown;
  readonly on: unknown;
}

const HOUR_MS = 3_600_000;
const SID = 'S-1-5-21-1004336348-1177238915-682003330-1001';
const DENIED = /denied|unauthorized/;

/** The text, else the first line of the error. */
async function told(guest: Windows, script: string): Promise<string> {
  const { stdout, stderr } = await guest.ssh.powershell(script);
  return stdout.trim() || (stderr.split('\r\n')[0] ?? '');
}

async function code(guest: Windows, script: string): Promise<number | undefined> {
  return (await guest.ssh.powershell(script)).exitCode;
}

/** As it leaves the guest, with the console as it is: hexadecimal. */
async function bytes(guest: Windows, script: string, kind: 'stdout' | 'stderr' = 'stdout') {
  const encoded = Buffer.from(script, 'utf16le').toString('base64');
  const { signal } = new AbortController();
  const request = { stdin: '', user: 'tester', session: 'ssh', signal } as const;
  const result = await guest.shell.exec({ ...request, command: `powershell -EncodedCommand ${encoded}` });
  return result.raw?.[kind] ?? Buffer.alloc(0);
}

const hex = async (guest: Windows, script: string): Promise<string> =>
  (await bytes(guest, script)).toString('hex').replace(/0d0a$/, '');
const program = (guest: Windows) => guest.processes.list().find(({ comm }) => comm === 'HarborChat.exe');

/** Whether it comes to pass before that time is over; timers of one process keep their order. */
function within(ms: number, event: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    event.then(() => true),
    new Promise<boolean>((done) => setTimeout(() => done(false), ms)),
  ]);
}

const spawned = ({ processes }: Windows): Promise<void> =>
  new Promise((done) => {
    processes.on(({ type, process }) => {
      if (type === 'spawned' && process.comm === 'HarborChat.exe') done();
    });
  });

const register = `$a = New-ScheduledTaskAction -Execute '${HARBOR_WINDOWS}'
$p = New-ScheduledTaskPrincipal -UserId '${SID}' -LogonType Interactive
Register-ScheduledTask -TaskName 't' -Action $a -Principal $p | Out-Null
Start-ScheduledTask -TaskName 't'`;
const setting = (key: string, name: string) => (guest: Windows) =>
  told(guest, `(Get-ItemProperty -LiteralPath '${key}' -ErrorAction SilentlyContinue).${name}`);

async function withDesktop<T>(guest: Windows, action: (desktop: Desktop) => Promise<T>): Promise<T> {
  const desktop = new Desktop(guest.host);
  try {
    desktop.enter('desktop');
    return await action(desktop);
  } finally {
    desktop.dispose();
  }
}

function altF4(desktop: Desktop): void {
  for (const [key, down] of [
    [0xffe9, true],
    [0xffc1, true],
    [0xffc1, false],
    [0xffe9, false],
  ] as const)
    desktop.key(key, down);
}

const CHECKS: Readonly<Record<WindowsWay, Check>> = {
  'tasks-start-later': {
    ask: async (guest) => {
      const start = spawned(guest);
      await guest.ssh.powershell(`${register}\nUnregister-ScheduledTask -TaskName 't' -Confirm:$false`);
      return within(500, start);
    },
    off: true,
    on: false,
  },
  'errors-as-xml': {
    ask: async (guest) => {
      const stderr = (await bytes(guest, `Write-Error '${'a word '.repeat(30)}'`, 'stderr')).toString();
      const lines = [...stderr.matchAll(/<S S="Error">([^<]*?)_x000D__x000A_<\/S>/g)].map(
        ([, line = '']) => line.length,
      );
      return [stderr.startsWith('#< CLIXML'), lines.length > 3 && Math.max(...lines) <= 80];
    },
    off: [false, false],
    on: [true, true],
  },
  'errors-end-statements': {
    ask: (guest) => told(guest, `Get-Nothing; 'after'`),
    off: expect.stringContaining('not recognized'),
    on: 'after',
  },
  'oem-code-page': { ask: (guest) => hex(guest, `'ü'`), off: 'c3bc', on: '81' },
  'wildcard-paths': {
    ask: async (guest) => {
      await guest.disk.write(String.raw`C:\b`, '');
      return told(guest, String.raw`Test-Path -Path 'C:\[beta]'; Test-Path -LiteralPath 'C:\[beta]'`);
    },
    off: 'False\r\nFalse',
    on: 'True\r\nFalse',
  },
  'drive-has-folder': {
    ask: async (guest) => {
      await guest.disk.write(String.raw`C:\Users\tester\here`, '');
      return told(guest, `Test-Path -LiteralPath 'C:here'`);
    },
    off: 'False',
    on: 'True',
  },
  'short-names': {
    ask: ({ faults }) => {
      const guest = windows([], { user: 'Jürgen Müller' });
      if (!faults.has('short-names')) guest.faults.delete('short-names');
      return told(guest, '$env:TEMP');
    },
    off: String.raw`C:\Users\Jürgen Müller\AppData\Local\Temp`,
    on: String.raw`C:\Users\JRGENM~1\AppData\Local\Temp`,
  },
  'foreign-files': {
    ask: async (guest) => {
      await guest.disk.write(String.raw`C:\ProgramData\Harbor\x`, '');
      return told(
        guest,
        String.raw`try { Remove-Item -LiteralPath 'C:\ProgramData\Harbor' -Recurse -Force -ErrorAction Stop; 'gone' } catch { '' + $_.CategoryInfo.Category }`,
      );
    },
    off: 'gone',
    on: 'PermissionDenied',
  },
  'named-windows-10': {
    ask: async (guest) => {
      const agent = createAgent(guest.host, guest.shell, () => undefined);
      const { return: info } = (await agent('guest-get-osinfo', {})) as { return: Record<string, string> };
      return [info['pretty-name'], info['kernel-release']];
    },
    off: [expect.stringContaining('Windows 11'), '26100'],
    on: ['Windows 10 Pro', '26100'],
  },
  'boot-time-jitters': {
    ask: async (guest) => {
      const look = async (): Promise<number> =>
        Date.parse(await told(guest, '(Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime'));
      const looks = new Set<number>();
      for (let count = 0; count < 20; count++) looks.add(await look());
      guest.host.clock.set(guest.host.clock.now() + HOUR_MS);
      return [looks.size > 1, Math.round(((await look()) - Math.min(...looks)) / HOUR_MS)];
    },
    off: [false, 0],
    on: [true, 1],
  },
  'command-job': {
    ask: async (guest) => {
      await guest.ssh.powershell(`Start-Process -FilePath '${HARBOR_WINDOWS}'`);
      return program(guest) !== undefined;
    },
    off: true,
    on: false,
  },
  // None that fits is an error; the time of one is no text.
  'events-by-filter': {
    ask: async (guest) => {
      const events = `Get-WinEvent -FilterHashtable @{ LogName = 'Application' }`;
      const none = await code(guest, `$ErrorActionPreference = 'Stop'; ${events}`);
      guest.host.journal.append('HarborChat.exe', 7, 'it broke');
      return [none, await code(guest, `(${events}).TimeCreated.ToUniversalTime()`)];
    },
    off: [0, 1],
    on: [1, 0],
  },
  'alt-f4-on-desktop': {
    ask: (guest) =>
      withDesktop(guest, (desktop) => {
        const before = Buffer.from(desktop.picture().data);
        altF4(desktop);
        return Promise.resolve(!before.equals(Buffer.from(desktop.picture().data)));
      }),
    off: false,
    on: true,
  },
  'standard-user': {
    ask: (guest) =>
      Promise.all(
        [
          'Get-CimInstance -ClassName Win32_Process | Out-Null',
          register,
          `Get-WinEvent -FilterHashtable @{ LogName = 'Application' } -ErrorAction SilentlyContinue`,
          `Get-Process -IncludeUserName | Out-Null`,
          `'' + [Security.Principal.WindowsIdentity]::GetCurrent().Groups.Value -match 'S-1-5-32-544'`,
        ].map((script) => told(guest, script)),
      ),
    off: ['', '', '', '', 'True'],
    on: [
      expect.stringMatching(DENIED),
      expect.stringMatching(DENIED),
      expect.stringMatching(DENIED),
      expect.stringContaining('elevated'),
      'False',
    ],
  },
  'powershell-shell': {
    ask: async (guest) => (await guest.ssh.exec('cmd /c "exit 3"')).exitCode,
    off: 3,
    on: 1,
  },
  'code-page-850': { ask: (guest) => hex(guest, `'ø'`), off: '3f', on: '9b' },
  'code-page-932': { ask: (guest) => hex(guest, `'日ü'`), off: '3f81', on: '93fa3f' },
  'no-console': {
    ask: (guest) => code(guest, `[Console]::OutputEncoding = New-Object Text.UTF8Encoding $false; exit 0`),
    off: 0,
    on: 1,
  },
  'slow-tasks': {
    ask: async (guest) => {
      const start = spawned(guest);
      await guest.ssh.powershell(register);
      return within(1500, start);
    },
    off: true,
    on: false,
  },
  'other-session': {
    ask: (guest) => told(guest, `(Get-Process -Name 'explorer' -IncludeUserName).UserName`),
    off: String.raw`WINDOWS11\tester`,
    on: String.raw`WINDOWS11\somebody`,
  },
  'needs-elevation': {
    ask: async (guest) => {
      await guest.ssh.powershell(register);
      const result = () => told(guest, `(Get-ScheduledTaskInfo -TaskName 't').LastTaskResult`);
      // SCHED_S_TASK_HAS_NOT_RUN
      await expect.poll(result).not.toBe('267011');
      return result();
    },
    off: '267009',
    on: '2147943140',
  },
  'on-battery': {
    ask: async (guest) => {
      guest.faults.delete('tasks-start-later');
      const start = spawned(guest);
      await guest.ssh.powershell(register);
      return within(500, start);
    },
    off: true,
    on: false,
  },
  'reused-ids': {
    ask: async (guest) => {
      const { pid } = guest.processes.spawn({ path: HARBOR_WINDOWS, user: 'tester', session: 'desktop' });
      const parents = await told(
        guest,
        `Get-CimInstance -ClassName Win32_Process | Where-Object { $_.Name -eq 'sshd.exe' } | Select-Object -ExpandProperty ParentProcessId`,
      );
      return parents === String(pid);
    },
    off: false,
    on: true,
  },
  'installer-wants-restart': installer(3010),
  'installer-restarts': installer(1641),
  'installer-busy': installer(1618),
  'installer-blocked': {
    ask: (guest) => told(guest, `msiexec.exe /i 'C:\\setup.msi' /qn | Out-Null; 'code ' + $LASTEXITCODE`),
    off: 'code 1619',
    on: 'code',
  },
  'installer-for-all': {
    ask: async (guest) => {
      guest.faults.add('standard-user');
      await guest.disk.write(String.raw`C:\setup.msi`, 'MSI');
      return told(
        guest,
        String.raw`msiexec.exe /i 'C:\setup.msi' /qn /le 'C:\log' | Out-Null; '' + $LASTEXITCODE; Get-Content -LiteralPath 'C:\log' -ErrorAction SilentlyContinue`,
      );
    },
    off: '0',
    on: expect.stringMatching(/^1603\r\n.*Error 1925\. /),
  },
  'held-handles': {
    ask: async (guest) => {
      const { pid } = guest.processes.spawn({ path: HARBOR_WINDOWS, user: 'tester', session: 'desktop' });
      guest.processes.kill(pid, 'KILL');
      await guest.ssh.powershell(`Remove-Item -LiteralPath '${HARBOR_WINDOWS}' -Force`);
      return guest.disk.exists(HARBOR_WINDOWS);
    },
    off: false,
    on: true,
  },
  'session-locked': {
    ask: (guest) =>
      told(guest, `(Get-Process -Name 'LogonUI', 'explorer' -ErrorAction SilentlyContinue).SessionId`),
    off: '1',
    on: '1\r\n1',
  },
  'desktop-focused': {
    ask: (guest) =>
      withDesktop(guest, async (desktop) => {
        // Where no window is open yet, nothing comes of the key.
        guest.faults.delete('alt-f4-on-desktop');
        guest.processes.spawn({ path: HARBOR_WINDOWS, user: 'tester', session: 'desktop' });
        for (let presses = 0; presses < 20 && program(guest) !== undefined; presses++) {
          altF4(desktop);
          await new Promise((done) => setTimeout(done, 50));
        }
        return program(guest) === undefined;
      }),
    off: true,
    on: false,
  },
  'password-expires': {
    ask: async (guest) =>
      (await told(guest, `'' + (Get-LocalUser -Name 'tester').PasswordExpires`)).slice(0, 2),
    off: '',
    on: '20',
  },
  'old-checkpoint': {
    ask: async ({ faults }) => {
      const guest = new SimulatedGuest(fleet.find(({ name }) => name === 'windows11')!);
      guest.setFault('old-checkpoint', faults.has('old-checkpoint'));
      try {
        await guest.loadSnapshot('ready', { ram: true, config: {} });
        const reply = (await guest.agent('guest-get-time', {})) as { return: number };
        return Math.round((Date.now() - reply.return / 1e6) / 86_400_000);
      } finally {
        await guest.dispose();
      }
    },
    off: 0,
    on: 60,
  },
  'slow-powershell': { ask: (guest) => within(900, told(guest, 'exit 0')), off: true, on: false },
  'fast-startup': {
    ask: setting(String.raw`HKLM:\SYSTEM\CurrentControlSet\Control\Power`, 'HibernateEnabled'),
    off: '0',
    on: '1',
  },
  'restart-pending': {
    ask: (guest) =>
      told(
        guest,
        String.raw`Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'`,
      ),
    off: 'False',
    on: 'True',
  },
  'updates-by-themselves': {
    ask: setting(String.raw`HKLM:\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU`, 'NoAutoUpdate'),
    off: '1',
    on: '',
  },
  'display-sleeps': {
    ask: async (guest) =>
      (await told(guest, 'powercfg.exe /query SCHEME_CURRENT SUB_VIDEO VIDEOIDLE'))
        .match(/0x[0-9a-f]{8}/g)
        ?.at(-2),
    off: '0x00000000',
    on: '0x00000258',
  },
  'public-network': {
    ask: (guest) => told(guest, '(Get-NetConnectionProfile).NetworkCategory'),
    off: 'Private',
    on: 'Public',
  },
  'services-by-hand': {
    ask: setting(String.raw`HKLM:\SYSTEM\CurrentControlSet\Services\sshd`, 'Start'),
    off: '2',
    on: '3',
  },
  'prompts-on': {
    ask: setting(
      String.raw`HKCU:\Software\Microsoft\Windows\CurrentVersion\UserProfileEngagement`,
      'ScoobeSystemSettingEnabled',
    ),
    off: '0',
    on: '',
  },
  'screen-saver': {
    ask: setting(String.raw`HKCU:\Control Panel\Desktop`, `'SCRNSAVE.EXE'`),
    off: '',
    on: expect.stringMatching(/\.scr$/),
  },
  'inherited-rights': {
    ask: (guest) =>
      told(
        guest,
        String.raw`(Get-Acl -LiteralPath 'C:\ProgramData\ssh\administrators_authorized_keys').AreAccessRulesProtected`,
      ),
    off: 'True',
    on: 'False',
  },
};

/** Without a package of its own it would say 1619. */
function installer(exitCode: number): Check {
  return {
    ask: async (guest) => {
      await guest.disk.write(String.raw`C:\setup.msi`, 'MSI');
      return code(guest, String.raw`msiexec.exe /i 'C:\setup.msi' /qn | Out-Null; exit $LASTEXITCODE`);
    },
    off: 0,
    on: exitCode,
  };
}

test('WN21: each way of Windows is a switch that changes what a client is told, and nobody has one without a check', async () => {
  expect(Object.keys(CHECKS).toSorted()).toEqual(Object.keys(WINDOWS_WAYS).toSorted());
  const seen: Record<string, unknown> = {};
  const wanted: Record<string, unknown> = {};
  for (const way of Object.keys(CHECKS) as WindowsWay[]) {
    const { ask, off, on } = CHECKS[way];
    wanted[way] = { off, on };
    const guest = windows();
    guest.faults.delete(way);
    const other = windows();
    other.faults.add(way);
    seen[way] = { off: await ask(guest), on: await ask(other) };
  }
  expect(seen).toEqual(wanted);
});
