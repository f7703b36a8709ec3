/**
 * What `cypress run` and cypress-cloud print: `(Results)` of a spec, and the tables of `(Run Finished)` and
 * `Cloud Run Finished` with a row a spec.
 *
 * @module
 */
import { type CountEvidence, countOf, hostNamed } from '../shape.ts';

/** A row of a run's own table: machine, duration and counts. */
export interface TableRow {
  readonly host: string;
  readonly durationMs: number | undefined;
  readonly tests: number;
  readonly failures: number;
  readonly pending: number;
}

/** What a log of Cypress says. */
export interface CypressLog {
  /** The rows, one list a table. */
  readonly groups: readonly (readonly TableRow[])[];
  /** Failures of the `(Results)` of specs and of the totals below a table. */
  readonly counts: readonly CountEvidence[];
  /** What is cut off or cannot be read. */
  readonly faults: readonly { readonly host?: string; readonly text: string }[];
}

/** A table begins below its title ... */
const TABLE = /^\s*(?:\(Run Finished\)|\(?Cloud Run Finished\)?)\s*$/;
const START = /^\s*\(Run Starting\)\s*$/;
const RESULTS = /^\s*\(Results\)\s*$/;
/** ... and ends where the next run or group begins, never at a line that merely mentions a recorded run. */
const BOUNDARY = /^\s*(?:(?:🏁\s*)?Recorded Run:|Extracted specPattern:|Specs?:\s)/u;
const TOTALS = /^(?:All specs passed!|No specs executed|The run was canceled|[\d.,]+ of [\d.,]+ failed.*)$/;
const COUNT = String.raw`(?:\d[\d.,'’\u00a0\u202f]*|-)`;
const DURATION = String.raw`(?:(?:[\d.]+(?:ms|[dhms])? ?)*[\d.]+(?:ms|[dhms])?|[\d:]+|XX:XX|-|SKIPPED)`;
const ROW = new RegExp(
  String.raw`^(?<mark>[✔✖✓✗√×-])\s+(?<spec>\S.*?)\s+(?<duration>${DURATION})\s+(?<tests>${COUNT})\s+(?<passing>${COUNT})\s+(?<failing>${COUNT})\s+(?<pending>${COUNT})\s+(?<skipped>${COUNT})$`,
  'u',
);
const MARKED = /^[✔✖✓✗√×-]\s/u;

export function readCypressLog(log: string): CypressLog {
  const reader = new CypressReader();
  for (const line of log.split(/\r?\n/)) reader.line(line);
  return reader.end();
}

/** True for a log that bears one of Cypress' headings. */
export function isCypressLog(log: string): boolean {
  return log.split(/\r?\n/).some((line) => TABLE.test(line) || START.test(line) || RESULTS.test(line));
}

/** The machines of all summary tables in a log. Only rows of a table count. */
export function tableRows(log: string): TableRow[] {
  return readCypressLog(log).groups.flat();
}

/** The same, one list a group. */
export function tableGroups(log: string): TableRow[][] {
  return readCypressLog(log).groups.map((group) => [...group]);
}

/** Goes through a log line by line. */
class CypressReader {
  readonly #groups: Row[][] = [];
  readonly #counts: CountEvidence[] = [];
  readonly #faults: { host?: string; text: string }[] = [];
  #table: Row[] | undefined;
  #isClosed = true;
  #isRunning = false;
  #results: Map<string, string> | undefined;

