/**
 * What goes wrong on a simulated guest when a test switches it on. Ways of an operating system that are always there
 * (15-byte names, session 0, `$_`, the keyring daemon's memory) are no faults: each guest has those of its own system.
 *
 * @module
 */

import { isWindowsWay, WINDOWS_WAYS, type WindowsWay } from './windows-ways.ts';

/** Every fault by name, and what it does. */
export const FAULTS = {
  'no-vnc': 'no VNC server',
  'no-ssh': 'no sshd',
  'no-agent': 'no guest agent',
  'no-display': 'no display adapter',
  'ignores-shutdown': 'the guest does not power off when asked',
  'refuses-shutdown': 'the guest agent answers, and fails the command to power off',
  greeter: 'nobody is logged in: the screen shows the log-in window of the display manager',
  'lock-screen': "KDE: locks the screen now, and each time it is switched on; its greeter's screen is blank",
  autolock: 'KDE: locks the screen again every 1.5 s unless its configuration says Autolock=false',
  'update-banner': 'GNOME: a dialog about waiting updates takes every key and click until it is dismissed',
  'overview-open': 'GNOME: the Overview is open after log-in, as it is on the real one: Super closes it',
  'first-run-dialog': 'Windows 11: the first-run dialog covers the desktop for as long as its process lives',
  'slow-paint': 'windows stay empty for 12 s before their first content',
  'stale-lease':
    'a rollback with RAM brings back a DHCP lease that the network has forgotten: nothing gets through until the guest asks anew',
  'new-address': 'the network gives the guest another address than the one it has',
  'no-dhcp': 'nobody answers a request for an address',
  'no-exec': 'the configuration of the guest agent blocks guest-exec, as Fedora and RHEL come',
  booting: 'sshd and agent answer, and the boot is not over: pam_nologin refuses every log-in',
  'more-cards':
    'the agent tells first a card of the VM whose address leads nowhere, one of Docker, a VPN, and a second address of its own card',
  'shell-prints':
    'the login shell prints a greeting before each command, as a .bashrc or a PowerShell profile may',
  'menu-wants-motion': 'a submenu opens only for a pointer that moves within its item for a while, as in Qt',
  'drag-wants-time':
    'a drag begins some time after the press, with motion, and is dropped where the pointer has been moved for a while',
  'drops-shifted': 'Wayland: a shifted character without a Shift key held is lost',
} as const;

export type Fault = keyof typeof FAULTS | WindowsWay;

/** The faults of one guest that are on now. */
export type Faults = ReadonlySet<Fault>;

export function faultNamed(name: string): Fault {
  if (Object.hasOwn(FAULTS, name) || isWindowsWay(name)) return name as Fault;
  const known = [...Object.keys(FAULTS), ...Object.keys(WINDOWS_WAYS)];
  throw new Error(`unknown fault "${name}"; known: ${known.join(', ')}`);
}
