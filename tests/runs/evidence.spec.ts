import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { type CollectPlan, collect, evidenceOf } from '../../runs/evidence/collect.ts';
import { parseDuration, tableGroups, tableRows } from '../../runs/evidence/foreign/cypress.ts';
import { TERMINAL_MARKERS } from '../../runs/evidence/foreign/text.ts';
import { type Evidence, hostNamed } from '../../runs/evidence/shape.ts';
import { timeInName } from '../../runs/evidence/time.ts';
import { foldJournal, type RunModel } from '../../runs/model.ts';
import { sectionsOf } from '../../runs/render/sections.ts';
import { runPlaywright, writeProject } from '../support/runner.ts';
import { begin, ended, over, started } from './support.ts';

const START = Date.parse('2026-05-12T09:00:00Z');
const plan = (hosts: string[], more: Partial<CollectPlan> = {}): CollectPlan => ({
  build: 'b',
  hosts: hosts.map((host) => ({ host })),
  startedAt: START,
  command: 'c',
  ...more,
});
const at = START + 600_000;

/** A run rebuilt from files: name to content. */
function rebuild(files: Record<string, unknown>, of: CollectPlan, modifiedAt = at): RunModel {
  const evidence = Object.entries(files).map(([name, content]) =>
    evidenceOf({
      name,
      bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
      modifiedAt,
    }),
  );
  return foldJournal(collect(of, evidence));
}
const statuses = (model: RunModel): string => model.hosts.map((host) => host.status).join();
const notes = (model: RunModel): string => sectionsOf(model, { now: at }).notes.join('\n');

const result = (host: string, state: string, more: object = {}): object => ({
  metadata: { host, suite: 'smoke' },
  tests: [{ name: 'Log in', state, ...more }],
});
const junit = (cases: string, attributes = 'hostname="a" tests="1" failures="0"'): string =>
  `<?xml version="1.0"?><testsuites><testsuite name="smoke" ${attributes}>${cases}</testsuite></testsuites>`;
const bookkeeping =
  '<?xml version="1.0"?><testsuites><testsuite name="bookkeeping.spec.ts" hostname="a" tests="1" failures="0"><testcase name="register"/></testsuite></testsuites>';
const cachedPass = { state: 'COMPLETED', hosts: [{ host: 'a', status: 'PASS' }] };

test('A15, A16: a failure counts in a list and in an object of events; an unknown shape is UNKNOWN with a note', () => {
  const event = { type: 'cy', message: 'boom', severity: 'error' };
  for (const events of [[event], event, [{ type: 'passed' }, event], { ...event, severity: 'fatal' }]) {
    const model = rebuild({ 'e.json': { hosts: { a: events } } }, plan(['a']));
    expect(statuses(model)).toBe('FAIL');
    expect(model.hosts[0]?.failures).toHaveLength(1);
  }
  const unknown = rebuild(
    { 'e.json': { hosts: { a: 'fine!' } }, 'r.json': result('a', 'passed') },
    plan(['a']),
  );
  expect(statuses(unknown)).toBe('UNKNOWN');
  expect(notes(unknown)).toContain('unknown shape');
});

test('A18, A19, P-A13: remembered state, group totals and bookkeeping pass nothing, alone or together', () => {
  const group =
    '<?xml version="1.0"?><testsuites><testsuite name="group" tests="1" failures="0"/></testsuites>';
  const files: [string, unknown][] = [
    ['state.json', cachedPass],
    ['group.xml', group],
    ['bookkeeping.xml', bookkeeping],
  ];
  for (const some of [...files.map((file) => [file]), files]) {
    const model = rebuild(Object.fromEntries(some), plan(['a']));
    expect(statuses(model)).toBe('UNKNOWN');
    expect(model.state).toBe('UNKNOWN');
  }
  expect(statuses(rebuild({ 'r.json': result('a', 'passed') }, plan(['a'])))).toBe('PASS');
});

test('A17: a failing result of the machine stands where the final XML has only bookkeeping', () => {
  expect(
    statuses(
      rebuild({ 'x.xml': bookkeeping, 'r.json': result('a', 'failed', { message: 'no' }) }, plan(['a'])),
    ),
  ).toBe('FAIL');
});

