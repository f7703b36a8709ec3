/**
 * Runs a parsed script.
 *
 * @module
 */
import type { ShellResult } from '../shell.ts';
import { type ErrorRecord, errorRecord, errorValue, ErrorStream } from './errors.ts';
import { type CommandCall, type Expression, parse, type Pipeline, type Statement } from './syntax.ts';
import { PowerShellError } from './tokens.ts';
import { compare, isTrue, properties, show, type Value } from './values.ts';

export { properties, property, show, type Value, wildcard } from './values.ts';

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
  /** What a native program wrote, in its own bytes. */
  readonly raw?: { readonly stdout: Buffer; readonly stderr: Buffer };
  /** Non-terminating errors: silent with `-ErrorAction SilentlyContinue`, fatal with `Stop`. */
  readonly errors?: readonly (string | ErrorRecord)[];
}

/** What a script stands on beside its cmdlets. */
export interface Environment {
  readonly variables: Readonly<Record<string, string>>;
  /** A static property, or a static method with `items`; undefined for one that is not known here. */
  static(type: string, name: string, items: readonly Value[] | undefined): readonly Value[] | undefined;
  setStatic(type: string, name: string, value: Value): void;
  /** A method of an object. */
  method(object: Value, name: string, items: readonly Value[]): readonly Value[] | undefined;
  /** A value as another type. */
  cast(type: string, value: Value): Value;
  /** Bytes of a text in the encoding of the console, as it is at this moment. */
  encode(text: string): Buffer;
  /** Error records leave as XML of 80 columns, and not as text. */
  readonly clixml: boolean;
  /** A terminating error of a command ends its statement, and not the script. */
  readonly goesOn: boolean;
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

/** `break` on its way out of a loop. */
class Break extends Error {}

/** Runs a script as `powershell -EncodedCommand` does: a parse error or an uncaught one gives exit code 1. */
export async function runPowerShell(
  script: string,
  commands: Commands,
  environment: Environment,
  stdin = '',
): Promise<ShellResult> {
  const interpreter = new Interpreter(commands, environment, stdin);
  try {
    await interpreter.statements(parse(script));
    return interpreter.result(interpreter.lastFailed ? 1 : 0);
  } catch (error) {
    if (error instanceof Exit) return interpreter.result(error.code);
    if (error instanceof PowerShellError) {
      interpreter.report(error.record ?? errorRecord(error.message));
      return interpreter.result(1);
    }
    throw error;
  }
}

class Interpreter {
  readonly #commands: Commands;
  readonly #environment: Environment;
  readonly #variables = new Map<string, readonly Value[]>();
  readonly #stdout: Buffer[] = [];
  readonly #stderr: ErrorStream;
  /** How many `try` blocks are around what runs now. */
  #tries = 0;
  lastFailed = false;

  constructor(commands: Commands, environment: Environment, stdin: string) {
    this.#variables.set('input', stdin === '' ? [] : stdin.replace(/\r?\n$/, '').split(/\r?\n/));
    this.#commands = commands;
    this.#environment = environment;
    this.#stderr = new ErrorStream(environment.clixml, (text) => environment.encode(text));
    this.#variables.set('true', [true]).set('false', [false]).set('null', []).set('lastexitcode', []);
  }

  result(exitCode: number): ShellResult {
    const raw = { stdout: Buffer.concat(this.#stdout), stderr: this.#stderr.bytes() };
    return { stdout: raw.stdout.toString('utf8'), stderr: raw.stderr.toString('utf8'), raw, exitCode };
  }

  report(record: ErrorRecord): void {
    this.#stderr.record(record);
  }

  async statements(list: readonly Statement[]): Promise<void> {
    for (const statement of list) await this.#each(() => this.#statement(statement));
  }

  /** One statement. Where nothing catches it, a terminating error ends no more than that, unless the preference is `Stop`. */
  async #each<T>(run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof PowerShellError) || error.record?.isTerminating !== true) throw error;
      if (!this.#environment.goesOn || this.#tries > 0 || this.#preference() === 'stop') throw error;
      this.report(error.record);
      this.lastFailed = true;
      return undefined;
    }
  }

  #preference(action?: Value): string {
    const value = action ?? this.#variables.get('erroractionpreference')?.[0] ?? 'Continue';
    return show(value).toLowerCase();
  }

