import { expect as base, test } from '@playwright/test';
import { createCanvas } from '@napi-rs/canvas';
import { expect } from '../../fixtures/expect.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import type { Finder, Place } from '../../fixtures/matchers/places.ts';
import { type FilterOptions, withText } from '../../fixtures/page/combined.ts';
import type { TestPage } from '../../fixtures/page/test-page.ts';
import type { Label } from '../matchers/support/screen.ts';
import { Desk, FIELD } from './support/desk.ts';

const FILES: readonly Label[] = [
  { text: 'report.pdf', x: 40, y: 50 },
  { text: 'Delete', x: 160, y: 50 },
  { text: 'notes.txt', x: 40, y: 110 },
  { text: 'Delete', x: 160, y: 110 },
  { text: 'budget.ods', x: 40, y: 170 },
  { text: 'Delete', x: 160, y: 170 },
];

/** A page on a desk; closed at the end of the test. */
async function pageOf(desk: Desk): Promise<TestPage> {
  const page = await desk.page();
  pages.push(page);
  return page;
}
const pages: TestPage[] = [];
test.afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});

/** Where the left button was pressed and released. */
function strokes(desk: Desk): { x: number; y: number; buttons: number }[] {
  return desk.server.log.flatMap((message) => (message.type === 'pointer' ? [message] : []));
}

function press(desk: Desk): { x: number; y: number } {
  return strokes(desk).find(({ buttons }) => buttons === 1)!;
}

/** Draws into the picture. */
const over =
  (paint: (context: ReturnType<ReturnType<typeof createCanvas>['getContext']>) => void) =>
  (picture: Frame): Frame => {
    const canvas = createCanvas(picture.width, picture.height);
    const context = canvas.getContext('2d');
    const image = context.createImageData(picture.width, picture.height);
    image.data.set(picture.data);
    context.putImageData(image, 0, 0);
    paint(context);
    return {
      ...picture,
      data: new Uint8Array(context.getImageData(0, 0, picture.width, picture.height).data),
    };
  };

test('SE16: count, all, first, last and nth are of all places, in reading order', async () => {
  const desk = new Desk({ labels: FILES });
  const page = await pageOf(desk);
  const rows = page.getByText('Delete');
  base(await rows.count()).toBe(3);
  const boxes = await Promise.all((await rows.all()).map((row) => row.boundingBox()));
  base(boxes.map(({ y }) => Math.floor(y / 60))).toEqual([0, 1, 2]);
  base((await rows.first().boundingBox()).y).toBe(boxes[0]!.y);
  base((await rows.last().boundingBox()).y).toBe(boxes[2]!.y);
  base((await rows.nth(1).boundingBox()).y).toBe(boxes[1]!.y);
  base((await rows.nth(-2).boundingBox()).y).toBe(boxes[1]!.y);
  const fourth = rows.nth(3).boundingBox({ timeout: 300 });
  await base(fourth).rejects.toMatchObject({
    code: 'TEXT_AMBIGUOUS',
    message: base.stringContaining('3 times'),
  });
  base(await page.getByText('Rename').count()).toBe(0);
  base(await page.getByText('Rename').all()).toEqual([]);
});

test('SE16: a line that says more counts, as in Playwright, though a click prefers the one that does not', async () => {
  const page = await pageOf(
    new Desk({
      labels: [
        { text: 'Save all files', x: 40, y: 60 },
        { text: 'Save', x: 40, y: 120 },
      ],
    }),
  );
  const saves = page.getByText('Save');
  base(await saves.count()).toBe(2);
  base((await saves.boundingBox()).y).toBeGreaterThan(100);
  base((await saves.first().boundingBox()).y).toBeLessThan(70);
  base((await page.getByText('Save', { nth: 1 }).boundingBox()).y).toBeGreaterThan(100);
  await expect(saves).toHaveCount(2);
  await expect(saves).toBeVisible();
  await expect(page.getByText('Save', { exact: true })).toHaveCount(1);
});

