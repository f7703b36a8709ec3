/**
 * The lab's real guests: Debian 12 desktops, each in a QEMU process.
 *
 * @module
 */
import type { LabGuest } from '../guest.ts';
import { QemuGuest } from './guest.ts';
import { type Desktop, openbox } from './desktops/index.ts';
import { cacheFolder, findImage } from './image.ts';
import { prepareReady } from './ready.ts';

export { buildImage } from './build.ts';
export { type Desktop, desktopNamed, desktops, openbox } from './desktops/index.ts';
export { LabError } from './errors.ts';
export { buildCommand, builtImage, cacheFolder, findImage } from './image.ts';
export { type BuiltGuest, type Inventory, takeInventory } from './inventory.ts';
export { prepareReady } from './ready.ts';
export type { Progress } from './stages.ts';

export interface QemuGuestOptions {
  /** Default: the light one. */
  readonly desktop?: Desktop;
  /** Name that QEMU and the VNC desktop show. Default: its name in the lab. */
  readonly name?: string;
  /** Where images and RAM states are kept. Default: {@link cacheFolder}. */
  readonly folder?: string;
  /** Resume the state `ready` at once (default), so that the guest runs as all others of the lab do; else it is off. */
  readonly running?: boolean;
  /** Told each step: the very first start boots the guest, which takes a minute or two under TCG. */
  readonly progress?: (line: string) => void;
}

/**
 * The real guest behind the lab's guest interface, with a copy of the cached state: nothing a test does outlives it.
 *
 * @throws LabError `LAB_IMAGE_MISSING` when `vmwright lab build` was not run, `LAB_TOOL_MISSING` without QEMU
 */
export async function createQemuGuest(options: QemuGuestOptions = {}): Promise<LabGuest> {
  const folder = options.folder ?? cacheFolder();
  const { desktop = openbox } = options;
  const image = findImage(folder, desktop);
  const ready = await prepareReady(image, options.progress);
  const guest = await QemuGuest.create({ name: options.name ?? desktop.guest.name, folder, image, ready });
  if (options.running !== false) await guest.loadSnapshot(ready.snapshot, { ram: true, config: {} });
  return guest;
}
