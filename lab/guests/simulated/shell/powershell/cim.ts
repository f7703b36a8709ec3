/**
 * The system's and the processes' CIM classes, and their way out as JSON.
 *
 * @module
 */
import type { ShellHost } from '../shell.ts';
import { dateTime } from './console.ts';
import { denied } from './denied.ts';
import { type Commands, property, show, type Value } from './run.ts';
import { isDenied } from './tasks.ts';

/** What an ordinary desktop program has. */
const WORKING_SET = 50_331_648;
const THREADS = 12;
const HANDLES = 300;
/** So much older than all that is there. */
const REUSED_AGE_MS = 60_000;

export function cimCmdlets(host: ShellHost, user: string): Commands {
  const { processes, definition, faults, clock } = host;
  return {
    'get-ciminstance': (call) => {
      const name = show(call.argument('ClassName', 0) ?? '');
      if (isDenied(host, user)) return { errors: [denied('Get-CimInstance', 'HRESULT 0x80041003')] };
      if (name === 'Win32_Process') return { values: processRows(host) };
      if (name !== 'Win32_OperatingSystem') return { errors: [`Get-CimInstance : Invalid class "${name}"`] };
      const jitter = faults.has('boot-time-jitters') ? Math.round(Math.random() * 40 - 20) : 0;
      // Both are read one after the other, and the clock may have been set.
      const booted = faults.has('boot-time-jitters')
        ? clock.now() - host.upMs() + jitter
        : (processes.list()[0]?.startedAt ?? 0);
      return {
        values: [
          {
            Caption: definition.prettyName,
            BuildNumber: definition.kernel,
            Version: `10.0.${definition.kernel}`,
            LastBootUpTime: dateTime(Math.round(booted)),
          },
        ],
      };
    },
    'convertto-json': (call) => {
      const [first] = call.input;
      if (first === undefined) return {};
      // Windows PowerShell 5.1 writes a time so.
      const plain = (_: string, value: unknown): unknown => {
        const at = typeof value === 'object' ? property(value as Value, '__at') : undefined;
        return at === undefined ? value : `/Date(${Number(at)})/`;
      };
      return { values: [JSON.stringify(call.input.length === 1 ? first : call.input, plain)] };
    },
  };
}

/** With an old process among them whose parent has ended, and whose parent's id is the application's now. */
function processRows({ processes, faults }: ShellHost): Value[] {
  const all = processes.list();
  const application = all.find(({ comm }) => comm === 'HarborChat.exe');
  const [oldest] = all;
  return all.map((process) => {
    const isReused = faults.has('reused-ids') && application !== undefined && process.comm === 'sshd.exe';
    return {
      display: process.comm,
      ProcessId: process.pid,
      ParentProcessId: isReused ? application.pid : process.ppid,
      Name: process.comm,
      CreationDate: dateTime(isReused ? (oldest?.startedAt ?? 0) - REUSED_AGE_MS : process.startedAt),
      WorkingSetSize: WORKING_SET,
      ThreadCount: THREADS,
      HandleCount: HANDLES,
    };
  });
}
