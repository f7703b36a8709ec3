import { inspect } from 'node:util';
import { expect, test } from '@playwright/test';
import { Secret } from '../../fixtures/secrets/index.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import { Desk, type DeskOptions, FIELD } from './support/desk.ts';

const LABELS = [{ text: 'Account', x: 40, y: 180 }];
const BELOW = { offset: { x: 0, y: 40 } };
const VERIFY_MS = 1500;
const ENTER = '+ff0d';

async function open(options: DeskOptions = {}) {
  const desk = new Desk({ labels: LABELS, ...options });
  const page = await desk.page();
  return { desk, page, field: page.getByText('Account') };
}

/** Round bullets as a log-in form draws them, with a caret behind the last. */
const bullets =
  (count: (typed: string) => number, size = 8) =>
  (picture: Frame, typed: string): Frame => {
    const data = Uint8Array.from(picture.data);
    const dot = (x: number, y: number) => data.set([20, 20, 20, 255], (y * picture.width + x) * 4);
    for (let index = 0; index < count(typed); index++)
      for (let y = 0; y < size; y++)
        for (let x = 0; x < size; x++)
          if ((x - 3.5) ** 2 + (y - 3.5) ** 2 < 14) dot(FIELD.x + 10 + index * 12 + x, FIELD.y + 14 + y);
    for (let y = 8; y < 28; y++) dot(FIELD.x + 10 + count(typed) * 12, FIELD.y + y);
    return { ...picture, data };
  };

test('M34: what was typed is read back, and only then submitted', async () => {
  const { desk, page, field } = await open();
  await field.fill('alice@example.test', { ...BELOW, verifyInput: true, submit: 'Enter' });
  expect(desk.typed()).toEqual({ text: 'alice@example.test', attempt: 1 });
  await expect.poll(() => desk.server.keys().filter((key) => key === ENTER)).toHaveLength(1);
  await page.close();
});

test('M34, P-M10: a field that never shows the text is typed three times, and nothing is submitted', async () => {
  const { desk, page, field } = await open({ shows: (typed) => typed.toLowerCase() }); // Shift gets lost
  const failing = field.fill('Quiet Harbor', {
    ...BELOW,
    verifyInput: true,
    verifyTimeout: VERIFY_MS,
    submit: 'Enter',
  });
  await expect(failing).rejects.toMatchObject({ code: 'INPUT_NOT_VERIFIED', expected: '"Quiet Harbor"' });
  await expect(failing).rejects.toThrow(/3 times[^]*"quiet ?harbor"/);
  expect(desk.typed().attempt).toBe(3);
  await desk.receivesAll(page);
  expect(desk.server.keys()).not.toContain(ENTER);
  await page.close();
});

test('a lost character on the first try: the field is emptied and typed again', async () => {
  const { desk, page, field } = await open({
    shows: (typed, attempt) => (attempt === 1 ? typed.replace('m', '') : typed),
  });
  await field.fill('remember me', { ...BELOW, verifyInput: true, verifyTimeout: VERIFY_MS });
  expect(desk.typed()).toEqual({ text: 'remember me', attempt: 2 });
  await page.close();
});

test('a field that cannot be emptied is no place where the text arrived, whether it had text or got too little', async () => {
  const full = await open({ stubborn: 'bob.org' });
  const failing = full.field.fill('alice@ex.io', {
    ...BELOW,
    verifyInput: true,
    verifyTimeout: VERIFY_MS,
  });
  await expect(failing).rejects.toMatchObject({ code: 'INPUT_NOT_VERIFIED' });
  await expect(failing).rejects.toThrow(/bob.{0,2}oralice@ex/);
  await full.page.close();

  const short = await open({
    stubborn: '',
    shows: (typed, attempt) => (attempt === 1 ? typed.slice(0, -1) : typed.replace('testalice', 'tesalice')),
  });
  const again = short.field.fill('alice@example.test', {
    ...BELOW,
    verifyInput: true,
    verifyTimeout: VERIFY_MS,
  });
  await expect(again).rejects.toMatchObject({ code: 'INPUT_NOT_VERIFIED' });
  await short.page.close();

  const secret = new Secret('APP_PASSWORD', 'hunter2-x');
  const hidden = await open({ stubborn: 'old', shows: () => '', paint: bullets((typed) => typed.length) });
  await expect(
    hidden.field.fill(secret, { ...BELOW, verifyInput: true, verifyTimeout: 300 }),
  ).rejects.toMatchObject({ code: 'INPUT_NOT_VERIFIED' });
  await hidden.page.close();
});

