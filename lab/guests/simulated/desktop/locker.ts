/**
 * KDE's screen locker: a process of the user, and its screen in front of everything.
 *
 * @module
 */
import type { ProcessTable } from '../processes.ts';
import type { GuestDefinition, GuestFiles } from '../system.ts';
import { LockScreen } from './overlays.ts';

/** KDE's daemon starts a killed greeter again: the screen stays locked. */
const RESTART_MS = 100;
/** So long a fresh greeter loads; what is typed meanwhile is lost. A real one under emulation takes 8 s. */
const LOAD_MS = 1000;
const AUTOLOCK_MS = 1500;
const GREETER = '/usr/libexec/kscreenlocker_greet';
const GREETER_COMM = 'kscreenlocker_g';

/** What a locker stands on. */
interface LockerHost {
  readonly definition: GuestDefinition;
  readonly processes: ProcessTable;
  readonly disk: GuestFiles;
}

export class Locker {
  readonly #host: LockerHost;
  readonly #changed: () => void;
  #lock: { readonly screen: LockScreen; pid: number | undefined } | undefined;
  #restarting: NodeJS.Timeout | undefined;
  #autolock: NodeJS.Timeout | undefined;

  /** @param changed tells the desktop to repaint */
  constructor(host: LockerHost, changed: () => void) {
    this.#host = host;
    this.#changed = changed;
  }

  /** What is in front of the desktop; undefined when it is not locked. */
  get screen(): LockScreen | undefined {
    return this.#lock?.screen;
  }

  lock(): void {
    if (this.#lock !== undefined) return;
    this.#lock = { screen: this.#newScreen(), pid: this.#startGreeter() };
    this.#changed();
  }

  /** Locks again and again, unless the user's configuration says `Autolock=false`. */
  autolock(on: boolean, lock: () => void): void {
    clearInterval(this.#autolock);
    this.#autolock = on ? setInterval(() => void this.#autolockNow(lock), AUTOLOCK_MS) : undefined;
  }

  /** A greeter that ends by itself has let its user in; one that was killed is started again. */
  exited(pid: number, signal: string | undefined): void {
    const lock = this.#lock;
    if (lock?.pid !== pid) return;
    lock.pid = undefined;
    clearTimeout(this.#restarting);
    if (signal === undefined) {
      this.#lock = undefined;
      return;
    }
    lock.screen.sleep();
    this.#restarting = setTimeout(() => {
      lock.pid = this.#startGreeter(LOAD_MS);
      this.#restarting = setTimeout(() => {
        lock.screen.restart();
        this.#changed();
      }, LOAD_MS);
    }, RESTART_MS);
  }

  /** The screen is not locked any more, whoever locked it. */
  reset(): void {
    clearTimeout(this.#restarting);
    this.#lock = undefined;
  }

  /** After the process table was put back: locked if a greeter runs. */
  restore(): void {
    const greeter = this.#host.processes.list().find(({ comm }) => comm === GREETER_COMM);
    if (greeter !== undefined) this.#lock = { screen: this.#newScreen(), pid: greeter.pid };
  }

  dispose(): void {
    clearTimeout(this.#restarting);
    clearInterval(this.#autolock);
  }

  #newScreen(): LockScreen {
    const { definition, processes } = this.#host;
    return new LockScreen(definition.user, definition.password, () => {
      if (this.#lock?.pid !== undefined) processes.exit(this.#lock.pid, 0);
    });
  }

  #startGreeter(busyMs = 0): number {
    const { definition, processes } = this.#host;
    return processes.spawn({ path: GREETER, user: definition.user, session: 'desktop', busyMs }).pid;
  }

  async #autolockNow(lock: () => void): Promise<void> {
    const { definition, disk } = this.#host;
    const file = `/home/${definition.user}/.config/kscreenlockerrc`;
    const config = (await disk.exists(file)) ? await disk.read(file) : '';
    if (!/^Autolock=false$/m.test(config)) lock();
  }
}
