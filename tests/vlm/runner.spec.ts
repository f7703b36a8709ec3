/**
 * Claims through the real runner, on the lab's fedora42, with a scripted model.
 */
import { expect } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { type LabRun, runOnLab } from '../support/lab-project.ts';
import { test } from './support/fixtures.ts';
import { answer, place } from './support/provider.ts';

let lab: Lab;
test.beforeAll(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterAll(() => lab.stop());
test.describe.configure({ mode: 'serial' });

const START = `await app.launch({ showing: HARBOR.login });`;

function run(folder: string, body: string, env: Record<string, string> = {}): Promise<LabRun> {
  return runOnLab(lab, folder, {
    spec: `test('claims', async ({ app, vncPage }, info) => { ${body} });`,
    env: { CI: '', ...env },
  });
}

test('without a model text claims work, and another claim skips the test with its reason', async ({}, info) => {
  const { output, exitCode } = await run(
    info.outputPath('project'),
    `${START}
    await expect(vncPage).toShow('the text "Sign in to Harbor" is shown');
    await expect(vncPage).not.toShow('"Signed in as bob"');
    console.log('TEXT SETTLED', info.annotations.filter(({ type }) => type === 'claim').map(({ description }) => description).join(' / '));
    const skip = await vncPage.ifVisible('an update banner', () => { throw new Error('not to be run'); });
    console.log('BANNER', skip);
    await expect(vncPage).toShow('the log in button is blue');
    console.log('NOT REACHED');`,
  );
  expect(output).toContain('"Sign in to Harbor" is shown: pass by exact text');
  expect(output).toContain('"Signed in as bob": fail by exact text');
  expect(output).toContain('BANNER false');
  expect(output).not.toContain('NOT REACHED');
  expect(output).toMatch(/1 skipped/);
  expect(output).not.toMatch(/\d passed/);
  expect(exitCode).toBe(0);
});

test('with VLM_REQUIRED=1 a claim without a model fails, soft or not', async ({}, info) => {
  const { output, exitCode } = await run(
    info.outputPath('project'),
    `${START} await expect.soft(vncPage).toShow('the log in button is blue');`,
    { VLM_REQUIRED: '1' },
  );
  expect(output).toContain('VLM_NOT_CONFIGURED');
  expect(output).toMatch(/1 failed/);
  expect(exitCode).toBe(1);
});
