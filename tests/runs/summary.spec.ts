import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import type { JournalEvent, Outcome } from '../../runs/journal.ts';
import { foldJournal } from '../../runs/model.ts';
import { mergeParts } from '../../runs/parts.ts';
import { renderJson } from '../../runs/render/json.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
import { renderText } from '../../runs/render/text.ts';
import { formatDuration, sectionsOf } from '../../runs/render/sections.ts';
import { at, finished, live } from './scripted.ts';
import { rounds, SOAK } from '../support/soak.ts';

const expected = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const now = at('09:30:00');

test('P-A1, P-A2, P-A3: the live rendering F1, byte for byte', () => {
  expect(renderMarkdown(foldJournal(live), { now })).toBe(expected('f1.md'));
});

test('A113: the finished rendering F2, byte for byte, without an estimate', () => {
  const text = renderMarkdown(foldJournal(finished), { now });
  expect(text).toBe(expected('f2.md'));
  expect(text).not.toContain('estimated completion');
});

test('A101, A105, A110: host lines of the text format', () => {
  const text = renderText(foldJournal(live), { now });
  const lines = text.split('HOSTS:\n')[1]!.split('\n\n')[0];
  expect(lines).toBe(`ubuntu2204 - PASS
fedora42 - FAIL - step 7 "Connect to workspace" - login page not shown after 3 attempts
manjaro - SKIP - BLACKLISTED: RE-CREATE MIGHT BE NEEDED
opensuse - RUN - in progress - step 4/10`);
});

test('A115, A117, A141: no FUNCTIONALLY, one flow for all hosts, no host name within COVERAGE', () => {
  const text = renderMarkdown(foldJournal(finished), { now });
  expect(text).not.toContain('FUNCTIONALLY');
  expect(text.match(/Connect to workspace\n/g)).toHaveLength(1);
  const coverage = text.split('**COVERAGE:**')[1]!.split('**TEST FLOW:**')[0]!;
  for (const host of ['ubuntu2204', 'fedora42', 'manjaro', 'opensuse']) expect(coverage).not.toContain(host);
});

test('A137, A138: an unset option has no bullet', () => {
  expect(renderMarkdown(foldJournal(live), { now })).not.toContain('- gpu:');
});

