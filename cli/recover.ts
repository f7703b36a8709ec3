/**
 * `vmwright recover`: finishes what killed runs left, on this host and on the cluster.
 *
 * @module
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadSettings, readEnvironment } from '../fixtures/config/index.ts';
import { tell } from '../fixtures/secrets/index.ts';
import { aloneInRecovery, recoverFiles, recoverLeases, recoveryLines } from '../runs/recovery.ts';
import { loadMatrix } from './plan.ts';

export interface RecoverCommandOptions {
  readonly state: string;
  readonly matrix: string;
  readonly dryRun?: boolean;
  readonly force?: string;
}

export function addRecover(program: Command): void {
  program
    .command('recover')
    .description('finish killed runs as crashed and give their machines back; runs do so when they begin')
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--force <run>', 'take the leases of this run off, dead or not: it must not be at work any more')
    .option('--matrix <file>', 'file with the machines', 'vm-matrix.ts')
    .option('--state <folder>', 'where runs are stored', 'test-results/state')
    .action((options: RecoverCommandOptions) => recover(options));
}

/** @throws `FILE_LOCKED`, `SETTING_INVALID`, `PLAN_INVALID`, `PROXMOX_*` */
export async function recover(
  options: RecoverCommandOptions,
  stdout: { write(text: string): unknown } = process.stdout,
  env: NodeJS.ProcessEnv = readEnvironment(),
): Promise<void> {
  const dryRun = options.dryRun === true;
  const print = (line: string): void => tell(stdout, `${line}\n`);
  // Who only looks keeps nobody from working.
  const count = dryRun
    ? await work(options, env, print)
    : await aloneInRecovery({ env, onWait: print }, () => work(options, env, print));
  if (count === 0) print('nothing was left behind');
}

/** Returns how many lines there were to say. */
async function work(
  options: RecoverCommandOptions,
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> {
  const dryRun = options.dryRun === true;
  const files = recoverFiles({ stateFolder: resolve(options.state), dryRun, env });
  let count = 0;
  for (const line of recoveryLines(files, [], { all: true, dryRun })) {
    print(line);
    count++;
  }
  if (env.PROXMOX_HOST === undefined || env.PROXMOX_HOST === '') {
    print('leases: no PROXMOX_HOST, so there is no cluster to look at');
  } else {
    const { machines } = await loadMatrix(options.matrix);
    const force = options.force === undefined ? {} : { force: options.force };
    const leases = await recoverLeases(machines, loadSettings(env), { dryRun, ...force });
    for (const line of recoveryLines({ traces: [], runs: [] }, leases, { all: true, dryRun })) {
      print(line);
      count++;
    }
  }
  return count;
}
