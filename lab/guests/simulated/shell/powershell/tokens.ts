/**
 * PowerShell's words: the subset that smoke scripts use. Anything else is an error, as a real parser's.
 *
 * @module
 */

import type { ErrorRecord } from './errors.ts';

export type Token =
  | {
      readonly type: 'word' | 'parameter' | 'variable' | 'operator' | 'member' | 'method' | 'type' | 'static';
      readonly text: string;
    }
  | { readonly type: 'string'; readonly text: string; readonly expands: boolean }
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'separator' | 'punctuation'; readonly text: string };

/** A syntax that the simulated PowerShell does not know: never taken for success. */
export class PowerShellError extends Error {
  override readonly name = 'PowerShellError';
  readonly record: ErrorRecord | undefined;

  constructor(message: string, record?: ErrorRecord) {
    super(message);
    this.record = record;
  }
}

const RULES: readonly (readonly [RegExp, (match: RegExpExecArray) => Token | undefined])[] = [
  [/^[ \t\r]+|^`\r?\n|^#[^\n]*/, () => undefined],
  [/^[\n;]+/, () => ({ type: 'separator', text: ';' })],
  [
    /^'((?:[^']|'')*)'/,
    (match) => ({ type: 'string', text: (match[1] ?? '').replaceAll("''", "'"), expands: false }),
  ],
  [
    /^"((?:[^"`]|`[^]|"")*)"/,
    (match) => ({ type: 'string', text: (match[1] ?? '').replaceAll('""', '"'), expands: true }),
  ],
  [/^\$\{([^}]+)\}/, (match) => ({ type: 'variable', text: match[1] ?? '' })],
  [/^\$((?:env:)?\w+|[_?])/i, (match) => ({ type: 'variable', text: match[1] ?? '' })],
  [
    /^-(eq|ne|gt|lt|ge|le|like|notlike|match|notmatch|and|or|not|contains|notcontains|in|join|replace)\b/i,
    (match) => ({ type: 'operator', text: (match[1] ?? '').toLowerCase() }),
  ],
  [/^\[([A-Za-z][\w.]*)\](?=::|['"$()\[])/, (match) => ({ type: 'type', text: match[1] ?? '' })],
  [/^::([A-Za-z]\w*)/, (match) => ({ type: 'static', text: match[1] ?? '' })],
  [/^-([A-Za-z]\w*:?)/, (match) => ({ type: 'parameter', text: match[1] ?? '' })],
  [/^\d+(?![\w.\\-])/, (match) => ({ type: 'number', value: Number(match[0]) })],
  [/^(?:\+=|=|\+|,|!)/, (match) => ({ type: 'operator', text: match[0] })],
  // Base64: an equals sign within a word is a part of it.
  [/^[A-Za-z0-9+/]{40,}={0,2}(?=[\s;]|$)/, (match) => ({ type: 'word', text: match[0] })],
  [/^[(){}|&@[\]]/, (match) => ({ type: 'punctuation', text: match[0] })],
  [/^2>\s*(?:\$null|&1)|^>\s*\$null/, () => undefined],
  [/^[^\s;|(){}'",=&@[\]]+/, (match) => ({ type: 'word', text: match[0] })],
];

/** The tokens of a script. A member access (`.Name`) follows its object without white space. */
export function tokenize(script: string): Token[] {
  const tokens: Token[] = [];
  let rest = script;
  let isTight = false;
  while (rest !== '') {
    const member = isTight ? /^\.(?:([A-Za-z]\w*)(\()?|'([^']+)')/.exec(rest) : null;
    if (member !== null) {
      const [, name, call, quoted] = member;
      const text = name ?? quoted ?? '';
      tokens.push({ type: call === undefined ? 'member' : 'method', text });
      rest = rest.slice(member[0].length);
      if (call !== undefined) isTight = false;
      continue;
    }
    const hit = RULES.map(([pattern, make]) => ({ match: pattern.exec(rest), make })).find(
      ({ match }) => match !== null,
    );
    if (hit?.match == null)
      throw new PowerShellError(`Unexpected token '${rest.slice(0, 20)}' in expression or statement.`);
    const token = hit.make(hit.match);
    if (token !== undefined) tokens.push(token);
    isTight =
      token?.type === 'variable' ||
      token?.type === 'static' ||
      (token?.type === 'punctuation' && (token.text === ')' || token.text === ']'));
    rest = rest.slice(hit.match[0].length);
  }
  return tokens;
}
