/**
 * Templates: `mkdir -p {{ folder }} && printf %s {{ servers | tojson }} > {{ file }}`.
 *
 * Values keep their types all the way: a list or an object never becomes text by itself, only through `tojson`
 * (requirements M44 to M46). In shell text each value is one quoted word.
 *
 * @module
 */
import { sh, VmwrightError } from '../../fixtures/index.ts';
import { isSecret, type SecretLike } from './secrets.ts';

export interface Command {
  readonly wire: string;
  readonly shown: string;
}

type Filter = 'tojson';
interface Expression {
  readonly name: string;
  readonly filter: Filter | undefined;
}

/** A template whose variables and filters are known to exist. */
export interface Template {
  readonly text: string;
  readonly parts: readonly (string | Expression)[];
}

export type Values = Readonly<Record<string, unknown>>;

const EXPRESSION = /\{\{(.*?)\}\}/gs;
const BODY = /^\s*([A-Za-z_]\w*)\s*(?:\|\s*(\w+)\s*)?$/;
const FILTERS: readonly string[] = ['tojson'] satisfies Filter[];

/**
 * Reads a template and checks it against the names that will be there.
 *
 * @param where for errors: routine and step
 * @throws `TEMPLATE_INVALID` naming `where` and the variable or filter
 */
export function parseTemplate(text: string, names: readonly string[], where: string): Template {
  const parts: (string | Expression)[] = [];
  let end = 0;
  for (const match of text.matchAll(EXPRESSION)) {
    parts.push(text.slice(end, match.index), expressionOf(match[1] ?? '', names, where));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return { text, parts };
}

/** Shell text: each value is one word, quoted; a secret's is only on the wire. @throws `TEMPLATE_VALUE` */
export function renderShell(template: Template, values: Values): Command {
  const rendered = template.parts.map((part): Command => {
    if (typeof part === 'string') return { wire: part, shown: part };
    const value = values[part.name];
    return isSecret(value) ? sh`${value}` : sh`${textOf(part, value)}`;
  });
  return {
    wire: rendered.map(({ wire }) => wire).join(''),
    shown: rendered.map(({ shown }) => shown).join(''),
  };
}

/** Plain text. @throws `TEMPLATE_VALUE` for a list, an object or a secret */
export function renderText(template: Template, values: Values): string {
  return template.parts
    .map((part) => (typeof part === 'string' ? part : textOf(part, values[part.name])))
    .join('');
}

/** The value itself where the template is nothing but `{{ name }}`, else its text. @throws `TEMPLATE_VALUE` */
export function renderValue(template: Template, values: Values): unknown {
  const [before, only, after, ...rest] = template.parts;
  const isBare = before === '' && after === '' && rest.length === 0 && typeof only === 'object';
  return isBare && only.filter === undefined ? values[only.name] : renderText(template, values);
}

function expressionOf(body: string, names: readonly string[], where: string): Expression {
  const [, name, filter] = BODY.exec(body) ?? [];
  const known = (kind: string, list: readonly string[], seen: string): VmwrightError =>
    invalid(where, `there is no ${kind} "${seen}"`, list.join(', ') || 'none at all', `{{${body}}}`);
  if (name === undefined) throw known('expression', ['{{ name }}', '{{ name | filter }}'], body.trim());
  if (!names.includes(name)) throw known('variable', names, name);
  if (filter !== undefined && !FILTERS.includes(filter)) throw known('filter', FILTERS, filter);
  return { name, filter: filter as Filter | undefined };
}

function textOf({ name, filter }: Expression, value: unknown): string {
  if (filter === 'tojson' && value !== undefined) return jsonOf(name, value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw unfit(
    name,
    'a string, a number or a boolean; a list or an object goes through {{ name | tojson }}',
    value,
  );
}

/** A secret would be written as its name: its toJSON runs before a replacer sees it, so its holder is asked. */
function jsonOf(name: string, value: unknown): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key, inner: unknown) {
    if (isSecret(this[key])) throw unfit(name, 'no secret inside JSON', this[key]);
    return inner;
  });
}

function unfit(name: string, expected: string, value: unknown): VmwrightError {
  const seen = Array.isArray(value)
    ? 'a list'
    : isSecret(value)
      ? `the secret ${String(value satisfies SecretLike)}`
      : value === null
        ? 'null'
        : typeof value;
  return new VmwrightError({
    code: 'TEMPLATE_VALUE',
    subject: `template variable ${name}`,
    message: 'the value cannot stand here',
    expected,
    seen,
    next: 'change the template, or the value that the routine is called with',
  });
}

function invalid(where: string, message: string, expected: string, seen: string): VmwrightError {
  return new VmwrightError({
    code: 'TEMPLATE_INVALID',
    subject: where,
    message,
    expected,
    seen,
    next: 'correct the template, or declare the input',
  });
}
