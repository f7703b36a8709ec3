/**
 * The files that `vmwright init` writes.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What the rows of templates/lab/vm-matrix.ts and their spec name. */
export const LAB_SECRETS = ['FEDORA42_PASSWORD', 'WINDOWS11_PASSWORD', 'HARBOR_PASSWORD'];

const PACKAGE = dirname(createRequire(import.meta.url).resolve('vmwright/package.json'));
/** From this heading of .env.example to the next stand the secrets of the shipped matrix. */
const SECRETS = /(# --- Secrets that vm-matrix\.ts names -+\n)[^]*?(?=\n# --- )/;

/** A file of templates/. */
export function template(file: string): string {
  return readFileSync(join(PACKAGE, 'templates', file), 'utf8');
}

/** Every setting with what it means, and these secrets. */
export function envExample(secrets: readonly string[]): string {
  const lines = secrets.map((name) => `# ${name}=\n`).join('');
  return readFileSync(join(PACKAGE, '.env.example'), 'utf8').replace(
    SECRETS,
    (_, heading: string) => heading + lines,
  );
}

/**
 * What a coding agent has to know of the project.
 *
 * @param specs where the specs of machines are
 * @param program what runs a program of an installed package: `npx`
 */
export function agentsFile(specs: string, program: string): string {
  return template('project/AGENTS.md').replaceAll('specs/', `${specs}/`).replaceAll('npx ', `${program} `);
}
