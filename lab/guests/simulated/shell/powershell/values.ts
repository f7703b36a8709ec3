/**
 * Values of the simulated PowerShell: how they are compared, shown and matched.
 *
 * @module
 */
import { PowerShellError } from './tokens.ts';

export type Value = string | number | boolean | null | Readonly<Record<string, unknown>>;

/** As {@link property}, as a list of none or one. */
export function properties(object: Value, name: string): Value[] {
  const value = property(object, name);
  return value === undefined ? [] : [value];
}

/** A property of an object, whatever the case of its name. */
export function property(object: Value, name: string): Value | undefined {
  if (typeof object === 'string' && name.toLowerCase() === 'length') return object.length;
  if (typeof object !== 'object' || object === null) return undefined;
  const found = Object.entries(object).find(([key]) => key.toLowerCase() === name.toLowerCase());
  return found?.[1] as Value | undefined;
}

export function isTrue(values: readonly Value[]): boolean {
  if (values.length !== 1) return values.length > 1;
  const [value] = values;
  return value !== null && value !== false && value !== 0 && value !== '';
}

export function compare(operator: string, left: readonly Value[], right: readonly Value[]): Value {
  const [a, b] = [left[0] ?? null, right[0] ?? null];
  const text = (value: Value): string => show(value).toLowerCase();
  switch (operator) {
    case 'eq':
      return text(a) === text(b);
    case 'ne':
      return text(a) !== text(b);
    case 'gt':
      return order(a) > order(b);
    case 'lt':
      return order(a) < order(b);
    case 'ge':
      return order(a) >= order(b);
    case 'le':
      return order(a) <= order(b);
    case 'and':
      return isTrue(left) && isTrue(right);
    case 'or':
      return isTrue(left) || isTrue(right);
    case 'like':
    case 'notlike':
      return wildcard(show(b)).test(show(a)) === (operator === 'like');
    case 'match':
    case 'notmatch':
      return new RegExp(show(b), 'i').test(show(a)) === (operator === 'match');
    case 'replace':
      return show(a).replaceAll(new RegExp(show(right[0] ?? ''), 'gi'), show(right[1] ?? ''));
    case 'join':
      return left.map(show).join(show(b));
    case 'in':
      return right.some((item) => text(item) === text(a));
    case 'contains':
    case 'notcontains':
      return left.some((item) => text(item) === text(b)) === (operator === 'contains');
    case '+':
      return typeof a === 'number' ? a + Number(b) : show(a) + show(b);
    default:
      throw new PowerShellError(`The operator '-${operator}' is not supported.`);
  }
}

/** A number, or a time as one. */
function order(value: Value): number {
  const at = property(value, '__at');
  return Number(at ?? value);
}

/** A PowerShell wildcard as an expression: `*`, `?`, `[a-c]`, and a backtick before what is meant as it is (about_Wildcards). */
export function wildcard(pattern: string): RegExp {
  const source = pattern.replaceAll(
    /`(.)|\[([^\]]+)\]|[^]/g,
    (part: string, escaped?: string, set?: string) => {
      if (escaped !== undefined) return plain(escaped);
      if (set !== undefined) return `[${set.replaceAll(/[\\^]/g, String.raw`\$&`)}]`;
      if (part === '[')
        throw new TypeError(`The specified wildcard character pattern is not valid: ${pattern}`);
      if (part === '*') return '.*';
      return part === '?' ? '.' : plain(part);
    },
  );
  return new RegExp(`^${source}$`, 'is');
}

/** Whether a text means more than itself to a parameter that takes wildcards. */
export function hasWildcard(text: string): boolean {
  return /[*?]|\[[^\]]+\]/.test(text);
}

export function show(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return String(value);
  return typeof value.display === 'string' ? value.display : JSON.stringify(value);
}

function plain(text: string): string {
  return text.replaceAll(/[.+*?^${}()|[\]\\]/g, String.raw`\$&`);
}
