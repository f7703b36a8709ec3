/**
 * Real programs that tests talk to. In CI a missing one is a failure; on a laptop it is a skip with a reason.
 *
 * @module
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian package of each peer, for the message. */
const PACKAGES: Readonly<Record<string, string>> = {
  Xvnc: 'tigervnc-standalone-server',
  x11vnc: 'x11vnc',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  'qemu-ga': 'qemu-guest-agent',
  mmdebstrap: 'mmdebstrap',
  sshd: 'openssh-server',
  'ssh-keygen': 'openssh-client',
  chromium: 'chromium',
  python3: 'python3-proxmoxer',
  vncpasswd: 'tigervnc-tools',
  openbox: 'openbox',
  xterm: 'xterm',
  setpriv: 'util-linux',
  pkill: 'procps',
  pgrep: 'procps',
};

const SEARCHED = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin'];

/** Where the program is, or undefined. Looks in PATH and the sbin folders. */
export function findProgram(name: string): string | undefined {
  return SEARCHED.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * The path of a real peer. In CI (`CI` set) a missing peer throws; elsewhere the calling test is skipped.
 */
export function requirePeer(test: { skip(condition: boolean, reason: string): void }, name: string): string {
  const path = findProgram(name);
  const reason = `${name} is not installed (Debian package ${PACKAGES[name] ?? name})`;
  if (path === undefined && process.env.CI) throw new Error(reason);
  test.skip(path === undefined, reason);
  return path ?? name;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
