/**
 * This repository as it was at some commit, to be measured beside what it is now.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Calls back with a folder that holds the commit's files and today's `node_modules`; it is gone afterwards. */
export function withCheckout<T>(commit: string, measure: (folder: string) => T): T {
  const root = join(import.meta.dirname, '../..');
  const folder = join(mkdtempSync(join(tmpdir(), 'vmw-bench-')), commit);
  const git = (...args: string[]): Buffer => execFileSync('git', ['-C', root, ...args], { stdio: 'pipe' });
  git('worktree', 'add', '--detach', folder, commit);
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    return measure(folder);
  } finally {
    git('worktree', 'remove', '--force', folder);
    rmSync(join(folder, '..'), { recursive: true, force: true });
  }
}
