import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { Secret } from '../../fixtures/secrets/index.ts';
import { decodeImage, type Frame } from '../../fixtures/image/frame.ts';
import { Recorder, type RecorderOptions } from '../../fixtures/recording/recorder.ts';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { TestClock } from '../vnc/support/clock.ts';
import {
  BLACK,
  type Colour,
  GREEN,
  pixel,
  RED,
  rawRect,
  ScriptedServer,
  update,
} from '../vnc/support/server.ts';

const GREY: Colour = [128, 128, 128];
const BIG = { width: 320, height: 240 };

interface FilmFrame {
  readonly width: number;
  readonly height: number;
  readonly at: number;
  readonly whole: boolean;
  readonly patches: readonly { readonly x: number; readonly y: number; readonly png: string }[];
}

interface Stage {
  readonly server: ScriptedServer;
  readonly page: VncPage;
  readonly clock: TestClock;
  readonly recorder: Recorder;
}

async function stage(folder: string, options: Partial<RecorderOptions> = {}): Promise<Stage> {
  const clock = new TestClock();
  const server = new ScriptedServer(BIG);
  const page = await clock.until(
    VncPage.connect({ open: server.open, name: 'fedora42', clock, wake: false }),
  );
  const recorder = new Recorder(page, {
    folder,
    title: 'a test',
    steps: undefined,
    mask: [],
    timeoutScale: 1,
    clock,
    wall: () => 1_700_000_000_000 + clock.now(),
    ...options,
  });
  const on = { server, page, clock, recorder };
  await untilKept(on, 1);
  return on;
}

/** Lets time pass until so many pictures are kept: encoding them takes real time. */
async function untilKept({ recorder, clock }: Stage, count: number): Promise<void> {
  while (recorder.keptFrames < count) await clock.advance(100);
}

/** Paints a rectangle; the page has heard of it when this resolves. */
async function send(
  { server, page }: Stage,
  x: number,
  y: number,
  width: number,
  height: number,
  colour: Colour,
) {
  const heard = new Promise<void>((resolve) => {
    const stop = page.onDirty(() => {
      stop();
      resolve();
    });
  });
  server.send(update(rawRect({ x, y, width, height }, colour)));
  await heard;
}

/** Paints a rectangle and waits until it is recorded. */
async function paint(on: Stage, x: number, y: number, width: number, height: number, colour: Colour) {
  const before = on.recorder.keptFrames;
  await send(on, x, y, width, height, colour);
  await untilKept(on, before + 1);
}

/** Every frame of a film, put together from its patches. */
async function playFilm(path: string): Promise<{ frames: FilmFrame[]; pictures: Frame[] }> {
  const html = readFileSync(path, 'utf8');
  const data = /<script type="application\/json" id="frames-data">([^<]*)<\/script>/.exec(html)?.[1];
  const frames = JSON.parse(data ?? '') as FilmFrame[];
  const pictures: Frame[] = [];
  for (const { width, height, patches, whole } of frames) {
    const before = pictures.at(-1);
    const picture = { width, height, data: new Uint8Array(width * height * 4) };
    if (before !== undefined && !whole) picture.data.set(before.data);
    for (const { x, y, png } of patches) {
      const part = await decodeImage(Buffer.from(png, 'base64'), 'patch');
      for (let row = 0; row < part.height; row++) {
        const line = part.data.subarray(row * part.width * 4, (row + 1) * part.width * 4);
        picture.data.set(line, ((y + row) * width + x) * 4);
      }
    }
    pictures.push(picture);
  }
  return { frames, pictures };
}

async function finish({ recorder, page, clock }: Stage) {
  const { files, manifest } = await clock.until(recorder.finish(['film']));
  await page.close();
  const film = await playFilm(files.find(({ name }) => name === 'film')!.path);
  return { manifest, ...film };
}

test('the film has each change once, pixel for pixel, with its time; nothing is asked of the machine', async ({}, info) => {
  const on = await stage(info.outputPath('film'));
  const fullRequests = () =>
    on.server.log.filter(
      // One pixel is the page's own keep-alive.
      (message) => message.type === 'request' && !message.incremental && message.rect.width > 1,
    );
  const asked = fullRequests().length;
  const inputs = on.server.log.filter(({ type }) => type === 'pointer' || type === 'key').length;
  await paint(on, 10, 10, 20, 5, RED);
  on.server.send(update(rawRect({ x: 10, y: 10, width: 20, height: 5 }, RED)));
  await on.clock.advance(300);
  await paint(on, 200, 100, 1, 1, GREEN);
  await on.clock.advance(5000);
  expect(fullRequests()).toHaveLength(asked);
  expect(on.server.log.filter(({ type }) => type === 'pointer' || type === 'key')).toHaveLength(inputs);
  const { manifest, frames, pictures } = await finish(on);
  expect(manifest).toMatchObject({ rawFrames: 3, keptFrames: 3, droppedFrames: 0, notes: [] });
  expect(frames.map(({ patches }) => patches.length)).toEqual([1, 1, 1]);
  expect(pixel(pictures[0]!, 12, 12)).toEqual(BLACK);
  expect(pixel(pictures[1]!, 12, 12)).toEqual(RED);
  expect(pixel(pictures[1]!, 200, 100)).toEqual(BLACK);
  expect(pixel(pictures[2]!, 200, 100)).toEqual(GREEN);
  expect(frames[2]!.at - frames[1]!.at).toBeGreaterThanOrEqual(300);
});

