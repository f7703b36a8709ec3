import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT } from '../support/runner.ts';

const CODE = /(?:code:|unreadable\()[^,;\n]*?'([A-Z]+(?:_[A-Z]+)+)'(?:[^,;\n]*?'([A-Z]+(?:_[A-Z]+)+)')?/g;

function codesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...readFileSync(join(ROOT, folder, name), 'utf8').matchAll(CODE)])
    .flatMap((found) => [found[1], found[2]])
    .filter((code) => code !== undefined);
}

test('every error code is explained, and nothing else is', () => {
  const page = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const explained = rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`([A-Z_]+)`/g)].map((found) => found[1]),
  );
  const used = new Set(['fixtures', 'lab/guests/qemu', 'cli', 'routines', 'reporters'].flatMap(codesIn));
  expect(explained.filter((code) => !used.has(code ?? ''))).toEqual([]);
  expect([...used].filter((code) => !explained.includes(code))).toEqual([]);
});
