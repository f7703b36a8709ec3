import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT } from '../support/runner.ts';
import { PAGES, readPage } from './support/pages.ts';

/** As GitHub makes them: lower case, without punctuation, dashes for spaces, a number from the second on. */
function anchorsOf(page: string): Set<string> {
  const headings = readPage(page)
    .replaceAll(/^```[^]*?^```$/gm, '')
    .match(/^#+ .*$/gm);
  const anchors = new Set<string>();
  for (const heading of headings ?? []) {
    const plain = heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = plain;
    for (let number = 1; anchors.has(anchor); number++) anchor = `${plain}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}

test('every link between the pages leads somewhere', () => {
  const links = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map((found) => ({
      page,
      to: found[1] ?? '',
    })),
  );
  expect(links.length).toBeGreaterThan(20);
  const broken = links.filter(({ page, to }) => {
    const [file = '', anchor] = to.split('#');
    const target = file === '' ? page : relative(ROOT, join(ROOT, dirname(page), file));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(target).has(anchor);
  });
  expect(broken).toEqual([]);
});

test('every page is linked from another', () => {
  const links = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map((found) =>
      relative(ROOT, join(ROOT, dirname(page), found[1] ?? '')),
    ),
  );
  expect(PAGES.filter((page) => page !== 'README.md' && !links.includes(page))).toEqual([]);
});