test('colour changes nothing but the escape sequences', () => {
  const model = foldJournal(finished);
  const plain = renderText(model, { now }, true).replace(/\u001b\[\d+m/g, '');
  expect(plain).toBe(renderText(model, { now }));
});

test('the JSON holds the same rows', () => {
  const document = JSON.parse(renderJson(foldJournal(finished), { now })) as Record<string, unknown>;
  expect(document).toMatchObject({
    schemaVersion: 1,
    state: 'FAILED',
    summary: { finished: 3, passed: 2, failed: 1, skipped: 1 },
    timing: { quickest: 'fedora42 - 11m 12s', average: '13m 10s' },
  });
});

for (const [ms, text] of [
  [45_000, '45s'],
  [760_000, '12m 40s'],
  [3_727_000, '1h 02m 07s'],
  [0, '0s'],
  [-5_000, '0s'],
] as const) {
  test(`a duration of ${ms} ms reads ${text}`, () => expect(formatDuration(ms)).toBe(text));
}

const begin = (hosts: readonly { host: string; tests?: number; skip?: string }[]): JournalEvent => ({
  type: 'run-begin',
  at: 0,
  build: 'b',
  hosts,
  slots: 2,
  command: 'npx playwright test',
  coverage: [],
});
const ended = (
  host: string,
  outcome: Outcome,
  options: { expected?: boolean; retry?: number } = {},
): JournalEvent => ({
  type: 'test-end',
  at: 10_000,
  host,
  suite: 's',
  test: 't',
  retry: options.retry ?? 0,
  outcome,
  expected: options.expected ?? outcome === 'passed',
  steps: ['one'],
  durationMs: 10_000,
});
const end: JournalEvent = { type: 'run-end', at: 20_000, result: 'finished' };
const statusOf = (events: JournalEvent[]): string =>
  foldJournal(events)
    .hosts.map((host) => host.status)
    .join();

for (const { name, events, status } of [
  { name: 'no test was executed', events: [begin([{ host: 'a', tests: 1 }]), end], status: 'UNKNOWN' },
  {
    name: 'the only test was skipped',
    events: [begin([{ host: 'a' }]), ended('a', 'skipped'), end],
    status: 'SKIP',
  },
  {
    name: 'one of two tests did not run',
    events: [begin([{ host: 'a', tests: 2 }]), ended('a', 'passed'), end],
    status: 'UNKNOWN',
  },
  {
    name: 'the test was interrupted',
    events: [begin([{ host: 'a' }]), ended('a', 'interrupted'), end],
    status: 'UNKNOWN',
  },
  {
    name: 'the test began and never ended',
    events: [
      begin([{ host: 'a' }]),
      { type: 'test-begin', at: 1, host: 'a', suite: 's', test: 't', retry: 0 },
      end,
    ],
    status: 'UNKNOWN',
  },
  {
    name: 'the test timed out',
    events: [begin([{ host: 'a' }]), ended('a', 'timedOut'), end],
    status: 'FAIL',
  },
  {
    name: 'a test that should fail passed',
    events: [begin([{ host: 'a' }]), ended('a', 'passed', { expected: false }), end],
    status: 'FAIL',
  },
] satisfies { name: string; events: JournalEvent[]; status: string }[]) {
  test(`a host does not pass when ${name}`, () => expect(statusOf(events)).toBe(status));
}

test('an expected failure is evidence of a pass', () => {
  expect(statusOf([begin([{ host: 'a' }]), ended('a', 'failed', { expected: true }), end])).toBe('PASS');
});

test('a pass on a retry passes, says so, and is listed in NOTES', () => {
  const events = [begin([{ host: 'a' }]), ended('a', 'failed'), ended('a', 'passed', { retry: 1 }), end];
  const sections = sectionsOf(foldJournal(events), { now: 0 });
  expect(sections.hosts[0]).toMatchObject({ token: '✅ PASS', detail: 'completed (passed on retry 1)' });
  expect(sections.notes).toContain('flaky: a completed (passed on retry 1)');
});

test('A155, A156, A158: two failed hosts give two notes, cut at 12 lines; details are one line of 160 characters', () => {
  const excerpt = Array.from({ length: 200 }, (_, index) => `\u001b[31mline ${index}\u001b[39m`).join('\n');
  const failure = { step: 'one', short: `${'long '.repeat(60)}| pipe\nsecond line`, excerpt };
  const failed = (host: string): JournalEvent => ({ ...ended(host, 'failed'), failure }) as JournalEvent;
  const model = foldJournal([begin([{ host: 'a' }, { host: 'b' }]), failed('a'), failed('b'), end]);
  const sections = sectionsOf(model, { now: 0 });
  expect(sections.failures).toHaveLength(2);
  for (const note of sections.failures) {
    expect(note.excerpt.split('\n')).toHaveLength(12);
    expect(note.excerpt.endsWith('…')).toBe(true);
    expect(note.excerpt).not.toContain('\u001b');
  }
  for (const row of sections.hosts) {
    expect(row.detail.length).toBeLessThanOrEqual(160);
    expect(row.detail).not.toContain('\n');
  }
});

test('scope = finished + skipped + running + remaining + unknown, for any order and any part of the events', () => {
  const event = fc.oneof(
    { weight: 3, arbitrary: eventOf(['a', 'b', 'c', 'd', 'stranger'], 2) },
    fc.constant(end),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const hosts = [{ host: 'a' }, { host: 'b', tests: 2 }, { host: 'c', skip: 'why' }, { host: 'd' }];
      const sections = sectionsOf(foldJournal([begin(hosts), ...events]), { now: 9_000 });
      const counts = Object.fromEntries(sections.summary);
      const {
        finished = 0,
        passed = 0,
        failed = 0,
        skipped = 0,
        running = 0,
        remaining = 0,
        unknown = 0,
      } = counts;
      expect(finished).toBe(passed + failed);
      expect(finished + skipped + running + remaining + unknown).toBe(hosts.length);
      expect(sections.hosts.map((row) => row.host)).toEqual(['a', 'b', 'c', 'd']);
    }),
  );
});

