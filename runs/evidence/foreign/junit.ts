/**
 * JUnit XML: results by machine where test cases name one; a group's totals weigh only against a pass.
 *
 * @module
 */
import { XMLParser } from 'fast-xml-parser';
import { isBookkeeping } from '../../attempts.ts';
import { suiteName } from '../../run-facts.ts';
import { type Adapter, failureOf, type TestEvidence, timeInName } from '../shape.ts';

type Attributes = Readonly<Record<string, unknown>>;

interface Case extends Attributes {
  readonly failure?: unknown[];
  readonly error?: unknown[];
  readonly skipped?: unknown[];
}

interface Suite extends Attributes {
  readonly testsuite?: Suite[];
  readonly testcase?: Case[];
}

const LISTS = new Set(['testsuite', 'testcase', 'failure', 'error', 'skipped']);
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseAttributeValue: false,
  parseTagValue: false,
  isArray: (name) => LISTS.has(name),
});

export const readJunit: Adapter = (artifact) => {
  const text = artifact.bytes.toString('utf8');
  if (!/^\s*(?:<\?xml|<testsuite)/.test(text.slice(0, 200))) return undefined;
  const { name } = artifact;
  const unreadable = {
    source: 'junit' as const,
    name,
    at: artifact.modifiedAt,
    tests: [],
    unreadable: [{ text: `${name} is no whole XML` }],
  };
  if (!/<\/testsuites?>\s*$|^[^<]*(?:<\?xml[^>]*>\s*)?<testsuites?[^>]*\/>\s*$/.test(text)) return unreadable;
  const document = parser.parse(text) as { testsuites?: Suite; testsuite?: Suite[] };
  const suites = document.testsuites?.testsuite ?? document.testsuite;
  if (suites === undefined) return undefined;
  const own = Date.parse(attribute(suites[0], 'timestamp') ?? '');
  return {
    source: 'junit',
    name,
    at: Number.isNaN(own) ? (timeInName(name) ?? artifact.modifiedAt) : own,
    tests: suites.flatMap(testsOf),
    counts: suites
      .filter((suite) => !isBookkeeping(attribute(suite, 'name') ?? ''))
      .map((suite) => ({
        host: attribute(suite, 'hostname'),
        tests: Number(attribute(suite, 'tests') ?? 0),
        failures: Number(attribute(suite, 'failures') ?? 0) + Number(attribute(suite, 'errors') ?? 0),
      })),
  };
};

function testsOf(suite: Suite): TestEvidence[] {
  const suiteTitle = suiteName(attribute(suite, 'name') ?? '');
  const startedAt = Date.parse(attribute(suite, 'timestamp') ?? '');
  const cases = (suite.testcase ?? []).flatMap((test): TestEvidence[] => {
    const host = attribute(test, 'hostname') ?? attribute(suite, 'hostname');
    const bad = test.failure?.[0] ?? test.error?.[0];
    if (host === undefined || isBookkeeping(suiteTitle)) return [];
    const outcome = bad !== undefined ? 'failed' : test.skipped === undefined ? 'passed' : 'skipped';
    const failure = outcome === 'failed' ? failureOf(messageOf(bad)) : undefined;
    return [
      {
        host,
        suite: suiteTitle,
        test: attribute(test, 'name') ?? 'test',
        retry: 0,
        outcome,
        expected: outcome !== 'failed',
        steps: [],
        ...(failure === undefined ? {} : { failure }),
        startedAt: Number.isNaN(startedAt) ? undefined : startedAt,
        durationMs: Number(attribute(test, 'time') ?? 0) * 1000,
      },
    ];
  });
  return [...cases, ...(suite.testsuite ?? []).flatMap(testsOf)];
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
