/**
 * The lab's machines: the same names and ids as the shipped matrix.
 *
 * @module
 */
import type { GuestDefinition } from './guests/simulated/system.ts';
import type { Config } from './api/machine.ts';

/** Account of the guests' desktop user. */
export const GUEST_USER = 'tester';
export const GUEST_PASSWORD = 'vmwright-lab';
/** Password of alice@example.test in the demo application. */
export const HARBOR_PASSWORD = 'harbor-demo-1';

type Row = Pick<
  GuestDefinition,
  'vmid' | 'name' | 'os' | 'desktop' | 'session' | 'kernel' | 'prettyName' | 'osId'
>;

const ROWS: readonly Row[] = [
  linux(
    101,
    'fedora42',
    'gnome',
    'wayland',
    '6.14.9-300.fc42.x86_64',
    'Fedora Linux 42 (Workstation Edition)',
    'fedora',
  ),
  linux(102, 'ubuntu2204', 'gnome', 'wayland', '5.15.0-139-generic', 'Ubuntu 22.04.5 LTS', 'ubuntu'),
  linux(103, 'ubuntu2404', 'gnome', 'wayland', '6.8.0-60-generic', 'Ubuntu 24.04.2 LTS', 'ubuntu'),
  linux(104, 'manjaro', 'kde', 'wayland', '6.12.28-1-MANJARO', 'Manjaro Linux', 'manjaro'),
  linux(105, 'opensuse', 'kde', 'x11', '6.12.0-160000.5-default', 'openSUSE Leap 16.0', 'opensuse-leap'),
  windows(106, 'windows10', '19045', 'Microsoft Windows 10 Pro'),
  windows(107, 'windows11', '26100', 'Microsoft Windows 11 Pro'),
];

/** The simulated machines. */
export const fleet: readonly GuestDefinition[] = ROWS.map((row) => ({
  ...row,
  user: GUEST_USER,
  password: GUEST_PASSWORD,
  screen: { width: 1280, height: 800 },
  address: addressOf(row.vmid),
  mac: macOf(row.vmid),
}));

/** The config file that Proxmox keeps of a machine of the lab. */
export function configOf(machine: { name: string; os?: string; mac: string }): Config {
  return {
    name: machine.name,
    ostype: machine.os === 'windows' ? 'win11' : 'l26',
    machine: 'q35',
    vga: 'std',
    cores: 2,
    memory: '4096',
    agent: '1',
    net0: `virtio=${machine.mac},bridge=vmbr0`,
    boot: 'order=scsi0;net0',
    scsi0: 'local-lvm:vm-disk-0,size=32G',
  };
}

function linux(
  vmid: number,
  name: string,
  desktop: 'gnome' | 'kde',
  session: 'wayland' | 'x11',
  kernel: string,
  prettyName: string,
  osId: string,
): Row {
  return { vmid, name, os: 'linux', desktop, session, kernel, prettyName, osId };
}

function windows(vmid: number, name: 'windows10' | 'windows11', kernel: string, prettyName: string): Row {
  return {
    vmid,
    name,
    os: 'windows',
    desktop: name,
    session: 'windows',
    kernel,
    prettyName,
    osId: 'mswindows',
  };
}

function addressOf(vmid: number): string {
  return `10.77.0.${vmid - 90}`;
}

function macOf(vmid: number): string {
  return `BC:24:11:00:00:${(vmid - 100).toString(16).toUpperCase().padStart(2, '0')}`;
}
