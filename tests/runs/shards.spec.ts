import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';

test('shards are whole machines; merged without one its machines are UNKNOWN; merged again it is whole and stays posted', async ({}, testInfo) => {
  test.setTimeout(120_000);
  const folder = testInfo.outputPath('project');
  writeProject(folder, {
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
const host = (name) => ({ name, metadata: { vmwright: { host: name, family: 'f' } } });
export default defineConfig({
  outputDir: 'test-results/artifacts',
  reporter: [['blob'], ['${ROOT}/reporters/summary.ts']],
  projects: ['a', 'b', 'c'].map(host),
});`,
    's.spec.ts': `import { test } from '@playwright/test';
for (const n of [1, 2, 3]) test('t' + n, () => {});`,
  });
  const env = { VMWRIGHT_BUILD_NAME: 'b', VMWRIGHT_RUN_ID: 'r' };
  for (const shard of [1, 2, 3]) {
    const PLAYWRIGHT_BLOB_OUTPUT_FILE = join(folder, `blobs/${shard}.zip`);
    const { stdout } = await runPlaywright(folder, ['test', `--shard=${shard}/3`], {
      env: { ...env, PLAYWRIGHT_BLOB_OUTPUT_FILE },
    });
    expect(stdout.match(/^[abc] - PASS$/gm)).toEqual([`${'abc'[shard - 1]!} - PASS`]);
  }
  const merge = async (name: string, shards: number[]): Promise<string> => {
    mkdirSync(join(folder, name));
    for (const shard of shards)
      copyFileSync(join(folder, `blobs/${shard}.zip`), join(folder, name, `${shard}.zip`));
    const { stderr } = await runPlaywright(folder, ['merge-reports', '--config=playwright.config.ts', name], {
      env,
    });
    expect(stderr).not.toContain('vmwright summary:');
    return readFileSync(join(folder, 'test-results/summary/summary.txt'), 'utf8');
  };
  const partial = await merge('two', [1, 3]);
  expect(partial).toContain('state: UNKNOWN');
  expect(partial).toContain('b - UNKNOWN - the report of shard 2/3 is missing');
  const marker = join(folder, 'test-results/state/b/posted.json');
  writeFileSync(marker, '{"at":1}');
  const whole = await merge('all', [1, 2, 3]);
  expect(whole).toContain('state: COMPLETED');
  expect(whole).toContain('a - PASS\nb - PASS\nc - PASS');
  expect(readFileSync(marker, 'utf8')).toBe('{"at":1}');
});
