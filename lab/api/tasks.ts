/**
 * Worker tasks: UPIDs, exit states and logs.
 *
 * @module
 */
import { ApiError, badParameters } from './errors.ts';

export interface Task {
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  readonly starttime: number;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  endtime: number | undefined;
  exitstatus: string | undefined;
  readonly log: string[];
}

/** What a task's body can do: write to its log, and end with warnings by returning their number. */
export interface TaskContext {
  log(line: string): void;
}

/** The tasks of a node, newest last. */
export class TaskRegistry {
  readonly #node: string;
  /** Told of each line that a task writes into the cluster's log. */
  readonly #log: (user: string, line: string) => void;
  readonly #tasks = new Map<string, Task>();
  #pid = 0x4000;
  /** Held back by tests that want to see a task running. Awaited before each body. */
  gate: () => Promise<void> = () => Promise.resolve();
  /** The daemon's process that answers has asked for the status of each task before its last line was written, and keeps that. */
  isAskedTooEarly = false;

  constructor(node: string, log: (user: string, line: string) => void = () => undefined) {
    this.#node = node;
    this.#log = log;
  }

  /** Starts `body` in the background and returns the UPID at once. A thrown error's message becomes the exit status. */
  start(
    type: string,
    id: string,
    user: string,
    body: (context: TaskContext) => Promise<number | undefined>,
  ): string {
    return this.run(type, id, user, body).upid;
  }

  /** As {@link start}, with the promise of the end. */
  run(
    type: string,
    id: string,
    user: string,
    body: (context: TaskContext) => Promise<number | undefined>,
  ): { upid: string; done: Promise<Task> } {
    const starttime = Math.floor(Date.now() / 1000);
    const pid = ++this.#pid;
    const pstart = 0x0005_b000 + pid;
    const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');
    const upid = `UPID:${this.#node}:${hex(pid)}:${hex(pstart)}:${hex(starttime)}:${type}:${id}:${user}:`;
    const task: Task = {
      upid,
      node: this.#node,
      pid,
      pstart,
      starttime,
      type,
      id,
      user,
      endtime: undefined,
      exitstatus: undefined,
      log: [],
    };
    this.#tasks.set(upid, task);
    this.#log(user, `starting task ${upid}`);
    return { upid, done: this.#execute(task, body) };
  }

  /** @throws 400 `no such task`, `unable to parse worker upid` */
  find(upid: string): Task {
    if (!/^UPID:[^:]+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:[^:]+:[^:]*:[^:]+:$/.test(upid)) {
      throw badParameters({ upid: 'unable to parse worker upid' });
    }
    const task = this.#tasks.get(upid);
    if (task === undefined) throw badParameters({ upid: 'no such task' });
    return task;
  }

  list(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  async #execute(task: Task, body: (context: TaskContext) => Promise<number | undefined>): Promise<Task> {
    try {
      await this.gate();
      const warnings = await body({ log: (line) => task.log.push(line) });
      task.exitstatus = warnings === undefined || warnings === 0 ? 'OK' : `WARNINGS: ${warnings}`;
      task.log.push(`TASK ${task.exitstatus}`);
    } catch (error) {
      task.exitstatus = error instanceof Error ? error.message : String(error);
      task.log.push(`TASK ERROR: ${task.exitstatus}`);
    }
    task.endtime = Math.floor(Date.now() / 1000);
    this.#log(task.user, `end task ${task.upid} ${task.exitstatus}`);
    return task;
  }
}

/** What a process keeps that asked too early (PVE::Tools, `upid_read_status`). */
const TOO_EARLY = 'unexpected status';

/** The user as a UPID and `GET status` name it: tokens keep their user, with the token's name apart. */
export function taskStatus(task: Task, isAskedTooEarly = false): Record<string, unknown> {
  const [user = '', tokenid] = task.user.split('!');
  return {
    upid: task.upid,
    node: task.node,
    pid: task.pid,
    pstart: task.pstart,
    starttime: task.starttime,
    type: task.type,
    id: task.id,
    user,
    ...(tokenid === undefined ? {} : { tokenid }),
    status: task.exitstatus === undefined ? 'running' : 'stopped',
    ...(task.exitstatus === undefined ? {} : { exitstatus: isAskedTooEarly ? TOO_EARLY : task.exitstatus }),
  };
}

/** One page of a task's log; PVE says `no content` for an empty one. */
export function taskLog(
  task: Task,
  start: number,
  limit: number,
): { data: { n: number; t: string }[]; total: number } {
  if (task.log.length === 0) return { data: [{ n: 1, t: 'no content' }], total: 1 };
  const lines = task.log.map((text, index) => ({ n: index + 1, t: text }));
  return { data: limit === 0 ? lines : lines.slice(start, start + limit), total: lines.length };
}

/** A body that fails as a locked VM does. */
export function lockedError(lock: string): ApiError {
  return new ApiError(500, `VM is locked (${lock})`);
}
