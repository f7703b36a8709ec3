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
// Each starts the real runner, on a machine that may have other things to do.
test.describe.configure({ timeout: 240_000 });

const START = `await app.launch({ showing: HARBOR.login });`;

function run(folder: string, body: string, env: Record<string, string> = {}, more = ''): Promise<LabRun> {
  return runOnLab(lab, folder, {
    spec: `test('claims', async ({ app, vncPage }, info) => { ${body} });\n${more}`,
    env: { CI: undefined, ...env },
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
    {},
    `test('softly', async ({ vncPage }) => { await expect.soft(vncPage).toShow('a blue button'); });`,
  );
  expect(output).toContain('"Sign in to Harbor" is shown: pass by exact text');
  expect(output).toContain('"Signed in as bob": fail by exact text');
  expect(output).toContain('BANNER false');
  expect(output).not.toContain('NOT REACHED');
  expect(output).toMatch(/1 skipped/);
  expect(output).not.toMatch(/^ *\d+ passed/m);
  expect(output).toMatch(/^tests +0 of 2 passed, 1 failed, 1 skipped$/m);
  // expect.soft goes on after a skip, so Playwright counts it as a failure: a silent pass it is not.
  expect(output).toMatch(/1 failed\s+\[fedora42\] › the.spec.ts:\d+:1 › softly/);
  expect(exitCode).toBe(1);
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

test('with a model: a launch, a claim and a click by description; with cassettes alone another claim is an error', async ({
  provider,
}, info) => {
  provider.act = ({ kind, size }) =>
    kind === 'place'
      ? place([10, 10, 30, 30])
      : answer('pass', [{ quote: 'Sign in to Harbor', box: [0, 0, size.width, size.height] }]);
  const body = `await app.launch({ claim: 'a log-in form' });
    const mask = app.movingAreas(vncPage.size);
    await expect(vncPage).toShow('a form to sign in', { mask });
    const { x } = await vncPage.getByDescription('the left corner').boundingBox();
    console.log('FOUND', x, info.attachments.length);`;
  const cassettes = info.outputPath('cassettes');
  const env = { VLM_CASSETTE_DIR: cassettes };
  const recorded = await run(info.outputPath('live'), body, {
    ...env,
    VLM_BASE_URL: provider.url,
    VLM_MODEL: 'scripted-vl',
    VLM_CASSETTES: 'record',
  });
  expect(recorded.output).toMatch(/FOUND 10 \d/);
  expect(recorded.exitCode, recorded.output).toBe(0);
  const asked = provider.calls.length;
  expect(asked).toBeGreaterThanOrEqual(3);
  const replayed = await run(
    info.outputPath('replay'),
    `await app.launch({ showing: HARBOR.login }); await expect(vncPage).toShow('something else', { timeout: 300 });`,
    { ...env, VLM_CASSETTES: 'strict' },
  );
  expect(replayed.output).toContain('VLM_CASSETTE_MISS');
  expect(replayed.exitCode).toBe(1);
  expect(provider.calls).toHaveLength(asked);
});
