/**
 * The files of a spec: itself, and those of the project that it imports.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { parse } from '@babel/parser';
import type { ClassDeclaration, Node, Program } from '@babel/types';
import { fileOf, importsOf } from './imports.ts';
import { changesIn } from './scope.ts';
import { keyOf } from './syntax.ts';

/** A parsed file. */
export interface Module {
  readonly file: string;
  readonly program: Program;
  readonly imports: ReturnType<typeof importsOf>;
  readonly assigned: ReadonlySet<string>;
  /** Names whose list or object is changed, or handed to somebody who may. */
  readonly mutated: ReadonlySet<string>;
}

/** Where an export is declared: a node of the file, or a name in another. */
export type Export =
  { readonly node: Node } | { readonly local: string } | { readonly file: string; readonly name: string };

/** Parses each file once. */
export class Modules {
  readonly #known = new Map<string, Module | undefined>();

  /** Undefined when it cannot be read or parsed. */
  get(file: string): Module | undefined {
    if (!this.#known.has(file)) this.#known.set(file, load(file));
    return this.#known.get(file);
  }

  /** Classes of a file and of those that it imports. */
  classesNear(module: Module): { readonly module: Module; readonly node: ClassDeclaration }[] {
    const files = new Set([...module.imports.values()].map(({ file }) => file));
    const all = [module, ...[...files].flatMap((file) => this.get(file) ?? [])];
    return all.flatMap((each) =>
      each.program.body.flatMap((statement) => {
        const node = 'declaration' in statement ? statement.declaration : statement;
        return node?.type === 'ClassDeclaration' ? [{ module: each, node }] : [];
      }),
    );
  }
}

function load(file: string): Module | undefined {
  let program: Program;
  try {
    program = parse(readFileSync(file, 'utf8'), {
      sourceType: 'module',
      plugins: ['typescript', 'jsx', 'decorators'],
    }).program;
  } catch {
    return undefined;
  }
  return { file, program, imports: importsOf(program, file), ...changesIn(program) };
}

/** What a file exports under a name; several where it re-exports whole files. */
export function exportsOf({ program, file }: Module, name: string): Export[] {
  const passedOn: Export[] = [];
  for (const statement of program.body) {
    if (statement.type === 'ExportDefaultDeclaration' && name === 'default')
      return [{ node: statement.declaration }];
    if (statement.type === 'ExportAllDeclaration') {
      const source = fileOf(statement.source.value, file);
      if (source !== undefined) passedOn.push({ file: source, name });
    }
    if (statement.type !== 'ExportNamedDeclaration') continue;
    for (const specifier of statement.specifiers) {
      if (specifier.type !== 'ExportSpecifier' || keyOf(specifier.exported) !== name) continue;
      const { name: local } = specifier.local;
      if (statement.source == null) return [{ local }];
      const source = fileOf(statement.source.value, file);
      return source === undefined ? [] : [{ file: source, name: local }];
    }
    if (statement.declaration != null && declares(statement.declaration, name)) return [{ local: name }];
  }
  return passedOn;
}

function declares(node: Node, name: string): boolean {
  if (node.type === 'VariableDeclaration')
    return node.declarations.some(({ id }) => id.type === 'Identifier' && id.name === name);
  return 'id' in node && node.id != null && typeof node.id === 'object' && keyOf(node.id) === name;
}
