import fc from 'fast-check';
import { expect, test } from '@playwright/test';
import {
  breaksClusterLog,
  describe,
  lengthOf,
  NOTES_LIMIT,
  parseNotes,
  renderNotes,
  shortTitle,
} from '../../fixtures/lease/record.ts';
import { ClusterLog } from '../../lab/api/cluster-log.ts';
import { recordOf, runOf } from './support/lease.ts';
import { rounds, SOAK } from '../support/soak.ts';

const RECORD = recordOf(runOf('1f2e'), {
  shard: '2/3',
  url: 'https://ci.example.test/7',
  doing: 'a --> <b> "ü"',
});

const GPU = { name: 'GPU "gpu" (0000:01:00) on pve', slots: ['0000:01:00'], at: '2026-11-21T08:00:00.000Z' };

test('the lease is one readable line and one that the web page hides, under the notes', () => {
  const text = renderNotes('Owner: desktop team', RECORD);
  const [first, empty, shown, hidden, ...rest] = text.split('\n');
  expect([first, empty, rest]).toEqual(['Owner: desktop team', '', []]);
  expect(shown).toBe(
    "**vmwright lease:** run 1f2e on ci-1 (shard 2/3), process 100, at 'a --> <b> 'ü'', since 2026-11-21T08:00:00.000Z, https://ci.example.test/7",
  );
  expect(hidden).toMatch(/^<!-- vmwright-lease \{[^<>]*\} -->$/);
  expect(hidden).toMatch(/^[\u0020-\u007e]*$/);
});

test('what was written is read back, and nothing is left of it when it is taken off', () => {
  const { human, marker } = parseNotes(`${renderNotes('Owner: desktop team', RECORD)}\n`, 101);
  expect(human).toBe('Owner: desktop team');
  expect(marker?.record).toEqual(RECORD);
  expect(renderNotes(human, undefined)).toBe('Owner: desktop team');
  expect(parseNotes(renderNotes('', RECORD), 101).human).toBe('');
  expect(parseNotes(undefined, 101)).toEqual({ human: '', marker: undefined });
});

test('notes of any content come through any number of leases unharmed', SOAK, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 4 }), (notes, times) => {
      fc.pre(!notes.includes('vmwright'));
      let text = notes;
      for (let round = 0; round < times; round++) {
        text = renderNotes(parseNotes(`${text}\n`, 101).human, { ...RECORD, beat: round });
        expect(parseNotes(`${text}\n`, 101).marker?.record).toEqual({ ...RECORD, beat: round });
      }
      expect(renderNotes(parseNotes(text, 101).human, undefined)).toBe(notes.replace(/\n+$/, ''));
    }),
    { numRuns: rounds(500, 50_000) },
  );
});

test('words that a person writes above, below, between and into the lease are kept', () => {
  const [first, empty, shown, hidden] = renderNotes('Owner: desktop team', RECORD).split('\n');
  const edited = ['on top', first, empty, shown, 'between', `hands off! ${hidden!} thanks`, 'below'].join(
    '\n',
  );
  const { human, marker } = parseNotes(edited, 101);
  expect(human.split('\n')).toEqual([
    'on top',
    'Owner: desktop team',
    'between',
    'hands off! thanks',
    'below',
  ]);
  expect(marker?.record).toEqual(RECORD);
});

test('a lease that an edit broke counts as one that cannot be read, a newer one as newer, a copy of another VM as none', () => {
  const text = renderNotes('', RECORD);
  expect(parseNotes(text.replace('"beat":1', '"beat":'), 101).marker?.record).toBe('mangled');
  expect(parseNotes(text.replace(' -->', ''), 101).marker?.record).toEqual(RECORD);
  expect(parseNotes(text.replace('"run":"1f2e",', ''), 101).marker?.record).toBe('mangled');
  expect(parseNotes(text.replace('"v":2', '"v":3'), 101).marker?.record).toBe('newer');
  expect(parseNotes(text, 202)).toEqual({ human: '', marker: undefined });
  const two = `${text}\n${renderNotes('', { ...RECORD, run: 'other' })}`;
  expect(parseNotes(two, 101).marker?.record).toBe('mangled');
  expect(parseNotes(`${text}\n${text}`, 101).marker?.record).toEqual(RECORD);
});

test('a holder in words, without what is not known; long titles are cut', () => {
  expect(describe(recordOf(runOf('1f2e')))).toBe(
    'run 1f2e on ci-1, process 100, since 2026-11-21T08:00:00.000Z',
  );
  expect(shortTitle('x'.repeat(500))).toHaveLength(120);
});

