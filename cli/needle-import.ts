/**
 * `vmwright needle import FOLDER`: needles of openQA as pictures for `getByImage`, with the lines of a spec that use them.
 *
 * The format: a PNG of a screen, and beside it JSON with areas of type `match`, `exclude` and `ocr` (os-autoinst,
 * needle.pm).
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { isVmwrightError, VmwrightError } from '../fixtures/errors.ts';
import { centre, contains, decodeImage, type Frame, intersect, type Rect } from '../fixtures/image/frame.ts';
import { literal } from '../fixtures/recorder/literal.ts';
import { placeOf } from '../fixtures/recorder/place.ts';
import { tell } from '../fixtures/secrets/index.ts';
import { createScreenReader, type ScreenReader, type TextMap } from '../fixtures/vision/index.ts';
import { saveNeedle } from './save-needle.ts';
import type { Streams } from './ocr.ts';

export interface NeedleImportOptions {
  /** Where the pictures go: `needles/` beside the spec. */
  readonly out: string;
}

const POINT = z.object({ xpos: z.number(), ypos: z.number() });
const AREA = z.object({
  xpos: z.number().int().nonnegative(),
  ypos: z.number().int().nonnegative(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  type: z.enum(['match', 'exclude', 'ocr']).default('match'),
  refstr: z.string().min(1).optional(),
  /** From the corner of the area. */
  click_point: z.union([z.literal('center'), POINT]).optional(),
});
const NEEDLE = z.object({ area: z.array(AREA).min(1), tags: z.array(z.string()).default([]) });

type Area = z.infer<typeof AREA>;

/** A text is proposed where OCR is as sure of its line as that. 0 to 1. */
const SURE = 0.9;

/**
 * Crops each area of type `match`, what is excluded in it transparent, and prints what a spec says for each area. A needle
 * that cannot be imported is told, and the others are. A picture that is there is never replaced.
 *
 * @returns the exit code: 1 where a needle could not be imported
 * @throws `FILE_UNREADABLE` where the folder has no needle
 */
export async function importNeedles(
  folder: string,
  { out }: NeedleImportOptions,
  streams: Streams = process,
): Promise<0 | 1> {
  const names = needlesIn(folder);
  const reader = createScreenReader();
  let failed = 0;
  for (const name of names)
    try {
      const lines = await importOne(join(folder, name), out, reader, streams);
      tell(streams.stdout, `${lines.join('\n')}\n\n`);
    } catch (error) {
      if (!isVmwrightError(error)) throw error;
      failed++;
      tell(streams.stderr, `${error.message}\n`);
    }
  tell(streams.stdout, `// ${names.length - failed} of ${names.length} needles imported into ${out}\n`);
  return failed === 0 ? 0 : 1;
}

function needlesIn(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const names = files.filter((name) => name.endsWith('.json')).sort();
  if (names.length > 0) return names;
  throw new VmwrightError({
    code: 'FILE_UNREADABLE',
    subject: folder,
    message: 'there is no needle',
    expected: 'a folder with NAME.json and NAME.png',
    seen: existsSync(folder) ? 'no .json in it' : 'no such folder',
    next: 'name another folder',
  });
}

/** The lines of a spec for one needle. */
async function importOne(
  file: string,
  out: string,
  reader: ScreenReader,
  { stderr }: Streams,
): Promise<string[]> {
  const { area, tags } = parsed(file);
  const png = file.replace(/\.json$/, '.png');
  if (!existsSync(png)) throw unusable(file, 'NAME.png beside it', 'none');
  const screen = await decodeImage(readFileSync(png), png);
  const whole = { x: 0, y: 0, width: screen.width, height: screen.height };
  const beyond = area.find((one) => !contains(whole, rectOf(one)));
  if (beyond !== undefined)
    throw unusable(file, `areas on its screen of ${screen.width}x${screen.height}`, JSON.stringify(beyond));
  const name = basename(file, '.json');
  const excluded = area.filter(({ type }) => type === 'exclude').map(rectOf);
  const matches = area.filter(({ type }) => type === 'match');
  const pictures = matches.map((_, index) =>
    matches.length === 1 ? `${name}.png` : `${name}-${index + 1}.png`,
  );
  const taken = pictures.find((picture) => existsSync(join(out, picture)));
  if (taken !== undefined)
    throw unusable(file, `no file ${taken} in ${out}`, 'one is there, and is not replaced');
  const map = await reader.read(screen);
  const lines = [`// ${name}${tags.length === 0 ? '' : `, tags ${tags.join(', ')}`}`];
  for (const [index, match] of matches.entries()) {
    const rect = rectOf(match);
    const picture = pictures[index] ?? name;
    const inside = excluded.filter((part) => intersect(part, rect) !== undefined);
    await saveNeedle(screen, rect, inside, resolve(out, picture), {
      stdout: { write: () => true },
      stderr: { write: (text) => tell(stderr, `${picture}: ${text}`) },
    });
    lines.push(...linesOf(match, picture, inside, screen, map));
  }
  for (const { refstr, ...one } of area.filter(({ type }) => type === 'ocr')) {
    if (refstr === undefined) throw unusable(file, 'an ocr area with a refstr', JSON.stringify(one));
    const { x, y, width, height } = rectOf(one);
    const clip = `{ x: ${x}, y: ${y}, width: ${width}, height: ${height} }`;
    lines.push(`await expect(vncPage).toShowText(${literal(refstr)}, { clip: ${clip} });`);
  }
  return lines;
}

/** What a spec says for a picture, and for the text on it where OCR is sure. */
function linesOf(
  { click_point: point, ...area }: Area,
  picture: string,
  excluded: readonly Rect[],
  screen: Frame,
  map: TextMap,
): string[] {
  const place =
    point === undefined || point === 'center' ? '' : `{ position: { x: ${point.xpos}, y: ${point.ypos} } }`;
  const verb = point === undefined ? 'waitFor()' : `click(${place})`;
  const line = `await vncPage.getByImage(${literal(picture)}).${verb};`;
  const text = sureText(rectOf(area), excluded, screen, map);
  if (text === undefined) return [line];
  // A text has another corner than the area.
  const same = place === '' ? verb : undefined;
  return [
    line,
    `// or by its text: await vncPage.getByText(${literal(text)})${same === undefined ? '' : `.${same}`};`,
  ];
}

/** The only line of text in an area, where OCR is sure of it and it would be found by itself. */
function sureText(area: Rect, excluded: readonly Rect[], screen: Frame, map: TextMap): string | undefined {
  const [line, another] = [...map.lines, ...(map.faint ?? [])].filter(
    ({ box }) => intersect(box, area) !== undefined,
  );
  if (line === undefined || another !== undefined || line.confidence < SURE) return undefined;
  if (!contains(area, line.box) || excluded.some((part) => intersect(part, line.box) !== undefined))
    return undefined;
  const place = placeOf(map, screen, centre(line.box));
  if (!('text' in place) || place.text !== line.text) return undefined;
  return place.nth === undefined && place.exact === undefined && place.offset === undefined
    ? place.text
    : undefined;
}

function rectOf({ xpos: x, ypos: y, width, height }: Pick<Area, 'xpos' | 'ypos' | 'width' | 'height'>): Rect {
  return { x, y, width, height };
}

function parsed(file: string): z.infer<typeof NEEDLE> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw unusable(file, 'JSON', cause instanceof Error ? cause.message : String(cause));
  }
  const result = NEEDLE.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw unusable(
    file,
    'area with xpos, ypos, width, height, type',
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}

function unusable(subject: string, expected: string, seen: string): VmwrightError {
  return new VmwrightError({
    code: 'NEEDLE_UNUSABLE',
    subject,
    message: 'the needle cannot be imported',
    expected,
    seen,
    next: 'correct it, or crop it by hand with vmwright needle',
  });
}
