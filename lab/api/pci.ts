/**
 * The node's PCI devices, its resource mappings, and which running VM has which device.
 *
 * PVE checks nothing when a config names a device; a start takes it, or fails (PVE::QemuServer::PCI,
 * `reserve_pci_usage`).
 *
 * @module
 */
import type { GuestConfig, GuestPciDevice } from '../guests/guest.ts';
import { ApiError } from './errors.ts';

export interface HostDevice extends GuestPciDevice {
  /** `0000:01:00.0` */
  readonly id: string;
  readonly iommugroup: number;
  readonly deviceName: string;
}

/** Entries of one node are alternatives: a start takes the first that is free. */
export interface Mapping {
  readonly id: string;
  readonly paths: readonly string[];
}

const NVIDIA = '10de';
const card = (slot: string, iommugroup: number): HostDevice[] => [
  {
    id: `${slot}.0`,
    class: '0300',
    vendor: NVIDIA,
    device: '2684',
    iommugroup,
    deviceName: 'AD102 [GeForce RTX 4090]',
  },
  {
    id: `${slot}.1`,
    class: '0403',
    vendor: NVIDIA,
    device: '22ba',
    iommugroup,
    deviceName: 'AD102 High Definition Audio Controller',
  },
];

/** Three equal cards of two functions each: one of its own, two as a pool. */
const DEVICES: readonly HostDevice[] = [
  ...card('0000:01:00', 14),
  ...card('0000:02:00', 15),
  ...card('0000:03:00', 16),
];
const MAPPINGS: readonly Mapping[] = [
  { id: 'gpu', paths: ['0000:01:00'] },
  { id: 'gpus', paths: ['0000:02:00', '0000:03:00'] },
];

export class PciBus {
  readonly devices: readonly HostDevice[] = DEVICES;
  readonly mappings: readonly Mapping[] = MAPPINGS;
  /** Starts in progress elsewhere, as `/run/qemu-server/pci-id-reservations` keeps them: device id to VM id. */
  readonly reserved = new Map<string, number>();
  readonly #taken = new Map<string, number>();
  /** Whether a VM runs: one that is off has given its devices back. */
  isRunning: (vmid: number) => boolean = () => false;

  /**
   * Takes the devices that a config names, for a VM that starts.
   *
   * @throws 500 with PVE's words when one is not there, or is another's
   */
  take(vmid: number, config: GuestConfig): readonly HostDevice[] {
    const taken: HostDevice[] = [];
    for (const [key, value] of Object.entries(config)) {
      if (!/^hostpci\d+$/.test(key)) continue;
      if (/(^|,)pcie=1/.test(String(value)) && !/^(pc-)?q35/.test(String(config.machine ?? ''))) {
        throw new ApiError(500, 'q35 machine model is not enabled');
      }
      const devices = this.#choose(vmid, key, String(value));
      const twice = devices.find((device) => taken.includes(device));
      if (twice !== undefined) throw new ApiError(500, `device '${twice.id}' assigned more than once`);
      taken.push(...devices);
    }
    for (const [id, owner] of this.#taken) if (owner === vmid) this.#taken.delete(id);
    for (const { id } of taken) this.#taken.set(id, vmid);
    return taken;
  }

  /** The ids of the devices that running VMs have, by VM. */
  inUse(): ReadonlyMap<string, number> {
    return new Map([...this.#taken].filter(([, vmid]) => this.isRunning(vmid)));
  }

  #choose(vmid: number, key: string, value: string): readonly HostDevice[] {
    const mapped = /(?:^|,)mapping=([^,]+)/.exec(value)?.[1];
    if (mapped === undefined) {
      const paths = value.replace(/^host=/, '').split(',')[0] ?? '';
      const devices = this.#functions(paths);
      this.#refuseTaken(vmid, devices);
      return devices;
    }
    const mapping = this.mappings.find(({ id }) => id === mapped);
    if (mapping === undefined) throw new ApiError(500, `PCI device mapping not found for '${mapped}'`);
    const choices = mapping.paths.map((path) => this.#functions(path));
    if (choices.length === 1) this.#refuseTaken(vmid, choices[0] ?? []);
    const free = choices.find((devices) => devices.every(({ id }) => this.#userOf(vmid, id) === undefined));
    if (free === undefined) throw new ApiError(500, `could not find a free device for '${key}'`);
    return free;
  }

  #functions(paths: string): HostDevice[] {
    return paths.split(';').flatMap((path) => {
      const full = (/^[0-9a-f]{4}:/i.test(path) ? path : `0000:${path}`).toLowerCase();
      const found = this.devices.filter(({ id }) => id === full || id.startsWith(`${full}.`));
      if (found.length === 0) throw new ApiError(500, `no PCI device found for '${path}'`);
      return found;
    });
  }

  #userOf(vmid: number, id: string): string | undefined {
    const [owner, reserver] = [this.inUse().get(id), this.reserved.get(id)];
    if (owner !== undefined && owner !== vmid) return `already in use by VMID '${owner}'`;
    if (reserver !== undefined && reserver !== vmid)
      return `is currently reserved for use by VMID '${reserver}'`;
    return undefined;
  }

  #refuseTaken(vmid: number, devices: readonly HostDevice[]): void {
    for (const { id } of devices) {
      const use = this.#userOf(vmid, id);
      if (use !== undefined) throw new ApiError(500, `PCI device '${id}' ${use}`);
    }
  }
}
