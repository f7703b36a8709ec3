/**
 * The real recorder, started as a person does, in a project of its own; and a browser on its page.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, expect as base, type Page, test } from '@playwright/test';
import type { Rect } from '../../../fixtures/image/frame.ts';
import type { Lab } from '../../../lab/index.ts';
import { homeVariables } from '../../support/home.ts';
import { requirePeer } from '../../support/peers.ts';
import {
  cleanEnvironment,
  ROOT,
  runPlaywright,
  type RunnerResult,
  writeProject,
} from '../../support/runner.ts';

/** Two processors may be shared by two tests, a guest, a browser and OCR. */
export const PATIENCE_MS = 180_000;
export const expect = base.configure({ timeout: 60_000 });
export const SPEC = 'specs/recorded.spec.ts';

/** A project as `vmwright record` finds it; machines as the shipped matrix has them. */
export function makeProject(folder: string): void {
  writeProject(folder, {
    'package.json': '{ "type": "module", "imports": { "#fixtures": "./fixtures.ts" } }',
    '.prettierrc.json': '{ "printWidth": 110, "singleQuote": true, "trailingComma": "all" }',
    'fixtures.ts': `export * from '${ROOT}/fixtures/index.ts';\n`,
    'vm-matrix.ts': `export { default } from '${ROOT}/vm-matrix.ts';\n`,
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/config/index.ts';
import matrix from './vm-matrix.ts';
export default defineConfig({
  testDir: 'specs',
  outputDir: 'test-results/artifacts',
  reporter: [['list'], ['${ROOT}/reporters/lease.ts']],
  projects: projectsFrom(matrix),
});`,
  });
}

export interface RunningRecorder {
  readonly url: string;
  readonly pid: number;
  output(): string;
  /** Ctrl+C; resolves with the exit code. */
  interrupt(): Promise<number>;
}

const started = new Set<ChildProcess>();

/** Ends what a test that failed has left running. */
export async function endRecorders(): Promise<void> {
  const running = [...started].filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(
    running.map((child) => {
      const code = exitOf(child);
      child.kill('SIGKILL');
      return code;
    }),
  );
  started.clear();
}

/** Starts `vmwright record` and waits for its page. @throws with its output when it ends before */
export async function startRecorder(
  lab: Pick<Lab, 'env'>,
  folder: string,
  args: readonly string[],
): Promise<RunningRecorder> {
  const child = command(lab, folder, args);
  let output = '';
  const url = await new Promise<string>((done, fail) => {
    const see = (text: string): void => {
      output += text;
      const found = /(http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]+\/)/.exec(output)?.[1];
      if (found !== undefined) done(found);
    };
    child.stdout?.setEncoding('utf8').on('data', see);
    child.stderr?.setEncoding('utf8').on('data', see);
    child.once('exit', (code) => fail(new Error(`vmwright record ended with ${code}:\n${output}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    interrupt: () => {
      const code = exitOf(child);
      child.kill('SIGINT');
      return code;
    },
  };
}

/** Runs the command to its end. */
export async function recordOnce(
  lab: Pick<Lab, 'env'>,
  folder: string,
  args: readonly string[],
): Promise<{ exitCode: number; output: string }> {
  const child = command(lab, folder, args);
  let output = '';
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (output += text.toString()));
  return { exitCode: await exitOf(child), output };
}

function command(lab: Pick<Lab, 'env'>, folder: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'cli/main.ts'), 'record', ...args], {
    cwd: folder,
    env: { ...cleanEnvironment(), ...homeVariables(join(folder, 'home')), ...lab.env() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  return child;
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((done) => child.once('close', (code) => done(code ?? -1)));
}

/** Runs the recorded spec with the real runner. */
export function play(lab: Pick<Lab, 'env'>, folder: string, project: string): Promise<RunnerResult> {
  return runPlaywright(folder, ['test', SPEC, `--project=${project}`], { env: lab.env() });
}

export function specIn(folder: string): string {
  const file = join(folder, SPEC);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** A browser on the page, with hands that aim at pixels of the machine's screen. */
export async function onPage(
  url: string,
  act: (view: RecorderPage) => Promise<void>,
  options: { readonly colorScheme?: 'dark' | 'light' } = {},
): Promise<void> {
  const browser = await chromium.launch({
    executablePath: requirePeer(test, 'chromium'),
    args: ['--no-sandbox'],
  });
  try {
    const context = await browser.newContext({
      viewport: { width: 1680, height: 950 },
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(url);
    await act(new RecorderPage(page));
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
  }
}

export class RecorderPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get screen() {
    return this.page.getByRole('application');
  }

  get entries() {
    return this.page.locator('#entries > li');
  }

  /** Where a pixel of the machine's screen is on the page. */
  async spot(x: number, y: number): Promise<{ x: number; y: number }> {
    const box = (await this.screen.boundingBox())!;
    const [width, height] = await this.screen.evaluate((canvas) => {
      const { width, height } = canvas as unknown as { width: number; height: number };
      return [width, height] as const;
    });
    return { x: box.x + ((x + 0.5) * box.width) / width, y: box.y + ((y + 0.5) * box.height) / height };
  }

  async click(x: number, y: number, options: { button?: 'right'; clickCount?: number } = {}): Promise<void> {
    const spot = await this.spot(x, y);
    await this.page.mouse.click(spot.x, spot.y, options);
  }

  async drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    const [start, end] = [await this.spot(...from), await this.spot(...to)];
    await this.page.mouse.move(start.x, start.y);
    await this.page.mouse.down();
    await this.page.mouse.move(end.x, end.y, { steps: 5 });
    await this.page.mouse.up();
  }

  /** Waits until the recorder has read this text on the machine's screen; its box there. */
  async reads(text: string, timeout = PATIENCE_MS): Promise<Rect> {
    let found: Rect | undefined;
    await expect
      .poll(
        async () => {
          const lines = await this.page.evaluate<{ text: string; box: Rect }[]>('lines');
          found = lines.find((line) => line.text.includes(text))?.box;
          return found === undefined ? lines.map((line) => line.text) : text;
        },
        { timeout },
      )
      .toBe(text);
    return found!;
  }
}
