/**
 * `vmwright allure`: the Allure report of a run, or of several parts of one, as one page that asks nobody for anything.
 *
 * The npm package `allure` makes it. Its pages report to a web analytics service whenever they are opened; this one does not.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { VmwrightError } from '../fixtures/errors.ts';
import { tell } from '../fixtures/secrets/index.ts';

const PAGE = 'index.html';
/** What a page may load: what it holds itself, and files beside it. */
const POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'";
const FROM_ELSEWHERE = /<script[^>]*\ssrc="https?:[^>]*><\/script>/g;

/** Where the reporter writes, as this package's own config has it and by default. */
const USUAL = ['test-results/allure-results', 'allure-results'];

/**
 * @param named folders of results; none for where the reporter usually writes
 * @returns the exit code
 * @throws `ALLURE_MISSING`
 */
export async function allure(named: readonly string[], output: string): Promise<number> {
  const results = named.length > 0 ? named : [usualFolder()];
  for (const folder of results) if (!existsSync(folder)) throw noResults(folder);
  const child = spawn(process.execPath, [programFile(), 'generate', ...results, '--output', output], {
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) return code ?? 1;
  const page = join(output, PAGE);
  writeFileSync(page, keptToItself(readFileSync(page, 'utf8')));
  tell(process.stdout, `${resolve(page)}\n`);
  return 0;
}

/** The one that was written last. */
function usualFolder(): string {
  const found = USUAL.filter((folder) => existsSync(folder));
  const [latest = 'allure-results'] = found.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return latest;
}

function keptToItself(html: string): string {
  const policy = `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`;
  return html.replace('<head>', `<head>\n    ${policy}`).replaceAll(FROM_ELSEWHERE, '');
}

/** The `allure` that the project has installed. */
function programFile(): string {
  try {
    const main = createRequire(resolve(PAGE)).resolve('allure');
    return join(dirname(main), '../cli.js');
  } catch (cause) {
    throw new VmwrightError({
      code: 'ALLURE_MISSING',
      subject: 'Allure report',
      message: 'the program that makes it is not installed',
      expected: 'the npm package allure, version 3, in this project',
      next: 'npm install --save-dev allure',
      cause,
    });
  }
}

function noResults(folder: string): VmwrightError {
  return new VmwrightError({
    code: 'ALLURE_MISSING',
    subject: 'Allure report',
    message: 'there are no results',
    expected: 'a folder that the reporter vmwright/reporters/allure wrote',
    seen: `no folder ${resolve(folder)}`,
    next: "have ['vmwright/reporters/allure'] among the reporters of playwright.config.ts and run the tests, or name the folder",
  });
}
