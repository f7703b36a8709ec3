/**
 * `vmwright run`: plan, verify, watch, run; and post, when the run is complete and a webhook is set.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { JSONReport } from '@playwright/test/reporter';
import { VmwrightError } from '../fixtures/errors.ts';
import { readEnvironment, redact } from '../fixtures/config/index.ts';
import { loadWebhook } from '../fixtures/config/webhook.ts';
import { post } from '../reporters/post.ts';
import { identityOf, type ProcessIdentity, stateOf } from '../reporters/process.ts';
import { readRun } from '../reporters/read-run.ts';
import { commandLine } from '../reporters/run-facts.ts';
import { beginRun, FILES, storedRuns, writeAtomically } from '../reporters/store.ts';
import { VERSION } from '../reporters/version.ts';
import { approve } from './approval.ts';
import { makePlan, optionEnvironment, type Plan, type PlanOptions, planText } from './plan.ts';

export interface RunOptions extends PlanOptions {
  readonly state: string;
  readonly approve?: string;
  /** False: no watching, no post. */
  readonly watch: boolean;
  /** Seconds that a runner may live on after its last result. */
  readonly grace: number;
}

type Phase = 'plan' | 'verify' | 'watch' | 'run';

const POLL_MS = 500;
/** Between asking a stuck runner to end and ending it. */
const KILL_AFTER_MS = 5_000;
const LISTING_BYTES = 64 * 1024 * 1024;

/** The runner's exit code; nothing is started when the plan or its approval does not hold. */
export async function run(
  options: RunOptions,
  command: readonly string[],
  stdout: NodeJS.WritableStream = process.stdout,
  onPhase: (phase: Phase, edge: 'start' | 'end') => void = () => undefined,
): Promise<number> {
  const env = readEnvironment();
  onPhase('plan', 'start');
  const plan = await makePlan(options);
  stdout.write(planText(plan));
  approve({ gate: 'run', subject: plan, given: options.approve, env });
  for (const { id, text } of plan.warnings) if (!plan.confirmed.includes(id)) throw unconfirmed(id, text);
  const state = resolve(options.state);
  refuseBusyHosts(state, plan);
  onPhase('plan', 'end');
  onPhase('verify', 'start');
  await verify(plan);
  onPhase('verify', 'end');

  onPhase('watch', 'start');
  const folder = join(state, plan.build);
  const runId = randomUUID();
  beginRun(folder, recordOf(plan, runId, command, options));
  writeFileSync(join(folder, 'plan.log'), redact(planText(plan)));
  onPhase('watch', 'end');

  onPhase('run', 'start');
  let exitCode = 0;
  for (const [index, args] of plan.commands.entries()) {
    const group = plan.groups[index]?.name;
    const code = await runOnce(
      folder,
      args,
      {
        ...process.env,
        ...optionEnvironment(plan),
        VMWRIGHT_BUILD_NAME: plan.build,
        VMWRIGHT_RUN_ID: runId,
        ...(group === undefined ? {} : { VMWRIGHT_GROUP: group }),
      },
      options,
      stdout,
    );
    exitCode = Math.max(exitCode, code);
    if (existsSync(join(folder, FILES.cancelled))) break;
    if (group !== undefined && options.watch)
      await postWhenComplete(join(folder, 'groups', encodeURIComponent(group)), env, stdout);
  }
  onPhase('run', 'end');
  if (options.watch && plan.groups.length === 0) await postWhenComplete(folder, env, stdout);
  const finished = readRun(folder, { now: Date.now(), processState: own });
  return finished?.model.state === 'COMPLETED' ? exitCode : exitCode || 1;
}

/** This process is not the runner: for it, a run whose runner has exited is over. */
function own(identity: ProcessIdentity): 'alive' | 'gone' | 'unknown' {
  return identity.pid === process.pid ? 'gone' : stateOf(identity);
}

function recordOf(
  plan: Plan,
  runId: string,
  command: readonly string[],
  options: RunOptions,
): Parameters<typeof beginRun>[1] {
  const given = Object.entries(plan.options).map(([name, value]) => `--option ${name}=${value}`);
  return {
    run: runId,
    build: plan.build,
    version: VERSION,
    startedAt: Date.now(),
    command: redact(commandLine(command)),
    suite: plan.suite,
    select: options.vms === undefined ? [options.grepVm ?? '--all'] : [...options.vms],
    options: { ...plan.options },
    choices: { ...plan.choices },
    plan: options.approve,
    groups: plan.groups.map((group) => ({ name: group.name, hosts: [...group.hosts] })),
    hosts: [...plan.hosts],
    coverage: [
      ['template', plan.suite],
      ['categorize mode', plan.groups.length > 0 ? 'enabled' : 'disabled'],
      ['config file', plan.matrix],
      ['run options', given.join(', ')],
    ],
    process: identityOf(process.pid),
  };
}

/** What Playwright would really run has to be what was planned. */
async function verify(plan: Plan): Promise<void> {
  for (const args of plan.commands) {
    const planned = args
      .filter((word) => word.startsWith('--project='))
      .map((word) => word.slice('--project='.length));
    const listed = await listedProjects(args);
    const missing = planned.filter((host) => !listed.includes(host));
    const extra = listed.filter((host) => !planned.includes(host));
    if (missing.length + extra.length === 0) continue;
    throw new VmwrightError({
      code: 'PLAN_MISMATCH',
      subject: plan.build,
      message: `missing: [${missing.join(', ')}] extra: [${extra.join(', ')}]`,
      expected: planned.join(', '),
      seen: listed.join(', '),
      next: 'look at the spec files and at the projects of playwright.config.ts, and plan again',
    });
  }
}

