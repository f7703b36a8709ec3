/**
 * `vmwright needle`: crops a needle for `getByImage` from a saved screen, or from a machine's live one.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Machine } from '../fixtures/config/index.ts';
import { VmwrightError } from '../fixtures/errors.ts';
import { decodeImage, type Frame, type Rect } from '../fixtures/image/frame.ts';
import { Ending } from './ending.ts';
import type { NeedleImportOptions } from './needle-import.ts';
import { loadModule } from './load-module.ts';
import { lookAt } from './look.ts';
import type { Streams } from './ocr.ts';
import { collected } from './repeats.ts';
import { saveNeedle, unusable } from './save-needle.ts';
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
  const needle: Command = program
    .command('needle')
    .description('crop a picture for getByImage from a saved or a live screen')
    .argument('[file]', 'the screen: PNG, JPEG or WebP')
    .option('--at <X,Y,WxH>', 'what to crop, in pixels of the screen')
    .option('--out <file>', 'the PNG to write: needles/<name>.png beside the spec')
    .option('--exclude <X,Y,WxH>', 'a part that may look otherwise, in pixels of the screen', collected)
    .option('--machine <name>', "crop from this machine's screen as it is now")
    .option('--matrix <file>', 'file with the machines', 'vm-matrix.ts')
    .action(async (file: string | undefined, { at, out, ...options }: Partial<NeedleCommandOptions>) => {
      // Not of commander's required ones: it would ask a subcommand for them too.
      if (at === undefined || out === undefined)
        needle.error(
          `error: required option '${at === undefined ? '--at <X,Y,WxH>' : '--out <file>'}' not specified`,
          {
            code: 'commander.missingMandatoryOptionValue',
          },
        );
      await cropNeedle(file, { at, out, ...options });
    });
  needle
    .command('import')
    .description('make pictures for getByImage of the needles of openQA, and print the lines that use them')
    .argument('<folder>', 'with NAME.json and NAME.png')
    .option('--out <folder>', 'where the pictures go', 'specs/needles')
    .action(async (folder: string, options: NeedleImportOptions) => {
      const { importNeedles } = await import('./needle-import.ts');
      process.exitCode = await importNeedles(folder, options);
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
