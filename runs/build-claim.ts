/**
 * The name of a run, claimed: while a run lives, its name and folder are its own.
 *
 * @module
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isVmwrightError } from '../fixtures/errors.ts';
import { type Claim, type Claimant, type Taken, takeClaim } from './claim.ts';
import { checkBuildName, FILES, partFolder, partsOf, readRecord, setAside } from './store.ts';

interface BuildClaimant {
  readonly run: string;
  /** What this process writes; absent for one that only leads those who do. */
  readonly part?: Parameters<typeof partFolder>[1];
}

/** A claim on the folder of `build`, or who has it. What an earlier run or attempt left there is set aside. */
export function claimBuild(stateFolder: string, build: string, { run, part }: BuildClaimant): Taken {
  const folder = join(stateFolder, build);
  const own = part === undefined ? undefined : partFolder(folder, part);
  return takeClaim(folder, { run, part: own?.slice(folder.length + 1) }, (isAlone) => {
    if (readRecord(folder)?.run !== run) {
      if (isAlone) setAside(folder, stateFolder, build);
    } else if (own !== undefined && partsOf(own).length > 0) {
      // Another attempt at the part, or blobs that are merged anew: the latest counts.
      const kept = setAside(own, stateFolder, build);
      if (own === folder && kept !== undefined) keepPosted(kept, folder);
    }
  });
}

/** What {@link claimName} chooses from. */
interface Naming extends BuildClaimant {
  readonly stateFolder: string;
  /** The name that was asked for. */
  readonly given: string | undefined;
  /** The name of a run that was given none, or cannot have it. */
  readonly fallback: string;
  /** Told why the name is another. */
  readonly say: (line: string) => unknown;
}

/** The first name that nobody has: the one that was given, the fallback, the fallback with a number. */
export function claimName({ given, fallback, say, stateFolder, ...claimant }: Naming): {
  build: string;
  claim: Claim;
} {
  for (const build of namesFrom(given, fallback, say)) {
    const taken = claimBuild(stateFolder, build, claimant);
    if ('claim' in taken) return { build, claim: taken.claim };
    const { process } = taken.holder;
    if (build === given) say(`a live run is named "${given}" (process ${process.pid}): using another name`);
  }
  throw new Error('unreachable: there are always more names');
}

function* namesFrom(
  given: string | undefined,
  fallback: string,
  say: (line: string) => unknown,
): Generator<string> {
  if (given !== undefined && given !== '') {
    try {
      yield checkBuildName(given);
    } catch (error) {
      if (!isVmwrightError(error, 'BUILD_NAME_INVALID')) throw error;
      say(error.message);
    }
  }
  yield fallback;
  for (let number = 2; ; number++) yield `${fallback}-${number}`;
}

/**
 * A folder for a run's files: `folder`, or one beside it that is named for the run, when a live run works in that.
 *
 * @param prepare as of {@link takeClaim}, told which folder it is
 */
export function claimOutput(
  folder: string,
  claimant: Claimant,
  build: string,
  prepare: (folder: string, isAlone: boolean) => void = () => undefined,
): { folder: string; claim: Claim } {
  for (const path of beside(folder, build)) {
    const taken = takeClaim(path, claimant, (isAlone) => prepare(path, isAlone));
    if ('claim' in taken) return { folder: path, claim: taken.claim };
  }
  throw new Error('unreachable: there are always more folders');
}

function* beside(folder: string, build: string): Generator<string> {
  yield folder;
  yield `${folder}-${build}`;
  for (let number = 2; ; number++) yield `${folder}-${build}-${number}`;
}

/** What was posted of a run stays posted. */
function keepPosted(from: string, to: string): void {
  try {
    mkdirSync(to, { recursive: true });
    copyFileSync(join(from, FILES.posted), join(to, FILES.posted));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
