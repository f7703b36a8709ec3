/**
 * What the names in a spec stand for: its own, and those of the files that it imports.
 *
 * @module
 */
import type { Node } from '@babel/types';
import type { GateOptions } from './gates.ts';
import { exportsOf, type Module, type Modules } from './modules.ts';
import { PASSED_BY, Reach } from './reach.ts';
import { Scope } from './scope.ts';
import { bare, isFunction, keyOf, namesIn } from './syntax.ts';
import { type ClassValue, type FunctionValue, NAMED, UNKNOWN, type Value } from './values.ts';

/** What is known of the run for which a spec is read. */
export interface WalkOptions {
  readonly modules: Modules;
  readonly options: GateOptions;
  /** Facts of the machine, as its fixture has them. */
  readonly facts?: Readonly<Record<string, Value>>;
  /** Lines of the tests that are run; absent: all. */
  readonly lines?: ReadonlySet<number>;
}

export abstract class Names {
  protected readonly reach = new Reach();
  protected readonly options: GateOptions;
  protected readonly facts: Readonly<Record<string, Value>>;
  protected readonly modules: Modules;
  readonly #scopes = new Map<string, Scope>();
  #module: Module | undefined;
  #muted = 0;
  #isAside = false;

  constructor({ modules, options, facts = {} }: WalkOptions) {
    this.modules = modules;
    this.options = options;
    this.facts = facts;
  }

  protected abstract evaluate(node: Node, scope: Scope, isAwaited?: boolean): Value;
  protected abstract memberOf(target: Value, name: string): Value;

  /** The file whose code is gone through. */
  protected get module(): Module {
    if (this.#module === undefined) throw new Error('no file is being read');
    return this.#module;
  }

  /** No step is noted. */
  protected get isQuiet(): boolean {
    return this.#muted > 0;
  }

  /** What is worked out is no part of the way that is gone: it declares nothing. */
  protected get isAside(): boolean {
    return this.#isAside;
  }

  /** Notes no step. */
  protected quietly<T>(look: () => T): T {
    this.#muted++;
    const value = look();
    this.#muted--;
    return value;
  }

  protected closure(node: Node, scope: Scope, self?: Value): FunctionValue {
    return { kind: 'function', node, scope, module: this.module, self };
  }

  /** Names of a block before its first statement. */
  protected declare(statements: readonly Node[], scope: Scope): void {
    for (const statement of statements) {
      const node =
        statement.type === 'ExportNamedDeclaration' ? (statement.declaration ?? statement) : statement;
      if (node.type === 'FunctionDeclaration' && node.id != null)
        scope.set(node.id.name, this.closure(node, scope));
      if (node.type === 'ClassDeclaration' && node.id != null)
        scope.set(node.id.name, { kind: 'class', node, scope, module: this.module });
      if (node.type === 'VariableDeclaration')
        for (const { id } of node.declarations) for (const name of namesIn(id)) scope.set(name, UNKNOWN);
    }
  }

  /** The names of a file. What its constants are is worked out when they are asked for. */
  protected scopeOf(module: Module): Scope {
    const made = this.#scopes.get(module.file);
    if (made !== undefined) return made;
    const scope = new Scope(undefined, module.assigned);
    this.#scopes.set(module.file, scope);
    this.within(module, () => {
      this.declare(module.program.body, scope);
      for (const statement of module.program.body) {
        const node = 'declaration' in statement ? statement.declaration : statement;
        if (statement.type === 'ImportDeclaration') this.#import(statement, module, scope);
        if (node?.type !== 'VariableDeclaration') continue;
        for (const { id, init } of node.declarations) {
          if (init == null) continue;
          const value = once(() => this.aside(module, () => this.evaluate(init, scope)));
          if (id.type === 'Identifier') scope.set(id.name, value);
          else for (const name of namesIn(id)) scope.set(name, () => this.#part(id, value(), name, scope));
        }
      }
    });
    return scope;
  }

  #part(pattern: Node, value: Value, name: string, scope: Scope): Value {
    const parts = new Scope(scope, new Set());
    this.quietly(() => this.bind(pattern, value, parts));
    return parts.get(name) ?? UNKNOWN;
  }

  #import(node: Node & { type: 'ImportDeclaration' }, module: Module, scope: Scope): void {
    for (const specifier of node.specifiers) {
      const { name } = specifier.local;
      const own = module.imports.get(name);
      const imported = specifier.type === 'ImportSpecifier' ? keyOf(specifier.imported) : undefined;
      if (own !== undefined && own.name !== '*') scope.set(name, () => this.exported(own.file, own.name));
      else if (own !== undefined) scope.set(name, { kind: 'api', path: ['file', own.file] });
      else scope.set(name, imported === 'test' ? { kind: 'api', path: ['test'] } : NAMED);
    }
  }