/** Something that a machine's test does, or its end after up to `retries` retries. */
function eventOf(names: readonly string[], retries: number): fc.Arbitrary<JournalEvent> {
  const host = fc.constantFrom(...names);
  const outcome = fc.constantFrom<Outcome>('passed', 'failed', 'timedOut', 'skipped', 'interrupted');
  const own = { suite: 's', test: 't', retry: 0 };
  return fc.oneof(
    host.map((name): JournalEvent => ({ type: 'test-begin', at: 5, host: name, ...own })),
    host.map((name): JournalEvent => ({ type: 'step-begin', at: 6, host: name, title: 'one' })),
    fc.tuple(host, outcome, fc.nat(retries)).map(([name, how, retry]) => ended(name, how, { retry })),
  );
}

/** Events of the machines of one part, in any order, some of them twice, and cut off anywhere. */
function eventsOf(names: readonly string[]): fc.Arbitrary<JournalEvent[]> {
  const event = fc.oneof(
    { weight: 3, arbitrary: eventOf(names, 1) },
    fc
      .constantFrom(...names)
      .map((name): JournalEvent => ({ type: 'unreadable', at: 7, host: name, text: 'what is this' })),
  );
  return fc
    .tuple(fc.array(event, { maxLength: 12 }), fc.boolean(), fc.boolean())
    .map(([events, isTwice, isWhole]) => [...events, ...(isTwice ? events : []), ...(isWhole ? [end] : [])]);
}

const runners = fc.constantFrom<'alive' | 'gone' | 'unknown'>('alive', 'gone', 'unknown');

for (const kind of ['shards', 'groups'] as const) {
  test(
    `the sum holds for merged ${kind}, crashed, doubled or missing; and nothing passes without its own result`,
    SOAK,
    () => {
      const members = [['a', 'b'], ['c', 'd', 'e'], ['f']];
      const scope = members.flatMap((hosts, index) =>
        hosts.map((name) => ({
          host: name,
          tests: 1,
          family: `g${index}`,
          shard: index + 1,
          ...(name === 'e' ? { skip: 'why' } : {}),
        })),
      );
      const part = (
        index: number,
      ): fc.Arbitrary<{ events: JournalEvent[]; runner: 'alive' | 'gone' | 'unknown' } | undefined> =>
        fc.option(fc.record({ events: eventsOf(members[index]!), runner: runners }), { nil: undefined });
      fc.assert(
        fc.property(part(0), part(1), part(2), runners, (...drawn) => {
          const runner = drawn[3];
          const present = [drawn[0], drawn[1], drawn[2]].flatMap((drawnPart, index) =>
            drawnPart === undefined ? [] : [{ ...drawnPart, index }],
          );
          const models = present.map(({ events, runner: own, index }) =>
            foldJournal(
              [
                kind === 'shards'
                  ? { ...begin(scope), shard: { current: index + 1, total: 3 } }
                  : { ...begin(scope.filter((plan) => plan.family === `g${index}`)), group: `g${index}` },
                ...events,
              ] as JournalEvent[],
              { runner: own, now: 9_000 },
            ),
          );
          const groups = members.map((hosts, index) => ({ name: `g${index}`, hosts: [...hosts] }));
          const model = mergeParts(models, {
            record: {
              build: 'b',
              run: 'r',
              version: '0',
              startedAt: 0,
              command: 'c',
              hosts: scope.map(({ host: name, skip }) => ({
                host: name,
                ...(skip === undefined ? {} : { skip }),
              })),
              groups: kind === 'groups' ? groups : [],
              ...(kind === 'shards' ? { shards: 3 } : {}),
            },
            runner,
            faults: [],
            now: 9_000,
          });
          const { summary, hosts } = sectionsOf(model, { now: 9_000 });
          const counts = Object.fromEntries(summary);
          const sum = ['finished', 'skipped', 'running', 'remaining', 'unknown'].reduce(
            (total, name) => total + (counts[name] ?? 0),
            0,
          );
          expect(sum).toBe(scope.length);
          expect(counts.finished).toBe((counts.passed ?? 0) + (counts.failed ?? 0));
          expect(hosts.map((row) => row.host)).toEqual(scope.map((plan) => plan.host));
          for (const row of hosts.filter(({ status }) => status === 'PASS')) {
            const own = present.flatMap(({ events }) => events);
            expect(
              own.some((event) => event.type === 'test-end' && event.host === row.host && event.expected),
            ).toBe(true);
          }
          if (model.state === 'COMPLETED') {
            expect(present).toHaveLength(3);
            expect((counts.passed ?? 0) + (counts.skipped ?? 0)).toBe(scope.length);
          }
        }),
        { numRuns: rounds(300, 30_000) },
      );
    },
  );
}
