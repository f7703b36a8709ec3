/**
 * The steps of a suite, read from exactly the spec files of the run: TEST FLOW before anything was executed.
 *
 * A step is a `test.step('title', ...)` that is not inside another, or a call of a routine, in the spec itself or in a
 * function that the spec imports and calls. Branches are chosen by the options of the run (requirements A127 to A136): a
 * gate that cannot be decided lists both branches as conditional.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { parse } from '@babel/parser';
import type { Node } from '@babel/types';
import { type Decision, gateOf, type GateOptions } from './gates.ts';
import { importsOf } from './imports.ts';
import type { PlannedFlow } from '../journal.ts';
import { suiteName } from '../run-facts.ts';

const CONDITIONAL = ' (conditional)';

/** One list a file; suites whose spec cannot be read take their fixed list, if there is one. */
export function plannedFlows(
  files: readonly string[],
  options: GateOptions,
  fixed: Readonly<Record<string, readonly string[]>> = {},
): PlannedFlow[] {
  return files.map((file) => {
    const suite = suiteName(file);
    const steps = stepsOf(file, options);
    return steps === undefined
      ? { suite, steps: fixed[suite] ?? [], from: 'static' }
      : { suite, steps: [...new Set(steps)], from: 'spec' };
  });
}

/** Titles in source order; undefined when the file cannot be read or parsed. */
export function stepsOf(file: string, options: GateOptions): string[] | undefined {
  const program = parseFile(file);
  return program === undefined ? undefined : new Walk(file, program, options).run();
}

function parseFile(file: string): Node | undefined {
  try {
    return parse(readFileSync(file, 'utf8'), { sourceType: 'module', plugins: ['typescript', 'jsx'] })
      .program;
  } catch {
    return undefined;
  }
}

class Walk {
  readonly #file: string;
  readonly #program: Node;
  readonly #imports: ReturnType<typeof importsOf>;
  readonly #options: GateOptions;
  readonly #steps: string[] = [];
  readonly #constants = new Map<string, Node>();
  readonly #functions = new Map<string, Node>();
  /** Functions whose bodies are being read: one that calls itself is read once. */
  readonly #inside: Set<string>;

  constructor(file: string, program: Node, options: GateOptions, inside = new Set<string>()) {
    this.#file = file;
    this.#program = program;
    this.#imports = importsOf(program, file);
    this.#options = options;
    this.#inside = inside;
    for (const statement of childrenOf(program)) this.#declare(statement);
  }

  /** The steps of the whole file. */
  run(): string[] {
    for (const statement of childrenOf(this.#program)) {
      if (isFunction(statement) || statement.type.startsWith('Export')) continue;
      this.#visit(statement, false);
    }
    return this.#steps;
  }

  /** The steps of one function or routine that the file exports. */
  runFunction(name: string): string[] {
    this.#visitCalled(name, false);
    return this.#steps;
  }

  #declare(statement: Node): void {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type === 'FunctionDeclaration' && node.id != null) this.#functions.set(node.id.name, node.body);
    if (node?.type !== 'VariableDeclaration') return;
    for (const { id, init } of node.declarations) {
      if (id.type !== 'Identifier' || init == null) continue;
      if (isFunction(init)) this.#functions.set(id.name, (init as { body: Node } & Node).body);
      else this.#constants.set(id.name, init);
    }
  }

