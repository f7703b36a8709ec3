import { expect, test } from '@playwright/test';
import type { JournalEvent } from '../../runs/journal.ts';
import { foldJournal } from '../../runs/model.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
import { renderText } from '../../runs/render/text.ts';
import { commandLine, coverageOf, withoutRemoteShell } from '../../runs/run-facts.ts';
import { sectionsOf } from '../../runs/render/sections.ts';
import { at, finished, live } from './scripted.ts';
import { begin, ended, over, started } from './support.ts';

const now = at('09:30:00');
const liveSections = sectionsOf(foldJournal(live), { now });
const sections = sectionsOf(foldJournal(finished), { now });
const timing = (of: typeof sections): Record<string, string> => Object.fromEntries(of.timing);
const labels = (text: string): string[] =>
  [...text.matchAll(/^\*\*([A-Z ]+):\*\*$/gm)].map(([, name]) => name!);

test('A2: an empty run says that it has no hosts, and no other run does', () => {
  const empty = foldJournal([begin([]), over]);
  expect(renderMarkdown(empty, { now })).toContain('**HOSTS:**\n\nno hosts\n');
  expect(renderText(empty, { now })).toContain('HOSTS:\nno hosts\n');
  for (const model of [foldJournal(live), foldJournal(finished)]) {
    expect(renderMarkdown(model, { now })).not.toContain('no hosts');
    expect(renderText(model, { now })).not.toContain('no hosts');
  }
});

test('A46: a blacklisted machine is a row with its reason, skipped and nothing else', () => {
  const text = renderMarkdown(foldJournal(live), { now });
  expect(text).toContain('\n| manjaro | unknown | ⏭️ SKIP | BLACKLISTED: RE-CREATE MIGHT BE NEEDED |\n');
  const alone = foldJournal([begin([{ host: 'manjaro', skip: 'RE-CREATE', tests: 2 }])]);
  expect(sectionsOf(alone, { now: 1 }).summary).toEqual([
    ['finished', 0],
    ['passed', 0],
    ['failed', 0],
    ['skipped', 1],
    ['running', 0],
    ['remaining', 0],
  ]);
});

test('A98, A111: the detail of a failure is its step and a short error', () => {
  const detail = sections.hosts.find((row) => row.host === 'fedora42')?.detail;
  expect(detail).toBe('step 7 "Connect to workspace" - login page not shown after 3 attempts');
  const bare = foldJournal([begin([{ host: 'a' }]), ended('a', 'failed'), over]);
  expect(bare.hosts[0]?.detail).toBe('test "t" - no error was recorded');
});

test('A99: a live run has no end and its total is what has elapsed; a finished one has both', () => {
  expect(timing(liveSections)).toMatchObject({
    start: '2026-05-12 09:00:00 UTC',
    end: 'n/a',
    total: '30m 00s (elapsed)',
  });
  expect(timing(sections)).toMatchObject({ end: '2026-05-12 09:39:31 UTC', total: '39m 31s' });
});

test('A100: quickest, longest and average are of machines that finished', () => {
  expect(timing(liveSections)).toMatchObject({
    quickest: 'fedora42 - 11m 12s',
    longest: 'ubuntu2204 - 14m 08s',
    average: '12m 40s',
  });
  const nobody = sectionsOf(foldJournal([begin([{ host: 'a' }]), started('a')]), { now: 5_000 });
  expect(timing(nobody)).toMatchObject({ quickest: 'n/a', longest: 'n/a', average: 'n/a' });
});

test('A102, A104: the estimate is for the whole remaining run, and says so', () => {
  const label = 'estimated completion (full remaining run)';
  expect(timing(liveSections)[label]).toBe('2026-05-12 09:38:00 UTC (in 8m 00s)');
  const hosts = ['done', 'busy', 'w1', 'w2'].map((host) => ({ host, tests: 1 }));
  const rest = (slots: number): string => {
    const events = [
      begin(hosts, { slots }),
      ended('done', 'passed', { at: 600_000, durationMs: 600_000 }),
      started('busy', 600_000),
    ];
    return timing(sectionsOf(foldJournal(events), { now: 720_000 }))[label]!;
  };
  // 8 minutes of the running machine and 10 of each that waits.
  expect(rest(1)).toBe('1970-01-01 00:40:00 UTC (in 28m 00s)');
  expect(rest(2)).toBe('1970-01-01 00:30:00 UTC (in 18m 00s)');
  const none = sectionsOf(foldJournal([begin(hosts), started('busy', 0)]), { now: 1_000 });
  expect(timing(none)[label]).toBe('n/a');
});

