/**
 * The embedded lab, where a command needs a cluster and the settings name none: as in a run.
 *
 * @module
 */
import { type Machine, readEnvironment } from '../fixtures/config/index.ts';
import type { Ending } from './ending.ts';

/** A cluster to work with. */
export interface StandIn {
  readonly env: NodeJS.ProcessEnv;
  /** The embedded lab, and no cluster of the user's. */
  readonly isLab: boolean;
  /** The command that builds it, by name, for each real guest of the lab that nobody has built. */
  readonly unbuilt: ReadonlyMap<string, string>;
}

/**
 * The cluster that the environment and .env name; else a lab with these machines, until `ending`, with a line that says so.
 *
 * @throws `SETTING_*` for a .env that cannot be read
 */
export async function ensureCluster(
  machines: readonly Pick<Machine, 'name'>[],
  ending: Ending,
  progress: (line: string) => unknown,
): Promise<StandIn> {
  const env = readEnvironment();
  if (env.PROXMOX_HOST) return { env, isLab: false, unbuilt: new Map() };
  progress('PROXMOX_HOST is not set: the embedded lab stands in for a cluster.');
  const [{ startLab }, qemu] = await Promise.all([
    import('../lab/index.ts'),
    import('../lab/guests/qemu/index.ts'),
  ]);
  const real = qemu.desktops.filter(({ guest }) => machines.some(({ name }) => name === guest.name));
  const lab = await startLab({
    guests: machines.map(({ name }) => name),
    qemu: real.length > 0,
    progress,
  });
  ending.defer(() => lab.stop());
  // Secrets and SSH read the process' environment.
  Object.assign(process.env, lab.env());
  const unbuilt = real
    .filter((desktop) => qemu.builtImage(qemu.cacheFolder(), desktop) === undefined)
    .map((desktop) => [desktop.guest.name, qemu.buildCommand(desktop)] as const);
  return { env: readEnvironment(), isLab: true, unbuilt: new Map(unbuilt) };
}

/** As {@link ensureCluster}, for one machine that has to be there. @throws LabError `LAB_IMAGE_MISSING` */
export async function ensureMachine(
  machine: Machine,
  ending: Ending,
  progress: (line: string) => unknown,
): Promise<NodeJS.ProcessEnv> {
  if (!readEnvironment().PROXMOX_HOST) {
    const { cacheFolder, desktops, findImage } = await import('../lab/guests/qemu/index.ts');
    const desktop = desktops.find(({ guest }) => guest.name === machine.name);
    if (desktop !== undefined) findImage(cacheFolder(), desktop);
  }
  return (await ensureCluster([machine], ending, progress)).env;
}