test('SE16: isVisible tells without waiting; what nobody can tell is an error and neither yes nor no', async () => {
  const page = await pageOf(new Desk({ labels: [{ text: 'Signed in', x: 40, y: 60 }] }));
  base(await page.getByText('Signed in').isVisible()).toBe(true);
  base(await page.getByText('Signed out').isVisible()).toBe(false);
  const stacked = [
    { text: 'Signed', x: 40, y: 60 },
    { text: 'in', x: 40, y: 84 },
  ];
  const menu = await pageOf(new Desk({ labels: stacked }));
  const maybe = menu.getByText('Signed in');
  const sight = await maybe.isVisible().catch((error: unknown) => error);
  base(sight).toMatchObject({ code: 'TEXT_UNSURE', message: base.stringContaining('nobody can tell') });
  await base(maybe.count()).rejects.toMatchObject({ code: 'TEXT_UNSURE' });
  await base(maybe.all()).rejects.toMatchObject({ code: 'TEXT_UNSURE' });
  await base(expect(maybe).toBeHidden({ timeout: 300 })).rejects.toThrow(
    /Unsure:[^]*neither presence nor absence/,
  );
  await base(expect(maybe).toHaveCount(0, { timeout: 300 })).rejects.toThrow(/Unsure:/);
  await base(expect(maybe).not.toBeVisible({ timeout: 300 })).rejects.toThrow(/Unsure:/);
});

test('SE16: which one is the second is not known while one more may be there', async () => {
  const page = await pageOf(
    new Desk({
      labels: [
        { text: 'Signed', x: 40, y: 100 },
        { text: 'in', x: 40, y: 124 },
        { text: 'Signed in', x: 240, y: 60 },
        { text: 'Signed in', x: 240, y: 180 },
      ],
    }),
  );
  const signed = page.getByText('Signed in');
  base(await signed.isVisible()).toBe(true);
  await base(signed.count()).rejects.toMatchObject({ code: 'TEXT_UNSURE' });
  await base(signed.nth(1).click({ timeout: 300 })).rejects.toThrow(
    /TEXT_AMBIGUOUS[^]*2 times at least[^]*maybe "Signed in" \d+x\d+ at [34]\d,/,
  );
  await base(signed.nth(-2).click({ timeout: 300 })).rejects.toMatchObject({ code: 'TEXT_AMBIGUOUS' });
  await base(expect(signed).toHaveCount(2, { timeout: 300 })).rejects.toThrow(/Unsure:/);
  base((await signed.first().boundingBox()).y, 'what may be one more stands behind').toBeLessThan(90);
  base((await signed.last().boundingBox()).y, 'and before').toBeGreaterThan(140);
});

test('SE16: a text that OCR is not sure of neither keeps nor drops a place', async () => {
  const map = {
    width: 100,
    height: 20,
    lines: [
      {
        text: 'Build 5',
        box: { x: 0, y: 0, width: 70, height: 20 },
        words: [],
        confidence: 0.9,
        centres: [5, 15, 25, 35, 45, 55, 65],
        confidences: [1, 1, 1, 1, 1, 1, 0.5],
      },
    ],
  };
  const place: Place = {
    ...map.lines[0]!.box,
    label: '"Build"',
    isLesser: false,
    isPart: true,
    read: () => Promise.resolve({ map, hidden: [] }),
  };
  const builds: Finder = {
    description: 'text "Build"',
    ambiguous: 'TEXT_AMBIGUOUS',
    isArea: false,
    advice: '',
    look: () =>
      Promise.resolve({ places: [place], doubts: [], missing: () => Promise.reject(new Error('unused')) }),
  };
  const frame = { width: 1, height: 1, data: new Uint8Array(4) };
  const seen = async (options: FilterOptions): Promise<[number, number]> => {
    const { places, doubts } = await withText(builds, options, 'fedora42').look(frame);
    return [places.length, doubts.length];
  };
  base(await seen({ hasText: 'Build 5' })).toEqual([0, 1]);
  base(await seen({ hasNotText: 'Build 5' })).toEqual([0, 1]);
  base(await seen({ hasText: 'Build' })).toEqual([1, 0]);
  base(await seen({ hasText: 'Build', hasNotText: 'Rust' })).toEqual([1, 0]);
  base(await seen({ hasText: 'Rust' })).toEqual([0, 0]);
});

