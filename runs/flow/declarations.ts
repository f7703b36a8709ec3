/**
 * What a spec declares with Playwright's `test`: tests, groups, hooks, and what of them is left out.
 *
 * @module
 */
import type { Node } from '@babel/types';
import type { Module } from './modules.ts';
import { Names, type WalkOptions } from './names.ts';
import { type Outcome, PASSED_BY } from './reach.ts';
import { type FunctionValue, truthOf, UNKNOWN, type Value } from './values.ts';

/** Tests and groups that are declared in one group. */
interface Group {
  readonly outer: Group | undefined;
  /** Whether its tests are skipped; undefined: perhaps. */
  isSkipped: boolean | undefined;
  /** Its tests are expected to fail. */
  isFailing: boolean;
}

interface Declared {
  readonly body: FunctionValue;
  readonly isSure: boolean;
  readonly isFailing: boolean;
  readonly group: Group;
}

export abstract class Declarations extends Names {
  protected readonly steps: { readonly title: string; readonly isSure: boolean }[] = [];
  readonly #lines: ReadonlySet<number> | undefined;
  readonly #declared: Declared[] = [];
  #main: Module | undefined;
  #group: Group | undefined;

  constructor(options: WalkOptions) {
    super(options);
    this.#lines = options.lines;
  }

  /** Goes through a function. */
  protected abstract invoke(of: FunctionValue, given: readonly Value[], isAwaited: boolean): Value;

  /** Tests are being declared: no step is executed yet. */
  protected get isDeclaring(): boolean {
    return this.#here !== undefined;
  }

  get #here(): Group | undefined {
    return this.isAside ? undefined : this.#group;
  }

  /** How many tests have been declared. */
  protected get declared(): number {
    return this.#declared.length;
  }

  /** Declares the tests of a file, then goes through each. */
  protected collect(module: Module, declare: () => void): void {
    this.#main = module;
    this.#group = groupIn(undefined);
    this.within(module, () => this.reach.fresh(true, false, declare));
    this.#group = undefined;
    for (const { body, isSure, isFailing, group: own } of this.#declared) {
      const groups = outwards(own);
      if (groups.some(({ isSkipped }) => isSkipped === true)) continue;
      const isCertain = isSure && groups.every(({ isSkipped }) => isSkipped === false);
      const isGuarded = isFailing || groups.some((each) => each.isFailing);
      this.reach.fresh(isCertain, isGuarded, () => void this.invoke(body, TEST_ARGUMENTS, true));
    }
  }

  protected note(title: string): void {
    if (!this.isQuiet && this.reach.isAlive && !this.isDeclaring)
      this.steps.push({ title, isSure: this.reach.isSure });
  }

  protected declareTest(
    body: FunctionValue,
    { loc }: Node,
    { isSure, isFailing = false }: { readonly isSure: boolean; readonly isFailing?: boolean },
  ): void {
    const group = this.#here;
    if (group === undefined || !this.reach.isAlive) return;
    const [from, to] = [loc?.start.line ?? 0, loc?.end.line ?? 0];
    const isRun =
      this.#lines === undefined ||
      this.module !== this.#main ||
      [...this.#lines].some((line) => line >= from && line <= to);
    if (isRun) this.#declared.push({ body, isSure: isSure && this.reach.isSure, isFailing, group });
  }

  protected declareGroup(path: readonly string[], body: Value | undefined): void {
    const outer = this.#here;
    if (body?.kind !== 'function' || outer === undefined) return;
    if (path.includes('skip') || path.includes('fixme')) return;
    this.#group = groupIn(outer);
    this.invoke(body, [], true);
    this.#group = outer;
  }

  /** Steps of hooks are none of the test's; what they skip is. */
  protected hook(name: string, body: Value | undefined): void {
    const group = this.#here;
    if (body?.kind !== 'function' || group === undefined || name.startsWith('after')) return;
    this.#group = undefined;
    let outcome: Outcome = PASSED_BY;
    this.reach.fresh(this.reach.isSure, false, () => {
      outcome = this.reach.frame(this.reach.isSure, () =>
        this.quietly(() => void this.invoke(body, TEST_ARGUMENTS, true)),
      );
    });
    this.#group = group;
    if (!outcome.exits.has('skip')) return;
    const isSkipped = !outcome.alive && outcome.exits.size === 1 && this.reach.isSure;
    if (group.isSkipped !== true) group.isSkipped = isSkipped ? true : undefined;
  }

  protected skip(given: readonly Value[]): void {
    const truth = this.applies(given);
    if (truth === false) return;
    const group = this.#here;
    if (group === undefined) {
      if (truth === true) this.reach.leave('skip');
      else this.reach.mayLeave('skip');
    } else if (group.isSkipped !== true)
      group.isSkipped = truth === true && this.reach.isSure ? true : undefined;
  }

  protected expectFailure(): void {
    const group = this.#here;
    if (group === undefined) this.reach.guard();
    else group.isFailing = true;
  }

  /** Whether a `test.skip(condition)` applies; without a condition it does. */
  protected applies([condition]: readonly Value[]): boolean | undefined {
    if (condition === undefined) return true;
    if (condition.kind !== 'function') return truthOf(condition);
    let value: Value = UNKNOWN;
    this.reach.fresh(true, false, () => {
      value = this.quietly(() => this.invoke(condition, TEST_ARGUMENTS, true));
    });
    return truthOf(value);
  }
}

const TEST_ARGUMENTS: readonly Value[] = [
  { kind: 'api', path: ['fixtures'] },
  { kind: 'api', path: ['info'] },
];

function groupIn(outer: Group | undefined): Group {
  return { outer, isSkipped: false, isFailing: false };
}

function outwards(group: Group): Group[] {
  return [group, ...(group.outer === undefined ? [] : outwards(group.outer))];
}
