/**
 * The pages of the documentation and the snippets in them.
 *
 * A snippet that is not run says so and why, on the line before it: `_Not run by the tests: it needs a model._`, or in a
 * comment where readers need not see it: `<!-- not run: it takes minutes -->`.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../../support/runner.ts';

export interface Snippet {
  /** Path from the root. */
  readonly page: string;
  /** Of its fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** Why it is not run; undefined when it is. */
  readonly notRun: string | undefined;
  /** Where the code says it belongs, in a comment as its first line: `vm-matrix.ts`. */
  readonly path: string | undefined;
}

/** Written by a program from the sources, which has a test of its own. */
const GENERATED = 'docs/api.md';

export const PAGES: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

const MARKER = /^(?:_Not run by the tests[^:]*: (.+)_|<!-- not run: (.+) -->)$/;

/** Every fenced block that names a language. */
export function snippetsOf(page: string): Snippet[] {
  if (page === GENERATED) return [];
  const lines = readPage(page).split('\n');
  const snippets: Snippet[] = [];
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(\w+)$/.exec(lines[at] ?? '')?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at);
    if (end === -1) throw new Error(`${page}:${at + 1}: the fence is never closed`);
    const code = lines.slice(at + 1, end).join('\n');
    const before = lines.slice(0, at).findLast((line) => line.trim() !== '') ?? '';
    const marker = MARKER.exec(before);
    snippets.push({
      page,
      line: at + 1,
      language,
      code,
      notRun: marker?.[1] ?? marker?.[2],
      path: /^\/\/ (\S+\.ts)$/m.exec(code.split('\n')[0] ?? '')?.[1],
    });
    at = end;
  }
  return snippets;
}

export const SNIPPETS: readonly Snippet[] = PAGES.flatMap(snippetsOf);

/** A file for a TypeScript snippet, apart from those of other pages. */
export function fileOf({ page, line, path, code }: Snippet): string {
  const isSpec = /^test\(/m.test(code);
  return join(basename(page, '.md').toLowerCase(), path ?? `line-${line}${isSpec ? '.spec' : ''}.ts`);
}

/** What users import, as package.json has it, and the source of each: `vmwright/matrix` is `fixtures/matrix.ts`. */
export const MODULES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(exportsOf(JSON.parse(readPage('package.json')) as { exports: Exports })).map(
    ([name, file]) => [name, file.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts')],
  ),
);

type Exports = Readonly<Record<string, string | { readonly default: string }>>;

function exportsOf({ exports }: { exports: Exports }): Record<string, string> {
  return Object.fromEntries(
    Object.entries(exports).flatMap(([name, target]) =>
      typeof target === 'string' ? [] : [[name.replace(/^\./, 'vmwright'), target.default]],
    ),
  );
}
