/**
 * `vmwright plan`: what a run would do, and the approval it needs. It starts, writes and asks nothing.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { isVmwrightError } from '../fixtures/errors.ts';
import { ALLOW_BLACKLISTED, type Machine, registerMachines } from '../fixtures/config/index.ts';
import { optionVariable, type Suite } from '../fixtures/config/suites.ts';
import { commandLine } from '../runs/run-facts.ts';
import { checkBuildName } from '../runs/store.ts';
import { VERSION } from '../runs/version.ts';
import { tokenOf } from './approval.ts';
import { loadModule } from './load-module.ts';
import { refuseRepeatedSuiteOptions } from './repeats.ts';
import { type Host, planInvalid, type Selection, selectHosts } from './selection.ts';

export interface PlanOptions extends Selection {
  readonly matrix: string;
  readonly suite?: string;
  readonly categorize?: boolean;
  readonly buildName?: string;
  /** Options of the suite, `name=value`; `no-name` takes a default away. */
  readonly option?: readonly string[];
  readonly confirmRisk?: readonly string[];
}

export interface Plan {
  readonly build: string;
  readonly suite: string;
  /** Spec files of the suite, as Playwright takes them: parts of paths. */
  readonly specs: readonly string[];
  readonly matrix: string;
  /** Every machine in matrix order, with why it is left out. */
  readonly hosts: readonly Host[];
  /** Sub-runs, one after another; a run without `--categorize` has none. */
  readonly groups: readonly { readonly name: string; readonly hosts: readonly string[] }[];
  /** Arguments after `npx playwright`, one list a sub-run. */
  readonly commands: readonly (readonly string[])[];
  readonly options: Readonly<Record<string, string>>;
  readonly choices: Readonly<Record<string, string[]>>;
  readonly warnings: readonly { readonly id: string; readonly text: string }[];
  readonly confirmed: readonly string[];
  readonly version: string;
}

/** @param random in [0, 1), for `--randomize` */
export async function makePlan(options: PlanOptions, random: () => number = Math.random): Promise<Plan> {
  const { machines, suites } = await loadMatrix(options.matrix);
  const name = options.suite ?? Object.keys(suites)[0] ?? 'all';
  const suite = suites[name];
  if (suite === undefined && options.suite !== undefined)
    throw planInvalid('suite', `no suite ${name}`, Object.keys(suites).join(', '));
  const hosts = selectHosts(machines, options, random);
  const executed = hosts.filter((host) => host.skip === undefined).map((host) => host.host);
  const platforms = machines
    .filter((machine) => executed.includes(machine.name))
    .map((machine) => machine.os);
  const values = optionValues(name, suite, platforms, options.option ?? []);
  const families = new Map<string, string[]>();
  for (const { host, family, skip } of hosts)
    if (skip === undefined) families.set(family, [...(families.get(family) ?? []), host]);
  const isGrouped = options.categorize === true && families.size > 1;
  const groups = isGrouped
    ? [...families].map(([family, members]) => ({ name: family, hosts: members }))
    : [];
  const command = (members: readonly string[]): string[] => [
    'test',
    ...(suite?.specs ?? []),
    ...members.map((host) => `--project=${host}`),
    // Who approves a run has not approved new references.
    '--update-snapshots=none',
  ];
  const declared = Object.entries(suite?.options ?? {});
  return {
    build: checkBuildName(options.buildName ?? name),
    suite: name,
    specs: suite?.specs ?? [],
    matrix: basename(options.matrix),
    hosts,
    groups,
    commands: isGrouped ? groups.map((group) => command(group.hosts)) : [command(executed)],
    options: values,
    choices: Object.fromEntries(
      declared.flatMap(([option, { values: all }]) => (all === undefined ? [] : [[option, [...all]]])),
    ),
    warnings: (suite?.risks ?? [])
      .filter((risk) => risk.when(values))
      .map(({ id, warning }) => ({ id, text: warning })),
    confirmed: [...(options.confirmRisk ?? [])].sort(),
    version: VERSION,
  };
}

/** The token that approves running exactly this plan. */
export function planHash(plan: Plan): string {
  return tokenOf('run', plan);
}

