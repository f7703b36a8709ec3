import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { runPlaywright } from '../support/runner.ts';
import { writeRunProject } from './command.ts';

test('VE15: a real run lists each system by its own steps, what is not certain as conditional, and what never ran as planned', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const install = `
import { test } from '@playwright/test';
const step = (title: string) => test.step(title, async () => {});
async function reachServer() { if (process.env.NO_SUCH_VARIABLE === undefined) throw new Error('no server'); }
test('install', async ({}, testInfo) => {
  const { os } = testInfo.project.use.machine as { os: string };
  await step('start');
  if (os === 'windows') await step('approve');
  else await step('unlock');
  await reachServer();
  if (process.env.NO_SUCH_VARIABLE === 'busy') await step('wait');
  await step('end');
  if (os !== 'windows') return;
  await step('restart');
});
test('remove @slow', async () => { await step('remove'); });
`;
  const later = `
import { test } from '@playwright/test';
test('later', async () => {
  test.skip(process.env.NO_SUCH_VARIABLE === undefined, 'not today');
  await test.step('look', async () => {});
});
test.skip('never', async () => { await test.step('never', async () => {}); });
`;
  const rows = ['f1', 'f2', { name: 'w1', os: 'windows' }];
  writeRunProject(folder, rows, { 'install.spec.ts': install, 'later.spec.ts': later });
  await runPlaywright(folder, ['test', '--grep-invert', '@slow']);
  const text = readFileSync(join(folder, 'test-results/summary/summary.md'), 'utf8');
  expect(text.split('**TEST FLOW:**\n')[1]?.split('\n\n**')[0]?.split('\n')).toEqual([
    '_install on fedora_',
    ...['- 1. start', '- 2. unlock', '- 3. wait (conditional)', '- 4. end'],
    '_install on windows_',
    ...['- 1. start', '- 2. approve', '- 3. wait (conditional)', '- 4. end', '- 5. restart'],
    '_later (planned)_',
    '- 1. look (conditional)',
  ]);
});
