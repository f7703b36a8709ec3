/**
 * The embedded lab: a Proxmox-compatible server on loopback with simulated and real guests.
 *
 *     const lab = await startLab();
 *     Object.assign(process.env, lab.env());
 *     ...
 *     await lab.stop();
 *
 * @module
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Access } from './api/access.ts';
import { ClusterLog } from './api/cluster-log.ts';
import { Machine } from './api/machine.ts';
import { PciBus } from './api/pci.ts';
import { type Cluster, type Endpoint, Router } from './api/router.ts';
import { accessEndpoints } from './api/routes/access.ts';
import { agentEndpoints } from './api/routes/agent.ts';
import { configEndpoints } from './api/routes/config.ts';
import { consoleEndpoints } from './api/routes/console.ts';
import { nodeEndpoints } from './api/routes/nodes.ts';
import { powerEndpoints } from './api/routes/power.ts';
import { snapshotEndpoints } from './api/routes/snapshots.ts';
import { taskEndpoints } from './api/routes/tasks.ts';
import { createApiServer, type LoggedRequest } from './api/server.ts';
import type { Tampered } from './api/tamper.ts';
import { TaskRegistry } from './api/tasks.ts';
import { createRelay } from './api/vncwebsocket.ts';
import { makeCertificate } from './certificate.ts';
import { createFaults, type Faults } from './faults.ts';
import { configOf, fleet, GUEST_PASSWORD, HARBOR_PASSWORD } from './fleet.ts';
import { type LabGuest, GuestError } from './guests/guest.ts';
import { OnDemandGuest } from './guests/on-demand.ts';
import { startJumpHost } from './jump.ts';

export interface LabOptions {
  /** Names of the simulated guests to offer. Default: all seven. */
  readonly guests?: readonly string[];
  /** Account of the simulated guests' desktop user. Default: tester. */
  readonly user?: string;
  /** Offer the real guests too, those whose image is built. Each starts when it is first needed. Default: false. */
  readonly qemu?: boolean;
  /** Told what takes long: the first start of a real guest. */
  readonly progress?: (line: string) => void;
  /** PVE answers each 401 after 3 s; the lab at once. Milliseconds. */
  readonly unauthorizedDelayMs?: number;
  /** A call that takes longer is answered with 596 and goes on. Milliseconds. Default: 30 s, as pveproxy has it. */
  readonly hopTimeoutMs?: number;
}

export interface Lab {
  /** Base URL of the API, without `/api2/json`. */
  readonly url: string;
  /** The variables with which vmwright's fixtures find the lab. */
  env(): Record<string, string>;
  /** Every API request so far. */
  readonly requests: readonly LoggedRequest[];
  readonly access: Access;
  readonly tasks: TaskRegistry;
  /** What everybody's web page shows under "Cluster log". */
  readonly log: ClusterLog;
  /** The node's PCI devices, and who has them. */
  readonly pci: PciBus;
  readonly faults: Faults;
  /** Further nodes, none at first, and whether they are online. A machine is moved by setting its `node`. */
  readonly others: Map<string, 'online' | 'offline'>;
  /** Nodes whose pvestatd is silent. */
  readonly silent: Set<string>;
  /** Set by tests: what is answered instead of a call's own answer. */
  tamper?: (request: LoggedRequest) => Tampered | undefined;
  /** The machine as the API keeps it. */
  machine(name: string): Machine;
  stop(): Promise<void>;
}

const NODE = 'pve';
const HOP_TIMEOUT_MS = 30_000;
const ENDPOINTS: readonly Endpoint[] = [
  ...accessEndpoints,
  ...nodeEndpoints,
  ...taskEndpoints,
  ...powerEndpoints,
  ...configEndpoints,
  ...snapshotEndpoints,
  ...agentEndpoints,
  ...consoleEndpoints,
];

