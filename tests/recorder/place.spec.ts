import { createCanvas } from '@napi-rs/canvas';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import type { Frame, Rect } from '../../fixtures/image/frame.ts';
import { expectationsIn } from '../../fixtures/recorder/picked.ts';
import { placeOf, resolvePlace } from '../../fixtures/recorder/place.ts';
import { Uncovered } from '../../fixtures/recorder/uncovered.ts';
import { asksForSecret, newLines } from '../../fixtures/recorder/wording.ts';
import type { TextLine, TextMap } from '../../fixtures/vision/index.ts';
import { lineFrom } from '../../fixtures/vision/ocr/text-map.ts';

const WIDTH = 800;
const HEIGHT = 500;
const CHARACTER = 8;
const LINE = 16;

interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** A line as OCR would read it, each character 8 pixels wide. */
function lineOf({ text, x, y }: Label, confidence = 0.99): TextLine {
  const characters = Array.from(text, (char, at) => ({
    text: char,
    x: (at + 0.5) / text.length,
    confidence,
  }));
  return lineFrom({ x, y, width: text.length * CHARACTER, height: LINE }, characters)!;
}

function mapOf(...labels: Label[]): TextMap {
  return mapWith(labels.map((label) => lineOf(label)));
}

function mapWith(lines: TextLine[]): TextMap {
  return Object.assign({ width: WIDTH, height: HEIGHT, lines }, { faint: [] });
}

/** A white window with bordered controls on it. */
function screenWith(...controls: Rect[]): Frame {
  const context = createCanvas(WIDTH, HEIGHT).getContext('2d');
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.strokeStyle = '#808080';
  for (const { x, y, width, height } of controls) context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  return {
    width: WIDTH,
    height: HEIGHT,
    data: new Uint8Array(context.getImageData(0, 0, WIDTH, HEIGHT).data),
  };
}

test('a click on a text, or on the margin of its button, is a click on the text', () => {
  const map = mapOf({ text: 'Log in', x: 100, y: 100 });
  const frame = screenWith({ x: 60, y: 90, width: 130, height: 36 });
  for (const point of [
    { x: 120, y: 108 },
    { x: 70, y: 95 },
    { x: 185, y: 122 },
  ])
    expect(placeOf(map, frame, point)).toEqual({ text: 'Log in' });
});

test('an empty field is found from its own label, though another is nearer to the pointer', () => {
  const map = mapOf({ text: 'Email', x: 100, y: 60 }, { text: 'Password', x: 100, y: 130 });
  const frame = screenWith(
    { x: 100, y: 80, width: 300, height: 36 },
    { x: 100, y: 150, width: 300, height: 36 },
  );
  expect(placeOf(map, frame, { x: 300, y: 112 })).toEqual({ text: 'Email', offset: { x: 180, y: 44 } });
  expect(placeOf(map, frame, { x: 300, y: 168 })).toEqual({ text: 'Password', offset: { x: 168, y: 30 } });
});

test('a text that stands twice is told apart, exactly or by its number', () => {
  const twice = mapOf({ text: 'Open', x: 40, y: 40 }, { text: 'Open', x: 40, y: 200 });
  expect(placeOf(twice, screenWith(), { x: 50, y: 208 })).toEqual({ text: 'Open', nth: 1 });
  const spelt = mapOf({ text: 'Save?', x: 40, y: 40 }, { text: 'save', x: 40, y: 200 });
  expect(placeOf(spelt, screenWith(), { x: 50, y: 208 })).toEqual({ text: 'save', exact: true });
});

test('a link in a line is hit where it is, not in the middle of the line', () => {
  const map = mapOf({ text: 'No account? Sign up', x: 40, y: 40 });
  const place = placeOf(map, screenWith(), { x: 170, y: 48 });
  expect(place).toEqual({ text: 'No account? Sign up', offset: { x: 54, y: 0 } });
});

test('words that will be others on the next run are left out', () => {
  const map = mapOf({ text: 'Inbox 12', x: 40, y: 40 }, { text: '10:42', x: 400, y: 40 });
  expect(placeOf(map, screenWith(), { x: 60, y: 48 })).toEqual({ text: 'Inbox' });
  expect(placeOf(map, screenWith(), { x: 410, y: 300 })).toEqual({ point: { x: 410, y: 300 } });
});

