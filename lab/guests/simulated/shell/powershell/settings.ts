/**
 * Cmdlets and programs that tell how a machine is set: accounts, network, firewall, power, rights on files.
 *
 * @module
 */
import { PASSWORD_AGE_MS } from '../../windows-ways.ts';
import type { ShellHost } from '../shell.ts';
import { dateTime } from './console.ts';
import { denied } from './denied.ts';
import { errorRecord } from './errors.ts';
import { type Commands, show } from './run.ts';
import { isDenied } from './tasks.ts';

const DISPLAY_S = 600;

export function settingsCmdlets(host: ShellHost, user: string): Commands {
  const { definition, faults } = host;
  /** NetTCPIP and NetSecurity are made from CIM. */
  const byCim = (cmdlet: string, value: Readonly<Record<string, unknown>>) => () =>
    isDenied(host, user) ? { errors: [denied(cmdlet, 'HRESULT 0x80041003')] } : { values: [value] };
  return {
    'get-localuser': (call) => {
      const name = show(call.argument('Name', 0) ?? '');
      if (name.toLowerCase() !== definition.user.toLowerCase()) {
        const message = `Get-LocalUser : User ${name} was not found.`;
        const id = 'UserNotFound,Microsoft.PowerShell.Commands.GetLocalUserCommand';
        return { errors: [errorRecord(message, id, 'ObjectNotFound')] };
      }
      const PasswordExpires = faults.has('password-expires')
        ? dateTime(host.passwordAt().getTime() + PASSWORD_AGE_MS)
        : null;
      return { values: [{ display: name, Name: name, PasswordExpires }] };
    },
    'get-netconnectionprofile': byCim('Get-NetConnectionProfile', {
      NetworkCategory: faults.has('public-network') ? 'Public' : 'Private',
    }),
    // As the capability makes it since 2022: for private networks only.
    'get-netfirewallrule': byCim('Get-NetFirewallRule', { Enabled: true, Profile: 'Private' }),
    'get-acl': () => ({ values: [{ AreAccessRulesProtected: !faults.has('inherited-rights') }] }),
    // In the system's language: only what a line ends with is the same everywhere.
    powercfg: (call) => {
      const isDisplay = call.words.includes('VIDEOIDLE');
      const seconds = isDisplay && faults.has('display-sleeps') ? DISPLAY_S : 0;
      const line = (text: string, value: number): string =>
        `      ${text}: 0x${value.toString(16).padStart(8, '0')}`;
      return {
        exitCode: 0,
        values: [
          'GUID des Energieschemas: 381b4222-f694-41f0-9685-ff5bb260df2e  (Ausbalanciert)',
          line('Minimal mögliche Einstellung', 0),
          line('Maximal mögliche Einstellung', 0xff_ff_ff_ff),
          line('Mögliche Einstellungsschritte', 1),
          line('Index der aktuellen Wechselstromeinstellung', seconds),
          line('Index der aktuellen Gleichstromeinstellung', 300),
        ],
      };
    },
  };
}
