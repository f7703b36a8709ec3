/**
 * The real `vmwright` in a project of its own: machines without a VM behind them, the real runner, a real receiver.
 *
 * @module
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cleanEnvironment, PLAYWRIGHT, ROOT, type RunnerResult, writeProject } from '../support/runner.ts';
import { matrixSource, type Row } from './matrix.ts';

/** Writes a project with these machines and specs. */
export function writeRunProject(
  folder: string,
  rows: readonly Row[],
  specs: Readonly<Record<string, string>>,
  more: { suites?: string; config?: string; head?: string; reporters?: string } = {},
): void {
  writeProject(folder, {
    'vm-matrix.ts': matrixSource(rows, more.suites),
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/config/index.ts';
import matrix from './vm-matrix.ts';
${more.head ?? ''}
export default defineConfig({
  outputDir: 'test-results/artifacts',
  reporter: [['${ROOT}/reporters/summary.ts'], ${more.reporters ?? ''}],
  projects: projectsFrom(matrix),
  workers: 1,
  ${more.config ?? ''}
});`,
    ...specs,
  });
}

/** Writes a project whose one spec runs on the real row fedora42. */
export function writeMachineProject(folder: string, spec: string, options = '{}'): void {
  writeProject(folder, {
    'vm-matrix.ts': `
import matrix from '${ROOT}/vm-matrix.ts';
export default matrix.filter(({ name }) => name === 'fedora42');`,
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/config/index.ts';
import matrix from './vm-matrix.ts';
export default defineConfig({
  outputDir: 'test-results/artifacts',
  reporter: [['list'], ['${ROOT}/reporters/summary.ts'], ['${ROOT}/reporters/lease.ts']],
  projects: projectsFrom(matrix, ${options}),
});`,
    'the.spec.ts': `
import { expect, sh, test } from '${ROOT}/fixtures/index.ts';
${spec}`,
  });
}

/** Starts Playwright itself, as the run "night": the process that is killed is the runner. */
export function startRunner(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly exited: Promise<unknown> } {
  const child = spawn(process.execPath, [PLAYWRIGHT, 'test'], {
    cwd: folder,
    env: { ...cleanEnvironment(/^(CI_|GITHUB_)/), VMWRIGHT_BUILD_NAME: 'night', ...env },
    stdio: 'ignore',
  });
  return { child, exited: new Promise((done) => child.once('exit', done)) };
}

export interface Command {
  readonly child: ChildProcessWithoutNullStreams;
  readonly done: Promise<RunnerResult>;
  /** Resolves when what it printed so far matches. */
  saw(pattern: RegExp): Promise<string>;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** In a terminal of its own, of this size. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** Starts `vmwright <args>` in `folder` with a clean environment. */
export function startCommand(folder: string, args: readonly string[], options: CommandOptions = {}): Command {
  const words = [process.execPath, '--import', 'tsx', join(ROOT, 'cli/main.ts'), ...args];
  const { terminal } = options;
  const [program = '', ...rest] =
    terminal === undefined
      ? words
      : [
          'script',
          '-qfec',
          `stty cols ${terminal.columns} rows ${terminal.rows}; exec ${words.map((word) => `'${word}'`).join(' ')}`,
          '/dev/null',
        ];
  const child = spawn(program, rest, {
    cwd: folder,
    env: {
      ...cleanEnvironment(/^(CI_|GITHUB_|NODE_OPTIONS)/),
      ...(terminal ? {} : { NO_COLOR: '1' }),
      ...options.env,
    },
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const check of waiting) check();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    look();
  });
  const done = new Promise<RunnerResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ exitCode: code ?? -1, stdout, stderr, output: stdout + stderr }));
  });
  return {
    child,
    done,
    saw: (pattern) =>
      new Promise<string>((resolve, reject) => {
        const check = (): void => {
          if (!pattern.test(stdout + stderr)) return;
          waiting.delete(check);
          resolve(stdout + stderr);
        };
        waiting.add(check);
        void done.then(() => reject(new Error(`it ended without ${String(pattern)}:\n${stdout}${stderr}`)));
        check();
      }),
  };
}

export function vmwright(
  folder: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<RunnerResult> {
  return startCommand(folder, args, options).done;
}

/** The token that a plan printed. */
export function tokenIn(plan: string): string {
  return /--approve ([0-9a-f]{12})/.exec(plan)?.[1] ?? 'no token';
}

export interface ChatServer {
  /** Texts that were posted, in order. */
  readonly posts: string[];
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

/** A chat server that takes every post. */
export async function startChat(): Promise<ChatServer> {
  const posts: string[] = [];
  const server = createHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      posts.push((JSON.parse(body) as { text: string }).text);
      response.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    posts,
    env: { VMWRIGHT_POST_URL: `http://127.0.0.1:${port}/hooks/secret-part` },
    close: () => server.close(),
  };
}

export interface Cluster {
  /** How often anything connected. */
  readonly connections: () => number;
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

/** Stands where a cluster would be, and notices whoever asks it anything. */
export async function startCluster(): Promise<Cluster> {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    connections: () => count,
    env: { PROXMOX_HOST: '127.0.0.1', PROXMOX_PORT: String(port) },
    close: () => server.close(),
  };
}

/** Preloaded into a process: writes down which files it removes and which folders it lists, with the time. */
const SPY = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const { appendFileSync, existsSync } = fs;
for (const name of ['rmSync', 'unlinkSync', 'rmdirSync', 'readdirSync']) {
  const real = fs[name];
  fs[name] = (path, ...rest) => {
    if (existsSync(path))
      appendFileSync(process.env.FS_SPY_LOG, JSON.stringify({ name, path: String(path), at: Date.now() }) + '\\n');
    return real(path, ...rest);
  };
}
syncBuiltinESMExports();
`;

/** The environment of a process whose dealings with files are written to \`log\`, one JSON object a line. */
export function spiedOn(log: string): Readonly<Record<string, string>> {
  const spy = `${log}.mjs`;
  mkdirSync(dirname(spy), { recursive: true });
  writeFileSync(spy, SPY);
  return { FS_SPY_LOG: log, NODE_OPTIONS: `--import ${pathToFileURL(spy).href}` };
}
