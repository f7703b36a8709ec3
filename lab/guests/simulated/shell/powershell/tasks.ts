/**
 * The Task Scheduler: a task is started some time after it is asked for, in a session of its principal or not at all.
 *
 * @module
 */
import type { ShellHost } from '../shell.ts';
import { sidOf } from './console.ts';
import { denied } from './denied.ts';
import { errorRecord } from './errors.ts';
import { type Commands, property, show } from './run.ts';

/** winerror.h, taskschd: what `LastTaskResult` holds. */
const HAS_NOT_RUN = 267_011;
const IS_RUNNING = 267_009;
const FILE_NOT_FOUND = 2_147_942_402;
const ELEVATION_REQUIRED = 2_147_943_140;
/** E_USER_REQUEST_REFUSED: nobody is logged on whose session would do. */
const REFUSED = 2_147_946_720;
const SOON_MS = 100;
const LATE_MS = 2000;
const SYSTEM32 = 'c:\\windows\\system32\\';

interface Task {
  readonly path: string;
  readonly arguments: string;
  readonly sid: string | undefined;
  readonly isInteractive: boolean;
  readonly settings: { readonly priority: number; readonly cwd: string; readonly timeLimit: string };
  readonly startsOnBattery: boolean;
  state: 'Ready' | 'Queued' | 'Running';
  result: number;
  timer?: NodeJS.Timeout;
}

/** All tasks of a machine, whoever asks. */
export class TaskScheduler {
  readonly #host: ShellHost;
  readonly #tasks = new Map<string, Task>();

  constructor(host: ShellHost) {
    this.#host = host;
  }

