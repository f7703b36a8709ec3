/**
 * Which machines of a matrix a run takes.
 *
 * @module
 */
import type { Machine } from '../fixtures/config/index.ts';
import { VmwrightError } from '../fixtures/errors.ts';

/** One of the three ways to choose, and what is left out of it. */
export interface Selection {
  /** Exactly these machines, or an error. */
  readonly vms?: readonly string[];
  /** Machines whose name matches this regular expression. */
  readonly grepVm?: string;
  readonly all?: boolean;
  /** This many machines, at least 1, chosen by `random` from all or from those that `grepVm` matches. */
  readonly randomize?: number;
  readonly exclude?: readonly string[];
  /** With `vms`. */
  readonly allowBlacklisted?: boolean;
}

export interface Host {
  readonly host: string;
  readonly family: string;
  /** Why it is left out. */
  readonly skip?: string;
  /** Why its row leaves it out, where it is run all the same. */
  readonly allowed?: string;
}

/**
 * A broad selection leaves blacklisted machines out and says so; an explicit one stops at the first (A43 to A50).
 *
 * @throws `PLAN_INVALID` for a name, an expression or a number that selects nothing or cannot be meant, and for ways to
 * choose that contradict each other; `HOST_BLACKLISTED`
 */
export function selectHosts(
  machines: readonly Machine[],
  selection: Selection,
  random: () => number,
): readonly Host[] {
  refuseContradictions(selection);
  const { vms, exclude = [], randomize } = selection;
  refuseRepeated('--vms', vms ?? []);
  refuseRepeated('--exclude', exclude);
  if (vms !== undefined) return named(machines, vms, selection.allowBlacklisted === true);
  known(machines, '--exclude', exclude);
  const matches = matcher(selection.grepVm);
  const selected = machines.filter(({ name }) => matches(name));
  const free = selected.filter(({ name, skip }) => skip === undefined && !exclude.includes(name));
  const chosen = randomize === undefined ? free : shuffled(free, random).slice(0, randomize);
  const hosts = selected.flatMap((machine) => {
    if (machine.skip !== undefined) return [row(machine, machine.skip)];
    if (exclude.includes(machine.name)) return [row(machine, 'excluded by --exclude')];
    return chosen.includes(machine) ? [row(machine)] : [];
  });
  if (chosen.length > 0) return hosts;
  const left = hosts.map(({ host, skip }) => `${host} - ${skip ?? ''}`).join(', ');
  throw planInvalid('machines', 'no machine is left', namesOf(machines), left || 'no name matches');
}

/** @throws `PLAN_INVALID` */
function refuseContradictions({ vms, grepVm, all, randomize, exclude }: Selection): void {
  const broad = [
    ...(grepVm === undefined ? [] : ['--grep-vm']),
    ...(all === true ? ['--all'] : []),
    ...(randomize === undefined ? [] : ['--randomize']),
  ];
  const ways = '--vms <names>, --grep-vm <expression>, --randomize <n> or --all';
  if (vms === undefined && broad.length === 0)
    throw planInvalid('machines', 'nothing says which machines', ways);
  const others = [...broad, ...(exclude === undefined ? [] : ['--exclude'])];
  if (vms !== undefined && others.length > 0)
    throw planInvalid(
      '--vms',
      'it names the machines exactly',
      '--vms alone',
      `--vms and ${others.join(', ')}`,
    );
  if (all === true && grepVm !== undefined)
    throw planInvalid('--all', 'it contradicts --grep-vm', 'one of the two', 'both');
  if (randomize !== undefined && !(Number.isInteger(randomize) && randomize >= 1))
    throw planInvalid(
      '--randomize',
      'it is no number of machines',
      'a whole number from 1',
      String(randomize),
    );
}

/** @throws `PLAN_INVALID` naming both places */
function refuseRepeated(subject: string, names: readonly string[]): void {
  const second = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (second < 0) return;
  const name = names[second] ?? '';
  const places = `${name}, as number ${names.indexOf(name) + 1} and number ${second + 1}`;
  throw planInvalid(subject, 'a machine stands twice', 'each name once', places);
}

function named(machines: readonly Machine[], names: readonly string[], allowBlacklisted: boolean): Host[] {
  return known(machines, '--vms', names).map((machine) => {
    if (machine.skip === undefined) return row(machine);
    if (!allowBlacklisted) throw blacklisted(machine);
    return { ...row(machine), allowed: machine.skip };
  });
}

/** The machines of these names, in their order. @throws `PLAN_INVALID` when there is one that no machine has */
function known(machines: readonly Machine[], subject: string, names: readonly string[]): Machine[] {
  const found = names.map((name) => machines.find((machine) => machine.name === name));
  const missing = names.filter((_, index) => found[index] === undefined);
  if (missing.length > 0)
    throw planInvalid(subject, `missing: [${missing.join(', ')}]`, namesOf(machines), missing.join(', '));
  return found.filter((machine) => machine !== undefined);
}

function matcher(expression: string | undefined): (name: string) => boolean {
  if (expression === undefined) return () => true;
  try {
    const pattern = new RegExp(expression);
    return (name) => pattern.test(name);
  } catch (error) {
    const seen = error instanceof Error ? error.message : String(error);
    throw planInvalid('--grep-vm', 'it cannot be read', 'a regular expression of JavaScript', seen);
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function row({ name, family }: Machine, skip?: string): Host {
  return { host: name, family, ...(skip === undefined ? {} : { skip }) };
}

function namesOf(machines: readonly Machine[]): string {
  return machines.map(({ name }) => name).join(', ');
}

function blacklisted({ name, skip }: Machine): VmwrightError {
  return new VmwrightError({
    code: 'HOST_BLACKLISTED',
    subject: name,
    message: 'it was asked for by name and is blacklisted',
    seen: skip ?? '',
    next: 'leave it out, or give --allow-blacklisted',
  });
}

/** What a plan cannot be made of. */
export function planInvalid(
  subject: string,
  message: string,
  expected: string,
  seen?: string,
): VmwrightError {
  return new VmwrightError({
    code: 'PLAN_INVALID',
    subject,
    message,
    expected,
    ...(seen === undefined ? {} : { seen }),
    next: 'vmwright plan --help',
  });
}
