/**
 * A machine in the hands of a command, as a test has it: leased, at its starting point, with its screen.
 *
 * @module
 */
import { type Machine, type Settings, loadSettings } from '../fixtures/config/index.ts';
import { VmwrightError } from '../fixtures/errors.ts';
import {
  checkGuest,
  claimGpu,
  connectCluster,
  findMachine,
  leaseMachine,
  openPage,
  openSsh,
  resetMachine,
  stagedApp,
} from '../fixtures/machine/machine.ts';
import { noVlm } from '../fixtures/page/claims.ts';
import type { TestPage } from '../fixtures/page/test-page.ts';
import type { Vm } from '../fixtures/proxmox/index.ts';
import type { SshSession } from '../fixtures/ssh/index.ts';
import type { Ending } from './ending.ts';

export interface SessionOptions {
  readonly machine: Machine;
  /** The whole matrix: a GPU is taken off no other VM. */
  readonly machines: readonly Machine[];
  readonly env: NodeJS.ProcessEnv;
  /** What the lease says is done: `vmwright record`. */
  readonly doing: string;
  /** Leave the machine as it is. */
  readonly keep: boolean;
  /** How long to wait for a machine that is held, in milliseconds. Default: as the settings say. */
  readonly wait?: number;
}

export interface Session {
  readonly vm: Vm;
  readonly settings: Settings;
  readonly page: TestPage;
  /** A session as the machine's user, logged into when it is first asked for. */
  readonly ssh: () => Promise<SshSession>;
  /** Starts the row's application from a clean state. */
  readonly launch: () => Promise<void>;
  /** Rolls back to the checkpoint. @returns warnings */
  readonly reset: () => Promise<readonly string[]>;
}

/** Until `ending`. @throws `LEASE_HELD`, and what opening a machine throws */
export async function openSession(
  { machine, machines, env, doing, keep, wait }: SessionOptions,
  ending: Ending,
  say: (line: string) => void,
): Promise<Session> {
  const loaded = loadSettings(env);
  const settings = wait === undefined ? loaded : { ...loaded, leaseWait: wait };
  const proxmox = await connectCluster(machine, settings);
  ending.defer(() => proxmox.close());
  const vm = await findMachine(proxmox, machine, settings);
  const lease = await leaseMachine(vm, settings, null, process.pid);
  ending.defer(() => lease.release());
  lease.doing = doing;
  const gpu = await claimGpu(vm, lease, machine, machines, proxmox, settings, null, process.pid);
  ending.defer(async () => gpu?.release());
  say(`Getting ${machine.name} ready${keep ? '' : ' as a test finds it'} ...`);
  const row = keep ? { ...machine, reset: 'none' as const } : machine;
  for (const warning of await resetMachine(vm, row, settings, gpu)) say(`warning: ${warning}`);
  const page = await openPage(vm, machine, settings, noVlm());
  ending.defer(() => page.close());
  ending.defer(vm.accompany((action) => page.expectSilence(action)));
  const ssh = once(async () => {
    const session = await openSsh(vm, machine, settings);
    ending.defer(() => session.disconnect());
    return session;
  });
  const app = once(async () => {
    const session = await ssh();
    return stagedApp(vm, machine, settings, session, page, await checkGuest(machine, session));
  });
  return {
    vm,
    settings,
    page,
    ssh,
    launch: async () => {
      const opened = await app();
      await opened.clean();
      await opened.launch();
    },
    reset: () => resetMachine(vm, machine, settings, gpu),
  };
}

/** A failure is not kept: the next call tries again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** @param subject the option that names it @throws `PLAN_INVALID` */
export function rowOf(machines: readonly Machine[], name: string, subject: string): Machine {
  const machine = machines.find((row) => row.name === name);
  if (machine !== undefined) return machine;
  throw new VmwrightError({
    code: 'PLAN_INVALID',
    subject,
    message: 'no machine of the matrix has this name',
    expected: machines.map((row) => row.name).join(', '),
    seen: name,
    next: 'correct the name',
  });
}
