import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, test } from '@playwright/test';
import { ROOT } from '../support/runner.ts';

/** As Playwright starts it: a shell between the runner and the lab. */
const STARTER = `
const { spawn } = require('node:child_process');
spawn('/bin/sh', ['-c', 'node --import tsx lab/serve.ts --guests fedora42; true'], { stdio: ['ignore', 'inherit', 'inherit'] });
setInterval(() => {}, 1000);`;

test('a lab ends when the runner that started it through a shell is killed', async () => {
  test.skip(process.platform !== 'linux', 'needs /proc');
  const runner = spawn(process.execPath, ['-e', STARTER], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: runner.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  const file = /env=(.+)$/.exec(line)?.[1] ?? '';
  expect(existsSync(file)).toBe(true);
  runner.kill('SIGKILL');
  await once(lines, 'close');
  expect(existsSync(file)).toBe(false);
});
