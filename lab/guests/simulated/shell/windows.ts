/**
 * The Windows guests' OpenSSH default shell: cmd.exe, which starts PowerShell.
 *
 * On its way through OpenSSH and cmd.exe a raw `-Command` loses `$_` and `${...}`; only `-EncodedCommand` arrives
 * whole (requirements M27).
 *
 * @module
 */
import { ipconfig } from './network-commands.ts';
import { cimCmdlets } from './powershell/cim.ts';
import { createCommands } from './powershell/cmdlets.ts';
import { runPowerShell } from './powershell/run.ts';
import type { ExecRequest, Shell, ShellHost, ShellResult } from './shell.ts';

/** cmd.exe's limit for a command line. */
const COMMAND_LINE_LIMIT = 8191;

export function createWindowsShell(host: ShellHost): Shell {
  return { exec: (request) => run(host, request) };
}

async function run(host: ShellHost, request: ExecRequest): Promise<ShellResult> {
  const { definition, processes } = host;
  const { command, user, session } = request;
  if (command.length > COMMAND_LINE_LIMIT) {
    return { stdout: '', stderr: 'The command line is too long.\r\n', exitCode: 1 };
  }
  const match = /^\s*"?(?:[^"\s]*\\)?powershell(?:\.exe)?"?\s+(.*)$/is.exec(command);
  const network = /^\s*ipconfig(?:\.exe)?\s+(\/\w+)\s+"?([^"]*?)"?\s*$/i.exec(command);
  if (network !== null) return ipconfig(host, user, network.slice(1));
  if (match === null) return plain(host, command);
  const script = scriptOf(match[1] ?? '');
  if (script === undefined)
    return {
      stdout: '',
      stderr: 'Cannot process the command because of a missing parameter.\r\n',
      exitCode: 1,
    };
  const system32 = 'C:\\Windows\\System32';
  const own = processes.spawn({
    path: `${system32}\\WindowsPowerShell\\v1.0\\powershell.exe`,
    user,
    session,
  });
  const profile = `C:\\Users\\${definition.user}`;
  try {
    const commands = createCommands(host, user, session);
    return await runPowerShell(
      script,
      { ...commands, ...cimCmdlets(host, commands) },
      {
        USERNAME: definition.user,
        USERPROFILE: profile,
        APPDATA: `${profile}\\AppData\\Roaming`,
        LOCALAPPDATA: `${profile}\\AppData\\Local`,
        TEMP: `${profile}\\AppData\\Local\\Temp`,
        COMPUTERNAME: definition.name.toUpperCase(),
        ProgramFiles: 'C:\\Program Files',
      },
    );
  } finally {
    processes.exit(own.pid, 0);
  }
}

function scriptOf(args: string): string | undefined {
  const encoded = /-(?:EncodedCommand|enc|e)\s+"?([A-Za-z0-9+/=]+)"?\s*$/i.exec(args)?.[1];
  if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString('utf16le');
  const raw = /-(?:Command|c)\s+"?([^]*?)"?\s*$/i.exec(args)?.[1];
  return raw?.replaceAll(/\$_|\$\{[^}]*\}/g, '');
}

function plain({ definition }: ShellHost, command: string): ShellResult {
  const word = command.trim().toLowerCase();
  if (word === 'ver')
    return {
      stdout: `\r\nMicrosoft Windows [Version 10.0.${definition.kernel}]\r\n`,
      stderr: '',
      exitCode: 0,
    };
  if (word === 'hostname') return { stdout: `${definition.name.toUpperCase()}\r\n`, stderr: '', exitCode: 0 };
  const echo = /^echo (.*)$/i.exec(command.trim());
  if (echo !== null) return { stdout: `${echo[1] ?? ''}\r\n`, stderr: '', exitCode: 0 };
  const name = command.trim().split(/\s+/)[0] ?? '';
  const stderr = `'${name}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n`;
  return { stdout: '', stderr, exitCode: 1 };
}
