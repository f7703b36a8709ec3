/** `/access`, `/version` and the node's clock. @module */
import { ApiError } from '../errors.ts';
import { type Endpoint, text } from '../router.ts';

const VERSION = { release: '9.2', version: '9.2.4', repoid: '5e5ae681198514d4' };

export const accessEndpoints: readonly Endpoint[] = [
  {
    route: 'POST /access/ticket',
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
  { route: 'GET /version', rules: {}, handle: () => ({ data: VERSION }) },
  {
    route: 'GET /access/permissions',
    rules: { path: { type: 'string' }, userid: { type: 'string' } },
    // Without a path PVE lists every path that has entries; with one, what counts there.
    handle(call) {
      const { access } = call.cluster;
      const named = text(call, 'path');
      const paths = named === undefined ? [...access.acl.keys()] : [named];
      const at = (path: string): Record<string, number> =>
        Object.fromEntries([...access.privilegesAt(call.caller, path)].map((name) => [name, 1]));
      return { data: Object.fromEntries(paths.map((path) => [path, at(path)])) };
    },
  },
  {
    route: 'GET /nodes/{node}/time',
    rules: {},
    handle: ({ cluster }) => {
      const now = Math.floor(cluster.access.now());
      return { data: { time: now, localtime: now, timezone: 'UTC' } };
    },
  },
];
