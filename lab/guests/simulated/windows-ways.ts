/**
 * Ways of Windows, each with a switch: those that every installation has are on, those that some have are off.
 *
 *     lab.faults.set('windows11', 'standard-user', true);
 *
 * @module
 */

interface Way {
  readonly what: string;
  /** Whether every Windows is so. */
  readonly isUsual: boolean;
}

const usual = (what: string): Way => ({ what, isUsual: true });
const some = (what: string): Way => ({ what, isUsual: false });

/** Windows' default maximum password age. Milliseconds. */
export const PASSWORD_AGE_MS = 42 * 86_400_000;

export const WINDOWS_WAYS = {
  // IRegisteredTask::Run answers at once with an instance that is queued; the Task Scheduler's engine starts it.
  'tasks-start-later': usual(
    'a task starts some time after Start-ScheduledTask, and never once it is unregistered',
  ),
  // about_PowerShell_exe: with -EncodedCommand and no console, error records leave as XML of 80 columns.
  'errors-as-xml': usual('error records leave PowerShell as CLIXML'),
  // about_Preference_Variables: a terminating error of a command ends its statement; the script goes on unless `Stop` is set.
  'errors-end-statements': usual('a script goes on after a command that cannot be run'),
  // GetOEMCP: console programs write in the OEM code page of the system's locale; 437 in the United States.
  'oem-code-page': usual('output is in the OEM code page until the console is told otherwise'),
  // about_Wildcards: *, ? and [] have a meaning in -Path, and none in -LiteralPath.
  'wildcard-paths': usual('[beta] in -Path is a set of characters'),
  // about_Locations: a drive without a backslash after it is its current location, at first the profile.
  'drive-has-folder': usual('C: alone is the folder that the session is in'),
  // 8.3 aliases (fsutil 8dot3name) are on for the system drive; TEMP is made of them where the profile's name is no 8.3 one.
  'short-names': usual('folders have a second name of 8.3 characters, and TEMP may be written with it'),
  // qga/commands-win32.c reads ProductName of the registry, which says Windows 10 on Windows 11 too.
  'named-windows-10': usual('the guest agent calls Windows 11 "Windows 10"'),
  // LastBootUpTime is the clock less the time since the start, each read for itself, and moves with the clock.
  'boot-time-jitters': usual(
    'the boot time differs by milliseconds with each look, and moves with the clock',
  ),
  // Win32-OpenSSH runs a command in a job object that ends all of it (w32-doexec.c, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE).
  'command-job': usual('what a command over SSH has started ends with it'),
  // Get-WinEvent: a filter that fits nothing is an error (NoMatchingEventsFound).
  'events-by-filter': usual('Get-WinEvent fails where no event fits, and hands out times that are no texts'),
  // Keyboard shortcuts in Windows: Alt+F4 on the desktop opens "Shut Down Windows".
  'alt-f4-on-desktop': usual('Alt+F4 where no window has the focus opens "Shut Down Windows"'),
  // Win32-OpenSSH 2077 (CIM), 1636 and 1662 (event log): a network log-on is no member of INTERACTIVE.
  'standard-user': some('the user is no administrator: CIM, tasks and event log are denied over SSH'),
  // OpenSSH Server configuration for Windows: DefaultShell under HKLM:\SOFTWARE\OpenSSH.
  'powershell-shell': some(
    'the default shell of sshd is PowerShell, which turns every failure into exit code 1',
  ),
  'code-page-850': some('the OEM code page is 850, as in western Europe'),
  'code-page-932': some('the OEM code page is 932, as in Japan'),
  'no-console': some('a command has no console: its encoding can neither be read nor set'),
  'slow-tasks': some('a task takes two seconds to start'),
  'other-session': some('somebody else is logged in on the desktop'),
  // ERROR_ELEVATION_REQUIRED: a manifest with requireAdministrator cannot be started by a filtered token.
  'needs-elevation': some('the application asks for an administrator'),
  // taskSettingsType: DisallowStartIfOnBatteries is true by default.
  'on-battery': some('the machine runs on its battery: a default task waits'),
  'reused-ids': some('an old process names as its parent an id that the application has now'),
  // ERROR_SUCCESS_REBOOT_REQUIRED, ERROR_SUCCESS_REBOOT_INITIATED, ERROR_INSTALL_ALREADY_RUNNING (MsiExec error messages).
  'installer-wants-restart': some('msiexec ends with 3010'),
  'installer-restarts': some('msiexec ends with 1641 and restarts the machine'),
  'installer-busy': some('msiexec ends with 1618: another installation is running'),
  // ERROR_ACCESS_DISABLED_BY_POLICY (1260): Software Restriction Policies and AppLocker keep a program from starting.
  'installer-blocked': some('a policy keeps msiexec from starting'),
  // Windows Installer error messages, 1925; "Specifying a per-user or per-machine installation": without UAC's dialog it fails.
  'installer-for-all': some('the package installs for all users, which /qn gives to an administrator only'),
  // CreateFile without FILE_SHARE_DELETE: ERROR_SHARING_VIOLATION until the last handle is closed.
  'held-handles': some('files of an ended process stay in use for a second and a half'),
  // Access control lists: what its owner has given to SYSTEM alone nobody else may list or remove.
  'foreign-files': some('C:\\ProgramData\\Harbor is for SYSTEM only'),
  'session-locked': some('the session is locked: explorer runs, and LogonUI covers it'),
  'desktop-focused': some('no window has the focus'),
  'password-expires': some('the password expires 42 days after the checkpoint'),
  // QEMU restores a guest's clock with its RAM: the older the checkpoint, the further it is behind until somebody sets it.
  'old-checkpoint': some('the checkpoint "ready" was taken 60 days ago'),
  'slow-powershell': some('PowerShell takes a second to start'),
  // Fast start-up: a shut-down hibernates the kernel, and the next start goes on with it; a restart does not.
  'fast-startup': some('a shut-down and a start keep the boot time; a restart does not'),
  // What a machine has that nobody set up for tests; docs/windows.md has the command against each.
  'restart-pending': some('Windows wants to be restarted for its updates'),
  'updates-by-themselves': some('no policy keeps updates from being installed'),
  'display-sleeps': some('the display is switched off after ten minutes'),
  'public-network': some('the network is public, as a new one is'),
  'services-by-hand': some('sshd and the guest agent do not start with the machine'),
  'prompts-on': some('reminders of the set-up come up'),
  'screen-saver': some('a screen saver is set'),
  // sshd's Match Group administrators: the file is read only where nobody else may write it (w32-sshfileperm.c).
  'inherited-rights': some("the file of the administrators' keys has the rights of its folder"),
} as const satisfies Readonly<Record<string, Way>>;

export type WindowsWay = keyof typeof WINDOWS_WAYS;

export function isWindowsWay(name: string): name is WindowsWay {
  return Object.hasOwn(WINDOWS_WAYS, name);
}

/** What every Windows does. */
export function usualWays(): readonly WindowsWay[] {
  return Object.entries(WINDOWS_WAYS)
    .filter(([, { isUsual }]) => isUsual)
    .map(([name]) => name as WindowsWay);
}
