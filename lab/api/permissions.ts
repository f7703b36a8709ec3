/**
 * Who may call what: the `permissions` entry of each endpoint, as PVE registers it.
 *
 * Facts from pve-manager 9.2 (PVE::API2::Nodes, Cluster, Tasks, Hardware::PCI, Cluster::Mapping::PCI), qemu-server 9.2.6
 * (PVE::API2::Qemu, Qemu::Agent) and access-control 9.1.1 (PVE::RPCEnvironment, `check_api2_permissions`,
 * `exec_api2_perm_check`; PVE::Exception, `raise_perm_exc`). PVE asks before it looks at the node, the VM or a parameter.
 *
 * @module
 */
import type { Access, Caller } from './access.ts';

/** Privileges on a path; all of them, or with `any` one. */
interface Check {
  readonly path: string;
  readonly privileges: readonly string[];
  readonly any?: boolean;
}

/** `world`: no log-in. `user`: whoever is logged in; the handler shows what the caller may see. */
export type Permission = 'world' | 'user' | Check;

const onVm = (...privileges: readonly string[]): Check => ({ path: '/vms/{vmid}', privileges });
const anyOnVm = (...privileges: readonly string[]): Check => ({ ...onVm(...privileges), any: true });
/** `register_command` of PVE::API2::Qemu::Agent. */
const agent = (privilege: string): Check => anyOnVm(privilege, 'VM.GuestAgent.Unrestricted');
const audit = agent('VM.GuestAgent.Audit');
const unrestricted = onVm('VM.GuestAgent.Unrestricted');
const power = onVm('VM.PowerMgmt');
/** `$vm_config_perm_list`; what each option takes is asked for afterwards: {@link privilegeOfOption}. */
const config = anyOnVm(
  'VM.Config.Disk',
  'VM.Config.CDROM',
  'VM.Config.CPU',
  'VM.Config.Memory',
  'VM.Config.Network',
  'VM.Config.HWType',
  'VM.Config.Options',
  'VM.Config.Cloudinit',
);

/** An endpoint that is not here does not compile: {@link Route}. */
export const PERMISSIONS = {
  'POST /access/ticket': 'world',
  'GET /access/permissions': 'user',
  'GET /version': 'user',
  'GET /nodes': 'user',
  'GET /nodes/{node}/time': { path: '/nodes/{node}', privileges: ['Sys.Audit'] },
  'GET /nodes/{node}/qemu': 'user',
  'GET /nodes/{node}/hardware/pci': { path: '/', privileges: ['Sys.Audit', 'Sys.Modify'], any: true },
  'GET /nodes/{node}/tasks': 'user',
  'GET /nodes/{node}/tasks/{upid}/status': 'user',
  'GET /nodes/{node}/tasks/{upid}/log': 'user',
  'GET /cluster/resources': 'user',
  'GET /cluster/log': 'user',
  'GET /cluster/mapping/pci': 'user',
  'GET /cluster/nextid': 'user',
  'GET /nodes/{node}/qemu/{vmid}/status/current': onVm('VM.Audit'),
  'GET /nodes/{node}/qemu/{vmid}/config': onVm('VM.Audit'),
  'PUT /nodes/{node}/qemu/{vmid}/config': config,
  'POST /nodes/{node}/qemu/{vmid}/config': config,
  'GET /nodes/{node}/qemu/{vmid}/pending': onVm('VM.Audit'),
  'POST /nodes/{node}/qemu/{vmid}/status/start': power,
  'POST /nodes/{node}/qemu/{vmid}/status/stop': power,
  'POST /nodes/{node}/qemu/{vmid}/status/shutdown': power,
  'POST /nodes/{node}/qemu/{vmid}/status/reboot': power,
  'POST /nodes/{node}/qemu/{vmid}/status/reset': power,
  'POST /nodes/{node}/qemu/{vmid}/status/suspend': power,
  'POST /nodes/{node}/qemu/{vmid}/status/resume': power,
  'PUT /nodes/{node}/qemu/{vmid}/sendkey': onVm('VM.Console'),
  'POST /nodes/{node}/qemu/{vmid}/vncproxy': onVm('VM.Console'),
  'GET /nodes/{node}/qemu/{vmid}/vncwebsocket': onVm('VM.Console'),
  'GET /nodes/{node}/qemu/{vmid}/snapshot': onVm('VM.Audit'),
  'POST /nodes/{node}/qemu/{vmid}/snapshot': onVm('VM.Snapshot'),
  'POST /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback': anyOnVm(
    'VM.Snapshot',
    'VM.Snapshot.Rollback',
  ),
  'DELETE /nodes/{node}/qemu/{vmid}/snapshot/{snapname}': onVm('VM.Snapshot'),
  'POST /nodes/{node}/qemu/{vmid}/agent/ping': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/get-osinfo': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/get-host-name': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/get-time': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/get-timezone': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/get-users': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/get-vcpus': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/get-fsinfo': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/info': audit,
  'GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces': audit,
  'POST /nodes/{node}/qemu/{vmid}/agent/fsfreeze-status': anyOnVm(
    'VM.GuestAgent.Audit',
    'VM.GuestAgent.FileSystemMgmt',
    'VM.GuestAgent.Unrestricted',
  ),
  'POST /nodes/{node}/qemu/{vmid}/agent/shutdown': agent('VM.PowerMgmt'),
  'POST /nodes/{node}/qemu/{vmid}/agent/exec': unrestricted,
  'GET /nodes/{node}/qemu/{vmid}/agent/exec-status': unrestricted,
  'GET /nodes/{node}/qemu/{vmid}/agent/file-read': agent('VM.GuestAgent.FileRead'),
  'POST /nodes/{node}/qemu/{vmid}/agent/file-write': agent('VM.GuestAgent.FileWrite'),
} as const satisfies Readonly<Record<string, Permission>>;

/** Method and path of an endpoint: `GET /version`. */
export type Route = keyof typeof PERMISSIONS;

/** Refuses whoever lacks what the endpoint takes. @throws 403 with PVE's words */
export function assertPermitted(
  access: Access,
  caller: Caller,
  route: Route,
  parameters: Readonly<Record<string, string>>,
): void {
  const permission: Permission = PERMISSIONS[route];
  if (typeof permission === 'string') return;
  const path = permission.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => parameters[name] ?? '');
  access.check(caller, path, permission.privileges, permission.any);
}

const CPU = /^(?:cores|cpu|numa\d*|sockets)$/;
const MEMORY = /^(?:balloon|memory)$/;
const HARDWARE = /^(?:hotplug|kvm|machine|scsihw|smbios1|tablet|vga)$/;
const OPTIONS = /^(?:agent|bios|description|keyboard|name|onboot|ostype|tags)$/;

/**
 * What a change of one option takes on `/vms/{vmid}` (`$check_vm_modify_config_perm`); undefined where only root may.
 * Drives, `hostpciN` and the like are asked for by their value, after everything else.
 */
export function privilegeOfOption(option: string): string | undefined {
  if (CPU.test(option)) return 'VM.Config.CPU';
  if (MEMORY.test(option)) return 'VM.Config.Memory';
  if (HARDWARE.test(option)) return 'VM.Config.HWType';
  if (OPTIONS.test(option)) return 'VM.Config.Options';
  if (option === 'boot' || /^(?:scsi|virtio|sata|ide|efidisk|tpmstate)\d+$/.test(option))
    return 'VM.Config.Disk';
  if (/^net\d+$/.test(option)) return 'VM.Config.Network';
  if (/^(?:hostpci|serial|usb)\d+$/.test(option)) return 'VM.Config.HWType';
  return undefined;
}
