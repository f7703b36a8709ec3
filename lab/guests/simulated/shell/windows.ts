/**
 * What Windows OpenSSH runs a command with: its default shell, cmd.exe or PowerShell, which start PowerShell.
 *
 * On its way through OpenSSH and cmd.exe a raw `-Command` loses `$_` and `${...}`; only `-EncodedCommand` arrives
 * whole (requirements M27).
 *
 * @module
 */
import { shortName } from '../files.ts';
import { ipconfig } from './network-commands.ts';
import { cimCmdlets } from './powershell/cim.ts';
import { type Caller, createCommands } from './powershell/cmdlets.ts';
import { createEnvironment } from './powershell/console.ts';
import { type Commands, runPowerShell } from './powershell/run.ts';
import { TaskScheduler } from './powershell/tasks.ts';
import type { ExecRequest, Shell, ShellHost, ShellResult } from './shell.ts';

/** cmd.exe's limit for a command line (Microsoft KB 830473), and CreateProcess's, which is the agent's too. */
const LIMITS = { cmd: 8191, powershell: 32_767 } as const;
/** What sshd puts around a command for cmd.exe, and for PowerShell (w32-doexec.c). */
const AROUND = {
  cmd: 'c:\\windows\\system32\\cmd.exe /c ""',
  powershell: 'c:\\windows\\system32\\windowspowershell\\v1.0\\powershell.exe -c ""',
} as const;
const POWERSHELL = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';
const SLOW_START_MS = 1000;

export function createWindowsShell(host: ShellHost): Shell {
  const scheduler = new TaskScheduler(host);
  return { exec: (request) => new Run(host, scheduler, request).shell() };
}

class Run {
  readonly #host: ShellHost;
  readonly #scheduler: TaskScheduler;
  readonly #request: ExecRequest;

  constructor(host: ShellHost, scheduler: TaskScheduler, request: ExecRequest) {
    this.#host = host;
    this.#scheduler = scheduler;
    this.#request = request;
  }

  /** The command in the default shell. The agent starts programs without one. */
  shell(): Promise<ShellResult> {
    const { command, session } = this.#request;
    const isPowerShell = session === 'ssh' && this.#host.faults.has('powershell-shell');
    const kind = isPowerShell ? 'powershell' : 'cmd';
    const isTooLong =
      session === 'ssh'
        ? AROUND[kind].length + command.length > LIMITS[kind]
        : command.length > LIMITS.powershell;
    if (isTooLong) return Promise.resolve(said('', 'The command line is too long.\r\n', 1));
    return isPowerShell ? this.#powershell(command, false) : this.#cmd(command);
  }

