/**
 * Leases over notes in memory, with runs on hosts of the test's choice.
 *
 * @module
 */
import { VmwrightError } from '../../../fixtures/errors.ts';
import type { LeaseIdentity } from '../../../fixtures/lease/identity.ts';
import type { ProcessView } from '../../../fixtures/process/view.ts';
import type { LeaseClock } from '../../../fixtures/lease/lease.ts';
import { askedRecord } from '../../../fixtures/lease/protocol.ts';
import { type LeaseRecord, parseNotes, renderNotes } from '../../../fixtures/lease/record.ts';
import type { LeaseStore, StoredNotes, WriteResult } from '../../../fixtures/lease/store.ts';

export const BOOT = '0f5f9b2e-boot';

/** A VM's notes in memory, with the digest's compare-and-swap and the config lock. */
export class MemoryStore implements LeaseStore {
  readonly label = 'VM 101 (fedora42) on pve';
  readonly vmid = 101;
  readonly lockPatience = 60_000;
  description: string | undefined;
  locked = false;
  /** A task holds the config file: reads show nothing of it. */
  busy = false;
  version = 1;
  calls = 0;
  /** Those that were not refused. */
  writes = 0;
  /** Another value of the config, which somebody changes. */
  tags = 0;
  /** Writes without an answer do not arrive either. */
  refusing = false;
  /** Called before each write reaches the notes; may write itself. */
  beforeWrite: () => WriteResult | undefined = () => undefined;

  edit(change: (description: string) => string): void {
    this.description = change(this.description ?? '');
    this.version++;
  }

  /** Another run asks whether the holder is still there. */
  ask(record: LeaseRecord): void {
    const asked = askedRecord(record, 'other', new Date(Date.UTC(2026, 10, 21, 8)));
    this.edit((text) => renderNotes(parseNotes(text, this.vmid).human, asked));
  }

  stayedLocked(lock: string, waitedMs: number): VmwrightError {
    return new VmwrightError({
      code: 'VM_LOCKED',
      subject: this.label,
      message: `locked for ${waitedMs} ms`,
      expected: 'no lock',
      seen: lock,
      next: 'wait',
    });
  }

  read(): Promise<StoredNotes> {
    this.calls++;
    return Promise.resolve({
      description: this.description === undefined ? undefined : `${this.description}\n`,
      digest: String(this.version),
      lock: this.locked ? 'backup' : undefined,
      config: { tags: String(this.tags), description: this.description },
    });
  }

  write(description: string, digest: string): Promise<WriteResult> {
    this.calls++;
    const outcome = this.beforeWrite();
    if (outcome !== undefined && (outcome !== 'unsure' || this.refusing)) return Promise.resolve(outcome);
    if (this.locked) return Promise.resolve('locked');
    if (digest !== String(this.version)) return Promise.resolve('changed');
    if (this.busy) return Promise.resolve('busy');
    this.writes++;
    // The digest is one of the contents.
    if (this.description === description) return Promise.resolve(outcome ?? 'written');
    this.description = description === '' ? undefined : description;
    this.version++;
    return Promise.resolve(outcome ?? 'written');
  }
}

/** A host whose processes are the given ones: pid to start. */
export function hostOf(
  processes: Readonly<Record<number, number | null>>,
  options: { host?: string; boot?: string | null; pidns?: string | null } = {},
): ProcessView {
  const { host = 'ci-1', boot = BOOT, pidns = 'pid:[1]' } = options;
  return {
    host,
    bootId: () => boot,
    pidNamespace: () => pidns,
    start: (pid) => (pid in processes ? (processes[pid] ?? null) : 'gone'),
  };
}

/** A run whose main process and worker are the given ones. */
export function runOf(
  run: string,
  options: Partial<Pick<LeaseIdentity, 'host' | 'boot' | 'pidns' | 'runner' | 'worker'>> = {},
): LeaseIdentity {
  const { host = 'ci-1', boot = BOOT, pidns = 'pid:[1]' } = options;
  const { runner = { pid: 100, start: 1000 }, worker = { pid: 101, start: 1001 } } = options;
  return { run, host, boot, pidns, runner, worker };
}

export function recordOf(identity: LeaseIdentity, changes: Partial<LeaseRecord> = {}): LeaseRecord {
  return { v: 2, vm: 101, ...identity, since: '2026-11-21T08:00:00.000Z', beat: 1, ...changes };
}

/** Time passes only by sleeping; nothing really waits. */
export class FakeClock implements LeaseClock {
  time = 0;
  epoch = Date.UTC(2026, 10, 21, 8);
  /** Told of each sleep before time passes. */
  onSleep: (ms: number) => void = () => undefined;

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.epoch + this.time;
  }

  sleep(ms: number): Promise<void> {
    this.onSleep(ms);
    this.time += ms;
    return Promise.resolve();
  }

  random(): number {
    return 0.5;
  }
}