test('SE16: near takes what is near, the nearest first', async () => {
  const desk = new Desk({ labels: FILES });
  const page = await pageOf(desk);
  const near = page.getByText('Delete').near(page.getByText('notes.txt'), { maxDistance: 80 });
  base(await near.count()).toBe(3);
  await near.first().click();
  base(Math.abs(press(desk).y - 105)).toBeLessThan(15);
  const row = page.getByText('Delete').near(page.getByText('budget.ods'));
  base(await row.count(), '50 pixels by default: 60 away from the row above').toBe(1);
  base((await row.boundingBox()).y).toBeGreaterThan(150);
  const far = page.getByText('Delete').near(page.getByText('report.pdf'), { maxDistance: 5 });
  await base(far.click({ timeout: 300 })).rejects.toThrow(
    /within 5 px[^]*"Delete" \d+x\d+ at 1\d\d,\d+, \d+ px away/,
  );
  const none = page.getByText('Delete').near(page.getByText('movie.mkv'));
  await base(none.click({ timeout: 300 })).rejects.toThrow(/text "movie.mkv"/);
});

test('SE16: filter by the text of the line, and by its absence', async () => {
  const page = await pageOf(
    new Desk({
      labels: [
        { text: 'Update failed for kernel', x: 40, y: 60 },
        { text: 'Update done for editor', x: 40, y: 120 },
      ],
    }),
  );
  const updates = page.getByText('Update');
  base(await updates.filter({ hasText: 'failed' }).allTextContents()).toEqual(['Update failed for kernel']);
  base(await updates.filter({ hasNotText: 'failed' }).allTextContents()).toEqual(['Update done for editor']);
  base(await updates.filter({ hasText: /for \w+/ }).count()).toBe(2);
  const none = updates.filter({ hasText: 'pending' });
  base(await none.count()).toBe(0);
  await base(none.click({ timeout: 300 })).rejects.toThrow(
    /TEXT_NOT_FOUND[^]*a place with text "pending"[^]*"Update" [^]*left out/,
  );
});

test('SE16: or takes what is there of two', async () => {
  const desk = new Desk({ labels: [{ text: 'Sign in', x: 40, y: 60 }] });
  const page = await pageOf(desk);
  const either = page.getByText('Log in').or(page.getByText('Sign in'));
  base(await either.textContent()).toBe('Sign in');
  await expect(either).toBeVisible();
  base(await page.getByText('Sign in').or(page.getByText('Sign in')).count(), 'one place is one').toBe(1);
  desk.show([
    { text: 'Sign in', x: 40, y: 60 },
    { text: 'Log in', x: 40, y: 120 },
  ]);
  await expect(either).toHaveCount(2);
  await base(either.click({ timeout: 4000 })).rejects.toMatchObject({ code: 'TEXT_AMBIGUOUS' });
});

test('SE16: or: what goes before others of its own does not go before the other locator', async () => {
  const desk = new Desk({
    labels: [
      { text: 'Save', x: 40, y: 60 },
      { text: 'Send', x: 40, y: 120 },
      { text: 'Send later today', x: 40, y: 180 },
    ],
  });
  const page = await pageOf(desk);
  const [save, send] = [page.getByText('Save'), page.getByText('Send')];
  base(await send.count()).toBe(2);
  base(await send.textContent()).toBe('Send');
  for (const either of [save.or(send), send.or(save)])
    await base(either.textContent({ timeout: 4000 })).rejects.toMatchObject({
      code: 'TEXT_AMBIGUOUS',
      message: base.stringContaining('3 times'),
    });
  // Filtered on its own side first.
  base(await save.or(send.filter({ hasText: 'later' })).count()).toBe(2);
  await base(save.or(send.filter({ hasText: 'later' })).textContent({ timeout: 4000 })).rejects.toMatchObject(
    { code: 'TEXT_AMBIGUOUS' },
  );
  base(
    await send
      .or(send.filter({ hasText: 'later' }))
      .textContent({ timeout: 4000 })
      .catch((error: unknown) => String(error)),
  ).toContain('TEXT_AMBIGUOUS');
});

test('SE16: text inside of the panel that another text stands on, whatever stands elsewhere', async () => {
  const panel = over((context) => {
    context.font = '16px "Noto Sans"';
    for (const [x, title] of [
      [20, 'Network'],
      [250, 'Printers'],
    ] as const) {
      context.fillStyle = '#d5dbe4';
      context.fillRect(x, 20, 200, 150);
      context.fillStyle = '#202428';
      context.fillText(title, x + 20, 50);
      context.fillText('Remove', x + 80, 140);
    }
  });
  const desk = new Desk({ paint: panel });
  const page = await pageOf(desk);
  base(await page.getByText('Remove').count()).toBe(2);
  await page.getByText('Printers').getByText('Remove').click();
  base(press(desk).x).toBeGreaterThan(300);
  await expect(page.getByText('Network').getByText('Printers')).toBeHidden();
  await expect(page.getByText('Network').getByText('Remove')).toHaveCount(1);
});

