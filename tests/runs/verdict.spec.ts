import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import type { JournalEvent, Outcome } from '../../runs/journal.ts';
import { readJournal } from '../../runs/journal.ts';
import { foldJournal, type RunModel, type Surroundings } from '../../runs/model.ts';
import { mergeParts } from '../../runs/parts.ts';
import { sectionsOf } from '../../runs/render/sections.ts';
import { begin, ended, over, recordOf, started } from './support.ts';
import { rounds, SOAK } from '../support/soak.ts';

const statuses = (events: readonly JournalEvent[], around?: Surroundings): string =>
  foldJournal(events, around)
    .hosts.map(({ status }) => status)
    .join();
const error = (text: string, host?: string): JournalEvent => ({
  type: 'error',
  at: 12_000,
  ...(host === undefined ? {} : { host }),
  short: text,
  excerpt: text,
});
const endedAs = (status: 'passed' | 'failed' | 'timedout'): JournalEvent => ({
  type: 'run-end',
  at: 20_000,
  result: 'finished',
  status,
});
const gone: Surroundings = { runner: 'gone', now: 30_000 };

test('VE3: nothing that failed is shown as SKIP: not on a machine that is left out, not beside skips, not after a skipped or cut off retry', () => {
  const leftOut = begin([{ host: 'a', skip: 'RE-CREATE' }]);
  expect(statuses([leftOut, over])).toBe('SKIP');
  expect(statuses([leftOut, ended('a', 'failed'), over])).toBe('FAIL');
  expect(statuses([leftOut, error('worker', 'a'), over])).toBe('FAIL');
  const unreadable: JournalEvent = { type: 'unreadable', at: 1, host: 'a', text: 'what' };
  expect(statuses([leftOut, unreadable, over])).toBe('UNKNOWN');
  const one = begin([{ host: 'a' }]);
  const later = (outcome: Outcome): JournalEvent => ended('a', outcome, { retry: 1 });
  for (const outcome of ['skipped', 'interrupted'] as const) {
    const events = [ended('a', 'failed'), later(outcome), ended('a', outcome, { test: 'other' })];
    expect(statuses([one, ...events, over])).toBe('FAIL');
    expect(statuses([one, ...events.toReversed(), over])).toBe('FAIL');
  }
  expect(statuses([one, ended('a', 'failed'), later('passed'), over])).toBe('PASS');
});

test('VE3: the order is FAIL, UNKNOWN, RUN and WAIT, SKIP, PASS: for a machine that is at work, and of two reports about one', () => {
  const two = begin([{ host: 'a', tests: 2 }]);
  const failed = ended('a', 'failed', { test: 'u' });
  expect(statuses([two, failed, started('a')])).toBe('FAIL');
  // Its next attempt may still pass.
  expect(statuses([two, ended('a', 'failed', { test: 'u', retriesLeft: 1 })])).toBe('RUN');
  const unreadable: JournalEvent = { type: 'unreadable', at: 1, host: 'a', text: 'what' };
  expect(statuses([two, started('a'), unreadable])).toBe('UNKNOWN');
  expect(statuses([two, ended('a', 'skipped'), started('a', 5, 'u')])).toBe('RUN');
  // A machine that has failed and is still at work is not done.
  const [working] = foldJournal([two, failed, started('a')]).hosts;
  expect(working).toMatchObject({ isWorking: true, durationMs: undefined });

  const reports: readonly (readonly [string, JournalEvent[], Surroundings['runner']])[] = [
    ['FAIL', [begin([{ host: 'a' }]), ended('a', 'failed'), over], 'gone'],
    ['UNKNOWN', [begin([{ host: 'a' }]), over], 'gone'],
    ['RUN', [begin([{ host: 'a' }]), started('a')], 'alive'],
    ['WAIT', [begin([{ host: 'a' }])], 'alive'],
    ['SKIP', [begin([{ host: 'a' }]), ended('a', 'skipped'), over], 'gone'],
    ['PASS', [begin([{ host: 'a' }]), ended('a', 'passed'), over], 'gone'],
  ];
  for (const [worse, first] of reports.entries()) {
    for (const second of reports.slice(worse)) {
      for (const pair of [
        [first, second],
        [second, first],
      ] as const) {
        const parts = pair.map(([, events, runner]) => foldJournal(events, { runner, now: 2 }));
        const record = { ...recordOf(), groups: [{ name: 'g', hosts: ['a'] }] };
        const { hosts } = mergeParts(parts, { record, runner: 'gone', faults: [], now: 2 });
        expect(hosts.map(({ status }) => status)).toEqual([first[0]]);
      }
    }
  }
});

