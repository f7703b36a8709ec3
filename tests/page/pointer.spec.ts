import { expect as base, test } from '@playwright/test';
import { createCanvas } from '@napi-rs/canvas';
import { expect } from '../../fixtures/expect.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import type { TestPage } from '../../fixtures/page/test-page.ts';
import type { Label } from '../matchers/support/screen.ts';
import { rectBytes, update } from '../vnc/support/server.ts';
import { Desk } from './support/desk.ts';

/** Outlines of pointers as desktops draw them, from their hot spot. */
const SHAPES = {
  arrow: [
    [0, 0],
    [0, 17],
    [4, 13],
    [7, 20],
    [10, 19],
    [7, 12],
    [12, 12],
  ],
  'large arrow': [
    [0, 0],
    [0, 28],
    [7, 22],
    [12, 33],
    [16, 31],
    [11, 20],
    [20, 20],
  ],
  hand: [
    [0, 0],
    [-3, 8],
    [-7, 10],
    [0, 20],
    [10, 20],
    [12, 9],
    [3, 6],
  ],
} as const;

/** A machine that paints its pointer into its screen. */
class Pointed extends Desk {
  constructor(labels: readonly Label[], shape: keyof typeof SHAPES | 'bar') {
    super({ labels, paint: (picture) => this.#withPointer(picture, shape) });
  }

  #withPointer(picture: Frame, shape: keyof typeof SHAPES | 'bar'): Frame {
    const last = this.server.log.findLast((message) => message.type === 'pointer');
    if (last?.type !== 'pointer') return picture;
    const { x, y } = last;
    const canvas = createCanvas(picture.width, picture.height);
    const context = canvas.getContext('2d');
    const image = context.createImageData(picture.width, picture.height);
    image.data.set(picture.data);
    context.putImageData(image, 0, 0);
    context.fillStyle = '#101010';
    context.strokeStyle = '#ffffff';
    if (shape === 'bar') {
      context.fillRect(x - 1, y - 9, 2, 18);
      context.fillRect(x - 4, y - 10, 8, 2);
      context.fillRect(x - 4, y + 8, 8, 2);
    } else {
      context.beginPath();
      for (const [dx, dy] of SHAPES[shape]) context.lineTo(x + dx, y + dy);
      context.closePath();
      context.fill();
      context.stroke();
    }
    const { data } = context.getImageData(0, 0, picture.width, picture.height);
    return { ...picture, data: new Uint8Array(data) };
  }
}

const WORDS = ['Settings', 'Sign in', 'Downloads', 'OK', 'Version 1.5'];
const LABELS = WORDS.map((text, index) => ({ text, x: 40 + (index % 2) * 220, y: 40 + index * 24 }));

const pages: TestPage[] = [];
test.afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});
async function pageOf(desk: Desk): Promise<TestPage> {
  const page = await desk.page();
  pages.push(page);
  return page;
}

for (const shape of ['arrow', 'large arrow', 'hand', 'bar'] as const) {
  test(`SE19: what a click left its pointer on is neither absent nor lost: ${shape}`, async () => {
    const desk = new Pointed(LABELS, shape);
    const page = await pageOf(desk);
    for (const { text, x, y } of LABELS)
      for (const into of [4, 20]) {
        await page.mouse.click(x + into, y - 6);
        await desk.receivesAll(page);
        await base(
          expect(page).not.toShowText(text, { timeout: 200 }),
          `${text}, ${into} pixels into it`,
        ).rejects.toThrow(/failed/);
        await page.mouse.click(x + into, y - 6);
        await desk.receivesAll(page);
        await expect(page, `${text}, ${into} pixels into it`).toShowText(text);
      }
  });
}

test('SE19: the pointer is moved off for what may be under it, and not for what cannot', async () => {
  const desk = new Pointed(LABELS, 'arrow');
  const page = await pageOf(desk);
  await page.getByText('Sign in').click();
  const at = page.mouse.position;
  await expect(page).not.toShowText('Network failure');
  await expect(page).toShowText('Downloads');
  base(page.mouse.position, 'it stays').toEqual(at);
  await expect(page).not.toShowText('Sign up');
  base(page.mouse.position, 'it was in the way').toEqual({ x: 479, y: 319 });
});

test('SE19: a locator finds what a click left its pointer on', async () => {
  const desk = new Pointed(LABELS, 'large arrow');
  const page = await pageOf(desk);
  for (const { text, x, y } of LABELS) {
    await page.mouse.click(x + 6, y - 6);
    await desk.receivesAll(page);
    const box = await page.getByText(text).boundingBox({ timeout: 5000 });
    base(Math.abs(box.y + box.height / 2 - (y - 6)), text).toBeLessThan(12);
  }
});

test('SE19: where the spec put the pointer it stays, and what it may cover is unsure', async () => {
  const desk = new Pointed(LABELS, 'arrow');
  const page = await pageOf(desk);
  await page.getByText('Downloads').hover();
  await desk.receivesAll(page);
  const at = page.mouse.position;
  await base(expect(page).not.toShowText('Downloads', { timeout: 400 })).rejects.toThrow(/failed/);
  await base(expect(page).not.toShowText('Downtown', { timeout: 400 })).rejects.toThrow(
    /the pointer may cover it; neither presence nor absence is proven/,
  );
  await base(page.getByText('Downtown').isVisible()).rejects.toMatchObject({ code: 'TEXT_UNSURE' });
  base(page.mouse.position).toEqual(at);
  await page.mouse.park();
  await expect(page).not.toShowText('Downtown');
});

test('SE19: a pointer that a click left in the field hides nothing of what is read back', async () => {
  for (const shape of ['bar', 'large arrow'] as const) {
    const desk = new Pointed([{ text: 'Account', x: 40, y: 190 }], shape);
    const page = await pageOf(desk);
    const typed = 'alice.wonder@long.example.test';
    await page.getByLabel('Account').fill(typed, { verifyInput: true });
    await desk.receivesAll(page);
    base(desk.typed()).toEqual({ text: typed, attempt: 1 });
  }
});

test('SE19: a pointer whose shape the server tells apart covers nothing', async () => {
  const desk = new Desk({ labels: LABELS });
  const page = await pageOf(desk);
  const mask = Buffer.alloc(2 * 16, 0xff);
  const shape = Buffer.concat([Buffer.alloc(16 * 16 * 4, 0x20), mask]);
  desk.server.send(update(rectBytes({ x: 0, y: 0, width: 16, height: 16 }, -239, shape)));
  await page.getByText('Downloads').hover();
  await desk.receivesAll(page);
  await expect(page).not.toShowText('Downtown');
});
