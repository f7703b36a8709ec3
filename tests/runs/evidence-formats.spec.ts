/** What other runners write, and what of it must never come to PASS. */
import { expect, test } from '@playwright/test';
import { corpus, type Files, planOf, rebuilt, result } from './evidence-support.ts';

const passed: Files = { 'f.json': result('fedora42', 'passed'), 'u.json': result('ubuntu2204', 'passed') };
const both = planOf(['fedora42', 'ubuntu2204']);

function statusOf(files: Files, plan = both): Record<string, string> {
  return Object.fromEntries(rebuilt(files, plan).hosts.map(({ host, status }) => [host, status]));
}

/** Files of the corpus, what they make of machines that a result file calls passed, and what stands in the notes. */
const FILES: readonly (readonly [name: string, fedora: string, ubuntu: string, words: string])[] = [
  ['cypress-run.log', 'PASS', 'FAIL', '1 of 2 tests failed'],
  ['cypress-cloud.log', 'PASS', 'FAIL', '1 of 14 tests failed'],
  ['mochawesome-passed.json', 'PASS', 'PASS', ''],
  ['mochawesome-nested.json', 'PASS', 'FAIL', 'the sign-in page was not left'],
  ['mochawesome-hook.json', 'PASS', 'FAIL', 'the sign-in page was not left'],
  ['mochawesome-counts.json', 'PASS', 'FAIL', '2 of 3 tests failed'],
  ['playwright.json', 'PASS', 'FAIL', 'the sign-in page was not left'],
  ['playwright-errors.json', 'UNKNOWN', 'UNKNOWN', 'the worker could not be torn down'],
  ['playwright-junit.xml', 'PASS', 'FAIL', 'the sign-in page was not left'],
  ['jest-junit.xml', 'PASS', 'FAIL', 'the sign-in page was not left'],
  // A hook that failed before the first suite says so at the root alone: on which machine, nobody knows.
  ['mocha-junit-hook.xml', 'UNKNOWN', 'UNKNOWN', 'mocha-junit-hook.xml'],
];

for (const [name, fedora, ubuntu, words] of FILES) {
  test(`VE11: ${name} beside results that passed`, () => {
    const model = rebuilt({ ...passed, [name]: corpus(name) }, both);
    expect(model.hosts.map(({ status }) => status)).toEqual([fedora, ubuntu]);
    const said = JSON.stringify([model.notes, model.hosts.map((host) => [host.detail, host.failures])]);
    expect(said).toContain(words);
  });
}

test('VE11: mocha says N failing of the machine that the log is named after', () => {
  const files = { ...passed, 'ubuntu2204.log': corpus('mocha-spec.log') };
  expect(statusOf(files)).toEqual({ fedora42: 'PASS', ubuntu2204: 'FAIL' });
  // Of a log that is about any of the machines, nobody knows which.
  expect(statusOf({ ...passed, 'console.log': corpus('mocha-spec.log') })).toEqual({
    fedora42: 'UNKNOWN',
    ubuntu2204: 'UNKNOWN',
  });
});

test('VE11: names that wrap, and groups beyond the first recorded run', () => {
  const hosts = ['opensuse-leap-15-6-with-plugin', 'sles15'];
  const results = Object.fromEntries(hosts.map((host) => [`${host}.json`, result(host, 'passed')]));
  const log = corpus('cypress-long-names.log');
  expect(statusOf({ ...results, 'run.log': log }, planOf(hosts))).toEqual({
    'opensuse-leap-15-6-with-plugin': 'FAIL',
    sles15: 'PASS',
  });
  const windows = 'windows-11-enterprise-with-plugin';
  const second = corpus('cypress-cloud.log').replace('1,204          -', '1,203          1');
  expect(statusOf({ 'w.json': result(windows, 'passed'), 'run.log': second }, planOf([windows]))).not.toEqual(
    {
      [windows]: 'PASS',
    },
  );
});

for (const separator of [',', '.', "'", '’', '\u00a0', '\u202f']) {
  test(`VE11: 1${separator}204 failures in a table and in a total are failures`, () => {
    const number = `1${separator}204`;
    const log = corpus('cypress-run.log').replace(
      /2 {8}2 {8}- {8}- {8}- │/,
      `${number}        -    ${number}        -        - │`,
    );
    expect(log).toContain(number);
    expect(statusOf({ ...passed, 'run.log': log }).fedora42).toBe('FAIL');
    const xml = `<testsuites><testsuite name="s" hostname="fedora42" tests="${number}" failures="${number}"/></testsuites>`;
    expect(statusOf({ ...passed, 'x.xml': xml }).fedora42).toBe('FAIL');
  });
}

