/**
 * Whether Playwright would run what was planned: the same machines, every spec file, with the same options.
 *
 * Three checks with messages of their own. It asks Playwright itself for its list and reads that as JSON.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { JSONReport } from '@playwright/test/reporter';
import { OPTION_PREFIX } from '../fixtures/config/suites.ts';
import { VmwrightError } from '../fixtures/errors.ts';
import { allowedHosts, optionEnvironment, type Plan, planEnvironment } from './plan.ts';

const LISTING_BYTES = 64 * 1024 * 1024;

/** What Playwright lists: per machine the spec files of which it has tests. */
export type Listing = ReadonlyMap<string, ReadonlySet<string>>;

/** The list, and the machines in it that the config leaves out all the same. */
interface Listed {
  readonly listing: Listing;
  readonly leftOut: readonly string[];
}

/** @throws `PLAN_MISMATCH` saying what is missing and what is extra */
export async function verify(plan: Plan, env: NodeJS.ProcessEnv): Promise<void> {
  checkOptions(plan, env);
  for (const args of plan.commands) {
    const { listing, leftOut } = await listed(args, planEnvironment(plan));
    checkAllowed(plan, leftOut);
    checkHosts(plan, plannedIn(args), listing);
    checkFiles(plan, listing);
  }
}

/** The machines of the plan and those that would run are the same. */
export function checkHosts(plan: Plan, planned: readonly string[], listing: Listing): void {
  const missing = planned.filter((host) => !listing.has(host));
  const extra = [...listing.keys()].filter((host) => !planned.includes(host));
  if (missing.length + extra.length > 0) throw mismatch(plan, 'machines', missing, extra);
}

/** A blacklisted machine that the plan allows is run: a config that makes its projects otherwise may not know of that. */
export function checkAllowed(plan: Plan, leftOut: readonly string[]): void {
  const missing = allowedHosts(plan).filter((host) => leftOut.includes(host));
  if (missing.length > 0) throw mismatch(plan, 'allowed machines', missing, []);
}

/** Each spec of the suite has tests on each machine: one that is gone makes no machine vanish. */
export function checkFiles(plan: Plan, listing: Listing): void {
  const missing = plan.specs.flatMap((spec) => {
    const pattern = patternOf(spec);
    return [...listing].flatMap(([host, files]) =>
      [...files].some((file) => pattern.test(file)) ? [] : [`${spec} on ${host}`],
    );
  });
  if (missing.length > 0) throw mismatch(plan, 'spec files', missing, []);
}

/** Nothing else in the environment, or in .env, opens another branch of the specs than the plan's options do. */
export function checkOptions(plan: Plan, env: NodeJS.ProcessEnv): void {
  const planned = optionEnvironment(plan);
  const extra = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith(OPTION_PREFIX) && value !== undefined && planned[name] !== value
      ? [`${name}=${value}`]
      : [],
  );
  if (extra.length > 0) throw mismatch(plan, 'options', [], extra);
}

/** Playwright's command line, as the project in the working folder has it. */
export function playwright(): string {
  return join(
    dirname(createRequire(join(process.cwd(), 'package.json')).resolve('@playwright/test/package.json')),
    'cli.js',
  );
}

function plannedIn(args: readonly string[]): string[] {
  const start = '--project=';
  return args.flatMap((word) => (word.startsWith(start) ? word.slice(start.length) : []));
}

async function listed(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Listed> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [playwright(), ...args, '--list', '--reporter=json'],
    { maxBuffer: LISTING_BYTES, env: { ...process.env, ...env } },
    // It exits with 1 where nothing is found, and lists that all the same.
  ).catch((error: unknown) => ({ stdout: (error as { stdout?: string }).stdout ?? '' }));
  const start = stdout.indexOf('{');
  if (start < 0) return { listing: new Map(), leftOut: [] };
  const report = JSON.parse(stdout.slice(start)) as JSONReport;
  return { listing: listingOf(report), leftOut: leftOutOf(report) };
}

function leftOutOf({ config }: JSONReport): string[] {
  return config.projects.flatMap(({ name, metadata }) => {
    const facts = (metadata as Partial<Record<string, { skip?: string }>>).vmwright;
    return facts?.skip === undefined ? [] : [name];
  });
}

function listingOf({ config, suites }: JSONReport): Listing {
  const isHost = new Set(
    config.projects.filter((project) => 'vmwright' in project.metadata).map((project) => project.name),
  );
  const listing = new Map<string, Set<string>>();
  const visit = (suite: JSONReport['suites'][number]): void => {
    for (const { file, tests } of suite.specs) {
      for (const { projectName } of tests) {
        if (!isHost.has(projectName)) continue;
        const files = listing.get(projectName) ?? new Set<string>();
        listing.set(projectName, files.add(join(config.rootDir, file)));
      }
    }
    for (const inner of suite.suites ?? []) visit(inner);
  };
  for (const suite of suites) visit(suite);
  return listing;
}

/** Playwright takes a file argument as a regular expression on the whole path. */
function patternOf(spec: string): RegExp {
  return new RegExp(spec, 'i');
}

const LOOK = 'look at the spec files and at the projects of playwright.config.ts, and plan again';
const NEXT = {
  machines: LOOK,
  'spec files': LOOK,
  options: 'take these variables out of the environment and .env, or plan with --option',
  'allowed machines':
    'make the projects of playwright.config.ts with projectsFrom, which knows of --allow-blacklisted',
} as const;

function mismatch(
  plan: Plan,
  what: keyof typeof NEXT,
  missing: readonly string[],
  extra: readonly string[],
): VmwrightError {
  return new VmwrightError({
    code: 'PLAN_MISMATCH',
    subject: `${plan.build}, ${what}`,
    message: `missing: [${missing.join(', ')}] extra: [${extra.join(', ')}]`,
    next: NEXT[what],
  });
}