  /** cmd.exe: one command after the other, joined by `&`. The last one's exit code counts. */
  async #cmd(line: string): Promise<ShellResult> {
    const results: ShellResult[] = [];
    // An ampersand between quotation marks is one; all of a line in them is a line.
    for (const part of line.match(/(?:"[^"]*"|[^"&])+/g) ?? [''])
      results.push(await this.#native(part.trim()));
    const bytes = (kind: 'stdout' | 'stderr'): Buffer =>
      Buffer.concat(results.map((result) => result.raw?.[kind] ?? Buffer.from(result[kind])));
    const raw = { stdout: bytes('stdout'), stderr: bytes('stderr') };
    return {
      stdout: raw.stdout.toString('utf8'),
      stderr: raw.stderr.toString('utf8'),
      raw,
      exitCode: results.at(-1)?.exitCode,
    };
  }

  async #native(command: string): Promise<ShellResult> {
    const { definition } = this.#host;
    const powershell = /^"?(?:[^"\s]*\\)?powershell(?:\.exe)?"?\s+(.*)$/is.exec(command)?.[1];
    if (powershell !== undefined) {
      const script = scriptOf(powershell);
      if (script === undefined)
        return said('', 'Cannot process the command because of a missing parameter.\r\n', 1);
      return this.#powershell(script, /-e(?:nc|ncodedcommand)?\s/i.test(powershell));
    }
    const network = /^ipconfig(?:\.exe)?\s+(\/\w+)\s+"?([^"]*?)"?$/i.exec(command);
    if (network !== null) return ipconfig(this.#host, this.#request.user, network.slice(1));
    const inner = /^cmd(?:\.exe)?\s+\/c\s+"?(.*?)"?$/is.exec(command)?.[1];
    if (inner !== undefined) return this.#cmd(inner);
    const exit = /^exit(?:\s+\/b)?\s+(\d+)$/i.exec(command)?.[1];
    if (exit !== undefined) return said('', '', Number(exit));
    const word = command.toLowerCase();
    if (word === 'ver') return said(`\r\nMicrosoft Windows [Version 10.0.${definition.kernel}]\r\n`);
    if (word === 'hostname') return said(`${definition.name.toUpperCase()}\r\n`);
    if (/^shutdown(\.exe)?\b/.test(word)) return this.#powershell(command, false);
    if (/^eventcreate(\.exe)?\b/.test(word)) return this.#powershell(command, false);
    if (/^msiexec(\.exe)?\b/.test(word))
      return this.#powershell(`${command} | Out-Null; exit $LASTEXITCODE`, false);
    const echo = /^echo[ (](.*)$/is.exec(command)?.[1] ?? (word === 'echo(' ? '' : undefined);
    if (echo !== undefined) return said(`${echo.trim()}\r\n`);
    const name = command.split(/\s+/)[0] ?? '';
    const stderr = `'${name}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n`;
    return said('', stderr, 1);
  }

  async #powershell(script: string, isEncoded: boolean): Promise<ShellResult> {
    const { definition, processes, faults } = this.#host;
    const { user, session, stdin } = this.#request;
    const { pid } = processes.spawn({ path: POWERSHELL, user, session });
    const caller: Caller = { user, session, pid };
    try {
      if (faults.has('slow-powershell')) await new Promise((done) => setTimeout(done, SLOW_START_MS));
      const isSystem = user === 'SYSTEM';
      const profile = isSystem
        ? 'C:\\Windows\\system32\\config\\systemprofile'
        : `C:\\Users\\${definition.user}`;
      const variables = {
        USERNAME: isSystem ? `${definition.name.toUpperCase()}$` : definition.user,
        USERPROFILE: profile,
        APPDATA: `${profile}\\AppData\\Roaming`,
        LOCALAPPDATA: `${profile}\\AppData\\Local`,
        TEMP: `${faults.has('short-names') && !isSystem ? `C:\\Users\\${shortName(definition)}` : profile}\\AppData\\Local\\Temp`,
        COMPUTERNAME: definition.name.toUpperCase(),
        ProgramFiles: 'C:\\Program Files',
        'ProgramFiles(x86)': 'C:\\Program Files (x86)',
        ProgramData: 'C:\\ProgramData',
        PUBLIC: 'C:\\Users\\Public',
        SystemDrive: 'C:',
        SystemRoot: 'C:\\Windows',
        windir: 'C:\\Windows',
        Path: 'C:\\Windows\\system32;C:\\Windows',
        ComSpec: 'C:\\Windows\\system32\\cmd.exe',
        LOGONSERVER: `\\\\${definition.name.toUpperCase()}`,
        HOMEDRIVE: 'C:',
        HOMEPATH: profile.slice(2),
      };
      const environment = createEnvironment(
        this.#host,
        user,
        variables,
        isEncoded && faults.has('errors-as-xml'),
      );
      return await runPowerShell(script, this.#commands(caller), environment, stdin);
    } finally {
      processes.exit(pid, 0);
      // Win32-OpenSSH: the job object of the command ends with it, and all that is in it.
      if (session === 'ssh' && faults.has('command-job'))
        for (const child of processes.list()) if (child.ppid === pid) processes.kill(child.pid, 'KILL');
    }
  }

  #commands(caller: Caller): Commands {
    const native = (name: string) => async (call: { words: readonly string[] }) => {
      const { stdout, stderr, exitCode, raw } = await this.#native([name, ...call.words].join(' '));
      return {
        raw: raw ?? { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) },
        exitCode: exitCode ?? 1,
      };
    };
    return {
      ...createCommands(this.#host, caller),
      ...cimCmdlets(this.#host, caller.user),
      ...this.#scheduler.commands(caller.user),
      powershell: native('powershell'),
      cmd: native('cmd'),
      ipconfig: native('ipconfig'),
    };
  }
}

function said(stdout: string, stderr = '', exitCode = 0): ShellResult {
  return { stdout, stderr, exitCode };
}

function scriptOf(args: string): string | undefined {
  const encoded = /-(?:EncodedCommand|enc|e)\s+"?([A-Za-z0-9+/=]+)"?\s*$/i.exec(args)?.[1];
  if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString('utf16le');
  const raw = /-(?:Command|c)\s+"?([^]*?)"?\s*$/i.exec(args)?.[1];
  return raw?.replaceAll(/\$_|\$\{[^}]*\}/g, '');
}