test('SE16: textContent is the whole line, and waits; allTextContents are those of now', async () => {
  const desk = new Desk({ labels: [] });
  const page = await pageOf(desk);
  const version = page.getByText(/Version \d+/).textContent({ timeout: 20_000 });
  base(await page.getByText(/Version \d+/).allTextContents()).toEqual([]);
  desk.show([{ text: 'Harbor Version 42 beta', x: 40, y: 60 }]);
  base(await version).toBe('Harbor Version 42 beta');
});

test('SE16: toHaveText is the whole element, toContainText a part; lists are one each, in order', async () => {
  const page = await pageOf(
    new Desk({
      labels: [
        { text: '15 errors in main', x: 40, y: 60 },
        { text: '2 errors in tests', x: 40, y: 120 },
      ],
    }),
  );
  const one = page.getByText('in main');
  await expect(one).toHaveText('15 errors in main');
  await expect(one).toContainText('15 errors');
  await expect(one).not.toHaveText('15 errors');
  await expect(one).not.toContainText('5 errors in main');
  await expect(one).toHaveText(/^\d+ errors/);
  const all = page.getByText('errors');
  await expect(all).toHaveText(['15 errors in main', '2 errors in tests']);
  await expect(all).toContainText(['main', 'tests']);
  await expect(all).not.toContainText(['tests', 'main']);
  await expect(all).not.toHaveText(['15 errors in main']);
  await base(expect(one).toHaveText('16 errors in main', { timeout: 300 })).rejects.toThrow(
    /toHaveText[^]*Expected: .*"16 errors in main"[^]*Received: .*"15 errors in main"/,
  );
  const gone = page.getByText('in docs');
  await base(
    expect(gone).not.toHaveText('15 errors', { timeout: 300 }),
    'nothing is no other text',
  ).rejects.toThrow(/no such place/);
});

test('SE16: a field of several lines has the text of them all', async () => {
  const notes = over((context) => {
    context.fillStyle = '#ffffff';
    context.fillRect(40, 60, 260, 110);
    context.fillStyle = '#202428';
    context.font = '16px "Noto Sans"';
    context.fillText('Notes', 40, 50);
    context.fillText('Restart the router.', 50, 90);
    context.fillText('Then call Bob.', 50, 140);
  });
  const page = await pageOf(new Desk({ paint: notes }));
  const field = page.getByLabel('Notes');
  base(await field.textContent()).toBe('Restart the router.\nThen call Bob.');
  await expect(field).toContainText('Then call Bob');
  await expect(field).toHaveText(/the router/);
  await expect(field).not.toHaveText('Then call Bob.');
  await expect(field).not.toHaveText('Restart the router.');
});

test('SE16: toBeVisible and toBeHidden wait for it; several places are not one', async () => {
  const desk = new Desk({ labels: [{ text: 'Loading', x: 40, y: 60 }] });
  const page = await pageOf(desk);
  const gone = expect(page.getByText('Loading')).toBeHidden({ timeout: 20_000 });
  const there = expect(page.getByText('Welcome')).toBeVisible({ timeout: 20_000 });
  desk.show([{ text: 'Welcome', x: 40, y: 60 }]);
  await gone;
  await there;
  await expect(page.getByText('Welcome')).not.toBeHidden();
  await expect(page.getByText('Loading')).not.toBeVisible();
  await base(expect(page.getByText('Loading')).toBeVisible({ timeout: 300 })).rejects.toThrow(
    /no such place/,
  );
  await base(expect(page.getByText('Welcome')).toBeHidden({ timeout: 300 })).rejects.toThrow(
    /Received: .*"Welcome" \d+x\d+ at/,
  );
  desk.show(FILES);
  await base(expect(page.getByText('Delete')).toBeVisible({ timeout: 1500 })).rejects.toThrow(
    /one place[^]*"Delete" [^]*; "Delete" [^]*; "Delete"[^]*Timeout: {2}1500ms\n\nCall log:\n[^]*- \d+\.\d\d s: "Delete" /,
  );
  await base(expect(page.getByText('Delete')).toHaveCount(2, { timeout: 300 })).rejects.toThrow(
    /Expected: .*2 places/,
  );
});

