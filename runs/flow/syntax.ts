/**
 * Small questions about the nodes of a spec's syntax tree.
 *
 * @module
 */
import type { Node } from '@babel/types';

/** Child nodes in source order, without types and comments. */
export function childrenOf(node: Node): Node[] {
  const found = Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
    if (key === 'loc' || key.endsWith('Comments') || key === 'typeAnnotation') return [];
    return (Array.isArray(value) ? value : [value]).filter(isNode);
  });
  return found.sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
}

export function isFunction(node: Node): boolean {
  return /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression|ObjectMethod|ClassMethod|ClassPrivateMethod)$/.test(
    node.type,
  );
}

/** The name of an identifier or the text of a string, as keys are written. */
export function keyOf(node: Node): string | undefined {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'PrivateName') return `#${node.id.name}`;
  if (node.type === 'NumericLiteral') return String(node.value);
  return node.type === 'StringLiteral' ? node.value : undefined;
}

/** Names that a pattern binds. */
export function namesIn(pattern: Node): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        namesIn(property.type === 'RestElement' ? property.argument : property.value),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element === null ? [] : namesIn(element)));
    case 'AssignmentPattern':
      return namesIn(pattern.left);
    case 'RestElement':
      return namesIn(pattern.argument);
    default:
      return [];
  }
}

/** Whether a node of one of these types lies within, functions in it left aside. */
export function holds(node: Node, types: RegExp): boolean {
  return types.test(node.type) || childrenOf(node).some((child) => !isFunction(child) && holds(child, types));
}

/** An expression without what only the compiler reads. */
export function bare(node: Node): Node {
  switch (node.type) {
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'TSInstantiationExpression':
    case 'ParenthesizedExpression':
      return bare(node.expression);
    default:
      return node;
  }
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { type?: unknown }).type === 'string' &&
    'start' in value
  );
}
