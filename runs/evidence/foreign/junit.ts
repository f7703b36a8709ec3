/**
 * JUnit XML as Playwright, jest-junit and mocha-junit-reporter write it: results by machine where a suite, case or file
 * names one. Totals weigh only against a pass: more failures than the cases show, or more cases than there are.
 *
 * @module
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { suiteName } from '../../run-facts.ts';
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
import { fileTime, momentOf, parseTime } from '../time.ts';

type Attributes = Readonly<Record<string, unknown>>;

interface Property extends Attributes {
  readonly property?: Attributes[];
}

interface Case extends Attributes {
  readonly failure?: unknown[];
  readonly error?: unknown[];
  readonly skipped?: unknown[];
  readonly properties?: Property[];
}

interface Suite extends Attributes {
  readonly testsuite?: Suite[];
  readonly testcase?: Case[];
}

const LISTS = new Set(['testsuite', 'testcase', 'failure', 'error', 'skipped', 'properties', 'property']);
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseAttributeValue: false,
  parseTagValue: false,
  isArray: (name) => LISTS.has(name),
});

export const readJunit: Adapter = (artifact) => {
  const text = artifact.bytes.toString('utf8').replace(/^\ufeff/, '');
  if (!/^\s*(?:<\?xml|<testsuite)/.test(text.slice(0, 200))) return undefined;
  const { name } = artifact;
  const base = { source: 'junit' as const, name };
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor is four packages for this one call
  if (XMLValidator.validate(text) !== true) {
    const fault = { text: `${name} is no whole XML` };
    return { ...base, ...fileTime(artifact), tests: [], unreadable: [fault] };
  }
  const document = parser.parse(text) as { testsuites?: Suite | string; testsuite?: Suite[] };
  const { testsuites, testsuite } = document;
  const root: Suite | undefined = typeof testsuites === 'object' ? testsuites : testsuite && { testsuite };
  if (root === undefined) return undefined;
  const found = new JunitReport(name, attribute(root, 'id') !== undefined || '@id' in root);
  found.read(root, { host: undefined, file: undefined, titles: [] });
  return {
    ...base,
    ...fileTime(artifact, earliest(root)),
    tests: found.tests,
    counts: found.counts,
    unreadable: found.unreadable,
  };
};

interface Around {
  readonly host: string | undefined;
  readonly file: string | undefined;
  readonly titles: readonly string[];
}

/** What is found on the way through the suites. */
class JunitReport {
  readonly tests: TestEvidence[] = [];
  readonly counts: CountEvidence[] = [];
  readonly unreadable: { host?: string; text: string }[] = [];
  readonly #name: string;
  /** Playwright's root bears an id, also an empty one. */
  readonly #isPlaywright: boolean;

  constructor(name: string, isPlaywright: boolean) {
    this.#name = name;
    this.#isPlaywright = isPlaywright;
  }

  read(suite: Suite, around: Around): void {
    const title = attribute(suite, 'name') ?? '';
    const file = attribute(suite, 'file') ?? (isSpecFile(title) ? title : around.file);
    const host = attribute(suite, 'hostname') ?? around.host;
    const first = this.tests.length;
    const here = { host, file, titles: [...around.titles, title] };
    for (const test of suite.testcase ?? []) this.#case(test, suite, here);
    for (const inner of suite.testsuite ?? []) this.read(inner, here);
    this.#totals(suite, host, this.tests.slice(first));
  }

