import { expect, test } from '@playwright/test';
import { validate } from 'ctrf';
import { XMLParser } from 'fast-xml-parser';
import type { JournalEvent } from '../../runs/journal.ts';
import { foldJournal, type RunModel } from '../../runs/model.ts';
import { renderCtrf } from '../../runs/render/ctrf.ts';
import { renderJunit } from '../../runs/render/junit.ts';
import { trendOf } from '../../runs/render/trend.ts';
import { finished, live } from './scripted.ts';
import { begin, ended, over, started, store } from './support.ts';
import { join } from 'node:path';

const timed = [
  { title: 'one', durationMs: 1_500, failed: false },
  { title: 'two', durationMs: 500, failed: true },
];
const failure = {
  step: 'two',
  short: 'refused',
  excerpt: 'Error: refused\n\u001b[31m<b> & "c" \u0001\u001b[39m',
};

/** A machine of every status. */
const every: JournalEvent[] = [
  begin([
    { host: 'pass', tests: 1, family: 'ubuntu' },
    { host: 'flaky', tests: 1 },
    { host: 'fail', tests: 3 },
    { host: 'skip', tests: 1, skip: 'RE-CREATE' },
    { host: 'lost', tests: 2 },
    { host: 'run', tests: 1 },
    { host: 'wait', tests: 1 },
  ]),
  ended('pass', 'passed', { timed: timed.slice(0, 1) }),
  ended('flaky', 'failed', { retriesLeft: 1, failure }),
  ended('flaky', 'passed', { retry: 1 }),
  ended('fail', 'passed', { test: 'first' }),
  ended('fail', 'failed', { timed, failure }),
  ended('fail', 'failed', { test: 'third', failure: { short: 'gone', excerpt: 'Error: gone' } }),
  ended('lost', 'passed'),
  started('run'),
];
const cut: RunModel = foldJournal([...every, over]);

interface Ctrf {
  results: { summary: Record<string, number>; tests: Record<string, unknown>[] };
}

for (const [name, model] of [
  ['a live run', foldJournal(live)],
  ['a finished run', foldJournal(finished)],
  ['a run with every status', cut],
  ['an empty run', foldJournal([begin([]), over])],
] as const) {
  test(`CTRF of ${name} follows the published schema, and its totals are the sums of its tests`, () => {
    const text = renderCtrf(model, { now: 30_000 });
    expect(validate(JSON.parse(text)).errors).toEqual([]);
    const { summary, tests } = (JSON.parse(text) as Ctrf).results;
    expect(summary.tests).toBe(tests.length);
    for (const status of ['passed', 'failed', 'skipped', 'pending', 'other'])
      expect(summary[status]).toBe(tests.filter((one) => one.status === status).length);
    for (const host of model.hosts)
      expect(tests.some((one) => (one.tags as string[]).includes(host.host))).toBe(true);
  });
}

test('CTRF: only tests of a settled machine stand for a pass; a failure has its own words, a flaky test its retry', () => {
  const { tests } = (JSON.parse(renderCtrf(cut, { now: 0 })) as Ctrf).results;
  const of = (name: string): Record<string, unknown> | undefined => tests.find((one) => one.name === name);
  expect(of('fail › t')).toMatchObject({ status: 'failed', message: 'step "two"' });
  expect(of('fail › t')?.trace).toContain('Error: refused');
  expect(of('fail › third')).toMatchObject({ message: 'test "third"', trace: 'Error: gone' });
  expect(of('fail › first')).toMatchObject({ status: 'passed' });
  expect(of('fail › first')).not.toHaveProperty('message');
  expect(of('flaky › t')).toMatchObject({ status: 'passed', flaky: true, retries: 1 });
  expect(of('lost: verdict')).toMatchObject({ status: 'other', message: '1 of 2 tests did not run' });
  expect(of('pass › t')).toMatchObject({ duration: 1_500, steps: [{ name: 'one', status: 'passed' }] });
  expect(of('skip')).toMatchObject({ status: 'skipped', message: 'RE-CREATE' });
});

test('JUnit: what has no evidence is an error, a blacklisted machine is skipped, nothing breaks the XML', () => {
  const xml = renderJunit(cut);
  expect(xml).not.toMatch(/[\u0000-\u0008]|\u001b/);
  const parsed = new XMLParser({ ignoreAttributes: false, isArray: (name) => name === 'testcase' }).parse(
    xml,
  ) as {
    testsuites: { testsuite: Record<string, unknown> & { testcase: Record<string, unknown>[] } };
  };
  const { testcase, ...suite } = parsed.testsuites.testsuite;
  expect(suite).toMatchObject({ '@_tests': '7', '@_failures': '1', '@_errors': '3', '@_skipped': '1' });
  const kinds = testcase.map((one) => [
    one['@_name'],
    ['failure', 'error', 'skipped'].find((kind) => kind in one) ?? 'passed',
  ]);
  expect(Object.fromEntries(kinds)).toEqual({
    pass: 'passed',
    flaky: 'passed',
    fail: 'failure',
    skip: 'skipped',
    lost: 'error',
    run: 'error',
    wait: 'error',
  });
  const text = (testcase.find((one) => one['@_name'] === 'fail')?.failure as { '#text': string })['#text'];
  expect(text).toBe('step "two"\nError: refused\n<b> & "c" \\x01\n\ntest "third"\nError: gone');
});

test('the trend has the stored runs that are over, the oldest first, and this one last', ({}, testInfo) => {
  const state = testInfo.outputPath('state');
  for (const n of [3, 1, 2]) {
    const events = [
      begin([{ host: 'a', tests: 1 }], { build: `b${n}`, run: `r${n}`, at: n }),
      ended('a', n === 2 ? 'failed' : 'passed'),
      over,
    ];
    store(join(state, `b${n}`), events, { build: `b${n}`, run: `r${n}`, startedAt: n });
  }
  const now = foldJournal([
    begin([{ host: 'a', tests: 1 }], { run: 'now', at: 9 }),
    ended('a', 'passed', { durationMs: 1 }),
    over,
  ]);
  expect(trendOf(state, now, 30_000).map(({ build, hosts }) => [build, hosts.get('a')?.status])).toEqual([
    ['b1', 'PASS'],
    ['b2', 'FAIL'],
    ['b3', 'PASS'],
    ['b', 'PASS'],
  ]);
});
