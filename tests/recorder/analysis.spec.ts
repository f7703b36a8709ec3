import { expect, test } from '@playwright/test';
import type { Frame } from '../../fixtures/image/frame.ts';
import { Analysis, type ReadablePage } from '../../fixtures/recorder/analysis.ts';
import { Script } from '../../fixtures/recorder/script.ts';
import type { TextMap } from '../../fixtures/vision/index.ts';
import { systemClock } from '../../fixtures/vnc/rfb/clock.ts';

const SIZE = { width: 100, height: 80 };
const EMPTY: TextMap = { ...SIZE, lines: [], faint: [] };

/** Dark where the guest paints its pointer. */
function screen(pointer: { readonly x: number; readonly y: number }): Frame {
  const data = new Uint8Array(SIZE.width * SIZE.height * 4).fill(200);
  for (let y = pointer.y; y < pointer.y + 8; y++) {
    const from = (y * SIZE.width + pointer.x) * 4;
    data.fill(0, from, from + 6 * 4);
  }
  return { ...SIZE, data };
}

test('what the pointer is about to cover is kept, however long the reading before takes', async () => {
  let position = { x: 5, y: 5 };
  let read: () => void = () => undefined;
  const reading = new Promise<TextMap>((done) => (read = () => done(EMPTY)));
  const page: ReadablePage = {
    latest: () => screen(position),
    onDirty: () => () => undefined,
    mouse: {
      get position() {
        return position;
      },
    },
    textOf: () => reading,
  };
  const script = new Script();
  const analysis = new Analysis(page, script, {
    clock: systemClock,
    onRead: () => undefined,
    onChange: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  analysis.understand(script.add(), analysis.screen(), () => ({ kind: 'press', keys: 'Tab' }), false);
  analysis.beforeMove();
  position = { x: 60, y: 40 };
  const at = (40 * SIZE.width + 60) * 4;
  expect(page.latest().data[at]).toBe(0);
  expect(analysis.screen().data[at]).toBe(200);
  read();
  await analysis.finish();
});
