import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import ts from 'typescript';
import { ROOT } from '../support/runner.ts';
import { readPage } from './support/pages.ts';

/** Every room of the product. */
const ROOMS = ['fixtures', 'routines', 'reporters', 'runs', 'cli', 'lab'];
const CODE = /^[A-Z]+(?:_[A-Z]+)+$/;
/** Words of the same shape that are no codes, beside the settings of .env.example. */
const OTHERS: readonly string[] = [
  // Parts of the names of settings.
  'BASE_URL',
  'LOCATE_MODEL',
  // Variables of vmwright's own processes and of test runners.
  'VMWRIGHT_RUN',
  'VMWRIGHT_CRASHED',
  'VMWRIGHT_PROGRESS',
  'TEST_WORKER_INDEX',
  'VITEST_WORKER_ID',
  'JEST_WORKER_ID',
  'NODE_TEST_CONTEXT',
  // Node's, of a package that is not installed.
  'ERR_MODULE_NOT_FOUND',
  // Colours of Playwright's messages.
  'RECEIVED_COLOR',
  'EXPECTED_COLOR',
  'DIM_COLOR',
  // An event of QEMU's.
  'JOB_STATUS_CHANGE',
];

/** Every string of a code's shape in the sources, with the files that have it. */
function codesIn(folder: string): [string, string][] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const file = `${folder}/${name}`;
      const found: [string, string][] = [];
      const visit = (node: ts.Node): void => {
        if (ts.isStringLiteralLike(node) && CODE.test(node.text)) found.push([node.text, file]);
        ts.forEachChild(node, visit);
      };
      visit(ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest));
      return found;
    });
}

test('every error code of every room is explained, and nothing else is', () => {
  const rows = readPage('docs/troubleshooting.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const explained = rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`([A-Z_]+)`/g)].map((found) => found[1] ?? ''),
  );
  const settings = [...readPage('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map(
    (found) => found[1] ?? '',
  );
  const words = ROOMS.flatMap(codesIn);
  const used = words.filter(([word]) => !OTHERS.includes(word) && !settings.includes(word));
  expect(new Set(used.map(([word]) => word)).size).toBeGreaterThan(100);
  expect(
    used.filter(([word]) => !explained.includes(word)).map(([word, file]) => `${word} in ${file}`),
  ).toEqual([]);
  expect(explained.filter((code) => !used.some(([word]) => word === code))).toEqual([]);
  expect(
    explained.filter((code, index) => explained.indexOf(code) !== index),
    'explained twice',
  ).toEqual([]);
  expect(
    OTHERS.filter((word) => !words.some(([known]) => known === word)),
    'no longer in the sources',
  ).toEqual([]);
});

test('the pages name only settings that .env.example explains', () => {
  const settings = readPage('.env.example');
  const pages = [
    'README.md',
    'docs/guide.md',
    'docs/existing-project.md',
    'docs/cookbook.md',
    'docs/migration.md',
    'docs/security.md',
  ];
  const named = pages.flatMap((page) =>
    [...readPage(page).matchAll(/\b(?:VMWRIGHT|VLM|PROXMOX|SSH|TIMEOUT)_[A-Z0-9_]*[A-Z0-9]\b/g)].map(
      ([word]) => word,
    ),
  );
  expect(named.length).toBeGreaterThan(20);
  const codes = readPage('docs/troubleshooting.md');
  expect(named.filter((word) => !settings.includes(`${word}=`) && !codes.includes(`| \`${word}\``))).toEqual(
    [],
  );
});