test('SE19: a label on the row of its field is no part of what was typed', async () => {
  const desk = new Desk({ labels: [{ text: 'ID', x: FIELD.x - 18, y: FIELD.y + 24 }] });
  const page = await desk.page();
  await page.getByLabel('ID').fill('alice@example.test', { verifyInput: true, verifyTimeout: VERIFY_MS });
  expect(desk.typed()).toEqual({ text: 'alice@example.test', attempt: 1 });
  await page.close();
});

test('M36: what shows late, after the first look has failed, is not typed twice', async () => {
  const { desk, page, field } = await open();
  const looks: string[] = [];
  const verifyInput = () => {
    looks.push(desk.typed().text);
    return Promise.resolve({ ok: looks.length > 1, seen: 'not yet' });
  };
  await field.fill('once', { ...BELOW, verifyInput, verifyTimeout: 200, submit: 'Enter' });
  expect(looks).toEqual(['once', 'once']);
  expect(desk.typed().attempt).toBe(1);
  await expect.poll(() => desk.server.keys().filter((key) => key === ENTER)).toHaveLength(1);
  await page.close();
});

test('a secret is verified by its bullets; a missing one is noticed, and the value shown nowhere', async () => {
  const secret = new Secret('APP_PASSWORD', 'hunter2-x');
  const good = await open({ shows: () => '', paint: bullets((typed) => typed.length) });
  await good.field.fill(secret, { ...BELOW, verifyInput: true });
  expect(good.desk.typed()).toEqual({ text: 'hunter2-x', attempt: 1 });
  await good.page.close();

  const short = await open({ shows: () => '', paint: bullets((typed) => Math.max(0, typed.length - 1)) });
  const failure: unknown = await short.field
    .fill(secret, { ...BELOW, verifyInput: true, verifyTimeout: 300, submit: 'Enter' })
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'INPUT_NOT_VERIFIED', expected: '{APP_PASSWORD}' });
  expect(inspect(failure, { depth: 9 })).not.toContain('hunter2');
  await short.desk.receivesAll(short.page);
  expect(short.desk.server.keys()).not.toContain(ENTER);
  await short.page.close();
});

test('a secret that shows as anything but bullets is refused', async () => {
  const { page, field } = await open({ shows: (typed) => typed.replaceAll(/./g, 'W') });
  const failure: unknown = await field
    .fill(new Secret('APP_PASSWORD', 'hunter2-x'), { ...BELOW, verifyInput: true })
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'INPUT_UNREADABLE' });
  expect(inspect(failure, { depth: 9 })).not.toContain('hunter2');
  await page.close();
});

test('a locator that cannot read, and an unknown key to submit with, fail before anything is typed', async () => {
  const { desk, page, field } = await open();
  const box = page.locator({ description: 'a box', resolve: () => Promise.resolve(FIELD) });
  await expect(box.fill('x', { verifyInput: true })).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' });
  await expect(field.fill('x', { submit: 'Entr' })).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
  await desk.receivesAll(page);
  expect(desk.server.keys().filter((key) => !key.endsWith('ffc9'))).toEqual([]);
  await box.fill('plain');
  await expect.poll(() => desk.typed()).toEqual({ text: 'plain', attempt: 1 });
  await page.close();
});
