/**
 * What the reporter knows of a run before its first test: who, what, where, on whose command.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { FullConfig, FullProject, Suite, TestCase } from '@playwright/test/reporter';
import { ciRunId } from '../fixtures/config/ci.ts';
import type { PlannedHost } from './journal.ts';

/** Every machine that the suites hold. */
export function plannedHosts(root: Suite, config: FullConfig, args: readonly string[]): PlannedHost[] {
  const hosts = new Map<string, PlannedHost>();
  for (const suite of root.suites) {
    const host = plannedHost(suite.project(), suite.allTests().length);
    if (host === undefined) continue;
    hosts.set(host.host, { ...host, tests: (host.tests ?? 0) + (hosts.get(host.host)?.tests ?? 0) });
  }
  if (hosts.size > 0) return [...hosts.values()];
  // Playwright tells of no suite when a global set-up failed: what was asked for is still known.
  const asked = selectedProjects(args);
  const projects = config.projects.filter((project) => asked.length === 0 || asked.includes(project.name));
  return projects.flatMap((project) => plannedHost(project) ?? []);
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

function selectedProjects(args: readonly string[]): string[] {
  return args.flatMap((word, index) => {
    if (word.startsWith('--project=')) return word.slice('--project='.length);
    return args[index - 1] === '--project' ? word : [];
  });
}

export function hostOf(test: TestCase): string {
  return test.parent.project()?.name ?? '';
}

export function identity(test: TestCase): { host: string; suite: string; test: string } {
  const [, , , ...titles] = test.titlePath();
  const repeat = test.repeatEachIndex === 0 ? '' : ` (repetition ${test.repeatEachIndex + 1})`;
  return { host: hostOf(test), suite: suiteName(test.location.file), test: titles.join(' › ') + repeat };
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