test('A20: a machine that passed and a group that counts a failure of it: FAIL', () => {
  const model = rebuild(
    { 'r.json': result('a', 'passed'), 'g.xml': junit('', 'hostname="a" tests="5" failures="1"') },
    plan(['a']),
  );
  expect(statuses(model)).toBe('FAIL');
  expect(model.hosts[0]?.detail).toContain('1 of 5 tests failed');
});

test('A21: evidence beats a cached PASS, and NOTES says that it was stale', () => {
  const model = rebuild(
    { 'state.json': cachedPass, 'a.log': 'step 3 "Connect"\nError: refused\n' },
    plan(['a']),
  );
  expect(statuses(model)).toBe('FAIL');
  expect(notes(model)).toContain('stale cached result');
});

test('A22, A23: contents decide, not presence; counts and message are carried through', () => {
  expect(statuses(rebuild({ 'r.json': { metadata: { host: 'a' }, tests: [] } }, plan(['a'])))).toBe(
    'UNKNOWN',
  );
  const of = plan([], { hosts: [{ host: 'a', tests: 3 }] });
  const [host] = rebuild({ 'r.json': result('a', 'failed', { message: 'no route' }) }, of).hosts;
  expect(host).toMatchObject({ status: 'FAIL', pending: 2 });
  expect(host?.failures).toHaveLength(1);
  expect(host?.detail).toContain('no route');
});

test('A24: a log is no failure because it contains the word error, and no pass either', () => {
  expect(statuses(rebuild({ 'a.log': 'auth error encountered\nretrying\n0 errors\n' }, plan(['a'])))).toBe(
    'UNKNOWN',
  );
  expect(
    statuses(rebuild({ 'a.log': 'auth error encountered', 'r.json': result('a', 'passed') }, plan(['a']))),
  ).toBe('PASS');
});

for (const [line, matches] of [
  ['Error: expect(vncPage).toShow()', true],
  ['AssertionError: 1 != 2', true],
  ['TimeoutError: locator', true],
  ['Test timeout of 30000ms exceeded.', true],
  ['  1) smoke.spec.ts:3:1 › smoke', true],
  ['  cy:command error', true],
  ['cy:task error', true],
  ['0 errors', false],
  ['error-free', false],
  ['ErrorBoundary mounted', false],
  ['auth error encountered', false],
] as const) {
  test(`A25: "${line}" ${matches ? 'ends' : 'does not end'} a test`, () => {
    expect(TERMINAL_MARKERS.some((marker) => marker.test(line))).toBe(matches);
  });
}

test('A26: what the runner calls passed outweighs words in its console', () => {
  expect(
    statuses(rebuild({ 'a.log': 'Error: shown and survived', 'r.json': result('a', 'passed') }, plan(['a']))),
  ).toBe('PASS');
});

test("A28, A162: evidence from before the run is another run's; the contents' time beats the file's date", () => {
  expect(statuses(rebuild({ 'r.json': result('a', 'passed') }, plan(['a']), START - 1_001))).toBe('UNKNOWN');
  const failed = { 'r.json': result('a', 'passed'), 'r-20260511-080000.json': result('a', 'failed') };
  expect(statuses(rebuild(failed, plan(['a'])))).toBe('PASS');
  const younger = rebuild({ 'r.json': result('a', 'passed') }, plan(['a'], { endedAt: at - 1_001 }));
  expect(statuses(younger)).toBe('UNKNOWN');
  const dated = {
    ...result('a', 'passed'),
    metadata: { host: 'a', suite: 'smoke', startedAt: '2026-05-12T09:05:00Z' },
  };
  const model = rebuild({ 'r.json': dated }, plan(['a']), START - 1);
  expect(model.hosts[0]?.startedAt).toBe(Date.parse('2026-05-12T09:05:00Z'));
  expect(timeInName('run-20260512-090500.json')).toBe(Date.parse('2026-05-12T09:05:00Z'));
  const named = rebuild({ 'r-20260512-090500.json': result('a', 'passed') }, plan(['a']), START - 1);
  expect(named.hosts[0]?.startedAt).toBe(Date.parse('2026-05-12T09:05:00Z'));
});

