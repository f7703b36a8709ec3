/**
 * Cassettes through the real runner: recorded once, replayed with the provider away, and no answer for another screen.
 */
import { readdirSync } from 'node:fs';
import { expect } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { type LabRun, runOnLab } from '../support/lab-project.ts';
import { test } from '../vlm/support/fixtures.ts';
import { type Act, answer, type Call, startProvider } from '../vlm/support/provider.ts';

let lab: Lab;
test.beforeAll(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterAll(() => lab.stop());
// Three runs of the real runner, on a machine that may have other things to do.
test.describe.configure({ timeout: 240_000 });

const FORM = 'a form to sign in with a password';
const COMPLAINT = 'a complaint about the password';

function judge({ claim, kind, size }: Call): Act {
  if (claim === COMPLAINT) return kind === 'verdict' ? answer('fail') : answer('pass');
  return answer('pass', [{ quote: 'Sign in to Harbor', box: [0, 0, size.width, size.height / 2] }]);
}

function claims(before = ''): string {
  return `test('claims', async ({ app, vncPage }) => {
    await app.launch({ showing: HARBOR.login });
    ${before}
    const mask = app.movingAreas(vncPage.size);
    await expect(vncPage).toShow(${JSON.stringify(FORM)}, { mask, timeout: 4000 });
    await expect(vncPage).not.toShow(${JSON.stringify(COMPLAINT)}, { mask, timeout: 4000 });
    console.log('ALL CLAIMS HELD');
  });`;
}

test('recorded, replayed without a provider, and strict about a changed screen', async ({
  provider,
}, info) => {
  const folder = info.outputPath('cassettes');
  const run = (name: string, spec: string, url: string, mode: string): Promise<LabRun> =>
    runOnLab(lab, info.outputPath(name), {
      spec,
      env: {
        CI: undefined,
        VLM_BASE_URL: url,
        VLM_MODEL: 'scripted-vl',
        VLM_CASSETTES: mode,
        VLM_CASSETTE_DIR: folder,
      },
    });
  provider.act = judge;
  const recorded = await run('record', claims(), provider.url, 'record');
  expect(recorded.exitCode, recorded.output).toBe(0);
  expect(provider.calls.map(({ kind }) => kind)).toEqual(['verdict', 'verdict', 'negation']);
  expect(readdirSync(folder)).toHaveLength(3);
  await provider.stop();

  const replayed = await run('replay', claims(), provider.url, 'replay');
  expect(replayed.exitCode, replayed.output).toBe(0);
  expect(replayed.output).toMatch(/^ALL CLAIMS HELD/m);
  expect(provider.calls).toHaveLength(3);
  expect(readdirSync(folder)).toHaveLength(3);

  const willing = await startProvider(judge);
  try {
    const typed = `await vncPage.getByText('Email', { nth: 0 }).click(); await vncPage.keyboard.type('bob');
      await expect(vncPage).toShowText('bob');`;
    const strict = await run('strict', claims(typed), willing.url, 'strict');
    expect(strict.exitCode).toBe(1);
    expect(strict.output).toContain('[VLM_CASSETTE_MISS]');
    expect(strict.output).not.toMatch(/^ALL CLAIMS HELD/m);
    expect(strict.output).not.toMatch(/\d passed/);
    expect(strict.summary).toMatch(/fedora42 - FAIL/);
    expect(willing.calls).toEqual([]);
    expect(readdirSync(folder)).toHaveLength(3);
  } finally {
    await willing.stop();
  }
});
