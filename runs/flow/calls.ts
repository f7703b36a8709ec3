/**
 * Calls in a spec: its own functions and classes, Playwright's `test`, and what nobody here knows.
 *
 * @module
 */
import type { ClassMethod, Node } from '@babel/types';
import { Declarations } from './declarations.ts';
import { optionValue } from './gates.ts';
import { PASSED_BY, without } from './reach.ts';
import { Scope } from './scope.ts';
import { bare, keyOf } from './syntax.ts';
import {
  type ClassValue,
  functionsIn,
  type FunctionValue,
  known,
  pureCall,
  truthOf,
  UNKNOWN,
  type Value,
} from './values.ts';

/** A spec that makes more calls than this is no list of steps. */
const MOST_CALLS = 20_000;

type Member = Node & { type: 'MemberExpression' | 'OptionalMemberExpression' };
type Call = Node & { type: 'CallExpression' | 'OptionalCallExpression' };

export abstract class Calls extends Declarations {
  /** Functions that are being gone through: one that calls itself is gone through once. */
  readonly #active = new Set<Node>();
  #returned: Value[] = [];
  #calls = 0;

  protected abstract executeBody(body: Node, scope: Scope): void;
  protected abstract propertyOf(
    node: { readonly property: Node; readonly computed: boolean },
    scope: Scope,
  ): string | undefined;

  /** There was more to go through than there is time for. */
  get isOverrun(): boolean {
    return this.#calls >= MOST_CALLS;
  }

  /** What a function that is being gone through gives back. */
  protected returned(value: Value): void {
    this.#returned.push(value);
  }

  protected construct(node: Node & { type: 'NewExpression' }, scope: Scope): Value {
    const target = this.evaluate(node.callee, scope);
    const given = this.#arguments(node.arguments, scope);
    this.reach.mayLeave('throw');
    if (target.kind !== 'class') {
      this.#handOver(given);
      return UNKNOWN;
    }
    const self: Value = { kind: 'instance', of: target };
    const made = target.node.body.body.find(
      (member): member is ClassMethod => member.type === 'ClassMethod' && member.kind === 'constructor',
    );
    if (made !== undefined)
      this.invoke(
        this.within(target.module, () => this.closure(made, target.scope, self)),
        given,
        true,
      );
    return self;
  }

  protected call(node: Call, scope: Scope, isAwaited: boolean): Value {
    const callee = bare(node.callee);
    if (callee.type === 'MemberExpression' || callee.type === 'OptionalMemberExpression')
      return this.#callMember(node, callee, scope, isAwaited);
    if (callee.type === 'Import') {
      this.reach.mayLeave('throw');
      return UNKNOWN;
    }
    if (callee.type === 'Super') {
      this.#handOver(this.#arguments(node.arguments, scope));
      return UNKNOWN;
    }
    if (keyOf(callee) === 'defineRoutine') {
      const title = routineTitle(node.arguments[0]);
      if (title !== undefined) return { kind: 'routine', title };
    }
    const target = this.evaluate(callee, scope);
    if (target.kind === 'api') return this.#callApi(node, target.path, scope, isAwaited);
    const given = this.#arguments(node.arguments, scope);
    const [first] = given;
    if (target.kind === 'unknown' && keyOf(callee) === 'Boolean') {
      const truth = truthOf(first ?? UNKNOWN);
      return truth === undefined ? UNKNOWN : known(truth);
    }
    if (target.kind === 'unknown' && keyOf(callee) === 'env' && first?.kind === 'known')
      return optionValue(String(first.value), this.options);
    return this.#callValue(target, given, node, isAwaited);
  }

  #callMember(node: Call, callee: Member, scope: Scope, isAwaited: boolean): Value {
    const isSuper = callee.object.type === 'Super';
    const target = isSuper ? this.#superOf(scope) : this.evaluate(callee.object, scope);
    const name = this.propertyOf(callee, scope);
    if (target.kind === 'unknown') this.reach.mayLeave('throw');
    const ownStep = name === 'step' ? this.memberOf(target, 'step') : UNKNOWN;
    if (name === 'step' && ownStep.kind !== 'function' && node.arguments.length > 0) {
      if (this.#step(node, target, scope, isAwaited)) return UNKNOWN;
    }
    if (target.kind === 'api' && name !== undefined && target.path[0] !== 'file') {
      if (name === 'info' && target.path[0] === 'test') return { kind: 'api', path: ['info'] };
      const member = this.memberOf(target, name);
      if (member.kind === 'api') return this.#callApi(node, member.path, scope, isAwaited);
    }
    const found =
      name === undefined
        ? UNKNOWN
        : target.kind === 'api' && target.path[0] === 'file'
          ? this.exported(target.path[1] ?? '', name)
          : this.memberOf(target, name);
    if (name === 'all' && keyOf(callee.object) === 'Promise') return this.#all(node, scope, isAwaited);
    const given = this.#arguments(node.arguments, scope);
    const [first] = given;
    if ((name === 'forEach' || name === 'map') && target.kind === 'array' && first?.kind === 'function') {
      const items = target.items.map((item, index) =>
        this.invoke(first, [item, known(index)], isAwaited && name === 'map'),
      );
      return name === 'map' ? { kind: 'array', items } : known(undefined);
    }
    if (found.kind === 'unknown') {
      if (name === 'env' && first?.kind === 'known') return optionValue(String(first.value), this.options);
      const pure = name === undefined ? UNKNOWN : pureCall(target, name, given);
      if (pure.kind !== 'unknown') return pure;
      if (name !== undefined && target.kind === 'unknown') this.#callNamed(name, given);
      if (target.kind === 'function') given.push(target);
    }
    return this.#callValue(withSelf(found, target), given, node, isAwaited);
  }

