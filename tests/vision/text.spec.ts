import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import {
  findText,
  locateText,
  lookFor,
  nearestLines,
  type TextMap,
  unreadableError,
} from '../../fixtures/vision/index.ts';
import { profileOf } from '../../fixtures/vision/ocr/glyphs.ts';
import { recogniseLine } from '../../fixtures/vision/ocr/recognise.ts';
import { shaped } from '../../fixtures/vision/ocr/shapes.ts';
import { lineFrom } from '../../fixtures/vision/ocr/text-map.ts';
import { draw } from '../matchers/support/screen.ts';

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
const kind = (map: TextMap, query: string | RegExp, options = {}): string =>
  lookFor(map, query, options).kind;

test('case, accents, quotation marks and what ends a sentence do not count', () => {
  const map = mapOf('Übersicht: Kosten.xlsx', '“Saved”, he said...', '- first point', 'Inbox (3)');
  expect(found(map, 'ubersicht kosten.xlsx')).toEqual([['Übersicht: Kosten.xlsx', 'exact']]);
  expect(found(map, 'U\u0308BERSICHT')).toEqual([['Übersicht', 'exact']]);
  expect(found(map, 'saved he said')).toEqual([['Saved”, he said', 'exact']]);
  expect(found(map, '"Saved"')).toEqual([['Saved', 'exact']]);
  expect(found(map, 'First point.')).toEqual([['first point', 'exact']]);
  expect(found(map, 'Inbox 3')).toEqual([['Inbox (3', 'exact']]);
});

test('SE1: inside of a word or a number nothing is found, nor across a space', () => {
  const map = mapOf(
    'Disconnected from server',
    '15 errors',
    'Number of files',
    'non-critical update',
    'snake_case',
    "don't",
  );
  for (const text of [
    'Connected from server',
    '5 errors',
    '1',
    'Off',
    'critical',
    'case',
    'don',
    'server s',
    'fromserver',
  ])
    for (const exact of [false, true]) expect(kind(map, text, { exact }), text).toBe('absent');
  for (const text of ['from server', 'errors', 'of files', 'update', 'non-critical', 'snake_case'])
    expect(kind(map, text), text).toBe('found');
});

test('SE1: a point, a slash, a colon and an at sign part words, but not numbers', () => {
  const map = mapOf('Signed in as alice@example.test', '10.5 GB at 12:30', '/usr/local/bin', 'Total 1,250');
  for (const text of ['Signed in as alice', 'example', 'test', 'local', 'GB at 12:30', '10.5'])
    expect(kind(map, text), text).toBe('found');
  for (const text of ['10', '5 GB', '12', '30', '1', '250', 'usr local'])
    expect(kind(map, text), text).toBe('absent');
});

test('SE1: in scripts without spaces a text stands anywhere', () => {
  expect(found(mapOf('请输入密码登录'), '密码')).toEqual([['密码', 'exact']]);
  expect(kind(mapOf('请输入密码登录'), '密友')).toBe('absent');
});

test('SE1: exact means a whole line, its case and its marks', () => {
  const map = mapOf('Sign in', 'Version 1.5', 'Really?');
  expect(found(map, 'Sign in', { exact: true })).toEqual([['Sign in', 'exact']]);
  expect(found(map, ' Version  1.5 ', { exact: true })).toEqual([['Version 1.5', 'exact']]);
  for (const query of ['Sign', 'sign in', 'Signin', 'Sign in.', 'Version 15', 'Really'])
    expect(kind(map, query, { exact: true }), query).toBe('absent');
});

test('SE1: an expression is the way to a part of a word; it is tried on each line as it was read', () => {
  const map = mapOf(' 12 pages', '7 pages', 'Disconnected');
  expect(found(map, /^\d+ pages$/)).toEqual([
    ['12 pages', 'exact'],
    ['7 pages', 'exact'],
  ]);
  expect(found(map, /connect/)).toEqual([['connect', 'exact']]);
  expect(found(map, /PAGES/i)).toHaveLength(2);
  expect(kind(map, /PAGES/)).toBe('absent');
  expect(kind(map, /x*/)).toBe('absent');
});