  commands(user: string): Commands {
    const { definition } = this.#host;
    const missing = (verb: string, name: string) => ({
      errors: [
        errorRecord(
          `${verb} : No MSFT_ScheduledTask objects found with property 'TaskName' equal to '${name}'.`,
          `CmdletizationQuery_NotFound_TaskName,${verb}`,
          'ObjectNotFound',
        ),
      ],
    });
    const all: Commands = {
      'new-scheduledtaskaction': (call) => ({
        values: [
          {
            Execute: show(call.named('Execute') ?? ''),
            Arguments: show(call.named('Argument') ?? ''),
            WorkingDirectory: show(call.named('WorkingDirectory') ?? 'C:\\Windows\\System32'),
          },
        ],
      }),
      'new-scheduledtaskprincipal': (call) => ({
        values: [
          { UserId: show(call.named('UserId') ?? ''), LogonType: show(call.named('LogonType') ?? 'S4U') },
        ],
      }),
      'new-scheduledtasksettingsset': (call) => ({
        values: [
          {
            Priority: Number(call.named('Priority') ?? 7),
            Battery: call.named('AllowStartIfOnBatteries') === true,
            TimeLimit: show(call.named('ExecutionTimeLimit') ?? '72:00:00'),
          },
        ],
      }),
      'register-scheduledtask': (call) => {
        const action = call.named('Action') ?? null;
        const principal = call.named('Principal') ?? null;
        const settings = call.named('Settings') ?? null;
        const id = show(property(principal, 'UserId') ?? '');
        this.#tasks.set(show(call.named('TaskName') ?? ''), {
          path: show(property(action, 'Execute') ?? '').replaceAll('"', ''),
          arguments: show(property(action, 'Arguments') ?? ''),
          sid: id.startsWith('S-1-') ? id : sidOf(definition, id),
          isInteractive: /^Interactive$/i.test(show(property(principal, 'LogonType') ?? '')),
          startsOnBattery: property(settings, 'Battery') === true,
          settings: {
            priority: Number(property(settings, 'Priority') ?? 7),
            cwd: show(property(action, 'WorkingDirectory') ?? ''),
            timeLimit: show(property(settings, 'TimeLimit') ?? '72:00:00'),
          },
          state: 'Ready',
          result: HAS_NOT_RUN,
        });
        return { values: [{ display: 'task' }] };
      },
      'start-scheduledtask': (call) => {
        const name = show(call.argument('TaskName', 0) ?? '');
        const task = this.#tasks.get(name);
        if (task === undefined) return missing('Start-ScheduledTask', name);
        this.#start(task);
        return {};
      },
      'get-scheduledtask': (call) => {
        const name = show(call.argument('TaskName', 0) ?? '');
        const task = this.#tasks.get(name);
        if (task === undefined) return missing('Get-ScheduledTask', name);
        return { values: [{ display: name, TaskName: name, State: task.state }] };
      },
      'get-scheduledtaskinfo': (call) => {
        const name = show(call.argument('TaskName', 0) ?? '');
        const task = this.#tasks.get(name);
        if (task === undefined) return missing('Get-ScheduledTaskInfo', name);
        return { values: [{ display: name, LastTaskResult: task.result }] };
      },
      'unregister-scheduledtask': (call) => {
        const name = show(call.argument('TaskName', 0) ?? '');
        const task = this.#tasks.get(name);
        if (task === undefined) return { errors: [`Unregister-ScheduledTask : No task "${name}" found.`] };
        // What is still queued never starts.
        clearTimeout(task.timer);
        this.#tasks.delete(name);
        return {};
      },
    };
    if (!isDenied(this.#host, user)) return all;
    return Object.fromEntries(
      Object.entries(all).map(([name, run]) => [
        name,
        name.startsWith('new-') ? run : () => ({ errors: [denied(name, 'HRESULT 0x80070005')] }),
      ]),
    );
  }

  #start(task: Task): void {
    const { faults } = this.#host;
    if (faults.has('on-battery') && !task.startsOnBattery) {
      task.state = 'Queued';
      return;
    }
    if (!faults.has('tasks-start-later')) {
      void this.#run(task);
      return;
    }
    task.state = 'Queued';
    const timer = setTimeout(() => void this.#run(task), faults.has('slow-tasks') ? LATE_MS : SOON_MS);
    task.timer = timer;
  }

  async #run(task: Task): Promise<void> {
    const { processes, disk } = this.#host;
    const isTool = task.path.toLowerCase().startsWith(SYSTEM32);
    const refused = await this.#refused(task, isTool, () => disk.exists(task.path));
    if (refused !== undefined) {
      end(task, refused);
      return;
    }
    if (isTool) {
      this.#tool(task);
      end(task, 0);
      return;
    }
    const session = task.isInteractive ? 'desktop' : 'system';
    const { pid } = processes.spawn({
      path: task.path,
      args: task.arguments === '' ? [] : [task.arguments.replace(/^"(.*)"$/, '$1')],
      user: this.#userOf(task),
      session,
      task: task.settings,
    });
    task.state = 'Running';
    task.result = IS_RUNNING;
    const leave = processes.on((event) => {
      if (event.type !== 'exited' || event.process.pid !== pid) return;
      end(task, event.exitCode);
      leave();
    });
  }

  /** Why it is not started; undefined when it is. */
  async #refused(task: Task, isTool: boolean, exists: () => Promise<boolean>): Promise<number | undefined> {
    const { definition, faults } = this.#host;
    const present = faults.has('other-session') ? 'somebody' : definition.user;
    const isPresent = task.sid === sidOf(definition, present) && !faults.has('greeter');
    if (task.isInteractive && !isPresent) return REFUSED;
    if (isTool) return undefined;
    if (!(await exists())) return FILE_NOT_FOUND;
    const isElevated = this.#userOf(task) === 'SYSTEM';
    return faults.has('needs-elevation') && !isElevated ? ELEVATION_REQUIRED : undefined;
  }

  #userOf(task: Task): string {
    const { definition } = this.#host;
    return task.sid === sidOf(definition, 'SYSTEM') ? 'SYSTEM' : definition.user;
  }

  /** `taskkill /IM x.exe` without /F asks the windows of its own session to close. */
  #tool(task: Task): void {
    const { processes, definition } = this.#host;
    const image = /\/IM\s+"?([^"]+?)"?\s*$/i.exec(task.arguments)?.[1];
    if (!/taskkill\.exe$/i.test(task.path) || image === undefined) return;
    for (const { pid, comm, session, user } of processes.list()) {
      const isWindow = session === 'desktop' && user === definition.user;
      if (isWindow && comm.toLowerCase() === image.toLowerCase()) processes.exit(pid, 0);
    }
  }
}

function end(task: Task, result: number): void {
  task.state = 'Ready';
  task.result = result;
}

/** Over SSH a standard user is denied what is for INTERACTIVE. */
export function isDenied({ faults }: Pick<ShellHost, 'faults'>, user: string): boolean {
  return user !== 'SYSTEM' && faults.has('standard-user');
}
