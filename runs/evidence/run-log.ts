/**
 * What the runner itself says at the end of its log: Playwright's closing block and our own summary.
 *
 * Specs print into the same log, so only what stands last in a runner's part of it counts: after its closing block no
 * spec of it prints any more. It lowers a verdict and never raises one.
 *
 * @module
 */
import { stripAnsi } from '../render/sections.ts';
import { type Adapter, type CountEvidence, type Evidence, hostNamed } from './shape.ts';
import { fileTime } from './time.ts';

/** Where one runner's part of the log ends; `vmwright run` writes it, and only into the log. */
export function runnerEnded(code: number): string {
  return `=== vmwright run: the runner exited with code ${code} ===`;
}

const ENDED = /^=== vmwright run: the runner exited with code (?<code>\d+) ===$/;
/** The first line of Playwright's terminal reporters. */
const HEADER = /^Running (?<tests>\d+) tests? using \d+ workers?(?:, .*)?$/;
const HOSTS = /^HOSTS:$/;

export const readRunLog: Adapter = (artifact) => {
  const { name } = artifact;
  if (artifact.bytes.includes(0)) return undefined;
  const lines = stripAnsi(artifact.bytes.toString('utf8')).split(/\r?\n/);
  if (!lines.some((line) => HEADER.test(line) || HOSTS.test(line) || ENDED.test(line))) return undefined;
  const parts = partsOf(lines).map((part) => readPart(part, name));
  const unfinished = parts.map((part) => part.unfinished).find((text) => text !== undefined);
  return {
    source: 'text',
    name,
    ...fileTime(artifact),
    tests: [],
    counts: parts.flatMap(({ counts = [] }) => counts),
    unreadable: parts.flatMap(({ unreadable = [] }) => unreadable),
    ...(unfinished === undefined ? {} : { unfinished }),
  };
};

interface Part {
  readonly lines: readonly string[];
  /** Undefined where the log says nothing of the runner's exit. */
  readonly code: number | undefined;
}

function partsOf(lines: readonly string[]): Part[] {
  const parts: Part[] = [];
  let current: string[] = [];
  for (const line of lines) {
    const code = ENDED.exec(line)?.groups?.code;
    if (code === undefined) current.push(line);
    else {
      parts.push({ lines: current, code: Number(code) });
      current = [];
    }
  }
  return current.some((line) => line.trim() !== '') ? [...parts, { lines: current, code: undefined }] : parts;
}

type Said = Pick<Evidence, 'counts' | 'unreadable' | 'unfinished'>;

function readPart({ lines, code }: Part, name: string): Said {
  const announced = lines
    .map((line) => HEADER.exec(line)?.groups?.tests)
    .find((count) => count !== undefined);
  const last = closingBlock(lines);
  // A block that does not account for every test that the runner announced was printed by a spec.
  const block = last?.total === Number(announced) ? last : undefined;
  const rows = summaryRows(lines);
  const counts: CountEvidence[] = [];
  const unreadable: { host?: string; text: string }[] = [];
  for (const { host, title } of block?.failed ?? []) {
    counts.push({ host, tests: 1, failures: 1, text: `${name}: "${title}" failed` });
  }
  for (const { host, status, detail } of rows) {
    if (status === 'FAIL')
      counts.push({ host, tests: 1, failures: 1, text: detail === '' ? `${name} says FAIL` : detail });
    if (status === 'UNKNOWN' || status === 'RUN' || status === 'WAIT') {
      unreadable.push({ host, text: `${name} says ${status}${detail === '' ? '' : `: ${detail}`}` });
    }
  }
  if (block === undefined && rows.length === 0 && (announced !== undefined || code === undefined)) {
    unreadable.push({ text: `${name} ends before the runner has closed it` });
  }
  if (block !== undefined && block.failures > block.failed.length) {
    unreadable.push({ text: `${name} counts ${block.failures} failures and names ${block.failed.length}` });
  }
  if (block !== undefined && block.errors > 0) {
    unreadable.push({ text: `${name} tells of ${block.errors} errors outside of any test` });
  }
  if (code !== undefined && code !== 0 && counts.length === 0 && unreadable.length === 0) {
    unreadable.push({ text: `${name} says that the runner exited with code ${code}, and not why` });
  }
  const open = block?.unfinished ?? 0;
  return {
    counts,
    unreadable,
    ...(open === 0 ? {} : { unfinished: `${name} counts ${open} tests that did not run` }),
  };
}

