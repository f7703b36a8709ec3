/**
 * What a project's package.json needs. Only what is missing is added.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { VmwrightError } from '../../fixtures/errors.ts';
import { VERSION } from '../../runs/version.ts';
import { oneWord } from './word.ts';

export interface Completion {
  /** Lines for the reader: what is done. */
  readonly text: string;
  /** What package.json says then; undefined where it lacks nothing. */
  readonly content?: string;
  /** Dependencies were added. */
  readonly needsInstall: boolean;
}

type Section = Readonly<Record<string, string>>;
interface Manifest {
  readonly type?: string;
  readonly scripts?: Section;
  readonly dependencies?: Section;
  readonly devDependencies?: Section;
}

const NAME = 'package.json';
const { peerDependencies, peerDependenciesMeta } = createRequire(import.meta.url)(
  'vmwright/package.json',
) as {
  peerDependencies: Section;
  peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
};
/** What is optional is installed by whoever wants it. */
const REQUIRED = Object.entries(peerDependencies).filter(
  ([name]) => peerDependenciesMeta[name]?.optional !== true,
);
const WANTED: Section = { ...Object.fromEntries(REQUIRED), vmwright: `^${VERSION}` };

/**
 * Writes nothing. The `type` of a package that is there is what all its files go by: it stays.
 *
 * @throws `FILE_UNREADABLE` when there is a package.json that is none
 */
export function completeManifest(folder: string): Completion {
  const file = join(folder, NAME);
  const isNew = !existsSync(file);
  const text = isNew ? '{}\n' : readFileSync(file, 'utf8');
  const before = parse(text, file);
  const present = { ...before.dependencies, ...before.devDependencies };
  const missing = Object.entries(WANTED).filter(([name]) => !(name in present));
  const added: Manifest = {
    ...(isNew ? { type: 'module' } : {}),
    ...(before.scripts?.test === undefined
      ? { scripts: { ...before.scripts, test: 'playwright test' } }
      : {}),
    ...(missing.length === 0
      ? {}
      : { devDependencies: { ...before.devDependencies, ...Object.fromEntries(missing) } }),
  };
  const names = [
    ...Object.keys(added).filter((key) => key !== 'devDependencies'),
    ...missing.map(([name]) => name),
  ];
  const head = isNew ? { name: oneWord(basename(folder)) || 'vm-smoke', private: true } : {};
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
  const content = `${JSON.stringify({ ...head, ...before, ...added }, undefined, indent)}\n`;
  const done = isNew ? `created  ${NAME}` : `${names.length === 0 ? 'kept   ' : 'changed'}  ${NAME}`;
  const what = isNew || names.length === 0 ? '' : `: added ${names.join(', ')}`;
  const remark =
    isNew || before.type === 'module'
      ? ''
      : `\n         its "type" is commonjs${before.type === undefined ? ', as nothing else is said' : ''}: before Node 20.19 vmwright needs "type": "module"`;
  const written = names.length > 0 ? { content } : {};
  return { text: done + what + remark, needsInstall: missing.length > 0, ...written };
}

function parse(text: string, file: string): Manifest {
  try {
    return JSON.parse(text) as Manifest;
  } catch (cause) {
    throw new VmwrightError({
      code: 'FILE_UNREADABLE',
      subject: file,
      message: 'it is not JSON',
      seen: cause instanceof Error ? cause.message : String(cause),
      next: 'correct it and run vmwright init again: nothing was written',
      cause,
    });
  }
}