/** Each is another text than the others of its row, whichever stands on the screen. */
const DIFFERENT = [
  ['1.50', '150', '15.0', '1,50', '1:50', '-1.50', '+1.50', '1.5'],
  ['10.5 GB', '105 GB', '10,5 GB', '1.05 GB'],
  ['10.1.12.3', '10.11.2.3', '101.12.3'],
  ['x > 5', 'x < 5', 'x = 5', 'x != 5', 'x >= 5'],
  ['A', 'A+', 'A-', 'A++', 'A#'],
  ['C', 'C#', 'C++'],
  ['v2', 'v²', 'v', '2v'],
  ['e-mail', 'email', 'e mail'],
  ['a + b', 'a - b', 'a * b', 'a b'],
  ['12', '-12', '+12', '.12', '12-', '1-2'],
  ['file(s)', 'files', 'file s'],
] as const;

test('SE2: signs, separators of digits, operators and marks behind a letter count, asked for and on the screen', () => {
  for (const row of DIFFERENT)
    for (const shown of row)
      for (const asked of row) {
        const sight = lookFor(mapOf(`The ${shown} here`), `the ${asked} here`);
        const reads = `${asked} on a screen with ${shown}`;
        if (asked === shown) expect(sight.kind, reads).toBe('found');
        else expect(sight.kind, reads).not.toBe('found');
      }
});

test('SE2: no other number is found for a number', () => {
  const number = fc.stringMatching(/^[-+]?\d{1,4}(?:[.,:]\d{1,4}){0,2}$/);
  fc.assert(
    fc.property(number, number, fc.boolean(), (shown, asked, isAlone) => {
      fc.pre(shown !== asked);
      const map = mapOf(isAlone ? shown : `Size ${shown} left`);
      expect(findText(map, asked)).toEqual([]);
      expect(findText(map, shown)).toHaveLength(1);
    }),
    { numRuns: 2000 },
  );
});

test('SE1: whole words are found in any line, and no part of one', () => {
  const words = fc.array(fc.stringMatching(/^[a-zA-Z]{2,8}$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      words,
      fc.nat(),
      fc.nat(),
      fc.constantFrom(' ', ' / ', '. ', ', '),
      (list, one, other, between) => {
        const [from, to] = [
          Math.min(one % list.length, other % list.length),
          Math.max(one % list.length, other % list.length),
        ];
        const map = mapOf(list.join(between));
        const asked = list.slice(from, to + 1).join(between);
        expect(findText(map, asked).map(({ text }) => text)).toContain(asked);
        const cut = asked.slice(1);
        const isElsewhere = list.some((word) => word.toLowerCase() === cut.toLowerCase());
        if (!isElsewhere && from === to) expect(findText(map, cut)).toEqual([]);
      },
    ),
    { numRuns: 1000 },
  );
});

/** One line of which OCR is not sure. */
function withDoubts(
  text: string,
  doubts: NonNullable<TextMap['lines'][number]['doubts']>,
  confidences: readonly number[] = [],
): TextMap {
  const map = mapOf(text);
  return { ...map, lines: map.lines.map((line) => ({ ...line, doubts, confidences })) };
}

/** Less sure of the character at `at`. */
function unsureAt(text: string, at: number, confidence = 0.6): TextMap {
  return withDoubts(
    text,
    [],
    Array.from(text, (_, index) => (index === at ? confidence : 1)),
  );
}

