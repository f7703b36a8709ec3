/**
 * `vmwright ocr FILE --find TEXT`: whether a text is on a picture, by the code that `toShowText` and `getByText` use.
 *
 * @module
 */
import { describe } from '../fixtures/image/frame.ts';
import {
  lookFor,
  nearestLines,
  type Sight,
  type TextMap,
  unreadableError,
} from '../fixtures/vision/index.ts';

export interface FindTextOptions {
  readonly text: string;
  readonly exact: boolean;
  /** The text should not be there. */
  readonly absent: boolean;
  readonly json: boolean;
}

/** So many lines are printed where the text is not found. */
const NEAREST = 5;

export interface FoundText {
  /** For standard output. */
  readonly output: string;
  /** 0: as asked; 1: not as asked; 2: nobody can tell. */
  readonly code: 0 | 1 | 2;
}

/** What the look at `map` says of the text. */
export function findOn(
  file: string,
  map: TextMap,
  { text, exact, absent, json }: FindTextOptions,
): FoundText {
  const sight = lookFor(map, text, { exact });
  const code = codeOf(sight, absent);
  const output = json ? asJson(file, text, sight) : asText(file, text, map, sight);
  return { output, code };
}

function codeOf({ kind }: Sight, absent: boolean): 0 | 1 | 2 {
  if (kind === 'unsure' || kind === 'unreadable') return 2;
  return (kind === 'absent') === absent ? 0 : 1;
}

function asJson(file: string, text: string, sight: Sight): string {
  return `${JSON.stringify({ file, find: text, ...sight }, undefined, 2)}\n`;
}

function asText(file: string, text: string, map: TextMap, sight: Sight): string {
  const rows = [`${sight.kind}: ${JSON.stringify(text)}`];
  switch (sight.kind) {
    case 'found':
      for (const match of sight.matches) rows.push(`  ${JSON.stringify(match.text)}, ${describe(match.box)}`);
      break;
    case 'unsure':
      for (const doubt of sight.doubts)
        rows.push(`  it may be ${JSON.stringify(doubt.text)}, ${describe(doubt.box)}: ${doubt.why}`);
      break;
    case 'unreadable':
      rows.push(`  ${unreadableError(file, text, sight).message.replaceAll('\n', '\n  ')}`);
      break;
    case 'absent': {
      const nearest = nearestLines(map, text);
      for (const line of nearest.slice(0, NEAREST))
        rows.push(`  read instead: ${JSON.stringify(line.text)}, ${describe(line.box)}`);
      if (nearest.length > NEAREST) rows.push(`  and ${nearest.length - NEAREST} more`);
      if (nearest.length === 0) rows.push('  no text at all');
    }
  }
  return `${rows.join('\n')}\n`;
}
