/**
 * The machines in a Playwright config that is there already: its own projects stay as they are.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { VmwrightError } from '../../fixtures/errors.ts';

/** In the order in which the runner looks for them (Playwright 1.65, configLoader): of several the first counts. */
const CONFIGS = ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].map((extension) => `playwright.config.${extension}`);

/** The file that holds what the machines add to a config. */
export const MACHINES_FILE = 'playwright.machines.ts';
/** Where the specs of machines are, beside a project's other tests. */
export const MACHINE_SPECS = 'vm-specs';

/** The Playwright config of a folder. */
export function configOf(folder: string): string | undefined {
  return CONFIGS.find((file) => existsSync(join(folder, file)));
}

const OWN = 'withoutMachines';

export interface Merged {
  readonly text: string;
  /** The lines that change, as a diff shows them. */
  readonly diff: string;
}

/**
 * Has a config export itself with the machines. Only the line of its export changes; lines come before it and at its end.
 *
 * @throws `CONFIG_NOT_MERGED` where it has no export of its own line, several, or a function
 */
export function withMachines(text: string, file: string): Merged {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(/\r?\n/);
  const start = /^(?:export default\s+|module\.exports\s*=\s*)/;
  const exported = lines.flatMap((line, index) => (start.test(line) ? [index] : []));
  const [at, another] = exported;
  if (at === undefined || another !== undefined) throw notMerged(file, `${exported.length} lines begin so`);
  const line = lines[at] ?? '';
  const rest = line.replace(start, '');
  const isCommonJs = line.startsWith('module');
  if (/^(?:async\b|function\b|class\b|\(?[\w\s,{}]*\)?\s*=>)/.test(rest)) throw notMerged(file, line);
  if (text.includes(OWN)) throw notMerged(file, `the name ${OWN} stands in it`);
  const from = `./${MACHINES_FILE}`;
  const head = isCommonJs
    ? `const { addMachines } = require('${from}');`
    : `import { addMachines } from '${from}';`;
  const changed = `const ${OWN} = ${rest}`;
  const tail = `${isCommonJs ? 'module.exports =' : 'export default'} addMachines(${OWN});`;
  const body = [...lines.slice(0, at), changed, ...lines.slice(at + 1)];
  while (body.at(-1) === '') body.pop();
  const place = firstCode(body);
  const result = [...body.slice(0, place), head, ...body.slice(place), '', tail, ''];
  const diff = [
    `--- ${file}`,
    `+++ ${file}`,
    `@@ line ${place + 1} @@`,
    `+${head}`,
    `@@ line ${at + 1} @@`,
    `-${line}`,
    `+${changed}`,
    '@@ end @@',
    '+',
    `+${tail}`,
  ];
  return { text: result.join(newline), diff: diff.join('\n') };
}

/** Comments at the top stay there, and so does what a program is started by. */
function firstCode(lines: readonly string[]): number {
  let isComment = false;
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (isComment || text.startsWith('/*')) {
      isComment = !text.includes('*/');
      continue;
    }
    if (text === '' || text.startsWith('//') || text.startsWith('#!') || /^(['"])use strict\1/.test(text))
      continue;
    return index;
  }
  return 0;
}

/** Whether a config has the machines already. */
export function isMerged(text: string): boolean {
  return text.includes(MACHINES_FILE);
}

function notMerged(file: string, seen: string): VmwrightError {
  return new VmwrightError({
    code: 'CONFIG_NOT_MERGED',
    subject: file,
    message: 'the machines cannot be added to it',
    expected: `one line that begins with "export default" or "module.exports =", and an object behind it (${extname(file)})`,
    seen,
    next: `call addMachines of ${MACHINES_FILE} on the config by hand, as docs/existing-project.md shows; nothing was written`,
  });
}
