/**
 * How certain it is that a run comes to a place in a spec.
 *
 * @module
 */

/** How a piece of code may be left. */
export interface Outcome {
  /** It may run to its own end. */
  readonly alive: boolean;
  /** Other ways out: `return`, `throw`, `skip`, `break:<label>`, `continue:<label>`. */
  readonly exits: ReadonlySet<string>;
}

export const PASSED_BY: Outcome = { alive: true, exits: new Set() };

/**
 * Certain is what happens in each run of a test that comes to its end. An error ends the test, so that what comes after
 * it is certain nonetheless, unless somebody may catch it.
 */
export class Reach {
  /** The entry of the piece of code at hand is certain. */
  #isEntrySure = true;
  #alive = true;
  #exits = new Set<string>();
  /** Somebody may catch what is thrown here. */
  #guards = 0;

  get isAlive(): boolean {
    return this.#alive;
  }

  get isSure(): boolean {
    return this.#isEntrySure && this.#alive && this.areFatal(this.#exits);
  }

  /** Whether a test that takes one of these ways out never comes to its end. */
  areFatal(exits: ReadonlySet<string>): boolean {
    return [...exits].every((exit) => exit === 'throw' && this.#guards === 0);
  }

  /** Goes through a piece of code of its own. */
  frame(isSure: boolean, body: () => void): Outcome {
    const outer = [this.#isEntrySure, this.#alive, this.#exits] as const;
    [this.#isEntrySure, this.#alive, this.#exits] = [isSure, true, new Set()];
    body();
    const outcome = { alive: this.#alive, exits: this.#exits };
    [this.#isEntrySure, this.#alive, this.#exits] = outer;
    return outcome;
  }

  /** The same, with somebody outside who may catch what it throws. */
  guarded(isSure: boolean, body: () => void): Outcome {
    this.#guards++;
    const outcome = this.frame(isSure, body);
    this.#guards--;
    return outcome;
  }

  /** A test of its own: nothing around it catches anything, save Playwright where a failure is expected. */
  fresh(isSure: boolean, isGuarded: boolean, body: () => void): Outcome {
    const guards = this.#guards;
    this.#guards = isGuarded ? 1 : 0;
    const outcome = this.frame(isSure, body);
    this.#guards = guards;
    return outcome;
  }

  /** From here on somebody may catch what is thrown. */
  guard(): void {
    this.#guards++;
  }

  /** One of these pieces of code was gone through. */
  join(...outcomes: readonly Outcome[]): void {
    this.#alive = outcomes.some(({ alive }) => alive);
    for (const { exits } of outcomes) for (const exit of exits) this.#exits.add(exit);
  }

  leave(exit: string): void {
    if (!this.#alive) return;
    this.#exits.add(exit);
    this.#alive = false;
  }

  /** It may be left here. */
  mayLeave(exit: string): void {
    if (this.#alive) this.#exits.add(exit);
  }
}

/** An outcome after somebody has caught some ways out: `isEnd` says whether they lead on from here. */
export function without(outcome: Outcome, caught: readonly string[], isEnd = true): Outcome {
  const isCaught = caught.some((exit) => outcome.exits.has(exit));
  return {
    alive: outcome.alive || (isEnd && isCaught),
    exits: new Set([...outcome.exits].filter((exit) => !caught.includes(exit))),
  };
}
