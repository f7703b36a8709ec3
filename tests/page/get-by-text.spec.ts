import { expect, test } from '@playwright/test';
import { Desk } from './support/desk.ts';

const FORM = [
  { text: 'Save as', x: 40, y: 60 },
  { text: 'Cancel', x: 40, y: 120 },
];
const TWICE = [
  { text: 'Open Report', x: 40, y: 60 },
  { text: 'Open Settings', x: 260, y: 120 },
];

test('a click goes to the middle of the text', async () => {
  const desk = new Desk({ labels: FORM });
  const page = await desk.page();
  await page.getByText('Cancel').click();
  const press = desk.server.pointers().find(({ buttons }) => buttons === 1)!;
  expect(press.x).toBeGreaterThan(50);
  expect(press.x).toBeLessThan(85);
  expect(press.y).toBeGreaterThan(108);
  expect(press.y).toBeLessThan(121);
  await page.close();
});

test('it waits for the text, and for its disappearance from one of two places', async () => {
  const desk = new Desk({ labels: TWICE });
  const page = await desk.page();
  const late = page.getByText('Welcome').boundingBox({ timeout: 20_000 });
  const alone = page.getByText('Open').boundingBox({ timeout: 20_000 });
  desk.show([{ text: 'Welcome', x: 40, y: 60 }, TWICE[1]!]);
  expect((await late).x).toBeGreaterThan(30);
  expect((await alone).y).toBeGreaterThan(100);
  await page.close();
});

test('several places are an error that lists them; nth, clip and exact say which', async () => {
  const desk = new Desk({ labels: TWICE });
  const page = await desk.page();
  const failure = page.getByText('open').boundingBox({ timeout: 1500 });
  await expect(failure).rejects.toMatchObject({ code: 'TEXT_AMBIGUOUS', subject: 'fedora42, text "open"' });
  await expect(failure).rejects.toThrow(/2 times[^]*"Open" \d+x\d+ at \d+,\d+; "Open" \d+x\d+ at/);
  const [first, second] = [
    await page.getByText('open', { nth: 0 }).boundingBox(),
    await page.getByText('open', { nth: 1 }).boundingBox(),
  ];
  expect(first.y).toBeLessThan(70);
  expect([second.x > 250, second.y > 100]).toEqual([true, true]);
  const clip = { x: 240, y: 90, width: 240, height: 60 };
  const clipped = await page.getByText('open', { clip }).boundingBox();
  expect(Math.abs(clipped.x - second.x), 'on the screen, not in the clip').toBeLessThan(8);
  expect(Math.abs(clipped.y - second.y)).toBeLessThan(8);
  const third = page.getByText('open', { nth: 2 }).boundingBox({ timeout: 500 });
  await expect(third).rejects.toMatchObject({ code: 'TEXT_AMBIGUOUS' });
  await expect(page.getByText('open', { exact: true }).boundingBox({ timeout: 500 })).rejects.toMatchObject({
    code: 'TEXT_NOT_FOUND',
  });
  expect(await page.getByText(/Open S\w+/).boundingBox()).toMatchObject({ y: second.y });
  await page.close();
});

test('a line that is the text and nothing else goes before one that holds it', async () => {
  const desk = new Desk({
    labels: [
      { text: 'Log in to go on', x: 40, y: 60 },
      { text: 'Log in', x: 40, y: 140 },
    ],
  });
  const page = await desk.page();
  expect((await page.getByText('Log in').boundingBox()).y).toBeGreaterThan(110);
  await page.close();
});

test('a text that never comes: the error quotes what was there', async () => {
  const page = await new Desk({ labels: FORM }).page();
  const failure = page.getByText('Delete').click({ timeout: 800 });
  await expect(failure).rejects.toMatchObject({ code: 'TEXT_NOT_FOUND' });
  await expect(failure).rejects.toThrow(/within 800 ms[^]*"Cancel", "Save as"/);
  await page.close();
  const blank = await new Desk().page();
  await expect(blank.getByText('Delete').waitFor({ timeout: 300 })).rejects.toThrow(/no text at all/);
  await blank.close();
});
