/**
 * Runs a parsed script.
 *
 * @module
 */
import type { ShellResult } from '../shell.ts';
import { type CommandCall, type Expression, parse, type Pipeline, type Statement } from './syntax.ts';
import { PowerShellError } from './tokens.ts';

export type Value = string | number | boolean | null | Readonly<Record<string, unknown>>;

/** What a cmdlet is given. */
export interface Invocation {
  readonly input: readonly Value[];
  /** Whether its output goes into a pipe. */
  readonly piped: boolean;
  readonly positional: readonly Value[];
  /** A named parameter; true for a switch. */
  named(name: string): Value | undefined;
  /** The value of a named parameter, else of a positional one. */
  argument(name: string, position: number): Value | undefined;
  list(name: string, position: number): readonly Value[];
  /** Runs a script block with `$_` set. */
  block(position: number, item: Value): Promise<readonly Value[]>;
  readonly words: readonly string[];
}

/** What a command gives back: values down the pipeline, or an exit code for native programs. */
export interface Outcome {
  readonly values?: readonly Value[];
  readonly exitCode?: number;
  /** Non-terminating errors: silent with `-ErrorAction SilentlyContinue`, fatal with `Stop`. */
  readonly errors?: readonly string[];
}

export type Commands = Readonly<Record<string, (call: Invocation) => Promise<Outcome> | Outcome>>;

/** `exit n` on its way up. */
class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Runs a script as `powershell -EncodedCommand` does: a parse error or an uncaught one gives exit code 1. */
export async function runPowerShell(
  script: string,
  commands: Commands,
  environment: Readonly<Record<string, string>>,
): Promise<ShellResult> {
  const interpreter = new Interpreter(commands, environment);
  try {
    await interpreter.statements(parse(script));
    return interpreter.result(interpreter.lastFailed ? 1 : 0);
  } catch (error) {
    if (error instanceof Exit) return interpreter.result(error.code);
    if (error instanceof PowerShellError) {
      interpreter.report(error.message);
      return interpreter.result(1);
    }
    throw error;
  }
}

class Interpreter {
  readonly #commands: Commands;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #variables = new Map<string, readonly Value[]>();
  readonly #stdout: string[] = [];
  readonly #stderr: string[] = [];
  lastFailed = false;

  constructor(commands: Commands, environment: Readonly<Record<string, string>>) {
    this.#commands = commands;
    this.#environment = environment;
    this.#variables.set('true', [true]).set('false', [false]).set('null', []).set('lastexitcode', []);
  }

