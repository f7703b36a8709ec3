/**
 * Cmdlets and native programs of the simulated Windows.
 *
 * @module
 */
import { HARBOR_VERSION, HARBOR_WINDOWS } from '../../files.ts';
import type { GuestProcess, ProcessSession } from '../../system.ts';
import type { ShellHost } from '../shell.ts';
import { dateTime } from './console.ts';
import { unauthorized } from './denied.ts';
import { errorRecord } from './errors.ts';
import { fileCmdlets } from './file-cmdlets.ts';
import { registryOf } from './registry.ts';
import { settingsCmdlets } from './settings.ts';
import { isDenied } from './tasks.ts';
import {
  type Commands,
  type Invocation,
  type Outcome,
  properties,
  property,
  show,
  type Value,
  wildcard,
} from './run.ts';

/** Of winerror.h: msiexec could not open the package, and could not install it. */
const ERROR_INSTALL_PACKAGE_OPEN_FAILED = 1619;
const ERROR_INSTALL_FAILURE = 1603;

/** Who runs a script, and in which of its own processes. */
export interface Caller {
  readonly user: string;
  readonly session: ProcessSession;
  /** PowerShell's own process; what it starts are its children. */
  readonly pid: number;
}

export function createCommands(host: ShellHost, caller: Caller): Commands {
  return {
    ...processCmdlets(host, caller),
    ...fileCmdlets(host, caller.user),
    ...settingsCmdlets(host, caller.user),
    ...pipelineCmdlets(host, caller),
    ...clockCmdlets(host, caller.user),
  };
}

function clockCmdlets({ clock }: ShellHost, user: string): Commands {
  return {
    'get-date': () => ({ values: [new Date(clock.now()).toISOString()] }),
    'set-date': (call) => {
      const text = show(call.argument('Date', 0) ?? '');
      const now = Date.parse(text);
      if (Number.isNaN(now)) {
        return { errors: [`Set-Date : Cannot bind parameter 'Date'. Cannot convert value "${text}"`] };
      }
      if (user !== 'SYSTEM') {
        return { errors: ['Set-Date : A required privilege is not held by the client'] };
      }
      clock.set(now);
      return { values: [new Date(now).toISOString()] };
    },
  };
}

/** `Get-Process` shows names without `.exe`. */
function baseName(process: GuestProcess): string {
  return process.comm.replace(/\.exe$/i, '');
}

