/** Whatever the secrets are, a run's records say the same about its machines. */
import { expect } from '@playwright/test';
import fc from 'fast-check';
import { redactRecord, redactText, Secret } from '../../fixtures/secrets/index.ts';
import { type JournalEvent, readJournal } from '../../runs/journal.ts';
import { foldJournal } from '../../runs/model.ts';
import { renderCtrf } from '../../runs/render/ctrf.ts';
import { renderJson } from '../../runs/render/json.ts';
import { renderJunit } from '../../runs/render/junit.ts';
import { XMLParser } from 'fast-xml-parser';
import { begin, ended, over, started } from '../runs/support.ts';
import { test } from './own-process.ts';

test.use({ processOf: 'verdict' });

const HOSTS = ['fedora42', 'windows11', 'test', 'ubuntu2404'];

const outcomes = fc.tuple(
  ...HOSTS.map(() =>
    fc.constantFrom('passed' as const, 'failed' as const, 'skipped' as const, 'none' as const),
  ),
);

/** Words, names and pieces of the records themselves, and anything else. */
const secrets = fc.oneof(
  fc.constantFrom(
    ...HOSTS,
    ...[
      'true',
      '1795',
      '0',
      '"',
      '{',
      '},{',
      '":"',
      '\\',
      'passed',
      'failed',
      'test-end',
      'run-begin',
      'type',
    ],
    ...[
      'host',
      '"host":"',
      'fedora',
      'dora4',
      'COMPLETED',
      'FAIL',
      'run-1',
      's',
      't',
      'one',
      'null',
      'finished',
    ],
  ),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }),
);

test('LK1: any secret: the record parses and every verdict is the same', () => {
  fc.assert(
    fc.property(outcomes, secrets, (results, secret) => {
      new Secret('ANY_SECRET', secret);
      const events: JournalEvent[] = [
        begin(HOSTS.map((host) => ({ host, family: 'linux', tests: 1 }))),
        ...HOSTS.flatMap((host, index): JournalEvent[] => {
          const outcome = results[index] ?? 'none';
          if (outcome === 'none') return [];
          const failure = { short: `typed ${secret}`, excerpt: `Expected: "${secret}"\n${host}: ${secret}` };
          return [
            started(host),
            ended(host, outcome, {
              steps: [secret, 'one'],
              timed: [{ title: secret, durationMs: 5, failed: false }],
              id: JSON.stringify([`specs/${host}.spec.ts`, 't']),
              ...(outcome === 'failed' ? { failure } : {}),
              ...(outcome === 'skipped' ? { skipReason: `no ${secret}` } : {}),
            }),
          ];
        }),
        { type: 'note', at: 3, text: `${secret} was typed` },
        over,
      ];
      const lines = events.map((event, index) =>
        JSON.stringify({ v: 2, n: index + 1, ...redactRecord(event) }),
      );
      const { events: read, faults } = readJournal(`${lines.join('\n')}\n`);
      expect(faults).toEqual([]);
      const runner = { runner: 'gone' as const, now: 30_000 };
      const [plain, clean] = [foldJournal(events, runner), redactRecord(foldJournal(read, runner))];
      const told = ({ state, hosts }: typeof plain): unknown => [
        state,
        hosts.map(({ host, status, durationMs, pending, tests }) => [
          host,
          status,
          durationMs,
          pending,
          tests.map((one) => one.status),
        ]),
      ];
      expect(told(clean)).toEqual(told(plain));
      const view = { now: 30_000 };
      const document = JSON.parse(renderJson(clean, view)) as { hosts: { host: string; status: string }[] };
      expect(document.hosts.map(({ host, status }) => [host, status])).toEqual(
        plain.hosts.map(({ host, status }) => [host, status]),
      );
      expect(() => JSON.parse(renderCtrf(clean, view)) as unknown).not.toThrow();
      expect(new XMLParser().parse(renderJunit(clean, view))).toHaveProperty('testsuites');
    }),
    { numRuns: 200 },
  );
});

test('LK1: of JSON only the values change, whatever the secret is', () => {
  const wild = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 8, maxLength: 20 }),
    fc.string({ minLength: 8, maxLength: 40 }),
    fc.string({ minLength: 1, maxLength: 6 }),
    fc.constantFrom('{"ty', '":"', 'type', '"state"', '},{', 'null', '[1,2', '\\', '"', 'message'),
  );
  // A key that holds a secret is masked: of these none does.
  const name = fc.constantFrom('kernel', 'address', 'version');
  const leaf = fc.jsonValue({ maxDepth: 0 });
  const documents = fc.dictionary(name, fc.oneof(leaf, fc.array(leaf), fc.dictionary(name, leaf)));
  fc.assert(
    fc.property(wild, documents, (value, document) => {
      // Blanks stand everywhere, and are masked nowhere.
      fc.pre(value.trim() !== '');
      new Secret(`WILD_${process.pid}`, value);
      const record = {
        type: 'type',
        state: 'passed',
        host: value,
        count: 7,
        texts: [value, document],
        message: `"${value}"`,
      };
      const text = JSON.stringify(record, undefined, 2);
      const clean = JSON.parse(redactText(text)) as typeof record;
      expect(Object.keys(clean)).toEqual(Object.keys(record));
      expect([clean.type, clean.state, clean.count]).toEqual(['type', 'passed', 7]);
      expect(clean.host).not.toBe(value);
      expect(redactRecord(record).host).toBe(value);
      expect(keysOf(clean.texts[1])).toEqual(keysOf(document));
      expect(clean.texts[0]).not.toBe(value);
    }),
    { numRuns: 200 },
  );
});

function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keysOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, keysOf(item)]));
}
