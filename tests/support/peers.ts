/**
 * Real programs that tests talk to. In CI a missing one is a failure; on a laptop it is a skip with a reason.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './runner.ts';

/** Debian package of each peer: the list that `.ci/run` installs. */
const PACKAGES: ReadonlyMap<string, string> = new Map(
  readFileSync(join(ROOT, '.ci/packages'), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split(' '))
    .flatMap(([debianPackage = '', ...programs]) => programs.map((name) => [name, debianPackage] as const)),
);

const SEARCHED = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin'];

/** Where the program is, or undefined. Looks in PATH and the sbin folders. */
export function findProgram(name: string): string | undefined {
  return SEARCHED.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * The path of a real peer. In CI (`CI` set) a missing peer throws; elsewhere the calling test is skipped.
 */
export function requirePeer(test: { skip(condition: boolean, reason: string): void }, name: string): string {
  const debianPackage = PACKAGES.get(name);
  // What .ci/packages does not name is missing on a bare machine, however it came onto this one.
  if (debianPackage === undefined) throw new Error(`${name} is in no line of .ci/packages`);
  const path = findProgram(name);
  const reason = `${name} is not installed (Debian package ${debianPackage})`;
  if (path === undefined && process.env.CI) throw new Error(reason);
  test.skip(path === undefined, reason);
  return path ?? name;
}

/** Who is not root becomes it in a user namespace. */
const AS_USER: readonly string[] = process.getuid?.() === 0 ? [] : ['--map-root-user'];

/**
 * The command with which `unshare` starts a program in namespaces of its own. Skips the calling test, with what the system
 * said, where it allows none: in a chroot, or in a container without the right to mount.
 */
export function requireNamespaces(
  test: { skip(condition: boolean, reason: string): void },
  flags: readonly string[],
): { readonly program: string; readonly args: readonly string[] } {
  const program = requirePeer(test, 'unshare');
  const args = [...flags, ...AS_USER];
  const { status, stderr } = spawnSync(program, [...args, 'true'], { encoding: 'utf8' });
  test.skip(status !== 0, `the system allows no namespace of one's own: ${stderr.trim()}`);
  return { program, args };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Files that a package of `.ci/packages` brings. In CI a missing one throws; elsewhere the calling test is skipped. */
export function requireFile(test: { skip(condition: boolean, reason: string): void }, path: string): void {
  const reason = `${path} is not there (see .ci/packages)`;
  const isThere = existsSync(path);
  if (!isThere && process.env.CI) throw new Error(reason);
  test.skip(!isThere, reason);
}
