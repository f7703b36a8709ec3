/**
 * A claim on a folder: which run works in it, and with which processes. It is taken before anything in the folder is
 * looked at or cleared, so of several starters one gets it and the others are told who did.
 *
 *     <folder>/.claim/<id>.json    an owner: run, process, and the part of the run that it alone writes
 *     .<name>.lock.<n>             beside the folder: held for the moment in which the owners are looked at
 *
 * All processes of one run may share a folder, each with a part of its own. An owner that is proven dead, or whose
 * heartbeat (the time of its file) is older than {@link SILENCE_MS} where it cannot be seen, holds nothing.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { underFileLockSync } from '../fixtures/process/file-lock.ts';
import {
  identityOf,
  isSameProcess,
  type ProcessIdentity,
  processIdentitySchema,
  stateOf,
} from '../fixtures/process/identity.ts';
import { type ProcessView, systemProcesses } from '../fixtures/process/view.ts';

/** How often an owner shows that it lives. Milliseconds. */
export const HEARTBEAT_MS = 15_000;
/** How long a starter waits for others to look at the owners, which takes them milliseconds. Milliseconds. */
const LOCK_WAIT_MS = 10_000;
/** Where in a folder its owners stand: about the folder, and none of its contents. */
export const CLAIM_FOLDER = '.claim';

const schema = z.object({
  run: z.string(),
  part: z.string().optional(),
  released: z.boolean().optional(),
  process: processIdentitySchema,
});

type Owner = z.output<typeof schema>;

export interface Claimant {
  readonly run: string;
  /** What of the run this process alone writes: `''` for all of it, else a folder in it. Absent for one that writes none. */
  readonly part?: string | undefined;
  readonly view?: ProcessView;
  readonly pid?: number;
}

/** Who stands in the way. */
export interface Holder {
  readonly run: string;
  readonly process: ProcessIdentity;
}

export type Taken = { readonly claim: Claim } | { readonly holder: Holder };

/**
 * Takes `folder`, or says who has it.
 *
 * @param prepare what to do with what an earlier run left, before this one shows: nobody else looks meanwhile.
 *   `isAlone` is false when other processes of the same run are at work
 * @throws `FILE_LOCKED` when others look at the owners for more than ten seconds; what the file system throws
 */
export function takeClaim(
  folder: string,
  claimant: Claimant,
  prepare: (isAlone: boolean) => void = () => undefined,
): Taken {
  const { run, part, view = systemProcesses(), pid = process.pid } = claimant;
  return lookingAlone(folder, { view, pid }, () => {
    const now = Date.now();
    const owners = ownersOf(folder);
    const living = owners.filter(
      ({ owner, beatAt }) =>
        owner.released !== true && stateOf(owner.process, { view, silentMs: now - beatAt }) !== 'gone',
    );
    const other = living.find(({ owner }) => owner.run !== run || areInEachOthersWay(owner.part, part));
    if (other !== undefined) return { holder: { run: other.owner.run, process: other.owner.process } };
    prepare(living.length === 0);
    const file = join(folder, CLAIM_FOLDER, `${randomUUID()}.json`);
    const own: Owner = { run, process: identityOf(pid, view), ...(part === undefined ? {} : { part }) };
    mkdirSync(dirname(file), { recursive: true });
    writeOwner(file, own);
    for (const dead of owners) if (!living.includes(dead)) rmSync(dead.file, { force: true });
    return { claim: new Claim(file, own) };
  });
}

/** Runs `action` while nobody takes `folder`. @throws as {@link takeClaim} */
export function lookingAlone<T>(
  folder: string,
  { view, pid }: Pick<Claimant, 'view' | 'pid'>,
  action: () => T,
): T {
  const path = resolve(folder);
  const beside = dirname(path);
  const options = { wait: LOCK_WAIT_MS, ...(view && { view }), ...(pid && { pid }) };
  return underFileLockSync(beside, `.${basename(path)}.lock`, options, action);
}

/** One's own part in a folder. */
export class Claim {
  readonly #file: string;
  readonly #owner: Owner;
  readonly #beat: NodeJS.Timeout;

  constructor(file: string, owner: Owner) {
    this.#file = file;
    this.#owner = owner;
    this.#beat = setInterval(() => this.beat(), HEARTBEAT_MS).unref();
  }

  /** Shows that the owner lives. What is no longer there was taken from one that was silent for too long. */
  beat(): void {
    try {
      const now = new Date();
      utimesSync(this.#file, now, now);
    } catch {
      clearInterval(this.#beat);
    }
  }

  /** Gives the folder back. Nothing is removed: a run removes nothing of its folder (requirements A7). */
  release(): void {
    clearInterval(this.#beat);
    try {
      writeOwner(this.#file, { ...this.#owner, released: true });
    } catch {
      // The folder is gone, and the claim with it.
    }
  }
}

/**
 * For how long a process that works in `folder` has been silent, in milliseconds; undefined for one that is no owner, or
 * gave it back.
 */
export function silenceOf(folder: string, identity: ProcessIdentity, now: number): number | undefined {
  const beats = ownersOf(folder).flatMap(({ owner, beatAt }) =>
    owner.released !== true && isSameProcess(owner.process, identity) ? [now - beatAt] : [],
  );
  return beats.length === 0 ? undefined : Math.max(0, Math.min(...beats));
}

/** When any process of the run last showed in `folder` that it lives; undefined where none did. Milliseconds since the epoch. */
export function lastSeen(folder: string, run: string): number | undefined {
  const beats = ownersOf(folder).flatMap(({ owner, beatAt }) => (owner.run === run ? [beatAt] : []));
  return beats.length === 0 ? undefined : Math.max(...beats);
}

/** The whole and any part of it are not written at the same time. */
function areInEachOthersWay(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one === other || one === '' || other === '';
}

function ownersOf(folder: string): { file: string; owner: Owner; beatAt: number }[] {
  return namesIn(join(folder, CLAIM_FOLDER)).flatMap((name) => {
    const file = join(folder, CLAIM_FOLDER, name);
    try {
      const beatAt = statSync(file).mtimeMs;
      return [{ file, owner: schema.parse(JSON.parse(readFileSync(file, 'utf8'))), beatAt }];
    } catch {
      // It was removed meanwhile: whoever may do that has proven that its owner is dead.
      return [];
    }
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/** Whole or not at all. */
function writeOwner(file: string, owner: Owner): void {
  writeFileSync(`${file}.tmp`, JSON.stringify(owner));
  renameSync(`${file}.tmp`, file);
}