test('SE3: letters of one shape are taken for each other, digits never, and nothing that OCR was sure of', () => {
  const bar = withDoubts('lnvoice', [{ from: 0, to: 1, text: 'I', isEqual: true }]);
  expect(found(bar, 'Invoice')).toEqual([['Invoice', 'folded']]);
  expect(found(bar, 'invoice', { exact: true })).toEqual([]);
  expect(found(bar, 'Invoice', { exact: true })).toEqual([['Invoice', 'folded']]);
  for (const [read, meant] of [
    ['Il', '11'],
    ['SO', '50'],
    ['THIS IS SO', '15'],
    ['SOS', '505'],
    ['Bello', '8ello'],
  ] as const)
    expect(kind(mapOf(read), meant), `${meant} for ${read}`).toBe('absent');
  for (const [read, meant, at] of [
    ['8ackup', 'Backup', 0],
    ['Locatlon', 'Location', 5],
    ['Z0 pages', '20 pages', 0],
    ['Code S5Z2', 'Code 55Z2', 5],
  ] as const)
    expect(kind(unsureAt(read, at), meant), `${meant} for ${read}, unsure`).toBe('unsure');
});

test('SE3: where letters and digits stand together a look-alike is a doubt, however sure OCR is', () => {
  expect(kind(mapOf('Code S5Z2'), 'Code 55Z2')).toBe('unsure');
  expect(kind(mapOf('0rder 20481'), 'Order 20481')).toBe('unsure');
  expect(kind(mapOf('Room B8'), 'Room 38')).toBe('absent');
});

test('SE18: a character that OCR doubts proves no digit and no presence', () => {
  expect(kind(unsureAt('exit 1', 5, 0.79), 'exit 1')).toBe('unsure');
  expect(kind(unsureAt('exit 1', 5, 0.81), 'exit 1')).toBe('found');
  expect(kind(unsureAt('Settings', 3, 0.49), 'Settings')).toBe('unsure');
  expect(kind(unsureAt('Settings', 3, 0.51), 'Settings')).toBe('found');
  expect(kind(unsureAt('exit 1 done', 5, 0.3), 'done')).toBe('found');
  for (const shown of ['①', '½', 'x²']) expect(kind(mapOf(`exit ${shown}`), 'exit 1')).toBe('absent');
  expect(kind(mapOf('x²'), 'x2')).toBe('absent');
  expect(kind(mapOf('½ done'), '12 done')).toBe('absent');
});

test('what may be there, misread, is told: up to two doubts at once, an expression too', () => {
  const map = withDoubts('Accessibilty Uptons', [
    { from: 10, to: 10, text: 'i' },
    { from: 16, to: 16, text: 'y' },
    { from: 13, to: 14, text: 'O' },
  ]);
  for (const text of ['Accessibility', 'Optyons', 'Accessibility Uptons', /^Accessibility/, /O.tyons/])
    expect(lookFor(map, text), String(text)).toMatchObject({
      kind: 'unsure',
      doubts: [{ text: 'Accessibilty Uptons' }],
    });
  expect(kind(map, /^Accessibility Optyons$/), 'three doubts').toBe('absent');
  for (const text of ['Accessible', 'Optics', 'Possibility', 'Access options', /X/, '...'])
    expect(kind(map, text), String(text)).toBe('absent');
});

test('what was misread once may have been misread everywhere', () => {
  const points = [3, 5, 7].map((from) => ({ from, to: from + 1, text: '.' }));
  const map = withDoubts('v 6,1,4,0', points);
  expect(kind(map, 'v 6.1.4.0')).toBe('unsure');
  expect(kind(map, 'v 6.1.5.0')).toBe('absent');
});

test('of a line that OCR is sure of nothing else may be there', () => {
  const map = mapOf('Sign in', '3 new messages');
  for (const text of ['Signed in', 'Sign on', '2 new messages', '3 new message from'])
    expect(kind(map, text), text).toBe('absent');
});