  /** Returns true when what follows in the same function is not reached. */
  #visit(node: Node, conditional: boolean): boolean {
    switch (node.type) {
      case 'ReturnStatement':
        if (node.argument != null) this.#visit(node.argument, conditional);
        return !conditional;
      case 'IfStatement':
        return this.#branch(node.test, node.consequent, node.alternate ?? undefined, conditional);
      case 'ConditionalExpression':
        return this.#branch(node.test, node.consequent, node.alternate, conditional);
      case 'LogicalExpression':
        if (node.operator === '&&') return this.#branch(node.left, node.right, undefined, conditional);
        break;
      case 'VariableDeclaration':
        // What a function does counts where it is called.
        this.#declare(node);
        for (const { init } of node.declarations)
          if (init != null && !isFunction(init)) this.#visit(init, conditional);
        return false;
      case 'CallExpression':
        return this.#call(node, conditional);
      case 'BlockStatement':
        return node.body.some((statement) => this.#visit(statement, conditional));
    }
    for (const child of childrenOf(node)) {
      const isOwnScope = isFunction(child);
      if (this.#visit(child, conditional) && !isOwnScope && !isFunction(node)) return true;
    }
    return false;
  }

  #branch(gate: Node, yes: Node, no: Node | undefined, conditional: boolean): boolean {
    const decision: Decision = gateOf(gate, this.#options, this.#constants);
    if (decision === true) return this.#visit(yes, conditional);
    if (decision === false) return no !== undefined && this.#visit(no, conditional);
    this.#visit(yes, true);
    if (no !== undefined) this.#visit(no, true);
    return false;
  }

  #call(node: Node & { type: 'CallExpression' }, conditional: boolean): boolean {
    const { callee } = node;
    const [first] = node.arguments;
    if (callee.type === 'MemberExpression' && nameOf(callee.property) === 'step' && first !== undefined) {
      const title = titleOf(first);
      if (title !== undefined) {
        this.#push(title, conditional);
        return false;
      }
    }
    if (callee.type === 'Identifier') this.#visitCalled(callee.name, conditional);
    if (callee.type === 'MemberExpression' && callee.object.type === 'Identifier') {
      const module = this.#imports.get(callee.object.name);
      const name = nameOf(callee.property);
      if (module?.name === '*' && name !== undefined)
        this.#visitImported({ file: module.file, name }, conditional);
    }
    for (const child of childrenOf(node)) this.#visit(child, conditional);
    return false;
  }

  #visitCalled(name: string, conditional: boolean): void {
    const local = this.#functions.get(name);
    if (local !== undefined) {
      this.#visitFunction(name, local, conditional);
      return;
    }
    const routine = routineTitle(this.#constants.get(name));
    if (routine !== undefined) {
      this.#push(routine, conditional);
      return;
    }
    const imported = this.#imports.get(name);
    if (imported !== undefined) this.#visitImported(imported, conditional);
  }

  #visitImported(imported: { file: string; name: string }, conditional: boolean): void {
    if (this.#inside.has(`${imported.file}#${imported.name}`)) return;
    const program = parseFile(imported.file);
    if (program === undefined) return;
    const inside = new Set([...this.#inside, `${imported.file}#${imported.name}`]);
    const steps = new Walk(imported.file, program, this.#options, inside).runFunction(imported.name);
    for (const title of steps) this.#push(title, conditional);
  }

  #push(title: string, conditional: boolean): void {
    this.#steps.push(conditional && !title.endsWith(CONDITIONAL) ? `${title}${CONDITIONAL}` : title);
  }

  #visitFunction(name: string, body: Node, conditional: boolean): void {
    const key = `${this.#file}#${name}()`;
    if (this.#inside.has(key)) return;
    this.#inside.add(key);
    this.#visit(body, conditional);
    this.#inside.delete(key);
  }
}

/** The step that calling `defineRoutine({ name: 'log-in', ... })` makes, without its inputs; see routines/engine. */
function routineTitle(node: Node | undefined): string | undefined {
  if (node?.type !== 'CallExpression' || nameOf(node.callee) !== 'defineRoutine') return undefined;
  const [spec] = node.arguments;
  if (spec?.type !== 'ObjectExpression') return undefined;
  const name = spec.properties.find(
    (property) => property.type === 'ObjectProperty' && nameOf(property.key) === 'name',
  );
  return name?.type === 'ObjectProperty' && name.value.type === 'StringLiteral'
    ? name.value.value.replaceAll('-', ' ')
    : undefined;
}

function titleOf(node: Node): string | undefined {
  if (node.type === 'StringLiteral') return node.value;
  if (node.type !== 'TemplateLiteral') return undefined;
  return node.quasis.map((part) => part.value.cooked ?? part.value.raw).join('…');
}

function nameOf(node: Node): string | undefined {
  return node.type === 'Identifier' ? node.name : undefined;
}

function isFunction(node: Node): boolean {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

/** Child nodes in source order. */
export function childrenOf(node: Node): Node[] {
  const found = Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
    if (key === 'loc' || key.endsWith('Comments') || key === 'typeAnnotation') return [];
    return (Array.isArray(value) ? value : [value]).filter(isNode);
  });
  return found.sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { type?: unknown }).type === 'string' &&
    'start' in value
  );
}
