/**
 * A secret that was typed is in no attached picture and in none that a model gets; nothing else is taken away.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestInfo } from '@playwright/test';
import { Secret } from '../../fixtures/secrets/index.ts';
import { expect } from '../../fixtures/expect.ts';
import {
  crop,
  decodeImage,
  encodePng,
  type Frame,
  intersect,
  type Rect,
} from '../../fixtures/image/frame.ts';
import { type TestPage, withEyes } from '../../fixtures/page/test-page.ts';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { startLab } from '../../lab/index.ts';
import { Desk, type DeskOptions, FIELD } from '../page/support/desk.ts';
import { runOnLab } from '../support/lab-project.ts';
import { test, vmwrightError } from '../vlm/support/fixtures.ts';
import { answer } from '../vlm/support/provider.ts';
import { draw, type Label } from './support/screen.ts';

const FORM: readonly Label[] = [
  { text: 'Sign in to Harbor', x: 40, y: 60, size: 22 },
  { text: 'Password', x: 40, y: 180 },
];
const secret = new Secret('APP_PASSWORD', 'hunter2-plain-to-see');
/** Where the field's text is, whatever it says. */
const TEXT: Rect = { x: FIELD.x + 10, y: FIELD.y + 10, width: 120, height: 14 };

interface Stage {
  readonly desk: Desk;
  readonly page: TestPage;
}

/** A desk on whose field something was typed, and whose answer to that has arrived. */
async function typedInto(
  open: (page: VncPage) => TestPage,
  text: string | Secret,
  options: DeskOptions = {},
): Promise<Stage> {
  const desk = new Desk({ labels: FORM, ...options });
  // The scale leaves a busy machine time to send the echo.
  const connected = await VncPage.connect({
    open: desk.server.open,
    name: 'fedora42',
    wake: false,
    timeoutScale: 20,
  });
  const page = open(connected);
  await page.keyboard.type(text);
  await expect.poll(() => desk.typed().text.length).toBe(Array.from(textOf(text)).length);
  await show({ desk, page }, FORM);
  return { desk, page };
}

function textOf(text: string | Secret): string {
  return typeof text === 'string' ? text : text.reveal();
}

/** Sends the picture as it is now; the page has heard of it when this resolves. */
async function show({ desk, page }: Stage, labels: readonly Label[]): Promise<void> {
  const heard = new Promise<void>((resolve) => {
    const stop = page.onDirty(() => {
      stop();
      resolve();
    });
  });
  desk.show(labels);
  await heard;
}

async function attached(info: TestInfo, name: string): Promise<Frame> {
  const found = info.attachments.findLast((each) => each.name === name);
  return decodeImage(found?.body ?? Buffer.alloc(0), name);
}

/** Black where the areas are, and `picture` itself everywhere else; within `also` either. */
function expectHidden(
  shown: Frame,
  picture: Frame,
  areas: readonly Rect[],
  also: Rect = { x: 0, y: 0, width: 0, height: 0 },
): void {
  expect(areas.length).toBeGreaterThan(0);
  const holds = (area: Rect, at: number): boolean => {
    const [x, y] = [at % picture.width, Math.floor(at / picture.width)];
    return intersect(area, { x, y, width: 1, height: 1 }) !== undefined;
  };
  let [black, other, changed] = [0, 0, 0];
  for (let at = 0; at < picture.width * picture.height; at++) {
    const pixel = [...shown.data.subarray(at * 4, at * 4 + 3)];
    const isBlack = pixel.every((value) => value === 0);
    const isSame = pixel.every((value, channel) => value === picture.data[at * 4 + channel]);
    if (areas.some((area) => holds(area, at))) {
      if (isBlack) black++;
      else other++;
    } else if (!isSame && !(isBlack && holds(also, at))) changed++;
  }
  expect({ other, changed }).toEqual({ other: 0, changed: 0 });
  expect(black).toBeGreaterThan(500);
}

function areaOf(rects: readonly Rect[]): number {
  return rects.reduce((sum, { width, height }) => sum + width * height, 0);
}

