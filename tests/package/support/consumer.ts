/**
 * The package as its users get it: packed, installed by npm into a project of their own.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment, ROOT } from '../../support/runner.ts';

export interface Result {
  readonly exitCode: number | null;
  readonly output: string;
}

/** What npm says where there is no network, and no cache that would do. */
const OFFLINE = /\b(ENOTFOUND|EAI_AGAIN|ENETUNREACH|ECONNREFUSED|ETIMEDOUT|ENOTCACHED)\b/;

/** Runs a command without a terminal, in an environment that knows no cluster, and waits for its end. */
export async function run(
  folder: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...cleanEnvironment(/^(npm_|CI$)/), NO_COLOR: '1', FORCE_COLOR: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exitCode = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  return { exitCode, output };
}

/** As {@link run}; a command that fails is an error with its output. */
export async function must(...args: Parameters<typeof run>): Promise<string> {
  const { exitCode, output } = await run(...args);
  if (exitCode === 0) return output;
  throw new Error(`${args[1]} ${args[2].join(' ')} ended with ${String(exitCode)}:\n${output}`);
}

/** npm with the settings and the cache of whoever runs the tests: the suite has a home of its own. */
export async function npm(folder: string, ...args: string[]): Promise<Result> {
  return run(folder, 'npm', [...args, '--prefer-offline', '--no-audit', '--no-fund'], {
    HOME: userInfo().homedir,
  });
}

/**
 * The tarball, built beside the sources so that nothing disturbs their own dist/.
 *
 * @returns its path
 */
export async function pack(folder: string): Promise<string> {
  const staging = join(folder, 'staging');
  mkdirSync(staging, { recursive: true });
  await must(ROOT, process.execPath, ['--import', 'tsx', 'build.ts', join(staging, 'dist')]);
  const { files, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    files: string[];
    version: string;
  };
  const others = files.filter((file) => file !== 'dist');
  for (const file of ['package.json', 'README.md', 'LICENSE', ...others]) {
    cpSync(join(ROOT, file), join(staging, file), { recursive: true });
  }
  await must(staging, 'npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
  return join(folder, `vmwright-${version}.tgz`);
}

/**
 * Installs packages into an empty folder.
 *
 * @returns why not, when there is no network; any other failure is an error
 */
export async function install(folder: string, ...packages: string[]): Promise<string | undefined> {
  mkdirSync(folder, { recursive: true });
  const { exitCode, output } = await npm(folder, 'install', '--save-dev', ...packages);
  if (exitCode === 0) return undefined;
  const reason = OFFLINE.exec(output)?.[0];
  if (reason === undefined || process.env.CI !== undefined) throw new Error(`npm install failed:\n${output}`);
  return `npm cannot install without the network (${reason})`;
}

/** A folder outside the repository: nothing is found in a node_modules above it. */
export function outside(name: string): string {
  return join(tmpdir(), `vmwright-package-${process.pid}-${name}`);
}
