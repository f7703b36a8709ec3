/**
 * The state of one simulated operating system, shared by its shell (SSH, agent) and its desktop (VNC).
 *
 * @module
 */

/** Where a process runs: only `desktop` processes can show windows (on Windows: the interactive session 1). */
export type ProcessSession = 'system' | 'ssh' | 'desktop';

export interface GuestProcess {
  readonly pid: number;
  readonly ppid: number;
  /** Kernel name: the basename of the executable, cut to 15 bytes on Linux; `Name.exe` on Windows. */
  readonly comm: string;
  /** Whole command line, which `pgrep -f` searches. */
  readonly cmdline: string;
  readonly user: string;
  readonly session: ProcessSession;
  readonly startedAt: number;
  /** Until when it is loading, and deaf; undefined for what is there at once. */
  readonly busyUntil?: number;
  /** Of a program that the Task Scheduler has started: its task's. */
  readonly priority?: number;
  readonly cwd?: string;
  readonly timeLimit?: string;
}

export interface SpawnRequest {
  readonly path: string;
  readonly args?: readonly string[];
  readonly user: string;
  readonly session: ProcessSession;
  readonly ppid?: number;
  /** So long it only loads. Milliseconds. */
  readonly busyMs?: number;
  readonly task?: { readonly priority: number; readonly cwd: string; readonly timeLimit: string };
}

/** What happened to a process; the desktop listens to open and close windows. */
export type ProcessEvent =
  | { readonly type: 'spawned'; readonly process: GuestProcess; readonly request: SpawnRequest }
  | {
      readonly type: 'exited';
      readonly process: GuestProcess;
      readonly exitCode: number;
      readonly signal?: string;
    };

/** Files of the guest: what `just-bash` and the desktop's programs both see. Paths are POSIX, or `C:\…` on Windows. */
export interface GuestFiles {
  exists(path: string): Promise<boolean>;
  read(path: string): Promise<string>;
  write(path: string, content: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Which machine is simulated: taken from the lab's guest definition, which mirrors a matrix row. */
export interface GuestDefinition {
  readonly vmid: number;
  readonly name: string;
  readonly os: 'linux' | 'windows';
  readonly desktop: 'gnome' | 'kde' | 'openbox' | 'windows10' | 'windows11';
  readonly session: 'wayland' | 'x11' | 'windows';
  /** What `uname -r` or the Windows build number says. */
  readonly kernel: string;
  /** `PRETTY_NAME` of /etc/os-release, or the Windows caption. */
  readonly prettyName: string;
  readonly osId: string;
  readonly user: string;
  readonly password: string;
  readonly screen: { readonly width: number; readonly height: number };
  readonly address: string;
  readonly mac: string;
}
