/** A secret that a test names in its body: nobody knew of it when titles were declared and other tests ran. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { readJournal } from '../../runs/journal.ts';
import { foldJournal } from '../../runs/model.ts';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';
import { searchFor } from './search.ts';

const WORD = 'Kb7-larch-Tin';

test('LK1: a secret that a test names is in no report, in what came before either, and every test is found by its worker', async ({}, info) => {
  const folder = info.outputPath('p');
  const spec = (body: string): string => `
import { writeFileSync } from 'node:fs';
import { expect, secret, test } from '${ROOT}/fixtures/index.ts';
const word = process.env.LATE_WORD;
${body}`;
  writeProject(folder, {
    'a.spec.ts': spec(`
test('before', async ({}, info) => {
  console.log('printed ' + word);
  await info.attach('of ' + word, { body: 'attached ' + word });
  writeFileSync(info.outputPath('file.txt'), word);
  await info.attach('file', { path: info.outputPath('file.txt') });
  await test.step('step ' + word, () => {});
  info.annotations.push({ type: 'note', description: word });
  expect.soft(word).toBe('another');
});`),
    'b.spec.ts': spec(`test('names it', () => { secret('LATE_WORD'); });`),
    // Declared in the worker that knows the secret by now.
    'c.spec.ts': spec(`
test.describe('group of ' + word, () => { test('title of ' + word, () => {}); });
for (const one of [word, word + '!']) test('each ' + one, () => {});`),
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/matrix.ts';
import matrix from '${ROOT}/vm-matrix.ts';
export default defineConfig({ workers: 1, reporter: [['json', { outputFile: 'out/report.json' }],
  ['junit', { outputFile: 'out/junit.xml' }], ['html', { open: 'never' }], ['blob'], ['${ROOT}/reporters/allure.ts'],
  ['${ROOT}/reporters/summary.ts']],
  projects: projectsFrom(matrix.filter(({ name }) => name === 'fedora42')) });`,
  });
  const { output, exitCode } = await runPlaywright(folder, ['test'], {
    env: { LATE_WORD: WORD, PROXMOX_HOST: 'pve.example.test', FEDORA42_PASSWORD: 'not-used-here' },
  });
  expect(output).toContain('4 of 5 passed, 1 failed');
  expect(exitCode).toBe(1);
  const skip = ['node_modules', 'playwright.config.ts', 'a.spec.ts', 'b.spec.ts', 'c.spec.ts'];
  expect(searchFor(folder, { WORD: [WORD] }, skip).hits).toEqual([]);
  const { hits } = searchFor(folder, { MASK: ['title of {LATE_WORD}', 'printed {LATE_WORD}'] }, skip);
  for (const place of ['report.json', 'junit.xml', 'playwright-report', 'allure-results'])
    expect(
      hits.some((hit) => hit.includes(place)),
      place,
    ).toBe(true);
});

test('LK1: a secret that a test names in mid-run changes no name of a test: every verdict is the same, and what two tests left stays two', async ({}, info) => {
  const folder = info.outputPath('p');
  writeProject(folder, {
    'the.spec.ts': `
import { writeFileSync } from 'node:fs';
import { expect, secret, test } from '${ROOT}/fixtures/index.ts';
const word = process.env.LATE_WORD;
const hex = Buffer.from(word).toString('hex');
test('title of ' + word, async ({}, info) => {
  if (info.retry === 0) expect(1).toBe(2);
  console.log('printed ' + word);
  await test.step('step ' + word, () => {});
  secret('LATE_WORD');
});
for (const form of [word, hex])
  test('log in with ' + form, async ({}, info) => {
    writeFileSync(info.outputPath('log of ' + word + '.txt'), 'one');
    writeFileSync(info.outputPath('log of ' + hex + '.txt'), 'two');
    if (form === word) expect(1).toBe(2);
  });`,
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/matrix.ts';
import matrix from '${ROOT}/vm-matrix.ts';
export default defineConfig({ workers: 1, retries: 1, reporter: [['json', { outputFile: 'out/report.json' }], ['blob'], ['html', { open: 'never' }],
  ['${ROOT}/reporters/allure.ts'], ['${ROOT}/reporters/summary.ts']],
  projects: projectsFrom(matrix.filter(({ name }) => name === 'fedora42')) });`,
  });
  const { output, exitCode } = await runPlaywright(folder, ['test'], {
    env: { LATE_WORD: WORD, PROXMOX_HOST: 'pve.example.test', FEDORA42_PASSWORD: 'not-used-here' },
  });
  expect(exitCode).toBe(1);
  expect(output).toContain('2 of 3 passed, 1 failed');
  const skip = ['node_modules', 'playwright.config.ts', 'the.spec.ts'];
  expect(searchFor(folder, { WORD: [WORD, Buffer.from(WORD).toString('hex')] }, skip).hits).toEqual([]);
  // Two files of each of four attempts.
  const left = readdirSync(join(folder, 'test-results'), { recursive: true, encoding: 'utf8' });
  expect(left.filter((path) => /log of .*\.txt$/.test(path))).toHaveLength(6);
  // What is read from the record is what was told.
  const [journal = ''] = left.filter((path) => path.endsWith('journal.jsonl'));
  const { events, faults } = readJournal(readFileSync(join(folder, 'test-results', journal), 'utf8'));
  expect(faults).toEqual([]);
  const { hosts } = foldJournal(events);
  expect(hosts).toMatchObject([{ host: 'fedora42', status: 'FAIL' }]);
  expect(hosts[0]?.tests.map(({ status }) => status)).toEqual(['passed', 'failed', 'passed']);
  const results = readdirSync(join(folder, 'allure-results')).filter((file) => file.endsWith('-result.json'));
  const named = results.map(
    (file) =>
      (JSON.parse(readFileSync(join(folder, 'allure-results', file), 'utf8')) as { historyId: string })
        .historyId,
  );
  expect(new Set(named).size).toBe(3);
});
