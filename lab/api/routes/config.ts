/** `/nodes/{node}/qemu/{vmid}/config` and `pending`. @module */
import { ApiError, badParameters } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { privilegeOfOption } from '../permissions.ts';
import { type Call, type Endpoint, machineOf, text } from '../router.ts';

/** Options of a VM that the lab knows; anything else is refused as PVE refuses what its schema lacks. */
const OPTIONS =
  /^(agent|balloon|bios|boot|cores|cpu|description|hotplug|keyboard|kvm|machine|memory|name|numa|onboot|ostype|scsihw|smbios1|sockets|tablet|tags|vga|vmgenid|lock|(net|scsi|virtio|sata|ide|hostpci|usb|serial|efidisk|tpmstate)\d+)$/;
/** Characters of a VM's notes. */
const NOTES_LIMIT = 8192;
const CONTROL = new Set(['delete', 'revert', 'digest', 'skiplock', 'force', 'background_delay']);

/** The way to make a change that PVE has looked at once: it looks again with the file lock. */
function looked(call: Call): () => Promise<void> {
  const { digest, delete: remove = '' } = call.parameters as Record<string, string | undefined>;
  const changes: Record<string, string> = {};
  const unknown: Record<string, string> = {};
  for (const [key, value] of Object.entries(call.parameters)) {
    if (CONTROL.has(key)) continue;
    if (OPTIONS.test(key)) changes[key] = String(value);
    else
      unknown[key] = 'property is not defined in schema and the schema does not allow additional properties';
  }
  const { description } = changes;
  if (description !== undefined && Array.from(description).length > NOTES_LIMIT)
    unknown.description = `value may only be ${NOTES_LIMIT} characters long`;
  if (Object.keys(unknown).length > 0) throw badParameters(unknown);
  const removed = remove.split(/[,;\s]+/).filter((key) => key !== '');
  const isRoot = call.caller.id === 'root@pam';
  const skipsLock = ['1', 'true', 'yes', 'on'].includes(call.parameters.skiplock as string);
  if (skipsLock && !isRoot) throw badParameters({ skiplock: 'Only root may use this option.' });
  const machine = machineOf(call);
  if (!isRoot) {
    for (const key of removed) refuseForUsers(call, machine, key, machine.config[key]);
    for (const key of Object.keys(changes)) refuseForUsers(call, machine, key, changes[key]);
  }
  if (Object.keys(changes).length === 0 && removed.length === 0)
    throw new ApiError(500, 'no options specified');
  // Since qemu-server 9.2.0; before, only with the lock.
  machine.refuseChange(digest, skipsLock);
  const log = (): void => {
    const logged = Object.entries(call.parameters as Record<string, string>).filter(
      ([key]) => key !== 'digest',
    );
    const shown = logged.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `-${key} ${value}`);
    call.cluster.log.add(call.caller.id, `update VM ${machine.vmid}: ${shown.join(' ')}`);
  };
  return () => machine.file.hold(() => machine.change(changes, removed, digest, skipsLock, log));
}

/** What takes a privilege of its own, and what only root itself may set, none of its tokens. */
function refuseForUsers(
  { cluster, caller }: Call,
  { vmid }: Machine,
  key: string,
  value: string | number | undefined,
): void {
  if (/^hostpci\d+$/.test(key) && value !== undefined) {
    const mapping = /(?:^|,)mapping=([^,]+)/.exec(String(value))?.[1];
    if (mapping === undefined)
      throw new ApiError(500, `only root can set '${key}' config for non-mapped devices`);
    cluster.access.check(caller, `/mapping/pci/${mapping}`, ['Mapping.Use']);
  }
  const privilege = privilegeOfOption(key);
  if (privilege === undefined) throw new ApiError(500, `only root can set '${key}' config`);
  cluster.access.check(caller, `/vms/${vmid}`, [privilege]);
}

export const configEndpoints: readonly Endpoint[] = [
  {
    route: 'GET /nodes/{node}/qemu/{vmid}/config',
    rules: { current: { type: 'boolean' }, snapshot: { type: 'string' } },
    handle(call) {
      const machine = machineOf(call);
      const name = text(call, 'snapshot');
      if (name === undefined) return { data: machine.shownConfig(call.parameters.current === true) };
      const snapshot = machine.snapshots.get(name);
      if (snapshot === undefined) throw new ApiError(500, `snapshot '${name}' does not exist`);
      return { data: { ...snapshot.config, digest: machine.digest() } };
    },
  },
  {
    route: 'PUT /nodes/{node}/qemu/{vmid}/config',
    rules: 'any',
    async handle(call) {
      await looked(call)();
      return { data: null };
    },
  },
  {
    route: 'POST /nodes/{node}/qemu/{vmid}/config',
    rules: 'any',
    handle(call) {
      const machine = machineOf(call);
      const change = looked(call);
      const upid = call.cluster.tasks.start('qmconfig', String(machine.vmid), call.caller.id, async () => {
        await change();
        return undefined;
      });
      return { data: upid };
    },
  },
  {
    route: 'GET /nodes/{node}/qemu/{vmid}/pending',
    rules: {},
    handle(call) {
      const machine = machineOf(call);
      const current = Object.entries(machine.config).map(([key, value]) => ({ key, value }));
      const added = [...machine.pending]
        .filter(([key]) => machine.config[key] === undefined)
        .map(([key]) => ({ key }));
      const data = [...current, ...added].map((entry) => {
        const change = machine.pending.get(entry.key);
        if (change === undefined) return entry;
        return change === null ? { ...entry, delete: 1 } : { ...entry, pending: change };
      });
      return { data };
    },
  },
];
