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

export interface OcrOptions {
  /** The whole text map as JSON: size, lines and words with boxes `{x,y,width,height}` and confidences. */
  readonly json?: boolean;
  /** Where to write the picture with a numbered frame around each line, as PNG. */
  readonly picture?: string;
}

/** Where a command writes to. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Prints a line of text a row, with its number, box and confidence. Resolves with the exit code: 1 when there is no picture. */
export async function ocr(
  file: string,
  options: OcrOptions = {},
  streams: Streams = process,
): Promise<number> {
  let frame: Frame;
  try {
    frame = await picture(file);
  } catch (error) {
    if (!isVmwrightError(error)) throw error;
    streams.stderr.write(`${error.message}\n`);
    return 1;
  }
  const map = await createScreenReader().read(frame);
  streams.stdout.write(options.json === true ? asJson(file, map) : asRows(map));
  if (options.picture !== undefined) {
    await mkdir(dirname(options.picture), { recursive: true });
    await writeFile(options.picture, annotated(frame, map));
    streams.stderr.write(`${options.picture}: ${map.lines.length} lines\n`);
  }
  if (map.lines.length === 0) streams.stderr.write(`${file}: no text\n`);
  return 0;
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
