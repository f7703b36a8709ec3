/**
 * A project's own TypeScript, such as vm-matrix.ts: Playwright compiles it for tests, nobody does so for commands.
 *
 * @module
 */
import { pathToFileURL } from 'node:url';

/** The exports of a module of the project. Throws what the module throws. */
export async function loadModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  // From source a loader is there already, and it is ours.
  if (import.meta.filename.endsWith('.ts')) {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  }
  const { createJiti } = await import('jiti');
  return createJiti(import.meta.url, { fsCache: false, moduleCache: false }).import(path);
}
