/**
 * What crashed runs left behind: their traces and journals are finished as crashed sessions, their machines are given
 * back. Nothing that cannot be proven dead is touched.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine, Settings } from '../fixtures/config/index.ts';
import { tryFileLock, underFileLock } from '../fixtures/process/file-lock.ts';
import { type ProcessView, systemProcesses } from '../fixtures/process/view.ts';
import { notesOf, releaseRun } from '../fixtures/lease/index.ts';
import { systemLeaseClock } from '../fixtures/lease/lease.ts';
import { heldBy } from '../fixtures/lease/survey.ts';
import { isVmwrightError } from '../fixtures/errors.ts';
import { connectProxmox, type Vm } from '../fixtures/proxmox/index.ts';
import {
  CRASHED,
  flushSession,
  type Kill,
  loadTraceSettings,
  reapOrphan,
  recoverCrashedSessions,
  type RecoveredTrace,
  type Session,
  sessionsFolder,
} from '../fixtures/trace/index.ts';
import { type JournalEvent, readJournal } from './journal.ts';
import { lookingAlone } from './claim.ts';
import { type ProcessState, runnerState } from './liveness.ts';
import { foldJournal, type RunModel } from './model.ts';
import { recoverRun } from './evidence/recover.ts';
import {
  FILES,
  partsOf,
  readJson,
  readRecord,
  type RunRecord,
  storedRuns,
  writeAtomically,
} from './store.ts';

/** Beside a journal: that the run it tells of was finished as crashed. */
const RECOVERED = 'recovered.json';

export interface RecoveredRun {
  /** Where its journal is. */
  readonly folder: string;
  readonly build: string;
  /** The runner that is gone. */
  readonly pid: number;
  readonly outcome: 'recovered' | 'skipped';
  readonly hosts: Session['hosts'];
  /** Its journal is gone: what is said of it is what its artefacts show. */
  readonly isLost?: boolean;
  readonly reason?: string;
}

export interface FileRecovery {
  readonly traces: readonly RecoveredTrace[];
  readonly runs: readonly RecoveredRun[];
}

export interface RecoveryOptions {
  readonly stateFolder: string;
  readonly dryRun?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly processState?: ProcessState;
}

/** Beside the sessions, which every recovery of this user writes to. */
const LOCK = '.recovery.lock';
/** How long one recovery waits for another. Milliseconds. */
const LOCK_WAIT_MS = 60_000;

export interface RecoveryLockOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Told who is at it. */
  readonly onWait: (line: string) => void;
}

/**
 * Runs `action` while no other recovery of this user is at work: what one finishes, kills or frees no other takes up.
 *
 * @throws `FILE_LOCKED` naming who is at it, after a minute; `SETTING_INVALID`
 */
export function aloneInRecovery<T>(
  { env, onWait }: RecoveryLockOptions,
  action: () => T | Promise<T>,
): Promise<T> {
  const options = {
    wait: LOCK_WAIT_MS,
    clock: systemLeaseClock,
    onWait: (holder: string) =>
      onWait(`another recovery is at work (${holder}); waiting up to ${LOCK_WAIT_MS / 1000} s for it`),
  };
  return underFileLock(sessionsFolder(loadTraceSettings(env).config), LOCK, options, action);
}

/** The same without waiting; undefined, and a line, when another recovery is at work. */
export function ifAloneInRecovery<T>({ env, onWait }: RecoveryLockOptions, action: () => T): T | undefined {
  const folder = sessionsFolder(loadTraceSettings(env).config);
  const taken = tryFileLock(folder, LOCK, { clock: systemLeaseClock });
  if (!('release' in taken)) {
    onWait(`another recovery is at work (${taken.holder ?? 'it has just begun'})`);
    return undefined;
  }
  try {
    return action();
  } finally {
    taken.release();
  }
}

/**
 * Finishes what was cut off: traces in shared memory, then stored runs whose runner is gone. What is being written
 * stays; a run is finished once.
 *
 * @throws `SETTING_INVALID`
 */
export function recoverFiles(options: RecoveryOptions): FileRecovery {
  const { dryRun = false } = options;
  const { config, maxSessions } = loadTraceSettings(options.env);
  const log = { folder: sessionsFolder(config), maxSessions };
  const flush = (session: Session): void => void flushSession(session, log);
  return { traces: recoverCrashedSessions({ config, flush, dryRun }), runs: recoverRuns(options, flush) };
}

