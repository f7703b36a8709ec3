/**
 * Finishes what earlier runs left when they were killed, before this run writes anything.
 *
 *     reporter: [['./reporters/recover.ts'], ['list'], ['./reporters/summary.ts'], ['./reporters/lease.ts']]
 *
 * Before the summary: a run of the same name clears its folder. Files are looked at in any case; the cluster is asked
 * only when something had crashed. The summary of this run tells of it in its NOTES.
 *
 * @module
 */
import { resolve } from 'node:path';
import type { FullConfig, Reporter } from '@playwright/test/reporter';
import { loadSettings, type Machine, readEnvironment } from '../fixtures/config/index.ts';
import { redact, tell } from '../fixtures/secrets/index.ts';
import { isVmwrightError } from '../fixtures/errors.ts';
import { publishCrashes } from '../runs/crashes.ts';
import {
  aloneInRecovery,
  type FileRecovery,
  ifAloneInRecovery,
  recoverFiles,
  recoverLeases,
  recoveryLines,
} from '../runs/recovery.ts';

export interface RecoverOptions {
  /** Where runs are stored. Default `test-results/state`, from the config's folder. */
  readonly stateFolder?: string;
}

/** What Playwright adds to the options: `--list` is no run, and touches nothing. */
interface RunnerOptions {
  readonly _mode?: 'list' | 'test' | 'merge';
}

export default class RecoverReporter implements Reporter {
  readonly #options: RecoverOptions;
  #leases: Promise<void> = Promise.resolve();
  #isDone = false;

  constructor(options: RecoverOptions & RunnerOptions = {}) {
    this.#options = options;
    this.#isDone = options._mode === 'list';
  }

  // Before blobs and summaries look at the run's metadata.
  async preprocess({ config }: { readonly config: FullConfig }): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    try {
      await aloneInRecovery({ onWait: sayOne }, () => this.#recover(config));
    } catch (error) {
      complain(error);
    }
  }

  // Merging blobs there is nothing to preprocess, and nobody waits.
  onBegin(config: FullConfig): void {
    if (this.#isDone) return;
    try {
      ifAloneInRecovery({ onWait: sayOne }, () => this.#recover(config));
    } catch (error) {
      complain(error);
    }
  }

  async onEnd(): Promise<void> {
    await this.#leases;
  }

  printsToStdio(): boolean {
    return false;
  }

  #recover(config: FullConfig): void {
    const root = config.configFile === undefined ? config.rootDir : resolve(config.configFile, '..');
    const found = recoverFiles({
      stateFolder: resolve(root, this.#options.stateFolder ?? 'test-results/state'),
    });
    say(recoveryLines(found, []));
    publishCrashes(config, recoveryLines({ ...found, traces: [] }, []).map(redact));
    this.#leases = giveBack(found, config).catch(complain);
  }
}

/** The machines of what crashed, as far as this config knows them. This run's own takers need not wait for that. */
async function giveBack(found: FileRecovery, config: FullConfig): Promise<void> {
  const sessions = [...found.runs, ...found.traces.flatMap(({ session }) => session ?? [])];
  const crashed = new Set(sessions.flatMap(({ hosts }) => hosts.map(({ host }) => host)));
  const machines = config.projects.flatMap(({ name, use }) => {
    const { machine } = use as { machine?: Machine };
    return machine !== undefined && crashed.has(name) ? [machine] : [];
  });
  // Without a cluster they were the embedded lab's, which is gone.
  const { PROXMOX_HOST = '' } = readEnvironment();
  if (machines.length === 0 || PROXMOX_HOST === '') return;
  const leases = await aloneInRecovery({ onWait: sayOne }, () => recoverLeases(machines, loadSettings()));
  say(recoveryLines({ traces: [], runs: [] }, leases));
}

function say(lines: readonly string[]): void {
  for (const line of lines) sayOne(line);
}

function sayOne(line: string): void {
  tell(process.stdout, `vmwright recover: ${line}\n`);
}

/** A recovery that fails is no reason not to run: it is tried again next time. */
function complain(error: unknown): void {
  if (isVmwrightError(error, 'LAB_GONE')) return;
  tell(process.stderr, `vmwright recover: ${error instanceof Error ? error.message : String(error)}\n`);
}