const word = fc.constantFrom('Open', 'Save', 'Email', 'open', 'Log', 'in', 'Log in', '42', 'Password', 'a');
const labels = fc
  .array(
    fc.record({
      text: fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' ')),
      x: fc.nat(400),
    }),
    { maxLength: 8 },
  )
  .map((all) => all.map((label, index) => ({ ...label, y: 20 + index * 55 })));

test('a run finds each place on the same screen: the point itself, or the same line or control', () => {
  const controls = fc.array(fc.nat(7), { maxLength: 4 });
  const clicked = fc.record({ x: fc.nat(WIDTH - 1), y: fc.nat(HEIGHT - 1) });
  fc.assert(
    fc.property(labels, controls, clicked, (texts, boxed, point) => {
      const map = mapOf(...texts);
      const boxes = boxed.flatMap((index) => {
        const line = map.lines[index];
        return line ? [{ ...line.box, x: line.box.x - 20, y: line.box.y - 10, width: 380, height: 36 }] : [];
      });
      const place = placeOf(map, screenWith(...boxes), point);
      const found = resolvePlace(map, place)!;
      expect(found).toBeDefined();
      const isPoint = Math.hypot(found.x - point.x, found.y - point.y) < 1;
      const sameControl = boxes.some((box) => holds(box, found) && holds(box, point));
      const sameLine = map.lines.some(({ box }) => holds(grown(box), found) && holds(grown(box), point));
      expect({ place, found, ok: isPoint || sameControl || sameLine }).toMatchObject({ ok: true });
    }),
    { numRuns: 100 },
  );
});

function grown({ x, y, width, height }: Rect): Rect {
  return { x: x - 4, y: y - 4, width: width + 8, height: height + 8 };
}

function holds({ x, y, width, height }: Rect, point: { x: number; y: number }): boolean {
  return point.x >= x && point.y >= y && point.x < x + width && point.y < y + height;
}

test('new texts are those that say what came, without clocks first, half-read lines, progress and echoes', () => {
  const before = mapOf({ text: 'Email', x: 0, y: 0 }, { text: '10:41', x: 0, y: 30 });
  const after = mapOf(
    { text: 'Email', x: 0, y: 0 },
    { text: '10:42', x: 0, y: 30 },
    { text: 'Loading...', x: 0, y: 60 },
    { text: 'Hello there', x: 0, y: 90 },
    { text: 'Room 12 is open now', x: 0, y: 120 },
    { text: 'Signed in as alice', x: 0, y: 150 },
  );
  const doubtful = lineOf({ text: 'Smudge of a word', x: 0, y: 180 }, 0.8);
  const shown = mapWith([...after.lines, doubtful]);
  expect(newLines(before, shown, ['hello there!'])).toEqual(['Signed in as alice', 'Room 12 is open now']);
  expect(newLines(shown, shown)).toEqual([]);
});

test('an echo whose caret was read as a letter is an echo', () => {
  const shown = mapOf({ text: 'Hello therel', x: 0, y: 90 }, { text: 'A new channel', x: 0, y: 120 });
  expect(newLines(mapOf(), shown, ['Hello there'])).toEqual(['A new channel']);
  expect(newLines(mapOf(), shown)).toEqual(['Hello therel', 'A new channel']);
});

test('a pointer that the guest paints hides nothing, until an action may have changed what is there', () => {
  const plain = (): Frame => ({ width: 100, height: 80, data: new Uint8Array(100 * 80 * 4).fill(200) });
  const covered = plain();
  for (let y = 40; y < 52; y++) covered.data.fill(0, (y * 100 + 50) * 4, (y * 100 + 56) * 4);
  covered.data.fill(9, 0, 4);
  const uncovered = new Uncovered();
  expect(uncovered.of(plain(), { x: 5, y: 5 })).toEqual(plain());
  const seen = uncovered.of(covered, { x: 50, y: 40 });
  const expected = plain();
  expected.data.fill(9, 0, 4);
  expect(seen).toEqual(expected);
  expect(uncovered.of(covered, { x: 50, y: 40 })).toEqual(expected);
  uncovered.forget();
  expect(uncovered.of(covered, { x: 50, y: 40 })).toEqual(covered);
  const larger = { width: 100, height: 90, data: new Uint8Array(100 * 90 * 4) };
  expect(uncovered.of(larger, { x: 50, y: 40 })).toEqual(larger);
});