function recoverRuns(options: RecoveryOptions, flush: (session: Session) => void): RecoveredRun[] {
  const { stateFolder, dryRun = false, processState = runnerState } = options;
  const finishAll = ({ folder: wholeFolder }: { folder: string }): RecoveredRun[] => {
    const record = readRecord(wholeFolder);
    if (record === undefined) return [];
    const whole = { folder: wholeFolder, record };
    const isCancelled = readJson(join(whole.folder, FILES.cancelled)) !== undefined;
    const parts = partsOf(whole.folder);
    // Without any journal the artefacts of the whole are what is left.
    const folders = parts.length > 0 ? parts : [whole.folder];
    return folders.flatMap((folder): RecoveredRun[] => {
      const record = readRecord(folder);
      if (record?.run !== whole.record.run || isCancelled) return [];
      if (processState(record.process, folder) !== 'gone' || isFinished(folder, record)) return [];
      const found = { folder, build: record.build, pid: record.process.pid };
      try {
        const session = parts.length > 0 ? crashedRun(folder, whole.folder, record) : lostRun(folder, record);
        if (session === undefined) return [];
        if (!dryRun) {
          flush(session);
          writeAtomically(
            join(folder, RECOVERED),
            `${JSON.stringify({ run: record.run, at: Date.now() })}\n`,
          );
        }
        const isLost = parts.length === 0;
        return [{ ...found, outcome: 'recovered', hosts: session.hosts, ...(isLost ? { isLost } : {}) }];
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return [{ ...found, outcome: 'skipped', hosts: [], reason }];
      }
    });
  };
  // Meanwhile nobody takes the name: what is finished is the run that was looked at.
  return storedRuns(stateFolder).flatMap((stored) =>
    dryRun ? finishAll(stored) : lookingAlone(stored.folder, {}, () => finishAll(stored)),
  );
}

function isFinished(folder: string, record: RunRecord): boolean {
  if (readJson(join(folder, FILES.stuck)) !== undefined) return true;
  const marker = readJson(join(folder, RECOVERED)) as { run?: unknown } | undefined;
  return marker?.run === record.run;
}

/** The session that the journal tells of; undefined when it came to its end after all. */
function crashedRun(folder: string, whole: string, record: RunRecord): Session | undefined {
  const text = readFileSync(join(folder, FILES.journal), 'utf8');
  const { events, faults } = readJournal(text, folder);
  if (events.some(({ type }) => type === 'run-end') || !hasBegun(events)) return undefined;
  const model = foldJournal(events, { runner: 'gone', now: Date.now(), faults });
  const part = folder.slice(whole.length);
  return { ...sessionOf(model, record), id: `run_${record.build}_${record.run}${part}`, journal: text };
}

/** The session that the artefacts of a run tell of, when nothing else is left; undefined when there are none. */
function lostRun(folder: string, record: RunRecord): Session | undefined {
  const model = recoverRun(folder, record);
  if (model === undefined) return undefined;
  return { ...sessionOf(model, record), id: `run_${record.build}_${record.run}` };
}

function sessionOf({ hosts, startedAt, endedAt }: RunModel, record: RunRecord): Omit<Session, 'id'> {
  return {
    runId: record.run,
    end: CRASHED,
    hosts: hosts.map(({ host, status, detail }) => ({ host, status, detail })),
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(endedAt ?? startedAt).toISOString(),
    snapshots: [],
  };
}

function hasBegun(events: readonly JournalEvent[]): boolean {
  return events.some(({ type }) => type === 'run-begin');
}

export interface RecoveredLease {
  readonly machine: string;
  /**
   * `freed`: its run was proven dead, or named by `force`. `kept`: its run lives, or nobody can tell. `unseen`: it could
   * not be looked at.
   */
  readonly outcome: 'freed' | 'kept' | 'unseen';
  readonly holder: string;
  readonly reason: string;
}

export interface LeaseRecoveryOptions {
  readonly dryRun?: boolean;
  /** A run whose leases are taken off whether or not it is proven dead: the operator says that it is. */
  readonly force?: string;
  readonly view?: ProcessView;
  readonly kill?: Kill;
}

