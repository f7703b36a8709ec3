import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT } from '../support/runner.ts';

/** In parts, so that this file has none of them. */
const REPLACED = new RegExp(
  [
    ['require\\.ca', 'che'],
    ['resetMod', 'ules'],
    ['vi\\.mo', 'ck\\('],
    ['jest\\.mo', 'ck\\('],
    ['mock\\.mod', 'ule\\('],
  ]
    .map((parts) => parts.join(''))
    .join('|'),
);

test('M50: no test takes a module out of the cache or puts another in its place', () => {
  const files = readdirSync(join(ROOT, 'tests'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:ts|js|mjs|cjs|py)$/.test(name),
  );
  expect(files.length).toBeGreaterThan(150);
  const replaced = files.filter((name) => REPLACED.test(readFileSync(join(ROOT, 'tests', name), 'utf8')));
  expect(replaced).toEqual([]);
});

test('M50: each way to replace a module would be noticed', () => {
  const ways = [
    ['delete require.ca', "che[require.resolve('ssh2')]"],
    ['jest.resetMod', 'ules();'],
    ['vi.mo', "ck('ws');"],
    ['jest.mo', "ck('sharp');"],
    ['mock.mod', "ule('node:fs');"],
  ];
  for (const parts of ways) expect(parts.join('')).toMatch(REPLACED);
});
