/**
 * What a guest's address is asked for and renewed with: nmcli, and Windows' ipconfig.
 *
 * @module
 */
import { type Command, defineCommand } from 'just-bash';
import type { ShellHost, ShellResult } from './shell.ts';

/** `nmcli` of NetworkManager: `-g GENERAL.STATE device show <card>` and `device connect <card>` (nmcli(1)). */
export function nmcliCommand(host: ShellHost, user: string): Command {
  return defineCommand('nmcli', (args) => Promise.resolve(nmcli(host, user, args)));
}

interface Output {
  stdout: string;
  stderr: string;
  exitCode: number;
}

function nmcli({ network }: ShellHost, user: string, args: readonly string[]): Output {
  const at = args.indexOf('device');
  const [verb, card] = args.slice(at + 1);
  if (at === -1 || (verb !== 'show' && verb !== 'connect'))
    return failed(2, `unknown words '${args.join(' ')}'`);
  if (card !== network.card) return failed(10, `Device '${card ?? ''}' not found.`);
  if (verb === 'show') return { stdout: '100 (connected)\n', stderr: '', exitCode: 0 };
  if (user !== 'root') return failed(1, 'Not authorized to control networking.');
  if (!network.renew())
    return failed(
      4,
      'Connection activation failed: IP configuration could not be reserved (no available address, timeout, etc.)',
    );
  return { stdout: `Device '${card}' successfully activated with '5f3c'.\n`, stderr: '', exitCode: 0 };
}

function failed(exitCode: number, text: string): Output {
  return { stdout: '', stderr: `Error: ${text}\n`, exitCode };
}

/** `ipconfig /release <adapter>` and `/renew <adapter>`; they need the rights that the guest agent has. */
export function ipconfig({ network }: ShellHost, user: string, words: readonly string[]): ShellResult {
  const [verb, adapter] = words;
  const say = (text: string, exitCode = 0): ShellResult => ({
    stdout: `\r\nWindows IP Configuration\r\n\r\n${text}\r\n`,
    stderr: '',
    exitCode,
  });
  if (user !== 'SYSTEM') return say('The requested operation requires elevation.', 1);
  if (adapter !== network.card)
    return say('The operation failed as no adapter is in the state permissible for this operation.', 1);
  if (verb === '/release') return say('');
  if (verb !== '/renew') return say('Error: unrecognized or incomplete command line.', 1);
  if (network.renew()) return say(`IPv4 Address. . . . . . . . . . . : ${network.address ?? ''}`);
  return say(
    `An error occurred while renewing interface ${adapter} : unable to contact your DHCP server. Request has timed out.`,
    1,
  );
}