/**
 * Gives back the machines of runs that are proven dead. A worker that outlived its run's main process is ended first.
 * Three API calls for a machine that nobody holds.
 *
 * @throws `PROXMOX_*`
 */
export async function recoverLeases(
  machines: readonly Pick<Machine, 'name' | 'vm' | 'node'>[],
  settings: Settings,
  options: LeaseRecoveryOptions = {},
): Promise<RecoveredLease[]> {
  const proxmox = await connectProxmox({ ...settings.proxmox, timeoutScale: settings.timeoutScale });
  const found: RecoveredLease[] = [];
  try {
    for (const machine of machines) {
      try {
        const vm = await proxmox.findVm(machine.vm, machine.node ?? settings.proxmox.node);
        found.push(...(await recoverLease(vm, options)));
      } catch (error) {
        // One machine that is gone or locked keeps no other from being given back.
        if (!isVmwrightError(error)) throw error;
        const [reason = ''] = error.message.split('\n');
        found.push({ machine: machine.name, outcome: 'unseen', holder: '', reason });
      }
    }
  } finally {
    await proxmox.close();
  }
  return found;
}

async function recoverLease(vm: Vm, options: LeaseRecoveryOptions): Promise<RecoveredLease[]> {
  const { dryRun = false, force, view = systemProcesses() } = options;
  const notes = notesOf(vm);
  const lease = heldBy((await notes.read()).description, vm.vmid, view);
  if (lease === undefined) return [];
  const { record, holder } = lease;
  const found = { machine: vm.label, holder };
  if (record === undefined) return [{ ...found, outcome: 'kept', reason: WHY_KEPT[lease.liveness] }];
  const isOrphan = lease.liveness === 'alive' && reapOrphan(record, view, options) === 'killed';
  const isForced = record.run === force;
  if (lease.liveness !== 'dead' && !isOrphan && !isForced) {
    return [{ ...found, outcome: 'kept', reason: WHY_KEPT[lease.liveness] }];
  }
  if (!dryRun) await releaseRun(notes, record.run);
  if (isOrphan)
    return [{ ...found, outcome: 'freed', reason: `process ${record.worker.pid} had outlived its run` }];
  return [
    { ...found, outcome: 'freed', reason: lease.liveness === 'dead' ? WHY_KEPT.dead : 'named by --force' },
  ];
}

const WHY_KEPT = {
  alive: 'its run is at work',
  dead: 'its processes are gone',
  unknown: 'whether its processes live cannot be read',
  foreign: 'of another host, boot or container: it ends by itself when it falls silent',
  unreadable: 'what the notes say cannot be read',
} as const;

/** One line for everything that was done, and with `all` for what was left alone. */
export function recoveryLines(
  { traces, runs }: FileRecovery,
  leases: readonly RecoveredLease[],
  options: { readonly all?: boolean; readonly dryRun?: boolean } = {},
): string[] {
  const { all = false, dryRun = false } = options;
  const would = dryRun ? 'would be ' : '';
  return [
    ...runs.flatMap((run) => {
      const name = `run ${run.build} (process ${run.pid})`;
      if (run.outcome === 'skipped') return all ? `${name} is left alone: ${run.reason ?? ''}` : [];
      const hosts = run.hosts.map(({ host, status, detail }) => `${host} ${status} - ${detail}`).join('; ');
      if (run.isLost === true)
        return `${name} has no journal left and ${dryRun ? would : 'was '}rebuilt from its artefacts: ${hosts}`;
      return `${name} was cut off and ${would}finished as crashed: ${hosts}`;
    }),
    ...traces.flatMap(({ file, outcome, reason, session }) => {
      if (outcome === 'recovered') {
        const host = session?.hosts[0]?.host ?? '';
        return `trace of ${host === '' ? 'a session' : host} ${would}finished as crashed (${reason}): ${session?.snapshots.length ?? 0} snapshots`;
      }
      if (outcome === 'stale') return `${file} ${would}removed: ${reason}`;
      return all ? `${file} is left alone: ${reason}` : [];
    }),
    ...leases.flatMap(({ machine, outcome, holder, reason }) => {
      if (outcome === 'freed') return `${machine} ${would}freed (${reason}): ${holder}`;
      if (outcome === 'unseen') return all ? `${machine} could not be looked at: ${reason}` : [];
      return all ? `${machine} stays held (${reason}): ${holder}` : [];
    }),
  ];
}
