import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import type { Frame } from '../../fixtures/image/frame.ts';
import { createScreenReader, lookFor, survey, type TextMap, wantedBy } from '../../fixtures/vision/index.ts';
import { detectLines } from '../../fixtures/vision/ocr/detect.ts';
import { networkLines } from '../../fixtures/vision/ocr/network-lines.ts';
import { type Recogniser, remembering } from '../../fixtures/vision/ocr/reader.ts';
import { recogniseLine } from '../../fixtures/vision/ocr/recognise.ts';
import { lineFrom } from '../../fixtures/vision/ocr/text-map.ts';
import { draw } from '../matchers/support/screen.ts';
import { realScreen, SCREENS } from './support/truth.ts';

/** Columns that the recogniser sees, 48 rows high. */
const columnsOf = ({ width, height }: Frame): number => (width * 48) / height;

/** The real networks, once for equal pictures, with a note of what each reader gives them. */
const memory = remembering({ detect: detectLines, recognise: recogniseLine });
function noting(): Recogniser & { columns: number } {
  const noted = {
    columns: 0,
    detect: memory.detect,
    recognise: (line: Frame) => {
      noted.columns += columnsOf(line);
      return memory.recognise(line);
    },
  };
  return noted;
}

for (const name of SCREENS)
  test(`${name}: for a text that is there a quarter of the lines' pixels is read on average, and a twentieth of the screen's goes to the detection network`, async () => {
    const { frame, lines } = await realScreen(name);
    const whole = noting();
    const all = await createScreenReader(whole).read(frame);
    expect(all.isPartial).toBeUndefined();
    const shares: number[] = [];
    for (const { text } of lines.filter((_, index) => index % 3 === 0)) {
      const some = noting();
      const map = await createScreenReader(some).read(frame, wantedBy(text));
      // What is not found in one line is looked for in all: the same is read as without a wish.
      if (map.isPartial !== true) expect(map).toEqual(all);
      expect(lookFor(map, text).kind, text).toBe(lookFor(all, text).kind);
      if (lookFor(all, text).kind === 'found') shares.push(some.columns / whole.columns);
    }
    expect(shares.length).toBeGreaterThan(14);
    expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeLessThan(1 / 4);

    let pixels = 0;
    await detectLines(frame, (tile) => {
      pixels += tile.width * tile.height;
      return networkLines(tile);
    });
    expect(pixels / frame.width / frame.height).toBeLessThan(1 / 20);
  });

test('a text that is not there, and one that two lines make, is looked for in all', async () => {
  const reader = createScreenReader();
  const labels = Array.from({ length: 12 }, (_, row) => ({
    text: `Printer ${row}`,
    x: 40,
    y: 40 + 60 * row,
  }));
  const wraps = [
    { text: 'The connection to the', x: 400, y: 60 },
    { text: 'server was lost', x: 400, y: 84 },
  ];
  const frame = draw({ width: 640, height: 800 }, [...labels, ...wraps]);
  for (const text of ['Prin', 'Printer 12', 'to the server was lost', 'Spooler']) {
    const map = await createScreenReader().read(frame, wantedBy(text));
    expect(map.isPartial, text).toBeUndefined();
    expect(map.lines.length, text).toBe(14);
  }
  const found = await reader.read(frame, wantedBy('server was lost'));
  expect(found.isPartial).toBe(true);
  expect(found.lines.length).toBeLessThan(14);
  // Nothing partial is remembered.
  expect((await reader.read(frame)).lines).toHaveLength(14);
});

test('an expression has no width: all is read', () => {
  expect(wantedBy(/Printer/)).toBeUndefined();
  expect(wantedBy('  ')).toBeUndefined();
});

/** Lines here and there on a screen, some one below the other. */
function mapOf(texts: readonly string[], places: readonly number[]): TextMap {
  const lines = texts.flatMap((text, index) => {
    const place = places[index] ?? 0;
    const box = { x: 40 + 300 * (place % 3), y: 20 * index, width: 10 * text.length, height: 20 };
    const characters = Array.from(text, (char, at) => ({
      text: char,
      x: (at + 0.5) / text.length,
      confidence: 1,
    }));
    return lineFrom(box, characters) ?? [];
  });
  return { width: 1000, height: 1000, lines, faint: [] };
}

test('what some of the lines show all of them show, and some of them prove no absence and no number of places', () => {
  const word = fc.constantFrom('print', 'manager', 'log', 'in', '15', '-5', 'GB', 'of', 'server');
  const text = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
  const asked = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
  const picked = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 });
  const places = fc.array(fc.nat(2), { minLength: 8, maxLength: 8 });
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 8 }),
      places,
      picked,
      asked,
      (texts, at, kept, query) => {
        const all = mapOf(texts, at);
        const some = { ...all, lines: all.lines.filter((_, index) => kept[index]), isPartial: true } as const;
        const sight = lookFor(some, query).kind;
        found += Number(sight === 'found');
        expect(sight).not.toBe('absent');
        if (sight === 'found') expect(lookFor(all, query).kind).toBe('found');
        const seen = survey(some, query);
        expect(seen.kind === 'readable' && seen.doubts.length > 0).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
  expect(found).toBeGreaterThan(50);
});

test('two lines side by side are no text while what stands between them may be unread', () => {
  const at = (text: string, x: number) => {
    const box = { x, y: 40, width: 10 * text.length, height: 20 };
    const characters = Array.from(text, (char, index) => ({
      text: char,
      x: (index + 0.5) / text.length,
      confidence: 1,
    }));
    return lineFrom(box, characters)!;
  };
  const screen = { width: 400, height: 100, faint: [] };
  const [left, bar, right] = [at('log', 100), at('x', 132), at('in', 144)];
  expect(lookFor({ ...screen, lines: [left, right] }, 'log in').kind).toBe('found');
  expect(lookFor({ ...screen, lines: [left, bar, right] }, 'log in').kind).not.toBe('found');
  const some = { ...screen, lines: [left, right], isPartial: true } as const;
  expect(lookFor(some, 'log in').kind).toBe('unsure');
});
