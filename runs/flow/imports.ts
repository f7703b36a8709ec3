/**
 * Where a spec's imported functions live.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Node } from '@babel/types';

interface Imported {
  readonly file: string;
  /** Name that the file exports it under; `*` for all of the file. */
  readonly name: string;
}

const ENDINGS = ['', '.ts', '.js', '.mts', '.mjs', '/index.ts', '/index.js'];

/** Imported names of the project's own files; packages are left out. */
export function importsOf(program: Node, file: string): Map<string, Imported> {
  const found = new Map<string, Imported>();
  if (program.type !== 'Program') return found;
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration') continue;
    const source = fileOf(statement.source.value, file);
    if (source === undefined) continue;
    for (const specifier of statement.specifiers) {
      if (specifier.type === 'ImportNamespaceSpecifier')
        found.set(specifier.local.name, { file: source, name: '*' });
      if (specifier.type === 'ImportDefaultSpecifier')
        found.set(specifier.local.name, { file: source, name: 'default' });
      if (specifier.type !== 'ImportSpecifier') continue;
      const { imported } = specifier;
      const name = imported.type === 'Identifier' ? imported.name : imported.value;
      found.set(specifier.local.name, { file: source, name });
    }
  }
  return found;
}

/** The `imports` map of the nearest package.json at or above a folder, and where that lies; empty without one. */
export function nearestImports(from: string): {
  readonly folder: string;
  readonly imports: Readonly<Record<string, unknown>>;
} {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { imports = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
        imports?: Record<string, unknown>;
      };
      return { folder, imports };
    }
    if (folder === dirname(folder)) return { folder, imports: {} };
  }
}

/** The project's own file behind an import; undefined for a package. */
export function fileOf(specifier: string, from: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/'))
    return existing(resolve(dirname(from), specifier));
  return specifier.startsWith('#') ? mapped(specifier, from) : undefined;
}

function mapped(specifier: string, from: string): string | undefined {
  const { folder, imports } = nearestImports(dirname(from));
  for (const [pattern, target] of Object.entries(imports)) {
    if (typeof target !== 'string') continue;
    const [start = '', end] = pattern.split('*');
    if (end === undefined && pattern === specifier) return existing(resolve(folder, target));
    if (end === undefined || !specifier.startsWith(start) || !specifier.endsWith(end)) continue;
    const middle = specifier.slice(start.length, specifier.length - end.length);
    return existing(resolve(folder, target.replace('*', middle)));
  }
  return undefined;
}

function existing(path: string): string | undefined {
  return ENDINGS.map((ending) => path + ending).find((file) => existsSync(file) && !file.endsWith('/'));
}
