/** `/nodes/{node}/qemu/{vmid}/vncproxy`: a single-use ticket for the screen. @module */
import { randomBytes } from 'node:crypto';
import { type Endpoint, machineOf } from '../router.ts';

const FIRST_PORT = 5900;
const PORTS = 100;
/** The listener waits so long for its one connection. */
const LISTEN_S = 10;
/** The alphabet is `!` to backtick: it holds `:`, `#`, `%`, `&`, `+`, `;`, `?` and the backslash. */
const PASSWORD_LENGTH = 8;

export const consoleEndpoints: readonly Endpoint[] = [
  {
    route: 'POST /nodes/{node}/qemu/{vmid}/vncproxy',
    rules: { websocket: { type: 'boolean' }, 'generate-password': { type: 'boolean' } },
    handle(call) {
      const machine = machineOf(call);
      const { cluster, caller } = call;
      const now = cluster.access.now();
      const port = freePort(cluster.consoles, now);
      const password = randomPassword();
      const ticket = `${password}:${cluster.access.vncTicket(caller, `/vms/${machine.vmid}`, port)}`;
      cluster.consoles.set(port, {
        vmid: machine.vmid,
        caller: caller.id,
        password,
        expiresAt: now + LISTEN_S,
      });
      const upid = cluster.tasks.start('vncproxy', String(machine.vmid), caller.id, () =>
        Promise.resolve(undefined),
      );
      return { data: { user: caller.id, ticket, password, port: String(port), upid, cert: '' } };
    },
  },
];

function freePort(consoles: Map<number, { expiresAt: number }>, now: number): number {
  for (const [port, { expiresAt }] of consoles) if (expiresAt < now) consoles.delete(port);
  for (let port = FIRST_PORT; port < FIRST_PORT + PORTS; port++) if (!consoles.has(port)) return port;
  throw new Error('unable to find free port (5900-5999)');
}

function randomPassword(): string {
  return String.fromCharCode(...[...randomBytes(PASSWORD_LENGTH)].map((byte) => 0x21 + (byte & 0x3f)));
}
