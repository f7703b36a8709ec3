/** The GitHub template, executed step by step against the lab. */
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { parse } from 'yaml';
import { type Lab, startLab } from '../../lab/index.ts';
import { ROOT } from '../support/runner.ts';
import { type Job, runJob } from './support.ts';

const { jobs } = parse(readFileSync(join(ROOT, 'templates/ci/github-actions.yml'), 'utf8')) as {
  jobs: Record<'plan' | 'test' | 'report', Job>;
};
const MACHINES = ['fedora42', 'windows11'];

const filesWith = (spec: string): Record<string, string> => ({
  'package.json': '{ "type": "module" }',
  'vm-matrix.ts': `
import matrix from '${ROOT}/vm-matrix.ts';
export default matrix.filter(({ name }) => ${JSON.stringify(MACHINES)}.includes(name));`,
  'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/config/index.ts';
import matrix from './vm-matrix.ts';
const isShard = process.argv.some((word) => word.startsWith('--shard'));
const own = (name, options = {}) => ['${ROOT}/reporters/' + name + '.ts', options];
export default defineConfig({
  testDir: 'specs',
  outputDir: 'test-results/artifacts',
  projects: projectsFrom(matrix),
  reporter: [
    own('recover'), own('redact'), ['list'], ['html', { outputFolder: 'test-results/html', open: 'never' }],
    own('allure', { resultsDir: 'test-results/allure-results' }), own('summary'), own('lease'),
    ...(isShard ? [['blob', { outputDir: 'test-results/blob' }]] : []),
  ],
});`,
  'specs/a.spec.ts': `import { expect, test } from '${ROOT}/fixtures/index.ts';\n${spec}`,
});

let lab: Lab;
test.beforeEach(async () => {
  lab = await startLab({ guests: MACHINES });
});
test.afterEach(async () => {
  await lab.stop();
});

test('a job a machine, one summary of both on the page of the run; without the blob of one it is UNKNOWN', async ({}, info) => {
  test.slow(); // five jobs of several commands each
  const artifacts = info.outputPath('artifacts');
  mkdirSync(artifacts);
  const files = filesWith(`
test('runs', async ({ vm, machine }) => {
  expect((await vm.status()).status).toBe('running');
  expect(machine.name).not.toBe('windows11');
});`);
  const run = (name: keyof typeof jobs, suffix = '', matrix: Record<string, string> = {}) =>
    runJob(jobs[name], {
      folder: info.outputPath(`${name}${suffix}`),
      files,
      env: lab.env(),
      matrix,
      artifacts,
    });

  const plan = await run('plan');
  expect(plan.steps.map(({ exitCode }) => exitCode)).toEqual([0]);
  const matrix = JSON.parse(plan.outputs.jobs!) as { machine: string; shard: string }[];
  expect(matrix).toEqual([
    { machine: 'fedora42', shard: '1/2' },
    { machine: 'windows11', shard: '2/2' },
  ]);

  const [fedora, windows] = await Promise.all(matrix.map((one) => run('test', `-${one.machine}`, one)));
  expect(fedora!.steps.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(fedora!.steps[0]!.output).toContain('[fedora42] › specs/a.spec.ts');
  expect(fedora!.steps[0]!.output).not.toContain('[windows11]');
  expect(windows!.steps.map(({ exitCode }) => exitCode)).toEqual([1, 0]);

  const report = await run('report');
  expect(report.summary).toMatch(/fedora42.*PASS/);
  expect(report.summary).toMatch(/windows11.*FAIL/);
  const verdict = report.steps.at(-1)!;
  expect(verdict).toMatchObject({ run: 'node_modules/.bin/vmwright status', exitCode: 1 });
  for (const kept of ['summary/junit.xml', 'html/index.html', 'allure-results/categories.json'])
    expect(existsSync(join(artifacts, 'reports', kept))).toBe(true);

  // The job of the machine that failed dies before it can tell.
  renameSync(join(artifacts, 'blob-windows11'), join(artifacts, 'lost'));
  const partial = await run('report', '-partial');
  expect(partial.summary).toMatch(/fedora42.*PASS/);
  expect(partial.summary).toMatch(/windows11.*UNKNOWN.*the report of shard 2\/2 is missing/);
  expect(partial.steps.at(-1)!.exitCode).toBe(1);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`a job that is cancelled by ${signal} gives its machine back`, async ({}, info) => {
    const held: string[] = [];
    const notes = (): string => String(lab.machine('fedora42').config.description ?? '');
    const result = await runJob(jobs.test, {
      folder: info.outputPath('job'),
      files: filesWith(`
test('works on', async ({ vm }) => {
  console.log('HELD');
  for (;;) await vm.status();
});`),
      env: lab.env(),
      matrix: { machine: 'fedora42', shard: '1/2' },
      artifacts: info.outputPath('artifacts'),
      onOutput: (text, pid) => {
        if (!/^HELD$/m.test(text) || held.length > 0) return;
        held.push(notes());
        process.kill(pid, signal);
      },
    });
    expect(held[0]).toContain('vmwright');
    expect(result.steps[0]!.output).toContain('interrupted');
    expect(result.steps[0]!.exitCode).toBe(130);
    // By the run itself, not by what cleans up after it.
    expect(result.steps[1]!.output).toContain('nothing was left behind');
    expect(notes()).toBe('');
  });
}
