/** What a worker tells the runner by fixed words stays the same, whatever the secrets are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';

const SPEC = `
import { expect, test } from '${ROOT}/fixtures/index.ts';
test('passes', async () => { await test.step('a step', async () => {}); });
test('fails', async () => { expect(1).toBe(2); });
test('takes too long', async () => { test.setTimeout(1); await new Promise(() => undefined); });
test('is expected to fail', async () => { test.fail(); expect(1).toBe(2); });
test('skips itself', async () => { test.skip(true, 'because'); });
test.skip('is skipped', async () => {});
`;

interface Report {
  readonly suites: readonly {
    readonly specs: readonly {
      readonly title: string;
      readonly tests: readonly {
        readonly status: string;
        readonly expectedStatus: string;
        readonly results: readonly { readonly status: string }[];
      }[];
    }[];
  }[];
}

async function fatesWith(folder: string, secrets: Readonly<Record<string, string>>): Promise<unknown> {
  writeProject(folder, {
    'the.spec.ts': SPEC,
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/matrix.ts';
import matrix from '${ROOT}/vm-matrix.ts';
export default defineConfig({ workers: 1, reporter: [['${ROOT}/reporters/summary.ts'], ['json', { outputFile: 'out.json' }]],
  projects: projectsFrom(matrix.filter(({ name }) => name === 'fedora42')) });`,
  });
  const run = await runPlaywright(folder, ['test'], {
    env: {
      ...secrets,
      PROXMOX_HOST: 'pve.example.test',
      FEDORA42_PASSWORD: 'not-used-here',
      VMWRIGHT_BUILD_NAME: 'night',
    },
  });
  const { suites } = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8')) as Report;
  const summary = readFileSync(join(folder, 'test-results/summary/summary.json'), 'utf8');
  const { state, hosts, tests } = JSON.parse(summary) as Record<string, unknown>;
  return {
    exitCode: run.exitCode,
    fates: suites.flatMap(({ specs }) =>
      specs.flatMap((spec) =>
        spec.tests.map((one) => [
          spec.title,
          one.status,
          one.expectedStatus,
          ...one.results.map(({ status }) => status),
        ]),
      ),
    ),
    state,
    hosts: (hosts as readonly { readonly host: string; readonly status: string }[]).map((one) => [
      one.host,
      one.status,
    ]),
    tests,
  };
}

test('a secret that is a word of the protocol changes no verdict', async ({}, info) => {
  const plain = await fatesWith(info.outputPath('plain'), {});
  const words = ['passed', 'failed', 'skipped', 'timedOut', 'interrupted', 'test.step', 'expect', 'skip'];
  const secrets = Object.fromEntries(words.map((word, index) => [`WORD_${index}_PASSWORD`, word]));
  expect(plain).toMatchObject({
    exitCode: 1,
    fates: [
      ['passes', 'expected', 'passed', 'passed'],
      ['fails', 'unexpected', 'passed', 'failed'],
      ['takes too long', 'unexpected', 'passed', 'timedOut'],
      ['is expected to fail', 'expected', 'failed', 'failed'],
      ['skips itself', 'skipped', 'skipped', 'skipped'],
      ['is skipped', 'skipped', 'skipped', 'skipped'],
    ],
  });
  expect(await fatesWith(info.outputPath('words'), secrets)).toEqual(plain);
});
