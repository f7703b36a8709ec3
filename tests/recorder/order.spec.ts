import { expect, test } from '@playwright/test';
import { secret } from '../../fixtures/config/index.ts';
import { Recorder, type RecordablePage } from '../../fixtures/recorder/recorder.ts';
import type { Input } from '../../fixtures/recorder/input.ts';
import { systemClock } from '../../fixtures/vnc/rfb/clock.ts';

const SIZE = { width: 100, height: 80 };

test('moves in a row are one, and none overtakes a key or a click before it, however long that takes', async () => {
  const done: string[] = [];
  const frame = { ...SIZE, data: new Uint8Array(SIZE.width * SIZE.height * 4) };
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const note = async (what: string): Promise<void> => {
    await held;
    done.push(what);
  };
  const page: RecordablePage = {
    name: 'vm',
    timeoutScale: 1,
    latest: () => frame,
    onDirty: () => () => undefined,
    waitForStill: () => Promise.resolve(frame),
    textOf: () => Promise.resolve({ ...SIZE, lines: [], faint: [] }),
    keyboard: {
      type: (text) => note(`type ${String(text)}`),
      press: (keys) => note(`press ${keys}`),
      down: (key) => note(`down ${key}`),
      up: (key) => note(`up ${key}`),
      landed: () => Promise.resolve(),
    },
    mouse: {
      position: undefined,
      buttons: 0,
      move: (x, y) => note(`move ${x},${y}`),
      down: () => note('button down'),
      up: () => note('button up'),
      wheel: (x, y) => note(`wheel ${x},${y}`),
    },
  };
  const recorder = new Recorder(page, {
    secrets: { names: [], byValue: new Map() },
    secret: (name) => secret(name),
    application: 'Harbor Chat',
    launch: () => Promise.resolve(),
    clock: systemClock,
    onChange: () => undefined,
  });
  const key = (text: string): Input => ({
    type: 'key',
    key: text,
    code: `Key${text.toUpperCase()}`,
    control: false,
    shift: false,
    alt: false,
    meta: false,
    altGraph: false,
  });
  for (const input of [
    { type: 'move', x: 1, y: 1 },
    { type: 'move', x: 2, y: 2 },
    key('a'),
    { type: 'move', x: 3, y: 3 },
    { type: 'move', x: 4, y: 4 },
    { type: 'down', x: 4, y: 4, button: 'left', count: 1, modifiers: [] },
  ] satisfies Input[])
    recorder.handle(input);
  recorder.release();
  recorder.handle({ type: 'move', x: 5, y: 5 });
  goOn();
  await recorder.finish();
  expect(done).toEqual([
    'move 2,2',
    'type a',
    'move 4,4',
    'move 4,4',
    'button down',
    'button up',
    'move 5,5',
  ]);
});
