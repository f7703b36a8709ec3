/**
 * The lab's API with one machine and a clock that a test moves: tickets and consoles grow old in no time.
 *
 * @module
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Access } from '../../../lab/api/access.ts';
import { ClusterLog } from '../../../lab/api/cluster-log.ts';
import { Machine } from '../../../lab/api/machine.ts';
import { PciBus } from '../../../lab/api/pci.ts';
import { type Cluster, Router } from '../../../lab/api/router.ts';
import { accessEndpoints } from '../../../lab/api/routes/access.ts';
import { consoleEndpoints } from '../../../lab/api/routes/console.ts';
import { createApiServer } from '../../../lab/api/server.ts';
import { TaskRegistry } from '../../../lab/api/tasks.ts';
import { createRelay } from '../../../lab/api/vncwebsocket.ts';
import { makeCertificate } from '../../../lab/certificate.ts';
import { configOf, fleet } from '../../../lab/fleet.ts';
import { createSimulatedGuest } from '../../../lab/guests/simulated/index.ts';
import type { Target } from './raw.ts';

export interface ClockedApi extends Target {
  readonly access: Access;
  /** Moves the server's clock. Seconds. */
  readonly advance: (seconds: number) => void;
  stop(): Promise<void>;
}

/** 2026-07-05 in seconds since the epoch. */
const START_S = 1_783_271_151;

export async function startClockedApi(): Promise<ClockedApi> {
  let now = START_S;
  const definition = fleet.find(({ name }) => name === 'fedora42')!;
  const guest = createSimulatedGuest(definition);
  const access = new Access(() => now);
  const cluster: Cluster = {
    node: 'pve',
    others: new Map(),
    silent: new Set(),
    access,
    machines: new Map([[101, new Machine(101, 'pve', configOf(definition), guest)]]),
    tasks: new TaskRegistry('pve'),
    log: new ClusterLog('pve', () => now),
    pci: new PciBus(),
    consoles: new Map(),
  };
  const relay = createRelay(cluster);
  const certificate = await makeCertificate();
  const { server } = createApiServer({
    certificate,
    cluster,
    router: new Router([...accessEndpoints, ...consoleEndpoints]),
    unauthorizedDelayMs: 0,
    hopTimeoutMs: 30_000,
    tamper: () => undefined,
    onUpgrade: (request, socket, head) => relay.handle(request, socket, head),
    extra: () => false,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    ca: certificate.ca,
    access,
    advance: (seconds) => {
      now += seconds;
    },
    async stop() {
      relay.cut();
      server.close();
      server.closeAllConnections();
      await guest.dispose();
    },
  };
}
