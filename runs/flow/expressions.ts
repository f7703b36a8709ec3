/**
 * The expressions of a spec: what they are, and the steps that working them out makes.
 *
 * @module
 */
import type { Node } from '@babel/types';
import { Calls } from './calls.ts';
import { environmentValue, optionValue, valueByName, wordsOf } from './gates.ts';
import { PASSED_BY } from './reach.ts';
import type { Scope } from './scope.ts';
import { bare, childrenOf, isFunction, keyOf } from './syntax.ts';
import { combine, known, NAMED, truthOf, unary, UNKNOWN, type Value } from './values.ts';

/** Names under which Playwright's `test` is known. */
const TEST_NAMES = /^(?:test|it|setup|teardown|base)$/;
/** Last words of names that hold options. */
const OPTION_HOLDERS = /^(?:options?|opts|env|flags?|params|config|settings|vars|gates|features|inputs?)$/;

type Of<T extends Node['type']> = Node & { type: T };

export abstract class Expressions extends Calls {
  /** `isAwaited`: what the expression promises is waited for at once. */
  protected override evaluate(given: Node, scope: Scope, isAwaited = false): Value {
    if (!this.reach.isAlive) return UNKNOWN;
    const node = bare(given);
    switch (node.type) {
      case 'StringLiteral':
      case 'NumericLiteral':
      case 'BooleanLiteral':
        return known(node.value);
      case 'NullLiteral':
        return known(null);
      case 'TemplateLiteral':
        return this.#template(node, scope);
      case 'Identifier':
        return this.#name(node.name, scope);
      case 'ThisExpression':
        return scope.get('this') ?? UNKNOWN;
      case 'ArrowFunctionExpression':
      case 'FunctionExpression':
        return this.closure(node, scope);
      case 'ClassExpression':
        return { kind: 'class', node, scope, module: this.module };
      case 'ArrayExpression':
        return this.#array(node, scope);
      case 'ObjectExpression':
        return this.#object(node, scope);
      case 'UnaryExpression':
        return unary(node.operator, this.evaluate(node.argument, scope));
      case 'BinaryExpression':
        return combine(node.operator, this.evaluate(node.left, scope), this.evaluate(node.right, scope));
      case 'LogicalExpression':
        return this.#logical(node, scope, isAwaited);
      case 'ConditionalExpression':
        return this.#conditional(node, scope, isAwaited);
      case 'AssignmentExpression':
        return this.#assignment(node, scope);
      case 'SequenceExpression':
        return node.expressions.map((each) => this.evaluate(each, scope)).at(-1) ?? UNKNOWN;
      case 'AwaitExpression': {
        const value = this.evaluate(node.argument, scope, true);
        this.reach.mayLeave('throw');
        return value;
      }
      case 'MemberExpression':
      case 'OptionalMemberExpression':
        return this.#member(node, scope);
      case 'CallExpression':
      case 'OptionalCallExpression':
        return this.call(node, scope, isAwaited);
      case 'NewExpression':
        return this.construct(node, scope);
      default:
        for (const child of childrenOf(node)) {
          if (!isFunction(child) && !child.type.startsWith('TS')) this.evaluate(child, scope);
        }
        this.reach.mayLeave('throw');
        return UNKNOWN;
    }
  }

  /** Takes the way that `truth` says; undefined: either may be taken. */
  protected choose<T>(truth: boolean | undefined, yes: () => T, no: () => T): T | undefined {
    if (truth !== undefined) return truth ? yes() : no();
    this.reach.join(
      this.reach.frame(false, () => void yes()),
      this.reach.frame(false, () => void no()),
    );
    return undefined;
  }

