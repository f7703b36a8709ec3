/** Files below a folder are searched and renamed, and none is lost. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { cleanFolder } from '../../fixtures/secrets/folders.ts';
import { Secret } from '../../fixtures/secrets/index.ts';

const WORD = 'Qf4-walnut-Pond';
const MASK = '{FOLDER_WORD}';
const hex = Buffer.from(WORD).toString('hex');

/** Path to content, of files only. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

test('LK4: the secret is in no file below and in no name; two that are called the same then stay two', ({}, info) => {
  new Secret('FOLDER_WORD', WORD);
  const folder = info.outputPath('f');
  write(folder, {
    [`of ${WORD}/log of ${WORD}.txt`]: `one ${WORD}`,
    [`of ${WORD}/log of ${hex}.txt`]: 'two',
    [`of ${WORD}/deeper/${WORD}.tar.gz`]: 'three',
    'plain.txt': 'four',
  });
  cleanFolder(folder);
  const left = contents(folder);
  const logs = [`of ${MASK}/log of ${MASK}.txt`, `of ${MASK}/log of ${MASK} (2).txt`];
  expect(Object.keys(left).sort()).toEqual([...logs, `of ${MASK}/deeper/${MASK}.tar.gz`, 'plain.txt'].sort());
  expect(logs.map((path) => left[path]).sort()).toEqual([`one ${MASK}`, 'two']);
  expect(readdirSync(folder).sort()).toEqual(['plain.txt', `of ${MASK}`].sort());
});

test('what is older, a link, or lies in the folder that is left alone stays where it is, whatever it is called', ({}, info) => {
  new Secret('FOLDER_WORD', WORD);
  const folder = info.outputPath('f');
  write(folder, {
    [`state/of ${WORD}/journal.jsonl`]: WORD,
    [`of ${WORD}/old.txt`]: 'old',
    [`of ${WORD}/new.txt`]: WORD,
  });
  symlinkSync('old.txt', join(folder, `of ${WORD}`, 'link'));
  utimesSync(join(folder, `of ${WORD}`, 'old.txt'), 1000, 1000);
  cleanFolder(folder, 2_000_000, join(folder, 'state'));
  expect(contents(folder)).toEqual({
    [`of ${MASK}/new.txt`]: MASK,
    [`of ${WORD}/link`]: 'old',
    [`of ${WORD}/old.txt`]: 'old',
    [`state/of ${WORD}/journal.jsonl`]: WORD,
  });
});

test('what cannot be searched is told, and keeps nothing else from it', ({}, info) => {
  new Secret('FOLDER_WORD', WORD);
  const folder = info.outputPath('f');
  // A name that is a folder's already once it is masked.
  write(folder, { [`${MASK}/taken`]: 'one', [WORD]: 'two', 'z/leak.txt': WORD });
  cleanFolder(folder);
  expect(contents(folder)).toMatchObject({
    'z/leak.txt': MASK,
    [`${MASK}/taken`]: 'one',
    [`${MASK} (2)`]: 'two',
  });
  expect(() => cleanFolder(join(folder, 'z/leak.txt'))).not.toThrow();
  expect(existsSync(join(folder, 'z/leak.txt'))).toBe(true);
});