test('A29, A151, A152, A154: no note tells how a result was recovered', () => {
  const model = rebuild({ 'x.xml': bookkeeping, 'r.json': result('a', 'passed') }, plan(['a']));
  expect(sectionsOf(model, { now: at }).notes).toEqual(['command: c']);
});

test('A32, A34: a file without totals is counted, and its failing test has a name', () => {
  const model = rebuild({ 'r.json': result('a', 'failed') }, plan(['a']));
  expect(model.hosts[0]).toMatchObject({ status: 'FAIL', detail: 'test "Log in" - no error was recorded' });
  const log = 'step 3 "Connect"\nError: refused\n';
  expect(rebuild({ 'r.json': result('a', 'failed'), 'a.log': log }, plan(['a'])).hosts[0]?.detail).toContain(
    '"Connect"',
  );
});

test('A33, A39: of a structured and a text source the structured step stands', () => {
  const files = {
    'a.log': 'step 36 "Old"\nError: text',
    'r.json': result('a', 'failed', { step: 'step 38', message: 'structured' }),
  };
  expect(rebuild(files, plan(['a'])).hosts[0]?.detail).toBe('step 1 "step 38" - structured');
});

test('A38: an empty message falls through to the next source, and no note is empty', () => {
  const files = {
    'r.json': result('a', 'failed', { message: '', estack: ' ' }),
    'a.xml': junit('<testcase name="Log in"><failure>rich text</failure></testcase>'),
  };
  const model = rebuild(files, plan(['a']));
  expect(model.hosts[0]?.failures[0]?.excerpt).toBe('rich text');
  const bare = rebuild({ 'r.json': result('a', 'failed', { message: '' }) }, plan(['a']));
  for (const note of sectionsOf(bare, { now: at }).failures) expect(note.excerpt.trim()).not.toBe('');
});

test('A36, A159: taking sources away one by one gives the next', () => {
  const sources: [string, unknown, string][] = [
    ['report.json', playwrightJson('a', 'json message'), 'json message'],
    ['r.json', result('a', 'failed', { message: 'event message' }), 'event message'],
    ['x.xml', junit('<testcase name="Log in"><failure>junit message</failure></testcase>'), 'junit message'],
    ['a.log', 'Error: text message', 'text message'],
  ];
  for (const [index, [, , expected]] of sources.entries()) {
    const files = Object.fromEntries(sources.slice(index).map(([name, content]) => [name, content]));
    expect(rebuild(files, plan(['a'])).hosts[0]?.detail).toContain(expected);
  }
});

function playwrightJson(host: string, message: string): object {
  const failed = {
    status: 'failed',
    retry: 0,
    startTime: new Date(START).toISOString(),
    duration: 5,
    errors: [{ message }],
  };
  const spec = {
    title: 'Log in',
    file: 'smoke.spec.ts',
    tests: [{ projectName: host, expectedStatus: 'passed', annotations: [], results: [failed] }],
  };
  return {
    config: {},
    stats: { startTime: new Date(START).toISOString(), duration: 10 },
    suites: [{ title: 'f', specs: [spec] }],
  };
}

test("A37: a title never takes the next test's error", () => {
  const tests = [
    { name: 'one', state: 'failed' },
    { name: 'two', state: 'failed', message: 'error of two' },
  ];
  const [host] = rebuild({ 'r.json': { metadata: { host: 'a', suite: 's' }, tests } }, plan(['a'])).hosts;
  expect(host?.failures.map((failure) => failure.excerpt)).toEqual([
    'one: no error was recorded',
    'error of two',
  ]);
});

test('A83: rows are the scope for any part of the evidence', () => {
  const files = {
    '1.json': result('a', 'passed'),
    '2.json': result('b', 'failed'),
    '3.json': result('stranger', 'passed'),
  };
  for (let mask = 0; mask < 8; mask++) {
    const some = Object.fromEntries(Object.entries(files).filter((_, index) => mask & (1 << index)));
    expect(rebuild(some, plan(['a', 'b', 'c'])).hosts.map((host) => host.host)).toEqual(['a', 'b', 'c']);
  }
});

