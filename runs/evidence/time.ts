/**
 * When an artefact is from, and whether that is within a run.
 *
 * @module
 */

/** When results are from: the contents, else the file's name, else its date (requirements A162). */
export interface FileTime {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The time that was found bears no zone: it may be up to 14 hours off. */
  readonly zoneless?: Zoneless;
}

interface Zoneless {
  /** Read as if it were UTC. Milliseconds since the epoch. */
  readonly local: number;
  readonly from: 'contents' | 'name';
  /** The file's date. Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** A run's time. Milliseconds since the epoch; `endedAt` undefined where nobody knows it. */
export interface Window {
  readonly startedAt: number;
  readonly endedAt?: number | undefined;
}

/** The runner, its reporters and the file system round times each in their own way. Milliseconds. */
const TOLERANCE_MS = 1_000;
const HOUR_MS = 3_600_000;
/** Clocks on Earth are from 12 hours behind UTC to 14 hours ahead of it. */
const BEHIND_MS = 12 * HOUR_MS;
const AHEAD_MS = 14 * HOUR_MS;

/**
 * `within` and `outside` are certain. `doubtful`: there are zones in which the file is of the run and others in which it
 * is not.
 */
export function placeOf(
  time: FileTime,
  { startedAt, endedAt = Infinity }: Window,
): 'within' | 'outside' | 'doubtful' {
  const from = startedAt - TOLERANCE_MS;
  const to = endedAt + TOLERANCE_MS;
  const isWithin = (at: number): boolean => at >= from && at <= to;
  const { at, zoneless } = time;
  if (zoneless === undefined) return isWithin(at) ? 'within' : 'outside';
  const { local, modifiedAt } = zoneless;
  // What was last written before the run began is none of its results, whatever it says of itself.
  if (modifiedAt < from) return 'outside';
  const [earliest, latest] = [local - AHEAD_MS, local + BEHIND_MS];
  if (latest < from || earliest > to) return 'outside';
  if (earliest >= from && latest <= to) return 'within';
  if (zoneless.from === 'name' && isWithin(local) && isWithin(modifiedAt)) return 'within';
  return 'doubtful';
}

/** The time of a file whose contents give `values` as theirs; the first that is one counts. */
export function fileTime(
  artifact: { readonly name: string; readonly modifiedAt: number },
  ...values: readonly unknown[]
): FileTime {
  const { name, modifiedAt } = artifact;
  for (const value of values) {
    const own = parseTime(value);
    if (own === undefined) continue;
    if (own.hasZone) return { at: own.at };
    return { at: modifiedAt, zoneless: { local: own.at, from: 'contents', modifiedAt } };
  }
  const named = timeInName(name);
  return named === undefined
    ? { at: modifiedAt }
    : { at: named, zoneless: { local: named, from: 'name', modifiedAt } };
}

/** A moment as a report writes it; read as UTC where it bears no zone. Undefined where it is none. */
export function parseTime(value: unknown): { readonly at: number; readonly hasZone: boolean } | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? { at: value, hasZone: true } : undefined;
  if (typeof value !== 'string' || !/\d/.test(value)) return undefined;
  const text = value.trim();
  const hasZone =
    /(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})(?:\s*\([^)]*\))?$/i.test(text) && !/^\d{4}-\d{2}-\d{2}$/.test(text);
  const at = Date.parse(
    hasZone ? text : /^\d{4}-\d{2}-\d{2}[T ]/.test(text) ? `${text.replace(' ', 'T')}Z` : `${text} UTC`,
  );
  return Number.isNaN(at) ? undefined : { at, hasZone };
}

/** The moment itself, where it is certain. */
export function momentOf(value: unknown): number | undefined {
  const time = parseTime(value);
  return time?.hasZone === true ? time.at : undefined;
}

/** A date in a file's name, read as UTC: `2026-05-12T09-00-00`, `20260512-090000`. */
export function timeInName(name: string): number | undefined {
  const match = /(\d{4})-?(\d{2})-?(\d{2})[T_-]?(\d{2})[:_-]?(\d{2})[:_-]?(\d{2})/.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const at = Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`,
  );
  return Number.isNaN(at) ? undefined : at;
}