test('VE11: a row that cannot be read is told, and nothing passes beside it', () => {
  const log = corpus('cypress-run.log').replace(/✔( {2}fedora42\.cy\.ts +)00:02/, '✔$1two seconds');
  const model = rebuilt({ ...passed, 'run.log': log }, both);
  expect(model.hosts.map(({ status }) => status)).toEqual(['UNKNOWN', 'FAIL']);
  expect(model.notes.join()).toContain('run.log: a row of its summary cannot be read');
});

const xml = (attributes: string, cases: string): string =>
  `<testsuites><testsuite ${attributes}>${cases}</testsuite></testsuites>`;

/** What says nothing of a machine although it bears its name. */
const BOOKKEEPING: Files = {
  'suite.xml': xml('name="Register (bookkeeping)" hostname="fedora42"', '<testcase name="register"/>'),
  'class.xml': xml(
    'name="Root" hostname="fedora42"',
    '<testcase name="r" classname="cypress/e2e/bookkeeping.cy.ts"/>',
  ),
  'file.xml': xml('name="Root" hostname="fedora42" file="e2e/bookkeeping.cy.ts"', '<testcase name="r"/>'),
  'spec.json': {
    metadata: { host: 'fedora42', spec: 'bookkeeping.cy.ts' },
    tests: [{ name: 'r', state: 'passed' }],
  },
  'entry.json': {
    metadata: { host: 'fedora42' },
    tests: [{ name: 'r', file: 'bookkeeping.cy.ts', state: 'passed' }],
  },
  'events.json': { hosts: { fedora42: [{ type: 'passed', spec: 'bookkeeping.cy.ts' }] } },
};

for (const [name, content] of Object.entries(BOOKKEEPING)) {
  test(`VE11: bookkeeping with a hostname passes nothing: ${name}`, () => {
    const only = planOf(['fedora42']);
    expect(statusOf({ [name]: content }, only)).toEqual({ fedora42: 'UNKNOWN' });
    const failed = JSON.parse(
      JSON.stringify({ content })
        .replaceAll('passed', 'failed')
        .replaceAll('/></testsuite>', '><failure/></testcase></testsuite>'),
    ) as { content: unknown };
    expect(statusOf({ ...passed, [name]: failed.content }, only)).toEqual({ fedora42: 'FAIL' });
  });
}

/** Ways in which an event log or a result file tells that fedora42 failed. */
const FAILED: readonly (readonly [what: string, content: unknown])[] = [
  ['type failed without severity', { hosts: { fedora42: [{ type: 'passed' }, { type: 'failed' }] } }],
  ['one object of type failed', { hosts: { fedora42: { type: 'Failed', message: 'no' } } }],
  ['keys in another case', { Hosts: { fedora42: [{ type: 'passed' }, { type: 'cy', Severity: 'ERROR' }] } }],
  ['hosts as a list', { hosts: [{ host: 'fedora42', events: [{ type: 'failed' }] }] }],
  ['hosts as a list of events', { hosts: [{ hostname: 'fedora42', type: 'failed' }] }],
  ['events at the top', { events: [{ host: 'fedora42', type: 'failed', message: 'no' }] }],
  ['events of one host', { host: 'fedora42', events: [{ type: 'failed' }] }],
  ['a mere list', [{ host: 'fedora42', type: 'failed' }]],
  ['tests by title', { metadata: { host: 'fedora42' }, tests: { 'Log in': { state: 'failed' } } }],
  ['tests by title and word', { metadata: { host: 'fedora42' }, tests: { 'Log in': 'FAILED' } }],
  ['tests as one test', { metadata: { host: 'fedora42' }, tests: { name: 'Log in', state: 'failed' } }],
  [
    'state and status differ',
    { metadata: { host: 'fedora42' }, tests: [{ state: 'passed', status: 'failed' }] },
  ],
  ['another case of the name', result('Fedora42', 'failed')],
  ['counts beside the tests', { ...result('fedora42', 'passed'), stats: { failures: 1 } }],
  [
    'counts at the root alone',
    '<testsuites failures="1"><testsuite name="s" hostname="fedora42" failures="0"><testcase name="t"/></testsuite></testsuites>',
  ],
  [
    'counts on an outer suite alone',
    xml('name="o" errors="1"', '<testsuite name="i" hostname="fedora42"><testcase name="t"/></testsuite>'),
  ],
  [
    'an empty failure element',
    xml('name="s" hostname="fedora42"', '<testcase name="t"><failure/></testcase>'),
  ],
];