  line(line: string): void {
    if (TABLE.test(line)) this.#begin();
    else if (START.test(line)) {
      this.#close();
      this.#isRunning = true;
    } else if (RESULTS.test(line)) {
      this.#close();
      this.#results = new Map();
    } else if (BOUNDARY.test(line)) this.#close();
    else if (this.#results !== undefined) this.#result(line);
    else if (this.#table !== undefined) this.#row(line);
  }

  end(): CypressLog {
    this.#close();
    if (this.#isRunning) this.#say('it ends before the run does');
    const groups = this.#groups.map((rows) => rows.flatMap((row) => this.#read(row) ?? []));
    return { groups: groups.filter((group) => group.length > 0), counts: this.#counts, faults: this.#faults };
  }

  #begin(): void {
    this.#close();
    this.#isRunning = false;
    this.#isClosed = false;
    this.#table = [];
    this.#groups.push(this.#table);
  }

  #close(): void {
    if (this.#results !== undefined) this.#say('the results of a spec are cut off');
    if (this.#table !== undefined && !this.#isClosed) this.#say('a summary table is cut off');
    this.#results = undefined;
    this.#table = undefined;
    this.#isClosed = true;
  }

  #row(line: string): void {
    if (/^\s*[└╰+]/.test(line)) this.#isClosed = true;
    const inner = /^(?<indent>\s*[│|])(?<cells>.*?)[│|]?\s*$/u.exec(line)?.groups;
    if (inner === undefined || this.#table === undefined) {
      // Cypress prints its totals below the table, without a border.
      const total = line.trim();
      if (/^[✔✖✓✗√×-]\s/u.test(total)) this.#total(total);
      return;
    }
    const cells = (inner.cells ?? '').trimEnd();
    const text = cells.trim();
    const previous = this.#table.at(-1);
    if (MARKED.test(text)) {
      const column = cells.length - cells.trimStart().length;
      const spec = /^\S+\s+/u.exec(text)?.[0].length ?? 0;
      this.#table.push({ text, specAt: column + spec, rest: '' });
    } else if (text !== '' && cells.search(/\S/) === previous?.specAt) {
      // A spec's name that is too long goes on in the next line; so does a duration, further to the right.
      previous.rest += /^\S+/.exec(text)?.[0] ?? '';
    }
  }

  #read({ text, rest }: Row): TableRow | undefined {
    const cells = ROW.exec(text)?.groups;
    const title = cells?.spec ?? text;
    if (cells !== undefined && TOTALS.test(title)) {
      this.#total(text);
      return undefined;
    }
    const host = hostNamed({ file: title + rest });
    const [tests = NaN, passing = NaN, failing = NaN, pending = NaN, skipped = NaN] = COUNTS.map((name) =>
      countOf(cells?.[name] ?? '?'),
    );
    if (
      cells === undefined ||
      host === undefined ||
      [tests, passing, failing, pending, skipped].some(Number.isNaN)
    ) {
      this.#say(`a row of its summary cannot be read: ${text}`);
      return undefined;
    }
    const isBad = cells.mark === '✖' || cells.mark === '✗' || cells.mark === '×';
    const failures = Math.max(failing, isBad ? 1 : 0);
    if (cells.mark === '-') this.#say(`the spec ${title}${rest} did not run`, host);
    else if (failures === 0 && passing + pending + skipped < tests) {
      this.#say(`${title}${rest} counts ${tests} tests and tells of ${passing + pending + skipped}`, host);
    }
    return { host, durationMs: parseDuration(cells.duration ?? ''), tests, failures, pending };
  }

  #total(text: string): void {
    const cells = ROW.exec(text)?.groups;
    if (text.includes('canceled')) this.#say('the run was canceled');
    if (cells === undefined || !TOTALS.test(cells.spec ?? '')) return;
    const [tests, failures] = [countOf(cells.tests ?? ''), countOf(cells.failing ?? '')];
    if (Number.isNaN(failures) || Number.isNaN(tests)) this.#say(`its totals cannot be read: ${text}`);
    else if (failures > 0) this.#counts.push({ host: undefined, tests, failures });
  }

  #result(line: string): void {
    const results = this.#results;
    if (results === undefined) return;
    const cell = /^\s*[│|]\s*(?<key>[A-Z][A-Za-z ]*):\s+(?<value>.*?)\s*[│|]\s*$/u.exec(line)?.groups;
    const more = /^\s*[│|]\s{8,}(?<value>\S.*?)\s*[│|]\s*$/u.exec(line)?.groups;
    if (cell !== undefined) results.set(cell.key ?? '', cell.value ?? '');
    else if (more !== undefined && results.has('Spec Ran')) {
      results.set('Spec Ran', `${results.get('Spec Ran') ?? ''}${more.value ?? ''}`);
    }
    if (!/^\s*[└╰]/.test(line)) return;
    this.#results = undefined;
    const host = hostNamed({ file: results.get('Spec Ran') });
    const [failures, tests] = [countOf(results.get('Failing') ?? '?'), countOf(results.get('Tests') ?? '?')];
    if (host === undefined || Number.isNaN(failures) || Number.isNaN(tests)) {
      this.#say('the results of a spec cannot be read', host);
    } else if (failures > 0) this.#counts.push({ host, tests, failures });
  }

  #say(text: string, host?: string): void {
    this.#faults.push({ ...(host === undefined ? {} : { host }), text });
  }
}

interface Row {
  readonly text: string;
  /** Column at which the spec's name begins. */
  readonly specAt: number;
  /** What of the name stands in the lines below. */
  rest: string;
}

const COUNTS = ['tests', 'passing', 'failing', 'pending', 'skipped'] as const;

/** Milliseconds of `16m 13.9s`, `16m 13.9` (its s wrapped to the next line), `13:59`, `1:02:03`, `59s`, `745ms`. */
export function parseDuration(text: string): number | undefined {
  const clock = /^(?:(\d+):)?(\d+):(\d{2})$/.exec(text.trim());
  if (clock !== null) return (Number(clock[1] ?? 0) * 3600 + Number(clock[2]) * 60 + Number(clock[3])) * 1000;
  const milliseconds = /^(\d+)ms$/.exec(text.trim());
  if (milliseconds !== null) return Number(milliseconds[1]);
  const parts = /^(?:(\d+)h ?)?(?:(\d+)m ?)?(?:(\d+(?:\.\d+)?) ?s?)?$/.exec(text.trim());
  if (parts === null || text.trim() === '') return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = parts;
  return Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000);
}
