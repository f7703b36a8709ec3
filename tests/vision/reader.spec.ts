import { expect, test } from '@playwright/test';
import { crop, type Frame, type Rect } from '../../fixtures/image/frame.ts';
import { createScreenReader, locateText, lookFor, type TextMap } from '../../fixtures/vision/index.ts';
import { detectLines } from '../../fixtures/vision/ocr/detect.ts';
import { type Recogniser, remembering } from '../../fixtures/vision/ocr/reader.ts';
import { recogniseLine } from '../../fixtures/vision/ocr/recognise.ts';
import { draw } from '../matchers/support/screen.ts';
import { isCentredIn, realScreen } from './support/truth.ts';

/** The real networks, with a note of each run. */
function counting(): Recogniser & { readonly detected: string[]; recognised: number } {
  const counter = {
    detected: [] as string[],
    recognised: 0,
    detect: (frame: Frame) => {
      counter.detected.push(`${frame.width}x${frame.height}`);
      return detectLines(frame);
    },
    recognise: (line: Frame) => {
      counter.recognised++;
      return recogniseLine(line);
    },
  };
  return counter;
}

const copyOf = (frame: Frame): Frame => ({ ...frame, data: Uint8Array.from(frame.data) });
const textsOf = (map: TextMap): string[] => map.lines.map((line) => line.text);

const SIZE = { width: 640, height: 400 };
const TITLE = { text: 'Print Manager', x: 40, y: 40, size: 20 };
const FOOTER = { text: 'Spooler ready', x: 40, y: 370 };
const status = (text: string): Frame => draw(SIZE, [TITLE, { text, x: 40, y: 200 }, FOOTER]);

test('an unchanged frame is read without running a network', async () => {
  const networks = counting();
  const reader = createScreenReader(networks);
  const { frame } = await realScreen('login-light-1280');
  const first = await reader.read(frame);
  const runs = { detected: networks.detected.length, recognised: networks.recognised };
  expect(runs.detected).toBe(1);
  expect(runs.recognised).toBeGreaterThan(50);
  const again = await reader.read(copyOf(frame));
  expect(again).toEqual(first);
  expect({ detected: networks.detected.length, recognised: networks.recognised }).toEqual(runs);
});

test('of a changed frame only the changed lines are read', async () => {
  const networks = counting();
  const reader = createScreenReader(networks);
  expect(textsOf(await reader.read(status('Waiting for paper')))).toEqual([
    'Print Manager',
    'Waiting for paper',
    'Spooler ready',
  ]);
  networks.recognised = 0;
  const changed = await reader.read(status('Printing page 3'));
  expect(textsOf(changed)).toEqual(['Print Manager', 'Printing page 3', 'Spooler ready']);
  expect(networks.recognised).toBe(1);
  expect(textsOf(await reader.read(draw(SIZE, [TITLE, FOOTER])))).toEqual(['Print Manager', 'Spooler ready']);
});

test('of two changes far apart the two lines are read', async () => {
  const networks = counting();
  const reader = createScreenReader(networks);
  const clock = (time: string, text: string): Frame =>
    draw(SIZE, [
      TITLE,
      { text: time, x: 560, y: 40 },
      { text: 'Queue is empty', x: 200, y: 200 },
      { text, x: 40, y: 370 },
    ]);
  await reader.read(clock('10:41', 'Spooler ready'));
  Object.assign(networks, { detected: [], recognised: 0 });
  const changed = await reader.read(clock('10:42', 'Printing page 3'));
  expect(textsOf(changed)).toEqual(['Print Manager', '10:42', 'Queue is empty', 'Printing page 3']);
  expect(networks.recognised).toBe(2);
});

test('what is read with little confidence is a shape, not text', async () => {
  const sure = (confidence: number) => ({
    detect: () => Promise.resolve([{ x: 10, y: 10, width: 40, height: 20 }]),
    recognise: () => Promise.resolve([{ text: 'D', x: 0.5, confidence }]),
  });
  const frame = draw(SIZE, []);
  expect(textsOf(await createScreenReader(sure(0.69)).read(frame))).toEqual([]);
  expect(textsOf(await createScreenReader(sure(0.71)).read(frame))).toEqual(['D']);
});

