/**
 * Gives the run's machines back when it ends, however it ends: workers come and go, the main process sees it all.
 *
 *     reporter: [['list'], ['./reporters/lease.ts']]
 *
 * SIGTERM, by which CI systems, `timeout` and containers end a job, stops the run as Ctrl+C does: Playwright itself dies
 * of it. A run that is killed gives nothing back: its leases end by the rules of fixtures/lease/protocol.ts.
 *
 * @module
 */
import type { FullConfig, Reporter, Suite } from '@playwright/test/reporter';
import { loadSettings, type Machine, type Settings } from '../fixtures/config/index.ts';
import { tell } from '../fixtures/secrets/index.ts';
import { isVmwrightError } from '../fixtures/errors.ts';
import { forgetDeadClusters } from '../fixtures/proxmox/dead-cluster.ts';
import { identify, nameRun, notesOf, releaseRun } from '../fixtures/lease/index.ts';
import { connectProxmox } from '../fixtures/proxmox/index.ts';

export default class LeaseReporter implements Reporter {
  #machines: readonly Machine[] = [];
  #stopListening: (() => void) | undefined;

  readonly #isListing: boolean;

  /** @param options what Playwright adds to them: `--list` is no run, and has nothing to give back */
  constructor(options: { readonly _mode?: 'list' | 'test' | 'merge' } = {}) {
    this.#isListing = options._mode === 'list';
    nameRun();
  }

  onBegin(config: FullConfig, root: Suite): void {
    if (this.#isListing) return;
    for (const { outputDir } of config.projects) forgetDeadClusters(outputDir);
    this.#stopListening = stopOnTermination();
    this.#machines = root.suites.flatMap((suite) => {
      const { machine } = (suite.project()?.use ?? {}) as { machine?: Machine };
      return machine === undefined || machine.skip !== undefined ? [] : [machine];
    });
  }

  async onEnd(): Promise<void> {
    if (this.#machines.length === 0) return;
    try {
      await giveBack(this.#machines, loadSettings());
    } catch (error) {
      // The embedded lab is gone by now, and its machines with it.
      if (isVmwrightError(error, 'LAB_GONE')) return;
      const text = error instanceof Error ? error.message : String(error);
      tell(process.stderr, `vmwright lease: ${text}\n`);
    }
  }

  // After the last reporter: what they write is whole.
  onExit(): Promise<void> {
    this.#stopListening?.();
    return Promise.resolve();
  }

  printsToStdio(): boolean {
    return false;
  }
}

/** Turns the first SIGTERM into SIGINT, unless the run is stopping already: a second SIGINT would end it at once. */
function stopOnTermination(): () => void {
  let isStopping = false;
  const onInterrupt = (): void => {
    isStopping = true;
  };
  const onTerminate = (): void => {
    if (!isStopping) process.kill(process.pid, 'SIGINT');
  };
  process.once('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return () => {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  };
}

async function giveBack(machines: readonly Machine[], settings: Settings): Promise<void> {
  const { run } = identify({ runnerPid: process.pid, workerPid: process.pid });
  const proxmox = await connectProxmox({ ...settings.proxmox, timeoutScale: settings.timeoutScale });
  try {
    for (const machine of machines) {
      const vm = await proxmox.findVm(machine.vm, machine.node ?? settings.proxmox.node);
      await releaseRun(notesOf(vm), run);
    }
  } finally {
    await proxmox.close();
  }
}