  #superOf(scope: Scope): Value {
    const self = scope.get('this');
    const parent = self?.kind === 'instance' ? this.parentOf(self.of) : undefined;
    return parent === undefined ? UNKNOWN : { kind: 'instance', of: parent };
  }

  /** A method of nobody knows which object: each that bears the name may be meant. */
  #callNamed(name: string, given: readonly Value[]): void {
    for (const { module, node } of this.modules.classesNear(this.module)) {
      const of: ClassValue = { kind: 'class', node, module, scope: this.scopeOf(module) };
      const method = this.method(of, name, false, { kind: 'instance', of });
      if (method?.kind !== 'function') continue;
      this.reach.join(
        without(
          this.reach.guarded(false, () => void this.invoke(method, given, false)),
          ['return'],
        ),
        PASSED_BY,
      );
    }
  }

  /** Elements of `Promise.all([…])` are waited for with it. */
  #all(node: Call, scope: Scope, isAwaited: boolean): Value {
    const [list] = node.arguments;
    if (list?.type === 'ArrayExpression')
      for (const element of list.elements)
        if (element !== null && element.type !== 'SpreadElement') this.evaluate(element, scope, isAwaited);
        else if (element !== null) this.evaluate(element.argument, scope, isAwaited);
        else continue;
    else if (list !== undefined) this.evaluate(list, scope, isAwaited);
    this.reach.mayLeave('throw');
    return UNKNOWN;
  }

  #arguments(nodes: readonly Node[], scope: Scope): Value[] {
    const values: Value[] = [];
    let isCertain = true;
    for (const node of nodes) {
      const value = this.evaluate(node.type === 'SpreadElement' ? node.argument : node, scope);
      if (node.type === 'SpreadElement') isCertain = false;
      values.push(isCertain ? value : UNKNOWN);
    }
    return values;
  }

  #callValue(target: Value, given: readonly Value[], node: Node, isAwaited: boolean): Value {
    if (target.kind === 'function') return this.invoke(target, given, isAwaited);
    this.reach.mayLeave('throw');
    if (target.kind === 'either') {
      this.#handOver([target]);
      return UNKNOWN;
    }
    if (target.kind === 'routine') {
      this.note(target.title);
      return UNKNOWN;
    }
    const last = given.at(-1);
    if (this.isDeclaring && last?.kind === 'function') {
      const before = this.declared;
      this.#handOver(given);
      // Whatever declares a test here, its body is a test's.
      if (this.declared === before) this.declareTest(last, node, { isSure: false });
      return UNKNOWN;
    }
    this.#handOver(given);
    return UNKNOWN;
  }

  /** Functions that get into other hands may be called, or not. */
  #handOver(given: readonly Value[]): void {
    for (const body of given.flatMap((value) => functionsIn(value))) {
      const outcome = this.reach.guarded(false, () => void this.invoke(body, [], false));
      this.reach.join(outcome, PASSED_BY);
    }
  }

  protected override invoke(of: FunctionValue, given: readonly Value[], isAwaited: boolean): Value {
    const node = of.node as Node & {
      readonly params: readonly Node[];
      readonly body: Node;
      readonly async?: boolean;
      readonly generator?: boolean;
    };
    if (this.#active.has(node) || this.isOverrun) {
      this.reach.mayLeave('throw');
      return UNKNOWN;
    }
    this.#calls++;
    const scope = new Scope(of.scope);
    if (node.type !== 'ArrowFunctionExpression') scope.set('this', of.self ?? UNKNOWN);
    // What it promises is nobody's business yet: an error in it does not end what follows.
    const isLoose = (node.async === true && !isAwaited) || node.generator === true;
    const outer = this.#returned;
    this.#returned = [];
    let value: Value = UNKNOWN;
    const body = (): void => {
      for (const [index, param] of node.params.entries())
        this.bind(param, param.type === 'RestElement' ? UNKNOWN : (given[index] ?? known(undefined)), scope);
      if (node.body.type === 'BlockStatement') this.executeBody(node.body, scope);
      else value = this.evaluate(node.body, scope, true);
    };
    this.#active.add(node);
    const isSure = this.reach.isSure && node.generator !== true;
    const outcome = this.within(of.module, () =>
      isLoose ? this.reach.guarded(isSure, body) : this.reach.frame(isSure, body),
    );
    this.#active.delete(node);
    if (node.body.type === 'BlockStatement') value = outcome.alive ? UNKNOWN : sameOf(this.#returned);
    this.#returned = outer;
    const left = without(outcome, ['return']);
    this.reach.join(isLoose ? { alive: true, exits: left.exits } : left);
    return isLoose ? UNKNOWN : value;
  }

  /** Returns false when it is no step: something else has a method of this name. */
  #step(node: Call, target: Value, scope: Scope, isAwaited: boolean): boolean {
    const [first] = node.arguments;
    const title = first === undefined ? undefined : this.#title(first, scope);
    if (title === undefined && target.kind !== 'api') return false;
    this.note(title ?? '…');
    const given = this.#arguments(node.arguments.slice(1), scope);
    const body = given.find((value): value is FunctionValue => value.kind === 'function');
    if (body === undefined) {
      this.reach.mayLeave('throw');
      return true;
    }
    const run = (): void => void this.quietly(() => this.invoke(body, [UNKNOWN], true));
    const isSure = this.reach.isSure;
    const outcome = isAwaited ? this.reach.frame(isSure, run) : this.reach.guarded(isSure, run);
    this.reach.join(isAwaited ? outcome : { ...outcome, alive: true });
    this.reach.mayLeave('throw');
    return true;
  }

  /** `…` stands for what is not known before the run. */
  #title(node: Node, scope: Scope): string | undefined {
    const value = this.evaluate(node, scope);
    if (value.kind === 'known' && typeof value.value === 'string') return value.value;
    const literal = bare(node);
    if (literal.type !== 'TemplateLiteral') return undefined;
    const parts = literal.expressions.map((each) => this.quietly(() => this.evaluate(each, scope)));
    return literal.quasis
      .map(({ value: { cooked, raw } }, index) => {
        const part = parts[index];
        const shown = part === undefined ? '' : part.kind === 'known' ? String(part.value) : '…';
        return (cooked ?? raw) + shown;
      })
      .join('');
  }

  /** `test`, `test.describe.skip`, `test.beforeEach`, `testInfo.fixme`. */
  #callApi(node: Call, path: readonly string[], scope: Scope, isAwaited: boolean): Value {
    const [root, ...rest] = path;
    const last = rest.at(-1);
    if (root === 'test' && rest.join('.') === 'step.skip') {
      // Its body never runs.
      if (node.arguments[0] !== undefined) this.evaluate(node.arguments[0], scope);
      return UNKNOWN;
    }
    if (last === 'extend' && root === 'test') return { kind: 'api', path: ['test'] };
    const given = this.#arguments(node.arguments, scope);
    const body = given.at(-1);
    const isDeclaration = given.length > 1 && body?.kind === 'function' && given[0]?.kind !== 'function';
    if (root === 'test' || root === 'info') {
      if (rest.includes('describe')) this.declareGroup(rest, body);
      else if (/^(?:before|after)(?:Each|All)$/.test(last ?? '')) this.hook(last ?? '', body);
      else if (isDeclaration && root === 'test' && this.isDeclaring) {
        const isLeftOut = rest.some((word) => word === 'skip' || word === 'fixme');
        if (!isLeftOut) this.declareTest(body, node, { isSure: true, isFailing: rest.includes('fail') });
      } else if (last === 'skip' || last === 'fixme') this.skip(given);
      else if (last === 'fail' && this.applies(given) !== false) this.expectFailure();
      return UNKNOWN;
    }
    return this.#callValue(UNKNOWN, given, node, isAwaited);
  }
}

/** What a function gives back on each of its ways. */
function sameOf(values: readonly Value[]): Value {
  const [first, ...others] = values;
  if (first === undefined) return UNKNOWN;
  if (others.length === 0) return first;
  const isSame =
    first.kind === 'known' && others.every((each) => each.kind === 'known' && each.value === first.value);
  return isSame ? first : UNKNOWN;
}

function withSelf(found: Value, self: Value): Value {
  return found.kind === 'function' && found.self === undefined ? { ...found, self } : found;
}

/** The step that calling `defineRoutine({ name: 'log-in', ... })` makes, without its inputs; see routines/engine. */
function routineTitle(spec: Node | undefined): string | undefined {
  if (spec?.type !== 'ObjectExpression') return undefined;
  const name = spec.properties.find(
    (property) => property.type === 'ObjectProperty' && keyOf(property.key) === 'name',
  );
  return name?.type === 'ObjectProperty' && name.value.type === 'StringLiteral'
    ? name.value.value.replaceAll('-', ' ')
    : undefined;
}