  protected override memberOf(target: Value, name: string): Value {
    switch (target.kind) {
      case 'object':
        return target.of.get(name) ?? (target.isWhole ? known(undefined) : UNKNOWN);
      case 'array':
        if (name === 'length') return known(target.items.length);
        return /^\d+$/.test(name) ? (target.items[Number(name)] ?? known(undefined)) : UNKNOWN;
      case 'known':
        return name === 'length' && typeof target.value === 'string' ? known(target.value.length) : UNKNOWN;
      case 'instance':
        return this.method(target.of, name, false, target) ?? UNKNOWN;
      case 'class':
        return this.method(target, name, true, target) ?? UNKNOWN;
      case 'api':
        return this.#apiMember(target.path, name);
      case 'unknown':
        return target.isNamed === true ? NAMED : UNKNOWN;
      default:
        return UNKNOWN;
    }
  }

  #apiMember(path: readonly string[], name: string): Value {
    const full = [...path, name].join('.');
    if (path.join('.') === 'process.env') return environmentValue(name, this.options);
    if (full === 'info.project.name') return this.facts.name ?? UNKNOWN;
    if (
      full === 'info.project.metadata.vmwright' ||
      full === 'info.project.use.machine' ||
      full === 'fixtures.machine'
    )
      return { kind: 'object', of: new Map(Object.entries(this.facts)), isWhole: false };
    if (path[0] === 'fixtures') return NAMED;
    if (path[0] === 'info' && !/^(?:project|metadata|use|skip|fixme|fail|slow)$/.test(name)) return UNKNOWN;
    return { kind: 'api', path: [...path, name] };
  }

  #name(name: string, scope: Scope): Value {
    if (name === 'undefined') return known(undefined);
    const value = scope.get(name);
    if (value === undefined && name === 'process') return { kind: 'api', path: ['process'] };
    if (value === undefined) this.reach.mayLeave('throw');
    if (value === undefined || value.kind === 'unknown') {
      if (TEST_NAMES.test(name) && !this.module.assigned.has(name)) return { kind: 'api', path: ['test'] };
      if (name === 'describe') return { kind: 'api', path: ['test', 'describe'] };
      if (value !== undefined && value.isNamed !== true) return UNKNOWN;
      const decided = valueByName(name, this.options);
      return decided.kind === 'unknown' ? NAMED : decided;
    }
    if (!this.module.mutated.has(name)) return value;
    // Somebody may have changed what is in it; a function in it is what its name says all the same.
    if (value.kind === 'array') return UNKNOWN;
    if (value.kind !== 'object') return value;
    const functions = [...value.of].filter(([, each]) => each.kind === 'function');
    return { kind: 'object', of: new Map(functions), isWhole: false };
  }

  #member(node: Of<'MemberExpression'> | Of<'OptionalMemberExpression'>, scope: Scope): Value {
    const target =
      node.object.type === 'MetaProperty'
        ? ({ kind: 'api', path: ['process'] } as const)
        : this.evaluate(node.object, scope);
    const name = this.propertyOf(node, scope);
    if (target.kind === 'unknown') this.reach.mayLeave('throw');
    if (name === undefined) return UNKNOWN;
    const value = this.memberOf(target, name);
    if (value.kind !== 'unknown' || target.kind !== 'unknown' || target.isNamed !== true) return value;
    const holder = wordsOf(keyOf('property' in node.object ? node.object.property : node.object) ?? '');
    const isHolder = OPTION_HOLDERS.test(holder.at(-1) ?? '');
    const decided = isHolder ? optionValue(name, this.options) : UNKNOWN;
    if (decided.kind !== 'unknown') return decided;
    const byName = isHolder ? valueByName(name, this.options) : UNKNOWN;
    return byName.kind === 'unknown' ? NAMED : byName;
  }

  /** The name of a member, where it is settled. */
  protected override propertyOf(
    node: { readonly property: Node; readonly computed: boolean },
    scope: Scope,
  ): string | undefined {
    if (!node.computed) return keyOf(node.property);
    const value = this.evaluate(node.property, scope);
    if (value.kind === 'option') return value.text;
    return value.kind === 'known' ? String(value.value) : undefined;
  }

  #template(node: Of<'TemplateLiteral'>, scope: Scope): Value {
    const values = node.expressions.map((each) => this.evaluate(each, scope));
    const parts = node.quasis.map(({ value }) => value.cooked ?? value.raw);
    const texts = values.map((value) =>
      value.kind === 'known' ? String(value.value) : value.kind === 'option' ? value.text : undefined,
    );
    if (texts.includes(undefined)) return UNKNOWN;
    return known(parts.map((part, index) => part + (texts[index] ?? '')).join(''));
  }

  #array(node: Of<'ArrayExpression'>, scope: Scope): Value {
    const items: Value[] = [];
    let isWhole = true;
    for (const element of node.elements) {
      if (element?.type === 'SpreadElement') {
        const list = this.evaluate(element.argument, scope);
        if (list.kind === 'array') items.push(...list.items);
        else isWhole = false;
      } else items.push(element === null ? known(undefined) : this.evaluate(element, scope));
    }
    return isWhole ? { kind: 'array', items } : UNKNOWN;
  }

  #object(node: Of<'ObjectExpression'>, scope: Scope): Value {
    const of = new Map<string, Value>();
    let isWhole = true;
    for (const property of node.properties) {
      if (property.type === 'SpreadElement') {
        this.evaluate(property.argument, scope);
        of.clear();
        isWhole = false;
        continue;
      }
      const key = property.computed ? undefined : keyOf(property.key);
      const value =
        property.type === 'ObjectMethod'
          ? property.kind === 'method'
            ? this.closure(property, scope)
            : UNKNOWN
          : this.evaluate(property.value, scope);
      if (key === undefined) isWhole = false;
      else of.set(key, value);
    }
    return { kind: 'object', of, isWhole };
  }

  #logical(node: Of<'LogicalExpression'>, scope: Scope, isAwaited: boolean): Value {
    const left = this.evaluate(node.left, scope, isAwaited);
    const right = (): Value => this.evaluate(node.right, scope, isAwaited);
    const isTaken = takesRight(node.operator, left);
    if (isTaken !== undefined) return isTaken ? right() : left;
    let other: Value = UNKNOWN;
    const outcome = this.reach.frame(false, () => {
      other = right();
    });
    this.reach.join(outcome, PASSED_BY);
    const truth = truthOf(other);
    if (node.operator === '&&' && truth === false) return known(false);
    const either = eitherOf([left, other]);
    if (either.kind === 'either') return either;
    return node.operator === '||' && truth === true ? known(true) : UNKNOWN;
  }

  #conditional(node: Of<'ConditionalExpression'>, scope: Scope, isAwaited: boolean): Value {
    const truth = truthOf(this.evaluate(node.test, scope));
    const seen: Value[] = [];
    const one = (branch: Node): Value => {
      const value = this.evaluate(branch, scope, isAwaited);
      seen.push(value);
      return value;
    };
    const value = this.choose(
      truth,
      () => one(node.consequent),
      () => one(node.alternate),
    );
    return value ?? eitherOf(seen);
  }

  #assignment(node: Of<'AssignmentExpression'>, scope: Scope): Value {
    if (/^(?:&&|\|\||\?\?)=$/.test(node.operator)) {
      this.reach.join(
        this.reach.frame(false, () => void this.evaluate(node.right, scope)),
        PASSED_BY,
      );
      return UNKNOWN;
    }
    const value = this.evaluate(node.right, scope);
    if (node.left.type !== 'Identifier') this.reach.mayLeave('throw');
    return node.operator === '=' ? value : UNKNOWN;
  }
}

/** What one of these values is, as far as functions are concerned. */
function eitherOf(values: readonly Value[]): Value {
  const of = values.flatMap((value) =>
    value.kind === 'function' ? value : value.kind === 'either' ? value.of : [],
  );
  return of.length === 0 ? UNKNOWN : { kind: 'either', of };
}

/** Whether a logical operator goes on to its right side. */
function takesRight(operator: string, left: Value): boolean | undefined {
  const truth = truthOf(left);
  if (operator === '&&') return truth;
  if (operator === '||') return truth === undefined ? undefined : !truth;
  if (left.kind === 'unknown') return undefined;
  return left.kind === 'known' && (left.value === null || left.value === undefined);
}
