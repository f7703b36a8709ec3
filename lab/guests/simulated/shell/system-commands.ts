/**
 * Who and where: uname, hostname, whoami, id, sudo, loginctl, systemctl, journalctl.
 *
 * @module
 */
import { type Command, defineCommand } from 'just-bash';
import type { GuestPciDevice } from '../../guest.ts';
import type { GuestDefinition } from '../system.ts';
import type { ShellHost } from './shell.ts';

export function systemCommands(host: ShellHost, user: string): Command[] {
  const { definition } = host;
  const print = (name: string, text: (args: readonly string[]) => string): Command =>
    defineCommand(name, (args) => Promise.resolve({ stdout: `${text(args)}\n`, stderr: '', exitCode: 0 }));
  const uid = user === 'root' ? 0 : 1000;
  return [
    print('uname', (args) =>
      args.includes('-r') ? definition.kernel : args.includes('-a') ? unameAll(definition) : 'Linux',
    ),
    print('hostname', () => definition.name),
    print('whoami', () => user),
    print('id', (args) => (args.includes('-u') ? String(uid) : `uid=${uid}(${user}) gid=${uid}(${user})`)),
    // just-bash's own knows no times.
    defineCommand('stat', (args) => stat(host, args)),
    defineCommand('loginctl', (args) => Promise.resolve(loginctl(host, args))),
    defineCommand('lspci', (args) =>
      Promise.resolve({ stdout: lspci(host.passedThrough(), args), stderr: '', exitCode: 0 }),
    ),
    defineCommand('systemctl', (args) => Promise.resolve(systemctl(host, args))),
    defineCommand('journalctl', async (args) => ({
      stdout: await journalctl(host, args),
      stderr: '',
      exitCode: 0,
    })),
    defineCommand('sudo', async (args, context) => {
      const words = args.filter(
        (word, index) => !(word.startsWith('-') && args.slice(0, index).every(isFlag)),
      );
      if (context.exec === undefined)
        return { stdout: '', stderr: 'sudo: cannot run commands\n', exitCode: 1 };
      return context.exec(words.map(quote).join(' '), { cwd: context.cwd });
    }),
  ];
}

/** `stat -c <format> [--] <files>` with `%Y` and `%n`. */
async function stat(
  { disk }: ShellHost,
  args: readonly string[],
): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const [flag, format = '', ...rest] = args;
  if (flag !== '-c') return { stdout: '', stderr: 'stat: only -c is known here\n', exitCode: 1 };
  let stdout = '';
  let stderr = '';
  for (const file of rest.filter((word) => word !== '--')) {
    if (await disk.exists(file)) {
      const { mtime } = await disk.fs.stat(disk.inner(file));
      const seconds = String(Math.floor(mtime.getTime() / 1000));
      stdout += `${format.replaceAll('%Y', seconds).replaceAll('%n', () => file)}\n`;
    } else stderr += `stat: cannot statx '${file}': No such file or directory\n`;
  }
  return { stdout, stderr, exitCode: stderr === '' ? 0 : 1 };
}

function isFlag(word: string): boolean {
  return word.startsWith('-');
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function unameAll(definition: GuestDefinition): string {
  return `Linux ${definition.name} ${definition.kernel} #1 SMP x86_64 GNU/Linux`;
}

/** One session of the SSH log-in, and the desktop's: its user's, or the display manager's greeter. */
function loginctl(
  { definition, faults }: ShellHost,
  args: readonly string[],
): { stdout: string; stderr: string; exitCode: number } {
  const ok = (stdout: string): { stdout: string; stderr: string; exitCode: number } => ({
    stdout,
    stderr: '',
    exitCode: 0,
  });
  const { user, session: type } = definition;
  const manager = definition.desktop === 'kde' ? 'sddm' : 'gdm';
  const desktop = faults.has('greeter')
    ? { id: 'c1', uid: 120, name: manager, type, class: 'greeter', seat: 'seat0', tty: 'tty1' }
    : { id: '2', uid: 1000, name: user, type, class: 'user', seat: 'seat0', tty: 'tty2' };
  const ssh = { id: '7', uid: 1000, name: user, type: 'tty', class: 'user', seat: '-', tty: 'pts/0' };
  const sessions = [desktop, ssh];
  if (args[0] === 'show-session') {
    const session = sessions.find(({ id }) => id === args[1]) ?? desktop;
    return ok(
      `Name=${session.name}\nType=${session.type}\nClass=${session.class}\nActive=yes\nState=active\nLockedHint=no\n`,
    );
  }
  const lines = sessions.map(
    ({ id, uid, name, seat, tty }) => `${id.padStart(7)} ${uid} ${name} ${seat} ${tty} active no -\n`,
  );
  const legend = args.includes('--no-legend') ? '' : 'SESSION  UID USER   SEAT  TTY  STATE  IDLE SINCE\n';
  return ok(legend + lines.join(''));
}

/** The machine's own devices, as QEMU gives them: q35's host bridge, the std display, the network card. */
const OWN_DEVICES = [
  { slot: '00:00.0', class: '0600', vendor: '8086', device: '29c0' },
  { slot: '00:01.0', class: '0300', vendor: '1234', device: '1111' },
  { slot: '06:12.0', class: '0200', vendor: '1af4', device: '1000' },
];

/** `lspci -n [-d vendor:device]`: slot, class, vendor:device. What is passed through sits behind a root port. */
function lspci(passedThrough: readonly GuestPciDevice[], args: readonly string[]): string {
  const plugged = passedThrough.map((device, index) => ({ ...device, slot: `01:00.${index}` }));
  const wanted = args[args.indexOf('-d') + 1];
  return [...OWN_DEVICES, ...plugged]
    .filter(({ vendor, device }) => !args.includes('-d') || wanted === `${vendor}:${device}`)
    .map((entry) => `${entry.slot} ${entry.class}: ${entry.vendor}:${entry.device}\n`)
    .join('');
}

async function journalctl({ definition, journal }: ShellHost, args: readonly string[]): Promise<string> {
  const since = args.find((word) => word.startsWith('--since=@'));
  const after = since === undefined ? 0 : Number(since.slice('--since=@'.length)) * 1000;
  const entries = (await journal.entries()).filter(({ at }) => at >= after);
  if (entries.length === 0) return args.includes('--quiet') ? '' : '-- No entries --\n';
  return entries
    .map(({ at, comm, pid, text }) => {
      const time = new Date(at).toISOString().replace(/\.\d+Z$/, '+00:00');
      return `${time} ${definition.name} ${comm}[${pid}]: ${text}\n`;
    })
    .join('');
}

function systemctl(
  { faults }: ShellHost,
  args: readonly string[],
): { stdout: string; stderr: string; exitCode: number } {
  if (args.includes('is-system-running'))
    return faults.has('booting')
      ? { stdout: 'starting\n', stderr: '', exitCode: 1 }
      : { stdout: 'running\n', stderr: '', exitCode: 0 };
  if (args.includes('is-active')) {
    const unit = args.at(-1) ?? '';
    const known = /^(sshd?|qemu-guest-agent|graphical\.target)(\.service)?$/.test(unit);
    return { stdout: known ? 'active\n' : 'inactive\n', stderr: '', exitCode: known ? 0 : 3 };
  }
  return { stdout: '', stderr: '', exitCode: 0 };
}
