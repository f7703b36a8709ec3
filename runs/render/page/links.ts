/**
 * Where a page leads.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import type { RunModel } from '../../model.ts';
import type { FailureLinks } from './failures.ts';

/** Addresses as seen from a page in `folder`. Only what lies in the folder above travels with the page. */
export function linksFrom(folder: string, { htmlReport }: RunModel): Pick<FailureLinks, 'href' | 'report'> {
  const href = (file: string): string | undefined => {
    const path = relative(folder, file);
    const travels = !relative(dirname(folder), file).startsWith('..');
    return travels && existsSync(file) ? addressOf(path) : undefined;
  };
  return {
    href,
    // It is written after this page.
    report: (testId) =>
      htmlReport === undefined || relative(dirname(folder), htmlReport).startsWith('..')
        ? undefined
        : `${addressOf(relative(folder, htmlReport))}/index.html#?testId=${encodeURIComponent(testId)}`,
  };
}

function addressOf(path: string): string {
  return path.split(sep).map(encodeURIComponent).join('/');
}
