/** Words of a command line that are wrong, and a config that cannot be loaded: quoted without secrets. */
import { expect, test } from '@playwright/test';
import { vmwright } from '../runs/command.ts';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';

const WORD = 'Jx5-linden-Quay';
const OPTION = 'Kd8-alder-Row';

test('LK5: vmwright quotes no secret of the environment or of its own words, nor does a config that fails', async ({}, info) => {
  test.setTimeout(120_000);
  const folder = info.outputPath('p');
  writeProject(folder, {
    'vm-matrix.ts': `
import matrix from '${ROOT}/vm-matrix.ts';
export default matrix.filter(({ name }) => name === 'fedora42');
export const suites = { s: { specs: ['a'], options: { token: {} } } };`,
    'playwright.config.ts': `
import { projectsFrom } from '${ROOT}/fixtures/matrix.ts';
if (process.env.HOUSE_PASSWORD) throw new Error('config says ' + process.env.HOUSE_PASSWORD);
export default { projects: projectsFrom([]) };`,
  });
  const env = { HOUSE_PASSWORD: WORD };
  for (const [words, shown] of [
    [['plan', '--suite', 's', '--all', '--option', `token=${OPTION}`], 'option: token={TOKEN}'],
    [['plan', `--api-token=${OPTION}`], "unknown option '--api-token={API_TOKEN}'"],
    [['plan', `--tokn=${WORD}`], "unknown option '--tokn={HOUSE_PASSWORD}'"],
    [[WORD], "unknown command '{HOUSE_PASSWORD}'"],
  ] as const) {
    const { output } = await vmwright(folder, [...words], { env });
    expect(output).toContain(shown);
    expect(output).not.toContain(WORD);
    expect(output).not.toContain(OPTION);
  }
  const { output, exitCode } = await runPlaywright(folder, ['test'], { env });
  expect(exitCode).toBe(1);
  expect(output).toContain('config says {HOUSE_PASSWORD}');
  expect(output).not.toContain(WORD);
});
