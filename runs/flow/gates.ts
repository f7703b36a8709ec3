/**
 * Conditions in a spec, decided by the options of a run.
 *
 * @module
 */
import type { Node } from '@babel/types';

/** Options of a run by name, with their value and, for a choice, every value there is. */
export type GateOptions = Readonly<
  Record<string, { readonly value: string; readonly values?: readonly string[] }>
>;

/** Undefined: the options do not settle it. */
export type Decision = boolean | undefined;

/** Option values that stand for all of a choice. */
const ALL = ['both', 'all'];
/** How deep constants may refer to constants. */
const DEPTH = 8;

/** Whether the branch behind the condition `node` is taken. `constants` are initialisers by name. */
export function gateOf(
  node: Node,
  options: GateOptions,
  constants: ReadonlyMap<string, Node>,
  depth = DEPTH,
): Decision {
  const decide = (inner: Node): Decision =>
    depth === 0 ? undefined : gateOf(inner, options, constants, depth - 1);
  switch (node.type) {
    case 'BooleanLiteral':
      return node.value;
    case 'UnaryExpression': {
      const inner = node.operator === '!' ? decide(node.argument) : undefined;
      return inner === undefined ? undefined : !inner;
    }
    case 'LogicalExpression':
      return combine(node.operator, decide(node.left), decide(node.right));
    case 'BinaryExpression':
      return compare(
        node.operator,
        valueOf(node.left, options, constants, depth),
        valueOf(node.right, options, constants, depth),
      );
    case 'Identifier': {
      const value = constants.get(node.name);
      return (value === undefined ? undefined : decide(value)) ?? byName(node.name, options);
    }
    default: {
      const value = valueOf(node, options, constants, depth);
      return value === undefined ? undefined : value === 'true' || (value !== 'false' && value !== '');
    }
  }
}

function combine(operator: string, left: Decision, right: Decision): Decision {
  if (operator === '&&')
    return left === false || right === false ? false : left === true && right === true ? true : undefined;
  if (operator === '||')
    return left === true || right === true ? true : left === false && right === false ? false : undefined;
  return undefined;
}

function compare(operator: string, left: string | undefined, right: string | undefined): Decision {
  if (left === undefined || right === undefined) return undefined;
  if (operator === '===' || operator === '==') return left === right;
  return operator === '!==' || operator === '!=' ? left !== right : undefined;
}

/** The text of a literal, or of the option that `process.env.X`, `env('x')` or a constant names. */
function valueOf(
  node: Node,
  options: GateOptions,
  constants: ReadonlyMap<string, Node>,
  depth: number,
): string | undefined {
  if (node.type === 'StringLiteral') return node.value;
  if (node.type === 'BooleanLiteral') return String(node.value);
  if (node.type === 'Identifier') {
    const initial = constants.get(node.name);
    if (initial !== undefined && depth > 0) return valueOf(initial, options, constants, depth - 1);
    return optionNamed(node.name, options)?.value;
  }
  if (node.type === 'MemberExpression') {
    const name =
      node.property.type === 'StringLiteral'
        ? node.property.value
        : node.property.type === 'Identifier'
          ? node.property.name
          : undefined;
    return name === undefined ? undefined : optionNamed(name, options)?.value;
  }
  if (node.type === 'CallExpression') {
    const [first] = node.arguments;
    const isEnv =
      node.callee.type === 'MemberExpression' &&
      node.callee.property.type === 'Identifier' &&
      node.callee.property.name === 'env';
    return isEnv && first?.type === 'StringLiteral' ? optionNamed(first.value, options)?.value : undefined;
  }
  return undefined;
}

/** A variable that bears the name of an option, or of one of its values: `installOnly`, `useFC`, `usePureFCPlugin`. */
function byName(name: string, options: GateOptions): Decision {
  const own = optionNamed(name, options);
  if (own !== undefined) return own.value === 'true' || (own.value !== 'false' && own.value !== '');
  const words = wordsOf(name);
  for (const { value, values = [] } of Object.values(options)) {
    const meant = values.find(
      (candidate) => !ALL.includes(candidate) && words.includes(candidate.toLowerCase()),
    );
    if (meant !== undefined) return value === meant || ALL.includes(value);
  }
  return undefined;
}

function optionNamed(name: string, options: GateOptions): GateOptions[string] | undefined {
  const wanted = canonical(name);
  return Object.entries(options).find(([option]) => {
    const known = canonical(option);
    return known === wanted || `vmwright-option-${known}` === wanted;
  })?.[1];
}

function canonical(name: string): string {
  return wordsOf(name).join('-');
}

/** `usePureFCPlugin`, `TEST_INSTALL_ONLY` and `test-install-only` as words in lower case. */
function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[\s_.-]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}
