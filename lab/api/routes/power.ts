/** `/nodes/{node}/qemu/{vmid}/status/...`: power. @module */
import { ApiError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { type Call, type Endpoint, machineOf, text } from '../router.ts';
import type { Rules } from '../parameters.ts';

const DEFAULT_SHUTDOWN_S = 60;

function power(
  command: 'start' | 'stop' | 'shutdown' | 'reboot' | 'reset' | 'suspend' | 'resume',
  taskType: string,
  rules: Rules,
  body: (machine: Machine, call: Call) => Promise<void>,
  before: (machine: Machine) => void = () => undefined,
): Endpoint {
  return {
    route: `POST /nodes/{node}/qemu/{vmid}/status/${command}`,
    rules,
    handle(call) {
      const machine = machineOf(call);
      before(machine);
      const { tasks } = call.cluster;
      const upid = tasks.start(taskType, String(machine.vmid), call.caller.id, async (task) => {
        await machine.file.hold(
          () => body(machine, call),
          (line) => task.log(line),
        );
        return undefined;
      });
      return { data: upid };
    },
  };
}

/** A task that starts the VM, as `qm start` does. */
export function startTask({ cluster }: Call, machine: Machine, user: string): void {
  cluster.tasks.start('qmstart', String(machine.vmid), user, async (task) => {
    await machine.file.hold(
      () => startMachine(machine),
      (line) => task.log(line),
    );
    return undefined;
  });
}

/** Powers a VM on. Task errors: `VM 100 already running`, `VM is locked (...)`. */
async function startMachine(machine: Machine): Promise<void> {
  // Hibernated: it goes on from the state on its disk, and the lock goes.
  if (machine.lock === 'suspended') machine.lock = undefined;
  machine.refuseLocked();
  if (machine.isRunning()) throw new ApiError(500, `VM ${machine.vmid} already running`);
  machine.applyPending();
  machine.plug();
  await machine.guest.start(machine.config);
}

function refuseStopped(machine: Machine): void {
  if (!machine.isRunning()) throw new ApiError(500, `VM ${machine.vmid} not running`);
}

/** A backup pauses and resumes the machine itself. */
function refuseLockedButBackup(machine: Machine): void {
  if (machine.lock !== 'backup') machine.refuseLocked();
}

async function shutDown(machine: Machine, timeoutS: number, forceStop: boolean): Promise<void> {
  // Of a machine that is off the lock is not looked at (PVE::QemuServer::_do_vm_stop).
  if (!machine.isRunning()) return;
  machine.refuseLocked();
  const ended = await machine.guest.shutdown(timeoutS * 1000);
  if (ended === 'off') return;
  if (!forceStop) throw new Error(`VM quit/powerdown failed${ended === 'timeout' ? ' - got timeout' : ''}`);
  await machine.guest.stop();
}

export const powerEndpoints: readonly Endpoint[] = [
  power('start', 'qmstart', { skiplock: { type: 'boolean' }, timeout: { type: 'integer' } }, startMachine),
  power(
    'stop',
    'qmstop',
    { skiplock: { type: 'boolean' }, timeout: { type: 'integer' }, 'overrule-shutdown': { type: 'boolean' } },
    async (machine) => {
      if (machine.isRunning()) machine.refuseLocked();
      await machine.guest.stop();
      machine.applyPending();
    },
  ),
  power(
    'shutdown',
    'qmshutdown',
    {
      timeout: { type: 'integer', minimum: 0 },
      forceStop: { type: 'boolean' },
      keepActive: { type: 'boolean' },
    },
    async (machine, call) => {
      const timeout = Number(call.parameters.timeout ?? DEFAULT_SHUTDOWN_S);
      await shutDown(machine, timeout, call.parameters.forceStop === true);
      machine.applyPending();
    },
    (machine) => {
      if (machine.guest.state() === 'paused') throw new ApiError(500, 'VM is paused - cannot shutdown');
    },
  ),
  power(
    'reboot',
    'qmreboot',
    { timeout: { type: 'integer', minimum: 0 } },
    async (machine, call) => {
      await shutDown(machine, Number(call.parameters.timeout ?? DEFAULT_SHUTDOWN_S), false);
      // The old process is gone: qmeventd starts the VM anew in a task of its own, which nobody awaits.
      startTask(call, machine, 'root@pam');
    },
    refuseStopped,
  ),
  power(
    'reset',
    'qmreset',
    {},
    (machine) => {
      machine.refuseLocked();
      return machine.guest.reset();
    },
    refuseStopped,
  ),
  power(
    'suspend',
    'qmpause',
    { todisk: { type: 'boolean' } },
    (machine, call) => {
      if (text(call, 'todisk') !== undefined)
        throw new ApiError(501, 'suspend to disk is not part of the lab');
      refuseLockedButBackup(machine);
      return machine.guest.pause();
    },
    refuseStopped,
  ),
  power(
    'resume',
    'qmresume',
    { nocheck: { type: 'boolean' } },
    (machine) => {
      refuseLockedButBackup(machine);
      return machine.guest.resume();
    },
    refuseStopped,
  ),
  {
    route: 'PUT /nodes/{node}/qemu/{vmid}/sendkey',
    rules: { key: { type: 'string', required: true } },
    async handle(call) {
      const machine = machineOf(call);
      refuseStopped(machine);
      await machine.guest.sendKey(text(call, 'key') ?? '');
      return { data: null };
    },
  },
];