test(
  'CL1: whatever the title and the notes, the cluster log stays JSON that everybody can read',
  SOAK,
  () => {
    const title = fc.string({
      unit: fc.constantFrom('"', '\\', 'u', '0', 'ü', '€', '\u{1f600}', '<', '\n', '\u0007', 'a', ' '),
    });
    const people = fc.string({
      unit: fc.constantFrom('"', 'ü', '\u{1f600}', '\n', 'a', '\u007f', ' '),
      size: 'max',
      maxLength: 6000,
    });
    fc.assert(
      fc.property(title, people, (doing, notes) => {
        const text = renderNotes(notes.trimEnd(), { ...RECORD, doing, step: 'step 4/10', gpu: GPU });
        const log = new ClusterLog('pve', () => 0);
        log.add('root@pam!lab', `update VM 101: -description ${text}`);
        const [entry] = log.list(1) as { msg: string }[];
        expect(entry?.msg).toContain('update VM 101: -description');
        const shown = text.split('\n').find((line) => line.startsWith('**vmwright lease:**'));
        expect(shown ?? '').not.toMatch(/["\\]/);
      }),
      { numRuns: rounds(500, 50_000) },
    );
  },
);

test('CL1: what is escaped is read back as it was, as far as the log has room for it', () => {
  const doing = 'says "C:\\temp\\" \\" and ü < 3';
  const text = renderNotes('Owner: desktop team', { ...RECORD, doing });
  expect(text).toContain(String.raw`says \u0022C:\u005ctemp\u005c\u0022 \u005c\u0022 and \u00fc \u003c 3`);
  expect(parseNotes(text, 101).marker?.record).toEqual({ ...RECORD, doing });
  const long = renderNotes('x'.repeat(3500), { ...RECORD, doing });
  expect(long).not.toContain('\\');
  expect(parseNotes(long, 101).marker?.record).toMatchObject({
    run: RECORD.run,
    since: RECORD.since,
    beat: RECORD.beat,
  });
});

test('CL6: a title is cut between characters as people see them, and half a character is none', () => {
  const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
  for (let before = 100; before < 130; before++) {
    const short = shortTitle(`${'x'.repeat(before)}${family}${'y'.repeat(60)}`);
    expect(short.length).toBeLessThanOrEqual(120);
    expect(short).toMatch(/^x+(\u{1f468}\u200d\u{1f469}\u200d\u{1f467})?y*…$/u);
  }
  expect(shortTitle('half \ud83d')).toBe('half \ufffd');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 100, maxLength: 200 }), (title) => {
      const text = renderNotes('', { ...RECORD, doing: shortTitle(`${title.slice(0, 119)}\ud83d`) });
      expect(() => encodeURIComponent(text)).not.toThrow();
    }),
  );
});

test('CL7: notes that are nearly full get a shorter record, and are as they were afterwards', () => {
  const full = { ...RECORD, doing: 'x'.repeat(120), step: 'step 4/10' };
  for (const room of [900, 700, 560, 420]) {
    const notes = 'n'.repeat(NOTES_LIMIT - room);
    const text = renderNotes(notes, full);
    expect(lengthOf(text), `room ${room}`).toBeLessThanOrEqual(NOTES_LIMIT);
    const parsed = parseNotes(`${text}\n`, 101);
    expect(parsed.marker?.record).toMatchObject({ run: RECORD.run, since: RECORD.since });
    expect(parsed.human).toBe(notes);
  }
});

test('CL7: a person’s line that begins as the lease does stays the person’s', () => {
  const people = [
    '**vmwright lease:** see the wiki',
    '**vmwright lease:** run it on Mondays',
    '',
    'below',
  ].join('\n');
  const text = renderNotes(people, RECORD);
  expect(parseNotes(text, 101).human).toBe(people);
  expect(parseNotes(people, 101)).toEqual({ human: people, marker: undefined });
  const without = text.split('\n').filter((line) => !line.includes('on ci-1'));
  expect(parseNotes(without.join('\n'), 101).human).toBe(people);
  const quoted = `${text.split('\n').find((line) => line.includes('on ci-1'))!}\n${people}`;
  expect(parseNotes(quoted, 101).human).toBe(quoted);
  expect(parseNotes(renderNotes(quoted, RECORD), 101).human).toBe(quoted);
});

test('CL1: notes of people that spoil the cluster log by themselves are told from those that do not', () => {
  const notes = fc.string({
    unit: fc.constantFrom('"', '\\', 'n', 'u', '0', '1', 'ü', '\n', 'x'),
    maxLength: 12,
  });
  fc.assert(
    fc.property(notes, (human) => {
      const log = new ClusterLog('pve', () => 0);
      log.add('root@pam!lab', `update VM 101: -description ${human}`);
      const isSpoilt = (() => {
        try {
          log.list(1);
          return false;
        } catch {
          return true;
        }
      })();
      expect(breaksClusterLog(human)).toBe(isSpoilt);
    }),
    { numRuns: 2000 },
  );
});
