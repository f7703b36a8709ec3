/** `/nodes/{node}/qemu/{vmid}/snapshot`. @module */
import { ApiError } from '../errors.ts';
import type { Machine, Snapshot } from '../machine.ts';
import { type Endpoint, machineOf, text } from '../router.ts';
import { startTask } from './power.ts';

const NAME = {
  type: 'string',
  required: true,
  maxLength: 40,
  pattern: /^[a-z][a-z0-9_-]+$/i,
  format: 'configuration ID',
} as const;

function find(machine: Machine, name: string): Snapshot {
  const snapshot = machine.snapshots.get(name);
  if (snapshot === undefined) throw new ApiError(500, `snapshot '${name}' does not exist`);
  return snapshot;
}

export const snapshotEndpoints: readonly Endpoint[] = [
  {
    route: 'GET /nodes/{node}/qemu/{vmid}/snapshot',
    rules: {},
    handle(call) {
      const machine = machineOf(call);
      const current = {
        name: 'current',
        description: 'You are here!',
        digest: machine.digest(),
        running: machine.isRunning() ? 1 : 0,
        ...(machine.parent === undefined ? {} : { parent: machine.parent }),
      };
      const listed = [...machine.snapshots.values()].map(
        ({ name, description, snaptime, vmstate, parent, snapstate }) => ({
          name,
          description,
          snaptime,
          vmstate: vmstate ? 1 : 0,
          ...(parent === undefined ? {} : { parent }),
          ...(snapstate === undefined ? {} : { snapstate }),
        }),
      );
      return { data: [current, ...listed] };
    },
  },
  {
    route: 'POST /nodes/{node}/qemu/{vmid}/snapshot',
    rules: { snapname: NAME, description: { type: 'string' }, vmstate: { type: 'boolean' } },
    handle(call) {
      const machine = machineOf(call);
      const name = text(call, 'snapname') ?? '';
      if (name === 'current' || name === 'pending') {
        throw new ApiError(500, `unable to use snapshot name '${name}' (reserved name)`);
      }
      const description = text(call, 'description') ?? '';
      const upid = call.cluster.tasks.start('qmsnapshot', String(machine.vmid), call.caller.id, async () => {
        if (machine.snapshots.has(name)) throw new Error(`snapshot name '${name}' already used`);
        // A stopped VM has no RAM to save: PVE then makes a disk-only snapshot without a word.
        const vmstate = call.parameters.vmstate === true && machine.isRunning();
        const [device] = [...machine.pci.inUse()].find(([, owner]) => owner === machine.vmid) ?? [];
        if (vmstate && device !== undefined) {
          const qemu = `${device}: VFIO migration is not supported in kernel`;
          throw new Error(`unable to save VM state and RAM - ${qemu}`);
        }
        const { parent } = machine;
        const config = { ...machine.config };
        await machine.locked('snapshot', () => machine.guest.saveSnapshot(name, { ram: vmstate }));
        const snaptime = Math.floor(Date.now() / 1000);
        machine.snapshots.set(name, { name, description, snaptime, vmstate, parent, config });
        machine.parent = name;
        return undefined;
      });
      return { data: upid };
    },
  },
  {
    route: 'POST /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback',
    rules: { start: { type: 'boolean' } },
    handle(call) {
      if (call.parameters.start === true)
        call.cluster.access.check(call.caller, `/vms/${call.path.vmid ?? ''}`, ['VM.PowerMgmt']);
      const machine = machineOf(call);
      const name = call.path.snapname ?? '';
      const upid = call.cluster.tasks.start('qmrollback', String(machine.vmid), call.caller.id, async () => {
        const snapshot = find(machine, name);
        await machine.locked('rollback', async () => {
          await machine.guest.stop();
          machine.restoreConfig(snapshot);
          if (snapshot.vmstate) machine.plug();
          await machine.guest.loadSnapshot(name, { ram: snapshot.vmstate, config: machine.config });
        });
        if (!snapshot.vmstate && call.parameters.start === true) {
          // A separate task that the rollback does not wait for: its failure is invisible here.
          startTask(call, machine, call.caller.id);
        }
        return undefined;
      });
      return { data: upid };
    },
  },
  {
    route: 'DELETE /nodes/{node}/qemu/{vmid}/snapshot/{snapname}',
    rules: { force: { type: 'boolean' } },
    handle(call) {
      const machine = machineOf(call);
      const name = call.path.snapname ?? '';
      const upid = call.cluster.tasks.start(
        'qmdelsnapshot',
        String(machine.vmid),
        call.caller.id,
        async () => {
          const snapshot = find(machine, name);
          await machine.locked('snapshot-delete', () => machine.guest.deleteSnapshot(name));
          machine.snapshots.delete(name);
          for (const [child, other] of machine.snapshots) {
            if (other.parent === name) machine.snapshots.set(child, { ...other, parent: snapshot.parent });
          }
          if (machine.parent === name) machine.parent = snapshot.parent;
          return undefined;
        },
      );
      return { data: upid };
    },
  },
];
