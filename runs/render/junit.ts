/**
 * Verdicts on machines as JUnit XML, which Playwright's own lacks: a machine without evidence is an error there, and a
 * blacklisted one is skipped.
 *
 * @module
 */
import type { HostModel } from '../verdict.ts';
import type { RunModel } from '../model.ts';
import { xmlText } from './escape/xml.ts';
import { sectionsOf, type View } from './sections.ts';

interface Case {
  readonly kind: 'passed' | 'failure' | 'error' | 'skipped';
  readonly xml: string;
}

/**
 * One test case a machine; and one for each test that a machine that passed or failed had to skip, for each error outside
 * of any test, and for a run that is not over.
 */
export function renderJunit(model: RunModel, view: View = { now: model.endedAt ?? model.startedAt }): string {
  const cases = [
    ...model.hosts.flatMap((host) => [machineCase(host), ...skippedCases(host)]),
    ...runCases(model, view),
  ];
  const count = (kind: Case['kind']): number => cases.filter((one) => one.kind === kind).length;
  const attributes = attributesOf({
    name: model.build,
    timestamp: new Date(model.startedAt).toISOString(),
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
  });
  const xml = cases.map((one) => one.xml).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite${attributes}>\n${xml}\n</testsuite>\n</testsuites>\n`;
}

const KINDS = {
  PASS: 'passed',
  SKIP: 'skipped',
  FAIL: 'failure',
  UNKNOWN: 'error',
  RUN: 'error',
  WAIT: 'error',
} as const;

function machineCase(host: HostModel): Case {
  const time = ((host.durationMs ?? 0) / 1000).toFixed(3);
  const attributes = attributesOf({ classname: host.family ?? 'machines', name: host.host, time });
  const inner = resultOf(host) + testList(host);
  const xml = inner === '' ? `<testcase${attributes}/>` : `<testcase${attributes}>${inner}</testcase>`;
  return { kind: KINDS[host.status], xml };
}

/** What became of each test of a machine that has several. */
function testList(host: HostModel): string {
  if (host.tests.length < 2) return '';
  const lines = host.tests.map(({ test, status, skipReason }) => {
    const words = status === 'dropped' ? 'did not run' : status;
    return `${words}: ${test}${skipReason === undefined ? '' : ` - ${skipReason}`}`;
  });
  return `<system-out>${xmlText(lines.join('\n'))}</system-out>`;
}

function skippedCases(host: HostModel): Case[] {
  if (host.status === 'SKIP') return [];
  return host.tests
    .filter(({ status }) => status === 'skipped')
    .map(({ suite, test, skipReason = 'skipped' }) => {
      const attributes = attributesOf({
        classname: `${host.host}.${suite}`,
        name: `${host.host} › ${test}`,
        time: '0.000',
      });
      const message = attributesOf({ message: skipReason });
      return { kind: 'skipped', xml: `<testcase${attributes}><skipped${message}/></testcase>` };
    });
}

/** What no machine's case tells: a reader of this file alone must not take a failed run for a good one. */
function runCases(model: RunModel, view: View): Case[] {
  const errors = model.errors.map(({ host, short, excerpt }) => ({
    name: host === undefined ? 'run' : `${host}: worker`,
    message: short,
    text: excerpt,
  }));
  const isTold =
    errors.length > 0 ||
    model.hosts.some(({ status }) => KINDS[status] === 'failure' || KINDS[status] === 'error');
  const { state } = sectionsOf(model, view);
  const open = model.state === 'COMPLETED' || isTold ? [] : [{ name: 'run', message: state, text: state }];
  return [...errors, ...open].map(({ name, message, text }) => {
    const attributes = attributesOf({ classname: 'run', name, time: '0.000' });
    const error = `<error${attributesOf({ message })}>${xmlText(text)}</error>`;
    return { kind: 'error', xml: `<testcase${attributes}>${error}</testcase>` };
  });
}

function resultOf(host: HostModel): string {
  if (host.status === 'PASS') return '';
  if (host.status === 'SKIP') return `<skipped${attributesOf({ message: host.detail })}/>`;
  if (host.status !== 'FAIL') return `<error${attributesOf({ message: `${host.status}: ${host.detail}` })}/>`;
  const text = host.failures.map(({ where, excerpt }) => `${where}\n${excerpt}`).join('\n\n');
  return `<failure${attributesOf({ message: host.detail })}>${xmlText(text)}</failure>`;
}

function attributesOf(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlText(String(value), true)}"`)
    .join('');
}
