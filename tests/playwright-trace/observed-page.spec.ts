import { expect, test } from '@playwright/test';
import type { Frame, Rect } from '../../fixtures/image/frame.ts';
import type { TestPage } from '../../fixtures/page/test-page.ts';
import { observePage } from '../../fixtures/playwright-trace/observed-page.ts';
import { createScreenReader, type TextMap, type Wanted, wantedBy } from '../../fixtures/vision/index.ts';
import { draw, ScriptedScreen } from '../matchers/support/screen.ts';

test('all of a picture that is kept is read, whatever is looked for: a secret may stand anywhere on it', async () => {
  const rows = Array.from({ length: 9 }, (_, row) => ({ text: `Printer ${row}`, x: 20, y: 30 + 40 * row }));
  const frame = draw({ width: 400, height: 400 }, rows);
  const textOf = (picture: Frame, _clip?: Rect, wanted?: Wanted): Promise<TextMap> =>
    createScreenReader().read(picture, wanted);
  const page = Object.assign(new ScriptedScreen([frame]), { textOf, mouse: {} });
  expect((await page.textOf(frame, undefined, wantedBy('Printer 4'))).isPartial).toBe(true);

  const seen: TextMap[] = [];
  const stop = observePage(page as unknown as TestPage, {
    looked: () => undefined,
    pressed: () => undefined,
    read: (_frame, map) => seen.push(map),
  });
  const map = await page.textOf(frame, undefined, wantedBy('Printer 4'));
  expect(map.isPartial).toBeUndefined();
  expect(seen).toEqual([map]);
  expect(map.lines).toHaveLength(9);
  stop();
  expect((await page.textOf(frame, undefined, wantedBy('Printer 4'))).isPartial).toBe(true);
  expect(seen).toHaveLength(1);
});
