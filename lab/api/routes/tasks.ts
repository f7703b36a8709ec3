/** `/nodes/{node}/tasks`. @module */
import type { Caller } from '../access.ts';
import type { Call, Endpoint } from '../router.ts';
import { type Task, taskLog, taskStatus } from '../tasks.ts';

/** A token sees its own tasks, a user also those of their tokens. */
function isOwn({ user }: Task, { id }: Caller): boolean {
  return user === id || user.startsWith(`${id}!`);
}

/** The task that the path names. @throws 403 when it is somebody else's, without Sys.Audit on its node */
function seenTask({ cluster, caller, path }: Call): Task {
  const task = cluster.tasks.find(path.upid ?? '');
  if (!isOwn(task, caller)) cluster.access.check(caller, `/nodes/${path.node ?? ''}`, ['Sys.Audit']);
  return task;
}

export const taskEndpoints: readonly Endpoint[] = [
  {
    route: 'GET /nodes/{node}/tasks/{upid}/status',
    rules: {},
    handle: (call) => ({ data: taskStatus(seenTask(call), call.cluster.tasks.isAskedTooEarly) }),
  },
  {
    route: 'GET /nodes/{node}/tasks/{upid}/log',
    rules: { start: { type: 'integer', minimum: 0 }, limit: { type: 'integer', minimum: 0 } },
    handle: (call) =>
      taskLog(seenTask(call), Number(call.parameters.start ?? 0), Number(call.parameters.limit ?? 50)),
  },
  {
    route: 'GET /nodes/{node}/tasks',
    rules: {
      source: { type: 'string', values: ['active', 'archive', 'all'] },
      vmid: { type: 'integer' },
      limit: { type: 'integer', minimum: 0 },
      start: { type: 'integer', minimum: 0 },
    },
    handle({ cluster, caller, path, parameters }) {
      const { source = 'archive', vmid } = parameters;
      const seesAll = cluster.access.may(caller, `/nodes/${path.node ?? ''}`, ['Sys.Audit']);
      const tasks = cluster.tasks
        .list()
        .filter((task) => seesAll || isOwn(task, caller))
        .filter((task) => vmid === undefined || task.id === String(vmid as number))
        .filter((task) => source === 'all' || (task.exitstatus === undefined) === (source === 'active'))
        .toReversed();
      const data = tasks.map((task) => {
        const endtime = task.endtime === undefined ? {} : { endtime: task.endtime };
        return { ...taskStatus(task), ...endtime, status: task.exitstatus ?? 'RUNNING' };
      });
      return { data, total: data.length };
    },
  },
];
