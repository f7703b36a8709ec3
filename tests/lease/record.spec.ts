import fc from 'fast-check';
import { expect, test } from '@playwright/test';
import { describe, parseNotes, renderNotes, shortTitle } from '../../fixtures/lease/record.ts';
import { recordOf, runOf } from './support/lease.ts';

const RECORD = recordOf(runOf('1f2e'), {
  shard: '2/3',
  url: 'https://ci.example.test/7',
  doing: 'a --> <b> "ü"',
});

test('the lease is one readable line and one that the web page hides, under the notes', () => {
  const text = renderNotes('Owner: desktop team', RECORD);
  const [first, empty, shown, hidden, ...rest] = text.split('\n');
  expect([first, empty, rest]).toEqual(['Owner: desktop team', '', []]);
  expect(shown).toBe(
    '**vmwright lease:** run 1f2e on ci-1 (shard 2/3), process 100, at "a --> <b> "ü"", since 2026-11-21T08:00:00.000Z, https://ci.example.test/7',
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

test('notes of any content come through any number of leases unharmed', () => {
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
    { numRuns: Number(process.env.VMWRIGHT_NOTES_RUNS ?? 500) },
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
  expect(parseNotes(text.replace('"v":1', '"v":2'), 101).marker?.record).toBe('newer');
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