function processCmdlets(host: ShellHost, { user, session, pid: own }: Caller): Commands {
  const list = (): readonly GuestProcess[] => visible(host);
  const find = (call: Invocation): { found: GuestProcess[]; missing: string[] } => {
    const id = call.named('Id');
    if (id !== undefined) return { found: list().filter(({ pid }) => pid === Number(id)), missing: [] };
    const names = call.list('Name', 0).map(show);
    if (names.length === 0) return { found: [...list()], missing: [] };
    const matches = (name: string): GuestProcess[] =>
      list().filter((process) => wildcard(name).test(baseName(process)));
    const missing = names.filter((name) => !name.includes('*') && matches(name).length === 0);
    return { found: names.flatMap(matches), missing };
  };
  const notFound = (name: string, verb: string): string =>
    `${verb} : Cannot find a process with the name "${name}". Verify the process name and call the cmdlet again.`;
  const start = (path: string, where: ProcessSession): Outcome => {
    const isKnown = path.toLowerCase() === HARBOR_WINDOWS.toLowerCase();
    if (!isKnown) return { errors: [`The system cannot find the file specified: ${path}`] };
    host.processes.spawn({ path, user, session: where, ppid: own });
    return {};
  };
  return {
    'get-process': (call) => {
      const { found, missing } = find(call);
      const wantsOwner = call.named('IncludeUserName') === true;
      // Get-Process -IncludeUserName: only elevated.
      if (wantsOwner && isDenied(host, user)) {
        const message = "Get-Process : The 'IncludeUserName' parameter requires elevated user rights.";
        const id = 'IncludeUserNameRequiresElevation,Microsoft.PowerShell.Commands.GetProcessCommand';
        return { errors: [{ ...errorRecord(message, id, 'PermissionDenied'), isTerminating: true }] };
      }
      return {
        values: found.map((process) => ({
          display: baseName(process),
          Name: baseName(process),
          ProcessName: baseName(process),
          Id: process.pid,
          SessionId: process.session === 'desktop' ? 1 : 0,
          Path: process.cmdline,
          ...(wantsOwner ? { UserName: `${host.definition.name.toUpperCase()}\\${process.user}` } : {}),
        })),
        errors: missing.map((name) => notFound(name, 'Get-Process')),
      };
    },
    'stop-process': (call) => {
      const piped = call.input.flatMap((item) => properties(item, 'Id')).map(Number);
      const { found, missing } = piped.length > 0 ? { found: [], missing: [] } : find(call);
      const isMine = ({ user: owner }: GuestProcess): boolean => user === 'SYSTEM' || owner === user;
      const mine = found.filter(isMine).map(({ pid }) => pid);
      for (const pid of [...piped, ...mine]) host.processes.kill(pid, 'KILL');
      const denied = found.filter((process) => !isMine(process));
      return {
        errors: [
          ...missing.map((name) => notFound(name, 'Stop-Process')),
          ...denied.map(
            (process) =>
              `Stop-Process : Cannot stop process "${baseName(process)} (${process.pid})" because of the following error: Access is denied`,
          ),
        ],
      };
    },
    // Here a process is gone the moment it is killed: what is still there stays.
    'wait-process': (call) => {
      const { found, missing } = find(call);
      return {
        errors: [
          ...missing.map((name) => notFound(name, 'Wait-Process')),
          ...found.map(
            (process) =>
              `Wait-Process : This command stopped the operation because process "${baseName(process)} (${process.pid})" is not stopped in the specified time-out.`,
          ),
        ],
      };
    },
    // SSH and the agent live in session 0: what they start has no desktop.
    'start-process': (call) => start(show(call.argument('FilePath', 0) ?? ''), session),
    harborchat: (call) =>
      call.words.includes('--version')
        ? { values: [HARBOR_VERSION], exitCode: 0 }
        : { ...start(HARBOR_WINDOWS, session), exitCode: 0 },
    msiexec: async (call) => {
      // A program with windows is not waited for unless its output is piped: no exit code then.
      if (!call.piped) return {};
      const { faults, disk } = host;
      if (faults.has('installer-blocked')) {
        const message =
          "Program 'msiexec.exe' failed to run: This program is blocked by group policy. For more information, contact your system administrator";
        return {
          errors: [
            { ...errorRecord(message, 'NativeCommandFailed', 'ResourceUnavailable'), isTerminating: true },
          ],
        };
      }
      const valueOf = (option: string): string =>
        call.words[call.words.findIndex((word) => word.toLowerCase() === option) + 1] ?? '';
      if (faults.has('installer-busy')) return { exitCode: 1618 };
      if (!(await disk.exists(valueOf('/i')))) return { exitCode: ERROR_INSTALL_PACKAGE_OPEN_FAILED };
      if (faults.has('installer-for-all') && isDenied(host, user)) {
        const log = call.words.some((word) => word.toLowerCase() === '/le') ? valueOf('/le') : undefined;
        const text =
          'Product: Harbor Chat -- Error 1925. You do not have sufficient privileges to complete this installation for all users of the machine.  Log on as administrator and then retry this installation.';
        if (log !== undefined) await disk.write(log, `${text}\r\n`);
        return { exitCode: ERROR_INSTALL_FAILURE };
      }
      if (faults.has('installer-wants-restart')) return { exitCode: 3010 };
      if (faults.has('installer-restarts')) {
        host.restart();
        return { exitCode: 1641 };
      }
      return { exitCode: 0 };
    },
    taskkill: (call) => {
      const words = call.words.map((word) => word.toLowerCase());
      const image = call.words[words.indexOf('/im') + 1] ?? '';
      const hits = list().filter(({ comm }) => comm.toLowerCase() === image.toLowerCase());
      for (const { pid } of hits) host.processes.kill(pid, 'KILL');
      if (hits.length === 0) return { errors: [`ERROR: The process "${image}" not found.`], exitCode: 128 };
      return { values: [`SUCCESS: The process "${image}" has been terminated.`], exitCode: 0 };
    },
  };
}