  async #statement(statement: Statement): Promise<void> {
    switch (statement.kind) {
      case 'run':
        for (const value of await this.#pipeline(statement.pipeline))
          this.#stdout.push(this.#environment.encode(`${show(value)}\r\n`));
        return;
      case 'assign': {
        const name = statement.name.toLowerCase();
        const value = await this.#pipeline(statement.value);
        const before = this.#variables.get(name) ?? [];
        this.#variables.set(name, statement.adds ? added(before, value) : value);
        return;
      }
      case 'set-static':
        this.#environment.setStatic(
          statement.type,
          statement.name,
          (await this.#pipeline(statement.value))[0] ?? null,
        );
        return;
      case 'throw': {
        const [value = ''] = await this.#pipeline(statement.value);
        throw new PowerShellError(show(value), errorRecord(show(value), show(value), 'OperationStopped'));
      }
      case 'break':
        throw new Break();
      case 'while':
        try {
          while (isTrue(await this.#pipeline(statement.test))) await this.statements(statement.body);
        } catch (error) {
          if (!(error instanceof Break)) throw error;
        }
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
          this.#tries++;
          try {
            await this.statements(statement.body);
          } finally {
            this.#tries--;
          }
        } catch (error) {
          if (!(error instanceof PowerShellError) || statement.handler === undefined) throw error;
          this.#variables.set('_', [errorValue(error.record ?? errorRecord(error.message))]);
          await this.statements(statement.handler);
        } finally {
          await this.statements(statement.always);
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
    if (call.name.kind === 'block') return this.#block(call.name, null);
    const [target = ''] = await this.#values(call.name);
    const script = properties(target, '__script')[0];
    if (script !== undefined) {
      await this.statements(parse(show(script)));
      return [];
    }
    const name = show(target);
    const run =
      this.#commands[
        name
          .toLowerCase()
          .replace(/^.*\\/, '')
          .replace(/\.exe$/, '')
      ];
    if (run === undefined) {
      this.lastFailed = true;
      throw new PowerShellError(`${name} : The term '${name}' is not recognized`, {
        ...errorRecord(
          `${name} : The term '${name}' is not recognized as the name of a cmdlet, function, script file, or operable program.`,
          'CommandNotFoundException',
          'ObjectNotFound',
        ),
        isTerminating: true,
      });
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
    if (outcome.raw !== undefined) {
      this.#stdout.push(outcome.raw.stdout);
      this.#stderr.raw(outcome.raw.stderr);
    }
    this.#errors(outcome.errors ?? [], named.get('erroraction')?.[0]);
    return outcome.values ?? [];
  }

  #errors(errors: readonly (string | ErrorRecord)[], action: Value | undefined): void {
    const preference = this.#preference(action);
    for (const error of errors) {
      const record = typeof error === 'string' ? errorRecord(error) : error;
      // A terminating error of a cmdlet knows no preference (about_Preference_Variables).
      if (preference === 'stop' || record.isTerminating) throw new PowerShellError(record.message, record);
      if (preference !== 'silentlycontinue' && preference !== 'ignore') this.report(record);
    }
  }

  async #block(expression: Expression | undefined, item: Value): Promise<readonly Value[]> {
    if (expression?.kind !== 'block') throw new PowerShellError('A script block is expected.');
    const outer = this.#variables.get('_');
    if (item !== null) this.#variables.set('_', [item]);
    const results: Value[] = [];
    for (const statement of expression.body) {
      if (statement.kind === 'run')
        results.push(...((await this.#each(() => this.#pipeline(statement.pipeline))) ?? []));
      else await this.#each(() => this.#statement(statement));
    }
    if (outer !== undefined) this.#variables.set('_', outer);
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
      case 'at':
        return this.#pipeline(expression.pipeline);
      case 'method': {
        const items = (await Promise.all(expression.items.map((item) => this.#values(item)))).flat();
        const results: Value[] = [];
        for (const object of await this.#values(expression.object)) {
          const stream = properties(object, '__stream')[0];
          if (stream === 'error') this.#stderr.text(`${items.map(show).join('')}\r\n`);
          else {
            const values = this.#environment.method(object, expression.name, items);
            if (values === undefined) throw noMethod(expression.name);
            results.push(...values);
          }
        }
        return results;
      }
      case 'static': {
        const items =
          expression.items === undefined
            ? undefined
            : (await Promise.all(expression.items.map((item) => this.#values(item)))).flat();
        const values = this.#environment.static(expression.type, expression.name, items);
        if (values === undefined) throw noMethod(`${expression.type}::${expression.name}`);
        return values;
      }
      case 'cast': {
        const values = await this.#values(expression.operand);
        return values.map((value) => this.#environment.cast(expression.type, value));
      }
      case 'hash': {
        const entries: [string, Value][] = [];
        for (const [key, value] of expression.entries)
          entries.push([key, (await this.#values(value))[0] ?? null]);
        return [Object.fromEntries(entries)];
      }
      case 'block':
        throw new PowerShellError('A script block cannot be used as a value here.');
    }
  }

  #variable(name: string): readonly Value[] {
    if (name === '?') return [!this.lastFailed];
    const env = /^env:(.+)$/i.exec(name)?.[1];
    if (env === undefined) return this.#variables.get(name.toLowerCase()) ?? [];
    const value = Object.entries(this.#environment.variables).find(
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

/** `+=`: numbers are summed up, lists become longer. */
function added(before: readonly Value[], more: readonly Value[]): readonly Value[] {
  const [first] = before;
  if (before.length === 1 && typeof first === 'number') return [first + Number(more[0])];
  return [...before, ...more];
}

function noMethod(name: string): PowerShellError {
  return new PowerShellError(
    `Method invocation failed because it does not contain a method named '${name}'.`,
  );
}
