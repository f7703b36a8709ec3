/** `/nodes/{node}/tasks`. @module */
import type { Endpoint } from '../router.ts';
import { taskLog, taskStatus } from '../tasks.ts';

export const taskEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/status',
    rules: {},
    handle: ({ cluster, path }) => ({ data: taskStatus(cluster.tasks.find(path.upid ?? '')) }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/log',
    rules: { start: { type: 'integer', minimum: 0 }, limit: { type: 'integer', minimum: 0 } },
    handle: ({ cluster, path, parameters }) =>
      taskLog(
        cluster.tasks.find(path.upid ?? ''),
        Number(parameters.start ?? 0),
        Number(parameters.limit ?? 50),
      ),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/tasks',
    rules: {
      source: { type: 'string', values: ['active', 'archive', 'all'] },
      vmid: { type: 'integer' },
      limit: { type: 'integer', minimum: 0 },
      start: { type: 'integer', minimum: 0 },
    },
    handle({ cluster, parameters }) {
      const { source = 'archive', vmid } = parameters;
      const tasks = cluster.tasks
        .list()
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
