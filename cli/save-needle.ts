/**
 * A part of a screen as a picture for `getByImage`.
 *
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import sharp from 'sharp';
import { VmwrightError } from '../fixtures/errors.ts';
import { crop, describe, type Frame, intersect, type Rect } from '../fixtures/image/frame.ts';
import { tell } from '../fixtures/secrets/index.ts';
import { findNeedle, needleFrom } from '../fixtures/vision/index.ts';
import type { Streams } from './ocr.ts';

/**
 * Writes a part of a screen, and says how often it is there.
 *
 * @param excluded parts of the screen that become transparent
 * @throws `NEEDLE_UNUSABLE`, `CLIP_OUTSIDE_SCREEN`, `NEEDLE_OPTION_INVALID`
 */
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

/** `part` is on the screen, the picture is what was cropped at `rect`. */
function makeTransparent(picture: Frame, rect: Rect, part: Rect): void {
  const inside = intersect(part, rect);
  if (inside === undefined) throw unusable('--exclude', `a part of ${describe(rect)}`, describe(part));
  for (let y = inside.y - rect.y; y < inside.y - rect.y + inside.height; y++) {
    const start = y * picture.width + inside.x - rect.x;
    for (let at = start; at < start + inside.width; at++) picture.data[at * 4 + 3] = 0;
  }
}

/** An option of `vmwright needle` that cannot be used. */
export function unusable(subject: string, expected: string, seen: string): VmwrightError {
  return new VmwrightError({
    code: 'NEEDLE_OPTION_INVALID',
    subject: `vmwright needle, ${subject}`,
    message: 'the value cannot be used',
    expected,
    seen,
    next: 'correct the command',
  });
}