/** Starts the lab on random loopback ports; nothing of it outlives {@link Lab.stop}. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'vmwright-'));
  const pci = new PciBus();
  const [certificate, machines] = await Promise.all([makeCertificate(), createMachines(options, pci)]);
  pci.isRunning = (vmid) => machines.get(vmid)?.isRunning() ?? false;
  const log = new ClusterLog(NODE, () => Date.now() / 1000);
  const cluster: Cluster = {
    node: NODE,
    others: new Map(),
    silent: new Set(),
    access: new Access(() => Date.now() / 1000),
    machines,
    log,
    tasks: new TaskRegistry(NODE, (user, line) => log.add(user, line)),
    pci,
    consoles: new Map(),
  };
  const relay = createRelay(cluster);
  const jump = await startJumpHost(async (address, port) => {
    const machine = [...machines.values()].find(({ guest }) => guest.address === address);
    if (machine === undefined) throw new GuestError(`no route to ${address}`);
    return machine.guest.openTcp(port);
  });
  const faults = createFaults(cluster, relay, jump);
  const { server, requests } = createApiServer({
    certificate,
    cluster,
    router: new Router(ENDPOINTS),
    unauthorizedDelayMs: options.unauthorizedDelayMs ?? 0,
    hopTimeoutMs: options.hopTimeoutMs ?? HOP_TIMEOUT_MS,
    onUpgrade: (request, socket, head) => relay.handle(request, socket, head),
    tamper: (entry) => lab.tamper?.(entry),
    extra: (request, response, body) => faults.handle(request, response, body),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const caFile = join(folder, 'pve-root-ca.pem');
  writeFileSync(caFile, certificate.ca);

  const lab: Lab = {
    url: `https://127.0.0.1:${port}`,
    env: () => ({
      PROXMOX_HOST: '127.0.0.1',
      PROXMOX_PORT: String(port),
      PROXMOX_TOKEN_ID: cluster.access.tokenId,
      PROXMOX_TOKEN_SECRET: cluster.access.tokenSecret,
      PROXMOX_CA_FILE: caFile,
      SSH_JUMP_HOST: '127.0.0.1',
      SSH_JUMP_PORT: String(jump.port),
      SSH_JUMP_USER: jump.user,
      SSH_JUMP_PASSWORD: jump.password,
      SSH_KNOWN_HOSTS_FILE: join(folder, 'known_hosts'),
      HARBOR_PASSWORD,
      ...Object.fromEntries(
        [...machines.values()].map((machine) => [passwordName(machine.name), GUEST_PASSWORD]),
      ),
    }),
    requests,
    access: cluster.access,
    tasks: cluster.tasks,
    log,
    pci,
    faults,
    others: cluster.others,
    silent: cluster.silent,
    machine(name) {
      const found = [...machines.values()].find((machine) => machine.name === name);
      if (found === undefined) throw new Error(`the lab has no machine "${name}"`);
      return found;
    },
    async stop() {
      relay.cut();
      server.close();
      server.closeAllConnections();
      await jump.close();
      await Promise.all([...machines.values()].map((machine) => machine.guest.dispose()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return lab;
}

async function createMachines(options: LabOptions, pci: PciBus): Promise<Map<number, Machine>> {
  const { createSimulatedGuest } = await import('./guests/simulated/index.ts');
  const chosen = fleet.filter(({ name }) => options.guests === undefined || options.guests.includes(name));
  const machines = chosen.map((definition) => {
    const guest: LabGuest = createSimulatedGuest({ ...definition, user: options.user ?? definition.user });
    return new Machine(definition.vmid, NODE, configOf(definition), guest, pci);
  });
  if (options.qemu === true) {
    const { createQemuGuest, builtImage, cacheFolder, desktops } = await import('./guests/qemu/index.ts');
    const { progress } = options;
    const said = progress === undefined ? {} : { progress };
    for (const desktop of desktops) {
      const image = builtImage(cacheFolder(), desktop);
      if (image === undefined) continue;
      const guest = new OnDemandGuest({
        address: desktop.guest.address,
        snapshots: [{ name: 'ready', ram: true, savedAt: new Date(image.manifest.builtAt) }],
        create: () => createQemuGuest({ desktop, running: false, ...said }),
      });
      machines.push(new Machine(desktop.guest.vmid, NODE, configOf(desktop.guest), guest, pci));
    }
  }
  return new Map(machines.map((machine) => [machine.vmid, machine]));
}

/** The variable with a machine's password: `DEBIAN12_KDE_PASSWORD` for debian12-kde. */
function passwordName(machine: string): string {
  return `${machine.toUpperCase().replace(/\W/g, '_')}_PASSWORD`;
}