interface ClosingBlock {
  /** Of all tests, whatever became of them. */
  readonly total: number;
  readonly failures: number;
  readonly failed: readonly { readonly host: string | undefined; readonly title: string }[];
  readonly unfinished: number;
  readonly errors: number;
}

/** In this order Playwright closes: a line a kind, and below it the tests of some. */
const KINDS = [
  'failed',
  'interrupted',
  'flaky',
  'skipped',
  'did not run',
  'passed',
  'not a part of any test',
];
const KIND =
  /^ {2}(?<count>\d+) (?:errors? (?:was|were) )?(?<kind>failed|interrupted|flaky|skipped|did not run|passed(?= \()|not a part of any test(?=,))(?: \(.*\)|, see above for details)?$/;
const TEST =
  /^ {4}(?:\[id=[^\]]*\] )?(?:\[(?:project=)?(?<host>[^\]]+)\] › )?(?<title>\S.*:\d+:\d+ › .*?)[ ─]*$/;

/** The block that stands last. */
function closingBlock(lines: readonly string[]): ClosingBlock | undefined {
  const last = lines.findLastIndex((line) => KIND.test(line));
  if (last < 0) return undefined;
  let [first, order, end] = [last, KINDS.length, last];
  while (TEST.test(lines[end + 1] ?? '')) end++;
  for (let index = last; index >= 0; index--) {
    const kind = KIND.exec(lines[index] ?? '')?.groups?.kind;
    if (kind === undefined && !TEST.test(lines[index] ?? '')) break;
    // Each kind stands once, in their order: what else stands above was printed by somebody else.
    if (kind !== undefined && KINDS.indexOf(kind) >= order) break;
    if (kind !== undefined) [first, order] = [index, KINDS.indexOf(kind)];
  }
  const counted = new Map<string, number>();
  const failed: { host: string | undefined; title: string }[] = [];
  let kind = '';
  for (const line of lines.slice(first, end + 1)) {
    const head = KIND.exec(line)?.groups;
    if (head !== undefined) {
      kind = head.kind ?? '';
      counted.set(kind, Number(head.count));
      continue;
    }
    const test = TEST.exec(line)?.groups;
    if (kind !== 'failed' || test === undefined) continue;
    const file = /^(?<file>.*?):\d+:\d+ › /.exec(test.title ?? '')?.groups?.file;
    failed.push({ host: hostNamed({ project: test.host, file }), title: test.title ?? '' });
  }
  const of = (name: string): number => counted.get(name) ?? 0;
  return {
    total: KINDS.slice(0, -1).reduce((sum, name) => sum + of(name), 0),
    failures: of('failed'),
    failed,
    unfinished: of('interrupted') + of('did not run'),
    errors: of('not a part of any test'),
  };
}

const ROW = /^(?<host>\S.*?) - (?<status>PASS|FAIL|SKIP|UNKNOWN|RUN|WAIT)(?: - (?<detail>.*))?$/;

/** The machines of the last summary. */
function summaryRows(lines: readonly string[]): { host: string; status: string; detail: string }[] {
  const heading = lines.findLastIndex((line) => HOSTS.test(line));
  if (heading < 0) return [];
  const rows: { host: string; status: string; detail: string }[] = [];
  for (const line of lines.slice(heading + 1)) {
    const row = ROW.exec(line)?.groups;
    if (row === undefined) break;
    rows.push({ host: row.host ?? '', status: row.status ?? '', detail: row.detail ?? '' });
  }
  return rows;
}
