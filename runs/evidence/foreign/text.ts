/**
 * Text logs, the last resort: they can show a failure, never a pass.
 *
 * @module
 */
import { stripAnsi } from '../../render/sections.ts';
import {
  type Adapter,
  type CountEvidence,
  countOf,
  failureOf,
  hostNamed,
  type TestEvidence,
} from '../shape.ts';
import { fileTime } from '../time.ts';
import { isCypressLog, readCypressLog } from './cypress.ts';

/** What ends a test for certain. The mere word "error" does not. */
export const TERMINAL_MARKERS: readonly RegExp[] = [
  /^\s*(?:\d+\)\s.*›|✘\s)/,
  /^\s*(?:Error|AssertionError|TimeoutError|VmwrightError): \S/,
  /\bTest timeout of \d+ ?ms exceeded/,
  /\bcy:(?:command|task) error\b/,
];

/** A log of one machine, whose name is its file's, or the log of a run with its tables. */
export const readTextLog: Adapter = (artifact) => {
  const text = stripAnsi(artifact.bytes.toString('utf8'));
  // What is binary, JSON or XML has a structure that nobody here knows: that is no log.
  if (text.includes('\u0000') || /^\s*(?:[{<]|\[\s*[\[{"\]\d])/.test(text.replace('\ufeff', '')))
    return undefined;
  const { name } = artifact;
  const base = { source: 'text' as const, name, ...fileTime(artifact) };
  const lines = text.split(/\r?\n/);
  const file = (name.split(/[\\/]/).at(-1) ?? name)
    .replace(/\.(?:log|txt)$/, '')
    .replace(/[._-]?\d{8}.*$|[._-]?\d{4}-\d{2}-\d{2}.*$/, '');
  const host = hostNamed({ file });
  const epilogues = mochaCounts(lines, host);
  if (isCypressLog(text)) {
    const { groups, counts, faults } = readCypressLog(text);
    return {
      ...base,
      tests: [],
      counts: [
        ...groups.flat().map((row) => ({ host: row.host, tests: row.tests, failures: row.failures })),
        ...counts,
        ...epilogues,
      ],
      unreadable: faults.map((fault) => ({ ...fault, text: `${name}: ${fault.text}` })),
    };
  }
  const index = lines.findIndex((line) => TERMINAL_MARKERS.some((marker) => marker.test(line)));
  if (index < 0 || host === undefined) return { ...base, tests: [], counts: epilogues };
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
  return { ...base, tests: [test], counts: epilogues };
};

/** mocha's spec reporter closes with `N passing`, `N pending` and `N failing`; under Cypress once a spec. */
function mochaCounts(lines: readonly string[], ofFile: string | undefined): CountEvidence[] {
  let spec: string | undefined;
  let passing = 0;
  return lines.flatMap((line, index): CountEvidence[] => {
    const running = /^\s*Running:\s+(?<spec>\S+)(?:\s+\([\d.,]+ of [\d.,]+\))?\s*$/.exec(line)?.groups?.spec;
    if (running !== undefined) {
      // A long name goes on below, as far to the right as it began.
      const more = /^\s{10,}(?<rest>\S+)\s*$/.exec(lines[index + 1] ?? '')?.groups?.rest ?? '';
      spec = running + more;
    }
    const said = /^\s*(?<count>\d[\d.,'’\u00a0\u202f]*) (?<what>passing|failing)(?: \(.*\))?\s*$/.exec(
      line,
    )?.groups;
    if (said === undefined) return [];
    const count = countOf(said.count ?? '');
    if (said.what === 'passing') {
      passing = Number.isNaN(count) ? 0 : count;
      return [];
    }
    // A number that cannot be read is not nothing.
    const failures = Number.isNaN(count) ? 1 : count;
    if (failures === 0) return [];
    const host = spec === undefined ? ofFile : hostNamed({ file: spec });
    return [{ host, tests: passing + failures, failures }];
  });
}

/** The last step that the log announced: `step 7 "Connect"` or `STEP 7: Connect`. */
function stepBefore(lines: readonly string[], index: number): string | undefined {
  for (const line of lines.slice(0, index + 1).reverse()) {
    const title = /\bstep\s+\d+\s*[:-]?\s*"?([^"]+)"?\s*$/i.exec(line)?.[1];
    if (title !== undefined) return title.trim();
  }
  return undefined;
}
