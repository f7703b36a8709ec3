/** `vmwright status` has its answer from what is stored here, and asks nobody else. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startChat, startCluster, startCommand, vmwright, writeRunProject } from './command.ts';
import { networkSpy } from './network.ts';

test.describe.configure({ timeout: 300_000 });

/** Services that know runs of a similar name, and would be asked with these. */
const OTHERS = {
  GITHUB_ACTIONS: 'true',
  GITHUB_REPOSITORY: 'example/night',
  GITHUB_RUN_ID: '1',
  GITHUB_TOKEN: 'secret12',
  CI_PROJECT_ID: '1',
  CI_PIPELINE_ID: '1',
};

test('A78: no status goes over the network or through another program, live, over, cut off or not there', async ({}, info) => {
  const folder = info.outputPath('p');
  const night = join(folder, 'test-results/state/night');
  writeRunProject(folder, ['a1'], {
    'smoke.spec.ts': `
import { existsSync } from 'node:fs';
import { test } from '@playwright/test';
test('smoke', async ({}, testInfo) => {
  testInfo.setTimeout(200_000);
  while (!existsSync('go')) await new Promise((done) => setTimeout(done, 50));
});`,
  });
  const [chat, cluster] = [await startChat(), await startCluster()];
  const { port } = new URL(chat.env.VMWRIGHT_POST_URL ?? '');
  const elsewhere = `http://127.0.0.1:${cluster.env.PROXMOX_PORT ?? ''}`;
  const others = {
    ...OTHERS,
    ...chat.env,
    ...cluster.env,
    GITHUB_API_URL: `${elsewhere}/api`,
    GITHUB_SERVER_URL: elsewhere,
    CI_API_V4_URL: `${elsewhere}/v4`,
    VMWRIGHT_RUN_URL: `${elsewhere}/runs/1`,
  };
  const spy = networkSpy(info.outputPath('network.jsonl'));
  const status = async (...args: string[]): Promise<string> =>
    (await vmwright(folder, ['status', ...args], { env: { ...others, ...spy.env } })).output;

  expect(await status()).toContain('RUN_NOT_FOUND');
  const running = startCommand(folder, ['run', '--all', '--build-name', 'night'], {
    env: { ...chat.env, ...cluster.env, VMWRIGHT_GATE: 'off' },
  });
  const journal = join(night, 'journal.jsonl');
  await expect
    .poll(() => existsSync(journal) && readFileSync(journal, 'utf8').includes('test-begin'), {
      timeout: 200_000,
    })
    .toBe(true);
  for (const format of ['text', 'markdown', 'json'])
    expect(await status('--format', format)).toContain('RUNNING');
  writeFileSync(join(folder, 'go'), '');
  expect((await running.done).exitCode).toBe(0);
  for (const args of [[], ['--format', 'markdown'], ['--format', 'json'], ['--watch'], ['--build', 'night']])
    expect(await status(...args), args.join(' ')).toContain('COMPLETED');
  // A run that nobody ended, of which a remote system of the same name could tell more.
  const cut = join(folder, 'test-results/state/cut');
  cpSync(night, cut, { recursive: true });
  const lines = readFileSync(join(cut, 'journal.jsonl'), 'utf8').trim().split('\n');
  writeFileSync(join(cut, 'journal.jsonl'), `${lines.slice(0, 2).join('\n')}\n`);
  expect(await status('--build', 'cut')).toMatch(/a1 - (?:UNKNOWN|FAIL)/);
  expect(spy.seen()).toEqual([]);
  const posts = chat.posts.length;

  // The spy does see a command that asks somebody.
  rmSync(join(night, 'posted.json'));
  const posted = await vmwright(folder, ['post', '--build', 'night'], {
    env: { ...others, ...spy.env, VMWRIGHT_GATE: 'off' },
  });
  expect(posted.output).toContain('posted night');
  expect(chat.posts.length).toBe(posts + 1);
  expect(spy.seen()).toContain(`connect 127.0.0.1:${port}`);
  chat.close();
  cluster.close();
});
