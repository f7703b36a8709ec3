/**
 * Runs as readers of the summary page meet them, as journal events.
 *
 * @module
 */
import type { JournalEvent, Picture, PlannedHost } from '../../runs/journal.ts';
import { begin } from './support.ts';

export const MINUTE = 60_000;
export const STEPS = [
  'Clean up application state',
  'Check package is staged',
  'Launch application',
  'Verify first-start screen',
  'Enter workspace URL',
  'Log in',
  'Send message',
  'Verify message in history',
];

type TestEnd = Extract<JournalEvent, { type: 'test-end' }>;

interface Sample {
  readonly suite: string;
  readonly hosts: readonly PlannedHost[];
  readonly startedAt?: number;
  readonly run?: string;
  readonly htmlReport?: string;
}

/** A whole run: `ends` says how the tests of each machine end, one machine after the other. */
export function sampleRun(
  { suite, hosts, startedAt = 0, run = 'sample', htmlReport }: Sample,
  ends: (host: string) => readonly Partial<TestEnd>[],
): JournalEvent[] {
  let at = startedAt;
  const events: JournalEvent[] = [
    begin(hosts, {
      at,
      run,
      build: `${suite}-20261129`,
      slots: 2,
      command: 'npx vmwright run --all',
      flow: [{ suite, steps: STEPS, from: 'spec' }],
      coverage: [['template', suite]],
      ...(htmlReport === undefined ? {} : { htmlReport }),
    }),
  ];
  for (const { host } of hosts) {
    for (const [index, end] of ends(host).entries()) {
      const test = end.test ?? `scenario ${index + 1}`;
      events.push({ type: 'test-begin', at, host, suite, test, retry: end.retry ?? 0 });
      at += MINUTE;
      events.push({
        type: 'test-end',
        at,
        host,
        suite,
        test,
        retry: 0,
        outcome: 'passed',
        expected: true,
        steps: STEPS,
        timed: STEPS.map((title, place) => ({ title, durationMs: 1500 * (place + 1), failed: false })),
        durationMs: MINUTE,
        ...end,
      });
    }
  }
  return [...events, { type: 'run-end', at, result: 'finished' }];
}

export function failedEnd(name: string, more: Partial<TestEnd> = {}): Partial<TestEnd> {
  return {
    test: name,
    outcome: 'failed',
    expected: false,
    failure: {
      short: `${name} went wrong`,
      excerpt: `Error: ${name} went wrong\n  Expected: shown\n  Received: not`,
    },
    ...more,
  };
}

/** Eight machines; what fails on one of them does so after its last step, in a fixture's teardown. */
export const eightMachines = (pictures: readonly Picture[] = []): JournalEvent[] =>
  sampleRun(
    {
      suite: 'smoke',
      hosts: [
        ...['fedora42', 'ubuntu2204', 'ubuntu2404', 'manjaro', 'debian12'],
        ...['opensuse-tumbleweed-kde-on-x11-secure-boot', 'windows10', 'windows11'],
      ].map((host) => ({ host, tests: 1 })),
    },
    (host) =>
      host === 'manjaro' ? [failedEnd('a message arrives', { pictures })] : [{ test: 'a message arrives' }],
  );