test('A85, A86: the machine is what the contents say, then the project, then the file', () => {
  expect(statuses(rebuild({ '0f3a9c.json': result('a', 'passed') }, plan(['a'])))).toBe('PASS');
  expect(hostNamed({ host: 'a', project: 'b', file: 'c.spec.ts' })).toBe('a');
  expect(hostNamed({ project: 'b', file: 'c.spec.ts' })).toBe('b');
  expect(hostNamed({ file: 'x/c.spec.ts' })).toBe('c');
});

const corpus = (name: string): string =>
  readFileSync(new URL(`evidence-corpus/${name}`, import.meta.url), 'utf8');
const hostsOf = (log: string): string[] => tableRows(log).map(({ host }) => host);

test('A164, A165: rows after the line that detects a recorded run belong to the summary', () => {
  const [table = ''] = corpus('cypress-cloud.log').split('🏁');
  const late = table.split('\n').filter((line) => /ubuntu2204|bookkeeping/.test(line));
  const early = table.split('\n').filter((line) => !late.includes(line));
  const log = [...early, "Detected 'Recorded Run'", ...late, 'Specs:  next.cy.ts', ...late].join('\n');
  expect(hostsOf(log)).toEqual(['fedora42', 'ubuntu2204', 'bookkeeping']);
});

test('A166, A167: a group ends at its own recorded run', () => {
  const log = corpus('cypress-cloud.log');
  const groups = [['fedora42', 'ubuntu2204', 'bookkeeping'], ['windows-11-enterprise-with-plugin']];
  expect(tableGroups(log).map((group) => group.map(({ host }) => host))).toEqual(groups);
  const [row = ''] = log.split('\n').filter((line) => line.includes('fedora42'));
  for (const boundary of [/(🏁 Recorded Run:.*run\/1)/, /(Extracted specPattern:.*)/]) {
    const drifted = log.replace(boundary, `$1\n${row.replace('fedora42', 'drifter_')}`);
    expect(tableGroups(drifted).map((group) => group.map(({ host }) => host))).toEqual(groups);
  }
});

test('A168: a machine named outside of a table is no row', () => {
  const log = corpus('cypress-run.log');
  const [row = ''] = log.split('\n').filter((line) => /✔.*fedora42/.test(line));
  expect(hostsOf(`fedora42 started\n${row}\n${log}\n  Recorded Run: https://x\n${row}`)).toEqual([
    'fedora42',
    'ubuntu2204',
  ]);
});

test('A169: a duration whose s wrapped to the next line drops no machine, nor does a name that wraps', () => {
  const durations = tableRows(corpus('cypress-cloud.log')).map(({ host, durationMs }) => [host, durationMs]);
  expect(durations.slice(0, 3)).toEqual([
    ['fedora42', 973_900],
    ['ubuntu2204', 662_100],
    ['bookkeeping', 917],
  ]);
  expect(hostsOf(corpus('cypress-long-names.log'))).toEqual(['opensuse-leap-15-6-with-plugin', 'sles15']);
});

for (const [text, ms] of [
  ['16m 13.9s', 973_900],
  ['16m 13.9', 973_900],
  ['13:59', 839_000],
  ['59s', 59_000],
  ['1:02:03', 3_723_000],
  ['745ms', 745],
  ['soon', undefined],
] as const) {
  test(`A170: a duration reads "${text}"`, () => expect(parseDuration(text)).toBe(ms));
}

test('A160, A161, A163: all machines of a group, and durations from the next start and the end of the group', () => {
  const time = (minute: number): number => START + minute * 60_000;
  const file = (host: string, minute: number): object => ({
    metadata: { host, suite: 's', startedAt: time(minute) },
    tests: [{ name: 't', state: 'passed' }],
  });
  const model = rebuild(
    { '1.json': file('a', 0), '2.json': file('b', 12) },
    plan(['a', 'b'], { endedAt: time(30) }),
  );
  expect(model.hosts.map((host) => host.durationMs)).toEqual([720_000, 1_080_000]);
  expect([model.startedAt, model.endedAt]).toEqual([time(0), time(30)]);
});

test('a journal with a missing line is evidence with a fault', () => {
  const lines = [begin([{ host: 'a' }]), started('a'), ended('a', 'passed'), over].map((event, index) =>
    JSON.stringify({ v: 1, n: index + 1, ...event }),
  );
  const bytes = Buffer.from(`${lines.filter((_, index) => index !== 1).join('\n')}\n`);
  expect(evidenceOf({ name: 'journal.jsonl', bytes, modifiedAt: 0 }).unreadable?.[0]?.text).toContain(
    'missing',
  );
});

