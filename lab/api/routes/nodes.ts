/** `/nodes`, `/cluster` and the lists of guests. @module */
import type { Caller } from '../access.ts';
import type { Machine } from '../machine.ts';
import type { PciBus } from '../pci.ts';
import { type Cluster, machineOf, type Endpoint } from '../router.ts';

const GIB = 1024 ** 3;
/** One of these shows a mapping (PVE::API2::Cluster::Mapping::PCI). */
const MAPPING_PRIVILEGES = ['Mapping.Modify', 'Mapping.Use', 'Mapping.Audit'];

export const nodeEndpoints: readonly Endpoint[] = [
  {
    route: 'GET /nodes',
    rules: {},
    handle: ({ cluster, caller }) => ({
      data: [[cluster.node, 'online'] as const, ...cluster.others].map(([node, status]) => ({
        node,
        type: 'node',
        id: `node/${node}`,
        status,
        ...(status === 'offline' || !cluster.access.may(caller, `/nodes/${node}`, ['Sys.Audit'])
          ? {}
          : {
              cpu: 0.02,
              maxcpu: 16,
              mem: 8 * GIB,
              maxmem: 64 * GIB,
              disk: 20 * GIB,
              maxdisk: 200 * GIB,
              uptime: Math.floor(process.uptime()),
              level: '',
            }),
      })),
    }),
  },
  {
    route: 'GET /nodes/{node}/qemu',
    rules: { full: { type: 'boolean' } },
    handle: ({ cluster, caller, parameters, path }) => ({
      data: seen(cluster, caller, path.node).map((machine) => ({
        ...listed(machine),
        ...(parameters.full === true ? { qmpstatus: machine.guest.state() } : {}),
      })),
    }),
  },
  {
    route: 'GET /nodes/{node}/qemu/{vmid}/status/current',
    rules: {},
    handle(call) {
      const machine = machineOf(call);
      return {
        data: {
          ...listed(machine),
          qmpstatus: machine.guest.state(),
          ha: { managed: 0 },
          ...(hasAgent(machine) ? { agent: 1 } : {}),
        },
      };
    },
  },
  {
    route: 'GET /cluster/resources',
    rules: { type: { type: 'string', values: ['vm', 'storage', 'node', 'sdn'] } },
    handle: ({ cluster, caller, parameters }) => ({
      data:
        parameters.type === undefined || parameters.type === 'vm'
          ? seen(cluster, caller).map((machine) => ({
              ...(isUnknown(cluster, machine) ? { vmid: machine.vmid, status: 'unknown' } : listed(machine)),
              id: `qemu/${machine.vmid}`,
              type: 'qemu',
              node: machine.node,
              ...(isUnknown(cluster, machine) ? {} : { template: machine.config.template === 1 ? 1 : 0 }),
            }))
          : [],
    }),
  },
  {
    route: 'GET /cluster/log',
    rules: { max: { type: 'integer', minimum: 1 } },
    // Without Sys.Syslog on / one's own lines only.
    handle: ({ cluster, caller, parameters }) => ({
      data: cluster.log.list(
        Number(parameters.max ?? Infinity),
        cluster.access.may(caller, '/', ['Sys.Syslog']) ? undefined : caller.id,
      ),
    }),
  },
  {
    route: 'GET /nodes/{node}/hardware/pci',
    rules: { 'pci-class-blacklist': { type: 'string' }, verbose: { type: 'boolean' } },
    handle: ({ cluster }) => ({
      data: cluster.pci.devices.map((device) => ({
        id: device.id,
        class: `0x${device.class}00`,
        vendor: `0x${device.vendor}`,
        device: `0x${device.device}`,
        device_name: device.deviceName,
        iommugroup: device.iommugroup,
      })),
    }),
  },
  {
    route: 'GET /cluster/mapping/pci',
    rules: { 'check-node': { type: 'string' } },
    handle: ({ cluster, caller, parameters }) => ({
      data: cluster.pci.mappings
        .filter(({ id }) => cluster.access.may(caller, `/mapping/pci/${id}`, MAPPING_PRIVILEGES, true))
        .map(({ id, paths }) => ({
          id,
          type: 'pci',
          map: paths.map((path) => mapEntry(cluster.pci, cluster.node, path)),
          mdev: 0,
          digest: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
          ...(parameters['check-node'] === undefined ? {} : { checks: [] }),
        })),
    }),
  },
  {
    route: 'GET /cluster/nextid',
    rules: { vmid: { type: 'integer' } },
    handle({ cluster }) {
      let next = 100;
      while (cluster.machines.has(next)) next++;
      return { data: String(next) };
    },
  },
];

/** `id` and `iommugroup` are those of the first function. */
function mapEntry(pci: PciBus, node: string, path: string): string {
  const first = pci.devices.find(({ id }) => id.startsWith(path.split(';')[0] ?? path));
  const ids = first === undefined ? '' : `id=${first.vendor}:${first.device},iommugroup=${first.iommugroup},`;
  return `${ids}node=${node},path=${path}`;
}

/** Nobody has told anything of it: its node is offline, or the node's pvestatd is silent. */
function isUnknown(cluster: Cluster, { node }: Machine): boolean {
  return cluster.others.get(node) === 'offline' || cluster.silent.has(node);
}

/** The VMs that the caller may see, of one node or of all. */
function seen({ machines, access }: Cluster, caller: Caller, node?: string): Machine[] {
  return [...machines.values()].filter(
    (machine) =>
      (node === undefined || machine.node === node) &&
      access.may(caller, `/vms/${machine.vmid}`, ['VM.Audit']),
  );
}

/** PVE's `agent` option: `1` or `enabled=1,...`. */
export function hasAgent(machine: Machine): boolean {
  return /^(1|.*\benabled=1\b)/.test(String(machine.config.agent ?? '0'));
}

function listed(machine: Machine): Record<string, unknown> {
  const { config, guest, lock } = machine;
  const pid = guest.pid();
  const memory = Number(config.memory ?? 2048) * 1024 * 1024;
  return {
    vmid: machine.vmid,
    name: machine.name,
    status: machine.isRunning() ? 'running' : 'stopped',
    cpus: Number(config.cores ?? 1),
    maxmem: memory,
    mem: machine.isRunning() ? Math.floor(memory / 2) : 0,
    maxdisk: 32 * GIB,
    disk: 0,
    uptime: guest.uptime(),
    cpu: 0,
    netin: 0,
    netout: 0,
    diskread: 0,
    diskwrite: 0,
    ...(pid === undefined ? {} : { pid }),
    ...(lock === undefined ? {} : { lock }),
    ...(config.template === 1 ? { template: 1 } : {}),
    ...(config.tags === undefined ? {} : { tags: config.tags }),
  };
}
