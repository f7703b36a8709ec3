#!/usr/bin/env node
/**
 * `vmwright`: what the test runner does not do. Each command is a file beside this one.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong usage, 3 an approval is missing.
 *
 * @module
 */
import { Command, CommanderError } from 'commander';
import { isVmwrightError } from '../fixtures/errors.ts';
import { addDoctor } from './doctor.ts';
import { addInit } from './init.ts';
import { addLab } from './lab.ts';
import { addNeedle } from './needle.ts';
import type { OcrOptions } from './ocr.ts';
import type { RecordOptions } from './record.ts';
import { addRecover } from './recover.ts';
import { addVlm } from './vlm.ts';
import { addRuns } from './runs.ts';
import { addVms } from './vms.ts';

const USAGE = 2;
const EXIT_CODES: Readonly<Record<string, number>> = {
  PLAN_INVALID: USAGE,
  MATRIX_INVALID: USAGE,
  SUITE_INVALID: USAGE,
  BUILD_NAME_INVALID: USAGE,
  RECORD_OUTPUT_EXISTS: USAGE,
  APPROVAL_NEEDED: 3,
  RISK_UNCONFIRMED: 3,
};

const program = new Command('vmwright')
  .description('Playwright Test for virtual machines: what the test runner itself does not do')
  .exitOverride()
  .showHelpAfterError('(add --help for the usage)');
addInit(program);
addVms(program);
addDoctor(program);
addLab(program);
addNeedle(program);
addVlm(program);
addRuns(program);
addRecover(program);
program
  .command('record')
  .description("open a machine's screen in the browser, and write what is done there as a spec, until Ctrl+C")
  .requiredOption('--project <machine>', 'the row of the matrix to record on')
  .option('--output <file>', 'the spec to write', 'specs/recorded.spec.ts')
  .option('--force', 'replace the file if it is there')
  .option('--keep', 'leave the machine as it is: no rollback to its checkpoint')
  .option('--matrix <file>', 'file with the machines', 'vm-matrix.ts')
  .action(async (options: RecordOptions) => {
    const { record } = await import('./record.ts');
    await record(options);
  });
program
  .command('ocr')
  .description('print the text of a picture, with boxes and confidences')
  .argument('<file>', 'PNG, JPEG or WebP')
  .option('--json', 'the whole text map as JSON')
  .option('--picture <file>', 'write the picture with a numbered frame around each line, as PNG')
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
    process.exitCode = isVmwrightError(error) ? (EXIT_CODES[error.code] ?? 1) : 1;
  }
}
