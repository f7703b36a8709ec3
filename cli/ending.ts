/**
 * What has to be undone at the end, in reverse order.
 *
 *     await using ending = new Ending();
 *     ending.defer(() => lease.release());
 *
 * @module
 */

export class Ending implements AsyncDisposable {
  readonly #actions: (() => unknown)[] = [];

  defer(action: () => unknown): void {
    this.#actions.push(action);
  }

  /** Each is tried, whatever the others do. @throws what failed first */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const action of this.#actions.toReversed()) {
      try {
        await action();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
