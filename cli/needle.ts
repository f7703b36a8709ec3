/**
 * `vmwright needle`: crops a needle for `getByImage` from a saved screen, or from a machine's live one.
 *
 * @module
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import sharp from 'sharp';
import type { Machine } from '../fixtures/config/index.ts';
import { VmwrightError } from '../fixtures/errors.ts';
import { crop, decodeImage, describe, type Frame, intersect, type Rect } from '../fixtures/image/frame.ts';
import { findNeedle, needleFrom } from '../fixtures/vision/index.ts';
import { Ending } from './ending.ts';
import { loadModule } from './load-module.ts';
import { lookAt } from './look.ts';
import type { Streams } from './ocr.ts';
import { collected } from './repeats.ts';
import { ensureMachine } from './stand-in.ts';
import { tell } from '../fixtures/secrets/index.ts';

export interface NeedleCommandOptions {
  /** What to crop, in pixels of the screen: `X,Y,WxH`. */
  readonly at: string;
  /** The PNG to write. */
  readonly out: string;
  /** Parts that may look otherwise, in pixels of the screen; they become transparent. */
  readonly exclude?: readonly string[];
  /** Crop from this machine's screen as it is now. */
  readonly machine?: string;
  /** The file with the machines. */
  readonly matrix?: string;
}

export function addNeedle(program: Command): void {
  program
    .command('needle')
    .description('crop a picture for getByImage from a saved or a live screen')
    .argument('[file]', 'the screen: PNG, JPEG or WebP')
    .requiredOption('--at <X,Y,WxH>', 'what to crop, in pixels of the screen')
    .requiredOption('--out <file>', 'the PNG to write: needles/<name>.png beside the spec')
    .option('--exclude <X,Y,WxH>', 'a part that may look otherwise, in pixels of the screen', collected)
    .option('--machine <name>', "crop from this machine's screen as it is now")
    .option('--matrix <file>', 'file with the machines', 'vm-matrix.ts')
    .action(async (file: string | undefined, options: NeedleCommandOptions) => {
      await cropNeedle(file, options);
    });
}

/**
 * Writes the needle and says how often it is on its own screen.
 *
 * @throws `NEEDLE_UNUSABLE`, `CLIP_OUTSIDE_SCREEN`, `IMAGE_UNREADABLE`, `FILE_UNREADABLE`, `NEEDLE_OPTION_INVALID`
 */
export async function cropNeedle(
  file: string | undefined,
  options: NeedleCommandOptions,
  streams: Streams = process,
): Promise<void> {
  const rect = rectOf('--at', options.at);
  const excluded = (options.exclude ?? []).map((text) => rectOf('--exclude', text));
  await saveNeedle(await screenOf(file, options, streams), rect, excluded, options.out, streams);
}

/** As {@link cropNeedle}, of a picture that is there. @param excluded parts of it that become transparent */
export async function saveNeedle(
  screen: Frame,
  rect: Rect,
  excluded: readonly Rect[],
  out: string,
  streams: Streams,
): Promise<void> {
  const picture = crop(screen, rect);
  for (const part of excluded) makeTransparent(picture, rect, part);
  const needle = needleFrom(picture, basename(out));
  await mkdir(dirname(resolve(out)), { recursive: true });
  const raw = { width: picture.width, height: picture.height, channels: 4 as const };
  await writeFile(out, await sharp(picture.data, { raw }).png().toBuffer());
  tell(streams.stdout, `${out}: ${describe(rect)}\n`);
  const places = findNeedle(screen, needle, { scales: [1] });
  if (places.length > 1)
    tell(
      streams.stderr,
      `it is on this screen ${places.length} times, so getByImage needs { nth } or { clip }: ` +
        `${places.map(({ box }) => describe(box)).join('; ')}\n`,
    );
}

async function screenOf(
  file: string | undefined,
  options: NeedleCommandOptions,
  { stderr }: Streams,
): Promise<Frame> {
  if ((file === undefined) === (options.machine === undefined))
    throw unusable('the screen', 'a picture file, or --machine, and not both', file ?? 'neither');
  if (options.machine !== undefined)
    return liveScreen(options.machine, options.matrix ?? 'vm-matrix.ts', (line) => tell(stderr, `${line}\n`));
  const path = file ?? '';
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new VmwrightError({
      code: 'FILE_UNREADABLE',
      subject: path,
      message: 'the file cannot be read',
      expected: 'a PNG, JPEG or WebP image',
      seen: cause instanceof Error ? cause.message : String(cause),
      next: 'name another file',
      cause,
    });
  });
  return decodeImage(bytes, path);
}

async function liveScreen(name: string, matrix: string, progress: (line: string) => unknown): Promise<Frame> {
  const { default: machines } = (await loadModule(resolve(matrix))) as {
    default: readonly Machine[];
  };
  const machine = machines.find((one) => one.name === name);
  if (machine === undefined) throw unusable('--machine', machines.map((one) => one.name).join(', '), name);
  await using ending = new Ending();
  return await lookAt(machine, await ensureMachine(machine, ending, progress));
}

function rectOf(option: string, text: string): Rect {
  const [, x, y, width, height] = /^(\d+),(\d+),(\d+)x(\d+)$/.exec(text) ?? [];
  if (height === undefined) throw unusable(option, 'X,Y,WxH in whole pixels, such as 100,80,120x32', text);
  return { x: Number(x), y: Number(y), width: Number(width), height: Number(height) };
}

/** `part` is on the screen, the picture is what was cropped at `rect`. */
function makeTransparent(picture: Frame, rect: Rect, part: Rect): void {
  const inside = intersect(part, rect);
  if (inside === undefined) throw unusable('--exclude', `a part of ${describe(rect)}`, describe(part));
  for (let y = inside.y - rect.y; y < inside.y - rect.y + inside.height; y++) {
    const start = y * picture.width + inside.x - rect.x;
    for (let at = start; at < start + inside.width; at++) picture.data[at * 4 + 3] = 0;
  }
}

function unusable(subject: string, expected: string, seen: string): VmwrightError {
  return new VmwrightError({
    code: 'NEEDLE_OPTION_INVALID',
    subject: `vmwright needle, ${subject}`,
    message: 'the value cannot be used',
    expected,
    seen,
    next: 'correct the command',
  });
}
