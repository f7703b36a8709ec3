/**
 * Every routine of this process: names are unique, and none leads back to itself.
 *
 * @module
 */
import { VmwrightError } from '../../fixtures/index.ts';

interface Entry {
  readonly place: string;
  readonly uses: readonly string[];
}

const KEY = Symbol.for('vmwright.routines');

/** Shared by all copies of this module. */
const shared = globalThis as unknown as Record<symbol, Map<string, Entry> | undefined>;
const routines = (shared[KEY] ??= new Map<string, Entry>());

/**
 * Adds a routine. The same place may define its routine again: a watching runner loads files anew.
 *
 * @throws `ROUTINE_DUPLICATE` naming both places; `ROUTINE_CYCLE` with the chain
 */
export function register(name: string, uses: readonly string[], place: string): void {
  const earlier = routines.get(name);
  if (earlier !== undefined && earlier.place !== place) {
    throw new VmwrightError({
      code: 'ROUTINE_DUPLICATE',
      subject: `routine ${name}`,
      message: 'two routines have this name',
      expected: 'one definition',
      seen: `${earlier.place} and ${place}`,
      next: 'rename one of them',
    });
  }
  routines.set(name, { place, uses });
  const chain = chainTo(name, name, []);
  if (chain !== undefined) {
    routines.delete(name);
    throw cycle(chain);
  }
}

export function cycle(chain: readonly string[]): VmwrightError {
  return new VmwrightError({
    code: 'ROUTINE_CYCLE',
    subject: `routine ${chain[0] ?? ''}`,
    message: 'the routine leads back to itself',
    expected: 'routines that use others, in one direction',
    seen: chain.join(' -> '),
    next: 'take one of them out of the chain',
  });
}

/** How `from` comes to `target` through what it uses. */
function chainTo(from: string, target: string, seen: readonly string[]): readonly string[] | undefined {
  for (const next of routines.get(from)?.uses ?? []) {
    if (next === target) return [...seen, from, target];
    if (seen.includes(next)) continue;
    const chain = chainTo(next, target, [...seen, from]);
    if (chain !== undefined) return chain;
  }
  return undefined;
}