test('the pointer is in the film though the server does not paint it', async ({}, info) => {
  const on = await stage(info.outputPath('film'));
  await on.clock.until(on.page.mouse.move(100, 50));
  await untilKept(on, 2);
  await on.clock.until(on.page.mouse.move(101, 50));
  await untilKept(on, 3);
  const { frames } = await finish(on);
  const pointers = frames.map((frame) => (frame as { pointer?: unknown }).pointer);
  expect(pointers.at(-2)).toEqual({ x: 100, y: 50, buttons: 0 });
  expect(pointers.at(-1)).toEqual({ x: 101, y: 50, buttons: 0 });
});

test('what changes while a secret is typed is blank to the end, and nothing else is', async ({}, info) => {
  const on = await stage(info.outputPath('film'));
  await paint(on, 0, 200, 40, 10, GREEN);
  const typing = on.page.keyboard.type(new Secret('APP_PASSWORD', 'correct horse'), { delay: 100 });
  await on.clock.advance(300);
  await send(on, 50, 50, 60, 12, RED);
  await on.clock.until(typing);
  await send(on, 110, 50, 20, 12, RED); // the guest echoes the last keys late
  await on.clock.advance(3000);
  await paint(on, 0, 0, 320, 240, GREEN); // the next window
  const { pictures } = await finish(on);
  expect(pictures.length).toBeGreaterThanOrEqual(3);
  for (const picture of pictures) {
    expect(pixel(picture, 60, 55)).not.toEqual(RED);
    expect(pixel(picture, 120, 55)).not.toEqual(RED);
  }
  const last = pictures.at(-1)!;
  expect(pixel(last, 60, 55)).toEqual(GREY);
  expect(pixel(last, 120, 55)).toEqual(GREY);
  expect(pixel(last, 40, 55)).toEqual(GREEN);
  expect(pixel(last, 60, 70)).toEqual(GREEN);
});

test('a window that opens right after a secret was typed is shown', async ({}, info) => {
  const on = await stage(info.outputPath('film'));
  await on.clock.until(on.page.keyboard.type(new Secret('APP_PASSWORD', 'correct horse')));
  await on.clock.advance(100);
  await paint(on, 0, 0, 320, 240, GREEN);
  const { pictures } = await finish(on);
  expect(pixel(pictures.at(-1)!, 60, 55)).toEqual(GREEN);
});

test('a secret typed as plain text is blanked too; ordinary text is not', async ({}, info) => {
  new Secret('OTHER_PASSWORD', 'plain-but-secret');
  const on = await stage(info.outputPath('film'));
  const ordinary = on.page.keyboard.type('alice', { delay: 100 });
  await on.clock.advance(200);
  await paint(on, 10, 10, 30, 10, GREEN);
  await on.clock.until(ordinary);
  const secret = on.page.keyboard.type('plain-but-secret', { delay: 100 });
  await on.clock.advance(200);
  await send(on, 10, 100, 30, 10, RED);
  await on.clock.until(secret);
  const { pictures } = await finish(on);
  const ordinaryText = pictures.map((picture) => pixel(picture, 15, 15));
  expect(ordinaryText).toContainEqual(GREEN);
  expect(ordinaryText).not.toContainEqual(GREY);
  expect(pixel(pictures.at(-1)!, 15, 105)).toEqual(GREY);
});

test('an area that is marked is never recorded', async ({}, info) => {
  const mask = [{ x: 100, y: 100, width: 50, height: 20 }];
  const on = await stage(info.outputPath('film'), { mask });
  await paint(on, 90, 90, 100, 60, RED);
  const { pictures } = await finish(on);
  for (const picture of pictures) expect(pixel(picture, 120, 110)).toEqual(GREY);
  expect(pixel(pictures.at(-1)!, 95, 95)).toEqual(RED);
  expect(pixel(pictures.at(-1)!, 150, 110)).toEqual(RED);
});

test('a recording that is too long loses its beginning, plays all the same, and says so', async ({}, info) => {
  const on = await stage(info.outputPath('film'), { limits: { frames: 100, bytes: 1 << 20 } });
  for (let n = 0; n < 140; n++) await paint(on, n, 5, 1, 8, RED);
  const { manifest, frames, pictures } = await finish(on);
  expect(manifest.droppedFrames).toBe(50);
  expect(manifest.keptFrames - manifest.droppedFrames).toBe(frames.length);
  expect(frames.length).toBeLessThanOrEqual(100);
  expect(manifest.notes).toEqual([expect.stringContaining('the first 50 of')]);
  expect(Date.parse(manifest.from)).toBe(frames[0]!.at);
  expect(frames[0]!.whole).toBe(true);
  expect(pixel(pictures.at(-1)!, 0, 6)).toEqual(RED);
  expect(pixel(pictures.at(-1)!, 139, 6)).toEqual(RED);
  expect(pixel(pictures[0]!, 139, 6)).toEqual(BLACK);
});

test('a recording that is not wanted leaves nothing', async ({}, info) => {
  const folder = info.outputPath('film');
  const on = await stage(folder);
  await paint(on, 10, 10, 20, 5, RED);
  expect(existsSync(folder) && readdirSync(folder)).toEqual(['.fedora42-frames']);
  await on.clock.until(on.recorder.discard());
  await on.page.close();
  expect(readdirSync(folder)).toEqual([]);
});

test('the last picture is that at the end, however short before it something changed', async ({}, info) => {
  const on = await stage(info.outputPath('film'));
  await send(on, 5, 5, 3, 3, RED);
  const { pictures } = await finish(on);
  expect(pixel(pictures.at(-1)!, 6, 6)).toEqual(RED);
});
