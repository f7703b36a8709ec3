/**
 * GNU `date`, as far as tests use it: `-s @SECONDS`, `-u`, and formats.
 *
 * @module
 */
import { type Command, defineCommand } from 'just-bash';
import type { GuestClock } from '../clock.ts';

interface Output {
  stdout: string;
  stderr: string;
  exitCode: number;
}

export function dateCommand(clock: GuestClock, user: string): Command {
  return defineCommand('date', (args) => Promise.resolve(date(args, clock, user)));
}

function date(args: readonly string[], clock: GuestClock, user: string): Output {
  const index = args.findIndex((arg) => arg === '-s' || arg.startsWith('--set='));
  if (index >= 0) {
    const value = args[index]?.startsWith('--set=') === true ? args[index].slice(6) : (args[index + 1] ?? '');
    const now = value.startsWith('@') ? Number(value.slice(1)) * 1000 : Date.parse(`${value}Z`);
    if (Number.isNaN(now)) return failure(`invalid date '${value}'`);
    if (user !== 'root') return failure('cannot set date: Operation not permitted');
    clock.set(now);
    return success(format(now, '%a %b %d %H:%M:%S %Z %Y'));
  }
  const pattern = args.find((arg) => arg.startsWith('+'));
  const other = args.find((arg) => !arg.startsWith('+') && arg !== '-u');
  if (other !== undefined) return failure(`the lab does not know '${other}'`);
  return success(format(clock.now(), pattern?.slice(1) ?? '%a %b %d %H:%M:%S %Z %Y'));
}

function format(now: number, pattern: string): string {
  const time = new Date(now);
  const iso = time.toISOString();
  const fields: Readonly<Record<string, string>> = {
    s: String(Math.floor(now / 1000)),
    N: `${iso.slice(20, 23)}000000`,
    Y: iso.slice(0, 4),
    m: iso.slice(5, 7),
    d: iso.slice(8, 10),
    H: iso.slice(11, 13),
    M: iso.slice(14, 16),
    S: iso.slice(17, 19),
    F: iso.slice(0, 10),
    T: iso.slice(11, 19),
    a: time.toUTCString().slice(0, 3),
    b: time.toUTCString().slice(8, 11),
    Z: 'UTC',
  };
  return pattern.replaceAll(/%([a-zA-Z])/g, (whole, letter: string) => fields[letter] ?? whole);
}

function success(text: string): Output {
  return { stdout: `${text}\n`, stderr: '', exitCode: 0 };
}

function failure(text: string): Output {
  return { stdout: '', stderr: `date: ${text}\n`, exitCode: 1 };
}
