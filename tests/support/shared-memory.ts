/**
 * Global set-up of the suite: it fails when its tests leave traces in the memory that all processes of the host share.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs';

/** Names of traces and sidecars. */
export function tracesIn(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.startsWith('vmwright_'))
        .sort()
    : [];
}

/** @returns the check for the end. @throws when there is more, or less, than at the beginning */
export function guardFolder(folder: string): () => void {
  const before = tracesIn(folder);
  return () => {
    const after = tracesIn(folder);
    const changed = [
      ...after.filter((name) => !before.includes(name)),
      ...before.filter((name) => !after.includes(name)),
    ];
    if (changed.length > 0) throw new Error(`the tests left something in ${folder}: ${changed.join(', ')}`);
  };
}

export default function setUp(): () => void {
  return guardFolder('/dev/shm');
}
