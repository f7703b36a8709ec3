/**
 * Copies of vmwright with one thing taken out.
 *
 * @module
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestInfo } from '@playwright/test';
import { ROOT } from './runner.ts';

export interface Mutation {
  /** Path from the root. */
  readonly file: string;
  readonly find: string | RegExp;
  readonly replace: string;
}

const SOURCES = [
  'fixtures',
  'routines',
  'reporters',
  'runs',
  'vm-matrix.ts',
  'package.json',
  'tsconfig.json',
];

/** What the tests need besides. */
const TESTS = [
  '.ci',
  '.env.example',
  'cli',
  'docs',
  'lab',
  'playwright.config.ts',
  'specs',
  'templates',
  'tests',
  'vm-matrix.desktops.ts',
];

/**
 * An empty folder for a copy that other processes run: the same for each test of a worker, so that the runner finds there
 * what it compiled of the last copy, which is all but one file.
 */
export function mutantFolder({ parallelIndex }: Pick<TestInfo, 'parallelIndex'>): string {
  const folder = join(ROOT, 'test-results/self/mutants', String(parallelIndex));
  rmSync(folder, { recursive: true, force: true });
  return folder;
}

/** As {@link makeMutant}, with the tests, which are run there. */
export function makeMutantWithTests(folder: string, mutation: Mutation): string {
  mkdirSync(folder, { recursive: true });
  for (const source of TESTS) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  return makeMutant(folder, mutation);
}

/** Makes the copy in `folder`. A mutation that finds nothing to change is an error: the list has grown old. */
export function makeMutant(folder: string, { file, find, replace }: Mutation): string {
  mkdirSync(folder, { recursive: true });
  for (const source of SOURCES) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const path = join(folder, file);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(find, () => replace);
  if (after === before) throw new Error(`${file} has no ${String(find)}`);
  writeFileSync(path, after);
  return folder;
}
