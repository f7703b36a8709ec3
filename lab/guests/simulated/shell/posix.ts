/**
 * The Linux guests' `sh`: just-bash with the commands of a desktop system.
 *
 * Each command runs as a process `sh -c <command>` of the table, so that `pkill -f` finds its own shell as it does on
 * the real thing.
 *
 * @module
 */
import { Bash } from 'just-bash';
import { dateCommand } from './date-command.ts';
import { desktopCommands } from './desktop-commands.ts';
import { writeProc } from './proc-files.ts';
import { nmcliCommand } from './network-commands.ts';
import { processCommands } from './process-commands.ts';
import type { ExecRequest, Shell, ShellHost, ShellResult } from './shell.ts';
import { systemCommands } from './system-commands.ts';

const PATH = '/usr/local/bin:/usr/bin:/bin';

export function createPosixShell(host: ShellHost): Shell {
  return { exec: (request) => run(host, request) };
}

async function run(host: ShellHost, request: ExecRequest): Promise<ShellResult> {
  const { processes, disk, clock } = host;
  const { command, user, session, stdin, signal } = request;
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const shell = processes.spawn({ path: '/bin/sh', args: ['-c', command], user, session });
  const killed = new AbortController();
  let killedBy: string | undefined;
  const stopListening = processes.on((event) => {
    if (event.type !== 'exited' || event.process.pid !== shell.pid || event.signal === undefined) return;
    killedBy = event.signal;
    killed.abort();
  });
  const bash = new Bash({
    fs: disk.fs,
    cwd: (await disk.exists(home)) ? home : '/',
    env: { HOME: home, USER: user, LOGNAME: user, PATH, SHELL: '/bin/bash', LANG: 'en_US.UTF-8' },
    processInfo: { pid: shell.pid, ppid: shell.ppid },
    // Against hostile scripts it changes built-in objects of the whole process, in which copying an array then takes V8
    // 50 to 200 times as long, a frame's pixels half a second. Who has a guest's password started the lab.
    defenseInDepth: false,
    customCommands: [
      ...processCommands(host, { user, session }),
      ...systemCommands(host, user),
      dateCommand(clock, user),
      nmcliCommand(host, user),
      ...desktopCommands(host, { user, session }),
    ],
  });
  try {
    if (command.includes('/proc/')) await writeProc(host);
    const options = { stdin, signal: AbortSignal.any([signal, killed.signal]) };
    const outcome = await Promise.race([bash.exec(command, options), aborted(killed.signal)]);
    if (killedBy !== undefined || outcome === undefined) {
      return { stdout: '', stderr: '', exitCode: undefined, signal: killedBy ?? 'TERM' };
    }
    return { stdout: outcome.stdout, stderr: outcome.stderr, exitCode: outcome.exitCode };
  } finally {
    stopListening();
    processes.exit(shell.pid, 0);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((done) => signal.addEventListener('abort', () => done(undefined), { once: true }));
}
