/**
 * What one of the real guests' desktops has of its own.
 *
 * @module
 */

export interface Desktop {
  /** Its folder beside this file holds `desktop.sh` and `rootfs/`: the image's own part. */
  readonly name: 'openbox' | 'kde' | 'gnome';
  /** Its machine in the lab. */
  readonly guest: {
    readonly vmid: number;
    readonly name: string;
    readonly address: string;
    readonly mac: string;
  };
  /** As `vmwright lab start` shows it. */
  readonly system: string;
  /** What the desktop is made of, beside what these depend on. Recommended packages stay out. */
  readonly packages: readonly string[];
  /** A RAM state fits only the memory it was saved from, so this is the lab's and not the Proxmox config's. */
  readonly memoryMib: number;
  /** Factor on the time-outs of its first start: how much slower than the light one it may be. */
  readonly patience: number;
  /** Shell text: exits 0 when boot jobs are done, the desktop is there, and the user's systemd knows the display. */
  readonly isUp: string;
  /**
   * Shell text that brings the desktop to where tests start. Where it can it opens the application once and closes it:
   * proof that it works, and the files of Python and GTK are in the guest's memory from then on.
   */
  readonly openAndClose: string;
}

/** Every guest has these. */
export const COMMON_PACKAGES: readonly string[] = [
  ...[
    'systemd-sysv',
    'dbus',
    'dbus-user-session',
    'libpam-systemd',
    'udev',
    'kmod',
    'sudo',
    'netbase',
    'iproute2',
  ],
  ...[
    'linux-image-amd64',
    'initramfs-tools',
    'openssh-server',
    'qemu-guest-agent',
    'procps',
    'psmisc',
    'less',
  ],
  ...['file', 'libglib2.0-bin'],
  ...['python3', 'python3-gi', 'gir1.2-gtk-3.0', 'adwaita-icon-theme', 'fonts-dejavu-core', 'fontconfig'],
];

/** An X server and its tools. */
export const X11_PACKAGES: readonly string[] = [
  ...['xserver-xorg-core', 'xserver-xorg-input-libinput', 'xauth', 'x11-xserver-utils', 'x11-utils'],
  ...['wmctrl', 'xdotool'],
];

/** Shell text: boot jobs are done. */
export const BOOTED = `
systemctl is-active --quiet ssh.service || { echo 'sshd is not up'; exit 1; }
case "$(systemctl is-system-running)" in running|degraded) ;; *) echo 'boot jobs are running'; exit 1;; esac
`;

/** Shell words that run a command in the desktop user's session, with the variables of his systemd. */
export const IN_SESSION =
  'runuser -u tester -- env XDG_RUNTIME_DIR=/run/user/1000 systemd-run --user --collect --quiet --pipe --wait';

/** The machine with this number, at the same places as the simulated ones. */
export function machine(vmid: number, name: string): Desktop['guest'] {
  const last = (vmid - 100).toString(16).toUpperCase().padStart(2, '0');
  return { vmid, name, address: `10.77.0.${vmid - 90}`, mac: `BC:24:11:00:00:${last}` };
}