test('a dialog that opens and closes comes and goes in the text; all around it stays', async () => {
  const { frame, lines } = await realScreen('login-light-1280');
  const covered = copyOf(frame);
  const dialog: Rect = { x: 700, y: 90, width: 522, height: 186 };
  for (let y = dialog.y; y < dialog.y + dialog.height; y++)
    covered.data.fill(200, (y * frame.width + dialog.x) * 4, (y * frame.width + dialog.x + dialog.width) * 4);
  const hidden = lines.filter(({ box }) => isCentredIn(box, dialog));
  const shown = lines.filter(({ box }) => !isCentredIn(box, dialog));
  const located = (map: TextMap, spots: typeof lines): string[] =>
    spots
      .filter(({ text, box }) => locateText(map, text).some((hit) => isCentredIn(hit.box, box)))
      .map(({ text }) => text);
  const anew = async (picture: typeof frame, spots: typeof lines): Promise<string[]> =>
    located(await createScreenReader().read(picture), spots);

  const reader = createScreenReader();
  const without = await reader.read(covered);
  expect(located(without, hidden)).toEqual([]);
  expect(located(without, shown)).toEqual(await anew(covered, shown));
  expect(located(without, shown).length).toBeGreaterThan(0.95 * shown.length);
  expect(located(await reader.read(frame), lines)).toEqual(await anew(frame, lines));
  expect(located(await reader.read(covered), hidden)).toEqual([]);
});

test('a frame of another size is read in full, and nothing old stays', async () => {
  const networks = counting();
  const reader = createScreenReader(networks);
  const frame = status('Waiting for paper');
  await reader.read(frame);
  const part = await reader.read(crop(frame, { x: 0, y: 150, width: 640, height: 100 }));
  expect(textsOf(part)).toEqual(['Waiting for paper']);
  expect(part.height).toBe(100);
  expect(networks.detected).toEqual(['640x400', '640x100']);
});

test('an empty screen, a gradient and a single pixel have no text', async () => {
  const flat = draw(SIZE, []);
  const gradient = copyOf(flat);
  for (let at = 0; at < gradient.data.length; at += 4)
    gradient.data.fill(Math.floor((at / 4 / SIZE.width / SIZE.height) * 255), at, at + 3);
  for (const frame of [flat, gradient, crop(flat, { x: 0, y: 0, width: 1, height: 1 })])
    expect(await createScreenReader().read(frame)).toEqual({
      width: frame.width,
      height: frame.height,
      lines: [],
      faint: [],
      unread: [],
    });
});

test('SE8: a place where nothing could be read is told, so that it proves no absence', async () => {
  const blind = { detect: detectLines, recognise: () => Promise.resolve([]) };
  const map = await createScreenReader(blind).read(draw(SIZE, [{ text: 'OK', x: 40, y: 40 }]));
  expect(map).toMatchObject({
    lines: [],
    faint: [],
    unread: [expect.objectContaining({ x: expect.any(Number) })],
  });
  expect(lookFor(map, 'OK').kind).toBe('unsure');
});

test('equal lines are recognised once, by every reader of one memory', async () => {
  const networks = counting();
  const memory = remembering(networks);
  const frame = status('Waiting for paper');
  const first = await createScreenReader(memory).read(frame);
  expect(networks.recognised).toBe(3);
  expect(await createScreenReader(memory).read(frame)).toEqual(first);
  expect(networks.detected).toHaveLength(2);
  expect(networks.recognised).toBe(3);
});

test('calls at the same time are answered one after the other; a failed one does not spoil the next', async () => {
  const networks = counting();
  let isBroken = true;
  const reader = createScreenReader({
    ...networks,
    detect: (frame) => {
      if (!isBroken) return networks.detect(frame);
      isBroken = false;
      return Promise.reject(new Error('out of memory'));
    },
  });
  const frame = status('Waiting for paper');
  const [failed, second, third] = await Promise.allSettled([
    reader.read(frame),
    reader.read(frame),
    reader.read(frame),
  ]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'out of memory' } });
  expect(second).toMatchObject({ status: 'fulfilled', value: { lines: { length: 3 } } });
  expect(third).toEqual(second);
  expect(networks.detected).toHaveLength(1);
});
