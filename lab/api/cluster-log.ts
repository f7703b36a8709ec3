/**
 * The cluster's log as pmxcfs keeps it: a ring of 128 KB of text that is JSON already, put together without a look at it.
 *
 * Facts from pve-cluster, `src/pmxcfs/logger.c` (clog_pack, clog_dump_json), `logger.h` and `cfs-utils.c`
 * (utf8_to_ascii).
 *
 * @module
 */
import { ApiError } from './errors.ts';

/** `CLOG_DEFAULT_SIZE` */
const RING_BYTES = 8192 * 16;
/** `CLOG_MAX_ENTRY_SIZE`, and what each entry takes for its numbers. */
const ENTRY_BYTES = 4096;
const HEAD_BYTES = 48;

interface Entry {
  readonly uid: number;
  readonly time: number;
  readonly user: string;
  readonly text: string;
  readonly bytes: number;
}

export class ClusterLog {
  readonly #node: string;
  readonly #now: () => number;
  #entries: Entry[] = [];
  #written = 0;

  /** @param now seconds since the epoch */
  constructor(node: string, now: () => number) {
    this.#node = node;
    this.#now = now;
  }

  /** How many lines were ever written. */
  get written(): number {
    return this.#written;
  }

  /** How many are still there: the oldest go first. */
  get kept(): number {
    return this.#entries.length;
  }

  add(user: string, message: string): void {
    const head = HEAD_BYTES + this.#node.length + user.length + 'pvedaemon'.length + 3;
    const text = escaped(message, ENTRY_BYTES - head - 7);
    const bytes = (head + text.length + 8) & ~7;
    this.#entries.push({ uid: ++this.#written, time: Math.floor(this.#now()), user, text, bytes });
    let sum = this.#entries.reduce((all, entry) => all + entry.bytes, 0);
    while (sum > RING_BYTES) sum -= this.#entries.shift()?.bytes ?? sum;
  }

  /**
   * As `GET /cluster/log` answers, newest first.
   *
   * @param user whose entries; undefined for everybody's
   * @throws 500 when one entry has spoilt the whole of it
   */
  list(max: number, user?: string): unknown[] {
    const entries = this.#entries
      .filter((entry) => user === undefined || entry.user === user)
      .toReversed()
      .slice(0, max)
      .map(
        ({ uid, time, user: by, text }) =>
          `{"uid": ${uid}, "time": ${time}, "pri": 6, "tag": "pvedaemon", "pid": 1, "node": "${this.#node}", "user": "${by}", "msg": "${text}"}`,
      );
    try {
      return JSON.parse(`[${entries.join(',')}]`) as unknown[];
    } catch {
      throw new ApiError(500, ', or } expected while parsing object/hash, at character offset 118');
    }
  }
}

/** `"` is escaped for the JSON to come, a backslash is not; an entry that is full ends where it is. */
function escaped(message: string, limit: number): string {
  let text = '';
  for (const character of message) {
    if (text.length >= limit) break;
    const code = character.codePointAt(0) ?? 0;
    if (code === 0x22) text += '\\"';
    else if (code < 0x20 || code === 0x7f) text += `#${String(code).padStart(3, '0')}`;
    else if (code < 0x7f) text += character;
    else if (code < 0x10000) text += `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return text;
}
