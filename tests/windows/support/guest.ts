/**
 * A simulated Windows without a network: its shell, its files, its processes.
 *
 * @module
 */
import { resolveProfile } from '../../../fixtures/app/index.ts';
import type { AppContext } from '../../../fixtures/app/app.ts';
import { type Command, type ExecResult, inUtf8, readableStderr } from '../../../fixtures/ssh/index.ts';
import { fleet } from '../../../lab/fleet.ts';
import { sentScript } from '../../../fixtures/ssh/powershell.ts';
import { GuestClock } from '../../../lab/guests/simulated/clock.ts';
import { createFiles, type GuestDisk } from '../../../lab/guests/simulated/files.ts';
import { HeldFiles } from '../../../lab/guests/simulated/held-files.ts';
import { Journal } from '../../../lab/guests/simulated/journal.ts';
import { GuestNetwork } from '../../../lab/guests/simulated/network.ts';
import { ProcessTable } from '../../../lab/guests/simulated/processes.ts';
import type { Fault } from '../../../lab/guests/simulated/quirks.ts';
import type { Shell, ShellHost } from '../../../lab/guests/simulated/shell/shell.ts';
import { createWindowsShell } from '../../../lab/guests/simulated/shell/windows.ts';
import { usualWays } from '../../../lab/guests/simulated/windows-ways.ts';

const HOUR_MS = 3_600_000;

export interface Windows {
  readonly disk: GuestDisk;
  readonly processes: ProcessTable;
  readonly host: ShellHost;
  readonly shell: Shell;
  readonly faults: Set<Fault>;
  /** As an SSH session runs them. */
  readonly ssh: AppContext['ssh'];
  readonly asSystem: NonNullable<AppContext['asSystem']>;
  readonly profile: AppContext['profile'];
  /** Every file, as the tree names it. */
  files(): Promise<readonly string[]>;
}

/** @param faults over what every Windows does */
export function windows(
  faults: readonly Fault[] = [],
  { user = 'tester', name = 'windows11' }: { readonly user?: string; readonly name?: string } = {},
): Windows {
  const row = fleet.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`there is no ${name}`);
  const definition = { ...row, user };
  const on = new Set<Fault>([...usualWays(), ...faults]);
  const processes = new ProcessTable(definition);
  const disk = createFiles(definition);
  const clock = new GuestClock();
  const started = Date.now();
  const host: ShellHost = {
    definition,
    processes,
    disk,
    clock,
    faults: on,
    journal: new Journal(disk, clock),
    network: new GuestNetwork(definition, on),
    held: new HeldFiles(definition, processes, on),
    passedThrough: () => [],
    upMs: () => HOUR_MS + Date.now() - started,
    passwordAt: () => new Date(started),
    restart: () => undefined,
  };
  const shell = createWindowsShell(host);
  const exec = async (
    command: string,
    shown: string,
    as: { readonly user: string; readonly session: 'ssh' | 'system'; readonly stdin?: string },
  ): Promise<ExecResult> => {
    const { signal } = new AbortController();
    const result = await shell.exec({ command, stdin: '', ...as, signal });
    const stdout = (result.raw?.stdout ?? Buffer.from(result.stdout)).toString('utf8');
    const stderr = readableStderr((result.raw?.stderr ?? Buffer.from(result.stderr)).toString('utf8'));
    return { command: shown, exitCode: result.exitCode, signal: undefined, stdout, stderr, durationMs: 0 };
  };
  const powershell = (script: Command | string): Promise<ExecResult> => {
    const { wire, shown } = typeof script === 'string' ? { wire: script, shown: script } : script;
    const { command, input = '' } = sentScript(inUtf8(`\n${wire}`), undefined);
    return exec(command, shown, { user, session: 'ssh', stdin: input });
  };
  return {
    disk,
    processes,
    host,
    shell,
    faults: on,
    ssh: {
      exec: (command) => {
        const { wire, shown } = typeof command === 'string' ? { wire: command, shown: command } : command;
        return exec(wire, shown, { user, session: 'ssh' });
      },
      powershell,
    },
    asSystem: (script) =>
      exec(
        `powershell.exe -EncodedCommand ${Buffer.from(inUtf8(`\n${script.wire}`), 'utf16le').toString('base64')}`,
        script.shown,
        {
          user: 'SYSTEM',
          session: 'system',
        },
      ),
    profile: resolveProfile(name, 'windows', name, 'windows'),
    async files() {
      const all: string[] = [];
      for (const path of disk.fs.getAllPaths()) if ((await disk.fs.stat(path)).isFile) all.push(path);
      return all;
    },
  };
}
