import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { findText, locateText, mayShow, type TextMap } from '../../fixtures/vision/index.ts';
import { lineFrom } from '../../fixtures/vision/ocr/text-map.ts';

const CHARACTER_WIDTH = 10;

/** Lines one under the other, 10 pixels a character, 20 a line. */
function mapOf(...texts: readonly string[]): TextMap {
  const lines = texts.flatMap((text, index) => {
    const chars = Array.from(text);
    const box = { x: 100, y: 20 * index, width: CHARACTER_WIDTH * chars.length, height: 20 };
    const characters = chars.map((char, at) => ({ text: char, x: (at + 0.5) / chars.length, confidence: 1 }));
    return lineFrom(box, characters) ?? [];
  });
  return { width: 1000, height: 1000, lines, faint: [] };
}

const found = (map: TextMap, query: string | RegExp, options = {}): [string, string][] =>
  findText(map, query, options).map(({ text, rung }) => [text, rung]);

test('case, space, punctuation and accents do not count', () => {
  const map = mapOf('Übersicht: Kosten.xlsx', 'Quarterlyreport.pdf');
  expect(found(map, 'ubersicht kosten xlsx')).toEqual([['Übersicht: Kosten.xlsx', 'exact']]);
  expect(found(map, 'quarterly report.PDF')).toEqual([['Quarterlyreport.pdf', 'exact']]);
  expect(found(map, 'U\u0308BERSICHT')).toEqual([['Übersicht', 'exact']]);
});

test("letters that OCR's dictionary lacks are compared with what it reads for them", () => {
  expect(found(mapOf('Lodz Straße Kobenhavn'), 'Łódź')).toEqual([['Lodz', 'exact']]);
  expect(found(mapOf('Lodz Straße Kobenhavn'), 'STRASSE')).toEqual([['Straße', 'exact']]);
  expect(found(mapOf('Lodz Straße Kobenhavn'), 'København')).toEqual([['Kobenhavn', 'exact']]);
});

test('characters of one shape are the same, on the second rung', () => {
  for (const [read, meant] of [
    ['l0O5', '1O05'],
    ['He|p', 'Help'],
    ['8ackup', 'Backup'],
    ['Z0 pages', '20 pages'],
    ['lnvoice', 'Invoice'],
    ['lnvoice', 'invoice'],
    ['GroBe', 'Größe'],
  ] as const)
    expect(found(mapOf(read), meant)).toEqual([[read, 'folded']]);
});

test('others that OCR confuses are the same only where it was not sure', () => {
  for (const [read, meant, at] of [
    ['Locatlon', 'Location', 5],
    ['5oo0', '5000', 2],
    ['Frangais', 'Français', 4],
    ['20z6', '2026', 2],
  ] as const) {
    expect(found(mapOf(read), meant), read).toEqual([]);
    const unsure = withDoubts(
      read,
      [],
      Array.from(read, (_, index) => (Math.abs(index - at) < 2 ? 0.6 : 1)),
    );
    expect(found(unsure, meant), read).toEqual([[read, 'folded']]);
  }
});

/** One line of which OCR is not sure. */
function withDoubts(
  text: string,
  doubts: NonNullable<TextMap['lines'][number]['doubts']>,
  confidences?: readonly number[],
): TextMap {
  const map = mapOf(text);
  return {
    ...map,
    lines: map.lines.map((line) => ({ ...line, doubts, confidences: confidences ?? [] })),
  };
}

test('what may be there, misread, is told: up to two doubts at once, an expression too', () => {
  const map = withDoubts('Accessibilty 0ptons', [
    { from: 10, to: 10, text: 'i' },
    { from: 16, to: 16, text: 'i' },
    { from: 13, to: 14, text: 'O' },
  ]);
  for (const text of ['Accessibility', 'Options', 'Accessibility Options', /^Accessibility/, /O.tions/])
    expect([found(map, text), mayShow(map, text)?.text], String(text)).toEqual([[], 'Accessibilty 0ptons']);
  expect(mayShow(map, /^Accessibility Options$/), 'three doubts').toBeUndefined();
  expect(mayShow(map, 'Accessibility', { exact: true })?.box).toEqual(map.lines[0]!.box);
  for (const text of ['Accessible', 'Optics', 'Possibility', 'Access options', /X/, '...'])
    expect(mayShow(map, text), String(text)).toBeUndefined();
});

test('of a line that OCR is sure of nothing else may be there', () => {
  const map = mapOf('Sign in', '3 new messages');
  for (const text of ['Signed in', 'Sign on', '2 new messages', '3 new message from']) {
    expect(found(map, text)).toEqual([]);
    expect(mayShow(map, text)).toBeUndefined();
  }
});

test('a line too faint to count as text proves no presence, and no absence', () => {
  const map = { ...mapOf('Sign in'), faint: mapOf('Signed out').lines };
  expect(found(map, 'Signed out')).toEqual([]);
  expect(mayShow(map, 'signed out')?.text).toBe('Signed out');
});

test('a line read as meant goes before one that is only confusable with it', () => {
  expect(found(mapOf('Disk 1O', 'Disk 10'), 'disk 10')).toEqual([['Disk 10', 'exact']]);
});

test('digits that are no confusables are different, as are likenesses', () => {
  const map = mapOf('4 jobs, 1 error', 'Enabled');
  for (const query of ['3 jobs', '4 jobs, 7 errors', 'Disabled', 'Enable all', 'Enabler'])
    expect(found(map, query), query).toEqual([]);
});

test('exact: case, punctuation and digits as they are; only space does not count', () => {
  const map = mapOf('Sign in', 'Version 1.5');
  expect(found(map, 'Signin', { exact: true })).toEqual([['Sign in', 'exact']]);
  for (const query of ['sign in', 'Sign in.', 'Version 15', 'Version l.5'])
    expect(found(map, query, { exact: true }), query).toEqual([]);
  expect(found(map, 'Version 15')).toEqual([['Version 1.5', 'exact']]);
});