  result(exitCode: number): ShellResult {
    return { stdout: this.#stdout.join(''), stderr: this.#stderr.join(''), exitCode };
  }

  report(message: string): void {
    this.#stderr.push(`${message}\r\n`);
  }

  async statements(list: readonly Statement[]): Promise<void> {
    for (const statement of list) await this.#statement(statement);
  }

  async #statement(statement: Statement): Promise<void> {
    switch (statement.kind) {
      case 'run':
        for (const value of await this.#pipeline(statement.pipeline)) this.#stdout.push(`${show(value)}\r\n`);
        return;
      case 'assign':
        this.#variables.set(statement.name.toLowerCase(), await this.#pipeline(statement.value));
        return;
      case 'exit':
        throw new Exit(
          statement.code === undefined ? 0 : Number((await this.#values(statement.code))[0] ?? 0),
        );
      case 'if':
        for (const { test, body } of statement.branches) {
          if (isTrue(await this.#pipeline(test))) return this.statements(body);
        }
        return this.statements(statement.otherwise);
      case 'foreach':
        for (const item of await this.#pipeline(statement.source)) {
          this.#variables.set(statement.name.toLowerCase(), [item]);
          await this.statements(statement.body);
        }
        return;
      case 'try':
        try {
          await this.statements(statement.body);
        } catch (error) {
          if (!(error instanceof PowerShellError)) throw error;
          this.#variables.set('_', [error.message]);
          await this.statements(statement.handler);
        }
    }
  }

  async #pipeline({ stages }: Pipeline): Promise<readonly Value[]> {
    let values: readonly Value[] = [];
    for (const [index, stage] of stages.entries()) {
      if (stage.kind === 'command') values = await this.#command(stage, values, index < stages.length - 1);
      else {
        values = await this.#values(stage);
        // Windows PowerShell 5.1: an expression succeeds, even one in parentheses around a command that failed.
        this.lastFailed = false;
      }
    }
    return values;
  }

  async #command(call: CommandCall, input: readonly Value[], piped: boolean): Promise<readonly Value[]> {
    const name = show((await this.#values(call.name))[0] ?? '');
    const run =
      this.#commands[
        name
          .toLowerCase()
          .replace(/^.*\\/, '')
          .replace(/\.exe$/, '')
      ];
    if (run === undefined) {
      throw new PowerShellError(
        `${name} : The term '${name}' is not recognized as the name of a cmdlet, function, script file, or operable program.`,
      );
    }
    const positional: Value[][] = [];
    for (const argument of call.positional) {
      positional.push(argument.kind === 'block' ? [] : [...(await this.#values(argument))]);
    }
    const named = new Map<string, readonly Value[]>();
    for (const [key, value] of call.named)
      named.set(key, value === undefined ? [true] : await this.#values(value));
    const words: string[] = [];
    for (const word of call.words)
      if (word.kind !== 'block') words.push(...(await this.#values(word)).map(show));
    const outcome = await run({
      input,
      piped,
      positional: positional.flat(),
      named: (key) => named.get(key.toLowerCase())?.[0],
      argument: (key, position) => named.get(key.toLowerCase())?.[0] ?? positional[position]?.[0],
      list: (key, position) => named.get(key.toLowerCase()) ?? positional[position] ?? [],
      block: (position, item) => this.#block(call.positional[position], item),
      words,
    });
    if (outcome.exitCode !== undefined) this.#variables.set('lastexitcode', [outcome.exitCode]);
    this.lastFailed = (outcome.errors?.length ?? 0) > 0 || (outcome.exitCode ?? 0) !== 0;
    this.#errors(outcome.errors ?? [], named.get('erroraction')?.[0]);
    return outcome.values ?? [];
  }

  #errors(errors: readonly string[], action: Value | undefined): void {
    const preference = show(
      action ?? this.#variables.get('erroractionpreference')?.[0] ?? 'Continue',
    ).toLowerCase();
    for (const message of errors) {
      if (preference === 'stop') throw new PowerShellError(message);
      if (preference !== 'silentlycontinue' && preference !== 'ignore') this.report(message);
    }
  }

  async #block(expression: Expression | undefined, item: Value): Promise<readonly Value[]> {
    if (expression?.kind !== 'block') throw new PowerShellError('A script block is expected.');
    this.#variables.set('_', [item]);
    const results: Value[] = [];
    for (const statement of expression.body) {
      if (statement.kind === 'run') results.push(...(await this.#pipeline(statement.pipeline)));
      else await this.#statement(statement);
    }
    return results;
  }

  async #values(expression: Expression): Promise<readonly Value[]> {
    switch (expression.kind) {
      case 'literal':
        return [expression.value];
      case 'template':
        return [this.#expand(expression.text)];
      case 'variable':
        return this.#variable(expression.name);
      case 'pipeline':
        return this.#pipeline(expression.pipeline);
      case 'array': {
        const items: Value[] = [];
        for (const item of expression.items) items.push(...(await this.#values(item)));
        return items;
      }
      case 'member': {
        const objects = await this.#values(expression.object);
        if (expression.name.toLowerCase() === 'count') return [objects.length];
        return objects.flatMap((object) => properties(object, expression.name));
      }
      case 'not':
        return [!isTrue(await this.#values(expression.operand))];
      case 'binary':
        return [
          compare(
            expression.operator,
            await this.#values(expression.left),
            await this.#values(expression.right),
          ),
        ];
      case 'block':
        throw new PowerShellError('A script block cannot be used as a value here.');
    }
  }

  #variable(name: string): readonly Value[] {
    const env = /^env:(.+)$/i.exec(name)?.[1];
    if (env === undefined) return this.#variables.get(name.toLowerCase()) ?? [];
    const value = Object.entries(this.#environment).find(
      ([key]) => key.toLowerCase() === env.toLowerCase(),
    )?.[1];
    return value === undefined ? [] : [value];
  }

  #expand(text: string): string {
    return text.replace(
      /`(.)|\$\{([^}]+)\}|\$((?:env:)?\w+|_)/gi,
      (_, escaped: string | undefined, braced, plain) => {
        if (escaped !== undefined) return escaped === 'n' ? '\n' : escaped;
        return this.#variable(String(braced ?? plain))
          .map(show)
          .join(' ');
      },
    );
  }
}

/** As {@link property}, as a list of none or one. */
export function properties(object: Value, name: string): Value[] {
  const value = property(object, name);
  return value === undefined ? [] : [value];
}

/** A property of an object, whatever the case of its name. */
export function property(object: Value, name: string): Value | undefined {
  if (typeof object === 'string' && name.toLowerCase() === 'length') return object.length;
  if (typeof object !== 'object' || object === null) return undefined;
  const found = Object.entries(object).find(([key]) => key.toLowerCase() === name.toLowerCase());
  return found?.[1] as Value | undefined;
}

function isTrue(values: readonly Value[]): boolean {
  if (values.length !== 1) return values.length > 1;
  const [value] = values;
  return value !== null && value !== false && value !== 0 && value !== '';
}

function compare(operator: string, left: readonly Value[], right: readonly Value[]): Value {
  const [a, b] = [left[0] ?? null, right[0] ?? null];
  const text = (value: Value): string => show(value).toLowerCase();
  switch (operator) {
    case 'eq':
      return text(a) === text(b);
    case 'ne':
      return text(a) !== text(b);
    case 'gt':
      return Number(a) > Number(b);
    case 'lt':
      return Number(a) < Number(b);
    case 'ge':
      return Number(a) >= Number(b);
    case 'le':
      return Number(a) <= Number(b);
    case 'and':
      return isTrue(left) && isTrue(right);
    case 'or':
      return isTrue(left) || isTrue(right);
    case 'like':
    case 'notlike':
      return wildcard(show(b)).test(show(a)) === (operator === 'like');
    case 'match':
    case 'notmatch':
      return new RegExp(show(b), 'i').test(show(a)) === (operator === 'match');
    case 'contains':
      return left.some((item) => text(item) === text(b));
    case '+':
      return typeof a === 'number' ? a + Number(b) : show(a) + show(b);
    default:
      throw new PowerShellError(`The operator '-${operator}' is not supported.`);
  }
}

/** A PowerShell wildcard as an expression. */
export function wildcard(pattern: string): RegExp {
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 'i');
}

export function show(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return String(value);
  return typeof value.display === 'string' ? value.display : JSON.stringify(value);
}
