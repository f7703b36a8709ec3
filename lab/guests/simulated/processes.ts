/**
 * The process table of a simulated guest.
 *
 * @module
 */
import type { GuestDefinition, GuestProcess, ProcessEvent, ProcessSession, SpawnRequest } from './system.ts';

/** `TASK_COMM_LEN` without the terminating zero: Linux cuts a process's name to so many bytes. */
export const COMM_BYTES = 15;
const FIRST_PID = 1200;
const SIGNAL_EXIT = 128;
const SIGNALS: Readonly<Record<string, number>> = { HUP: 1, INT: 2, KILL: 9, TERM: 15 };

type Listener = (event: ProcessEvent) => void;

/** Everything of a table, for snapshots. */
export interface ProcessState {
  readonly processes: readonly GuestProcess[];
  readonly nextPid: number;
}

export class ProcessTable {
  readonly #definition: GuestDefinition;
  readonly #now: () => number;
  readonly #listeners = new Set<Listener>();
  #processes = new Map<number, GuestProcess>();
  #nextPid = FIRST_PID;

  constructor(definition: GuestDefinition, now: () => number = Date.now) {
    this.#definition = definition;
    this.#now = now;
    this.boot();
  }

  /** Forgets every process and starts those of a fresh boot with its desktop session. */
  boot(): void {
    this.#processes = new Map();
    for (const [session, paths] of Object.entries(bootProcesses(this.#definition))) {
      for (const path of paths) {
        const user = session === 'system' ? superuser(this.#definition) : this.#definition.user;
        this.spawn({ path, user, session: session as ProcessSession });
      }
    }
  }

  /** Nobody is logged in: the desktop's processes are gone, and the display manager's window is there. */
  logOut(): void {
    for (const { pid, session } of this.list()) if (session === 'desktop') this.exit(pid, 0);
    const greeters = { gnome: '/usr/libexec/gdm-wayland-session', kde: '/usr/bin/sddm-greeter' };
    const path =
      this.#definition.os === 'windows'
        ? 'C:\\Windows\\System32\\LogonUI.exe'
        : greeters[this.#definition.desktop === 'kde' ? 'kde' : 'gnome'];
    this.spawn({ path, user: superuser(this.#definition), session: 'system' });
  }

  /** Power off: every process is gone without a word. */
  clear(): void {
    this.#processes = new Map();
  }

  spawn(request: SpawnRequest): GuestProcess {
    const pid = this.#nextPid++;
    const startedAt = this.#now();
    const process: GuestProcess = {
      pid,
      ppid: request.ppid ?? 1,
      comm: commOf(request.path, this.#definition.os),
      cmdline: [request.path, ...(request.args ?? [])].join(' '),
      user: request.user,
      session: request.session,
      startedAt,
      ...request.task,
      ...(request.busyMs === undefined ? {} : { busyUntil: startedAt + request.busyMs }),
    };
    this.#processes.set(pid, process);
    this.#emit({ type: 'spawned', process, request });
    return process;
  }

  /** Ends a process by signal name (`TERM`, `KILL`). False when there is no such process. */
  kill(pid: number, signal: string): boolean {
    const process = this.#processes.get(pid);
    if (process === undefined) return false;
    this.#processes.delete(pid);
    this.#emit({ type: 'exited', process, exitCode: SIGNAL_EXIT + (SIGNALS[signal] ?? 0), signal });
    return true;
  }

  /** A process ends by itself. */
  exit(pid: number, exitCode: number): void {
    const process = this.#processes.get(pid);
    if (process === undefined) return;
    this.#processes.delete(pid);
    this.#emit({ type: 'exited', process, exitCode });
  }

  list(): readonly GuestProcess[] {
    return [...this.#processes.values()];
  }

  /** Whether it is running on a processor, and not waiting for something. */
  isBusy({ busyUntil = 0 }: GuestProcess): boolean {
    return this.#now() < busyUntil;
  }

  on(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  snapshot(): ProcessState {
    return { processes: this.list(), nextPid: this.#nextPid };
  }

  /** Puts a saved table back. No events: the machine is as if nothing had happened in between. */
  restore(state: ProcessState): void {
    this.#processes = new Map(state.processes.map((process) => [process.pid, process]));
    this.#nextPid = state.nextPid;
  }

  #emit(event: ProcessEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** The kernel's name of a process: the executable's, cut to 15 bytes on Linux. */
export function commOf(path: string, os: 'linux' | 'windows'): string {
  if (os === 'windows') return path.slice(Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/')) + 1);
  const name = Buffer.from(path.slice(path.lastIndexOf('/') + 1));
  return name
    .subarray(0, COMM_BYTES)
    .toString('utf8')
    .replace(/\uFFFD$/, '');
}

function superuser(definition: GuestDefinition): string {
  return definition.os === 'windows' ? 'SYSTEM' : 'root';
}

function bootProcesses(definition: GuestDefinition): Record<string, readonly string[]> {
  if (definition.os === 'windows') {
    const oobe =
      definition.desktop === 'windows11' ? ['C:\\Windows\\SystemApps\\WebExperienceHostApp.exe'] : [];
    return {
      system: ['C:\\Windows\\System32\\services.exe', 'C:\\Windows\\System32\\OpenSSH\\sshd.exe'],
      desktop: ['C:\\Windows\\explorer.exe', ...oobe],
    };
  }
  const shells = { gnome: '/usr/bin/gnome-shell', kde: '/usr/bin/plasmashell', openbox: '/usr/bin/openbox' };
  const shell = shells[definition.desktop as keyof typeof shells];
  return {
    system: ['/usr/lib/systemd/systemd', '/usr/sbin/sshd', '/usr/bin/qemu-ga'],
    desktop: [
      '/usr/lib/systemd/systemd-user',
      shell,
      ...(definition.desktop === 'gnome' ? ['/usr/bin/gnome-keyring-daemon'] : []),
      ...(definition.desktop === 'kde' ? ['/usr/bin/kwalletd6'] : []),
    ],
  };
}
