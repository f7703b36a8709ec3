/**
 * The files of a summary: one page for people, text for terminals and chats, JSON, JUnit and CTRF for programs.
 *
 * @module
 */
import { join } from 'node:path';
import { redact } from '../fixtures/config/index.ts';
import type { RunModel } from './model.ts';
import { renderCtrf } from './render/ctrf.ts';
import { renderJson } from './render/json.ts';
import { renderJunit } from './render/junit.ts';
import { renderMarkdown } from './render/markdown.ts';
import { renderPage } from './render/page.ts';
import { renderText } from './render/text.ts';
import { thumbnailsOf } from './render/pictures.ts';
import { writeAtomically } from './store.ts';
import { trendOf } from './render/trend.ts';

interface OutputOptions {
  readonly folder: string;
  /** Where earlier runs are stored, for the trend. */
  readonly stateFolder: string;
  readonly now: number;
}

export async function writeOutputs(model: RunModel, options: OutputOptions): Promise<void> {
  const view = { now: options.now };
  const write = (name: string, text: string): void =>
    writeAtomically(join(options.folder, name), redact(text));
  write('summary.md', renderMarkdown(model, view));
  write('summary.txt', renderText(model, view));
  write('summary.json', renderJson(model, view));
  write('ctrf.json', renderCtrf(model, view));
  write('junit.xml', renderJunit(model));
  const trend = trendOf(options.stateFolder, model, options.now);
  write('index.html', renderPage(model, { view, trend, pictures: await thumbnailsOf(model) }));
}
