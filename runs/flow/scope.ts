/**
 * Names of a spec and what they stand for.
 *
 * @module
 */
import type { Node } from '@babel/types';
import { childrenOf, namesIn } from './syntax.ts';
import { UNKNOWN, type Value } from './values.ts';

/** One block, function or file. */
export class Scope {
  readonly #values = new Map<string, Value | (() => Value)>();
  readonly #outer: Scope | undefined;
  /** Names that the file assigns anew somewhere, whatever their scope: nothing is known of them. */
  readonly #assigned: ReadonlySet<string>;

  constructor(outer?: Scope, assigned?: ReadonlySet<string>) {
    this.#outer = outer;
    this.#assigned = assigned ?? outer?.assigned ?? new Set();
  }

  get assigned(): ReadonlySet<string> {
    return this.#assigned;
  }

  /** `value` may be made when it is first asked for. */
  set(name: string, value: Value | (() => Value)): void {
    this.#values.set(name, this.#assigned.has(name) ? UNKNOWN : value);
  }

  /** Undefined: no scope has this name. */
  get(name: string): Value | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return this.#outer?.get(name);
    if (typeof value !== 'function') return value;
    // Whoever asks for it while it is being made goes round in a circle.
    this.#values.set(name, UNKNOWN);
    const made = value();
    this.#values.set(name, made);
    return made;
  }
}

/** Methods that leave the list or object that they are called on as it is. */
const PURE =
  /^(?:at|concat|endsWith|entries|every|filter|find|findIndex|flat|flatMap|forEach|includes|indexOf|join|keys|map|slice|some|startsWith|toLowerCase|toSorted|toString|toUpperCase|trim|values)$/;

/** What changes in a file: names that are assigned anew, and names whose list or object may be changed. */
export function changesIn(program: Node): {
  readonly assigned: ReadonlySet<string>;
  readonly mutated: ReadonlySet<string>;
} {
  const assigned = new Set<string>();
  const mutated = new Set<string>();
  const assign = (target: Node): void => {
    for (const name of namesIn(target)) assigned.add(name);
    const root = rootOf(target);
    if (root !== undefined && target.type !== 'Identifier') mutated.add(root);
  };
  const visit = (node: Node, parent: Node | undefined, grandparent: Node | undefined): void => {
    if (node.type === 'AssignmentExpression') assign(node.left);
    if (node.type === 'UpdateExpression' || (node.type === 'UnaryExpression' && node.operator === 'delete'))
      assign(node.argument);
    if (
      (node.type === 'ForOfStatement' || node.type === 'ForInStatement') &&
      node.left.type !== 'VariableDeclaration'
    )
      assign(node.left);
    if (node.type === 'CallExpression' && isMember(node.callee)) {
      const root = rootOf(node.callee.object);
      const { property } = node.callee;
      const isPure = property.type === 'Identifier' && !node.callee.computed && PURE.test(property.name);
      if (root !== undefined && !isPure) mutated.add(root);
    }
    if (node.type === 'Identifier' && parent !== undefined && escapes(node, parent, grandparent))
      mutated.add(node.name);
    for (const child of childrenOf(node)) visit(child, node, parent);
  };
  visit(program, undefined, undefined);
  return { assigned, mutated };
}

/** Whether what the name stands for may get into other hands there. */
function escapes(node: Node, parent: Node, grandparent: Node | undefined): boolean {
  if (isMember(parent)) {
    if (parent.object !== node) return parent.computed;
    return grandparent?.type === 'AssignmentExpression' && grandparent.right === parent;
  }
  switch (parent.type) {
    case 'CallExpression':
    case 'NewExpression':
      return parent.callee !== node;
    case 'ForOfStatement':
      return parent.right !== node;
    case 'VariableDeclarator':
      return parent.init === node;
    case 'ObjectProperty':
      return parent.value === node && grandparent?.type !== 'ObjectPattern';
    default:
      return !HARMLESS.test(parent.type);
  }
}

/** Where a name is declared, or its value is only looked at. */
const HARMLESS =
  /^(?:ArrayPattern|AwaitExpression|BinaryExpression|Class\w+|ExpressionStatement|Function\w+|IfStatement|Import\w+|ExportSpecifier|SpreadElement|SwitchStatement|TemplateLiteral|UnaryExpression|WhileStatement)$/;

function isMember(
  node: Node,
): node is Node & { type: 'MemberExpression'; object: Node; property: Node; computed: boolean } {
  return node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression';
}

function rootOf(node: Node): string | undefined {
  if (node.type === 'Identifier') return node.name;
  return isMember(node) ? rootOf(node.object) : undefined;
}
