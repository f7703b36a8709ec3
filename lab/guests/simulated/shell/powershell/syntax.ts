/**
 * PowerShell's syntax tree and its parser.
 *
 * @module
 */
import { PowerShellError, type Token, tokenize } from './tokens.ts';

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number }
  | { readonly kind: 'template'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'member'; readonly object: Expression; readonly name: string }
  | {
      readonly kind: 'method';
      readonly object: Expression;
      readonly name: string;
      readonly items: readonly Expression[];
    }
  | {
      /** `[Type]::Name`, or a call of it with `items`. */
      readonly kind: 'static';
      readonly type: string;
      readonly name: string;
      readonly items: readonly Expression[] | undefined;
    }
  | { readonly kind: 'cast'; readonly type: string; readonly operand: Expression }
  | { readonly kind: 'hash'; readonly entries: readonly (readonly [string, Expression])[] }
  | { readonly kind: 'at'; readonly pipeline: Pipeline }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | { readonly kind: 'not'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

export interface CommandCall {
  readonly kind: 'command';
  readonly name: Expression;
  readonly positional: readonly Expression[];
  /** Lower-case names; switches are undefined. */
  readonly named: ReadonlyMap<string, Expression | undefined>;
  /** The words as written, for native programs. */
  readonly words: readonly Expression[];
}

export interface Pipeline {
  readonly stages: readonly (CommandCall | Expression)[];
}

export type Statement =
  | { readonly kind: 'assign'; readonly name: string; readonly value: Pipeline; readonly adds: boolean }
  | {
      readonly kind: 'set-static';
      readonly type: string;
      readonly name: string;
      readonly value: Pipeline;
    }
  | { readonly kind: 'while'; readonly test: Pipeline; readonly body: readonly Statement[] }
  | { readonly kind: 'throw'; readonly value: Pipeline }
  | { readonly kind: 'break' }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly test: Pipeline; readonly body: readonly Statement[] }[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly kind: 'foreach';
      readonly name: string;
      readonly source: Pipeline;
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: 'try';
      readonly body: readonly Statement[];
      readonly handler: readonly Statement[] | undefined;
      readonly always: readonly Statement[];
    }
  | { readonly kind: 'exit'; readonly code: Expression | undefined }
  | { readonly kind: 'run'; readonly pipeline: Pipeline };

/** @throws PowerShellError for what is outside of the subset */
export function parse(script: string): readonly Statement[] {
  const parser = new Parser(tokenize(script));
  const statements = parser.statements();
  parser.expectEnd();
  return statements;
}

/** Switches take no value: what follows them is an argument of its own. */
const SWITCHES = new Set(
  [
    'force',
    'recurse',
    'noprofile',
    'passthru',
    'wait',
    'descending',
    'confirm',
    'im',
    'f',
    't',
    'file',
    'directory',
    'raw',
    'includeusername',
    'allowstartifonbatteries',
    'dontstopifgoingonbatteries',
    'compress',
    'expandproperty',
  ].filter((name) => name !== 'im' && name !== 'expandproperty'),
);

