/**
 * What the trace of a test holds of a machine's screen: each step of the spec, with its pictures.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { VmwrightError } from '../../fixtures/errors.ts';
import { decodeImage, type Frame, type Rect } from '../../fixtures/image/frame.ts';

/** When of a step a picture is. */
export type Phase = 'before' | 'action' | 'after';

export interface Picture {
  readonly phase: Phase;
  /** In the trace: equal pictures have one file. */
  readonly file: string;
  /** Where a secret was painted over that had been read there. */
  readonly hidden: readonly Rect[];
  /** The text that the test had read there. */
  readonly lines: readonly ReadLine[];
}

export interface ReadLine {
  readonly text: string;
  readonly box: Rect;
}

export interface RecordedStep {
  /** The call in the spec: of its method's name, from 1. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** As the reports call it. */
  readonly title: string;
  readonly isFailed: boolean;
  readonly error?: string;
  readonly pictures: readonly Picture[];
  /** Where it pressed. */
  readonly pressed?: { readonly x: number; readonly y: number };
}

export interface Recorded {
  readonly trace: string;
  readonly machine: string;
  /** `the.spec.ts:9 › log in` */
  readonly title: string;
  /** In the order in which they began. */
  readonly steps: readonly RecordedStep[];
  /** The files as they were, by path. */
  readonly sources: ReadonlyMap<string, string>;
  readonly isFailed: boolean;
  /** Milliseconds. */
  readonly duration: number;
  picture(file: string): Promise<Frame>;
}

/** A trace holds at most 64 MiB of screens, and what the runner adds. Bytes, unpacked. */
const MOST_BYTES = 1 << 29;

/**
 * The traces of a run: a `trace.zip`, or a folder with such files in it.
 *
 * @throws `RUN_UNREADABLE` where there is none with a screen
 */
export function readRecorded(path: string): Recorded[] {
  const found = tracesIn(path).flatMap((trace) => readTrace(trace) ?? []);
  if (found.length > 0) return found;
  throw new VmwrightError({
    code: 'RUN_UNREADABLE',
    subject: path,
    message: 'no screen was recorded',
    expected: 'a trace.zip with the screen of a machine, or a folder of a run that has some',
    seen: existsSync(path) ? 'no such trace' : 'no such file or folder',
    next: 'record it: npx playwright test --trace on; then name test-results',
  });
}

function tracesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?:^|[/\\])trace\.zip$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

interface Line {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Undefined where it has no machine's screen. */
function readTrace(trace: string): Recorded | undefined {
  const bytes = readFileSync(trace);
  const unpack = (wanted: (name: string) => boolean): Record<string, Uint8Array> => {
    let total = 0;
    return open(trace, () =>
      unzipSync(bytes, {
        filter: ({ name, originalSize }) => wanted(name) && (total += originalSize) <= MOST_BYTES,
      }),
    );
  };
  const texts = unpack((name) => /\.trace$|^src\/|^aria\//.test(name));
  const runner = linesOf(texts['test.trace']);
  const screens = Object.keys(texts)
    .filter((name) => name.endsWith('.trace') && name !== 'test.trace')
    .map((name) => linesOf(texts[name]))
    .filter((lines) => lines.some(isOfScreen));
  const [first] = screens;
  if (first === undefined || runner.length === 0) return undefined;
  const head = first[0];
  const pictures = picturesOf(screens.flat(), texts);
  const steps = stepsOf(runner, screens.flat(), pictures);
  const times = runner.flatMap(({ startTime, endTime }) =>
    [startTime, endTime].filter((time) => typeof time === 'number'),
  );
  return {
    trace,
    machine: String(head?.browserName),
    title: String(head?.title),
    steps,
    sources: sourcesOf(steps, texts),
    isFailed: runner.some(({ type }) => type === 'error'),
    duration: times.length === 0 ? 0 : Math.max(...times) - Math.min(...times),
    picture: (file) => decodeImage(unpack((name) => name === file)[file] ?? new Uint8Array(), file),
  };
}

function open<T>(trace: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new VmwrightError({
      code: 'RUN_UNREADABLE',
      subject: trace,
      message: 'the trace cannot be unpacked',
      expected: 'a trace.zip of Playwright',
      seen: cause instanceof Error ? cause.message : String(cause),
      next: 'name another trace',
      cause,
    });
  }
}

function linesOf(bytes: Uint8Array | undefined): Line[] {
  if (bytes === undefined) return [];
  return new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

function isOfScreen({ type, snapshot }: Line): boolean {
  if (type !== 'resource-snapshot') return false;
  const { request } = snapshot as { readonly request?: { readonly url?: string } };
  return request?.url?.endsWith('.vnc/screen.png') === true;
}

/** By the step that they are of. */
function picturesOf(
  lines: readonly Line[],
  files: Readonly<Record<string, Uint8Array>>,
): ReadonlyMap<string, Picture[]> {
  const read = new Map<string, readonly ReadLine[]>();
  for (const { type, callId, phase, file } of lines)
    if (type === 'aria-snapshot')
      read.set(`${String(callId)} ${String(phase)}`, linesIn(files[String(file)]));
  const found = new Map<string, Picture[]>();
  for (const { type, callId, phase, file } of lines) {
    if (type !== 'screenshot') continue;
    const id = String(callId);
    const of = found.get(id) ?? [];
    found.set(id, of);
    const lines = read.get(`${id} ${String(phase)}`) ?? [];
    const hidden = lines.filter(({ text }) => text === HIDDEN).map(({ box }) => box);
    of.push({ phase: phase as Phase, file: String(file), hidden, lines });
  }
  return found;
}

/** What the trace writes where a secret was read. */
const HIDDEN = '(a secret)';

function linesIn(bytes: Uint8Array | undefined): ReadLine[] {
  return bytes === undefined ? [] : (JSON.parse(new TextDecoder().decode(bytes)) as ReadLine[]);
}

function stepsOf(
  runner: readonly Line[],
  screen: readonly Line[],
  pictures: ReadonlyMap<string, readonly Picture[]>,
): RecordedStep[] {
  const ends = new Map(runner.filter(({ type }) => type === 'after').map((line) => [line.callId, line]));
  const presses = new Map(
    screen.filter(({ type }) => type === 'input').map((line) => [line.callId, line.point]),
  );
  return runner.flatMap(({ type, callId, stack, title }): RecordedStep[] => {
    const [place] = (stack ?? []) as {
      readonly file: string;
      readonly line: number;
      readonly column: number;
    }[];
    const shown = pictures.get(String(callId));
    if (type !== 'before' || place === undefined || shown === undefined) return [];
    const pressed = presses.get(callId) as RecordedStep['pressed'];
    const error = ends.get(callId)?.error as { readonly message?: string } | undefined;
    return [
      {
        file: place.file,
        line: place.line,
        column: place.column,
        title: String(title),
        isFailed: error !== undefined,
        ...(error?.message === undefined ? {} : { error: error.message }),
        pictures: shown,
        ...(pressed === undefined ? {} : { pressed }),
      },
    ];
  });
}

/** The runner stores a file under the SHA-1 of its path. */
function sourcesOf(
  steps: readonly RecordedStep[],
  files: Readonly<Record<string, Uint8Array>>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { file } of steps) {
    const bytes = files[`src/${createHash('sha1').update(file).digest('hex')}${extname(file)}`];
    if (bytes !== undefined) found.set(file, new TextDecoder().decode(bytes));
  }
  return found;
}
