/**
 * What the reporter knows of a run before its first test: who, what, where, on whose command.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import type { FullConfig, FullProject, Suite, TestCase } from '@playwright/test/reporter';
import { ciRunId } from '../fixtures/config/ci.ts';
import type { FlowMachine } from './flow/flow.ts';
import type { PlannedHost } from './journal.ts';

/**
 * Every machine that was asked for. One for which the run has no test says what took them away; when the suites hold no
 * test at all nobody knows that yet.
 */
export function plannedHosts(root: Suite, config: FullConfig, args: readonly string[]): PlannedHost[] {
  const hosts = new Map<string, PlannedHost>();
  for (const suite of root.suites) {
    const host = plannedHost(suite.project(), suite.allTests().length);
    if (host === undefined) continue;
    hosts.set(host.host, { ...host, tests: (host.tests ?? 0) + (hosts.get(host.host)?.tests ?? 0) });
  }
  const asked = askedFor(config, args).flatMap((project) => plannedHost(project) ?? []);
  // Playwright tells of no suite when a global set-up failed.
  if (root.allTests().length === 0) return asked.length > 0 ? asked : [...hosts.values()];
  for (const host of asked) if (!hosts.has(host.host)) hosts.set(host.host, untested(host, args));
  return inOrderOf(config, [...hosts.values()]);
}

/** `host` in a run that has no test for it. */
export function untested(host: PlannedHost, args: readonly string[]): PlannedHost {
  const isNamed = selectedProjects(args).some((name) => name.toLowerCase() === host.host.toLowerCase());
  return { ...host, tests: 0, untested: filterOf(args), ...(isNamed ? { named: true } : {}) };
}

function askedFor(config: FullConfig, args: readonly string[]): readonly FullProject[] {
  // Merged blobs hold only what was run.
  const filtered = (config as Partial<FullConfig>).filteredProjects ?? [];
  if (filtered.length > 0) return filtered;
  const names = selectedProjects(args);
  return config.projects.filter(({ name }) => names.length === 0 || names.includes(name));
}

function inOrderOf(config: FullConfig, hosts: readonly PlannedHost[]): PlannedHost[] {
  const place = new Map(config.projects.map(({ name }, index) => [name, index]));
  return hosts.toSorted((a, b) => (place.get(a.host) ?? 0) - (place.get(b.host) ?? 0));
}

/** Options of the command line that leave tests out, by what they are called in words. */
const FILTERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^(?:--grep|-g)(?:=|$)|^-g./, 'grep'],
  [/^(?:--grep-invert|-gv)(?:=|$)/, 'grep-invert'],
  [/^--last-failed$/, 'last-failed'],
  [/^--only-changed(?:=|$)/, 'only-changed'],
  [/^--test-list(?:-invert)?(?:=|$)/, 'test-list'],
];
/** Options whose value is a word of its own. */
const WITH_VALUE =
  /^(?:-[cgj]|-gv|--(?:config|grep|grep-invert|global-timeout|max-failures|name|output|project|repeat-each|reporter|retries|shard|test-list|test-list-invert|timeout|trace|tsconfig|update-source-method|workers))$/;

/** What took the tests of a machine away, as far as the command line tells. */
function filterOf(args: readonly string[]): string {
  const options = FILTERS.filter(([pattern]) => args.some((word) => pattern.test(word))).map(
    ([, name]) => name,
  );
  const files = args
    .slice(1)
    .filter((word, index) => !word.startsWith('-') && !WITH_VALUE.test(args[index] ?? ''));
  const isProject = files.every((word) => selectedProjects(args).includes(word));
  const all = [...options, ...(isProject ? [] : ['the files that were named'])];
  return all.length > 0 ? all.join(', ') : 'testMatch or testIgnore of its project';
}

function plannedHost(project: FullProject | undefined, tests?: number): PlannedHost | undefined {
  const facts: unknown = project?.metadata.vmwright;
  if (project === undefined || typeof facts !== 'object' || facts === null) return undefined;
  const { family, skip } = facts as { family?: string; skip?: string };
  return {
    host: project.name,
    ...(tests === undefined ? {} : { tests }),
    ...(family === undefined ? {} : { family }),
    ...(skip === undefined ? {} : { skip }),
  };
}

/** `--project` takes a name, several, or patterns of names. */
function selectedProjects(args: readonly string[]): string[] {
  let isOpen = false;
  return args.flatMap((word) => {
    if (word.startsWith('--project=')) return word.slice('--project='.length);
    const isValue = isOpen && !word.startsWith('-');
    isOpen = word === '--project' || isValue;
    return isValue ? word : [];
  });
}