function pipelineCmdlets(host: ShellHost, { user }: Caller): Commands {
  const { definition, journal, faults } = host;
  return {
    'new-object': (call) => {
      const type = show(call.argument('TypeName', 0) ?? '').replace(/^System\./i, '');
      const [argument] = call.list('ArgumentList', 1);
      if (/^Text\.UTF8Encoding$/i.test(type))
        return { values: [{ __encoding: 'utf-8', bom: argument === true }] };
      if (/^Security\.Principal\.NTAccount$/i.test(type))
        return { values: [{ __account: show(argument ?? '') }] };
      return {
        errors: [
          `New-Object : Cannot find type [${type}]: verify that the assembly containing this type is loaded.`,
        ],
      };
    },
    // Looks through PATH.
    'get-command': async (call) => {
      const name = show(call.argument('Name', 0) ?? '');
      for (const folder of ['C:\\Windows\\system32', 'C:\\Windows']) {
        const path = `${folder}\\${name}`;
        if (await host.disk.exists(path)) return { values: [{ display: path, Name: name, Path: path }] };
      }
      return { errors: [`Get-Command : The term '${name}' is not recognized as the name of a cmdlet`] };
    },
    'split-path': (call) => {
      const path = show(call.argument('Path', 0) ?? call.named('LiteralPath') ?? call.named('Parent') ?? '');
      return { values: [path.slice(0, path.lastIndexOf('\\'))] };
    },
    'get-itemproperty': (call) => {
      const path = show(call.named('LiteralPath') ?? call.argument('Path', 0) ?? '');
      const values = registryOf(host)[path.toLowerCase()];
      if (values === undefined)
        return { errors: [`Get-ItemProperty : Cannot find path '${path}' because it does not exist.`] };
      return { values: [values] };
    },
    shutdown: (call) => {
      const words = call.words.map((word) => word.toLowerCase());
      if (isDenied(host, user)) return { errors: ['Access is denied.(5)'], exitCode: 5 };
      if (words.includes('/r')) host.restart();
      return { exitCode: 0 };
    },
    'get-pnpdevice': () => ({
      values: host.passedThrough().map(({ vendor, device }, index) => ({
        Status: 'OK',
        InstanceId:
          `PCI\\VEN_${vendor}&DEV_${device}&SUBSYS_88E21043&REV_A1\\4&1A2B3C4D&0&000${index}`.toUpperCase(),
      })),
    }),
    'write-output': (call) => ({ values: [...call.positional, ...call.input] }),
    'write-error': (call) => ({ errors: [show(call.argument('Message', 0) ?? '')] }),
    'out-null': () => ({}),
    'start-sleep': async (call) => {
      const ms = Number(call.named('Milliseconds') ?? Number(call.argument('Seconds', 0) ?? 0) * 1000);
      await new Promise((done) => setTimeout(done, ms));
      return {};
    },
    'where-object': async (call) => {
      const kept: Value[] = [];
      for (const item of call.input) if ((await call.block(0, item))[0] === true) kept.push(item);
      return { values: kept };
    },
    'foreach-object': async (call) => {
      const results: Value[] = [];
      for (const item of call.input) results.push(...(await call.block(0, item)));
      return { values: results };
    },
    'select-object': (call) => {
      const first = call.named('First');
      const items = first === undefined ? call.input : call.input.slice(0, Number(first));
      const expanded = call.named('ExpandProperty');
      return {
        values: expanded === undefined ? items : items.flatMap((item) => properties(item, show(expanded))),
      };
    },
    'sort-object': (call) => {
      const keys = call.list('Property', 0).map(show);
      const sign = call.named('Descending') === true ? -1 : 1;
      const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
      const by = (item: Value): string[] =>
        keys.length === 0 ? [show(item)] : keys.map((key) => show(property(item, key) ?? null));
      const compared = (a: Value, b: Value): number => {
        const others = by(b);
        return (
          by(a)
            .map((value, index) => order(value, others[index] ?? ''))
            .find((one) => one !== 0) ?? 0
        );
      };
      return { values: call.input.toSorted((a, b) => sign * compared(a, b)) };
    },
    'get-winevent': async (call) => {
      if (isDenied(host, user)) return { errors: [unauthorized()] };
      const filter = call.named('FilterHashtable') ?? null;
      const since = property(filter, 'StartTime');
      const from = Number(since === undefined ? 0 : property(since, '__at'));
      const most = Number(call.named('MaxEvents') ?? Infinity);
      const found = (await journal.entries())
        .filter(({ at }) => at >= from)
        .toReversed()
        .slice(0, most);
      if (found.length === 0 && faults.has('events-by-filter')) {
        const message = 'Get-WinEvent : No events were found that match the specified selection criteria.';
        const id = 'NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand';
        return { errors: [errorRecord(message, id, 'ObjectNotFound')] };
      }
      return {
        values: found.map(({ at, comm, text }) => ({
          display: text,
          TimeCreated: faults.has('events-by-filter') ? dateTime(at) : new Date(at).toISOString(),
          ProviderName: comm,
          Message: text,
        })),
      };
    },
    eventcreate: (call) => {
      if (isDenied(host, user)) return { errors: ['ERROR: Access is denied.'], exitCode: 1 };
      const at = call.words.findIndex((word) => word.toUpperCase() === '/D');
      journal.append('EventCreate', 0, call.words[at + 1] ?? '');
      return {
        values: ["SUCCESS: An event of type 'ERROR' was created in the 'APPLICATION' log."],
        exitCode: 0,
      };
    },
    hostname: () => ({ values: [definition.name.toUpperCase()], exitCode: 0 }),
    whoami: () => ({ values: [`${definition.name}\\${user}`], exitCode: 0 }),
  };
}

/** All processes; a locked session has LogonUI in it, another user's has his explorer. */
function visible({ processes, faults }: ShellHost): readonly GuestProcess[] {
  const all = processes.list().map((process) => {
    const isForeign = faults.has('other-session') && process.comm === 'explorer.exe';
    return isForeign ? { ...process, user: 'somebody' } : process;
  });
  if (!faults.has('session-locked')) return all;
  const [first] = all;
  const path = 'C:\\Windows\\System32\\LogonUI.exe';
  const locker = { pid: 900, ppid: 1, comm: 'LogonUI.exe', cmdline: path, user: 'SYSTEM' } as const;
  return [...all, { ...locker, session: 'desktop', startedAt: first?.startedAt ?? 0 }];
}
