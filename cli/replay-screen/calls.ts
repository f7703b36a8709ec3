/**
 * The awaited calls of a spec, and which of them are the same in a changed one.
 *
 * @module
 */
import { parse } from '@babel/parser';
import type { CallExpression, Expression, Node } from '@babel/types';
import { VmwrightError } from '../../fixtures/errors.ts';
import { bare, childrenOf, isFunction, keyOf, namesIn } from '../../runs/flow/syntax.ts';

export interface Call {
  /** Titles and names of the tests, steps and functions that it stands in. */
  readonly scope: string;
  /** Where the name of the method stands, from 1: as a trace has it. */
  readonly line: number;
  readonly column: number;
  /** The name of the method or function. */
  readonly method: string;
  /** As it stands there, blanks aside. */
  readonly code: string;
  readonly args: string;
  readonly node: CallExpression;
}

export interface Spec {
  readonly file: string;
  readonly calls: readonly Call[];
  /** What the names of its constants stand for; those that stand for several things are left out. */
  readonly constants: ReadonlyMap<string, Expression>;
}

/** @throws `SPEC_UNREADABLE` */
export function readSpec(file: string, text: string): Spec {
  let program: Node;
  try {
    program = parse(text, { sourceType: 'module', plugins: ['typescript', 'jsx', 'decorators'] }).program;
  } catch (cause) {
    throw new VmwrightError({
      code: 'SPEC_UNREADABLE',
      subject: file,
      message: 'it is no TypeScript or JavaScript',
      seen: cause instanceof Error ? cause.message : String(cause),
      next: 'correct the spec',
      cause,
    });
  }
  const calls: Call[] = [];
  const constants = new Map<string, Expression | undefined>();
  const visit = (node: Node, scope: readonly string[]): void => {
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier') {
      const { name } = node.id;
      constants.set(name, constants.has(name) ? undefined : (node.init ?? undefined));
    }
    if ('params' in node && Array.isArray(node.params))
      for (const name of (node.params as Node[]).flatMap(namesIn)) constants.set(name, undefined);
    if (node.type === 'AssignmentExpression' && node.left.type === 'Identifier')
      constants.set(node.left.name, undefined);
    if (node.type === 'AwaitExpression') {
      const call = bare(node.argument);
      if (call.type === 'CallExpression') calls.push(callOf(call, scope, text));
    }
    const inner = nameOf(node);
    for (const child of childrenOf(node)) visit(child, inner === undefined ? scope : [...scope, inner]);
  };
  visit(program, []);
  const known = [...constants].flatMap(([name, value]): [string, Expression][] =>
    value === undefined ? [] : [[name, value]],
  );
  return { file, calls, constants: new Map(known) };
}

/** Steps of a test are no scope of their own: what is put into one has changed nothing. */
function nameOf(node: Node): string | undefined {
  if (node.type === 'FunctionDeclaration') return node.id?.name;
  if (node.type === 'VariableDeclarator' && node.init != null && isFunction(node.init)) return keyOf(node.id);
  if (node.type === 'ClassMethod' || node.type === 'ObjectMethod') return keyOf(node.key);
  if (node.type !== 'CallExpression') return undefined;
  const [title, ...others] = node.arguments;
  if (title?.type !== 'StringLiteral' || !others.some(isFunction) || isStep(node)) return undefined;
  return title.value;
}

function isStep({ callee }: CallExpression): boolean {
  return callee.type === 'MemberExpression' && keyOf(callee.property) === 'step';
}

function callOf(node: CallExpression, scope: readonly string[], text: string): Call {
  const { callee } = node;
  const name = callee.type === 'MemberExpression' ? callee.property : callee;
  const { line = 0, column = 0 } = name.loc?.start ?? {};
  const end = node.end ?? 0;
  const code = isStep(node) ? 'test.step' : text.slice(node.start ?? 0, end);
  const [first] = node.arguments;
  return {
    scope: scope.join(' › '),
    line,
    column: column + 1,
    method: keyOf(name) ?? '',
    code: code.replaceAll(/\s+/g, ' '),
    args: first === undefined ? '' : text.slice(first.start ?? end, end).replaceAll(/\s+/g, ' '),
    node,
  };
}

/** A call before and now. */
export interface Pair {
  readonly before?: Call;
  readonly now?: Call;
}

/** The calls of one file in the order of the present one, those that are gone where they were. */
export function align(before: readonly Call[], now: readonly Call[]): Pair[] {
  const same = common(before, now, (a, b) => a.scope === b.scope && a.code === b.code);
  const pairs: Pair[] = [];
  let [left, right] = [0, 0];
  for (const [a, b] of [...same, [before.length, now.length] as const]) {
    pairs.push(...changed(before.slice(left, a), now.slice(right, b)));
    const [was, is] = [before[a], now[b]];
    if (was !== undefined && is !== undefined) pairs.push({ before: was, now: is });
    [left, right] = [a + 1, b + 1];
  }
  return pairs;
}

/** Of calls none of which is the same those of one method belong together. */
function changed(before: readonly Call[], now: readonly Call[]): Pair[] {
  const alike = common(before, now, (a, b) => a.scope === b.scope && a.method === b.method);
  const pairs: Pair[] = [];
  let [left, right] = [0, 0];
  for (const [a, b] of [...alike, [before.length, now.length] as const]) {
    for (const call of before.slice(left, a)) pairs.push({ before: call });
    for (const call of now.slice(right, b)) pairs.push({ now: call });
    const [was, is] = [before[a], now[b]];
    if (was !== undefined && is !== undefined) pairs.push({ before: was, now: is });
    [left, right] = [a + 1, b + 1];
  }
  return pairs;
}

/** The longest common subsequence, as pairs of indices. */
function common<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): [number, number][] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  const equal = (i: number, j: number): boolean => same(a[i] as T, b[j] as T);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row !== undefined)
        row[j] = equal(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const pairs: [number, number][] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length;) {
    if (equal(i, j)) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

/** What stands for the same whenever it is called. */
const FIXED = ['secret', 'expect', 'undefined'];

/** Whether a call says all of itself: nothing that it names may stand for something else by now. */
export function isLiteral({ node }: Call): boolean {
  const isFixed = (one: Node): boolean => {
    if (one.type === 'Identifier') return FIXED.includes(one.name);
    if (one.type === 'MemberExpression' && !one.computed) return isFixed(one.object);
    if (one.type === 'ObjectProperty' && !one.computed) return isFixed(one.value);
    return childrenOf(one).every(isFixed);
  };
  const isChain = (one: Node): boolean => {
    if (one.type === 'Identifier') return one.name === 'vncPage';
    if (one.type === 'MemberExpression') return !one.computed && isChain(one.object);
    if (one.type !== 'CallExpression') return false;
    // What is expected of is the beginning of the chain.
    const { callee, arguments: args } = one;
    if (callee.type === 'Identifier') return callee.name === 'expect' && args.every(isChain);
    return isChain(callee) && args.every(isFixed);
  };
  return isChain(node);
}
