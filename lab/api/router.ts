/**
 * Endpoints as data: method, path with `{parameters}`, rules, handler.
 *
 * @module
 */
import type { Access, Caller } from './access.ts';
import type { ClusterLog } from './cluster-log.ts';
import { ApiError } from './errors.ts';
import type { Machine } from './machine.ts';
import type { PciBus } from './pci.ts';
import { assertPermitted, PERMISSIONS, type Route } from './permissions.ts';
import { type Parameters, type RawParameters, type Rules, verifyParameters } from './parameters.ts';
import type { TaskRegistry } from './tasks.ts';

/** What the handlers share. */
export interface Cluster {
  readonly node: string;
  /** Further nodes, and whether they are online. */
  readonly others: Map<string, 'online' | 'offline'>;
  /** Nodes whose pvestatd tells nothing: their VMs have no name and no state in `/cluster/resources`. */
  readonly silent: Set<string>;
  readonly access: Access;
  readonly machines: ReadonlyMap<number, Machine>;
  readonly tasks: TaskRegistry;
  readonly log: ClusterLog;
  readonly pci: PciBus;
  /** Console listeners by port: `vncproxy` opens one, `vncwebsocket` uses it up. */
  readonly consoles: Map<number, ConsoleTicket>;
}

export interface ConsoleTicket {
  readonly vmid: number;
  readonly caller: string;
  readonly password: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export interface Call {
  readonly cluster: Cluster;
  readonly caller: Caller;
  readonly path: Readonly<Record<string, string>>;
  readonly parameters: Parameters;
}

/** `data`, or with `total` beside it where PVE pages. */
export interface Answer {
  readonly data: unknown;
  readonly total?: number;
}

export interface Endpoint {
  readonly route: Route;
  readonly rules: Rules;
  handle(call: Call): Promise<Answer> | Answer;
}

interface Compiled {
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

export class Router {
  readonly #routes: readonly Compiled[];

  constructor(endpoints: readonly Endpoint[]) {
    this.#routes = endpoints.map((endpoint) => {
      const [method = '', path = ''] = endpoint.route.split(' ');
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
      return { endpoint, method, names, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`) };
    });
  }

  /** True when the endpoint needs no log-in. */
  isPublic(method: string, path: string): boolean {
    return this.#routes.some(
      (route) =>
        route.method === method && route.pattern.test(path) && PERMISSIONS[route.endpoint.route] === 'world',
    );
  }

  /** @throws 501 `Method 'GET /foo' not implemented`, `no such uri` */
  find(method: string, path: string): { endpoint: Endpoint; path: Record<string, string> } {
    for (const { endpoint, method: own, pattern, names } of this.#routes) {
      const match = own === method ? pattern.exec(path) : null;
      if (match === null) continue;
      const values = match.slice(1).map((part) => decodeURIComponent(part));
      return { endpoint, path: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) };
    }
    throw new ApiError(501, `Method '${method} ${path}' not implemented`);
  }
}

/** Checks permissions, node and parameters, in PVE's order, and calls the endpoint. */
export async function dispatch(
  cluster: Cluster,
  caller: Caller,
  found: { endpoint: Endpoint; path: Record<string, string> },
  raw: RawParameters,
): Promise<Answer> {
  assertPermitted(cluster.access, caller, found.endpoint.route, found.path);
  const { node } = found.path;
  if (node !== undefined && cluster.others.get(node) === 'offline')
    throw new ApiError(595, 'No route to host', { bodiless: true });
  if (node !== undefined && node !== cluster.node && !cluster.others.has(node)) {
    const reason = `failed to get address info for: ${node}: Name or service not known`;
    throw new ApiError(500, `hostname lookup '${node}' failed - ${reason}`);
  }
  const parameters = verifyParameters(raw, found.endpoint.rules);
  return found.endpoint.handle({ cluster, caller, path: found.path, parameters });
}

/** The VM that the path names. @throws 500 `Configuration file '...' does not exist`, 400 for a malformed id */
export function machineOf({ cluster, path }: Call): Machine {
  const { vmid = '' } = path;
  if (!/^[1-9][0-9]{2,8}$/.test(vmid)) {
    throw new ApiError(400, 'Parameter verification failed.', {
      errors: { vmid: 'invalid format - value does not look like a valid VM ID\n' },
    });
  }
  const machine = cluster.machines.get(Number(vmid));
  const { node = cluster.node } = path;
  // The config file of a VM lies in the folder of the node that has it.
  if (machine?.node !== node)
    throw new ApiError(500, `Configuration file 'nodes/${node}/qemu-server/${vmid}.conf' does not exist`);
  return machine;
}

/** A string parameter, or undefined. */
export function text(call: Call, name: string): string | undefined {
  const value = call.parameters[name];
  return typeof value === 'string' ? value : undefined;
}