test('SE18: in a date or an address a digit that may only be a letter counts from 0.6 on; elsewhere it does not', () => {
  const zeroIn = (text: string, at: number, confidence: number, rival: string): TextMap => {
    const map = mapOf(text);
    return {
      ...map,
      lines: map.lines.map((line) => ({
        ...line,
        confidences: Array.from(text, (_, index) => (index === at ? confidence : 1)),
        doubts: [{ from: at, to: at + 1, text: rival }],
      })),
    };
  };
  expect(kind(zeroIn('10.0.0.17', 3, 0.65, 'o'), '10.0.0.17')).toBe('found');
  expect(kind(zeroIn('10.0.0.17', 3, 0.5, 'O'), '10.0.0.17')).toBe('unsure');
  expect(kind(zeroIn('10.0.0.17', 3, 0.65, '8'), '10.0.0.17')).toBe('unsure');
  expect(kind(zeroIn('0000', 0, 0.65, 'O'), '0000')).toBe('unsure');
  expect(kind(zeroIn('1.0', 2, 0.65, 'O'), '1.0')).toBe('unsure');
});

test('SE18: no digit is taken from another reading of the line, however good', () => {
  const map = mapOf('exit 0 now');
  const withReading = (text: string, from: number): TextMap => ({
    ...map,
    lines: map.lines.map((line) => ({ ...line, doubts: [{ from, to: from + 1, text, isReading: true }] })),
  });
  expect(kind(withReading('1', 5), 'exit 1')).toBe('unsure');
  expect(kind(withReading('m', 7), 'exit 0 mow')).toBe('found');
});

test('SE8: thin letters that small print leaves out, and letters that it makes alike, prove no absence', () => {
  const map = mapOf('ready to be instaed', 'Disconnected fron server');
  expect(kind(map, 'ready to be installed')).toBe('unsure');
  expect(kind(map, 'installed')).toBe('unsure');
  expect(kind(map, 'ready to be started')).toBe('absent');
  const small = mapOf('Disconnected fron server', 'urong user');
  const lines = small.lines.map((line) => ({ ...line, box: { ...line.box, height: 15 } }));
  for (const text of ['from server', 'wrong user']) {
    expect(kind({ ...small, lines }, text), text).toBe('unsure');
    expect(kind(small, text), `${text}, in letters that can be told`).toBe('absent');
  }
  expect(kind({ ...small, lines }, 'your server')).toBe('absent');
});

test('SE8: where nothing was read one or two characters may stand', () => {
  const at = (width: number, height: number): TextMap => ({
    ...mapOf('Sign in'),
    unread: [{ x: 300, y: 0, width, height }],
  });
  expect(kind(at(30, 20), 'OK')).toBe('unsure');
  expect(kind(at(30, 20), '7')).toBe('unsure');
  expect(kind(at(30, 20), 'Off')).toBe('absent');
  expect(kind(at(90, 20), 'OK')).toBe('absent');
  expect(kind(at(60, 64), 'OK'), 'an icon').toBe('absent');
  expect(kind(at(30, 20), 'in')).toBe('found');
});

test('SE4: a text of which one part is too faint to count proves no absence', () => {
  const { lines } = mapOf('Delete', 'All');
  const map = { width: 1000, height: 1000, lines: lines.slice(0, 1), faint: lines.slice(1) };
  expect(kind(map, 'Delete all')).toBe('unsure');
  expect(kind(map, 'Delete none')).toBe('absent');
});

test('a line too faint to count as text proves no presence, and no absence', () => {
  const map = { ...mapOf('Sign in'), faint: mapOf('Signed out').lines };
  expect(lookFor(map, 'signed out')).toMatchObject({ kind: 'unsure', doubts: [{ text: 'Signed out' }] });
});

test('punctuation alone is looked for as it is; nothing is nowhere', () => {
  const map = mapOf('Save as...', 'File || Edit', 'Help');
  expect(found(map, '...')).toEqual([['...', 'exact']]);
  expect(found(map, '||')).toEqual([['||', 'exact']]);
  expect(kind(mapOf('Help'), '||')).toBe('absent');
  expect(kind(map, '?!')).toBe('absent');
  expect(kind(map, '')).toBe('absent');
  expect(kind(map, '  ')).toBe('absent');
});

