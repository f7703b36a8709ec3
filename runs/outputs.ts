/**
 * The files of a summary: one page for people, text for terminals and chats, JSON, JUnit and CTRF for programs.
 *
 * @module
 */
import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redactRecord } from '../fixtures/secrets/index.ts';
import { VmwrightError } from '../fixtures/errors.ts';
import type { RunModel } from './model.ts';
import { renderCtrf } from './render/ctrf.ts';
import { renderJson } from './render/json.ts';
import { renderJunit } from './render/junit.ts';
import { renderMarkdown } from './render/markdown.ts';
import { linksFrom } from './render/page/links.ts';
import { renderPage } from './render/page/page.ts';
import { renderText } from './render/text.ts';
import { trendOf } from './render/trend.ts';

interface OutputOptions {
  readonly folder: string;
  /** Where earlier runs are stored, for the trend; absent for a run that is no part of it. */
  readonly stateFolder?: string | undefined;
  readonly now: number;
  /** `data:` URLs of pictures by file. */
  readonly pictures?: ReadonlyMap<string, string>;
}

/**
 * Replaces the files of the summary. One that cannot be written is removed: what an earlier run left there would be taken
 * for this one's. Returns what went wrong with files that are gone, a line each.
 *
 * @throws `SUMMARY_STALE` when a file could neither be written nor removed
 */
export function writeOutputs(run: RunModel, options: OutputOptions): string[] {
  const { folder, stateFolder, now, pictures = new Map<string, string>() } = options;
  const view = { now };
  const model = redactRecord(run);
  const files: readonly (readonly [name: string, render: () => string])[] = [
    ['summary.md', () => renderMarkdown(model, view)],
    ['summary.txt', () => renderText(model, view)],
    ['summary.json', () => renderJson(model, view)],
    ['ctrf.json', () => renderCtrf(model, view)],
    ['junit.xml', () => renderJunit(model, view)],
    [
      'index.html',
      () => {
        const trend = stateFolder === undefined ? [] : trendOf(stateFolder, model, now);
        return renderPage(model, { view, trend, pictures, ...linksFrom(folder, model) });
      },
    ],
  ];
  const troubles: string[] = [];
  const stale: string[] = [];
  const attempt = (name: string, action: (file: string) => void): boolean => {
    const file = join(folder, name);
    try {
      action(file);
      return true;
    } catch (error) {
      const why = `${file} could not be written: ${error instanceof Error ? error.message : String(error)}`;
      if (isGone(file)) troubles.push(why);
      else stale.push(why);
      return false;
    }
  };
  // All drafts before the first is put in its place: who is killed meanwhile leaves files that say the same.
  const drafted = files.filter(([name, render]) =>
    attempt(name, (file) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${file}.tmp`, render());
    }),
  );
  // Whoever sees that the first has changed sees the others changed, too.
  for (const [name] of drafted.toReversed()) attempt(name, (file) => renameSync(`${file}.tmp`, file));
  if (stale.length > 0) throw staleSummary(folder, [...stale, ...troubles]);
  return troubles;
}

/** Takes away what stands at `file`, and a draft of it. */
function isGone(file: string): boolean {
  for (const path of [`${file}.tmp`, file]) {
    try {
      rmSync(path, { force: true });
    } catch {
      // Whether it is still there is looked at below.
    }
  }
  try {
    return lstatSync(file, { throwIfNoEntry: false }) === undefined;
  } catch {
    // A file stands where the folder should be: nothing below it can be read either.
    return true;
  }
}

function staleSummary(folder: string, seen: readonly string[]): VmwrightError {
  return new VmwrightError({
    code: 'SUMMARY_STALE',
    subject: folder,
    message: 'the summary that stands there is of an earlier run and can be neither replaced nor removed',
    expected: 'a folder that can be written to',
    seen: seen.join('; '),
    next: 'believe none of its files; make the folder writable and run again, or read vmwright status',
  });
}