  #case(test: Case, suite: Suite, { host, file, titles }: Around): void {
    const suiteTitle = attribute(suite, 'name') ?? '';
    const classname = attribute(test, 'classname');
    const own = attribute(test, 'file') ?? file ?? (isSpecFile(classname) ? classname : undefined);
    const machine = hostNamed({ host: attribute(test, 'hostname') ?? host, file: own }) ?? '';
    const bookkeeping = bookkeepingName([...titles, own, classname]);
    const startedAt = momentOf(attribute(suite, 'timestamp'));
    const identity = {
      host: machine,
      suite: bookkeeping === undefined ? suiteName(suiteTitle) : 'bookkeeping',
      test: (attribute(test, 'name') ?? 'test').replace(machine === '' ? '' : `[${machine}] `, ''),
      retry: 0,
    };
    const bad = test.failure?.[0] ?? test.error?.[0];
    const stated = ['status', 'result'].map((key) => outcomeNamed(attribute(test, key) ?? ''));
    const isBad = bad !== undefined || stated.includes('failed');
    const isSkipped = test.skipped !== undefined || stated.includes('skipped');
    if (
      stated.includes('interrupted') ||
      (!isBad && isSkipped && this.#didNotRun(test, classname === suiteTitle))
    ) {
      this.tests.push(cutOff({ ...identity, startedAt }));
      return;
    }
    const outcome = isBad ? 'failed' : isSkipped ? 'skipped' : 'passed';
    const failure = isBad ? failureOf(messageOf(bad)) : undefined;
    this.tests.push({
      ...identity,
      outcome,
      expected: !isBad,
      steps: [],
      ...(failure === undefined ? {} : { failure }),
      startedAt,
      durationMs: secondsOf(attribute(test, 'time')),
    });
  }

  /** Playwright writes a test that was never begun as skipped, without the annotation that a skipped one has. */
  #didNotRun(test: Case, isClassOfSuite: boolean): boolean {
    if (!this.#isPlaywright || !isClassOfSuite) return false;
    const names = (test.properties ?? []).flatMap(({ property = [] }) =>
      property.map((one) => attribute(one, 'name')),
    );
    return !names.some((name) => name === 'skip' || name === 'fixme');
  }

  #totals(suite: Suite, host: string | undefined, found: readonly TestEvidence[]): void {
    const [tests, failures, errors] = ['tests', 'failures', 'errors'].map((key) =>
      countOf(attribute(suite, key) ?? ''),
    );
    const hosts = [...new Set(found.map((test) => test.host))];
    const of = host ?? (hosts.length === 1 ? hosts[0] : undefined);
    if (tests === undefined || failures === undefined || errors === undefined) return;
    if ([tests, failures, errors].some(Number.isNaN)) {
      this.#say(of, 'has a total that is no number');
      return;
    }
    const bad = found.filter((test) => test.outcome === 'failed').length;
    if (failures + errors > bad) this.counts.push({ host: of, tests, failures: failures + errors });
    if (found.length === 0 || tests <= found.length) return;
    for (const each of hosts) this.#say(each, `counts ${tests} tests and holds ${found.length}`);
  }

  #say(host: string | undefined, text: string): void {
    this.unreadable.push({ ...(host === undefined ? {} : { host }), text: `${this.#name} ${text}` });
  }
}

/** Of all the times in the report the first. */
function earliest(suite: Suite): string | undefined {
  const own = attribute(suite, 'timestamp');
  const inner = (suite.testsuite ?? []).map(earliest);
  const times = [own, ...inner].flatMap((text) => {
    const time = parseTime(text);
    return time === undefined || text === undefined ? [] : { text, ...time };
  });
  // A time without a zone makes the whole report's uncertain.
  const zoneless = times.filter((time) => !time.hasZone);
  return (zoneless.length > 0 ? zoneless : times).sort((a, b) => a.at - b.at)[0]?.text;
}

function isSpecFile(text: string | undefined): text is string {
  return text !== undefined && /\.[cm]?[jt]sx?$/.test(text);
}

function secondsOf(text: string | undefined): number {
  const seconds = Number(text ?? 0);
  return Number.isFinite(seconds) ? seconds * 1000 : 0;
}

function messageOf(failure: unknown): string | undefined {
  if (typeof failure === 'string') return failure;
  if (typeof failure !== 'object' || failure === null) return undefined;
  const { '#text': text, '@message': message } = failure as Record<string, unknown>;
  return [text, message].find((part): part is string => typeof part === 'string' && part.trim() !== '');
}

function attribute(node: Attributes | undefined, name: string): string | undefined {
  const value = node?.[`@${name}`];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
