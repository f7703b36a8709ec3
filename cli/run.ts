/**
 * `vmwright run`: plan, verify, watch, run; and post, when the run is complete and a webhook is set.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VmwrightError } from '../fixtures/errors.ts';
import { readEnvironment } from '../fixtures/config/index.ts';
import { redact, redactValue, tell, tellRendered } from '../fixtures/secrets/index.ts';
import { optionVariable } from '../fixtures/config/suites.ts';
import { loadWebhook } from '../fixtures/config/webhook.ts';
import { identityOf, type ProcessIdentity } from '../fixtures/process/identity.ts';
import { claimBuild, claimName } from '../runs/build-claim.ts';
import type { Claim } from '../runs/claim.ts';
import { crashVariable } from '../runs/crashes.ts';
import { type ProcessState, runnerState } from '../runs/liveness.ts';
import { post } from '../runs/post.ts';
import { readStored } from '../runs/evidence/recover.ts';
import { readRun } from '../runs/read-run.ts';
import { aloneInRecovery, recoverFiles, recoveryLines } from '../runs/recovery.ts';
import { commandLine, defaultBuildName } from '../runs/run-facts.ts';
import { beginRun, checkBuildName, endRun, FILES, partFolder, storedRuns } from '../runs/store.ts';
import { VERSION } from '../runs/version.ts';
import { correctSummary } from './correct-summary.ts';
import { approve } from './approval.ts';
import { askApproval, type Terminal } from './ask.ts';
import { EXIT, exitCodeOfRun } from './exit-codes.ts';
import { makePlan, type Plan, planEnvironment, planHash, type PlanOptions, planText } from './plan.ts';
import { refuseAlsoInEnvironment, suiteOption } from './repeats.ts';
import { supervise } from './supervise.ts';
import { verify } from './verify.ts';

export interface RunOptions extends PlanOptions {
  readonly state: string;
  readonly approve?: string;
  /** False: no watching, no post. */
  readonly watch: boolean;
  /** False: a machine or GPU that another run holds is not waited for, whatever VMWRIGHT_LEASE_WAIT says. */
  readonly wait: boolean;
  /** Seconds that a runner may live on after its last result. */
  readonly grace: number;
}

/** In this order, each only after the one before. Without a watcher there is no `watch`. */
type Phase = 'plan' | 'verify' | 'watch' | 'run';

/** The exit code (exit-codes.ts); nothing is started when the plan or its approval does not hold. */
export async function run(
  options: RunOptions,
  command: readonly string[],
  terminal: Terminal = { input: process.stdin, output: process.stdout },
): Promise<number> {
  const env = readEnvironment();
  const stdout = terminal.output;
  const phases = new Phases();
  phases.begin('plan');
  refuseAlsoInEnvironment(variablesOf(options), env);
  const plan = await makePlan(options);
  tell(stdout, planText(plan));
  const watch = (await approved(plan, options, env, terminal)) && options.watch;
  for (const { id, text } of plan.warnings) if (!plan.confirmed.includes(id)) throw unconfirmed(id, text);
  const state = resolve(options.state);
  refuseBusyHosts(state, plan);
  phases.begin('verify');
  await verify(plan, env);

  const runId = randomUUID();
  // Before its folder is cleared: what an earlier run of the name left is finished first.
  const crashes = await finishCrashes(state, env, stdout);
  const fromEnvironment = env.VMWRIGHT_BUILD_NAME === '' ? undefined : env.VMWRIGHT_BUILD_NAME;
  const given = options.buildName ?? fromEnvironment;
  const { build, claim } = claimRunName(state, runId, plan, given);
  try {
    return await runClaimed(
      { plan, build, runId, crashes, watch, phases, state, env },
      options,
      command,
      stdout,
    );
  } finally {
    claim.release();
  }
}

/** What the environment could say as well: it reaches the runner too. */
function variablesOf({ buildName, option = [] }: RunOptions): [variable: string, words: string][] {
  return [
    ...(buildName === undefined ? [] : [['VMWRIGHT_BUILD_NAME', `--build-name ${buildName}`] as const]),
    ...option.map((word) => [optionVariable(suiteOption(word)), `--option ${word}`] as const),
  ].map(([variable, words]) => [variable, words]);
}

