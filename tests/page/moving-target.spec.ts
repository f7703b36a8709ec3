import { expect, test } from '@playwright/test';
import type { Frame } from '../../fixtures/image/frame.ts';
import type { Label } from '../matchers/support/screen.ts';
import { Desk } from './support/desk.ts';

const upper = { x: 40, y: 60 };
const lower = { x: 40, y: 120 };
const buttons = (first: string, second: string): Label[] => [
  { text: first, ...upper },
  { text: second, ...lower },
];

/** Where buttons were pressed. */
function presses(desk: Desk): { x: number; y: number }[] {
  return desk.server.log.flatMap((message) =>
    message.type === 'pointer' && message.buttons === 1 ? [{ x: message.x, y: message.y }] : [],
  );
}

/** Calls `then` when the machine is asked for a part of its screen: the last look before a click. */
class Asked extends Desk {
  onPart: (() => void) | undefined;

  protected override beforePart(): void {
    this.onPart?.();
  }
}

test('SE20: buttons that change places between the look and the click: the one that was asked for is pressed', async () => {
  const desk = new Asked({ labels: buttons('Archive', 'Destroy') });
  const page = await desk.page();
  let swaps = 0;
  desk.onPart = () => {
    if (swaps++ === 0) desk.labels = buttons('Destroy', 'Archive');
  };
  await page.getByText('Archive').click();
  await desk.receivesAll(page);
  expect(swaps).toBe(2);
  expect(presses(desk).map(({ y }) => Math.abs(y - lower.y) < 20)).toEqual([true]);
  await page.close();
});

test('SE20: a target that is never there as it was seen is not clicked, and the error says where it was', async () => {
  const desk = new Asked({ labels: buttons('Archive', 'Destroy') });
  const page = await desk.page();
  let swaps = 0;
  desk.onPart = () => {
    desk.labels = swaps++ % 2 === 0 ? buttons('Destroy', 'Archive') : buttons('Archive', 'Destroy');
  };
  const clicking = page.getByText('Archive').click();
  await expect(clicking).rejects.toMatchObject({ code: 'TARGET_MOVING' });
  await expect(clicking).rejects.toThrow(/fedora42, text "Archive"[^]*12 times[^]*at 4\d,[^]*waitForStill/);
  await desk.receivesAll(page);
  expect(presses(desk)).toEqual([]);
  await page.close();
});

test('SE20: something that moves within a target which stays where it is does not keep a click from it', async () => {
  let looks = 0;
  const caret = (picture: Frame): Frame => {
    const data = Uint8Array.from(picture.data);
    const at = ((upper.y - 6) * picture.width + upper.x + 2) * 4;
    data.fill((looks++ % 2) * 40 + 100, at, at + 3);
    return { ...picture, data };
  };
  const desk = new Desk({ labels: buttons('Archive', 'Destroy'), paint: caret });
  const page = await desk.page();
  await page.getByText('Archive').click();
  await desk.receivesAll(page);
  expect(presses(desk).map(({ y }) => Math.abs(y - upper.y) < 20)).toEqual([true]);
  await page.close();
});

test('SE20: a part of a longer entry is not clicked while the entry that was meant is still being painted', async () => {
  const desk = new Desk({ labels: [{ text: 'Open Folder With', ...upper }] });
  const page = await desk.page();
  const read = page.textOf.bind(page);
  let looks = 0;
  page.textOf = async (...asked) => {
    const map = await read(...asked);
    if (looks++ === 0)
      desk.show([
        { text: 'Open Folder With', ...upper },
        { text: 'Folder...', ...lower },
      ]);
    return map;
  };
  await page.getByText('Folder...').click();
  await desk.receivesAll(page);
  expect(presses(desk).map(({ y }) => Math.abs(y - lower.y) < 20)).toEqual([true]);
  await page.close();
});

test('SE20: a part of a longer entry is clicked where nothing else comes', async () => {
  const desk = new Desk({ labels: [{ text: 'Open Folder With', ...upper }] });
  const page = await desk.page();
  await page.getByText('Folder').click();
  await desk.receivesAll(page);
  expect(presses(desk)).toHaveLength(1);
  await page.close();
});
