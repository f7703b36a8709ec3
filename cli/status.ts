/**
 * `vmwright status`: the live run, else the latest one that is stored. It posts nothing and asks nobody else.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VmwrightError } from '../fixtures/errors.ts';
import { redactRecord, tellRendered } from '../fixtures/secrets/index.ts';
import { readStored } from '../runs/evidence/recover.ts';
import type { StoredRun } from '../runs/read-run.ts';
import { renderJson } from '../runs/render/json.ts';
import { renderMarkdown } from '../runs/render/markdown.ts';
import { renderText } from '../runs/render/text.ts';
import type { View } from '../runs/render/sections.ts';
import { clearedAt, storedRuns } from '../runs/store.ts';
import { EXIT, exitCodeOfRun } from './exit-codes.ts';

export interface StatusOptions {
  readonly state: string;
  readonly build?: string;
  readonly format: 'text' | 'markdown' | 'json';
  readonly watch?: boolean;
  /** Seconds without an event after which a live runner is hung. */
  readonly hungAfter?: number;
}

interface Terminal {
  readonly stdout: NodeJS.WritableStream & {
    readonly isTTY?: boolean;
    readonly rows?: number;
    readonly columns?: number;
  };
  readonly now: () => number;
}

const REDRAW_MS = 1_000;
/** To the top left corner, and everything below it away: the screen is redrawn without a flicker. */
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** The exit code (exit-codes.ts): 0 for a run that is live or passed. */
export async function status(
  options: StatusOptions,
  terminal: Terminal = { stdout: process.stdout, now: Date.now },
): Promise<number> {
  const isScreen = options.watch === true && terminal.stdout.isTTY === true;
  if (isScreen) tellRendered(terminal.stdout, `\u001b[2J${HOME}`);
  for (;;) {
    const run = currentRun(options, terminal.now());
    const isLive = run.model.endedAt === undefined;
    const text = rendered(run, options, { now: terminal.now(), historical: !isLive }, isScreen);
    if (options.watch !== true || !isLive || !isScreen) {
      if (options.watch !== true || !isLive) {
        tellRendered(terminal.stdout, isScreen ? frame(text, terminal.stdout, Infinity) : text);
        return isLive ? EXIT.ok : exitCodeOfRun(run.model);
      }
    } else
      tellRendered(terminal.stdout, frame(text, terminal.stdout, (terminal.stdout.rows ?? Infinity) - 1));
    await sleep(REDRAW_MS);
  }
}

/** A line that wraps would push the frame out of its place: while the view redraws, lines end at the edge. */
function frame(text: string, { columns = Infinity }: Terminal['stdout'], rows: number): string {
  const lines = text.trimEnd().split('\n').slice(0, rows);
  const fitted = rows === Infinity ? lines : lines.map((line) => cut(line, columns));
  return HOME + fitted.map((line) => `${line}${CLEAR_LINE}\n`).join('') + CLEAR_BELOW;
}

/** The first `columns` characters that are seen; colours take no room and are closed. */
function cut(line: string, columns: number): string {
  let room = columns;
  const parts = line.split(/(\u001b\[[0-9;]*m)/).map((part, index) => {
    if (index % 2 === 1) return part;
    const shown = Array.from(part).slice(0, room).join('');
    room -= Array.from(shown).length;
    return shown;
  });
  return parts.join('');
}

function rendered(run: StoredRun, options: StatusOptions, view: View, colour: boolean): string {
  const model = redactRecord(run.model);
  if (options.format === 'json') return renderJson(model, view);
  return options.format === 'markdown' ? renderMarkdown(model, view) : renderText(model, view, colour);
}

/**
 * The run that `build` names, else the live one, else the latest since the history was cleared.
 *
 * @throws `RUN_NOT_FOUND`
 */
export function currentRun(
  options: Pick<StatusOptions, 'state' | 'build' | 'hungAfter'>,
  now: number,
): StoredRun {
  const folder = resolve(options.state);
  const read = {
    now,
    ...(options.hungAfter === undefined ? {} : { hungAfterMs: options.hungAfter * 1000 }),
  };
  if (options.build !== undefined) {
    const named = join(folder, options.build);
    const run = existsSync(named) ? readStored(named, read) : undefined;
    if (run === undefined) throw notFound(`no run ${options.build} in ${folder}`);
    return run;
  }
  const cleared = clearedAt(folder);
  let latest: StoredRun | undefined;
  for (const stored of storedRuns(folder)) {
    const run = readStored(stored.folder, read);
    if (run === undefined) continue;
    if (run.model.state === 'RUNNING' || run.model.state === 'HUNG') return run;
    if (stored.record.startedAt >= cleared) latest ??= run;
  }
  if (latest === undefined) {
    const since =
      cleared === -Infinity ? '' : ` since its history was cleared at ${new Date(cleared).toISOString()}`;
    throw notFound(`no run in ${folder}${since}`);
  }
  return latest;
}

function notFound(seen: string): VmwrightError {
  return new VmwrightError({
    code: 'RUN_NOT_FOUND',
    subject: 'stored runs',
    message: 'there is no such run',
    seen,
    next: 'run in the folder of playwright.config.ts, or give --state <folder>',
  });
}