/** A run whose plan is approved and whose name is its own. */
interface ClaimedRun {
  readonly plan: Plan;
  readonly build: string;
  readonly runId: string;
  readonly crashes: readonly string[];
  readonly watch: boolean;
  readonly phases: Phases;
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
}

async function runClaimed(
  { plan, build, runId, crashes, watch, phases, state, env }: ClaimedRun,
  options: RunOptions,
  command: readonly string[],
  stdout: NodeJS.WritableStream,
): Promise<number> {
  const folder = join(state, build);
  beginRun(folder, recordOf(plan, build, runId, command, options));
  writeFileSync(join(folder, FILES.planLog), redact(planText(plan)));
  if (watch) phases.begin('watch');
  phases.begin('run', join(folder, FILES.phases));
  let exitCode = 0;
  for (const [index, args] of plan.commands.entries()) {
    const group = plan.groups[index]?.name;
    const part = partFolder(folder, group === undefined ? {} : { group });
    const code = await supervise({
      folder,
      part,
      args,
      env: {
        ...process.env,
        ...planEnvironment(plan),
        ...crashVariable(crashes),
        VMWRIGHT_BUILD_NAME: build,
        VMWRIGHT_RUN_ID: runId,
        ...(options.wait ? {} : { VMWRIGHT_LEASE_WAIT: '0' }),
        ...(group === undefined ? {} : { VMWRIGHT_GROUP: group }),
      },
      watch,
      graceMs: options.grace * 1000,
      stdout,
    });
    exitCode = Math.max(exitCode, code);
    const corrected = await correctSummary(part, runId, { stateFolder: state, processState: own });
    if (corrected !== undefined) tellRendered(stdout, `${redact(corrected)}\n`);
    if (existsSync(join(folder, FILES.cancelled))) break;
    if (watch) await postWhenComplete(part, runId, env, stdout);
  }
  phases.end(join(folder, FILES.phases));
  endRun(folder, runId, Date.now());
  const finished = readStored(folder, { now: Date.now(), processState: own });
  if (finished?.record.run !== runId) return exitCode || EXIT.failed;
  // What ended the runner itself, such as a signal, has a code of its own.
  return finished.model.state === 'COMPLETED' || exitCode > 1 ? exitCode : exitCodeOfRun(finished.model);
}

/** A run of the same name clears the folder of one that crashed: it is finished before. In words, for the summary. */
async function finishCrashes(
  stateFolder: string,
  env: NodeJS.ProcessEnv,
  stdout: NodeJS.WritableStream,
): Promise<string[]> {
  const say = (line: string): void => tell(stdout, `vmwright recover: ${line}\n`);
  try {
    const found = await aloneInRecovery({ env, onWait: say }, () => recoverFiles({ stateFolder, env }));
    recoveryLines(found, []).forEach(say);
    return recoveryLines({ ...found, traces: [] }, []).map(redact);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return [];
  }
}

/** True with a watcher. @throws `APPROVAL_NEEDED` */
async function approved(
  plan: Plan,
  options: RunOptions,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<boolean> {
  const isAsked =
    options.approve === undefined && env.VMWRIGHT_GATE !== 'off' && terminal.input.isTTY === true;
  const answer = isAsked ? await askApproval(terminal) : 'no';
  if (answer === 'no') approve({ gate: 'run', subject: plan, given: options.approve, env });
  return answer !== 'approve without watcher';
}

/** When each phase began and ended; written once there is a folder for it. */
class Phases {
  readonly #lines: string[] = [];
  #current: Phase | undefined;

  begin(phase: Phase, file?: string): void {
    this.#close();
    this.#current = phase;
    this.#lines.push(JSON.stringify({ phase, edge: 'start', at: Date.now() }));
    if (file !== undefined) this.#write(file);
  }

  end(file: string): void {
    this.#close();
    this.#write(file);
  }

  #close(): void {
    if (this.#current !== undefined)
      this.#lines.push(JSON.stringify({ phase: this.#current, edge: 'end', at: Date.now() }));
    this.#current = undefined;
  }

  #write(file: string): void {
    appendFileSync(
      file,
      this.#lines
        .splice(0)
        .map((line) => `${line}\n`)
        .join(''),
    );
  }
}

