/**
 * Text logs, the last resort: they can show a failure, never a pass.
 *
 * @module
 */
import { stripAnsi } from '../../render/sections.ts';
import { type Adapter, failureOf, hostNamed, type TestEvidence, timeInName } from '../shape.ts';

/** What ends a test for certain. The mere word "error" does not. */
export const TERMINAL_MARKERS: readonly RegExp[] = [
  /^\s*(?:\d+\)\s.*›|✘\s)/,
  /^\s*(?:Error|AssertionError|TimeoutError|VmwrightError): \S/,
  /\bTest timeout of \d+ ?ms exceeded/,
  /\bcy:(?:command|task) error\b/,
];

/** A row of a run's own table: machine, duration and counts. */
export interface TableRow {
  readonly host: string;
  readonly durationMs: number | undefined;
  readonly tests: number;
  readonly failures: number;
  readonly pending: number;
}

/** A log of one machine, whose name is its file's, or the log of a run with its tables. */
export const readTextLog: Adapter = (artifact) => {
  const text = stripAnsi(artifact.bytes.toString('utf8'));
  // What is binary, JSON or XML has a structure that nobody here knows: that is no log.
  if (text.includes('\u0000') || /^\s*[{<]/.test(text.replace('\ufeff', ''))) return undefined;
  const at = timeInName(artifact.name) ?? artifact.modifiedAt;
  const rows = tableRows(text);
  if (rows.length > 0) {
    const counts = rows.map(({ host, tests, failures }) => ({ host, tests, failures }));
    return { source: 'text', name: artifact.name, at, tests: [], counts };
  }
  const file = artifact.name
    .replace(/\.(?:log|txt)$/, '')
    .replace(/[._-]?\d{8}.*$|[._-]?\d{4}-\d{2}-\d{2}.*$/, '');
  const host = hostNamed({ file });
  const lines = text.split('\n');
  const index = lines.findIndex((line) => TERMINAL_MARKERS.some((marker) => marker.test(line)));
  if (index < 0 || host === undefined) return { source: 'text', name: artifact.name, at, tests: [] };
  const failure = failureOf(lines.slice(index, index + 12).join('\n'), stepBefore(lines, index));
  const test: TestEvidence = {
    host,
    suite: 'log',
    test: 'log',
    retry: 0,
    outcome: 'failed',
    expected: false,
    steps: [],
    ...(failure === undefined ? {} : { failure }),
    startedAt: undefined,
    durationMs: undefined,
  };
  return { source: 'text', name: artifact.name, at, tests: [test] };
};

/** The last step that the log announced: `step 7 "Connect"` or `STEP 7: Connect`. */
function stepBefore(lines: readonly string[], index: number): string | undefined {
  for (const line of lines.slice(0, index + 1).reverse()) {
    const title = /\bstep\s+\d+\s*[:-]?\s*"?([^"]+)"?\s*$/i.exec(line)?.[1];
    if (title !== undefined) return title.trim();
  }
  return undefined;
}

/** A block ends where the next run or group begins, never at the line that merely mentions a recorded run. */
const BLOCK_END = /^\s*(?:🏁 Recorded Run:|\(Run Starting\)|Specs?:\s)/;
const ROW =
  /^\s*[│|]\s*(?<mark>[✔✖✓✗])\s+(?<spec>\S+)\s+(?<duration>(?:\d+h )?(?:\d+m )?[\d.:]+s?|\d+ms)\s+(?<tests>\d+|-)\s+(?<passing>\d+|-)\s+(?<failing>\d+|-)\s+(?<pending>\d+|-)\s+(?<skipped>\d+|-)\s*[│|]?\s*$/u;

/** The machines of all summary tables in a log. Only rows of a table count. */
export function tableRows(log: string): TableRow[] {
  return tableGroups(log).flat();
}

/** The same, one list a group. */
export function tableGroups(log: string): TableRow[][] {
  const groups: TableRow[][] = [];
  let current: TableRow[] | undefined;
  for (const line of log.split('\n')) {
    if (line.includes('(Run Finished)')) {
      current = [];
      groups.push(current);
    } else if (BLOCK_END.test(line)) current = undefined;
    const row = ROW.exec(line)?.groups;
    const host = hostNamed({ file: row?.spec });
    if (row === undefined || host === undefined || current === undefined) continue;
    const count = (cell: string | undefined): number =>
      cell === undefined || cell === '-' ? 0 : Number(cell);
    current.push({
      host,
      durationMs: parseDuration(row.duration ?? ''),
      tests: count(row.tests),
      failures: Math.max(count(row.failing), row.mark === '✖' || row.mark === '✗' ? 1 : 0),
      pending: count(row.pending),
    });
  }
  return groups.filter((group) => group.length > 0);
}

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
