/**
 * Spawns the real `playwright test` on a temporary project.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { homeVariables } from './home.ts';

/** The root of this repository: temporary projects import vmwright's sources from here. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** Playwright's command line. */
export const PLAYWRIGHT = join(
  dirname(createRequire(import.meta.url).resolve('@playwright/test/package.json')),
  'cli.js',
);

/** Variables of the outer runner that an inner one would take for its own. */
const OUTER = /^(TEST_|PLAYWRIGHT_|PW_|PWTEST|PROXMOX_|VMWRIGHT_)/;

export interface RunnerResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly output: string;
}

/** Writes `files` (path to content) into `folder`, which becomes an ES module project that finds our dependencies. */
export function writeProject(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  const all = { 'package.json': '{ "type": "module" }', ...files };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

/** The environment of a process that is no part of this run, without what `also` matches either. */
export function cleanEnvironment(also?: RegExp): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !OUTER.test(name) && !also?.test(name));
  return Object.fromEntries(kept);
}

/**
 * Runs `playwright <args>` in `folder` as its own process group and waits for its end.
 *
 * @param options.env variables on top of a clean environment: none of the outer runner's are inherited; undefined
 *   takes one away
 * @param options.onOutput sees each piece of output, e.g. to act in mid-run
 */
export async function runPlaywright(
  folder: string,
  args: readonly string[],
  options: { env?: Record<string, string | undefined>; onOutput?: (text: string, pid: number) => void } = {},
): Promise<RunnerResult> {
  const child = spawn(process.execPath, [PLAYWRIGHT, ...args], {
    cwd: folder,
    env: {
      ...cleanEnvironment(),
      ...homeVariables(join(folder, 'home')),
      FORCE_COLOR: '0',
      NO_COLOR: '1',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.onOutput?.(text, child.pid ?? 0);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onOutput?.(text, child.pid ?? 0);
  });
  const exitCode = await new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done(code ?? -1));
  });
  return { exitCode, stdout, stderr, output: stdout + stderr };
}
