/**
 * The commands of `vmwright`. Each is a file beside this one.
 *
 * @module
 */
import { Command } from 'commander';
import { registerEnvironment } from '../fixtures/config/index.ts';
import { tell } from '../fixtures/secrets/index.ts';
import { VERSION } from '../runs/version.ts';
import { addDoctor } from './doctor.ts';
import { EXIT_CODE_HELP } from './exit-codes.ts';
import { addInit } from './init.ts';
import { addLab } from './lab.ts';
import type { McpOptions } from './mcp.ts';
import { addNeedle } from './needle.ts';
import type { OcrOptions } from './ocr.ts';
import type { ReplayScreenOptions } from './replay-screen.ts';
import type { RecordOptions } from './record.ts';
import { addRecover } from './recover.ts';
import { refuseRepeats } from './repeats.ts';
import { addVlm } from './vlm.ts';
import { addRuns } from './runs.ts';
import { addState } from './state.ts';
import { addVms } from './vms.ts';

export function makeProgram(): Command {
  const program = new Command('vmwright')
    .description(
      'Playwright Test for virtual machines. Tests are run by npx playwright test; this does the rest.',
    )
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => tell(process.stdout, text),
      writeErr(text) {
        // Words that are wrong are quoted before any action begins.
        registerEnvironment();
        tell(process.stderr, text);
      },
    })
    // What is printed or stored names secrets and never holds one, whatever the command is.
    .hook('preAction', () => registerEnvironment())
    .showHelpAfterError('(add --help for the usage)')
    .addHelpText('after', EXIT_CODE_HELP);
  addInit(program);
  addVms(program);
  addDoctor(program);
  addLab(program);
  addNeedle(program);
  addVlm(program);
  addRuns(program);
  addRecover(program);
  addState(program);
  program
    .command('record')
    .description(
      "open a machine's screen in the browser, and write what is done there as a spec, until Ctrl+C",
    )
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
    .option('--find <text>', 'say whether this text is there: exit code 0 yes, 1 no, 2 nobody can tell')
    .option('--absent [text]', 'the text should not be there: exit code 0 when it is not')
    .option('--exact', 'the text is a whole line, its case and marks count')
    .action(async (file: string, options: OcrOptions) => {
      const { ocr } = await import('./ocr.ts');
      process.exitCode = await ocr(file, options);
    });
  program
    .command('replay-screen')
    .description(
      'look for what a changed spec asks for on the screens that an earlier run recorded; no machine is asked',
    )
    .argument('<run>', 'a trace.zip, or a folder with some, such as test-results')
    .argument('[spec]', 'the changed spec; default: every spec of the run as it is now')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExit code: 0 everything is there, 1 something is not, 2 nobody can tell of something',
    )
    .action(async (run: string, spec: string | undefined, options: ReplayScreenOptions) => {
      const { replayScreen } = await import('./replay-screen.ts');
      process.exitCode = await replayScreen(run, spec, options);
    });
  program
    .command('mcp')
    .description('serve machines, runs and traces to a coding agent, on standard input and output')
    .option(
      '--project <names...>',
      'the machines for the agent; default: all that the matrix does not leave out',
    )
    .option('--approve <token>', 'the approval for these machines; the command prints it without')
    .option('--read-only', 'look at screens, runs and traces; touch no machine and write no file')
    .option('--specs <folder>', 'where the agent may write specs', 'specs')
    .option('--matrix <file>', 'file with the machines', 'vm-matrix.ts')
    .action(async (options: McpOptions) => {
      const { mcp } = await import('./mcp.ts');
      await mcp(options);
    });
  refuseRepeats(program);
  return program;
}