test('SE16: press clicks and presses, clear empties, dragTo drags from one to the other', async () => {
  const desk = new Desk({ labels: [{ text: 'Email', x: FIELD.x, y: FIELD.y - 12 }, ...FILES.slice(0, 2)] });
  const page = await pageOf(desk);
  const email = page.getByLabel('Email');
  await email.fill('alice');
  await desk.receivesAll(page);
  base(desk.typed().text).toBe('alice');
  await email.clear();
  await desk.receivesAll(page);
  base(desk.typed()).toEqual({ text: '', attempt: 2 });
  await email.press('x');
  await desk.receivesAll(page);
  base(desk.typed().text).toBe('x');
  const before = strokes(desk).length;
  await base(email.press('Entr')).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
  await desk.receivesAll(page);
  base(strokes(desk), 'nothing is clicked for a key that there is not').toHaveLength(before);
  await page.getByText('report.pdf').dragTo(page.getByText('Delete'));
  await desk.receivesAll(page);
  const drag = strokes(desk).slice(before);
  const down = drag.filter(({ buttons }) => buttons === 1);
  const [from, to] = await Promise.all([
    page.getByText('report.pdf').boundingBox(),
    page.getByText('Delete').boundingBox(),
  ]);
  base(down[0]!.x).toBe(from.x + Math.floor(from.width / 2));
  base(down.at(-1)!.x).toBe(to.x + Math.floor(to.width / 2));
  base(drag.at(-1)!.buttons).toBe(0);
});

test('SE16: getByLabel is the field by its frame; an error says whether the label or the frame is missing', async () => {
  const desk = new Desk({ labels: [{ text: 'Email', x: FIELD.x, y: FIELD.y - 12 }] });
  const page = await pageOf(desk);
  base(await page.getByLabel('Email').boundingBox()).toEqual(FIELD);
  await page.getByLabel('Email').fill('bob@example.test', { verifyInput: true });
  await expect(page.getByLabel('Email')).toHaveText('bob@example.test');
  await base(page.getByLabel('Phone').click({ timeout: 300 })).rejects.toThrow(/did not appear[^]*"Email"/);
  desk.show([{ text: 'Remark', x: 40, y: 60 }]);
  await base(page.getByLabel('Remark').click({ timeout: 300 })).rejects.toThrow(
    /the label is there, and no field was seen[^]*a frame right of the label or below it/,
  );
});

test('SE16: a matcher on the wrong kind of object names what it takes', async () => {
  const page = await pageOf(new Desk({ labels: FILES }));
  const misuse = (run: () => Promise<unknown>): Promise<unknown> => (async () => run())();
  const screen = page as unknown as ReturnType<TestPage['getByText']>;
  const locator = page.getByText('report.pdf') as unknown as TestPage;
  await base(misuse(() => expect(screen).toBeVisible())).rejects.toThrow(
    /MATCHER_MISUSED[^]*a locator of vncPage\.getByText[^]*toShowText/,
  );
  await base(misuse(() => expect(screen).not.toBeVisible())).rejects.toThrow(/MATCHER_MISUSED/);
  await base(misuse(() => expect(locator).toShowText('x'))).rejects.toThrow(
    /expected: vncPage[^]*text "report.pdf"[^]*toBeVisible/,
  );
  await base(misuse(() => expect(locator).not.toShowText('x'))).rejects.toThrow(/MATCHER_MISUSED/);
  const described = page.getByDescription('the bin') as unknown as ReturnType<TestPage['getByText']>;
  await base(misuse(() => expect(described).toBeVisible())).rejects.toThrow(/toShow\(/);
  await base(misuse(() => expect('text' as unknown as TestPage).toShowText('x'))).rejects.toThrow(
    /seen: +text[^]*expect\(vncPage\)\.toShowText/,
  );
});

test('SE21: several places on a screen where nothing moves fail at once', async () => {
  const page = await pageOf(new Desk({ labels: FILES }));
  const start = performance.now();
  const failure = await page
    .getByText('Delete')
    .click({ timeout: 60_000 })
    .catch((error: unknown) => error);
  base(failure).toMatchObject({ code: 'TEXT_AMBIGUOUS' });
  base(String(failure)).toMatch(/3 times[^]*first\(\), nth\(\), filter/);
  base(performance.now() - start, 'not the time-out').toBeLessThan(30_000);
  const exact = await page
    .getByText('Delete', { exact: true })
    .click()
    .catch((error: unknown) => error);
  base(String(exact), 'what is set already is not advised').not.toContain('{ exact');
});
