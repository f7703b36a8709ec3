import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { endRecorders, makeProject, onPage, play, SPEC, specIn, startRecorder } from './support/session.ts';

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
  });
  expect(await recorder.interrupt(), recorder.output()).toBe(0);

  expect(specIn(folder)).toBe(`import { expect, secret, test } from '#fixtures';

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