const COMPARISONS = [
  ...['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'like', 'notlike', 'match', 'notmatch'],
  ...['contains', 'notcontains', 'in', 'join', 'replace'],
];

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expectEnd(): void {
    if (this.#peek() !== undefined) throw this.#unexpected();
  }

  statements(): Statement[] {
    const result: Statement[] = [];
    for (;;) {
      while (this.#peek()?.type === 'separator') this.#at++;
      if (this.#peek() === undefined || this.#is('}')) return result;
      result.push(this.#statement());
    }
  }

  #statement(): Statement {
    const token = this.#peek();
    if (token?.type === 'word') {
      const keyword = token.text.toLowerCase();
      if (keyword === 'if') return this.#if();
      if (keyword === 'foreach') return this.#foreach();
      if (keyword === 'try') return this.#try();
      if (keyword === 'while') return this.#while();
      if (keyword === 'break') {
        this.#at++;
        return { kind: 'break' };
      }
      if (keyword === 'throw') {
        this.#at++;
        return { kind: 'throw', value: this.#pipeline() };
      }
      if (keyword === 'exit') {
        this.#at++;
        const next = this.#peek();
        const isBare = next === undefined || next.type === 'separator' || this.#is('}');
        return { kind: 'exit', code: isBare ? undefined : this.#primary() };
      }
    }
    const next = this.#tokens[this.#at + 1];
    if (token?.type === 'variable' && next?.type === 'operator' && /^\+?=$/.test(next.text)) {
      this.#at += 2;
      return { kind: 'assign', name: token.text, value: this.#pipeline(), adds: next.text === '+=' };
    }
    const third = this.#tokens[this.#at + 2];
    if (
      token?.type === 'type' &&
      next?.type === 'static' &&
      third?.type === 'operator' &&
      third.text === '='
    ) {
      this.#at += 3;
      return { kind: 'set-static', type: token.text, name: next.text, value: this.#pipeline() };
    }
    return { kind: 'run', pipeline: this.#pipeline() };
  }

  #if(): Statement {
    const branches: { test: Pipeline; body: Statement[] }[] = [];
    do {
      this.#at++;
      this.#take('(');
      const test = this.#pipeline();
      this.#take(')');
      branches.push({ test, body: this.#body() });
      this.#skipLines('elseif', 'else');
    } while (this.#isWord('elseif'));
    if (!this.#isWord('else')) return { kind: 'if', branches, otherwise: [] };
    this.#at++;
    return { kind: 'if', branches, otherwise: this.#body() };
  }

  #foreach(): Statement {
    this.#at++;
    this.#take('(');
    const variable = this.#next();
    if (variable.type !== 'variable') throw this.#unexpected();
    const separator = this.#next();
    if (separator.type !== 'word' || separator.text !== 'in') throw this.#unexpected();
    const source = this.#pipeline();
    this.#take(')');
    return { kind: 'foreach', name: variable.text, source, body: this.#body() };
  }

  #try(): Statement {
    this.#at++;
    const body = this.#body();
    this.#skipLines('catch', 'finally');
    let handler: Statement[] | undefined;
    if (this.#isWord('catch')) {
      this.#at++;
      handler = this.#body();
      this.#skipLines('finally');
    }
    if (!this.#isWord('finally')) {
      if (handler === undefined) throw this.#unexpected();
      return { kind: 'try', body, handler, always: [] };
    }
    this.#at++;
    return { kind: 'try', body, handler, always: this.#body() };
  }

  #while(): Statement {
    this.#at++;
    this.#take('(');
    const test = this.#pipeline();
    this.#take(')');
    return { kind: 'while', test, body: this.#body() };
  }

  /** A clause may begin on the next line. */
  #skipLines(...words: readonly string[]): void {
    let next = this.#at;
    while (this.#tokens[next]?.type === 'separator') next++;
    const token = this.#tokens[next];
    if (token?.type === 'word' && words.includes(token.text.toLowerCase())) this.#at = next;
  }

  #body(): Statement[] {
    this.#take('{');
    const body = this.statements();
    this.#take('}');
    return body;
  }

  #pipeline(): Pipeline {
    const stages = [this.#stage()];
    while (this.#is('|')) {
      this.#at++;
      stages.push(this.#stage());
    }
    return { stages };
  }

  #stage(): CommandCall | Expression {
    const token = this.#peek();
    if (token?.type === 'word' || this.#is('&')) return this.#command();
    if (token?.type === 'operator' && token.text === ',') throw this.#unexpected();
    return this.#expression();
  }

  #command(): CommandCall {
    if (this.#is('&')) this.#at++;
    const name = this.#primary();
    const positional: Expression[] = [];
    const named = new Map<string, Expression | undefined>();
    const words: Expression[] = [];
    while (!this.#endsCommand()) {
      const token = this.#peek();
      if (token?.type === 'parameter') {
        this.#at++;
        const key = token.text.replace(/:$/, '').toLowerCase();
        words.push({ kind: 'literal', value: `-${token.text}` });
        const hasValue = !SWITCHES.has(key) && !this.#endsCommand() && this.#peek()?.type !== 'parameter';
        const value = hasValue || token.text.endsWith(':') ? this.#argument() : undefined;
        named.set(key, value);
        if (value !== undefined) words.push(value);
      } else {
        const value = this.#argument();
        positional.push(value);
        words.push(value);
      }
    }
    return { kind: 'command', name, positional, named, words };
  }

  #endsCommand(): boolean {
    const token = this.#peek();
    return (
      token === undefined || token.type === 'separator' || this.#is('|') || this.#is(')') || this.#is('}')
    );
  }

  #argument(): Expression {
    const first = this.#primary();
    if (!this.#isOperator(',')) return first;
    const items = [first];
    while (this.#isOperator(',')) {
      this.#at++;
      items.push(this.#primary());
    }
    return { kind: 'array', items };
  }

  /** -and and -or bind least, then comparisons, then what computes (about_Operator_Precedence). */
  #expression(list = true): Expression {
    return this.#binary(['and', 'or'], () =>
      this.#binary(COMPARISONS, () => this.#binary(['+'], () => (list ? this.#argument() : this.#primary()))),
    );
  }

  #binary(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    for (
      let token = this.#peek();
      token?.type === 'operator' && operators.includes(token.text);
      token = this.#peek()
    ) {
      this.#at++;
      left = { kind: 'binary', operator: token.text, left, right: operand() };
    }
    return left;
  }

  #primary(): Expression {
    const token = this.#next();
    let result: Expression;
    if (token.type === 'string') {
      result = token.expands
        ? { kind: 'template', text: token.text }
        : { kind: 'literal', value: token.text };
    } else if (token.type === 'number') result = { kind: 'literal', value: token.value };
    else if (token.type === 'word') result = { kind: 'literal', value: token.text };
    else if (token.type === 'variable') result = { kind: 'variable', name: token.text };
    else if (token.type === 'operator' && (token.text === '!' || token.text === 'not')) {
      return { kind: 'not', operand: this.#primary() };
    } else if (token.type === 'punctuation' && token.text === '(') {
      result = { kind: 'pipeline', pipeline: this.#pipeline() };
      this.#take(')');
    } else if (token.type === 'punctuation' && token.text === '{') {
      const body = this.statements();
      this.#take('}');
      return { kind: 'block', body };
    } else if (token.type === 'punctuation' && token.text === '@') {
      if (this.#is('{')) return this.#hash();
      this.#take('(');
      if (this.#is(')')) result = { kind: 'array', items: [] };
      else result = { kind: 'at', pipeline: this.#pipeline() };
      this.#take(')');
    } else if (token.type === 'type') {
      const name = this.#peek();
      if (this.#is(')')) return { kind: 'literal', value: token.text };
      if (name?.type !== 'static') return { kind: 'cast', type: token.text, operand: this.#primary() };
      this.#at++;
      const items = this.#is('(') ? this.#items() : undefined;
      result = { kind: 'static', type: token.text, name: name.text, items };
    } else throw this.#unexpected(-1);
    for (let next = this.#peek(); next?.type === 'member' || next?.type === 'method'; next = this.#peek()) {
      this.#at++;
      result =
        next.type === 'member'
          ? { kind: 'member', object: result, name: next.text }
          : { kind: 'method', object: result, name: next.text, items: this.#rest() };
    }
    return result;
  }

  /** Arguments of a method in parentheses. */
  #items(): Expression[] {
    this.#take('(');
    return this.#rest();
  }

  #rest(): Expression[] {
    const items: Expression[] = [];
    while (!this.#is(')')) {
      if (items.length > 0) this.#at++;
      items.push(this.#expression(false));
    }
    this.#take(')');
    return items;
  }

  #hash(): Expression {
    this.#take('{');
    const entries: [string, Expression][] = [];
    for (;;) {
      while (this.#peek()?.type === 'separator') this.#at++;
      if (this.#is('}')) break;
      const key = this.#next();
      if (key.type !== 'word') throw this.#unexpected(-1);
      if (!this.#isOperator('=')) throw this.#unexpected();
      this.#at++;
      entries.push([key.text, this.#argument()]);
    }
    this.#take('}');
    return { kind: 'hash', entries };
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new PowerShellError('Missing expression at the end of the script.');
    return token;
  }

  #is(text: string): boolean {
    const token = this.#peek();
    return token?.type === 'punctuation' && token.text === text;
  }

  #isWord(text: string): boolean {
    const token = this.#peek();
    return token?.type === 'word' && token.text.toLowerCase() === text;
  }

  #isOperator(text: string): boolean {
    const token = this.#peek();
    return token?.type === 'operator' && token.text === text;
  }

  #take(text: string): void {
    if (!this.#is(text)) throw this.#unexpected();
    this.#at++;
  }

  #unexpected(offset = 0): PowerShellError {
    const token = this.#tokens[this.#at + offset];
    const shown = token === undefined ? 'end of script' : 'text' in token ? token.text : String(token.value);
    return new PowerShellError(`Unexpected token '${shown}' in expression or statement.`);
  }
}
