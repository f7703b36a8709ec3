/**
 * The lab's real guest: a Debian 12 desktop in a QEMU process.
 *
 * @module
 */
import type { LabGuest } from '../guest.ts';
import { QemuGuest } from './guest.ts';
import { cacheFolder, findImage, type Image, imageAt, imageFolder } from './image.ts';
import { prepareReady } from './ready.ts';

export { buildImage } from './build.ts';
export { LabError } from './errors.ts';
export { cacheFolder, findImage } from './image.ts';
export { type Inventory, takeInventory } from './inventory.ts';
export { prepareReady } from './ready.ts';
export type { Progress } from './stages.ts';

export interface QemuGuestOptions {
  /** Name that QEMU and the VNC desktop show. Default: debian12. */
  readonly name?: string;
  /** Where images and RAM states are kept. Default: {@link cacheFolder}. */
  readonly folder?: string;
  /** Resume the state `ready` at once (default), so that the guest runs as all others of the lab do; else it is off. */
  readonly running?: boolean;
  /** Told each step: the very first start boots the guest, which takes a minute or two under TCG. */
  readonly progress?: (line: string) => void;
}

/** The image that belongs to these sources, if it is built. */
export function builtImage(folder = cacheFolder()): Image | undefined {
  return imageAt(imageFolder(folder));
}

/**
 * The real guest behind the lab's guest interface, with a copy of the cached state: nothing a test does outlives it.
 *
 * @throws LabError `LAB_IMAGE_MISSING` when `vmwright lab build` was not run, `LAB_TOOL_MISSING` without QEMU
 */
export async function createQemuGuest(options: QemuGuestOptions = {}): Promise<LabGuest> {
  const folder = options.folder ?? cacheFolder();
  const image = findImage(folder);
  const ready = await prepareReady(image, options.progress);
  const guest = await QemuGuest.create({ name: options.name ?? 'debian12', folder, image, ready });
  if (options.running !== false) await guest.loadSnapshot(ready.snapshot, { ram: true });
  return guest;
}