test('toShowText: the attached picture hides what was typed, and the error does not quote it, however OCR read it', async ({}, info) => {
  const on = await typedInto((page) => withEyes(page), secret);
  const failure = expect(on.page).toShowText('Signed in', { timeout: 100 });
  const message = await failure.then(
    () => '',
    (error: unknown) => (error as Error).message,
  );
  expect(message).toContain('"(a secret)"');
  expect(message).toMatch(/Sign ?in ?to ?Harbor/);
  expect(message).not.toMatch(/hunter|plain/i);
  const areas = on.page.secretsOn(on.desk.picture());
  expectHidden(await attached(info, 'fedora42-screen.png'), on.desk.picture(), areas, FIELD);
  for (const area of areas) expect(intersect(area, FIELD)).toEqual(area);
  const clip = { x: 30, y: 190, width: 200, height: 60 };
  const clipped = expect(on.page).toShowText('Signed in', { timeout: 100, clip });
  await expect(clipped).rejects.toThrow('"(a secret)"');
  const part = crop(on.desk.picture(), clip);
  expectHidden(await attached(info, 'fedora42-screen.png'), part, on.page.secretsOn(part, clip), {
    ...FIELD,
    x: FIELD.x - clip.x,
    y: FIELD.y - clip.y,
  });
  const error = await vmwrightError(on.page.getByText('Signed in').click({ timeout: 100 }));
  expect(error.message + String(error.seen)).not.toMatch(/hunter|plain/i);
  await on.page.close();
});

test('what was typed as ordinary text is shown', async ({}, info) => {
  const on = await typedInto((page) => withEyes(page), 'nothing secret');
  await expect(expect(on.page).toShowText('Signed in', { timeout: 100 })).rejects.toThrow(/nothing ?secret/);
  const shown = await attached(info, 'fedora42-screen.png');
  expect(Buffer.compare(shown.data, on.desk.picture().data)).toBe(0);
  expect(on.page.secretsOn(on.desk.picture())).toEqual([]);
  await on.page.close();
});

test('a model and the report get the picture without what was typed; bullets too', async ({
  asker,
  provider,
}, info) => {
  // Bullets are read as a row of o, which is a part of this one: of the field more is hidden then, and nothing else.
  new Secret('PROXMOX_TOKEN_SECRET', '0a1b2c3d-0000-4000-8000-00000000beef');
  const bullets = (typed: string): string => '•'.repeat(typed.length);
  provider.act = answer('pass', [{ quote: 'Sign in to Harbor', box: [38, 38, 230, 66] }]);
  const on = await typedInto((page) => withEyes(page, asker()), secret, { shows: bullets });
  await expect(on.page).toShow('a form to sign in');
  const areas = on.page.secretsOn(on.desk.picture());
  const [call] = provider.calls;
  expectHidden(await decodeImage(call?.image ?? Buffer.alloc(0), 'sent'), on.desk.picture(), areas, FIELD);
  expectHidden(await attached(info, 'fedora42-claim.png'), on.desk.picture(), areas, FIELD);
  await on.page
    .getByDescription('the password field')
    .boundingBox({ timeout: 1000 })
    .catch(() => undefined);
  expect(provider.calls.at(-1)).toMatchObject({ kind: 'place', pixels: call?.pixels });
  await on.page.close();
});

test('text and needles are judged by what is there, hidden or not: nothing behind an area counts as absent', async ({}, info) => {
  const on = await typedInto((page) => withEyes(page), secret);
  await mkdir(info.outputDir, { recursive: true });
  const needle = info.outputPath('field.png');
  await writeFile(needle, await encodePng(crop(on.desk.picture(), { ...TEXT, x: FIELD.x + 4 })));
  await expect(on.page).toShow(`the image "${needle}" is shown`);
  await expect(expect(on.page).toShow(`the image "${needle}" is not shown`, { timeout: 50 })).rejects.toThrow(
    'fail by needle',
  );
  expectHidden(
    await attached(info, 'fedora42-claim.png'),
    on.desk.picture(),
    on.page.secretsOn(on.desk.picture()),
    FIELD,
  );
  await on.page.close();
});

