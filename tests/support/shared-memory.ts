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

/** Of a suite that a test of another one starts: whoever runs beside that test has files there, too. */
export const INNER_SUITE = { VMWRIGHT_INNER_SUITE: '1' } as const;

export default function setUp(): (() => void) | undefined {
  return process.env.VMWRIGHT_INNER_SUITE === '1' ? undefined : guardFolder('/dev/shm');
}
