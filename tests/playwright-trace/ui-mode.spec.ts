/**
 * Playwright's UI mode, in Chromium: the screen while its test runs, and what the reporters of the config leave alone.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { requirePeer } from '../support/peers.ts';
import { ROOT } from '../support/runner.ts';
import { choose, inChromium, shownText } from './support/viewer.ts';

const SPEC = `
import { existsSync } from 'node:fs';
test('waits', async ({ app, vncPage }) => {
  test.setTimeout(240_000);
  await app.launch({ showing: 'Sign in' });
  await vncPage.getByLabel('Email').fill('alice@harbor.example');
  await expect.poll(() => existsSync('go'), { timeout: 200_000 }).toBe(true);
});`;

const TELLING = `
import { appendFileSync } from 'node:fs';
export default class {
  onEnd({ status }) { appendFileSync('told.txt', status + ' '); }
}`;

/** Of the run before: what a click must leave as it is. */
const BEFORE = {
  'test-results/summary/summary.txt': 'of the night',
  'test-results/summary/summary.json': '{"of":"the night"}',
  'allure/1-result.json': '{"of":"the night"}',
};

test('TV4 TV6: in UI mode film strip and actions are there while the test runs, and a click replaces and records nothing', async ({}, info) => {
  test.setTimeout(300_000);
  requirePeer(test, 'chromium');
  const lab = await startLab({ guests: ['fedora42'] });
  const folder = info.outputPath('project');
  const file = (name: string): string => join(folder, name);
  let output = '';
  let looking: Promise<void> | undefined;
  try {
    await runOnLab(lab, folder, {
      spec: SPEC,
      args: ['--ui-host=127.0.0.1', '--ui-port=0'],
      files: { ...BEFORE, 'telling.mjs': TELLING },
      reporters: [['./telling.mjs'], [`${ROOT}/reporters/allure.ts`, { resultsDir: 'allure' }]],
      // Else it opens a browser of its own.
      env: { PWTEST_UNDER_TEST: '1' },
      onOutput(text, pid) {
        output += text;
        const [, url] = /Listening on (http:\S+)/.exec(output) ?? [];
        if (url === undefined) return;
        looking ??= inChromium(url, clickAndLook).finally(() => process.kill(pid, 'SIGINT'));
      },
    });
    expect(looking, output).toBeDefined();
    await looking;
    for (const [name, content] of Object.entries(BEFORE))
      expect(readFileSync(file(name), 'utf8'), name).toBe(content);
    expect(readdirSync(file('test-results/summary')).toSorted()).toEqual(['summary.json', 'summary.txt']);
    expect(readdirSync(file('allure'))).toEqual(['1-result.json']);
    // No record either: the trend is made of them, and `vmwright run` and `vmwright post` send nothing without one.
    expect(readdirSync(file('test-results')).toSorted()).toEqual(['artifacts', 'summary']);
  } finally {
    await lab.stop();
  }

  async function clickAndLook(page: Page): Promise<void> {
    const tree = page.getByTestId('test-tree');
    await tree.getByRole('treeitem', { name: 'waits' }).click({ timeout: 60_000 });
    await page.keyboard.press('Enter');
    const fill = 'Fill field "Email" with "alice@harbor.example"';
    await expect(page.getByRole('treeitem', { name: fill })).toBeVisible({ timeout: 120_000 });
    await expect.poll(() => page.locator('.film-strip-frame').count()).toBeGreaterThan(3);
    await choose(page, fill);
    await page.getByText('Before', { exact: true }).click();
    await expect.poll(() => shownText(page), { timeout: 20_000 }).toContain('Sign in to Harbor');
    // Nobody has told it to go on: the test still runs.
    await expect(page.getByText('Running 0/1')).toBeVisible();
    await info.attach('live', { body: await page.screenshot(), contentType: 'image/png' });

    writeFileSync(file('go'), '');
    await expect(page.getByRole('tabpanel', { name: 'Actions' }).getByText('Passed')).toBeVisible({
      timeout: 60_000,
    });
    // The reporters of the config were asked.
    const told = (): string => (existsSync(file('told.txt')) ? readFileSync(file('told.txt'), 'utf8') : '');
    await expect.poll(told, { timeout: 30_000 }).toBe('passed ');
    await choose(page, fill);
    await page.getByText('After', { exact: true }).click();
    await expect.poll(() => shownText(page), { timeout: 20_000 }).toMatch(/a\w+@harb/);
  }
});
