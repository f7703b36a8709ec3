/** Titles, and texts that a guest left with a failing test, in what the runner's reporters print and write. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';

const JOURNAL =
  'sshd: \u001b]0;OWNED\u0007\u001b]52;c;aGk=\u0007 \u001b[2J \u009b2J \u202eRTL é\n::error::from the guest\n##[error]x';

interface Report {
  readonly suites: readonly {
    readonly specs: readonly {
      readonly title: string;
      readonly tests: readonly {
        readonly results: readonly {
          readonly attachments: readonly { readonly name: string; readonly body?: string }[];
        }[];
      }[];
    }[];
  }[];
}

test('nothing in a title or in an attached text acts on the terminal of any reporter, and files have the text as it was', async ({}, info) => {
  const folder = info.outputPath('p');
  writeProject(folder, {
    'the.spec.ts': `
import { expect, test } from '${ROOT}/fixtures/index.ts';
test('fails \\u0023#[error]\\u001b]52;c;aGk=\\u0007', async ({}, info) => {
  await info.attach('journal', { body: Buffer.from('${Buffer.from(JOURNAL).toString('base64')}', 'base64'), contentType: 'text/plain' });
  expect(1).toBe(2);
});
test('passes\\n::error::title of a guest \\u001b]0;OWNED\\u0007\\u009b2J\\u202e', async () => {});
`,
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/matrix.ts';
import matrix from '${ROOT}/vm-matrix.ts';
export default defineConfig({ workers: 1,
  reporter: [['list'], ['line'], ['dot'], ['github'], ['${ROOT}/reporters/summary.ts'], ['json', { outputFile: 'out.json' }]],
  projects: projectsFrom(matrix.filter(({ name }) => name === 'fedora42')) });`,
  });
  const { stdout, exitCode } = await runPlaywright(folder, ['test'], {
    env: {
      PROXMOX_HOST: 'pve.example.test',
      FEDORA42_PASSWORD: 'not-used-here',
      VMWRIGHT_BUILD_NAME: 'night',
      NO_COLOR: '1',
      FORCE_COLOR: undefined,
    },
  });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('OWNED');
  expect(stdout).toContain('title of a guest');
  expect(stdout).not.toMatch(/[\u0007\u0080-\u009f\u202e]|\u001b(?!\[\d*[AGK])/);
  expect(stdout).not.toMatch(/^\s*::error::|##\[/m);
  const { suites } = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8')) as Report;
  const attachments = suites.flatMap(({ specs }) =>
    specs.flatMap(({ tests }) => tests.flatMap(({ results }) => results.flatMap((one) => one.attachments))),
  );
  const body = attachments.find(({ name }) => name === 'journal')?.body ?? '';
  expect(Buffer.from(body, 'base64').toString()).toBe(JOURNAL);
});
