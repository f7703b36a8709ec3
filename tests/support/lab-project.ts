/**
 * Temporary Playwright projects on a lab of their own, which the test can break while they run.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/index.ts';
import { ROOT, runPlaywright, type RunnerResult, writeProject } from './runner.ts';

export interface LabRun extends RunnerResult {
  /** The operator's summary as text; empty when the run did not come to one. */
  readonly summary: string;
}

export interface LabRunOptions {
  /** The spec's body: `test`, `expect`, `sh`, `ps`, `secret`, `logIn`, `sendMessage`, `HARBOR` are there. */
  readonly spec: string;
  /** Names of matrix rows to run on. Default: fedora42. */
  readonly machines?: readonly string[];
  /** Changes a row: JavaScript on `row`, run in the config. */
  readonly change?: string;
  /** Takes the machine out of the projects' `use`, as in a config that does not use projectsFrom. */
  readonly withoutMachine?: boolean;
  readonly args?: readonly string[];
  /** More of the config, as it stands there: `use: { trace: 'on' },`. */
  readonly config?: string;
  /** More reporters, as the config lists them. */
  readonly reporters?: readonly (readonly [string, object?])[];
  /** More files of the project. */
  readonly files?: Readonly<Record<string, string>>;
  /** Variables over the lab's; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onOutput?: (text: string, pid: number) => void;
  /** Where vmwright's sources are: this repository, or a changed copy of it. */
  readonly root?: string;
}

/** Runs a spec through the real runner against `lab`. */
export async function runOnLab(
  lab: Pick<Lab, 'env'>,
  folder: string,
  options: LabRunOptions,
): Promise<LabRun> {
  const { root = ROOT } = options;
  writeProject(folder, {
    ...options.files,
    'playwright.config.ts': config(options),
    'the.spec.ts': `
import { expect, ps, secret, sh, test } from '${root}/fixtures/index.ts';
import * as harbor from '${root}/routines/harbor.ts';
import { cleanState, installPackage, launchApp } from '${root}/routines/smoke.ts';
const { HARBOR } = harbor;
const logIn = (vncPage, password) => harbor.logIn({ vncPage }, password === undefined ? {} : { password: typeof password === 'string' ? Object.assign(Object.create({ toString: () => '{given}' }), { name: 'given', reveal: () => password }) : password });
const sendMessage = (vncPage, text) => harbor.sendMessage({ vncPage }, { text });
${options.spec}`,
  });
  const env: Record<string, string> = { ...lab.env(), SSH_KNOWN_HOSTS_FILE: join(folder, 'known_hosts') };
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (value === undefined) Reflect.deleteProperty(env, name);
    else env[name] = value;
  }
  const result = await runPlaywright(folder, ['test', ...(options.args ?? [])], {
    env,
    ...(options.onOutput === undefined ? {} : { onOutput: options.onOutput }),
  });
  const summary = join(folder, 'test-results/summary/summary.txt');
  return { ...result, summary: existsSync(summary) ? readFileSync(summary, 'utf8') : '' };
}

function config(options: LabRunOptions): string {
  const { machines = ['fedora42'], change = '', withoutMachine = false, root = ROOT } = options;
  return `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${root}/fixtures/config/index.ts';
import matrix from '${root}/vm-matrix.ts';
const rows = matrix.filter(({ name }) => ${JSON.stringify(machines)}.includes(name)).map((row) => structuredClone(row));
for (const row of rows) { ${change} }
export default defineConfig({
  outputDir: 'test-results/artifacts',
  reporter: [['${ROOT}/reporters/recover.ts'], ['list'], ['${ROOT}/reporters/summary.ts'], ['${ROOT}/reporters/lease.ts'], ...${JSON.stringify(options.reporters ?? [])}],
  ${options.config ?? ''}
  projects: projectsFrom(rows)${withoutMachine ? '.map(({ use, ...rest }) => rest)' : ''},
});`;
}
