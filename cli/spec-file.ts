/**
 * The spec that a recording writes, while it grows.
 *
 * @module
 */
import { existsSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { VmwrightError } from '../fixtures/errors.ts';
import { nearestImports } from '../runs/flow/imports.ts';

export class SpecFile implements AsyncDisposable {
  /** The test's title: the file's name without its endings. */
  readonly title: string;
  /** Where `test` and `expect` come from in the project that the file belongs to. */
  readonly module: string;
  readonly #path: string;
  readonly #mayReplace: boolean;
  #isOurs = false;
  #wanted: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  /** @throws `RECORD_OUTPUT_EXISTS` */
  static async open(path: string, mayReplace: boolean): Promise<SpecFile> {
    if (!mayReplace && existsSync(path)) throw exists(path);
    await mkdir(dirname(path), { recursive: true });
    return new SpecFile(path, mayReplace);
  }

  private constructor(path: string, mayReplace: boolean) {
    this.#path = path;
    this.#mayReplace = mayReplace;
    this.title = basename(path).replace(/(\.(spec|test))?\.\w+$/, '');
    this.module = moduleFor(dirname(path));
  }

  /** Writes this source soon; a later one takes its place. The empty source leaves no file. */
  save(source: string): void {
    this.#wanted = source;
    this.#writing = this.#writing.then(() => this.#write());
  }

  /** @throws what the last writing threw: `RECORD_OUTPUT_EXISTS` when somebody else made the file meanwhile */
  async saved(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    const source = this.#wanted;
    this.#wanted = undefined;
    if (source === undefined) return;
    try {
      if (source === '') {
        if (this.#isOurs) rmSync(this.#path, { force: true });
        this.#isOurs = false;
      } else {
        const flag = this.#isOurs || this.#mayReplace ? 'w' : 'wx';
        await writeFile(this.#path, await formatted(source, this.#path), { flag });
        this.#isOurs = true;
      }
      this.#failure = undefined;
    } catch (error) {
      const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
      this.#failure = isThere ? exists(this.#path) : (error as Error);
    }
  }
}

function exists(path: string): VmwrightError {
  return new VmwrightError({
    code: 'RECORD_OUTPUT_EXISTS',
    subject: '--output',
    message: 'there is a file already, and a recording does not replace it',
    expected: 'a path without a file, or --force',
    seen: path,
    next: 'give another --output <file>, or --force',
  });
}

/** `#fixtures` where the project maps it, as a project with vmwright's sources does; else the package. */
function moduleFor(folder: string): string {
  return '#fixtures' in nearestImports(folder).imports ? '#fixtures' : 'vmwright';
}

interface Prettier {
  resolveConfig(file: string): Promise<object | null>;
  format(source: string, options: object): Promise<string>;
}

/** As the project's own prettier has it; as it is where there is none. */
async function formatted(source: string, file: string): Promise<string> {
  let path: string;
  try {
    path = createRequire(file).resolve('prettier');
  } catch {
    return source;
  }
  const { default: prettier } = (await import(pathToFileURL(path).href)) as { default: Prettier };
  return prettier.format(source, { ...(await prettier.resolveConfig(file)), filepath: file });
}
