/**
 * The registry's part that scripts read.
 *
 * @module
 */
import { HARBOR_WINDOWS } from '../../files.ts';
import type { ShellHost } from '../shell.ts';
import { codePageOf } from './console.ts';
import type { Value } from './values.ts';

const MANUAL = 3;
const AUTOMATIC = 2;

/** Whether a path leads into the registry and not to files. */
export function isRegistryPath(path: string): boolean {
  return /^HK(?:LM|CU):/i.test(path);
}

/** By its key in lower case. A machine that was set up as the page "Windows guests" says, but for its ways. */
export function registryOf(host: ShellHost): Readonly<Record<string, Value>> {
  const { definition, faults } = host;
  const windows = 'software\\microsoft\\windows\\currentversion';
  const prompts = faults.has('prompts-on') ? {} : { shown: 0 };
  return {
    'hklm:\\software\\microsoft\\windows nt\\currentversion': {
      display: 'CurrentVersion',
      // Windows 11 has kept the name.
      ProductName: definition.prettyName.replace('Windows 11', 'Windows 10').replace('Microsoft ', ''),
      CurrentBuildNumber: definition.kernel,
    },
    [`hklm:\\${windows}\\app paths\\harborchat.exe`]: {
      display: 'HarborChat.exe',
      '(default)': `"${HARBOR_WINDOWS}"`,
    },
    'hklm:\\software\\openssh': {
      display: 'OpenSSH',
      ...(faults.has('powershell-shell')
        ? { DefaultShell: 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe' }
        : {}),
    },
    'hklm:\\system\\currentcontrolset\\control\\nls\\codepage': { OEMCP: String(codePageOf(host)) },
    'hklm:\\system\\currentcontrolset\\control\\power': {
      HibernateEnabled: faults.has('fast-startup') ? 1 : 0,
    },
    'hklm:\\system\\currentcontrolset\\services\\sshd': {
      Start: faults.has('services-by-hand') ? MANUAL : AUTOMATIC,
    },
    'hklm:\\system\\currentcontrolset\\services\\qemu-ga': {
      Start: faults.has('services-by-hand') ? MANUAL : AUTOMATIC,
    },
    ...(faults.has('restart-pending')
      ? { [`hklm:\\${windows}\\windowsupdate\\auto update\\rebootrequired`]: { display: 'RebootRequired' } }
      : {}),
    ...(faults.has('updates-by-themselves')
      ? {}
      : { 'hklm:\\software\\policies\\microsoft\\windows\\windowsupdate\\au': { NoAutoUpdate: 1 } }),
    'hkcu:\\control panel\\desktop': {
      ScreenSaveActive: '1',
      ...(faults.has('screen-saver') ? { 'SCRNSAVE.EXE': 'C:\\Windows\\system32\\Ribbons.scr' } : {}),
    },
    [`hkcu:\\${windows}\\userprofileengagement`]: renamed(prompts, 'ScoobeSystemSettingEnabled'),
    [`hkcu:\\${windows}\\contentdeliverymanager`]: renamed(prompts, 'SubscribedContent-310093Enabled'),
  };
}

function renamed({ shown }: { readonly shown?: number }, name: string): Value {
  return shown === undefined ? {} : { [name]: shown };
}
