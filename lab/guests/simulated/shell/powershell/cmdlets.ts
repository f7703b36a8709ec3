/**
 * Cmdlets and native programs of the simulated Windows.
 *
 * @module
 */
import { HARBOR_VERSION, HARBOR_WINDOWS } from '../../files.ts';
import type { GuestProcess, ProcessSession } from '../../system.ts';
import type { ShellHost } from '../shell.ts';
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

/** Of winerror.h: msiexec could not open the package. */
const ERROR_INSTALL_PACKAGE_OPEN_FAILED = 1619;

interface ScheduledTask {
  readonly path: string;
  readonly arguments: string;
  /** Only an interactive task sees the user's desktop. */
  readonly interactive: boolean;
}

export function createCommands(host: ShellHost, user: string, session: ProcessSession): Commands {
  return {
    ...processCmdlets(host, user, session),
    ...fileCmdlets(host),
    ...taskCmdlets(host),
    ...pipelineCmdlets(host),
    ...clockCmdlets(host, user),
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

function processCmdlets(host: ShellHost, user: string, session: ProcessSession): Commands {
  const find = (call: Invocation): { found: GuestProcess[]; missing: string[] } => {
    const id = call.named('Id');
    if (id !== undefined)
      return { found: host.processes.list().filter(({ pid }) => pid === Number(id)), missing: [] };
    const names = call.list('Name', 0).map(show);
    if (names.length === 0) return { found: [...host.processes.list()], missing: [] };
    const matches = (name: string): GuestProcess[] =>
      host.processes.list().filter((process) => wildcard(name).test(baseName(process)));
    const missing = names.filter((name) => !name.includes('*') && matches(name).length === 0);
    return { found: names.flatMap(matches), missing };
  };
  const notFound = (name: string, verb: string): string =>
    `${verb} : Cannot find a process with the name "${name}". Verify the process name and call the cmdlet again.`;
  const start = (path: string, where: ProcessSession): Outcome => {
    const isKnown = path.toLowerCase() === HARBOR_WINDOWS.toLowerCase();
    if (!isKnown) return { errors: [`The system cannot find the file specified: ${path}`] };
    host.processes.spawn({ path, user, session: where });
    return {};
  };
  return {
    'get-process': (call) => {
      const { found, missing } = find(call);
      return {
        values: found.map((process) => ({
          display: baseName(process),
          Name: baseName(process),
          ProcessName: baseName(process),
          Id: process.pid,
          SessionId: process.session === 'desktop' ? 1 : 0,
          Path: process.cmdline,
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
      const file = call.words[call.words.findIndex((word) => word.toLowerCase() === '/i') + 1] ?? '';
      return { exitCode: (await host.disk.exists(file)) ? 0 : ERROR_INSTALL_PACKAGE_OPEN_FAILED };
    },
    taskkill: (call) => {
      const words = call.words.map((word) => word.toLowerCase());
      const image = call.words[words.indexOf('/im') + 1] ?? '';
      const hits = host.processes.list().filter(({ comm }) => comm.toLowerCase() === image.toLowerCase());
      for (const { pid } of hits) host.processes.kill(pid, 'KILL');
      if (hits.length === 0) return { errors: [`ERROR: The process "${image}" not found.`], exitCode: 128 };
      return { values: [`SUCCESS: The process "${image}" has been terminated.`], exitCode: 0 };
    },
  };
}

function fileCmdlets({ disk }: ShellHost): Commands {
  const paths = (call: Invocation): string[] =>
    [
      ...call.list('Path', 0),
      ...call.list('LiteralPath', 9),
      ...call.input.flatMap((item) => properties(item, 'FullName')),
    ].map(show);
  const matching = async (path: string): Promise<string[]> => {
    if (!path.includes('*')) return (await disk.exists(path)) ? [path] : [];
    const folder = path.slice(0, path.lastIndexOf('\\'));
    const pattern = wildcard(path.slice(path.lastIndexOf('\\') + 1));
    const names = (await disk.exists(folder)) ? await disk.fs.readdir(disk.inner(folder)) : [];
    return names.filter((name) => pattern.test(name)).map((name) => `${folder}\\${name}`);
  };
  const missing = (verb: string, path: string): string =>
    `${verb} : Cannot find path '${path}' because it does not exist.`;
  return {
    'test-path': async (call) => {
      const hits = await Promise.all(paths(call).map(matching));
      return { values: hits.map((found) => found.length > 0) };
    },
    'remove-item': async (call) => {
      const errors: string[] = [];
      for (const path of paths(call)) {
        const found = await matching(path);
        if (found.length === 0 && !path.includes('*')) errors.push(missing('Remove-Item', path));
        for (const file of found) await disk.remove(file);
      }
      return { errors };
    },
    'get-childitem': async (call) => {
      const values: Value[] = [];
      const errors: string[] = [];
      for (const path of paths(call)) {
        const found = await matching(path);
        if (found.length === 0 && !path.includes('*')) errors.push(missing('Get-ChildItem', path));
        for (const file of found) {
          const { mtime } = await disk.fs.stat(disk.inner(file));
          const name = file.slice(file.lastIndexOf('\\') + 1);
          values.push({ display: name, Name: name, FullName: file, LastWriteTime: mtime.getTime() });
        }
      }
      return { values, errors };
    },
    'get-item': async (call) => {
      const path = show(call.argument('Path', 0) ?? '');
      if (!(await disk.exists(path))) return { errors: [missing('Get-Item', path)] };
      const isHarbor = path.toLowerCase() === HARBOR_WINDOWS.toLowerCase();
      const version = isHarbor ? { ProductVersion: HARBOR_VERSION.replace(/^\S+ /, '') } : {};
      return { values: [{ display: path, FullName: path, VersionInfo: version }] };
    },
    'get-content': async (call) => {
      const path = show(call.argument('Path', 0) ?? '');
      if (!(await disk.exists(path))) return { errors: [missing('Get-Content', path)] };
      return { values: [await disk.read(path)] };
    },
    'set-content': async (call) => {
      await disk.write(
        show(call.argument('Path', 0) ?? ''),
        show(call.argument('Value', 1) ?? call.input[0] ?? ''),
      );
      return {};
    },
    'new-item': async (call) => {
      await disk.fs.mkdir(disk.inner(show(call.argument('Path', 0) ?? '')), { recursive: true });
      return {};
    },
  };
}

function taskCmdlets({ definition, processes }: ShellHost): Commands {
  const tasks = new Map<string, ScheduledTask>();
  return {
    'new-scheduledtaskaction': (call) => ({
      values: [{ Execute: show(call.named('Execute') ?? ''), Arguments: show(call.named('Argument') ?? '') }],
    }),
    'new-scheduledtaskprincipal': (call) => ({
      values: [
        { UserId: show(call.named('UserId') ?? ''), LogonType: show(call.named('LogonType') ?? 'S4U') },
      ],
    }),
    'register-scheduledtask': (call) => {
      const action = call.named('Action') ?? null;
      const principal = call.named('Principal') ?? null;
      const user = show(property(principal, 'UserId') ?? '').replace(/^.*\\/, '');
      tasks.set(show(call.named('TaskName') ?? ''), {
        path: show(property(action, 'Execute') ?? ''),
        arguments: show(property(action, 'Arguments') ?? ''),
        interactive:
          /^Interactive$/i.test(show(property(principal, 'LogonType') ?? '')) && user === definition.user,
      });
      return {};
    },
    'start-scheduledtask': (call) => {
      const name = show(call.argument('TaskName', 0) ?? '');
      const task = tasks.get(name);
      if (task === undefined)
        return { errors: [`Start-ScheduledTask : The system cannot find the file specified: ${name}`] };
      const session = task.interactive ? 'desktop' : 'system';
      processes.spawn({ path: task.path.replaceAll('"', ''), user: definition.user, session });
      return {};
    },
    'unregister-scheduledtask': (call) => {
      const name = show(call.argument('TaskName', 0) ?? '');
      return tasks.delete(name) ? {} : { errors: [`Unregister-ScheduledTask : No task "${name}" found.`] };
    },
  };
}

function pipelineCmdlets(host: ShellHost): Commands {
  const { definition, journal } = host;
  return {
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
    'get-ciminstance': (call) => {
      const name = show(call.argument('ClassName', 0) ?? '');
      if (name !== 'Win32_OperatingSystem') return { errors: [`Get-CimInstance : Invalid class "${name}"`] };
      return {
        values: [
          {
            Caption: definition.prettyName,
            BuildNumber: definition.kernel,
            Version: `10.0.${definition.kernel}`,
          },
        ],
      };
    },
    'get-winevent': async () => ({
      values: (await journal.entries()).map(({ at, comm, text }) => ({
        display: text,
        TimeCreated: new Date(at).toISOString(),
        ProviderName: comm,
        Message: text,
      })),
    }),
    hostname: () => ({ values: [definition.name.toUpperCase()], exitCode: 0 }),
    whoami: () => ({ values: [`${definition.name}\\${definition.user}`], exitCode: 0 }),
  };
}
