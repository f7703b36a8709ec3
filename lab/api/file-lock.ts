/**
 * The lock of a VM's config file: flock(2) on `/var/lock/qemu-server/lock-<vmid>.conf`. Who changes the config has it, and
 * a power task has it for as long as it takes; nothing that the API shows tells of it.
 *
 * Facts from qemu-server (PVE::QemuServer, `vm_stop`, `vm_start`, `vm_reboot`), pve-guest-common (PVE::AbstractConfig,
 * `lock_config`) and pve-common (PVE::Tools, `lock_file_full`).
 *
 * @module
 */
import { ApiError } from './errors.ts';

/** So long PVE waits for it. Milliseconds. */
const WAIT_MS = 10_000;

export class FileLock {
  readonly #vmid: number;
  readonly #waiting = new Set<() => void>();
  #isHeld = false;
  /** Less in tests. Milliseconds. */
  waitMs = WAIT_MS;

  constructor(vmid: number) {
    this.#vmid = vmid;
  }

  /**
   * Runs `action` with the lock.
   *
   * @param log told where it has to be waited for, as the log of a task shows it
   * @throws 500 `can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout`
   */
  async hold<T>(action: () => Promise<T> | T, log: (line: string) => void = () => undefined): Promise<T> {
    if (this.#isHeld) {
      log('trying to acquire lock...');
      await this.#turn();
    }
    this.#isHeld = true;
    try {
      return await action();
    } finally {
      const [next] = this.#waiting;
      // Whoever is next has it without a gap.
      if (next === undefined) this.#isHeld = false;
      else next();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(taken);
        reject(
          new ApiError(500, `can't lock file '/var/lock/qemu-server/lock-${this.#vmid}.conf' - got timeout`),
        );
      }, this.waitMs);
      timer.unref();
      const taken = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(taken);
        resolve();
      };
      this.#waiting.add(taken);
    });
  }
}