/** Lines with the top left corner of each, 10 pixels a character, 20 high. */
function placed(...lines: readonly (readonly [text: string, x: number, y: number])[]): TextMap {
  const piece = ([text, x, y]: readonly [string, number, number]) => {
    const characters = Array.from(text, (char, at) => ({
      text: char,
      x: (at + 0.5) / text.length,
      confidence: 1,
    }));
    return lineFrom({ x, y, width: CHARACTER_WIDTH * text.length, height: 20 }, characters)!;
  };
  return { width: 1000, height: 1000, lines: lines.map(piece), faint: [] };
}

test('SE4: a text that runs over two lines is there for an absence, and found where it has wrapped', () => {
  const wrapped = placed(
    ['Authentication failed: wrong user', 100, 40],
    ['name or password', 100, 64],
    ['Cancel', 100, 200],
  );
  expect(kind(wrapped, 'wrong user name or password')).toBe('found');
  expect(kind(wrapped, /wrong user\sname/)).toBe('found');
  expect(kind(wrapped, 'or password Cancel')).toBe('absent');
  const [hit] = findText(wrapped, 'wrong user name');
  expect(hit?.box).toEqual({ x: 100, y: 40, width: 330, height: 44 });
});

test('SE4: entries one below the other are no sentence, and nobody can tell', () => {
  const menu = placed(['New', 100, 40], ['File', 100, 64], ['Print', 100, 128], ['Preview', 300, 64]);
  expect(kind(menu, 'New File')).toBe('unsure');
  expect(kind(menu, /New File/)).toBe('unsure');
  expect(kind(menu, 'File Print'), 'too far below').toBe('absent');
  expect(kind(menu, 'New Preview'), 'neither edge nor middle flush').toBe('absent');
  const room = placed(
    ['The first line is long enough', 100, 40],
    ['short one', 100, 64],
    ['and more text here', 100, 88],
  );
  expect(kind(room, 'short one and'), 'the next word had room').toBe('unsure');
});

test('SE4: two sizes are two texts', () => {
  const map = placed(['Delete', 100, 40], ['all', 100, 64]);
  const [first, second] = map.lines;
  const big = { ...map, lines: [{ ...first!, box: { ...first!.box, y: 20, height: 40 } }, second!] };
  expect(kind(map, 'Delete all')).toBe('unsure');
  expect(kind(big, 'Delete all')).toBe('absent');
});

test('SE5: lines side by side are one text as far as a space goes, and two columns are not', () => {
  const at = (x: number): TextMap => placed(['Connection', 100, 40], ['lost', 200 + x, 41]);
  expect(kind(at(6), 'Connection lost')).toBe('found');
  expect(kind(at(20), 'Connection lost')).toBe('found');
  expect(kind(at(40), 'Connection lost')).toBe('unsure');
  expect(kind(at(60), 'Connection lost')).toBe('unsure');
  expect(
    kind(placed(['Connection', 100, 40], ['lost', 206, 60]), 'Connection lost'),
    'further down',
  ).not.toBe('found');
  const three = placed(['Unable to', 100, 40], ['locate package', 206, 43], ['Cancel', 460, 41]);
  const [hit] = findText(three, 'to locate');
  expect(hit).toMatchObject({ text: 'to locate', rung: 'exact' });
  expect(hit!.box.x).toBeGreaterThanOrEqual(165);
  expect(hit!.box.x + hit!.box.width).toBeLessThan(280);
  expect(found(three, /^Unable to locate package$/)).toHaveLength(1);
  expect(kind(three, 'package cancel')).toBe('unsure');
});

