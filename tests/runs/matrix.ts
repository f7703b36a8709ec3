/**
 * Matrix files for the tests of plans.
 *
 * @module
 */
import { ROOT } from '../support/runner.ts';
import { writeFile } from './support.ts';

/** A host is its name, or its name with other fields of its row. */
export type Row = string | { readonly name: string; readonly [field: string]: unknown };

/** JavaScript of a matrix file with these machines; `suites` is the source of an object. */
export function matrixSource(rows: readonly Row[], suites = '{}'): string {
  const all = rows.map((row) => (typeof row === 'string' ? { name: row } : row));
  return `
import { defineMatrix, defineSuites, presets } from '${ROOT}/fixtures/config/index.ts';
const application = { title: 'App', path: '/opt/app', process: 'app' };
const rows = ${JSON.stringify(all)};
export default defineMatrix(rows.map(({ os, ...row }, index) => ({
  ...(os === 'windows' ? presets.windows11 : presets.fedora42),
  vm: 101 + index, user: 'tester', secrets: { password: 'APP_PASSWORD' }, application, ...row,
})));
export const suites = defineSuites(${suites});
`;
}

export function writeMatrix(folder: string, rows: readonly Row[], suites?: string): string {
  return writeFile(folder, 'vm-matrix.ts', matrixSource(rows, suites));
}
