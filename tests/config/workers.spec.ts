import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { defineMatrix, type Machine, presets, workersFor } from '../../fixtures/config/index.ts';
import { workersWithin } from '../../fixtures/config/projects.ts';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';

/** Rows m1, m2 and so on; those that `skip` names are left out. */
const machinesOf = (count: number, skip: readonly string[] = []): readonly Machine[] =>
  defineMatrix(
    Array.from({ length: count }, (_, index) => ({
      ...presets.fedora42,
      name: `m${index + 1}`,
      vm: index + 101,
      user: 'tester',
      secrets: { password: 'X_PASSWORD' },
      application: { title: 'App', path: '/opt/app', process: 'app' },
      ...(skip.includes(`m${index + 1}`) ? { skip: 'BROKEN' } : {}),
    })),
  );

test('CL23: a run has as many workers as machines, up to eight, whatever the cores', () => {
  const workers = (count: number): number => workersWithin(64 * 2 ** 30, count);
  expect([0, 1, 5, 8, 40].map(workers)).toEqual([1, 1, 5, 8, 8]);
  expect(workersFor(machinesOf(3))).toBe(3);
});

test('CL23: a machine that is left out has no worker, unless the run takes it all the same', () => {
  const machines = machinesOf(4, ['m2', 'm3']);
  expect(workersFor(machines)).toBe(2);
  process.env.VMWRIGHT_ALLOW_BLACKLISTED = 'm3, m4';
  try {
    expect(workersFor(machines)).toBe(3);
  } finally {
    delete process.env.VMWRIGHT_ALLOW_BLACKLISTED;
  }
  expect(workersFor(machinesOf(2, ['m1', 'm2'])), 'Playwright refuses none').toBe(1);
});

test('CL23: workers take half of the memory, half a gigabyte each', () => {
  const gibibytes = (count: number): number => workersWithin(count * 2 ** 30, 8);
  expect([1, 3, 3.9, 4].map(gibibytes)).toEqual([1, 3, 3, 4]);
  expect(gibibytes(0.2), 'a run without any worker is none').toBe(1);
});

test('CL23: the config that init writes starts a worker for each machine', async ({}, info) => {
  const folder = info.outputPath('p');
  const names = ['fedora42', 'ubuntu2204', 'manjaro', 'windows10', 'windows11'];
  const sources: Record<string, string> = {
    'vmwright/lab': 'lab/package.ts',
    'vmwright/matrix': 'fixtures/matrix.ts',
  };
  const config = readFileSync(join(ROOT, 'templates/project/playwright.config.ts'), 'utf8');
  writeProject(folder, {
    'playwright.config.ts': config
      .replaceAll(/'(vmwright\/\w+)'/g, (all, name: string) =>
        sources[name] === undefined ? all : `'${join(ROOT, sources[name])}'`,
      )
      .replaceAll(/^ {4}\['vmwright\/.*\n/gm, ''),
    'vm-matrix.ts': `
import matrix from '${ROOT}/vm-matrix.ts';
export default matrix.filter(({ name }) => ${JSON.stringify(names)}.includes(name));`,
    'specs/one.spec.ts': `
import { test } from '@playwright/test';
test('one', () => {});
test('two', () => {});`,
  });
  const run = async (...args: string[]): Promise<string> =>
    (await runPlaywright(folder, ['test', ...args], { env: { PROXMOX_HOST: '127.0.0.1' } })).stdout;
  expect(await run()).toContain('Running 10 tests using 5 workers');
  expect(await run('--project=fedora42')).toContain('Running 2 tests using 1 worker\n');
  expect(await run('--workers=2')).toContain('Running 10 tests using 2 workers');
});