test('VE3: an error outside of any test is no note that a filter of harmless messages takes away, in older journals either', () => {
  const harmless = 'reset-failed: Unit x not loaded';
  const events = [begin([{ host: 'a', tests: 1 }]), started('a'), ended('a', 'passed')];
  const note = {
    type: 'note',
    at: 5,
    kind: 'anomaly',
    text: `error outside of any test: ${harmless}`,
  } as const;
  for (const told of [error(harmless), note]) {
    const model = foldJournal([...events, told, over]);
    expect(model.state).toBe('FAILED');
    expect(sectionsOf(model, { now: 0 }).failures).toEqual([
      { host: 'run', where: harmless, excerpt: harmless },
    ]);
  }
  const lines = [...events, note, over].map((event, index) =>
    JSON.stringify({ v: 1, n: index + 1, ...event }),
  );
  expect(foldJournal(readJournal(`${lines.join('\n')}\n`).events).state).toBe('FAILED');
});

const HOSTS = ['a', 'b', 'c'];

/** Anything that may stand in a journal about the machines of {@link HOSTS}. */
const anyEvent: fc.Arbitrary<JournalEvent> = (() => {
  const host = fc.constantFrom(...HOSTS);
  const name = fc.constantFrom('t', 'u');
  const retry = fc.nat(1);
  const outcome = fc.constantFrom<Outcome>('passed', 'failed', 'timedOut', 'skipped', 'interrupted');
  const end = fc
    .record({
      host,
      outcome,
      test: name,
      retry,
      expected: fc.boolean(),
      isDropped: fc.boolean(),
      retriesLeft: fc.nat(1),
      suite: fc.constantFrom('s', 's', 'global.setup'),
    })
    .map(({ host: machine, outcome: how, ...more }) => ended(machine, how, more));
  const result = fc.constantFrom('finished' as const, 'cancelled' as const);
  const status = fc.constantFrom('passed' as const, 'failed' as const, 'timedout' as const, undefined);
  return fc.oneof(
    { weight: 4, arbitrary: end },
    fc.tuple(host, name, retry).map(([machine, of, attempt]) => started(machine, 5, of, attempt)),
    host.map((machine): JournalEvent => ({ type: 'step-begin', at: 6, host: machine, title: 'one' })),
    fc.option(host, { nil: undefined }).map((machine) => error('why', machine)),
    fc.option(host, { nil: undefined }).map((machine): JournalEvent => ({
      type: 'unreadable',
      at: 7,
      text: 'what is this',
      ...(machine === undefined ? {} : { host: machine }),
    })),
    host.map((machine): JournalEvent => ({ type: 'kernel', at: 7, host: machine, kernel: '6' })),
    fc.constantFrom<JournalEvent>(
      { type: 'note', at: 7, text: 'error outside of any test: no' },
      { type: 'note', at: 7, kind: 'anomaly', text: 'a remark' },
      { type: 'url', at: 7, url: 'https://x' },
    ),
    fc.tuple(result, status).map(([how, last]): JournalEvent => ({
      type: 'run-end',
      at: 20_000,
      result: how,
      ...(last === undefined ? {} : { status: last }),
    })),
  );
})();

/** Whether `added` is the one thing that may raise a verdict: a result that was missing, or the end of the run. */
function isMissingResult(
  before: readonly JournalEvent[],
  added: JournalEvent,
  host: string | undefined,
): boolean {
  if (added.type !== 'test-end') return false;
  if (host !== undefined && added.host !== host) return false;
  const known = before.filter(
    (event) => event.type === 'test-end' && event.host === added.host && event.test === added.test,
  );
  // Of the same attempt only one that was cut off leaves its result open.
  return !known.some(
    (event) =>
      event.type === 'test-end' &&
      event.suite === added.suite &&
      event.retry === added.retry &&
      event.outcome !== 'interrupted',
  );
}

