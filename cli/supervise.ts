/**
 * A runner as our own child: its output kept, stopped by the operator's signal, ended when it never exits.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, type ProcessIdentity, stateOf } from '../fixtures/process/identity.ts';
import { descendantPids } from '../fixtures/process/view.ts';
import { runnerEnded } from '../runs/evidence/run-log.ts';
import { readRun } from '../runs/read-run.ts';
import { FILES, writeAtomically } from '../runs/store.ts';
import { StreamRedactor } from '../fixtures/secrets/stream.ts';
import { tellRendered } from '../fixtures/secrets/index.ts';
import { playwright } from './verify.ts';

export interface Supervision {
  /** Folder of the run. */
  readonly folder: string;
  /** Folder of what this runner does of it: a group's, or the run's own. */
  readonly part: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** False: a runner that never exits is left alone. */
  readonly watch: boolean;
  /** How long it may live on after its last result, in milliseconds. */
  readonly graceMs: number;
  readonly stdout: NodeJS.WritableStream;
}

const POLL_MS = 500;
/** Between asking a stuck runner to end and ending it. */
const KILL_AFTER_MS = 5_000;

/** Runs Playwright and resolves with its exit code, which is kept with the run: no report of its own can know it. */
export async function supervise(supervision: Supervision): Promise<number> {
  const { folder, part, args, env, stdout } = supervision;
  const log = createWriteStream(join(folder, FILES.runLog), { flags: 'a' });
  const child = spawn(process.execPath, [playwright(), ...args], { env, stdio: ['inherit', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    // The second line: of what a global set-up prints, say, the runner itself takes no secret out.
    const redactor = new StreamRedactor((text) => {
      log.write(text);
      tellRendered(stdout, text);
    }, true);
    stream.on('data', (chunk: Buffer) => redactor.write(chunk)).once('end', () => redactor.flush());
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
  const watched = supervision.watch ? endWhenStuck(supervision, child, watching.signal) : Promise.resolve();
  try {
    const code = await exited;
    // The runner makes the folder of its group; a group of which it made none left no report either.
    if (existsSync(part))
      writeAtomically(join(part, FILES.exit), `${JSON.stringify({ at: Date.now(), code })}\n`);
    log.write(`\n${runnerEnded(code)}\n`);
    return code;
  } finally {
    watching.abort();
    await watched;
    process.off('SIGINT', cancel).off('SIGTERM', cancel);
    log.end();
  }
}

/** Ends our own runner when every machine has its result and it does not exit. The results are on disk by then. */
async function endWhenStuck(
  { part, graceMs }: Supervision,
  child: ChildProcess,
  signal: AbortSignal,
): Promise<void> {
  if (child.pid === undefined) return;
  const runner = identityOf(child.pid);
  let since: number | undefined;
  for (;;) {
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const model = readRun(part, { now: Date.now(), processState: () => 'alive' })?.model;
    const { hosts = [], othersOpen = 0 } = model ?? {};
    const isDone =
      othersOpen === 0 &&
      hosts.length > 0 &&
      hosts.every(({ status, isWorking }) => status !== 'WAIT' && !isWorking);
    since = isDone ? (since ?? Date.now()) : undefined;
    if (since === undefined || Date.now() - since < graceMs) continue;
    writeAtomically(join(part, FILES.stuck), `${JSON.stringify({ at: Date.now() })}\n`);
    const workers = descendantPids(child.pid).map((pid) => identityOf(pid));
    endProcess(runner, 'SIGTERM');
    await sleep(KILL_AFTER_MS, undefined, { signal }).catch(() => undefined);
    for (const identity of [runner, ...workers]) endProcess(identity, 'SIGKILL');
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
