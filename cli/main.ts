#!/usr/bin/env -S node --import tsx
/**
 * `vmwright`: what the test runner does not do. Each command is a file beside this one.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong usage.
 *
 * @module
 */
import { Command, CommanderError } from 'commander';
import { addLab } from './lab.ts';
import type { OcrOptions } from './ocr.ts';

const USAGE = 2;

const program = new Command('vmwright')
  .description('Playwright Test for virtual machines: what the test runner itself does not do')
  .exitOverride()
  .showHelpAfterError('(add --help for the usage)');
addLab(program);
program
  .command('ocr')
  .description('print the text of a picture, with boxes and confidences')
  .argument('<file>', 'PNG, JPEG or WebP')
  .option('--json', 'the whole text map as JSON')
  .action(async (file: string, options: OcrOptions) => {
    const { ocr } = await import('./ocr.ts');
    process.exitCode = await ocr(file, options);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE;
  else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