test(
  'VE3: whatever is added to the evidence of a run turns no FAIL or UNKNOWN into PASS, save the complete result that was missing',
  SOAK,
  () => {
    const hosts = [{ host: 'a', tests: 1 }, { host: 'b', tests: 2 }, { host: 'c' }];
    const around = fc.record({
      faults: fc.constantFrom([], ['line 3 is missing']),
      exitCode: fc.constantFrom(0, 1, 137),
    });
    let raised = 0;
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 12 }),
        anyEvent,
        fc.nat(12),
        fc.boolean(),
        around,
        (events, added, place, failOnFlakyTests, seen) => {
          const base = [begin(hosts, { failOnFlakyTests }), ...events, over];
          const more = base.toSpliced(1 + Math.min(place, events.length), 0, added);
          const before = foldJournal(base, gone);
          const after = foldJournal(more, gone);
          for (const [index, row] of before.hosts.entries()) {
            const now = after.hosts[index]!;
            if (now.status !== 'PASS' || row.status === 'PASS') continue;
            raised++;
            expect(isMissingResult(base, added, row.host), `${row.host}: ${row.status} became PASS`).toBe(
              true,
            );
          }
          if (after.state === 'COMPLETED' && before.state !== 'COMPLETED')
            expect(isMissingResult(base, added, undefined), `${before.state} became COMPLETED`).toBe(true);
          // What others saw of the runner: the same, and never better.
          const watched = foldJournal(base, { ...gone, ...seen });
          if (watched.state === 'COMPLETED') expect([before.state, seen.exitCode]).toEqual(['COMPLETED', 0]);
          expect(watched.hosts).toEqual(before.hosts);
          complete(after);
        },
      ),
      { numRuns: rounds(2000, 200_000) },
    );
    // The rule has been tried on both sides.
    expect(raised).toBeGreaterThan(0);
  },
);

/** What COMPLETED and PASS take. */
function complete(model: RunModel): void {
  if (model.state !== 'COMPLETED') return;
  expect(model.errors).toEqual([]);
  for (const { status, tests } of model.hosts) {
    expect(['PASS', 'SKIP']).toContain(status);
    if (status === 'PASS') expect(tests.some((of) => of.status === 'passed')).toBe(true);
    expect(tests.some((of) => of.status === 'failed')).toBe(false);
  }
}

test('VE1: what the runner itself says of its end counts: its final status, its errors, flaky tests where they are forbidden, its exit code', () => {
  const passing = [
    begin([
      { host: 'a', tests: 1 },
      { host: 'b', tests: 1 },
    ]),
    ended('a', 'passed'),
    ended('b', 'passed'),
  ];
  expect(foldJournal([...passing, endedAs('passed')], gone).state).toBe('COMPLETED');
  for (const status of ['failed', 'timedout'] as const) {
    const model = foldJournal([...passing, endedAs(status)], gone);
    expect(model.state).toBe('FAILED');
    expect(sectionsOf(model, { now: 0 }).failures[0]).toMatchObject({
      host: 'run',
      where: `Playwright says that the run ${status}`,
    });
  }
  // Another reporter failed after this one had written its end.
  expect(foldJournal([...passing, endedAs('passed'), error('upload')], gone).state).toBe('FAILED');
  const worker = foldJournal([...passing, error('teardown', 'b'), endedAs('failed')], gone);
  expect(worker.hosts.map(({ status }) => status)).toEqual(['PASS', 'FAIL']);
  expect(worker.hosts[1]).toMatchObject({ detail: 'worker - teardown' });
  expect(foldJournal([...passing, endedAs('passed')], { ...gone, exitCode: 1 }).state).toBe('FAILED');
  const flaky = [
    ended('a', 'failed'),
    ended('a', 'passed', { retry: 1 }),
    ended('b', 'passed'),
    endedAs('failed'),
  ];
  const forbids = begin([{ host: 'a' }, { host: 'b' }], { failOnFlakyTests: true });
  expect(statuses([forbids, ...flaky], gone)).toBe('FAIL,PASS');
  // What its supervisor ended, since it never exited, exits with a code that says nothing of the results. Where it had not
  // told the end of the run, a teardown may have been at work: nobody knows what it would have said.
  const stuck = { ...gone, wasStuck: true, exitCode: 143 };
  expect(foldJournal([...passing, endedAs('passed')], stuck).state).toBe('COMPLETED');
  const untold = foldJournal(passing, stuck);
  expect([untold.state, typeof untold.endedAt]).toEqual(['HUNG', 'number']);
  expect(statuses(passing, stuck)).toBe('PASS,PASS');
  expect(foldJournal([...passing, ended('c', 'failed')], stuck).state).toBe('HUNG');
  const failing = [passing[0]!, ended('a', 'failed'), ended('b', 'passed')];
  expect(foldJournal(failing, stuck).state).toBe('FAILED');
});
