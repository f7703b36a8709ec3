/**
 * Shell snippets as commands.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import type { Snippet } from './pages.ts';

export interface Command {
  /** `page:line` of its snippet. */
  readonly place: string;
  /** `NAME=value` before the program. */
  readonly env: Readonly<Record<string, string>>;
  /** `npm run vmwright --` and `npx vmwright` are both `vmwright`; so is `npx playwright` `playwright`. */
  readonly program: string;
  readonly args: readonly string[];
}

/** Words in quotation marks stay whole; `<token>` and the like are words for what the reader fills in. */
const WORD = /(?:'[^']*'|"[^"]*"|[^\s'"])+/g;

/** The commands of a snippet, one after the other. @throws Error for what only a shell understands */
export function commandsOf({ code, page, line }: Snippet): Command[] {
  const lines = code
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((text) => text.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((text) => text !== '');
  return lines.flatMap((text) => text.split(' && ')).map((text) => parse(text, `${page}:${line}`));
}

function parse(text: string, place: string): Command {
  const plain = text.replaceAll(/'[^']*'/g, '').replaceAll(/<[\w ]+>/g, '');
  if (/[|;&$`*?(){}<>~]/.test(plain)) throw new Error(`${place}: only a shell understands: ${text}`);
  const words = [...text.matchAll(WORD)].map(([word]) => word.replaceAll(/['"]/g, ''));
  const first = words.findIndex((word) => !/^[A-Z][A-Z0-9_]*=/.test(word));
  const env = Object.fromEntries(
    words
      .slice(0, first)
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  const [program = '', ...args] = words.slice(first);
  const [one, two, three] = args;
  if (program === 'npm' && one === 'run' && two !== undefined && three === '--')
    return { place, env, program: two, args: args.slice(3) };
  if (program === 'npx' && one !== undefined) return { place, env, program: one, args: args.slice(1) };
  return { place, env, program, args };
}

/** What bash says about the syntax of a snippet; empty when it is fine. */
export function syntaxErrors(code: string): string {
  return spawnSync('bash', ['-n'], { input: code.replaceAll(/<[\w ]+>/g, 'word'), encoding: 'utf8' }).stderr;
}

/** The value of `--name value` or `--name=value`. */
export function optionOf(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(`--${name}`);
  return at === -1 ? args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) : args[at + 1];
}

/** The names of all options: `--approve`, `-g`. */
export function optionsIn(args: readonly string[]): string[] {
  return args.filter((arg) => /^--?[a-z]/.test(arg)).map((arg) => arg.replace(/=.*$/, ''));
}
