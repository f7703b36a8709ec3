/**
 * mochawesome's JSON: `stats` and nested suites below `results`, `suites` (until version 4) or `rootSuite` (version 8).
 *
 * @module
 */
import { suiteName } from '../../run-facts.ts';
import { isObject, type JsonObject, parseObject, textOf } from '../json.ts';
import {
  type Adapter,
  bookkeepingName,
  type CountEvidence,
  countOf,
  cutOff,
  failureOf,
  hostNamed,
  outcomeNamed,
  type TestEvidence,
} from '../shape.ts';
import { fileTime } from '../time.ts';

export const readMochawesome: Adapter = (artifact) => {
  const document = parseObject(artifact.bytes);
  if (document === undefined || !isObject(document.stats)) return undefined;
  const { stats } = document;
  const roots = [document.results, document.suites, document.rootSuite].flat().filter(isObject);
  if (roots.length === 0 || !('passes' in stats || 'failures' in stats) || !roots.every(isSuite))
    return undefined;
  const report = new MochawesomeReport(artifact.name);
  for (const root of roots) report.read(root, undefined, []);
  report.total(stats);
  return {
    source: 'mochawesome',
    name: artifact.name,
    ...fileTime(artifact, stats.end, stats.start),
    tests: report.tests,
    counts: report.counts,
    unreadable: report.unreadable,
  };
};

function isSuite(value: JsonObject): boolean {
  return Array.isArray(value.tests) && Array.isArray(value.suites);
}

class MochawesomeReport {
  readonly tests: TestEvidence[] = [];
  readonly counts: CountEvidence[] = [];
  readonly unreadable: { host?: string; text: string }[] = [];
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  read(suite: JsonObject, outer: string | undefined, titles: readonly string[]): void {
    const file = textOf(suite.fullFile) ?? textOf(suite.file) ?? outer;
    const title = textOf(suite.title);
    const here = title === undefined ? titles : [...titles, title];
    const first = this.tests.length;
    if (!isSuite(suite)) {
      this.#say(hostNamed({ file }), 'has a suite of an unknown shape');
      return;
    }
    for (const test of suite.tests as unknown[]) this.#test(test, file, here);
    const hooks = ['beforeHooks', 'afterHooks', 'failedHooks', 'hooks'].flatMap((key) => suite[key] ?? []);
    for (const hook of hooks) if (isObject(hook) && stateOf(hook) === 'failed') this.#test(hook, file, here);
    const failing = this.tests.slice(first).filter((test) => test.outcome === 'failed').length;
    const listed = Array.isArray(suite.failures)
      ? suite.failures.length
      : countOf(textOf(suite.failures) ?? '');
    if (listed > failing) this.counts.push({ host: hostNamed({ file }), tests: 0, failures: listed });
    for (const inner of suite.suites as unknown[]) {
      if (isObject(inner)) this.read(inner, file, here);
      else this.#say(hostNamed({ file }), 'has a suite of an unknown shape');
    }
  }

  total(stats: JsonObject): void {
    const hosts = [...new Set(this.tests.map((test) => test.host))];
    const host = hosts.length === 1 ? hosts[0] : undefined;
    const [tests = NaN, failures = NaN] = ['tests', 'failures'].map((key) => countOf(stats[key]));
    if (Number.isNaN(tests) || Number.isNaN(failures)) {
      this.#say(host, 'has a total that is no number');
      return;
    }
    const shown = this.tests.filter((test) => test.outcome === 'failed').length;
    if (failures > shown) this.counts.push({ host, tests, failures });
    if (tests > this.tests.length) this.#say(host, `counts ${tests} tests and holds ${this.tests.length}`);
  }

  #test(test: unknown, file: string | undefined, titles: readonly string[]): void {
    const host = hostNamed({ file }) ?? '';
    if (!isObject(test)) {
      this.#say(host, 'has a test of an unknown shape');
      return;
    }
    const title = [...titles.slice(0), textOf(test.title) ?? 'test'].join(' › ');
    const outcome = stateOf(test);
    const identity = {
      host,
      suite: bookkeepingName([file, ...titles]) === undefined ? suiteName(file ?? '') : 'bookkeeping',
      test: title,
      retry: 0,
      startedAt: undefined,
    };
    if (outcome === undefined) {
      this.#say(host, `says nothing known of "${title}"`);
      return;
    }
    if (outcome === 'interrupted') {
      this.tests.push(cutOff(identity));
      return;
    }
    const error = isObject(test.err) ? test.err : isObject(test.error) ? test.error : {};
    const failure =
      outcome === 'failed' ? failureOf(textOf(error.message) ?? textOf(error.estack)) : undefined;
    this.tests.push({
      ...identity,
      outcome,
      expected: outcome !== 'failed',
      steps: [],
      ...(failure === undefined ? {} : { failure }),
      durationMs: typeof test.duration === 'number' ? test.duration : undefined,
    });
  }

  #say(host: string | undefined, text: string): void {
    const of = host === undefined || host === '' ? {} : { host };
    this.unreadable.push({ ...of, text: `${this.#name} ${text}` });
  }
}

/** The worst that a test says of itself. One that is `skipped` was never begun: a hook before it had failed. */
function stateOf(test: JsonObject): TestEvidence['outcome'] | undefined {
  const state = textOf(test.state);
  const named = state === undefined ? undefined : outcomeNamed(state);
  if (test.fail === true || named === 'failed' || test.timedOut === true) return 'failed';
  if (test.skipped === true) return 'interrupted';
  if (test.pending === true || named === 'skipped') return 'skipped';
  if (named !== undefined || state !== undefined) return named;
  return test.pass === true ? 'passed' : undefined;
}