test('a button that lights up under the pointer is as it was; what is larger than a control is another screen', () => {
  const size = { width: 800, height: 400 };
  const lit = (area: Rect, pointer: Rect): Frame => {
    const data = new Uint8Array(size.width * size.height * 4).fill(200);
    for (const [{ x, y, width, height }, level] of [
      [area, 230],
      [pointer, 0],
    ] as const)
      for (let row = y; row < y + height; row++)
        data.fill(level, (row * size.width + x) * 4, (row * size.width + x + width) * 4);
    return { ...size, data };
  };
  const none = { x: 0, y: 0, width: 0, height: 0 };
  const pointer = { x: 210, y: 150, width: 8, height: 12 };
  const button = { x: 160, y: 130, width: 120, height: 40 };
  const uncovered = new Uncovered();
  const plain = lit(none, none);
  uncovered.of(plain, { x: 5, y: 5 });
  expect(uncovered.of(lit(button, pointer), { x: 210, y: 150 })).toEqual(plain);
  expect(uncovered.of(lit(button, pointer), { x: 210, y: 150 })).toEqual(plain);
  const window = { x: 40, y: 40, width: 700, height: 300 };
  const seen = uncovered.of(lit(window, pointer), { x: 210, y: 150 });
  expect(seen.data[(60 * size.width + 60) * 4]).toBe(230);
});

test('a button is as it was although the field above it has changed too', () => {
  const width = 400;
  const drawn = (field: number, button: number, pointer: number): Frame => {
    const data = new Uint8Array(width * 200 * 4).fill(200);
    const fill = (from: number, to: number, left: number, right: number, level: number): void => {
      for (let row = from; row < to; row++)
        data.fill(level, (row * width + left) * 4, (row * width + right) * 4);
    };
    fill(40, 100, 20, 380, field);
    fill(106, 146, 20, 380, button);
    fill(120, 132, 60, 68, pointer);
    return { width, height: 200, data };
  };
  const uncovered = new Uncovered();
  uncovered.of(drawn(250, 90, 90), { x: 5, y: 5 });
  expect(uncovered.of(drawn(10, 120, 0), { x: 60, y: 120 })).toEqual(drawn(10, 90, 90));
});

test('text typed under a pointer that stays is seen as it is', () => {
  const frame = (level: number): Frame => ({
    width: 100,
    height: 80,
    data: new Uint8Array(100 * 80 * 4).fill(level),
  });
  const uncovered = new Uncovered();
  uncovered.of(frame(200), { x: 50, y: 40 });
  expect(uncovered.of(frame(90), { x: 50, y: 40 })).toEqual(frame(90));
});

test('labels that ask for a secret', () => {
  for (const label of ['Password', 'Passwort:', 'PIN', 'Enter passphrase', 'API key'])
    expect({ label, asks: asksForSecret(label) }).toEqual({ label, asks: true });
  for (const label of ['Email', 'Passenger', 'Spinning', 'Log in'])
    expect({ label, asks: asksForSecret(label) }).toEqual({ label, asks: false });
});

test('a picked text is expected as it stands; one that stands elsewhere too, at its place', async () => {
  const map = mapOf(
    { text: 'alice: Hello', x: 40, y: 40 },
    { text: 'bob: Hello', x: 40, y: 80 },
    { text: 'bob: Bye', x: 40, y: 120 },
  );
  const read: (Rect | undefined)[] = [];
  const reader = {
    textOf: (frame: Frame, clip?: Rect) => {
      read.push(clip);
      return Promise.resolve(mapOf({ text: 'bob: Hello', x: 16, y: 16 }));
    },
  };
  const pick = (area: Rect) => expectationsIn(reader, screenWith(), map, area);
  expect(await pick({ x: 30, y: 70, width: 200, height: 80 })).toEqual([
    { kind: 'expect', text: 'bob: Hello' },
    { kind: 'expect', text: 'bob: Bye' },
  ]);
  const clip = { x: 24, y: 64, width: 112, height: 48 };
  expect(await pick({ x: 78, y: 76, width: 60, height: 24 })).toEqual([
    { kind: 'expect', text: 'Hello', clip },
  ]);
  expect(read).toEqual([clip]);
  expect(await pick({ x: 50, y: 128, width: 0, height: 0 })).toEqual([{ kind: 'expect', text: 'bob: Bye' }]);
  expect(await pick({ x: 400, y: 300, width: 50, height: 50 })).toEqual([]);
});
