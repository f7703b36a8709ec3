/** What docs/security.md promises names the test that proves it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT } from '../support/runner.ts';

/** A line of the table: promise, file and title. */
const PROOF = /^\| [^|]+ \| (?<file>tests\/[\w/.-]+): `(?<title>[^`]+)`/gm;

test('LK10: each promise of docs/security.md names a test that is there', () => {
  const text = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
  const table = text.split('## What proves it')[1]?.split('\n## ')[0] ?? '';
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2);
  const proofs = [...table.matchAll(PROOF)].map(({ groups }) => groups ?? {});
  expect(proofs.length).toBeGreaterThan(10);
  expect(proofs).toHaveLength(rows.length);
  for (const { file = '', title = '' } of proofs) {
    const declared = readFileSync(join(ROOT, file), 'utf8');
    // Whole: it ends where the title of a test does.
    expect(
      ["',", '`,'].some((end) => declared.includes(title + end)),
      `${file}: ${title}`,
    ).toBe(true);
  }
});