test("SE5: a terminal's tab parts words of one text", () => {
  const row = [
    ['total 12K', 100, 40],
    ['drwxr-xr-x', 260, 40],
    ['further', 460, 40],
  ] as const;
  const terminal = ['$ ls -l /usr/local', '$ cat /etc/hostname', '$ uname -a --verbose'];
  const map = placed(...row, ...terminal.map((text, index) => [text, 100, 80 + 40 * index] as const));
  expect(kind(map, 'total 12K drwxr-xr-x')).toBe('found');
  expect(kind(map, 'drwxr-xr-x further')).toBe('unsure');
  expect(kind(placed(...row), 'total 12K drwxr-xr-x'), 'no terminal').toBe('unsure');
});

test('SE6: what OCR has no letters for is unreadable, whatever stands on the screen', () => {
  const map = mapOf('Settings', 'Cancel');
  for (const [text, script] of [
    ['Ошибка', 'Cyrillic'],
    ['Πρόγραμμα', 'Greek'],
    ['パスワード', 'Katakana'],
    ['שגיאה', 'Hebrew'],
    ['خطأ', 'Arabic'],
    ['Сancel', 'Cyrillic'],
    ['Straße', 'Latin'],
    ['Łódź', 'Latin'],
    ['© 2026', 'symbols'],
    ['Done ✓', 'symbols'],
    [/Ошибка|Error/, 'Cyrillic'],
  ] as const)
    expect(lookFor(map, text), String(text)).toMatchObject({ kind: 'unreadable', script });
  for (const text of ['Geräte', 'naïve', '设置', 'Loading…', '— Settings —', '“Saved”', /^Set\S+\u0020?[ж]?/])
    expect(kind(map, text), String(text)).not.toBe('unreadable');
  expect(kind(map, 'Přihlásit', { exact: true }), 'accents fold, but not where they count').toBe(
    'unreadable',
  );
  expect(kind(map, 'Přihlásit')).toBe('absent');
});

test('a symbol alone is unreadable, as icons are read as symbols; beside letters, or with others, it is not', () => {
  const map = mapOf('= Menu', 'x', 'C++', '...');
  for (const text of ['=', '+', '÷', '?', '×', '-'])
    expect(lookFor(map, text), text).toMatchObject({ kind: 'unreadable' });
  for (const text of ['= Menu', 'x', 'C++', '...', '++', /=/])
    expect(kind(map, text), String(text)).not.toBe('unreadable');
  const alone = lookFor(map, '=');
  expect(alone.kind === 'unreadable' && unreadableError('fedora42', '=', alone).message).toMatch(
    /icons are read as symbols[^]*look for text beside it, or for its picture with getByImage/,
  );
});

test('SE21: the nearest lines come first', () => {
  const map = mapOf('File', 'Edit', 'Signed in as bob', 'Sign out', 'Help', 'Singed in');
  expect(
    nearestLines(map, 'Signed in')
      .map(({ text }) => text)
      .slice(0, 2)
      .toSorted(),
  ).toEqual(['Signed in as bob', 'Singed in']);
  expect(nearestLines(map, 'zzz').map(({ text }) => text)[0]).toBe('File');
  expect(nearestLines({ ...map, faint: mapOf('Signed in').lines }, 'Signed in')[0]?.text).toBe('Signed in');
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

test('SE5: a bar that reaches further than letters do is a caret; one of the height of an l is a letter', async () => {
  const size = { width: 120, height: 40 };
  const name = { text: 'admin', x: 10, y: 28, size: 18 };
  const characters = await recogniseLine(draw(size, [name]));
  expect(characters.map(({ text }) => text).join('')).toBe('admin');
  const read = [...characters, { text: 'l', x: 71 / size.width, confidence: 1 }];
  const beside = (y: number, height: number): string => {
    const picture = draw(size, [name], [{ x: 70, y, width: 2, height, colour: '#202020' }]);
    return shaped(read, profileOf(picture)!, size.width)
      .map(({ text }) => text)
      .join('');
  };
  expect(beside(10, 24)).toBe('admin');
  expect(beside(15, 13)).toBe('adminl');
});