test('an area is hidden while its text stands there in whatever look, and given back when it is gone', async () => {
  const on = await typedInto((page) => withEyes(page), secret);
  const typed = on.desk.picture();
  const [area] = on.page.secretsOn(typed);
  const hides = (picture: Frame): boolean => areaOf(on.page.secretsOn(picture)) > 0;
  const drawn = (
    text: string,
    colour = '#ffffff',
    more: readonly (Rect & { colour: string })[] = [],
  ): Frame =>
    draw(
      { width: typed.width, height: typed.height },
      [...FORM, { text, x: FIELD.x + 10, y: FIELD.y + 24 }],
      [{ ...FIELD, colour }, ...more],
    );
  const value = secret.reveal();
  expect(area).toBeDefined();
  expect(hides(drawn(value))).toBe(true);
  expect(hides(drawn(value, '#c8ccd0')), 'without the focus').toBe(true);
  const selection = { ...FIELD, x: FIELD.x + 60, width: 60, colour: '#9cc3f0' };
  expect(hides(drawn(value, '#ffffff', [selection])), 'selected in part').toBe(true);
  const caret = { x: FIELD.x + 100, y: FIELD.y + 8, width: 1, height: 20, colour: '#202428' };
  expect(hides(drawn(value, '#ffffff', [caret])), 'with a caret').toBe(true);
  expect(hides(drawn('')), 'emptied').toBe(false);
  expect(hides(drawn('Wrong name, try again')), 'an error in its place').toBe(false);
  expect(hides(draw({ width: typed.width, height: typed.height }, FORM)), 'no field').toBe(false);
  await show(on, [...FORM, { text: 'Wrong', x: 300, y: 100 }]);
  expect(hides(on.page.latest()), 'something else changed').toBe(true);
  await on.page.close();
});

test('an answer that was kept about a hidden area is none about what stands there later', async ({
  asker,
  provider,
}) => {
  const stage = { gone: false };
  const failed: readonly Label[] = [
    ...FORM,
    { text: 'Wrong name, try again', x: FIELD.x + 10, y: FIELD.y + 24 },
  ];
  const paint = (picture: Frame): Frame =>
    stage.gone ? draw({ width: picture.width, height: picture.height }, failed) : picture;
  const on = await typedInto((page) => withEyes(page, asker({ VLM_CACHE: '1' })), secret, { paint });
  provider.act = answer('pass', [{ quote: 'Sign in to Harbor', box: [38, 38, 230, 66] }]);
  await expect(on.page).toShow('a form without any complaint');
  await expect(on.page).toShow('a form without any complaint');
  expect(provider.calls).toHaveLength(1);
  await on.page.keyboard.press('Enter');
  stage.gone = true;
  provider.act = answer('fail');
  await expect(expect(on.page).toShow('a form without any complaint', { timeout: 100 })).rejects.toThrow(
    'fail by model',
  );
  const last = provider.calls.at(-1);
  expect(last?.pixels).not.toBe(provider.calls[0]?.pixels);
  const sent = await decodeImage(last?.image ?? Buffer.alloc(0), 'sent');
  expect(Buffer.compare(sent.data, on.desk.picture().data)).toBe(0);
  await on.page.close();
});

test('through the runner: last screen and failed comparison hide it, a log-in that went on hides nothing', async ({}, info) => {
  test.setTimeout(240_000);
  const lab = await startLab({ guests: ['fedora42'] });
  const folder = info.outputPath('p');
  try {
    const run = await runOnLab(lab, folder, {
      args: ['--update-snapshots=none'],
      env: { VLM_BASE_URL: undefined, VLM_MODEL: undefined },
      spec: `
        test('fails', async ({ app, vncPage }) => {
          await app.launch({ showing: HARBOR.login });
          await vncPage.getByText('Password').fill(secret('HARBOR_PASSWORD'), { verifyInput: true });
          const [area] = vncPage.secretsOn(await vncPage.frame());
          console.log('AREA', JSON.stringify(area));
          await expect.soft(vncPage).toHaveScreenshot('none.png', { timeout: 100 });
          expect(1).toBe(2);
        });
        test('passes', async ({ app, vncPage }) => {
          await app.launch({ showing: HARBOR.login });
          await logIn(vncPage);
          console.log('LEFT', JSON.stringify(vncPage.secretsOn(await vncPage.frame())));
        });`,
    });
    expect(run.output).toContain('LEFT []');
    expect(run.output).toContain('1 passed');
    const area = JSON.parse(/AREA (.*)/.exec(run.output)?.[1] ?? 'null') as Rect;
    const files = await readdir(join(folder, 'test-results'), { recursive: true });
    for (const name of ['fedora42-last-screen.png', '-actual.png']) {
      const file = files.find((each) => each.endsWith(name)) ?? name;
      const picture = await decodeImage(await readFile(join(folder, 'test-results', file)), name);
      expect(
        crop(picture, area).data.every((value, at) => value === (at % 4 === 3 ? 255 : 0)),
        name,
      ).toBe(true);
      const above = crop(picture, { ...area, y: area.y - 40 });
      expect(
        above.data.some((value, at) => at % 4 !== 3 && value !== 0),
        name,
      ).toBe(true);
    }
  } finally {
    await lab.stop();
  }
});
