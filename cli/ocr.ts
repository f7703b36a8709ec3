/**
 * `vmwright ocr FILE`: the text of a picture, as `toShowText` and `getByText` read it.
 *
 * @module
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isVmwrightError, VmwrightError } from '../fixtures/errors.ts';
import { decodeImage, describe, type Frame } from '../fixtures/image/frame.ts';
import { createScreenReader, type TextMap } from '../fixtures/vision/index.ts';
import { annotated } from './annotate.ts';
import { columns } from './columns.ts';
import { findOn } from './find-text.ts';
import { tell, tellJson } from '../fixtures/secrets/index.ts';

export interface OcrOptions {
  /** The whole text map as JSON: size, lines and words with boxes `{x,y,width,height}` and confidences. */
  readonly json?: boolean;
  /** Where to write the picture with a numbered frame around each line, as PNG. */
  readonly picture?: string;
  /** Look for this text, and print nothing else. */
  readonly find?: string;
  /** The text should not be there: the one that is looked for, or this one. */
  readonly absent?: boolean | string;
  readonly exact?: boolean;
}

/** Where a command writes to. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Prints a line of text a row, with its number, box and confidence; or whether a text is there.
 *
 * @returns the exit code: 1 when there is no picture, or the text is not as asked; 2 when nobody can tell, or the call
 *   makes no sense
 */
export async function ocr(
  file: string,
  options: OcrOptions = {},
  streams: Streams = process,
): Promise<number> {
  const { find, absent = false } = options;
  const text = find ?? (typeof absent === 'string' ? absent : undefined);
  const problem = misuse(options, text);
  if (problem !== undefined) {
    tell(streams.stderr, `${problem.message}\n`);
    return 2;
  }
  let frame: Frame;
  try {
    frame = await picture(file);
  } catch (error) {
    if (!isVmwrightError(error)) throw error;
    tell(streams.stderr, `${error.message}\n`);
    return text === undefined ? 1 : 2;
  }
  const map = await createScreenReader().read(frame);
  const { json = false, exact = false } = options;
  const found =
    text === undefined ? undefined : findOn(file, map, { text, exact, json, absent: absent !== false });
  (json ? tellJson : tell)(streams.stdout, found?.output ?? (json ? asJson(file, map) : asRows(map)));
  if (options.picture !== undefined) {
    await mkdir(dirname(options.picture), { recursive: true });
    await writeFile(options.picture, annotated(frame, map));
    tell(streams.stderr, `${options.picture}: ${map.lines.length} lines\n`);
  }
  if (map.lines.length === 0) tell(streams.stderr, `${file}: no text\n`);
  return found?.code ?? 0;
}

/** Why options do not go together. */
function misuse({ find, absent, exact }: OcrOptions, text: string | undefined): VmwrightError | undefined {
  const isTwice = find !== undefined && typeof absent === 'string';
  const isNothing = text === undefined ? absent === true || exact === true : text.trim() === '';
  if (!isTwice && !isNothing) return undefined;
  return new VmwrightError({
    code: 'OCR_OPTION_INVALID',
    subject: 'vmwright ocr',
    message: isTwice ? 'two texts are looked for' : 'there is no text to look for',
    expected: '--find TEXT, with --absent where it should not be there',
    seen: isTwice ? `--find ${JSON.stringify(find)} --absent ${JSON.stringify(absent)}` : 'none',
    next: isTwice ? 'look for one text in each call' : 'add --find TEXT',
  });
}

async function picture(file: string): Promise<Frame> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    const seen = cause instanceof Error ? cause.message : String(cause);
    throw unreadable('FILE_UNREADABLE', file, 'the file cannot be read', seen, cause);
  });
  return decodeImage(bytes, file).catch((cause: unknown) => {
    if (!isVmwrightError(cause, 'IMAGE_UNREADABLE')) throw cause;
    throw unreadable(cause.code, file, 'the file is no picture that can be decoded', cause.seen ?? '', cause);
  });
}

function unreadable(
  code: string,
  file: string,
  message: string,
  seen: string,
  cause: unknown,
): VmwrightError {
  const expected = 'a PNG, JPEG or WebP image';
  return new VmwrightError({
    code,
    subject: file,
    message,
    expected,
    seen,
    next: 'name another file',
    cause,
  });
}

function asRows({ lines }: TextMap): string {
  const rows = lines.map(({ text, box, confidence }, index) => [
    String(index + 1),
    describe(box),
    confidence.toFixed(2),
    text,
  ]);
  return rows.length === 0 ? '' : columns([['#', 'box', 'sure', 'text'], ...rows]);
}

function asJson(file: string, { width, height, lines }: TextMap): string {
  const read = lines.map(({ text, box, confidence, words }) => ({ text, box, confidence, words }));
  return `${JSON.stringify({ file, width, height, lines: read }, undefined, 2)}\n`;
}
