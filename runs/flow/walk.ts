/**
 * Goes through a spec as a run would, on every way that it may take, and notes the steps.
 *
 * @module
 */
import type { Node, Statement } from '@babel/types';
import { Expressions } from './expressions.ts';
import type { Module } from './modules.ts';
import { type Outcome, PASSED_BY, without } from './reach.ts';
import { Scope } from './scope.ts';
import { holds, isFunction } from './syntax.ts';
import { combine, known, truthOf, UNKNOWN, type Value } from './values.ts';

/** A list that is longer is gone through as if nobody knew its length. */
const MOST_TURNS = 100;

export class Walk extends Expressions {
  /** The steps of a spec's tests, in the order in which they are declared. */
  run(module: Module): readonly { readonly title: string; readonly isSure: boolean }[] {
    const scope = this.scopeOf(module);
    this.collect(module, () => {
      for (const statement of module.program.body) this.execute(statement, scope);
    });
    return this.steps;
  }

  protected override executeBody(body: Node, scope: Scope): void {
    this.execute(body, scope);
  }

  protected execute(node: Node, scope: Scope): void {
    if (!this.reach.isAlive) return;
    switch (node.type) {
      case 'ExpressionStatement':
        this.evaluate(node.expression, scope);
        return;
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) {
          const value = init == null ? known(undefined) : this.evaluate(init, scope);
          if (id.type !== 'Identifier') this.reach.mayLeave('throw');
          this.bind(id, value, scope);
        }
        return;
      case 'BlockStatement':
        this.#block(node.body, scope);
        return;
      case 'IfStatement': {
        const truth = truthOf(this.evaluate(node.test, scope));
        const no = node.alternate;
        this.choose(
          truth,
          () => this.execute(node.consequent, scope),
          () => (no == null ? undefined : this.execute(no, scope)),
        );
        return;
      }
      case 'ReturnStatement':
        this.returned(node.argument == null ? known(undefined) : this.evaluate(node.argument, scope, true));
        this.reach.leave('return');
        return;
      case 'ThrowStatement':
        this.evaluate(node.argument, scope);
        this.reach.leave('throw');
        return;
      case 'BreakStatement':
        this.reach.leave(`break:${node.label?.name ?? ''}`);
        return;
      case 'ContinueStatement':
        this.reach.leave(`continue:${node.label?.name ?? ''}`);
        return;
      case 'LabeledStatement':
        this.#labelled(node.body, node.label.name, scope);
        return;
      case 'TryStatement':
        this.#try(node, scope);
        return;
      case 'SwitchStatement':
        this.#switch(node, scope);
        return;
      case 'ForOfStatement':
      case 'ForInStatement':
      case 'ForStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        this.#loop(node, '', scope);
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration != null) this.execute(node.declaration, scope);
        return;
      case 'ExportDefaultDeclaration':
        if (!isFunction(node.declaration) && node.declaration.type !== 'ClassDeclaration')
          this.evaluate(node.declaration, scope);
        return;
    }
  }

  #block(statements: readonly Statement[], outer: Scope): void {
    const scope = new Scope(outer);
    this.declare(statements, scope);
    for (const statement of statements) this.execute(statement, scope);
  }

  #labelled(body: Statement, label: string, scope: Scope): void {
    const isLoop = /^(?:For|While|DoWhile)/.test(body.type);
    const outcome = this.reach.frame(this.reach.isSure, () => {
      if (isLoop) this.#loop(body, label, scope);
      else this.execute(body, scope);
    });
    this.reach.join(without(outcome, [`break:${label}`]));
  }

  #loop(node: Node, label: string, outer: Scope): void {
    const scope = new Scope(outer);
    if (node.type === 'ForOfStatement' || node.type === 'ForInStatement') {
      this.#forEach(node, label, scope);
      return;
    }
    if (node.type === 'DoWhileStatement') {
      const outcome = this.#turn(this.reach.isSure, label, () => this.execute(node.body, scope));
      let isEndless = false;
      const whole = this.reach.frame(this.reach.isSure, () => {
        this.reach.join(outcome);
        if (this.reach.isAlive) isEndless = truthOf(this.evaluate(node.test, scope)) === true;
      });
      const alive = whole.alive && !isEndless;
      this.reach.join(without({ ...whole, alive }, breaks(label)));
      return;
    }
    if (node.type !== 'ForStatement' && node.type !== 'WhileStatement') return;
    const test = this.#entry(node, scope);
    if (test === false) return;
    const condition = node.test;
    const isEndless =
      condition == null || truthOf(this.quietly(() => this.evaluate(condition, scope))) === true;
    const outcome = this.#turn(this.reach.isSure && test === true, label, () => {
      this.execute(node.body, scope);
      if (node.type === 'ForStatement' && node.update != null) this.evaluate(node.update, scope);
    });
    const ended = without({ ...outcome, alive: false }, breaks(label));
    this.reach.join(ended, ...(isEndless ? [] : [PASSED_BY]));
  }

  /** Whether a loop is entered: what its test says of the values that it begins with. */
  #entry(node: Node & { type: 'ForStatement' | 'WhileStatement' }, scope: Scope): boolean | undefined {
    if (node.type === 'WhileStatement') return truthOf(this.evaluate(node.test, scope));
    const { init, test } = node;
    const first = new Scope(scope, new Set());
    if (init?.type === 'VariableDeclaration') {
      for (const { id, init: value } of init.declarations) {
        const begun = value == null ? UNKNOWN : this.evaluate(value, scope);
        this.bind(id, begun, first);
        this.bind(id, UNKNOWN, scope);
      }
    } else if (init != null) this.evaluate(init, scope);
    return test == null ? true : truthOf(this.evaluate(test, first));
  }

  #forEach(node: Node & { type: 'ForOfStatement' | 'ForInStatement' }, label: string, scope: Scope): void {
    const list = this.evaluate(node.right, scope);
    this.reach.mayLeave('throw');
    const isKnown =
      node.type === 'ForOfStatement' && list.kind === 'array' && list.items.length <= MOST_TURNS;
    const turn = (item: Value): void => {
      const inner = new Scope(scope);
      const names = node.left.type === 'VariableDeclaration' ? node.left.declarations : [];
      for (const { id } of names) this.bind(id, item, inner);
      this.execute(node.body, inner);
    };
    if (!isKnown) {
      const outcome = this.#turn(false, label, () => turn(UNKNOWN));
      this.reach.join(without({ ...outcome, alive: true }, breaks(label)));
      return;
    }
    const whole = this.reach.frame(this.reach.isSure, () => {
      for (const item of list.items)
        this.reach.join(this.reach.isAlive ? this.#turn(this.reach.isSure, label, () => turn(item)) : DEAD);
    });
    this.reach.join(without(whole, breaks(label)));
  }

  #turn(isSure: boolean, label: string, body: () => void): Outcome {
    return without(this.reach.frame(isSure, body), [
      'continue:',
      ...(label === '' ? [] : [`continue:${label}`]),
    ]);
  }

  #switch(node: Node & { type: 'SwitchStatement' }, outer: Scope): void {
    const subject = this.evaluate(node.discriminant, outer);
    const scope = new Scope(outer);
    this.declare(
      node.cases.flatMap(({ consequent }) => consequent),
      scope,
    );
    // Undefined: it may be this one. A sure match is only the first.
    const matches = node.cases.map(({ test }) =>
      test == null ? false : truthOf(combine('===', subject, this.evaluate(test, scope))),
    );
    const sure = matches.indexOf(true);
    const isOpen = (index: number): boolean => matches[index] === undefined && (sure < 0 || index < sure);
    const hasOpen = matches.some((_, index) => isOpen(index));
    const entry = (index: number): boolean | undefined => {
      const isDefault = node.cases[index]?.test == null;
      if (isDefault ? sure < 0 : index === sure) return hasOpen ? undefined : true;
      return isOpen(index) ? undefined : false;
    };
    const hasDefault = node.cases.some(({ test }) => test == null);
    const isSure = this.reach.isSure;
    let before: Outcome = DEAD;
    const exits = new Set<string>();
    for (const [index, { consequent }] of node.cases.entries()) {
      const entered = entry(index);
      if (entered === false && !before.alive) continue;
      const isCertain =
        isSure &&
        (entered === true || (entered === false && before.exits.size === 0 && this.reach.areFatal(exits)));
      const outcome = this.reach.frame(isCertain, () => {
        for (const statement of consequent) this.execute(statement, scope);
      });
      for (const exit of outcome.exits) exits.add(exit);
      before = outcome.alive ? { alive: true, exits: new Set(isCertain ? [] : ['maybe']) } : DEAD;
    }
    const mayMissAll = sure < 0 && !hasDefault;
    const whole = { alive: before.alive || mayMissAll, exits };
    this.reach.join(without(whole, ['break:']));
  }

  #try(node: Node & { type: 'TryStatement' }, scope: Scope): void {
    const { handler, finalizer } = node;
    const isSure = this.reach.isSure;
    const rethrows = handler == null || this.#onlyThrows(handler, scope);
    const swallows = finalizer != null && holds(finalizer, /^(?:Return|Break|Continue)Statement$/);
    const body = (): void => this.#block(node.block.body, scope);
    let outcome = rethrows && !swallows ? this.reach.frame(isSure, body) : this.reach.guarded(isSure, body);
    const isThrown = THROWN.some((exit) => outcome.exits.has(exit));
    if (handler != null && isThrown) {
      const isCertain = isSure && !outcome.alive && [...outcome.exits].every((exit) => THROWN.includes(exit));
      const caught = this.reach.frame(isCertain, () => {
        const inner = new Scope(scope);
        if (handler.param != null) this.bind(handler.param, UNKNOWN, inner);
        this.#block(handler.body.body, inner);
      });
      const rest = without(outcome, THROWN, false);
      outcome = { alive: rest.alive || caught.alive, exits: new Set([...rest.exits, ...caught.exits]) };
    }
    if (finalizer == null) {
      this.reach.join(outcome);
      return;
    }
    const last = this.reach.frame(isSure, () => this.#block(finalizer.body, scope));
    this.reach.join({
      alive: outcome.alive && last.alive,
      exits: new Set([...(last.alive ? outcome.exits : []), ...last.exits]),
    });
  }

  /** A handler that passes on each error catches none. */
  #onlyThrows(handler: NonNullable<(Node & { type: 'TryStatement' })['handler']>, scope: Scope): boolean {
    const inner = new Scope(scope);
    if (handler.param != null) this.bind(handler.param, UNKNOWN, inner);
    const { alive, exits } = this.quietly(() =>
      this.reach.frame(false, () => this.#block(handler.body.body, inner)),
    );
    return !alive && [...exits].every((exit) => exit === 'throw');
  }
}

const DEAD: Outcome = { alive: false, exits: new Set() };
const THROWN = ['throw', 'skip'];

function breaks(label: string): string[] {
  return ['break:', ...(label === '' ? [] : [`break:${label}`])];
}
