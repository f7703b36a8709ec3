/**
 * The image cache: where a built desktop lies and by which key it is found.
 *
 *     <folder>/images/<key>/        disk.qcow2, vmlinux, initrd.img, manifest.json
 *     <folder>/images/<key>/ready-<key>/  overlay.qcow2 with RAM, ready.json
 *     <folder>/runs/<run>/          what a live process writes to: a guest's copy, a build
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, extname, join, relative } from 'node:path';
import { type Desktop, openbox } from './desktops/index.ts';
import { LabError } from './errors.ts';

/** Debian release of the guests. */
export const SUITE = 'bookworm';
const ROOM = import.meta.dirname;
/** Compiled or not, this room's code has one ending. */
const CODE = extname(import.meta.filename);
/** Files every image is made from; their content is part of the key, as is the desktop's own folder. */
const SHARED_SOURCES = [`build${CODE}`, `kernel${CODE}`, 'customize.sh', 'harbor-chat.py', 'rootfs'] as const;

/** Files and folders that a desktop's image is made from. */
export function sourcesOf(desktop: Desktop): readonly string[] {
  return [...SHARED_SOURCES, join('desktops', desktop.name)];
}

/** What the build writes beside the disk. */
export interface Manifest {
  readonly key: string;
  readonly builtAt: string;
  readonly kernel: string;
  /** `name version` of every installed package. */
  readonly packages: readonly string[];
}

export interface Image {
  readonly desktop: Desktop;
  readonly folder: string;
  readonly disk: string;
  /** Uncompressed where the payload could be taken out: the guest then starts five seconds earlier. */
  readonly kernel: string;
  readonly initrd: string;
  readonly manifest: Manifest;
}

/**
 * The folder of all images: `VMWRIGHT_LAB_DIR`, else `.lab` beside the nearest package.json above `from`, else
 * `~/.cache/vmwright`.
 */
export function cacheFolder(from = process.cwd(), environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.VMWRIGHT_LAB_DIR !== undefined && environment.VMWRIGHT_LAB_DIR !== '')
    return environment.VMWRIGHT_LAB_DIR;
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, '.lab');
    if (dirname(folder) === folder) return join(homedir(), '.cache', 'vmwright');
  }
}

/** Makes the cache folder; git and linters leave it alone. */
export function makeCacheFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '.gitignore'), '*\n');
}

/** Hash of everything an image is built from: scripts, files, package names, release. 16 hex digits. */
export function imageKey(desktop = openbox, room = ROOM): string {
  const { packages, guest } = desktop;
  const hash = createHash('sha256').update(JSON.stringify([SUITE, packages, guest.name, guest.address]));
  for (const file of sourcesOf(desktop).flatMap((source) => filesUnder(join(room, source)))) {
    hash.update(`\0${relative(room, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Where the image of this desktop is or will be. */
export function imageFolder(folder: string, desktop = openbox): string {
  return join(folder, 'images', imageKey(desktop));
}

/** The image of this desktop that belongs to these sources, if it is built. */
export function builtImage(folder = cacheFolder(), desktop = openbox): Image | undefined {
  return imageAt(imageFolder(folder, desktop), desktop);
}

/**
 * The image of this desktop that belongs to these sources.
 *
 * @throws LabError `LAB_IMAGE_MISSING`
 */
export function findImage(folder: string, desktop = openbox): Image {
  const image = builtImage(folder, desktop);
  if (image !== undefined) return image;
  throw new LabError({
    code: 'LAB_IMAGE_MISSING',
    subject: `lab guest ${desktop.guest.name}`,
    message: `no image of the Debian desktop in ${folder}`,
    next: `run ${buildCommand(desktop)} (${desktop === openbox ? '2 to 4' : '5 to 10'} minutes, once)`,
  });
}

/** What to type to build this desktop. */
export function buildCommand(desktop: Desktop): string {
  return `npx vmwright lab build${desktop === openbox ? '' : ` --desktop ${desktop.name}`}`;
}

/** The image in a folder, if a build was finished there. */
export function imageAt(folder: string, desktop = openbox): Image | undefined {
  const file = join(folder, 'manifest.json');
  if (!existsSync(file)) return undefined;
  return {
    desktop,
    folder,
    disk: join(folder, 'disk.qcow2'),
    kernel: join(folder, 'vmlinux'),
    initrd: join(folder, 'initrd.img'),
    manifest: JSON.parse(readFileSync(file, 'utf8')) as Manifest,
  };
}

function filesUnder(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}