export function hostOf(test: TestCase): string {
  return test.parent.project()?.name ?? '';
}

/** The machines that run something, with what their fixtures say of them. */
export function flowMachines(tests: readonly TestCase[], hosts: readonly PlannedHost[]): FlowMachine[] {
  const run = hosts.filter(({ skip }) => skip === undefined).map(({ host }) => host);
  return run.flatMap((host) => {
    const own = tests.filter((test) => hostOf(test) === host);
    const known: unknown = own[0]?.parent.project()?.metadata.vmwright;
    if (own.length === 0) return [];
    return [
      {
        host,
        facts: typeof known === 'object' && known !== null ? (known as FlowMachine['facts']) : {},
        tests: own.map(({ location: { file, line } }) => ({ file, line })),
      },
    ];
  });
}

/** Which test it is; `rootDir` is the config's. */
export function identity(
  test: TestCase,
  rootDir: string,
): { readonly id: string; readonly host: string; readonly suite: string; readonly test: string } {
  const [, , , ...titles] = test.titlePath();
  const { repeatEachIndex: repeat, location } = test;
  const path = relative(rootDir, location.file).replaceAll(sep, '/');
  return {
    id: JSON.stringify([path, ...titles, ...(repeat === 0 ? [] : [repeat])]),
    host: hostOf(test),
    suite: suiteName(location.file),
    test: titles.join(' › ') + (repeat === 0 ? '' : ` (repetition ${repeat + 1})`),
  };
}

/** Another test of the same name: of what differed in a secret only. */
export function another(
  { id, test }: { readonly id: string; readonly test: string },
  count: number,
): { readonly id: string; readonly test: string } {
  return { id: JSON.stringify([...(JSON.parse(id) as unknown[]), `(${count})`]), test: `${test} (${count})` };
}

/** What ATVM calls a template: the spec file's name without its ending. */
export function suiteName(file: string): string {
  return basename(file).replace(/(?:\.(?:spec|test|cy))?\.[cm]?[jt]sx?$/, '');
}

/** A name for a run that was not given one. */
export function defaultBuildName(suites: readonly string[], at: number): string {
  const stamp = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `${suites[0] ?? 'run'}-${stamp}`.replaceAll(/[^\w.-]+/g, '-');
}

/** Identity of the run: what CI or `vmwright run` says all its jobs have in common, else one of its own. */
export function runId(env: NodeJS.ProcessEnv = process.env): string {
  return ciRunId(env) ?? randomUUID();
}

/** The command as it can be typed again. */
export function commandLine(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command without the remote shell around it: `sshpass -p X ssh host 'cmd'` is `cmd`. */
export function withoutRemoteShell(command: string): string {
  const match =
    /^(?:sshpass\s+(?:-[pfde]\s*\S+|-e)\s+)?ssh\s+(?:-[A-Za-z](?:\s+(?!\S*@)[\w./=-]+)?\s+)*[\w.@-]+\s+(?<inner>.+)$/s.exec(
      command.trim(),
    );
  const inner = match?.groups?.inner?.trim();
  if (inner === undefined) return command;
  const quoted = /^(?<mark>['"])(?<text>.*)\k<mark>$/s.exec(inner);
  return quoted?.groups?.text ?? inner;
}

export function coverageOf(
  suites: readonly string[],
  matrix: string,
  args: readonly string[],
): [string, string][] {
  return [
    ['template', suites.join(', ')],
    ['categorize mode', 'disabled'],
    ['config file', matrix],
    ['run options', optionsOf(args).join(' ')],
  ];
}

/** The options of the command line without the selection of hosts: those stand in HOSTS. */
function optionsOf(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 1; index < args.length; index++) {
    const word = args[index] ?? '';
    if (word === '--project') index++;
    else if (word.startsWith('-') && !word.startsWith('--project=')) kept.push(quote(word));
  }
  return kept;
}

/** The folder of Playwright's HTML report, or undefined where none is written. */
export function htmlReportFolder(
  config: FullConfig,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const html = config.reporter.find(([name]) => name === 'html');
  if (html === undefined) return undefined;
  const { outputFolder } = (html[1] ?? {}) as { outputFolder?: string };
  const root = config.configFile === undefined ? config.rootDir : dirname(config.configFile);
  const given =
    env.PLAYWRIGHT_HTML_OUTPUT_DIR ?? env.PLAYWRIGHT_HTML_REPORT ?? outputFolder ?? 'playwright-report';
  return resolve(root, given);
}
