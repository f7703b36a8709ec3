/**
 * Things that go wrong on demand, in process and over HTTP (`POST /lab/faults`, same token as the API).
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Machine } from './api/machine.ts';
import type { Cluster } from './api/router.ts';
import type { Relay } from './api/vncwebsocket.ts';
import type { JumpHost } from './jump.ts';

export interface Faults {
  /**
   * Switches a fault of one machine: `drop-vnc` and `drop-ssh` cut what is open now, `no-vnc`, `no-ssh` and
   * `no-agent` refuse from now on, `lock:backup` sets a config lock.
   */
  set(name: string, fault: string, on: boolean): void;
  handle(request: IncomingMessage, response: ServerResponse, body: string): boolean;
}

export function createFaults(cluster: Cluster, relay: Relay, jump: JumpHost): Faults {
  const find = (name: string): Machine => {
    const machine = [...cluster.machines.values()].find((candidate) => candidate.name === name);
    if (machine === undefined) throw new Error(`the lab has no machine "${name}"`);
    return machine;
  };
  const set = (name: string, fault: string, on: boolean): void => {
    const machine = find(name);
    const { guest } = machine;
    if (fault === 'drop-vnc') relay.cut(machine.vmid);
    else if (fault === 'drop-ssh') jump.cut();
    else if (fault.startsWith('lock:')) machine.lock = on ? fault.slice('lock:'.length) : undefined;
    else if (guest.setFault !== undefined) guest.setFault(fault, on);
    else throw new Error(`${name} has no fault "${fault}"`);
    if (fault === 'no-vnc' && on) relay.cut(machine.vmid);
    if (fault === 'no-ssh' && on) jump.cut();
  };
  return {
    set,
    handle(request, response, body) {
      if (request.url !== '/lab/faults' || request.method !== 'POST') return false;
      cluster.access.authenticate(request);
      const { guest, fault, on } = JSON.parse(body) as { guest: string; fault: string; on: boolean };
      set(guest, fault, on);
      response.writeHead(204).end();
      return true;
    },
  };
}
