import { visible } from '../fixtures/secrets/visible.ts';

/**
 * Rows as lines: columns as wide as their widest cell, two blanks between, a line feed after each. A cell is one line,
 * whatever a cluster or a guest put into it.
 */
export function columns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map((cell) => visible(cell).replaceAll(/\s*[\n\t]\s*/g, ' ')));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