test('A31: a group whose XML lacks the machine is over all the same, by the result of the machine', () => {
  const group = '<testsuites><testsuite name="group" tests="1" failures="0"/></testsuites>';
  const model = rebuild(
    { 'group.xml': group, 'r.json': result('a', 'passed') },
    plan(['a'], { endedAt: at }),
  );
  expect([model.state, statuses(model), model.endedAt]).toEqual(['COMPLETED', 'PASS', at]);
});

test('A88: a retry that passed is flaky; a later partial file overwrites no failure', () => {
  const flaky = playwrightJson('a', 'no') as {
    suites: { specs: { tests: { results: Record<string, unknown>[] }[] }[] }[];
  };
  const [first] = flaky.suites[0]!.specs[0]!.tests[0]!.results;
  flaky.suites[0]!.specs[0]!.tests[0]!.results.push({ ...first, status: 'passed', retry: 1, errors: [] });
  const [host] = rebuild({ 'report.json': flaky }, plan(['a'])).hosts;
  expect(host).toMatchObject({ status: 'PASS', detail: 'completed (passed on retry 1)' });
  const dated = (state: string, minute: number): object => ({
    ...result('a', state),
    metadata: { host: 'a', suite: 'smoke', startedAt: START + minute * 60_000 },
  });
  for (const partial of ['skipped', 'pending', 'passed'])
    expect(
      statuses(rebuild({ '1.json': dated('failed', 1), '2.json': dated(partial, 2) }, plan(['a']))),
    ).toBe('FAIL');
});

test('A35: where the log is thin the blob has the words, its tests without a result pass nothing', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  writeProject(folder, {
    'playwright.config.ts': `export default { projects: [{ name: 'a' }, { name: 'b' }], maxFailures: 1, workers: 1 };`,
    's.spec.ts': `import { expect, test } from '@playwright/test';
test('smoke', async ({}, testInfo) => {
  await test.step('start', () => {});
  await test.step('log in', () => { expect('the sign-in page', 'after three attempts').toBe('the main window'); });
});`,
  });
  const file = join(folder, 'blob.zip');
  await runPlaywright(folder, ['test', '--reporter=blob'], { env: { PLAYWRIGHT_BLOB_OUTPUT_FILE: file } });
  const evidence = [
    evidenceOf({ name: 'blob.zip', bytes: readFileSync(file), modifiedAt: 0 }),
    evidenceOf({ name: 'a.log', bytes: Buffer.from('Error: failed\n'), modifiedAt: Date.now() }),
  ];
  const model = foldJournal(collect(plan(['a', 'b'], { startedAt: 0 }), evidence));
  expect(statuses(model)).toBe('FAIL,UNKNOWN');
  const [note] = sectionsOf(model, { now: 0 }).failures;
  expect(note?.where).toBe('step 2 "log in"');
  expect(note?.excerpt).toContain('after three attempts');
  expect(note?.excerpt).toContain('Received: "the sign-in page"');
});

test('a journal among other artefacts is the most trusted, and what it left open passes nothing', () => {
  const journal = (...events: object[]): string =>
    events.map((event, index) => `${JSON.stringify({ v: 1, n: index + 1, ...event })}\n`).join('');
  const begun = begin([{ host: 'a' }], { at: START });
  const failure = { step: 'one', short: 'journal', excerpt: 'journal' };
  const evidence = (text: string): Evidence =>
    evidenceOf({ name: 'journal.jsonl', bytes: Buffer.from(text), modifiedAt: 0 });
  const other = evidenceOf({
    name: 'r.json',
    bytes: Buffer.from(JSON.stringify(result('a', 'failed', { message: 'other' }))),
    modifiedAt: at,
  });
  const whole = evidence(journal(begun, ended('a', 'failed', { at: START + 10_000, failure })));
  expect(foldJournal(collect(plan(['a']), [other, whole])).hosts[0]?.detail).toContain('journal');
  const cut = evidence(journal(begun, started('a', START + 1)));
  expect(statuses(foldJournal(collect(plan(['a']), [cut])))).toBe('UNKNOWN');
});
