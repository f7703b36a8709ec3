/**
 * procps and `kill`: matching by 15-byte names and by whole command lines, with their traps.
 *
 * @module
 */
import { type Command, defineCommand } from 'just-bash';
import { COMM_BYTES } from '../processes.ts';
import type { GuestProcess, ProcessSession } from '../system.ts';
import type { ShellHost } from './shell.ts';

export interface Caller {
  readonly user: string;
  readonly session: ProcessSession;
}

const SIGNAL_NAMES: Readonly<Record<string, string>> = { '1': 'HUP', '2': 'INT', '9': 'KILL', '15': 'TERM' };

export function processCommands(host: ShellHost, caller: Caller): Command[] {
  return [
    defineCommand('pgrep', (args) => Promise.resolve(grep(host, 'pgrep', args))),
    defineCommand('pkill', (args) => Promise.resolve(grep(host, 'pkill', args, caller))),
    defineCommand('kill', (args) => Promise.resolve(kill(host, args))),
    defineCommand('ps', () =>
      Promise.resolve(ok(`${['  PID COMMAND', ...host.processes.list().map(psLine)].join('\n')}\n`)),
    ),
  ];
}

function ok(stdout = ''): { stdout: string; stderr: string; exitCode: number } {
  return { stdout, stderr: '', exitCode: 0 };
}

function psLine({ pid, comm }: GuestProcess): string {
  return `${String(pid).padStart(5)} ${comm}`;
}

/** procps-ng 4: `-x` compares the whole 15-byte name, `-f` searches whole command lines, its own shell's among them. */
function grep(
  host: ShellHost,
  tool: 'pgrep' | 'pkill',
  args: readonly string[],
  caller?: Caller,
): { stdout: string; stderr: string; exitCode: number } {
  let signal = 'TERM';
  let exact = false;
  let full = false;
  let user: string | undefined;
  let pattern: string | undefined;
  let isList = false;
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    if (word === '--') continue;
    else if (word === '-u' || word === '-U') user = args[++index];
    else if (/^-(9|15|KILL|TERM|HUP|INT)$/.test(word)) signal = SIGNAL_NAMES[word.slice(1)] ?? word.slice(1);
    else if (word === '--signal') signal = args[++index] ?? 'TERM';
    else if (/^-[a-z]+$/.test(word)) {
      exact ||= word.includes('x');
      full ||= word.includes('f');
      isList ||= word.includes('l') || word.includes('a');
    } else pattern = word;
  }
  if (pattern === undefined) {
    return { stdout: '', stderr: `${tool}: no matching criteria specified\n`, exitCode: 2 };
  }
  const isTooLong = !full && Buffer.byteLength(pattern) > COMM_BYTES;
  const warning = isTooLong
    ? `${tool}: pattern that searches for process name longer than 15 characters will result in zero matches\nTry \`${tool} -f' option to match against the complete command line.\n`
    : '';
  const expression = expressionOf(exact ? `^(${pattern})$` : pattern);
  if (expression === undefined) {
    return {
      stdout: '',
      stderr: `${tool}: regex error: Invalid preceding regular expression\n`,
      exitCode: 2,
    };
  }
  const hits = host.processes
    .list()
    .filter((process) => user === undefined || process.user === user)
    .filter((process) => expression.test(full ? process.cmdline : process.comm));
  if (tool === 'pkill') {
    // A user may not signal root's processes; matching ones count all the same.
    for (const { pid, user: owner } of hits) {
      if (caller?.user === 'root' || owner === caller?.user) host.processes.kill(pid, signal);
    }
  }
  const lines =
    tool === 'pgrep' ? hits.map(({ pid, comm }) => (isList ? `${pid} ${comm}\n` : `${pid}\n`)) : [];
  return { stdout: lines.join(''), stderr: warning, exitCode: hits.length > 0 ? 0 : 1 };
}

/** Stands for the C library's; undefined for what it would refuse too. */
function expressionOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}

function kill(
  host: ShellHost,
  args: readonly string[],
): { stdout: string; stderr: string; exitCode: number } {
  const flag = args.find((word) => word.startsWith('-'))?.slice(1) ?? 'TERM';
  const signal = SIGNAL_NAMES[flag] ?? flag;
  const failures = args
    .filter((word) => /^\d+$/.test(word))
    .filter((pid) => {
      const exists = host.processes.list().some((process) => process.pid === Number(pid));
      return flag === '0' ? !exists : !host.processes.kill(Number(pid), signal);
    });
  const stderr = failures.map((pid) => `sh: kill: (${pid}) - No such process\n`).join('');
  return { stdout: '', stderr, exitCode: failures.length > 0 ? 1 : 0 };
}
