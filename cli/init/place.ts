/**
 * Files are written all or not at all.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Planned {
  /** Absolute. */
  readonly path: string;
  readonly content: string;
}

/** Undoes what was done, the latest first. */
type Undo = () => void;

/**
 * Writes each file beside its place, and moves them when all are there. What was in one of the places before is there
 * again when a later one fails.
 *
 * @throws what the file system throws; then nothing has changed
 */
export function writeAll(files: readonly Planned[]): void {
  const undo: Undo[] = [];
  try {
    for (const { path, content } of files) {
      const made = mkdirSync(dirname(path), { recursive: true });
      if (made !== undefined) undo.push(() => rmSync(made, { recursive: true }));
      undo.push(() => rmSync(beside(path), { force: true }));
      writeFileSync(beside(path), content, { flag: 'wx' });
    }
    for (const { path } of files) {
      const before = existsSync(path) ? readFileSync(path) : undefined;
      renameSync(beside(path), path);
      undo.push(() => (before === undefined ? rmSync(path) : writeFileSync(path, before)));
    }
  } catch (error) {
    for (const step of undo.toReversed()) step();
    throw error;
  }
}

function beside(path: string): string {
  return `${path}.${process.pid}.new`;
}
