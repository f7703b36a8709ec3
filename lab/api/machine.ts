/**
 * What Proxmox itself keeps of a VM: the config file with its digest, the lock, and the snapshot list.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { GuestConfig, LabGuest } from '../guests/guest.ts';
import { ApiError } from './errors.ts';
import { FileLock } from './file-lock.ts';
import { PciBus } from './pci.ts';
import { lockedError } from './tasks.ts';

export interface Snapshot {
  readonly name: string;
  readonly description: string;
  readonly snaptime: number;
  readonly vmstate: boolean;
  readonly parent: string | undefined;
  readonly config: GuestConfig;
  /** `prepare` or `delete` while it is made or removed, and for good when that died. */
  readonly snapstate?: string;
}

export type Config = Record<string, string | number>;

/** Values that take effect at once on a running VM; others wait in the pending list. */
const IMMEDIATE = new Set(['name', 'description', 'tags', 'onboot', 'boot']);

export class Machine {
  readonly vmid: number;
  /** Another one after a migration. */
  node: string;
  readonly guest: LabGuest;
  readonly snapshots = new Map<string, Snapshot>();
  /** Where the VM stands in the snapshot tree. */
  parent: string | undefined;
  lock: string | undefined;
  readonly file: FileLock;
  config: Config;
  /** Changes that a running VM takes over at its next start; null deletes. */
  pending = new Map<string, string | number | null>();
  readonly pci: PciBus;
  /** The guest agent waits for the rest of a command that never comes; until the machine starts anew. */
  isAgentStuck = false;

  constructor(vmid: number, node: string, config: Config, guest: LabGuest, pci = new PciBus()) {
    this.pci = pci;
    this.vmid = vmid;
    this.file = new FileLock(vmid);
    this.node = node;
    this.guest = guest;
    this.config = { ...config };
    for (const { name, ram, savedAt } of guest.existingSnapshots()) {
      const snaptime = Math.floor(savedAt.getTime() / 1000);
      this.snapshots.set(name, {
        name,
        description: '',
        snaptime,
        vmstate: ram,
        parent: this.parent,
        config: { ...config },
      });
      this.parent = name;
    }
  }

  get name(): string {
    return String(this.config.name);
  }

  isRunning(): boolean {
    return this.guest.state() !== 'stopped';
  }

  /** SHA-1 of the config file: changes with every write. */
  digest(): string {
    const state = JSON.stringify([
      this.config,
      [...this.pending],
      [...this.snapshots.keys()],
      this.lock,
      this.parent,
    ]);
    return createHash('sha1').update(state).digest('hex');
  }

  /** @throws 500 `VM is locked (...)` */
  refuseLocked(): void {
    if (this.lock !== undefined) throw lockedError(this.lock);
  }

  /** Runs `action` with the config lock set, and always takes it off again. The file lock is held only to set it. */
  async locked<T>(lock: string, action: () => Promise<T>): Promise<T> {
    await this.file.hold(() => {
      this.refuseLocked();
      this.lock = lock;
    });
    try {
      return await action();
    } finally {
      this.lock = undefined;
    }
  }

  /** What PVE looks at before a change, and again with the file lock. @throws 500 as {@link change} */
  refuseChange(digest: string | undefined, skipLock: boolean): void {
    if (digest !== undefined && digest !== this.digest()) {
      throw new ApiError(500, 'checksum mismatch (file change by other user?)');
    }
    if (!skipLock) this.refuseLocked();
  }

  /**
   * Changes the config as `PUT .../config` does, with the file lock held.
   *
   * @throws 500 `checksum mismatch (file change by other user?)`, `VM is locked (...)`
   */
  change(
    changes: Readonly<Record<string, string>>,
    remove: readonly string[],
    digest: string | undefined,
    skipLock = false,
    log: () => void = () => undefined,
  ): void {
    this.refuseChange(digest, skipLock);
    log();
    for (const [key, value] of Object.entries(changes)) this.#set(key, value);
    for (const key of remove) this.#set(key, null);
  }

  /** The config that the next start uses: pending changes are merged in. */
  applyPending(): void {
    for (const [key, value] of this.pending) apply(this.config, key, value);
    this.pending.clear();
  }

  /** Takes the devices of the config, right before the machine runs. @throws 500 with PVE's words */
  plug(): void {
    this.isAgentStuck = false;
    this.guest.plug?.(this.pci.take(this.vmid, this.config));
  }

  /** What `GET .../config` shows: pending values merged, unless the running values are asked for. */
  shownConfig(current: boolean): Record<string, unknown> {
    const merged = { ...this.config };
    if (!current) for (const [key, value] of this.pending) apply(merged, key, value);
    const { description } = merged;
    return {
      ...merged,
      ...(description === undefined ? {} : { description: readBack(String(description)) }),
      ...(this.lock === undefined ? {} : { lock: this.lock }),
      ...(this.parent === undefined ? {} : { parent: this.parent }),
      digest: this.digest(),
    };
  }

  /** The snapshot's config comes back, but not the description: it is the current one that stays. */
  restoreConfig(snapshot: Snapshot): void {
    const { description } = this.config;
    this.config = { ...snapshot.config };
    apply(this.config, 'description', description ?? null);
    this.isAgentStuck = false;
    this.pending.clear();
    this.parent = snapshot.name;
  }

  #set(key: string, value: string | null): void {
    if (key === 'lock') this.lock = value ?? undefined;
    else if (this.isRunning() && !IMMEDIATE.has(key)) this.pending.set(key, value);
    else apply(this.config, key, value);
  }
}

/** Notes are comment lines of the config file: no white space at the end, one line end (PVE::QemuServer). */
function readBack(description: string): string {
  return `${description.trimEnd()}\n`;
}

function apply(config: Config, key: string, value: string | number | null): void {
  if (value === null) Reflect.deleteProperty(config, key);
  else config[key] = value;
}
