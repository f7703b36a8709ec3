/**
 * A click in UI mode or in an editor is no run.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FullConfig, Suite } from '@playwright/test/reporter';
import { expect, test } from '@playwright/test';
import AllureReporter from '../../reporters/allure.ts';
import { isInteractive } from '../../reporters/interactive.ts';
import SummaryReporter from '../../reporters/summary.ts';

test('UI mode and the server of an editor are told by the command line', () => {
  for (const args of [
    ['test', '--ui'],
    ['test', 'specs', '--ui-port=0'],
    ['test', '--ui-port', '8080'],
    ['test', '--ui-host=0.0.0.0'],
    ['test-server', '-c', 'playwright.config.ts'],
  ])
    expect(isInteractive(args), args.join(' ')).toBe(true);
  for (const args of [
    ['test'],
    ['test', '--uid'],
    ['test', 'specs/ui.spec.ts'],
    ['test', '-g', 'test-server x'],
  ])
    expect(isInteractive(args), args.join(' ')).toBe(false);
});

/** What a run leaves in its folder that ends before it began. */
async function written(folder: string, args: readonly string[]): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const before = process.argv;
  process.argv = [...before.slice(0, 2), ...args];
  try {
    const options = { configDir: folder, _mode: 'test' as const };
    const allure = new AllureReporter({ ...options, resultsDir: join(folder, 'allure-results') });
    const summary = new SummaryReporter({ ...options });
    const config = {
      projects: [{ outputDir: folder, name: '', use: {} }],
      shard: null,
      rootDir: folder,
      configFile: join(folder, 'c.ts'),
    };
    const suite = { allTests: () => [], suites: [] };
    allure.onConfigure(config as unknown as FullConfig);
    allure.onBegin(suite as unknown as Suite);
    summary.onBegin(config as unknown as FullConfig, suite as unknown as Suite);
    await summary.onExit();
    await allure.onEnd();
  } finally {
    process.argv = before;
  }
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
}

test('reporters write nothing in UI mode, where they would in a run', async ({}, info) => {
  expect(await written(info.outputPath('clicked'), ['test', '--ui-port=0'])).toEqual([]);
  expect(await written(info.outputPath('edited'), ['test-server'])).toEqual([]);
  expect(await written(info.outputPath('run'), ['test'])).not.toEqual([]);
});