for (const [what, content] of FAILED) {
  test(`VE11: a failure told as ${what} is one`, () => {
    const name = typeof content === 'string' ? 'x.xml' : 'x.json';
    expect(statusOf({ ...passed, [name]: content })).toEqual({ fedora42: 'FAIL', ubuntu2204: 'PASS' });
  });
}

/** What beside a passing file leaves its machine open, and is named. */
const OPEN: readonly (readonly [name: string, content: unknown])[] = [
  ['empty.json', ''],
  ['empty.xml', ' \n'],
  ['empty.log', ''],
  ['cut.json', JSON.stringify(result('fedora42', 'passed')).slice(0, -1)],
  ['list.json', '[{"host":"fedora42","type":"passed"}'],
  ['cut.xml', corpus('playwright-junit.xml').split('</testsuites>')[0]],
  ['inner.xml', `${corpus('playwright-junit.xml').split('</testsuite>')[0] ?? ''}</testsuite>`],
  ['cut.log', corpus('cypress-run.log').split('(Run Finished)')[0]],
  ['table.log', corpus('cypress-run.log').split('│ ✖  ubuntu')[0]],
  ['number.json', { metadata: { host: 'fedora42' }, tests: 7 }],
  ['word.json', { metadata: { host: 'fedora42' }, tests: [{ name: 't', state: 'probably' }] }],
  ['alias.json', result('fedora42.lab.example.test', 'failed')],
  ['alias.xml', xml('name="s" hostname="vm-142"', '<testcase name="t"><failure>no</failure></testcase>')],
  ['nameless.xml', xml('name="s"', '<testcase name="t"><failure>no</failure></testcase>')],
  ['fewer.xml', xml('name="s" hostname="fedora42" tests="3"', '<testcase name="t"/>')],
  ['fewer.json', corpus('playwright.json').replace('"expected": 1', '"expected": 4')],
  ['unfinished.json', { hosts: { fedora42: [{ type: 'passed' }, { type: 'cy', status: 'interrupted' }] } }],
  [
    'skipped.json',
    { metadata: { host: 'fedora42', suite: 'smoke' }, tests: [{ name: 'Log in', state: 'skipped' }] },
  ],
  [
    'never-begun.xml',
    corpus('playwright-junit.xml').replace(
      '<testcase name="workspace › connects" classname="smoke.spec.ts" time="4.0">',
      '$&<skipped/>',
    ),
  ],
];

for (const [name, content] of OPEN) {
  test(`VE11: beside ${name} nothing passes, and the file is named`, () => {
    const model = rebuilt({ ...passed, [name]: content }, both);
    expect(model.hosts[0]?.status).toBe('UNKNOWN');
    expect([model.hosts[0]?.detail, ...model.notes].join()).toContain(name);
  });
}

test('VE11: of two names that differ in case only, neither is guessed', () => {
  const files = { 'a.json': result('vm1', 'passed'), 'b.json': result('VM1', 'passed') };
  expect(statusOf(files, planOf(['vm1', 'VM1']))).toEqual({ vm1: 'PASS', VM1: 'PASS' });
  expect(statusOf({ ...files, 'c.json': result('Vm1', 'failed') }, planOf(['vm1', 'VM1']))).toEqual({
    vm1: 'UNKNOWN',
    VM1: 'UNKNOWN',
  });
});

test('VE11: what one artefact retried takes no failure of another away', () => {
  const attempt = (status: string, retry: number): object => ({
    status,
    retry,
    errors: [],
    duration: 1,
    startTime: '2026-05-12T09:00:01Z',
  });
  const report = (...results: object[]): object => ({
    config: {},
    stats: { startTime: '2026-05-12T09:00:01Z', duration: 10 },
    suites: [
      {
        title: 'f',
        specs: [
          {
            title: 't',
            file: 'smoke.spec.ts',
            tests: [{ projectName: 'fedora42', expectedStatus: 'passed', annotations: [], results }],
          },
        ],
      },
    ],
  });
  const only = planOf(['fedora42']);
  const flaky = report(attempt('failed', 0), attempt('passed', 1));
  expect(statusOf({ 'a.json': flaky }, only)).toEqual({ fedora42: 'PASS' });
  const junit = xml(
    'name="smoke.spec.ts" hostname="fedora42"',
    '<testcase name="t"><failure>no</failure></testcase>',
  );
  for (const other of [
    { 'b.xml': junit },
    { 'b.json': report(attempt('failed', 1)) },
    { 'b.json': report(attempt('failed', 2)) },
  ]) {
    expect(statusOf({ 'a.json': flaky, ...other }, only)).toEqual({ fedora42: 'FAIL' });
  }
});
