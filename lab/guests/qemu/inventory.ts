/**
 * What is in the cache folder: images, ready states, and who is using them.
 *
 * @module
 */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { desktops } from './desktops/index.ts';
import { builtImage, type Image } from './image.ts';
import type { Accelerator } from './kvm-probe.ts';
import { qemuVersion, readyKey } from './ready.ts';
import { liveRuns } from './runs.ts';
import { findProgram } from './tools.ts';

export interface ReadyState {
  readonly folder: string;
  readonly accelerator: Accelerator;
  readonly savedAt: string;
  /** How long the guest booted, in seconds. */
  readonly seconds: number;
  readonly bytes: number;
  /** False: saved by another QEMU, or on another processor, and of no use any more. */
  readonly fits: boolean;
}

/** An image of these sources with its RAM states. */
export interface BuiltGuest {
  readonly image: Image;
  /** Without its RAM states. */
  readonly bytes: number;
  readonly ready: readonly ReadyState[];
}

export interface Inventory {
  readonly folder: string;
  /** On the disk, everything. */
  readonly bytes: number;
  readonly built: readonly BuiltGuest[];
  /** Images of other versions of the sources. */
  readonly older: readonly { readonly path: string; readonly bytes: number }[];
  /** Process ids of running labs and builds; undefined for one in another container. */
  readonly users: readonly (number | undefined)[];
}

/** Looks; changes nothing. */
export async function takeInventory(folder: string): Promise<Inventory> {
  const images = join(folder, 'images');
  const found = desktops.map((desktop) => builtImage(folder, desktop)).filter((image) => image !== undefined);
  const built = await Promise.all(found.map(inventoryOf));
  const older = existsSync(images)
    ? readdirSync(images)
        .map((name) => join(images, name))
        .filter((path) => !found.some((image) => image.folder === path))
    : [];
  return {
    folder,
    bytes: bytesIn(folder),
    built,
    older: older.map((path) => ({ path, bytes: bytesIn(path) })),
    users: [...new Set(liveRuns(folder).map(({ pid }) => pid))],
  };
}

async function inventoryOf(image: Image): Promise<BuiltGuest> {
  const ready = await readyStates(image);
  const readyBytes = ready.reduce((sum, state) => sum + state.bytes, 0);
  return { image, bytes: bytesIn(image.folder) - readyBytes, ready };
}

/** Blocks on the disk: sparse files count as what they hold. */
export function bytesIn(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  const own = found.blocks * 512;
  if (!found.isDirectory()) return own;
  return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), own);
}

async function readyStates(image: Image): Promise<ReadyState[]> {
  const isInstalled = findProgram('qemu-system-x86_64') !== undefined;
  const version = isInstalled ? await qemuVersion() : undefined;
  return readdirSync(image.folder)
    .filter((name) => name.startsWith('ready-'))
    .map((name) => {
      const folder = join(image.folder, name);
      const record = JSON.parse(readFileSync(join(folder, 'ready.json'), 'utf8')) as {
        accelerator: Accelerator;
        savedAt: string;
        seconds: number;
      };
      const fits = version !== undefined && name === `ready-${readyKey(image, record.accelerator, version)}`;
      return { folder, ...record, bytes: bytesIn(folder), fits };
    });
}
