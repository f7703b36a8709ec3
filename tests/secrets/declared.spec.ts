/** What is declared with a test, whether it is executed or not: tags and annotations. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';
import { searchFor } from './search.ts';

const WORD = 'Ht5-juniper-Row';

test('tags and annotations have no secret in any report, also of tests that are skipped or never begun', async ({}, info) => {
  const folder = info.outputPath('p');
  writeProject(folder, {
    'the.spec.ts': `
import { expect, test } from '${ROOT}/fixtures/index.ts';
const word = process.env.DECLARED_PASSWORD;
const of = { tag: '@' + word, annotation: { type: 'issue', description: 'of ' + word } };
test('passes', of, async () => {});
test.skip('is skipped', of, async () => {});
test.describe('group', of, () => { test('in it', async () => {}); });
test.describe.serial('one after the other', () => {
  test('fails', async () => { expect(1).toBe(2); });
  test('is never begun', of, async () => {});
});
`,
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/matrix.ts';
import matrix from '${ROOT}/vm-matrix.ts';
export default defineConfig({ workers: 1, reporter: [['list'], ['json', { outputFile: 'out/report.json' }],
  ['junit', { outputFile: 'out/junit.xml', embedAnnotationsAsProperties: true }], ['html', { open: 'never' }], ['blob'],
  ['${ROOT}/reporters/allure.ts'], ['${ROOT}/reporters/summary.ts']],
  projects: projectsFrom(matrix.filter(({ name }) => name === 'fedora42')) });`,
  });
  const { output, exitCode } = await runPlaywright(folder, ['test'], {
    env: {
      DECLARED_PASSWORD: WORD,
      PROXMOX_HOST: 'pve.example.test',
      FEDORA42_PASSWORD: 'not-used-here',
      VMWRIGHT_BUILD_NAME: 'night',
    },
  });
  expect(exitCode).toBe(1);
  expect(output).not.toContain(WORD);
  const skip = ['node_modules', 'the.spec.ts', 'playwright.config.ts'];
  expect(searchFor(folder, { WORD: [WORD] }, skip).hits).toEqual([]);
  // They are there, under the name of the secret.
  const { hits } = searchFor(folder, { MASK: ['{DECLARED_PASSWORD}'] }, skip);
  for (const place of ['report.json', 'index.html', 'blob-report', 'allure-results'])
    expect(
      hits.some((hit) => hit.includes(place)),
      place,
    ).toBe(true);
  expect(existsSync(join(folder, 'out/junit.xml'))).toBe(true);
});
