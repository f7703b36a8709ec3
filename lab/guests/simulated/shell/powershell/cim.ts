/**
 * The system's and the processes' CIM classes, and their way out as JSON.
 *
 * @module
 */
import type { ShellHost } from '../shell.ts';
import { type Commands, show, type Value } from './run.ts';

/** What an ordinary desktop program has. */
const WORKING_SET = 50_331_648;
const THREADS = 12;
const HANDLES = 300;

/** Wraps `others`: their classes stay. */
export function cimCmdlets({ processes }: ShellHost, others: Commands): Commands {
  return {
    'get-ciminstance': async (call) => {
      const name = show(call.argument('ClassName', 0) ?? '');
      if (name === 'Win32_Process') {
        return {
          values: processes.list().map((process) => ({
            display: process.comm,
            ProcessId: process.pid,
            ParentProcessId: process.ppid,
            Name: process.comm,
            CreationDate: date(process.startedAt),
            WorkingSetSize: WORKING_SET,
            ThreadCount: THREADS,
            HandleCount: HANDLES,
          })),
        };
      }
      const known = (await others['get-ciminstance']?.(call)) ?? {};
      if (name !== 'Win32_OperatingSystem') return known;
      const booted = date(processes.list()[0]?.startedAt ?? 0);
      const values = known.values?.map((value) => withProperty(value, 'LastBootUpTime', booted)) ?? [];
      return { ...known, values };
    },
    'convertto-json': (call) => {
      const [first] = call.input;
      if (first === undefined) return {};
      return { values: [JSON.stringify(call.input.length === 1 ? first : call.input)] };
    },
  };
}

/** Windows PowerShell 5.1 writes a time so. */
function date(at: number): string {
  return `/Date(${at})/`;
}

function withProperty(value: Value, name: string, property: string): Value {
  return typeof value === 'object' && value !== null ? { ...value, [name]: property } : value;
}
