/**
 * What is shipped, as text.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './runner.ts';

/** Tracked files, without tests and documents: sources of dist/, templates, pipelines, scripts. */
export function shippedFiles(): string[] {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
  return tracked.filter((file) => file !== '' && !/^(?:tests|docs|bench)\/|\.md$/.test(file));
}

/** Those of them whose text has `pattern`. */
export function filesWith(pattern: RegExp): string[] {
  return shippedFiles().filter((file) => pattern.test(readFileSync(join(ROOT, file), 'latin1')));
}
