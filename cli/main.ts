#!/usr/bin/env node
/**
 * `vmwright`: what the test runner does not do. The commands: program.ts. Exit codes: exit-codes.ts.
 *
 * @module
 */
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { makeProgram } from './program.ts';
import { registerArguments, tell } from '../fixtures/secrets/index.ts';

try {
  // What is wrong with the words is said in these words.
  registerArguments(process.argv.slice(2));
  await makeProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else {
    tell(process.stderr, `${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
