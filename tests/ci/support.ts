/**
 * Runs a GitHub workflow's jobs as shell scripts, each in a checkout of its own: what a runner does, without a service.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { homeVariables } from '../support/home.ts';
import { cleanEnvironment, ROOT } from '../support/runner.ts';

interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<
    Partial<Record<'name' | 'path' | 'pattern', string>> & { 'merge-multiple'?: boolean }
  >;
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: string;
}

export interface Job {
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

export interface JobRun {
  /** Each `run` step that was executed, with its exit code. */
  readonly steps: readonly { readonly run: string; readonly exitCode: number; readonly output: string }[];
  readonly outputs: Readonly<Record<string, string>>;
  /** What the job wrote for the page of the run. */
  readonly summary: string;
  readonly folder: string;
}

interface JobOptions {
  readonly folder: string;
  /** Files of the checkout. */
  readonly files: Readonly<Record<string, string>>;
  /** The machine's environment, and where `vars` and `secrets` come from. */
  readonly env: Readonly<Record<string, string>>;
  readonly matrix?: Readonly<Record<string, string>>;
  /** Where uploaded artifacts are kept. */
  readonly artifacts: string;
  readonly onOutput?: (text: string, pid: number) => void;
}

/** Dependencies are there already: they are this repository's. */
const INSTALLS = 'npm ci';

export async function runJob(job: Job, options: JobOptions): Promise<JobRun> {
  const { folder, env: machine } = options;
  checkOut(folder, options.files);
  const outputFile = join(folder, '.github-output');
  const summaryFile = join(folder, '.github-summary');
  for (const file of [outputFile, summaryFile]) writeFileSync(file, '');
  const value = (text: string): string => evaluate(text, options);
  const env = {
    ...cleanEnvironment(/^(CI$|GITHUB_)/),
    ...homeVariables(join(folder, '.home')),
    ...machine,
    CI: 'true',
    NO_COLOR: '1',
    GITHUB_RUN_ID: '4711',
    GITHUB_OUTPUT: outputFile,
    GITHUB_STEP_SUMMARY: summaryFile,
    ...mapValues(job.env ?? {}, value),
  };
  const steps: JobRun['steps'][number][] = [];
  let failed = false;
  for (const step of job.steps) {
    if (!isDue(step, failed, env)) continue;
    if (step.uses !== undefined) useAction(step, options);
    if (step.run === undefined || step.run === INSTALLS) continue;
    const stepEnv = { ...env, ...mapValues(step.env ?? {}, value) };
    const result = await bash(step.run, folder, stepEnv, options.onOutput);
    steps.push({ run: step.run.trim(), ...result });
    failed ||= result.exitCode !== 0;
  }
  const outputs = Object.fromEntries(
    readFileSync(outputFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  return { steps, outputs, summary: readFileSync(summaryFile, 'utf8'), folder };
}

function checkOut(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  for (const name of ['@playwright', 'playwright', 'playwright-core', 'tsx'])
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  symlinkSync(join(ROOT, 'node_modules/.bin/playwright'), join(modules, '.bin/playwright'));
  const command = `#!/bin/sh\nexec node --import tsx ${ROOT}/cli/main.ts "$@"\n`;
  writeFileSync(join(modules, '.bin/vmwright'), command, { mode: 0o755 });
}

/** Only what the templates use: anything else is an error, not a guess. */
function evaluate(text: string, { env, matrix = {} }: JobOptions): string {
  return text.replaceAll(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => {
    const [scope, name = ''] = expression.split('.');
    if (scope === 'matrix') return matrix[name] ?? '';
    if (scope === 'vars' || scope === 'secrets') return env[name] ?? '';
    throw new Error(`no such expression: ${expression}`);
  });
}

function isDue(step: Step, failed: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  const condition = step.if?.replace(/^\$\{\{ (.*) \}\}$/, '$1') ?? 'success()';
  return condition.split(' && ').every((part) => {
    if (part === 'always()' || part === '!cancelled()') return true;
    if (part === 'success()') return !failed;
    const variable = /^env\.(?<name>\w+) != ''$/.exec(part)?.groups?.name;
    if (variable !== undefined) return (env[variable] ?? '') !== '';
    throw new Error(`no such condition: ${part}`);
  });
}

function useAction(
  { uses = '', with: given = {} }: Step,
  { folder, artifacts, ...options }: JobOptions,
): void {
  const path = given.path ?? '';
  const action = uses.replace(/@v\d+$/, '');
  if (action === 'actions/checkout' || action === 'actions/setup-node') return;
  if (action === 'actions/upload-artifact') {
    const to = join(artifacts, evaluate(given.name ?? '', { folder, artifacts, ...options }));
    const paths = path.split('\n').filter((line) => line !== '' && existsSync(join(folder, line)));
    for (const from of paths)
      cpSync(join(folder, from), paths.length === 1 ? to : join(to, basename(from)), { recursive: true });
  } else if (action === 'actions/download-artifact') {
    const [prefix = ''] = (given.pattern ?? '').split('*');
    for (const name of readdirSync(artifacts).filter((one) => one.startsWith(prefix))) {
      const to = given['merge-multiple'] ? path : join(path, name);
      cpSync(join(artifacts, name), join(folder, to), { recursive: true });
    }
  } else throw new Error(`no such action: ${uses}`);
}

/** As a runner does it: the step's own process is what a cancelled job signals. */
async function bash(
  script: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  onOutput?: (text: string, pid: number) => void,
): Promise<{ exitCode: number; output: string }> {
  const file = join(cwd, '.step.sh');
  writeFileSync(file, script);
  const child = spawn('bash', ['-e', file], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput?.(text, child.pid ?? 0);
    });
  }
  const exitCode = await new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done(code ?? -1));
  });
  return { exitCode, output };
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
