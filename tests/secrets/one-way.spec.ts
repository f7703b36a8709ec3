/** The one way into a terminal: the sources have no other, and what a runner prints under `vmwright run` goes by it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from '@playwright/test';
import { ESLint, Linter } from 'eslint';
import { supervise } from '../../cli/supervise.ts';
import { Secret } from '../../fixtures/secrets/index.ts';
import { FILES } from '../../runs/store.ts';
import { ROOT } from '../support/runner.ts';
import { test } from './own-process.ts';

test.use({ processOf: 'one way into a terminal' });

const WORD = 'Quay-lantern-41-moss';

test('LK7: no source of cli, fixtures, reporters or runs writes to a terminal by itself', async () => {
  const eslint = new ESLint({ cwd: ROOT });
  const ruleOf = async (file: string): Promise<Linter.RuleEntry | undefined> => {
    const config = (await eslint.calculateConfigForFile(join(ROOT, file))) as Linter.Config;
    return config.rules?.['no-restricted-syntax'];
  };
  const foundBy = (rule: Linter.RuleEntry, code: string): number =>
    new Linter().verify(code, { rules: { 'no-restricted-syntax': rule } }).length;
  const writes = [
    'process.stdout.write(a);',
    'process.stderr.write(a);',
    'stdout.write(a);',
    'options.output.write(a);',
    'terminal.write(a);',
  ];
  const others = ['file.write(a);', 'tell(process.stdout, a);', 'socket.write(a);'];
  for (const file of ['cli/vms.ts', 'fixtures/ssh/index.ts', 'reporters/summary.ts', 'runs/post.ts']) {
    const rule = await ruleOf(file);
    expect(rule, file).toBeDefined();
    for (const code of writes) expect(foundBy(rule!, code), `${file}: ${code}`).toBe(1);
    for (const code of others) expect(foundBy(rule!, code), `${file}: ${code}`).toBe(0);
  }
  expect(await ruleOf('fixtures/secrets/tell.ts')).toBeUndefined();
});

test('LK7: what the runner prints under vmwright run has no secret, in the log of the run and on the terminal', async ({}, info) => {
  new Secret('ONE_WAY_PASSWORD', WORD);
  const folder = info.outputPath('run');
  mkdirSync(folder);
  const stdout = new PassThrough();
  let shown = '';
  stdout.on('data', (text: Buffer) => (shown += text.toString()));
  const args = ['test', '--config', `/nowhere/${WORD}/\u001b[2Jplaywright.config.ts`];
  const code = await supervise({
    folder,
    part: join(folder, 'part'),
    args,
    env: { ...process.env },
    watch: false,
    graceMs: 0,
    stdout,
  });
  expect(code).toBe(1);
  await expect.poll(() => readFileSync(join(folder, FILES.runLog), 'utf8')).toContain('does not exist');
  for (const text of [shown, readFileSync(join(folder, FILES.runLog), 'utf8')]) {
    expect(text).toContain('{ONE_WAY_PASSWORD}');
    expect(text).not.toContain(WORD);
  }
  expect(shown).not.toContain('\u001b[2J');
});
