/**
 * Routines: steps that several scenarios share, with typed inputs and conditions.
 *
 *     export const greet = defineRoutine({
 *       name: 'greet',
 *       inputs: { name: z.string().default('Alice') },
 *       post: [verify.shows('Hello')],
 *       run: ({ vncPage }, { name }) => vncPage.keyboard.type(name),
 *     });
 *
 *     await greet({ vncPage }, { name: 'Bob' });
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { isVmwrightError, type Machine, test, VmwrightError } from '../../fixtures/index.ts';
import { onBehalf } from '../../fixtures/pending/index.ts';
import { z } from 'zod';
import { lintShell } from './lint.ts';
import type { On } from './on.ts';
import { cycle, register } from './registry.ts';
import { isSecret } from './secrets.ts';
import { runShellSteps } from './shell-steps.ts';
import { parseTemplate, type Template } from './template.ts';
import { isVerify, type Verify } from './verify.ts';

type Shape = z.core.$ZodLooseShape;
type Inputs<S extends Shape> = z.output<z.ZodObject<S>>;
type GivenInputs<S extends Shape> = z.input<z.ZodObject<S>>;
type Run<O extends On, S extends Shape> = (on: O, inputs: Inputs<S>) => Promise<unknown>;

/** When a fallback fires: all that is given has to fit. `default` fits always and stands last. */
export type When =
  | 'default'
  | { readonly code?: string; readonly os?: string; readonly desktop?: string; readonly family?: string };

export interface RoutineDefinition<O extends On, S extends Shape> {
  /** In kebab-case. */
  readonly name: string;
  /** The version of this very format. Default and only one: 1. */
  readonly version?: 1;
  /** One zod type an input; values keep their types. */
  readonly inputs?: S;
  /** Checked before and after, in this order. */
  readonly pre?: readonly Verify[];
  readonly post?: readonly Verify[];
  /**
   * What it does: on every system, or by machine name, desktop or os. A machine that no key fits is an error: Windows
   * never gets what was written for Linux.
   */
  readonly run?: Run<O, S> | Readonly<Record<string, Run<O, S>>>;
  /** In place of `run`: templates of shell commands, run one after the other over SSH on Linux. */
  readonly shell?: readonly string[];
  /** Tried when `run` fails: the first that fits. */
  readonly fallbacks?: readonly { readonly when: When; readonly run: Run<O, S> }[];
  /** Names of the routines that `run` calls. */
  readonly uses?: readonly string[];
}

export interface Routine<O extends On, S extends Shape> {
  (on: O & Pick<On, 'machine' | 'vars'>, inputs?: GivenInputs<S>): Promise<void>;
  readonly routine: string;
}

interface Running {
  readonly chain: readonly string[];
  readonly uses: readonly string[];
}

const KEBAB = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const running = new AsyncLocalStorage<Running>();

const whenSchema = z.union([
  z.literal('default'),
  z
    .strictObject({
      code: z.string().regex(/^[A-Z][A-Z0-9_]+$/),
      os: z.enum(['linux', 'windows']),
      desktop: z.string().min(1),
      family: z.string().min(1),
    })
    .partial()
    .refine((when) => Object.keys(when).length > 0, 'needs code, os, desktop or family'),
]);

/**
 * Checks a routine and makes it callable. Everything that can be wrong in its definition shows here, before any machine
 * is touched.
 *
 * @throws `ROUTINE_INVALID`, `ROUTINE_DUPLICATE`, `ROUTINE_CYCLE`, `TEMPLATE_INVALID`
 */
export function defineRoutine<O extends On = On, const S extends Shape = Record<string, never>>(
  definition: RoutineDefinition<O, S>,
): Routine<O, S> {
  const { name, uses = [], fallbacks = [] } = definition;
  const shape = (definition.inputs ?? {}) as S;
  check(definition, shape);
  const templates = (definition.shell ?? []).map((text, index) => {
    const where = `routine ${name}, step ${index + 1}`;
    const [finding] = lintShell(text);
    if (finding !== undefined) throw invalid(where, finding.advice, finding.text);
    return parseTemplate(text, Object.keys(shape), where);
  });
  register(name, uses, caller());
  const inputsOf = z.strictObject(shape);

  const call = async (on: O & Pick<On, 'machine' | 'vars'>, given: GivenInputs<S>): Promise<void> => {
    const outer = running.getStore();
    const chain = [...(outer?.chain ?? []), name];
    if (outer?.chain.includes(name)) throw cycle(chain);
    if (outer !== undefined && !outer.uses.includes(name)) {
      throw invalid(`routine ${outer.chain.at(-1) ?? ''}`, 'it calls a routine that it does not name', name);
    }
    const inputs = parseInputs(name, inputsOf, { ...pick(on.vars ?? {}, Object.keys(shape)), ...given });
    await test.step(titleOf(name, inputs as Record<string, unknown>), () =>
      running.run({ chain, uses }, async () => {
        await verifyAll(definition.pre ?? [], on);
        await runOrFallBack(definition, templates, fallbacks, on, inputs as Inputs<S>);
        await verifyAll(definition.post ?? [], on);
      }),
    );
  };
  const routine = (on: O & Pick<On, 'machine' | 'vars'>, given?: GivenInputs<S>): Promise<void> =>
    onBehalf(routine, () => call(on, given ?? ({} as GivenInputs<S>)));
  return Object.assign(routine, { routine: name });
}

