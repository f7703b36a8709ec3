/**
 * Where a project stands: its repository, and whoever installs its packages.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';

export type PackageManager = 'npm' | 'pnpm' | 'yarn';

export interface Surroundings {
  /** The top of the git repository; the project's own folder where there is none. */
  readonly root: string;
  /** The project's folder from there, with `/`; empty at the top. */
  readonly below: string;
  readonly manager: PackageManager;
  /** Yarn 1 has other options than its successors. */
  readonly isYarn1: boolean;
  /** Where the lock file is, from the project's folder, with `/`; empty for the folder itself, or without one. */
  readonly lockedIn: string;
  /** Of the remote `origin`; empty where there is none. */
  readonly remote: string;
}

const LOCKS: readonly (readonly [file: string, manager: PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
];

/** @param folder absolute; it need not exist */
export function surroundingsOf(folder: string): Surroundings {
  const existing = nearest(folder);
  const root = git(existing, 'rev-parse', '--show-toplevel') || folder;
  const inside = realpathSync(existing) + folder.slice(existing.length);
  const below = relative(root, root === folder ? folder : inside);
  const places = upTo(folder, below);
  const found = places
    .flatMap((place) => LOCKS.map(([file, manager]) => ({ place, file: join(place, file), manager })))
    .find(({ file }) => existsSync(file));
  const named = places.map(namedManager).find((name) => name !== undefined);
  const manager = named?.manager ?? found?.manager ?? 'npm';
  return {
    root,
    below: slashed(below),
    manager,
    isYarn1: manager === 'yarn' && (named?.major ?? yarnMajor(found?.file)) === 1,
    lockedIn: found === undefined ? '' : slashed(relative(folder, found.place)),
    remote: git(existing, 'remote', 'get-url', 'origin'),
  };
}

/** The folder and those above it, to the top of the repository. */
function upTo(folder: string, below: string): string[] {
  const steps = below === '' ? 0 : below.split(sep).length;
  const places = [folder];
  for (let step = 0; step < steps; step++) places.push(dirname(places.at(-1) ?? folder));
  return places;
}

/** What `packageManager` of package.json names (Corepack): `pnpm@9.1.0`. */
function namedManager(
  folder: string,
): { readonly manager: PackageManager; readonly major: number } | undefined {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  const [, name, major] =
    /"packageManager"\s*:\s*"(npm|pnpm|yarn)@(\d+)/.exec(readFileSync(file, 'utf8')) ?? [];
  return name === undefined ? undefined : { manager: name as PackageManager, major: Number(major) };
}

/** Yarn 1 begins its lock files with its version; later ones are YAML with `__metadata`. */
function yarnMajor(file: string | undefined): number {
  return file !== undefined && /^# yarn lockfile v1$/m.test(readFileSync(file, 'utf8')) ? 1 : 2;
}

function nearest(folder: string): string {
  let place = folder;
  while (!existsSync(place)) place = dirname(place);
  return place;
}

function git(folder: string, ...args: readonly string[]): string {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio }).trim();
  } catch {
    return ''; // no git, no repository, no such remote
  }
}

function slashed(path: string): string {
  return path.split(sep).join(posix.sep);
}