export function planText(plan: Plan): string {
  const env = Object.entries(planEnvironment(plan)).map(
    ([name, value]) => `${name}=${commandLine([value])} `,
  );
  const lines = [
    `plan of ${plan.build}: suite ${plan.suite}, ${plan.matrix}, vmwright ${plan.version}`,
    ...plan.commands.map((args) => `command: ${env.join('')}${commandLine(['npx', 'playwright', ...args])}`),
    ...plan.hosts.map(hostLine),
    ...plan.groups.map((group) => `group: ${group.name} - ${group.hosts.join(', ')}`),
    ...Object.entries(plan.options).map(([option, value]) => `option: ${option}=${value}`),
    ...plan.warnings.map(
      ({ id, text }) =>
        `WARNING: ${text} (${plan.confirmed.includes(id) ? 'confirmed' : `needs --confirm-risk ${id}`})`,
    ),
    `approve with: --approve ${planHash(plan)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function hostLine({ host, skip, allowed }: Host): string {
  if (skip !== undefined) return `excluded: ${host} - ${skip}`;
  return allowed === undefined ? `host: ${host}` : `host: ${host} - blacklisted (${allowed}) and allowed`;
}

/** Machines that the plan runs although their rows leave them out. */
export function allowedHosts(plan: Plan): string[] {
  return plan.hosts.flatMap(({ host, allowed }) => (allowed === undefined ? [] : [host]));
}

/** What the runner is told of the plan beside its arguments. */
export function planEnvironment(plan: Plan): Record<string, string> {
  const allowed = allowedHosts(plan);
  return {
    ...optionEnvironment(plan),
    ...(allowed.length === 0 ? {} : { [ALLOW_BLACKLISTED]: allowed.join(',') }),
  };
}

/** How the suite's options reach the specs. */
export function optionEnvironment(plan: Plan): Record<string, string> {
  return Object.fromEntries(
    Object.entries(plan.options).map(([name, value]) => [optionVariable(name), value]),
  );
}

/** The machines and suites of a matrix file. @throws `PLAN_INVALID` and what the file itself throws */
export async function loadMatrix(
  file: string,
): Promise<{ machines: readonly Machine[]; suites: Readonly<Record<string, Suite>> }> {
  const path = resolve(file);
  if (!existsSync(path)) throw planInvalid('--matrix', `there is no file ${file}`, path);
  const module = (await loadModule(path).catch((cause: unknown) => {
    if (isVmwrightError(cause)) throw cause;
    throw planInvalid('--matrix', `${file} cannot be loaded: ${String(cause)}`, 'a module with machines');
  })) as { default?: readonly Machine[]; suites?: Readonly<Record<string, Suite>> };
  if (!Array.isArray(module.default))
    throw planInvalid('--matrix', `${file} has no machines`, 'a default export');
  const machines = module.default as readonly Machine[];
  registerMachines(machines);
  return { machines, suites: module.suites ?? {} };
}

function optionValues(
  name: string,
  suite: Suite | undefined,
  platforms: readonly ('linux' | 'windows')[],
  given: readonly string[],
): Record<string, string> {
  refuseRepeatedSuiteOptions(given);
  const declared = suite?.options ?? {};
  const values: Record<string, string> = {};
  for (const [option, { default: own }] of Object.entries(declared))
    if (own !== undefined) values[option] = own;
  for (const platform of new Set(platforms)) Object.assign(values, suite?.platformDefaults?.[platform]);
  for (const word of given) {
    const [option = '', ...rest] = word.split('=');
    const value = rest.join('=');
    const taken = rest.length === 0 && option.startsWith('no-') ? option.slice(3) : undefined;
    const known = declared[taken ?? option];
    if (known === undefined)
      throw planInvalid(
        `--option ${word}`,
        `suite ${name} has no such option`,
        Object.keys(declared).join(', ') || 'no options',
      );
    if (taken !== undefined) Reflect.deleteProperty(values, taken);
    else if (known.values?.includes(value) === false)
      throw planInvalid(`--option ${word}`, `"${value}" is no value of ${option}`, known.values.join(', '));
    else values[option] = value;
  }
  return values;
}
