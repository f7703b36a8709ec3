/**
 * Looks for credentials in text: the shapes of well-known tokens, values given to what is called a password, and long
 * words that look drawn by chance.
 *
 * @module
 */

export interface Finding {
  readonly rule: string;
  /** From 1. */
  readonly line: number;
  readonly value: string;
}

/** Shapes as their issuers document them. */
const SHAPES: readonly (readonly [rule: string, shape: RegExp])[] = [
  ['AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})\b/g],
  ['GitLab token', /\bglpat-[\w-]{20,}/g],
  ['Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g],
  ['Slack webhook', /hooks\.slack\.com\/services\/T\w+\/B\w+\/\w+/g],
  ['Mattermost webhook', /\/hooks\/[a-z0-9]{26}\b/g],
  ['npm token', /\bnpm_[A-Za-z0-9]{36}\b/g],
  ['OpenAI or Anthropic key', /\bsk-(?:ant-|proj-)?[\w-]{20,}/g],
  ['Google API key', /\bAIza[\w-]{35}/g],
  ['JSON web token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g],
  ['private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/]{16}/g],
  ['Proxmox API token', /[\w.-]+@\w+![\w-]+=[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g],
  ['password in an address', /\b[a-z][a-z+]*:\/\/[^\s/:@'"`$<{]+:[^\s/:@'"`$<{]+@/g],
];
/** `password: 'x'`, `"apiKey": "x"`, `API_TOKEN=x`: the value in quotation marks, or a bare word. */
const ASSIGNED =
  /\b[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|credentials?)["']?[ \t]*[:=][ \t]*(?:(["'`])((?:(?!\1)[^\\\s]){6,})\1|([^\s"'`,;(){}[\]<>$|&]{6,}))/gi;
/** The name of a variable or of a secret, a template, a placeholder. */
const NO_VALUE = /^(?:[A-Z][A-Z0-9_]*|secret\(.*|<.*>|.*[{$].*|[*.x…]+)$/;
/** Without quotation marks it may be code: an identifier, a path of them, a type. */
const CODE = /^[\w.#?]*[A-Za-z_#?]$/;
const LONG_WORD = /[A-Za-z0-9+/_=-]{32,}/g;
/** Bits a character. Words of a language and paths stay under it, random base64 of this length is over it. */
const RANDOM = 4.6;

/** Everything in `text` that looks like a credential; one finding for each place. */
export function scan(text: string): Finding[] {
  const found = new Map<number, Omit<Finding, 'line'>>();
  const note = (index: number, rule: string, value: string): void => {
    const overlaps = ([at, { value: seen }]: [number, { readonly value: string }]): boolean =>
      at < index + value.length && index < at + seen.length;
    if (![...found].some(overlaps)) found.set(index, { rule, value });
  };
  for (const [rule, shape] of SHAPES)
    for (const match of text.matchAll(shape)) note(match.index, rule, match[0]);
  for (const match of text.matchAll(ASSIGNED)) {
    const [, , quoted, bare = ''] = match;
    const value = quoted ?? bare;
    if (!NO_VALUE.test(value) && (quoted !== undefined || !CODE.test(bare)))
      note(match.index + match[0].indexOf(value), 'value of a credential', value);
  }
  for (const match of text.matchAll(LONG_WORD)) {
    if (entropy(match[0]) >= RANDOM && /\d/.test(match[0])) note(match.index, 'random word', match[0]);
  }
  return [...found]
    .map(([index, { rule, value }]) => ({ rule, value, line: text.slice(0, index).split('\n').length }))
    .sort((a, b) => a.line - b.line);
}

/** Shannon's, in bits a character. */
function entropy(word: string): number {
  const counts = new Map<string, number>();
  for (const char of word) counts.set(char, (counts.get(char) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / word.length;
    return sum - share * Math.log2(share);
  }, 0);
}