  protected exported(file: string, name: string, depth = 10): Value {
    const module = this.modules.get(file);
    if (module === undefined || depth === 0) return NAMED;
    const scope = this.scopeOf(module);
    for (const found of exportsOf(module, name)) {
      const value =
        'node' in found
          ? this.aside(module, () => this.#default(found.node, scope))
          : 'local' in found
            ? this.aside(module, () => this.evaluate(identifier(found.local), scope))
            : this.exported(found.file, found.name, depth - 1);
      if (value.kind !== 'unknown' || !('file' in found)) return value;
    }
    return NAMED;
  }

  #default(node: Node, scope: Scope): Value {
    if (isFunction(node)) return this.closure(node, scope);
    return node.type === 'ClassDeclaration'
      ? { kind: 'class', node, scope, module: this.module }
      : this.evaluate(node, scope);
  }

  /** Works something out that is no part of the way that is gone. */
  protected aside<T>(module: Module, look: () => T): T {
    const outer = this.#isAside;
    this.#isAside = true;
    let value: T | undefined;
    this.reach.fresh(false, false, () => {
      value = this.quietly(() => this.within(module, look));
    });
    this.#isAside = outer;
    return value as T;
  }

  protected within<T>(module: Module, look: () => T): T {
    const outer = this.#module;
    this.#module = module;
    const value = look();
    this.#module = outer;
    return value;
  }

  /** Gives the names of a pattern their values. */
  protected bind(pattern: Node, value: Value, scope: Scope): void {
    switch (pattern.type) {
      case 'Identifier':
        scope.set(pattern.name, value);
        return;
      case 'AssignmentPattern': {
        const isAbsent =
          value.kind === 'known' ? value.value === undefined : value.kind === 'unknown' ? undefined : false;
        const fallback = isAbsent === true ? this.evaluate(pattern.right, scope) : UNKNOWN;
        if (isAbsent === undefined)
          this.reach.join(
            this.reach.frame(false, () => void this.evaluate(pattern.right, scope)),
            PASSED_BY,
          );
        this.bind(pattern.left, isAbsent === true ? fallback : value, scope);
        return;
      }
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') this.bind(property.argument, UNKNOWN, scope);
          else {
            const key = property.computed ? undefined : keyOf(property.key);
            this.bind(property.value, key === undefined ? UNKNOWN : this.memberOf(value, key), scope);
          }
        }
        return;
      case 'ArrayPattern':
        for (const [index, element] of pattern.elements.entries())
          if (element !== null) this.bind(element, this.memberOf(value, String(index)), scope);
        return;
      case 'RestElement':
        this.bind(pattern.argument, UNKNOWN, scope);
        return;
      case 'TSParameterProperty':
        this.bind(pattern.parameter, value, scope);
    }
  }

  /** A method of a class, or of the one that it extends. */
  protected method(of: ClassValue, name: string, isStatic: boolean, self: Value): Value | undefined {
    for (const member of of.node.body.body) {
      if (!('key' in member) || !('static' in member) || (member.static ?? false) !== isStatic) continue;
      if (keyOf(member.key) !== name) continue;
      if (member.type === 'ClassMethod' || member.type === 'ClassPrivateMethod')
        return this.within(of.module, () => this.closure(member, of.scope, self));
      if ('value' in member && member.value != null && isFunction(bare(member.value))) {
        const scope = new Scope(of.scope);
        scope.set('this', self);
        return this.within(of.module, () => this.closure(bare(member.value as Node), scope, self));
      }
      return undefined;
    }
    const parent = this.parentOf(of);
    return parent === undefined ? undefined : this.method(parent, name, isStatic, self);
  }

  protected parentOf(of: ClassValue): ClassValue | undefined {
    const { superClass } = of.node;
    if (superClass == null) return undefined;
    const parent = this.aside(of.module, () => this.evaluate(superClass, of.scope));
    return parent.kind === 'class' && parent.node !== of.node ? parent : undefined;
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function identifier(name: string): Node {
  return { type: 'Identifier', name };
}