test('punctuation alone is looked for as it is; nothing is nowhere', () => {
  const map = mapOf('Save as...', 'File | Edit', 'Help');
  expect(found(map, '...')).toEqual([['...', 'exact']]);
  expect(found(map, '|')).toEqual([['|', 'exact']]);
  expect(found(mapOf('Help'), '|')).toEqual([]);
  expect(found(map, '?!')).toEqual([]);
  expect(found(map, '')).toEqual([]);
  expect(found(map, '  ')).toEqual([]);
  expect(found(map, 'File Edit')).toEqual([['File | Edit', 'exact']]);
});

test('an expression is tried on each line as it was read', () => {
  const map = mapOf(' 12 pages', '7 pages');
  expect(found(map, /^\d+ pages$/)).toEqual([
    ['12 pages', 'exact'],
    ['7 pages', 'exact'],
  ]);
  expect(found(map, /PAGES/i)).toHaveLength(2);
  expect(found(map, /PAGES/)).toEqual([]);
  expect(found(map, /x*/)).toEqual([]);
});

test('no text runs from one line into the next', () => {
  expect(found(mapOf('Mouse and', 'Touchpad'), 'Mouse and Touchpad')).toEqual([]);
});

test('a line that wide spaces cut is found as a whole, and where it is; a column further away is not', () => {
  const piece = (text: string, x: number, y: number) => {
    const characters = Array.from(text, (char, at) => ({
      text: char,
      x: (at + 0.5) / text.length,
      confidence: 1,
    }));
    return lineFrom({ x, y, width: CHARACTER_WIDTH * text.length, height: 20 }, characters)!;
  };
  const lines = [
    piece('Unable to', 100, 40),
    piece('locate package', 206, 43),
    piece('Cancel', 460, 41),
    piece('below', 206, 60),
  ];
  const map = { width: 1000, height: 1000, lines, faint: [] };
  const [hit] = findText(map, 'to locate');
  expect(hit).toMatchObject({ text: 'to locate', rung: 'exact' });
  expect(hit!.box.x).toBeGreaterThanOrEqual(165);
  expect(hit!.box.x + hit!.box.width).toBeLessThan(280);
  expect(found(map, /^Unable to locate package$/)).toHaveLength(1);
  expect(found(map, 'package cancel')).toEqual([]);
  expect(found(map, 'locate below')).toEqual([]);
  expect(found(map, 'to below')).toEqual([]);
});

test("a hit's box is where its characters are, in every place", () => {
  const [first, second] = findText(mapOf('go, stop, go'), 'go');
  expect(first?.box).toEqual({ x: 100, y: 0, width: 20, height: 20 });
  expect(second?.box).toEqual({ x: 200, y: 0, width: 20, height: 20 });
});

test('to act upon, a line that is the text goes before lines that hold it', () => {
  const map = mapOf('Sign in to Acme', 'Sign in', 'Cancel or sign in');
  expect(locateText(map, 'sign in').map(({ box }) => box.y)).toEqual([20]);
  expect(locateText(mapOf('Sign in here', 'or sign in there'), 'sign in')).toHaveLength(2);
  expect(locateText(map, 'Sign im')).toEqual([]);
});

/** Composed, as OCR's dictionary is. */
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => text.normalize());

test('any part of a line is found in it, whatever the script, and its text is what stands there', () => {
  fc.assert(
    fc.property(word, word, word, (before, wanted, after) => {
      fc.pre(wanted.trim() !== '');
      const map = mapOf(`${before} ${wanted} ${after}`);
      for (const exact of [false, true]) {
        const hits = findText(map, wanted, { exact });
        expect(hits.length).toBeGreaterThan(0);
        const line = map.lines[0]!;
        for (const hit of hits) {
          expect(line.text).toContain(hit.text);
          expect(hit.box.x).toBeGreaterThanOrEqual(line.box.x);
          expect(hit.box.x + hit.box.width).toBeLessThanOrEqual(line.box.x + line.box.width);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('upper case, lost spaces and added punctuation never hide a text; exact hits are hits', () => {
  const latin = fc.stringMatching(/^[A-Za-z0-9 .:_-]{1,20}$/);
  fc.assert(
    fc.property(latin, latin, (line, query) => {
      fc.pre(/[a-z0-9]/i.test(query));
      // What is folded goes by the shape of letters, which upper case changes, and by where words begin.
      const count = (text: string): number =>
        findText(mapOf(line), text).filter(({ rung }) => rung === 'exact').length;
      const hits = count(query);
      expect(count(query.toUpperCase())).toBe(hits);
      expect(count(query.replaceAll(' ', ''))).toBe(hits);
      expect(count(`"${query}"`)).toBe(hits);
      if (findText(mapOf(line), query, { exact: true }).length > 0) expect(hits).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});

test('one letter outside the confusables makes a word another one', () => {
  const letters = 'a,c,d,e,f,g,h,j,k,m,n,p,q,r,t,u,v,w,x,y';
  const letter = fc.constantFrom(...letters.split(','));
  fc.assert(
    fc.property(
      fc.array(letter, { minLength: 3, maxLength: 15 }),
      fc.nat(14),
      letter,
      (chars, place, other) => {
        const at = place % chars.length;
        fc.pre(chars[at] !== other);
        const decoy = chars.with(at, other).join('');
        expect(findText(mapOf(chars.join('')), decoy)).toEqual([]);
        expect(locateText(mapOf(chars.join('')), decoy)).toEqual([]);
      },
    ),
  );
});