async function listedProjects(args: readonly string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [playwright(), ...args, '--list', '--reporter=json'],
    { maxBuffer: LISTING_BYTES },
  ).catch((error: unknown) => ({ stdout: (error as { stdout?: string }).stdout ?? '' }));
  const start = stdout.indexOf('{');
  const report = start < 0 ? undefined : (JSON.parse(stdout.slice(start)) as JSONReport);
  const names = new Set<string>();
  const visit = (suites: JSONReport['suites']): void => {
    for (const suite of suites) {
      for (const test of suite.specs.flatMap((spec) => spec.tests)) names.add(test.projectName);
      visit(suite.suites ?? []);
    }
  };
  visit(report?.suites ?? []);
  const hosts =
    report?.config.projects
      .filter((project) => 'vmwright' in project.metadata)
      .map((project) => project.name) ?? [];
  return hosts.filter((host) => names.has(host));
}

function refuseBusyHosts(state: string, plan: Plan): void {
  const wanted = new Set(plan.hosts.filter((host) => host.skip === undefined).map((host) => host.host));
  for (const { record } of storedRuns(state)) {
    if (stateOf(record.process) !== 'alive') continue;
    const busy = [
      ...record.hosts.filter((host) => host.skip === undefined).map((host) => host.host),
      ...record.select,
    ].filter((host) => wanted.has(host));
    if (busy.length === 0 && record.build !== plan.build) continue;
    throw new VmwrightError({
      code: 'RUN_ACTIVE',
      subject: busy.join(', ') || plan.build,
      message: 'a run is at it',
      seen: `${record.build}, process ${record.process.pid} on ${record.process.hostname}, since ${new Date(record.startedAt).toISOString()}`,
      next: 'wait for it (vmwright status --watch), or stop it',
    });
  }
}

async function runOnce(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: RunOptions,
  stdout: NodeJS.WritableStream,
): Promise<number> {
  const log = createWriteStream(join(folder, 'run.log'), { flags: 'a' });
  const child = spawn(process.execPath, [playwright(), ...args], { env, stdio: ['inherit', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk);
      stdout.write(chunk);
    });
  }
  const cancel = (signal: NodeJS.Signals): void => {
    writeAtomically(
      join(folder, FILES.cancelled),
      `${JSON.stringify({ at: Date.now(), note: `stopped by ${signal}` })}\n`,
    );
    child.kill('SIGINT');
  };
  process.once('SIGINT', cancel).once('SIGTERM', cancel);
  const exited = new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done(code ?? 1));
  });
  const watching = new AbortController();
  const watched = options.watch
    ? endWhenStuck(folder, child, options.grace * 1000, watching.signal)
    : Promise.resolve();
  try {
    return await exited;
  } finally {
    watching.abort();
    await watched;
    process.off('SIGINT', cancel).off('SIGTERM', cancel);
    log.end();
  }
}

/** Ends our own runner when every machine has its result and it does not exit. The results are on disk by then. */
async function endWhenStuck(
  folder: string,
  child: ChildProcess,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (child.pid === undefined) return;
  const identity = identityOf(child.pid);
  let since: number | undefined;
  while (!signal.aborted) {
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    const hosts = readRun(folder, { now: Date.now(), processState: () => 'alive' })?.model.hosts ?? [];
    const isDone = hosts.length > 0 && hosts.every(({ status }) => status !== 'RUN' && status !== 'WAIT');
    since = isDone ? (since ?? Date.now()) : undefined;
    if (since === undefined || Date.now() - since < graceMs) continue;
    writeAtomically(join(folder, FILES.stuck), `${JSON.stringify({ at: Date.now() })}\n`);
    endProcess(identity, 'SIGTERM');
    await sleep(KILL_AFTER_MS, undefined, { signal }).catch(() => undefined);
    endProcess(identity, 'SIGKILL');
    return;
  }
}

/** Signals exactly this process: never another one that was given its number. */
export function endProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  kill: (pid: number, signal: NodeJS.Signals) => unknown = (pid, name) => process.kill(pid, name),
): boolean {
  if (stateOf(identity) !== 'alive') return false;
  kill(identity.pid, signal);
  return true;
}

/** The post that belongs to an approved, watched run. What prevents it is said; the run's result stays. */
async function postWhenComplete(
  folder: string,
  env: NodeJS.ProcessEnv,
  stdout: NodeJS.WritableStream,
): Promise<void> {
  if (env.VMWRIGHT_POST_URL === undefined || env.VMWRIGHT_POST_URL === '') return;
  try {
    const stored = readRun(folder, { now: Date.now(), processState: own });
    if (stored === undefined) return;
    await post(folder, stored.model, { webhook: loadWebhook(env), now: Date.now, sleep: (ms) => sleep(ms) });
    stdout.write(`posted ${stored.model.build}: ${stored.model.state}\n`);
  } catch (error) {
    stdout.write(`not posted: ${redact(error instanceof Error ? error.message : String(error))}\n`);
  }
}

function playwright(): string {
  return join(
    dirname(createRequire(join(process.cwd(), 'package.json')).resolve('@playwright/test/package.json')),
    'cli.js',
  );
}

function unconfirmed(id: string, text: string): VmwrightError {
  return new VmwrightError({
    code: 'RISK_UNCONFIRMED',
    subject: id,
    message: text,
    expected: `--confirm-risk ${id}`,
    next: 'change the options, or confirm the risk and approve the plan anew',
  });
}
