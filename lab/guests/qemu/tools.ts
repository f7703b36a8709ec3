/**
 * Finding and running the programs the real guest needs.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn, type StdioOptions } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { LabError } from './errors.ts';

/** Debian package of each program. */
const PACKAGES = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  mmdebstrap: 'mmdebstrap',
  mke2fs: 'e2fsprogs',
  xz: 'xz-utils',
  tar: 'tar',
} as const;
export type Tool = keyof typeof PACKAGES;
type DeathSignal = 'KILL' | 'TERM';

const SBIN = ['/usr/sbin', '/sbin', '/usr/bin'];
const run = promisify(execFile);

/** The path of a program in PATH or the sbin folders, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SBIN];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** @throws LabError `LAB_TOOL_MISSING` naming every missing program and the packages to install */
export function requireTools(tools: readonly Tool[], find = findProgram): void {
  const missing = tools.filter((tool) => find(tool) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => PACKAGES[tool]))];
  throw new LabError({
    code: 'LAB_TOOL_MISSING',
    subject: "the lab's real guests",
    message: `${missing.join(', ')} not found in PATH or /usr/sbin`,
    next: `sudo apt-get install ${packages.join(' ')}`,
  });
}

/** Standard output of a command. @throws the command's own error with its stderr */
export async function output(tool: Tool | 'apt-config', args: readonly string[]): Promise<string> {
  const { stdout } = await run(findProgram(tool) ?? tool, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** Whether a command ends with 0. */
export async function succeeds(command: readonly [string, ...string[]]): Promise<boolean> {
  const [program, ...args] = command;
  return run(program, args).then(
    () => true,
    () => false,
  );
}

/**
 * The command that runs `command` so that the kernel ends it when this process dies, however it dies: `setpriv
 * --pdeathsig` of util-linux. Without setpriv the command itself, and an orphan is possible after SIGKILL.
 *
 * @param signal KILL, or TERM for a program that has children and files of its own to clear away
 */
export function guarded(
  command: readonly [string, ...string[]],
  signal: DeathSignal = 'KILL',
  find = findProgram,
): [string, ...string[]] {
  const setpriv = find('setpriv');
  return setpriv === undefined ? [...command] : [setpriv, '--pdeathsig', signal, '--', ...command];
}

export interface SpawnGuardedOptions {
  readonly cwd?: string;
  readonly signal?: DeathSignal;
  /** A process group of its own, named after its pid. */
  readonly group?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Spawns a {@link guarded} command. */
export function spawnGuarded(
  command: readonly [string, ...string[]],
  stdio: StdioOptions,
  options: SpawnGuardedOptions = {},
): ChildProcess {
  const [program, ...args] = guarded(command, options.signal);
  const env = { ...process.env, LC_ALL: 'C.UTF-8', ...options.env };
  return spawn(program, args, { stdio, cwd: options.cwd, detached: options.group ?? false, env });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
