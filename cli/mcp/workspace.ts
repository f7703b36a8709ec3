/**
 * The files that an agent may write and read through the server: specs and needles in the folder of the specs, and what
 * runs have left.
 *
 * @module
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { VmwrightError } from '../../fixtures/errors.ts';
import { redact } from '../../fixtures/secrets/index.ts';
import { readSpec } from '../replay-screen/calls.ts';

const SPEC = /\.(?:spec|test)\.[cm]?[jt]sx?$/;

export class Workspace {
  readonly root: string;
  readonly #specs: string;

  /** @param specs the folder of the specs, from the project's */
  constructor(root: string, specs: string) {
    this.root = realpathSync(root);
    this.#specs = resolve(this.root, specs);
    if (!isInside(this.#specs, this.root)) throw outside('--specs', specs, 'a folder of the project');
  }

  /** What runs leave: `test-results`. */
  get results(): string {
    return join(this.root, 'test-results');
  }

  /** @throws `PATH_OUTSIDE`, `FILE_UNREADABLE` */
  spec(path: string): string {
    const file = this.#own(path, SPEC, 'a file named *.spec.ts in the folder of the specs');
    if (existsSync(file)) return file;
    throw new VmwrightError({
      code: 'FILE_UNREADABLE',
      subject: path,
      message: 'there is no such spec',
      expected: `a file in ${relative(this.root, this.#specs)}`,
      next: 'name another, or write it with vm_write_spec',
    });
  }

  /** @throws `PATH_OUTSIDE`, `SPEC_EXISTS`, `SPEC_HAS_SECRET`, `SPEC_UNREADABLE` */
  writeSpec(path: string, code: string, mayReplace: boolean): string {
    const file = this.#own(path, SPEC, 'a file named *.spec.ts in the folder of the specs');
    const isThere = existsSync(file);
    if (isThere && !mayReplace)
      throw new VmwrightError({
        code: 'SPEC_EXISTS',
        subject: path,
        message: 'there is a spec already, and it is not replaced unasked',
        expected: 'a new name, or replace: true',
        seen: `${lineCount(readFileSync(file, 'utf8'))} lines`,
        next: 'read it first; then write it with replace: true',
      });
    if (redact(code) !== code)
      throw new VmwrightError({
        code: 'SPEC_HAS_SECRET',
        subject: path,
        message: 'the value of a secret stands in it',
        expected: "secret('NAME')",
        next: 'name the secret',
      });
    readSpec(path, code);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code, { flag: mayReplace ? 'w' : 'wx' });
    return `${isThere ? 'replaced' : 'wrote'} ${relative(this.root, file)}, ${lineCount(code)} lines`;
  }

  /** Where a needle goes. @throws `PATH_OUTSIDE`, `SPEC_EXISTS` where there is a file */
  needle(path: string): string {
    const file = this.#own(join('needles', path), /\.png$/, 'a .png in the needles of the specs');
    if (!existsSync(file)) return file;
    throw new VmwrightError({
      code: 'SPEC_EXISTS',
      subject: path,
      message: 'there is a needle of this name already',
      expected: 'a new name',
      next: 'give another name',
    });
  }

  /** A trace of a run. @throws `PATH_OUTSIDE` */
  trace(path: string): string {
    const file = resolve(this.root, path);
    if (isInside(real(file), real(this.results))) return file;
    throw outside('trace', path, 'a trace.zip below test-results');
  }

  /** @param path from the folder of the specs, or from the project's */
  #own(path: string, name: RegExp, expected: string): string {
    const fromRoot = resolve(this.root, path);
    const file = isInside(fromRoot, this.#specs) ? fromRoot : resolve(this.#specs, path);
    const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    const isOwn = isInside(file, this.#specs) && isInside(real(dirname(file)), real(this.#specs));
    if (!isOwn || isLink || !name.test(file)) throw outside('path', path, expected);
    return file;
  }
}

/** What links on the way lead to; what is not there yet is where it will be. */
function real(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const above = dirname(path);
  return above === path ? path : join(real(above), path.slice(above.length));
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function outside(subject: string, seen: string, expected: string): VmwrightError {
  return new VmwrightError({
    code: 'PATH_OUTSIDE',
    subject,
    message: `an agent does not use ${extname(seen) === '' ? 'this place' : 'this file'}`,
    expected,
    seen,
    next: 'name another',
  });
}