function check<O extends On, S extends Shape>(definition: RoutineDefinition<O, S>, shape: Shape): void {
  const { name, version = 1, pre = [], post = [], fallbacks = [], run, shell } = definition;
  const where = `routine ${name}`;
  if (!KEBAB.test(name)) throw invalid(where, 'its name is not in kebab-case', name);
  if ((version as number) !== 1)
    throw invalid(where, 'this version of the format is unknown', String(version));
  if ((run === undefined) === (shell === undefined))
    throw invalid(where, 'it needs either run or shell', run === undefined ? 'neither' : 'both');
  for (const [key, type] of Object.entries(shape)) {
    if (isRequiredWithDefault(type))
      throw invalid(`${where}, input ${key}`, 'is required and has a default', key);
  }
  for (const [list, conditions] of Object.entries({ pre, post })) {
    const wrong = conditions.findIndex((condition) => !isVerify(condition));
    if (wrong >= 0)
      throw invalid(where, `${list} may only hold what verify makes`, `${list}[${wrong}] is something else`);
  }
  for (const [index, { when }] of fallbacks.entries()) {
    const parsed = whenSchema.safeParse(when);
    const seen = JSON.stringify(when);
    if (!parsed.success) throw invalid(`${where}, fallback ${index + 1}`, 'its when is not valid', seen);
    if (when === 'default' && index < fallbacks.length - 1)
      throw invalid(`${where}, fallback ${index + 1}`, 'default has to be the last', seen);
  }
}

/** zod's way of writing it is `.default(x).nonoptional()`. */
function isRequiredWithDefault(type: unknown): boolean {
  const { def } = (type as z.ZodType)._zod;
  if (def.type !== 'nonoptional') return false;
  const inner = (def as unknown as { innerType: z.ZodType }).innerType;
  return inner._zod.def.type === 'default' || inner._zod.def.type === 'prefault';
}

async function runOrFallBack<O extends On, S extends Shape>(
  definition: RoutineDefinition<O, S>,
  templates: readonly Template[],
  fallbacks: NonNullable<RoutineDefinition<O, S>['fallbacks']>,
  on: O,
  inputs: Inputs<S>,
): Promise<void> {
  try {
    if (definition.shell !== undefined) await runShellSteps(definition.name, templates, on, inputs);
    else await variantOf(definition, on.machine)(on, inputs);
  } catch (error) {
    const fallback = fallbacks.find(({ when }) => fits(when, error, on.machine));
    if (fallback === undefined || isVmwrightError(error, 'ROUTINE_NO_VARIANT')) throw error;
    await test.step(`fall back: ${describe(fallback.when)}`, () => fallback.run(on, inputs));
  }
}

/** The most particular that fits: machine, desktop, system. */
function variantOf<O extends On, S extends Shape>(
  { name, run }: RoutineDefinition<O, S>,
  machine: Machine | undefined,
): Run<O, S> {
  if (typeof run === 'function') return run;
  const variants = run ?? {};
  const keys = machine === undefined ? [] : [machine.name, machine.desktop, machine.os];
  const key = keys.find((candidate) => Object.hasOwn(variants, candidate));
  const found = key === undefined ? undefined : variants[key];
  if (found !== undefined) return found;
  throw new VmwrightError({
    code: 'ROUTINE_NO_VARIANT',
    subject: `routine ${name}${machine === undefined ? '' : ` on ${machine.name}`}`,
    message: 'it says nothing about this machine',
    expected: keys.join(', ') || 'a call with { machine }',
    seen: Object.keys(variants).join(', '),
    next: 'add what it does on this system to run',
  });
}

/** Without a code, nothing is known of an error but that it is one: only `default` fits. */
function fits(when: When, error: unknown, machine: Machine | undefined): boolean {
  if (when === 'default') return true;
  if (!isVmwrightError(error)) return false;
  const facts = { code: error.code, os: machine?.os, desktop: machine?.desktop, family: machine?.family };
  return Object.entries(when).every(([key, value]) => facts[key as keyof typeof facts] === value);
}

async function verifyAll(conditions: readonly Verify[], on: On): Promise<void> {
  for (const { title, check: look } of conditions) await test.step(title, () => look(on));
}

function parseInputs(name: string, schema: z.ZodType, given: unknown): unknown {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new VmwrightError({
    code: 'ROUTINE_INPUT',
    subject: `routine ${name}, input ${issue?.path.join('.') ?? ''}`,
    message: issue?.message ?? 'invalid',
    next: 'correct the call, or the value in vars',
  });
}

/** `log in (account: "alice@example.test", password: {HARBOR_PASSWORD})`. */
function titleOf(name: string, inputs: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(inputs)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${isSecret(value) ? String(value) : show(value)}`);
  const title = name.replaceAll('-', ' ');
  return shown.length === 0 ? title : `${title} (${shown.join(', ')})`;
}

function show(value: unknown): string {
  return typeof value === 'object' && value instanceof RegExp ? String(value) : JSON.stringify(value);
}

function describe(when: When): string {
  return when === 'default' ? when : Object.values(when).join(', ');
}

function pick(values: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));
}

/** The file and line that define a routine. */
function caller(): string {
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  const outside = lines.find((line) => !line.includes(import.meta.filename));
  return /\(?([^\s(]+:\d+):\d+\)?$/.exec(outside ?? '')?.[1] ?? 'an unknown place';
}

function invalid(subject: string, message: string, seen: string): VmwrightError {
  return new VmwrightError({
    code: 'ROUTINE_INVALID',
    subject,
    message,
    seen,
    next: 'correct its definition',
  });
}
