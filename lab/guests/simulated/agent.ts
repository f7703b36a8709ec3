/**
 * qemu-ga of a simulated guest: replies as the real one's.
 *
 * @module
 */
import type { AgentReply } from '../guest.ts';
import type { Shell, ShellHost } from './shell/shell.ts';

interface Execution {
  status: Record<string, unknown> | undefined;
}

export type Agent = (command: string, args: Record<string, unknown>) => Promise<AgentReply>;

/** @param powerOff asks the machine to shut down */
export function createAgent(host: ShellHost, shell: Shell, powerOff: () => void): Agent {
  const { definition, disk, clock } = host;
  const executions = new Map<number, Execution>();
  const handles = new Map<number, { path: string; mode: string; content: string }>();
  let nextPid = 5000;
  let nextHandle = 1000;

  const commands: Record<string, (args: Record<string, unknown>) => Promise<unknown>> = {
    'guest-ping': () => Promise.resolve({}),
    'guest-get-osinfo': () => Promise.resolve(osInfo(host)),
    'guest-get-host-name': () => Promise.resolve({ 'host-name': definition.name }),
    'guest-network-get-interfaces': () => Promise.resolve(interfaces(host)),
    'guest-get-time': () => Promise.resolve(clock.now() * 1e6),
    'guest-set-time': ({ time }) => {
      if (time === undefined) clock.reset();
      else clock.set(Number(time) / 1e6);
      return Promise.resolve({});
    },
    'guest-shutdown': () => {
      powerOff();
      return Promise.resolve({});
    },
    'guest-exec': ({ path, arg = [], 'input-data': input }) => {
      const words = [String(path), ...(arg as string[])];
      const pid = nextPid++;
      const execution: Execution = { status: undefined };
      const user = definition.os === 'windows' ? 'SYSTEM' : 'root';
      const stdin = typeof input === 'string' ? Buffer.from(input, 'base64').toString('utf8') : '';
      const { signal } = new AbortController();
      const command = words.map((word) => quote(word, definition.os)).join(' ');
      void shell
        .exec({ command, stdin, user, session: 'system', signal })
        .then(({ exitCode, raw, ...text }) => {
          const stdout = raw?.stdout ?? Buffer.from(text.stdout);
          const stderr = raw?.stderr ?? Buffer.from(text.stderr);
          execution.status = {
            exited: true,
            ...(exitCode === undefined ? { signal: 15 } : { exitcode: exitCode }),
            ...(stdout.length === 0 ? {} : { 'out-data': stdout.toString('base64') }),
            ...(stderr.length === 0 ? {} : { 'err-data': stderr.toString('base64') }),
          };
        });
      executions.set(pid, execution);
      return Promise.resolve({ pid });
    },
    'guest-exec-status': ({ pid }) => {
      const execution = executions.get(Number(pid));
      if (execution === undefined) throw new Error(`Invalid parameter 'pid'`);
      if (execution.status === undefined) return Promise.resolve({ exited: false });
      // The result is handed out once.
      executions.delete(Number(pid));
      return Promise.resolve(execution.status);
    },
    'guest-file-open': async ({ path, mode }) => {
      const name = String(path);
      const isReading = mode === 'r';
      if (isReading && !(await disk.exists(name))) {
        throw new Error(`failed to open file '${name}' (mode: 'r'): No such file or directory`);
      }
      handles.set(nextHandle, {
        path: name,
        mode: String(mode),
        content: isReading ? await disk.read(name) : '',
      });
      return nextHandle++;
    },
    'guest-file-read': ({ handle }) => {
      const { content } = file(handle);
      const bytes = Buffer.from(content);
      return Promise.resolve({ count: bytes.length, 'buf-b64': bytes.toString('base64'), eof: true });
    },
    'guest-file-write': async ({ handle, 'buf-b64': data }) => {
      const bytes = Buffer.from(String(data), 'base64');
      await disk.write(file(handle).path, bytes.toString('utf8'));
      return { count: bytes.length, eof: false };
    },
    'guest-file-close': ({ handle }) => {
      handles.delete(Number(handle));
      return Promise.resolve({});
    },
  };
  const file = (handle: unknown): { path: string; content: string } => {
    const found = handles.get(Number(handle));
    if (found === undefined) throw new Error(`handle '${String(handle)}' has not been found`);
    return found;
  };

  return async (command, args) => {
    const run = commands[command];
    if (host.faults.has('no-exec') && command.startsWith('guest-exec')) {
      const desc = `Command ${command} has been disabled: the command is not allowed`;
      return { error: { class: 'CommandNotFound', desc } };
    }
    if (run === undefined) {
      return { error: { class: 'CommandNotFound', desc: `The command ${command} has not been found` } };
    }
    try {
      return { return: await run(args) };
    } catch (error) {
      return {
        error: { class: 'GenericError', desc: error instanceof Error ? error.message : String(error) },
      };
    }
  };
}

function osInfo({ definition, faults }: ShellHost): Record<string, string> {
  // ProductName of the registry, which Windows 11 has kept; only the build tells (qga/commands-win32.c).
  if (definition.os === 'windows' && faults.has('named-windows-10')) {
    return {
      id: 'mswindows',
      name: 'Microsoft Windows',
      'pretty-name': 'Windows 10 Pro',
      version: 'Microsoft Windows 10',
      'version-id': '10',
      variant: 'client',
      'variant-id': 'client',
      machine: 'x86_64',
      'kernel-release': definition.kernel,
      'kernel-version': '10.0',
    };
  }
  return {
    id: definition.osId,
    name: definition.prettyName.replace(/ [\d.]+.*$/, ''),
    'pretty-name': definition.prettyName,
    machine: 'x86_64',
    'kernel-release': definition.kernel,
    'kernel-version': definition.kernel,
  };
}

/** The MAC of a second card of the VM, which a test puts into its config. */
export const SECOND_MAC = 'BC:24:11:00:99:01';

function interfaces({ definition, network, faults }: ShellHost): unknown[] {
  const address = (ip: string, prefix: number): object => ({
    'ip-address-type': ip.includes(':') ? 'ipv6' : 'ipv4',
    'ip-address': ip,
    prefix,
  });
  const more = faults.has('more-cards');
  const others = [
    {
      name: 'enp6s19',
      'hardware-address': SECOND_MAC.toLowerCase(),
      'ip-addresses': [address('192.168.99.5', 24)],
    },
    { name: 'docker0', 'hardware-address': '02:42:11:22:33:44', 'ip-addresses': [address('172.17.0.1', 16)] },
    { name: 'tun0', 'ip-addresses': [address('10.8.0.2', 24)] },
  ];
  const isWindows = definition.os === 'windows';
  return [
    { name: isWindows ? 'Loopback Pseudo-Interface 1' : 'lo', 'ip-addresses': [address('127.0.0.1', 8)] },
    ...(more ? others : []),
    {
      name: network.card,
      'hardware-address': definition.mac.toLowerCase(),
      'ip-addresses': [
        { 'ip-address-type': 'ipv6', 'ip-address': 'fe80::be24:11ff:fe00:1', prefix: 64 },
        ...(more ? [address('2001:db8::99', 64), address('192.168.98.7', 24)] : []),
        ...(network.address === undefined ? [] : [address(network.address, 24)]),
      ],
    },
  ];
}

function quote(word: string, os: 'linux' | 'windows'): string {
  if (os === 'windows') return /[\s"]/.test(word) ? `"${word}"` : word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
