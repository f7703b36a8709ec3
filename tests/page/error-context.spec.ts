/**
 * What `error-context.md` tells of a machine's screen, through the real runner on the lab's fedora42.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';

const SPEC = `
test('a matcher', async ({ vncPage }) => {
  await expect(vncPage).toShowText('Nowhere', { timeout: 500 });
});
test('an action', async ({ vncPage }) => {
  await vncPage.getByText('Nowhere').click({ timeout: 500 });
});
test('a plain expectation', async ({ vncPage }) => {
  await vncPage.waitForStill();
  expect(1).toBe(2);
});
test('a time-out', async ({ vncPage }, info) => {
  info.setTimeout(Math.round(performance.now()) + 1000);
  await vncPage.waitForStill({ quietMs: 600_000, timeout: 600_000 });
});
test('a secret', async ({ vncPage, app }) => {
  await app.launch({ showing: 'Sign in' });
  await vncPage.getByLabel('Email').fill(secret('FEDORA42_PASSWORD'));
  await expect(vncPage).toShowText('Nowhere', { timeout: 500 });
});
test('no screen', async ({ ssh }) => { await ssh.exec('exit 3'); });`;

test('TV11: error-context.md holds the text of the screen with its places, for every failure of a test that has one', async ({}, info) => {
  test.setTimeout(300_000);
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const folder = info.outputPath('project');
    const run = await runOnLab(lab, folder, { spec: SPEC });
    expect(run.output).toContain('6 failed');
    const artifacts = join(folder, 'test-results/artifacts');
    const contexts = Object.fromEntries(
      readdirSync(artifacts)
        .filter((name) => name.startsWith('the-'))
        .map((name) => [name, readFileSync(join(artifacts, name, 'error-context.md'), 'utf8')]),
    );
    const of = (title: string): string =>
      Object.entries(contexts).find(([name]) => name.includes(title.replaceAll(' ', '-')))?.[1] ?? '';
    for (const title of ['a matcher', 'an action', 'a plain expectation', 'a time-out', 'a secret']) {
      const text = of(title);
      expect.soft(text, title).toContain('- screen "fedora42" [size=1280,800]:');
      expect.soft(text, title).toMatch(/^ {2}- text "Activities" \[box=\d+,\d+,\d+,\d+\]$/m);
      expect.soft(text.match(/- screen /g), title).toHaveLength(1);
    }
    expect(of('a secret')).toContain('- text "(a secret)"');
    expect(of('a secret')).not.toContain(lab.env().FEDORA42_PASSWORD);
    expect(of('no screen')).toContain('SSH_COMMAND_FAILED');
    expect(of('no screen')).not.toContain('- screen ');
  } finally {
    await lab.stop();
  }
});
