/** Nothing that is shipped pushes: by its text, and by what the commands do where there is a remote. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startChat, vmwright, writeRunProject } from '../runs/command.ts';
import { cleanEnvironment } from '../support/runner.ts';
import { filesWith, shippedFiles } from '../support/shipped.ts';

/** `git push`, `git -C x push`, `spawn('git', ['push'])`, and actions that do it. In parts, so that it is not here. */
const PUSHES = new RegExp(
  `${['\\bgit', '\\b[^\\n|;&]{0,120}?[^\\w.\\n]push\\b(?!:)'].join('')}|[\\w-]+\\/[\\w-]*(?:push|commit)-action`,
);

test('A73: nothing that is shipped pushes to a repository', () => {
  const files = shippedFiles();
  expect(files).toEqual(
    expect.arrayContaining([
      'cli/init.ts',
      'templates/ci/github-actions.yml',
      'templates/ci/gitlab-ci.yml',
      '.ci/run',
      'package.json',
    ]),
  );
  expect(filesWith(PUSHES)).toEqual([]);
  const verb = 'push';
  for (const way of [
    `git ${verb} origin main`,
    `git -C . ${verb}`,
    `execFileSync('git', ['-C', folder, '${verb}'])`,
    `run: cd x && git ${verb}`,
    `uses: someone/github-${verb}-action@v1`,
  ])
    expect(way).toMatch(PUSHES);
});

test('A73: with a remote at hand the commands write files, run and post, and the remote stays empty', async ({}, info) => {
  test.setTimeout(120_000);
  const [folder, remote, tools] = [
    info.outputPath('p'),
    info.outputPath('remote.git'),
    info.outputPath('bin'),
  ];
  writeRunProject(folder, ['a1'], {
    'smoke.spec.ts': `import { test } from '@playwright/test';\ntest('smoke', () => {});`,
  });
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const log = info.outputPath('git.log');
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'git'), `#!/bin/sh\necho "$@" >> '${log}'\nexec '${real}' "$@"\n`);
  chmodSync(join(tools, 'git'), 0o755);
  const path = [tools, dirname(process.execPath), process.env.PATH].join(delimiter);
  const git = (...args: string[]): string =>
    execFileSync(real, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...cleanEnvironment(), HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
    });
  git('init', '--quiet', '--bare', remote);
  git('init', '--quiet', '--initial-branch', 'main');
  writeFileSync(join(folder, '.gitignore'), 'node_modules\n');
  git('add', '.');
  git('-c', 'user.name=t', '-c', 'user.email=t@example.test', 'commit', '--quiet', '--message', 'first');
  git('remote', 'add', 'origin', remote);
  git('config', 'branch.main.remote', 'origin');
  git('config', 'branch.main.merge', 'refs/heads/main');

  const chat = await startChat();
  const env = { ...chat.env, PATH: path, VMWRIGHT_GATE: 'off' };
  for (const [args, says] of [
    [['plan', '--all'], 'approve with'],
    [['run', '--all', '--build-name', 'night'], 'posted night: COMPLETED'],
    [['status'], 'COMPLETED'],
    [['recover'], 'nothing was left behind'],
    [['init'], 'created'],
  ] as const)
    expect((await vmwright(folder, args, { env })).output).toContain(says);
  chat.close();
  // It does ask git, through the one that takes notes.
  expect(readFileSync(log, 'utf8')).toContain('remote get-url origin');
  expect(readFileSync(log, 'utf8')).not.toMatch(/(?:^|\s)(?:push|send-pack)(?:\s|$)/m);
  expect(git('--git-dir', remote, 'for-each-ref')).toBe('');
});
