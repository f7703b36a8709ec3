/**
 * Who and where: uname, hostname, whoami, id, sudo, loginctl, systemctl, journalctl.
 *
 * @module
 */
import { type Command, defineCommand } from 'just-bash';
import type { GuestDefinition } from '../system.ts';

export function systemCommands(definition: GuestDefinition, user: string): Command[] {
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
    defineCommand('loginctl', (args) => Promise.resolve(loginctl(definition, args))),
    defineCommand('systemctl', (args) => Promise.resolve(systemctl(args))),
    print('journalctl', () => '-- No entries --'),
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

function isFlag(word: string): boolean {
  return word.startsWith('-');
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function unameAll(definition: GuestDefinition): string {
  return `Linux ${definition.name} ${definition.kernel} #1 SMP x86_64 GNU/Linux`;
}

function loginctl(
  definition: GuestDefinition,
  args: readonly string[],
): { stdout: string; stderr: string; exitCode: number } {
  const type = definition.session;
  if (args[0] === 'show-session')
    return { stdout: `Type=${type}\nActive=yes\nLockedHint=no\n`, stderr: '', exitCode: 0 };
  const line = `      2 1000 ${definition.user} seat0 tty2 active no -\n`;
  return { stdout: `SESSION  UID USER   SEAT  TTY  STATE  IDLE SINCE\n${line}`, stderr: '', exitCode: 0 };
}

function systemctl(args: readonly string[]): { stdout: string; stderr: string; exitCode: number } {
  if (args.includes('is-system-running')) return { stdout: 'running\n', stderr: '', exitCode: 0 };
  if (args.includes('is-active')) {
    const unit = args.at(-1) ?? '';
    const known = /^(sshd?|qemu-guest-agent|graphical\.target)(\.service)?$/.test(unit);
    return { stdout: known ? 'active\n' : 'inactive\n', stderr: '', exitCode: known ? 0 : 3 };
  }
  return { stdout: '', stderr: '', exitCode: 0 };
}
