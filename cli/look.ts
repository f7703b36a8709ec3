/**
 * A machine's screen as it is now. It looks only: the display is not woken, nothing is typed or clicked.
 *
 * @module
 */
import { loadSettings, type Machine } from '../fixtures/config/index.ts';
import { VmwrightError } from '../fixtures/errors.ts';
import type { Frame } from '../fixtures/image/frame.ts';
import { surveyVm } from '../fixtures/lease/survey.ts';
import { connectCluster, findMachine } from '../fixtures/machine/machine.ts';
import { connectWebSocket, VncPage } from '../fixtures/vnc/index.ts';
import { Ending } from './ending.ts';

export interface LookOptions {
  /** Not while another run uses the machine. Default false. */
  readonly unlessHeld?: boolean;
}

/** @throws `LEASE_HELD` with `unlessHeld`; `PROXMOX_*`, `VNC_*` */
export async function lookAt(
  machine: Machine,
  env: NodeJS.ProcessEnv,
  { unlessHeld = false }: LookOptions = {},
): Promise<Frame> {
  await using ending = new Ending();
  const settings = loadSettings(env);
  const proxmox = await connectCluster(machine, settings);
  ending.defer(() => proxmox.close());
  const vm = await findMachine(proxmox, machine, settings);
  if (unlessHeld) {
    const { lease } = await surveyVm(proxmox, vm);
    if (lease !== undefined && lease.liveness !== 'dead') throw held(vm.label, lease.holder);
  }
  await using page = await VncPage.connect({
    name: machine.name,
    wake: false,
    open: async () => {
      const { password, ...target } = await vm.console();
      return { stream: await connectWebSocket(target, machine.name), password };
    },
  });
  return await page.frame();
}

function held(subject: string, holder: string): VmwrightError {
  return new VmwrightError({
    code: 'LEASE_HELD',
    subject,
    message: 'the VM is in use',
    seen: holder,
    next: 'wait until it is over, or look at another machine',
  });
}
