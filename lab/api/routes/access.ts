/** `/access`, `/version` and the node's clock. @module */
import { ApiError } from '../errors.ts';
import { type Endpoint, text } from '../router.ts';

const VERSION = { release: '9.2', version: '9.2.4', repoid: '5e5ae681198514d4' };

export const accessEndpoints: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/access/ticket',
    public: true,
    rules: {
      username: { type: 'string', required: true },
      password: { type: 'string', required: true },
      realm: { type: 'string' },
      otp: { type: 'string' },
      'new-format': { type: 'boolean' },
      'tfa-challenge': { type: 'string' },
    },
    handle(call) {
      const name = text(call, 'username') ?? '';
      const realm = text(call, 'realm');
      const username = realm === undefined || name.includes('@') ? name : `${name}@${realm}`;
      if (!username.includes('@')) throw new ApiError(401, 'authentication failure');
      return { data: call.cluster.access.login(username, text(call, 'password') ?? '') };
    },
  },
  { method: 'GET', path: '/version', rules: {}, handle: () => ({ data: VERSION }) },
  {
    method: 'GET',
    path: '/access/permissions',
    rules: { path: { type: 'string' }, userid: { type: 'string' } },
    // Without a path PVE lists every path that has entries; with one, what counts there.
    handle: (call) => ({
      data: {
        [text(call, 'path') ?? '/']: Object.fromEntries(
          [...call.cluster.access.privileges].map((name) => [name, 1]),
        ),
      },
    }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/time',
    rules: {},
    handle: ({ cluster }) => {
      const now = Math.floor(cluster.access.now());
      if (!cluster.access.privileges.has('Sys.Audit')) {
        throw new ApiError(403, `Permission check failed (/nodes/${cluster.node}, Sys.Audit)`);
      }
      return { data: { time: now, localtime: now, timezone: 'UTC' } };
    },
  },
];
