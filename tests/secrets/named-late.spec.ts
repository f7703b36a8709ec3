/** A secret that a test names in its body: nobody knew of it when titles were declared and other tests ran. */
import { expect, test } from '@playwright/test';
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
