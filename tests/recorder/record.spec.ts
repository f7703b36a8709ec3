import { type Page, test } from '@playwright/test';
import axe from 'axe-core';
import { type Lab, startLab } from '../../lab/index.ts';
import {
  endRecorders,
  expect,
  makeProject,
  onPage,
  play,
  SPEC,
  specIn,
  startRecorder,
} from './support/session.ts';

test.describe.configure({ timeout: 300_000 });

let lab: Lab;
test.beforeEach(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterEach(async () => {
  await endRecorders();
  await lab.stop();
});

test('what is done on the page is a spec that passes on the same machine', async ({}, info) => {
  const folder = info.outputPath('p');
  makeProject(folder);
  const recorder = await startRecorder(lab, folder, ['--project', 'fedora42', '--output', SPEC]);
  await onPage(recorder.url, async (view) => {
    const { page, entries } = view;
    await page.getByRole('button', { name: 'Launch Harbor Chat' }).click();
    await view.reads('Sign in to Harbor');
    await view.click(620, 343);
    await page.keyboard.type('alice@example.test');
    await page.keyboard.press('Tab');
    await page.keyboard.type('harbor-demo-1');
    await view.click(600, 501);
    await view.reads('Signed in as');
    await view.click(400, 646);
    await page.keyboard.type('It\'s "recorded"');
    await page.keyboard.press('Enter');
    await view.reads('alice: It');
    await page.getByRole('button', { name: 'Assert text' }).click();
    await view.drag([225, 295], [480, 330]);
    await expect(entries.last()).toContainText('toShowText');
    await page.screenshot({ path: info.outputPath('page.png') });
    await page.getByRole('button', { name: 'Copy' }).click();
    await expect
      .poll(() => page.evaluate('navigator.clipboard.readText()'))
      .toContain("await vncPage.getByText('Log in').click();");
  });
  expect(await recorder.interrupt(), recorder.output()).toBe(0);

  // The box that OCR finds around a label may be a pixel or two larger on one picture than on the next.
  const spec = specIn(folder).replace(/\{ x: 1(3[6-9]|40), y: 3[4-8] \}/, '{ x: 138, y: 36 }');
  expect(spec).toBe(`import { expect, secret, test } from '#fixtures';

test('recorded', async ({ app, vncPage }) => {
  await app.clean();
  await app.launch();
  await vncPage.getByText('Email').click({ offset: { x: 138, y: 36 } });
  await vncPage.keyboard.type('alice@example.test');
  await vncPage.keyboard.press('Tab');
  await vncPage.keyboard.type(secret('HARBOR_PASSWORD'));
  await vncPage.getByText('Log in').click();
  await vncPage.getByText('Write a message').click();
  await vncPage.keyboard.type('It\\'s "recorded"');
  await vncPage.keyboard.press('Enter');
  await expect(vncPage).toShowText('alice: It\\'s "recorded"');
});
`);
  const run = await play(lab, folder, 'fedora42');
  expect(run.output).toContain('1 passed');
});

test('what a field hides is offered as a secret; the value is in no spec and not on the page', async ({}, info) => {
  const folder = info.outputPath('p');
  makeProject(folder);
  const recorder = await startRecorder(lab, folder, ['--project', 'fedora42', '--output', SPEC]);
  const value = 'Tr0ub4dor';
  await onPage(
    recorder.url,
    async (view) => {
      const { page, entries } = view;
      await page.getByRole('button', { name: 'Launch Harbor Chat' }).click();
      const email = await view.reads('Email');
      await view.click(email.x + 100, email.y + email.height + 20);
      await page.keyboard.press('Tab');
      // Nothing but the bullets on the screen tells.
      await page.keyboard.type(value);
      await page.keyboard.press('Shift+Tab');
      const hidden = entries.filter({ hasText: 'HARBOR_CHAT_PASSWORD' });
      await expect(hidden).toContainText('This looks like a secret');
      await hidden.getByRole('textbox', { name: 'Variable' }).fill('MY_PASSWORD');
      await page.screenshot({ path: info.outputPath('dark.png') });
      expect(await violations(page)).toEqual([]);
      await hidden.getByRole('button', { name: 'Keep' }).click();
      await expect(entries.nth(3)).toHaveText("await vncPage.keyboard.type(secret('MY_PASSWORD'));×");
      // The label asks for one.
      const password = await view.reads('Password');
      await view.click(password.x + 100, password.y + password.height + 20);
      await page.keyboard.type('ab');
      await expect(entries.nth(6)).toContainText("secret('HARBOR_CHAT_PASSWORD')");
      await entries.nth(6).getByRole('button', { name: 'No secret' }).click();
      await expect(entries.nth(6)).toHaveText("await vncPage.keyboard.type('ab');×");
      await entries.nth(6).getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('combobox', { name: 'Secret' }).selectOption('HARBOR_PASSWORD');
      await page.getByRole('button', { name: 'Type secret' }).click();
      await expect(entries.nth(6)).toHaveText("await vncPage.keyboard.type(secret('HARBOR_PASSWORD'));×");
      expect(await page.content()).not.toContain(value);
    },
    { colorScheme: 'dark' },
  );
  expect(await recorder.interrupt(), recorder.output()).toBe(0);
  const spec = specIn(folder);
  expect(spec).toContain("await vncPage.keyboard.type(secret('MY_PASSWORD'));");
  expect(spec).not.toMatch(/Tr0|harbor-demo/);
});

async function violations(page: Page): Promise<string[]> {
  const source = axe.source;
  await page.evaluate(source);
  return page.evaluate(async () => {
    const { axe: injected } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await injected.run()).violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`,
    );
  });
}
