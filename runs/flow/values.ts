/**
 * What an expression of a spec is, as far as that is settled before the run.
 *
 * @module
 */
import type { ClassDeclaration, ClassExpression, Node } from '@babel/types';
import type { Module } from './modules.ts';
import type { Scope } from './scope.ts';

export type Primitive = string | number | boolean | bigint | null | undefined;

export interface FunctionValue {
  readonly kind: 'function';
  readonly node: Node;
  readonly scope: Scope;
  readonly module: Module;
  /** What `this` is inside. */
  readonly self?: Value | undefined;
}

export interface ClassValue {
  readonly kind: 'class';
  readonly node: ClassDeclaration | ClassExpression;
  readonly scope: Scope;
  readonly module: Module;
}

export type Value =
  /** `isNamed`: it comes from where options come from, so its name may say which one it is. */
  | { readonly kind: 'unknown'; readonly isNamed?: boolean }
  | { readonly kind: 'known'; readonly value: Primitive }
  /** An option read through a helper: nobody knows whether `true` is text there, or a boolean. */
  | { readonly kind: 'option'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly Value[] }
  | { readonly kind: 'object'; readonly of: ReadonlyMap<string, Value>; readonly isWhole: boolean }
  | { readonly kind: 'instance'; readonly of: ClassValue }
  | FunctionValue
  /** One of several functions, and nobody knows which. */
  | { readonly kind: 'either'; readonly of: readonly FunctionValue[] }
  | ClassValue
  /** A part of Playwright's own interface, or of the environment: `test.describe.skip`, `process.env`. */
  | { readonly kind: 'api'; readonly path: readonly string[] }
  | { readonly kind: 'routine'; readonly title: string };

export const UNKNOWN: Value = { kind: 'unknown' };
export const NAMED: Value = { kind: 'unknown', isNamed: true };

export function known(value: Primitive): Value {
  return { kind: 'known', value };
}

/** Undefined: not settled. */
export function truthOf(value: Value): boolean | undefined {
  if (value.kind === 'unknown' || value.kind === 'api') return undefined;
  if (value.kind === 'known') return Boolean(value.value);
  return value.kind === 'option' ? value.text !== 'false' && value.text !== '' : true;
}

/** The primitives that a value may be; undefined where it is none or unknown. */
function readings(value: Value): readonly Primitive[] | undefined {
  if (value.kind === 'known') return [value.value];
  if (value.kind !== 'option') return undefined;
  const isBoolean = value.text === 'true' || value.text === 'false';
  return isBoolean ? [value.text, value.text === 'true'] : [value.text];
}

/** A binary operator, on what both sides may be. */
export function combine(operator: string, left: Value, right: Value): Value {
  const [lefts, rights] = [readings(left), readings(right)];
  if (lefts === undefined || rights === undefined) return UNKNOWN;
  const isEqual = (): boolean =>
    lefts.some((a) => rights.some((b) => (operator.length === 2 ? a == b : a === b)));
  if (operator === '===' || operator === '==') return known(isEqual());
  if (operator === '!==' || operator === '!=') return known(!isEqual());
  const [a] = lefts;
  const [b] = rights;
  if (typeof a === 'bigint' || typeof b === 'bigint') return UNKNOWN;
  return ARITHMETIC[operator]?.(a, b) ?? UNKNOWN;
}

type Plain = string | number | boolean | null | undefined;

const ARITHMETIC: Readonly<Record<string, (a: Plain, b: Plain) => Value>> = {
  '<': (a, b) => known(isLess(a, b)),
  '<=': (a, b) => known(isLess(a, b) || isEven(a, b)),
  '>': (a, b) => known(isLess(b, a)),
  '>=': (a, b) => known(isLess(b, a) || isEven(a, b)),
  '+': (a, b) => known(typeof a === 'string' || typeof b === 'string' ? `${a}${b}` : Number(a) + Number(b)),
  '-': (a, b) => known(Number(a) - Number(b)),
  '*': (a, b) => known(Number(a) * Number(b)),
  '%': (a, b) => known(Number(a) % Number(b)),
};

function isEven(a: Plain, b: Plain): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a === b : Number(a) === Number(b);
}

function isLess(a: Plain, b: Plain): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a < b : Number(a) < Number(b);
}

/** A unary operator. */
export function unary(operator: string, value: Value): Value {
  if (operator === 'void') return known(undefined);
  if (operator === '!') {
    const truth = truthOf(value);
    return truth === undefined ? UNKNOWN : known(!truth);
  }
  if (value.kind !== 'known' || typeof value.value === 'bigint') return UNKNOWN;
  if (operator === '-') return known(-Number(value.value));
  if (operator === '+') return known(Number(value.value));
  return operator === 'typeof' ? known(typeof value.value) : UNKNOWN;
}

/** Methods of text and lists that change nothing, for arguments that are known. */
export function pureCall(target: Value, method: string, given: readonly Value[]): Value {
  const items = given.map((value) => (value.kind === 'known' ? value.value : undefined));
  if (given.some(({ kind }) => kind !== 'known')) return UNKNOWN;
  const [first] = items;
  if (target.kind === 'array' && method === 'includes') {
    const all = target.items.map(readings);
    if (all.some((each) => each?.includes(first))) return known(true);
    return all.includes(undefined) ? UNKNOWN : known(false);
  }
  const text = target.kind === 'option' ? target.text : target.kind === 'known' ? target.value : undefined;
  if (typeof text !== 'string') return UNKNOWN;
  if (items.length === 0) {
    if (method === 'toLowerCase') return known(text.toLowerCase());
    if (method === 'toUpperCase') return known(text.toUpperCase());
    if (method === 'trim') return known(text.trim());
    return UNKNOWN;
  }
  if (items.length > 1 || typeof first !== 'string') return UNKNOWN;
  if (method === 'includes') return known(text.includes(first));
  if (method === 'startsWith') return known(text.startsWith(first));
  if (method === 'endsWith') return known(text.endsWith(first));
  return method === 'split'
    ? { kind: 'array', items: text.split(first).map((part) => known(part)) }
    : UNKNOWN;
}

/** Functions in a value that something else may call. */
export function functionsIn(value: Value, depth = 2): FunctionValue[] {
  if (value.kind === 'function') return [value];
  if (value.kind === 'either') return [...value.of];
  if (depth === 0) return [];
  if (value.kind === 'array') return value.items.flatMap((item) => functionsIn(item, depth - 1));
  return value.kind === 'object'
    ? [...value.of.values()].flatMap((item) => functionsIn(item, depth - 1))
    : [];
}