test('a machine that takes longer than the average counts nothing, and NOTES says by how much', () => {
  const events = [
    begin([{ host: 'done' }, { host: 'slow', tests: 1 }]),
    ended('done', 'passed', { at: 60_000, durationMs: 60_000 }),
    started('slow', 60_000),
  ];
  const late = sectionsOf(foldJournal(events), { now: 150_000 });
  expect(timing(late)['estimated completion (full remaining run)']).toContain('(in 0s)');
  expect(late.notes).toContain('slow is over the average by 30s');
});

test('A106, A112, A157: failures have a section of their own, and no word of them stands in NOTES', () => {
  const text = renderMarkdown(foldJournal(finished), { now });
  expect(labels(text)).toContain('FAILURE NOTES');
  expect(labels(text)).toContain('NOTES');
  const notes = text.split('**NOTES:**')[1]!;
  for (const line of sections.failures.flatMap((failure) => failure.excerpt.split('\n')))
    expect(notes).not.toContain(line);
  expect(notes).not.toContain('login page not shown');
  const passed = renderMarkdown(foldJournal([begin([{ host: 'a' }]), ended('a', 'passed'), over]), { now });
  expect(labels(passed)).not.toContain('FAILURE NOTES');
});

test('A107: the detail of a pass is one word, of a failure at most 160 characters', () => {
  expect(sections.hosts.filter((row) => row.status === 'PASS').map((row) => row.detail)).toEqual([
    'completed',
    'completed',
  ]);
  const failure = { short: 'x'.repeat(500), excerpt: 'x' };
  const long = foldJournal([begin([{ host: 'a' }]), ended('a', 'failed', { failure }), over]);
  expect(sectionsOf(long, { now }).hosts[0]?.detail).toHaveLength(160);
});

test('A108: the sections of three suites are the same', () => {
  const lists = ['login', 'upload', 'reboot'].map((suite) =>
    labels(
      renderMarkdown(foldJournal([begin([{ host: 'a' }]), ended('a', 'failed', { suite }), over]), { now }),
    ),
  );
  expect(lists[0]).toEqual(['SUMMARY', 'HOSTS', 'TIMING', 'COVERAGE', 'TEST FLOW', 'FAILURE NOTES', 'NOTES']);
  expect(lists[1]).toEqual(lists[0]);
  expect(lists[2]).toEqual(lists[0]);
});

const ARGS = [
  'test',
  'smoke.spec.ts',
  '--project',
  'fedora42',
  '--project=manjaro',
  '--retries=1',
  '--headed',
];

test('A139, A140, A142: COVERAGE names config file and options as short bullets, and no machine', () => {
  const coverage = coverageOf(['smoke'], 'vm-matrix.ts', ARGS);
  const text = renderMarkdown(foldJournal([begin([{ host: 'fedora42' }], { coverage }), over]), { now });
  const bullets = text.split('**COVERAGE:**\n')[1]!.split('\n\n')[0]!.split('\n');
  expect(bullets).toContain('- config file: vm-matrix.ts');
  expect(bullets).toContain('- run options: --retries=1 --headed');
  for (const bullet of bullets) expect(bullet).toMatch(/^- [a-z /-]+: /);
  expect(bullets.join()).not.toMatch(/fedora42|manjaro/);
});

test('A145: a command of any length stands there whole', () => {
  const words = ['npx', 'playwright', 'test', ...Array.from({ length: 80 }, (_, n) => `--project=host${n}`)];
  const command = commandLine(words);
  expect(command.length).toBeGreaterThan(600);
  const model = foldJournal([begin([{ host: 'a' }], { command }), over]);
  expect(renderMarkdown(model, { now })).toContain(`\n- command: ${command}\n`);
});

for (const [wrapped, inner] of [
  [`sshpass -p X ssh h 'vmwright run --all'`, 'vmwright run --all'],
  [`ssh -p 2222 -i key.pem tester@h "vmwright run --all"`, 'vmwright run --all'],
  [`sshpass -e ssh tester@h vmwright run --vms 'a,b'`, `vmwright run --vms 'a,b'`],
  ['vmwright run --option path=ssh', 'vmwright run --option path=ssh'],
] as const) {
  test(`A146: of ${wrapped} only the inner command is kept`, () => {
    expect(withoutRemoteShell(wrapped)).toBe(inner);
    expect(withoutRemoteShell(wrapped)).not.toContain(' X ');
  });
}

test('the same events twice, or in another order of machines, give the same document', () => {
  const twice = [
    ...finished.slice(0, -1).flatMap((event): JournalEvent[] => [event, event]),
    finished.at(-1)!,
  ];
  const withoutSteps = (events: readonly JournalEvent[]): JournalEvent[] =>
    events.filter((event) => event.type !== 'step-begin');
  expect(renderMarkdown(foldJournal(withoutSteps(twice)), { now })).toBe(
    renderMarkdown(foldJournal(withoutSteps(finished)), { now }),
  );
});