/** This process is not the runner: for it, a run whose runner has exited is over. */
const own: ProcessState = (identity, folder) =>
  identity.pid === process.pid ? 'gone' : runnerState(identity, folder);

function recordOf(
  plan: Plan,
  build: string,
  runId: string,
  command: readonly string[],
  options: RunOptions,
): Parameters<typeof beginRun>[1] {
  return {
    run: runId,
    build,
    version: VERSION,
    startedAt: Date.now(),
    command: redact(commandLine(command)),
    suite: plan.suite,
    select: options.vms === undefined ? [options.grepVm ?? '--all'] : [...options.vms],
    options: redactValue({ ...plan.options }),
    choices: { ...plan.choices },
    plan: planHash(plan),
    groups: plan.groups.map((group) => ({ name: group.name, hosts: [...group.hosts] })),
    hosts: [...plan.hosts],
    coverage: coverageFrom(plan),
    process: identityOf(process.pid),
  };
}

/** What COVERAGE says of a planned run. */
export function coverageFrom(plan: Plan): [string, string][] {
  const options = Object.entries(plan.options).map(([name, value]) => `--option ${name}=${value}`);
  return [
    ['template', plan.suite],
    ['categorize mode', plan.groups.length > 0 ? 'enabled' : 'disabled'],
    ['config file', plan.matrix],
    ['run options', redact(options.join(', '))],
  ];
}

function refuseBusyHosts(state: string, plan: Plan): void {
  const wanted = new Set(plan.hosts.filter((host) => host.skip === undefined).map((host) => host.host));
  for (const { folder, record } of storedRuns(state)) {
    if (runnerState(record.process, folder) !== 'alive') continue;
    const planned = record.hosts.filter((host) => host.skip === undefined).map(({ host }) => host);
    const busy = [...new Set([...planned, ...record.select])].filter((host) => wanted.has(host));
    if (busy.length > 0)
      throw active(
        busy.join(', '),
        record.build,
        record.process,
        `, since ${new Date(record.startedAt).toISOString()}`,
      );
  }
}

/**
 * The name that was given, or one of suite and time. It is the run's own from here on.
 *
 * @throws `RUN_ACTIVE` when a live run has the name that was given
 */
function claimRunName(
  stateFolder: string,
  run: string,
  plan: Plan,
  given: string | undefined,
): { build: string; claim: Claim } {
  if (given === undefined) {
    const fallback = defaultBuildName([plan.build], Date.now());
    return claimName({ stateFolder, run, given, fallback, say: () => undefined });
  }
  const taken = claimBuild(stateFolder, checkBuildName(given), { run });
  if ('claim' in taken) return { build: given, claim: taken.claim };
  throw active(given, given, taken.holder.process);
}

function active(
  subject: string,
  build: string,
  { pid, hostname }: ProcessIdentity,
  since = '',
): VmwrightError {
  return new VmwrightError({
    code: 'RUN_ACTIVE',
    subject,
    message: 'another run is at work',
    seen: `${build}, process ${pid} on ${hostname}${since}`,
    next: 'wait for it (vmwright status --watch), or stop it',
  });
}

/** The post that belongs to an approved, watched run. What prevents it is said; the run's result stays. */
async function postWhenComplete(
  folder: string,
  runId: string,
  env: NodeJS.ProcessEnv,
  stdout: NodeJS.WritableStream,
): Promise<void> {
  if (env.VMWRIGHT_POST_URL === undefined || env.VMWRIGHT_POST_URL === '') return;
  try {
    const stored = readRun(folder, { now: Date.now(), processState: own });
    if (stored?.record.run !== runId) {
      tell(stdout, 'not posted: it left no record of its own\n');
      return;
    }
    await post(folder, stored.model, { webhook: loadWebhook(env), now: Date.now, sleep: (ms) => sleep(ms) });
    tell(stdout, `posted ${stored.model.build}: ${stored.model.state}\n`);
  } catch (error) {
    tell(stdout, `not posted: ${error instanceof Error ? error.message : String(error)}\n`);
  }
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
