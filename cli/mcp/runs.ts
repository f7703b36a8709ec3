/**
 * Runs for an agent: the project's own runner, and what its traces say.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import { ALLOW_BLACKLISTED } from '../../fixtures/config/index.ts';
import { readRecorded } from '../replay-screen/recorded.ts';
import { playwright } from '../verify.ts';

/** Characters of a runner's output that are told: its end. */
const TOLD = 8000;

/**
 * Runs a spec on a machine, with a trace. What a run holds is not waited for.
 *
 * @param onLine told each line of its output
 */
export async function runSpec(
  spec: string,
  machine: string,
  {
    root,
    signal,
    onLine,
  }: { readonly root: string; readonly signal: AbortSignal; readonly onLine: (line: string) => void },
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const args = [
    'test',
    // Playwright takes it for a regular expression.
    `${spec.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`,
    `--project=${machine}`,
    '--trace=on',
    '--update-snapshots=none',
  ];
  const child = spawn(process.execPath, [playwright(), ...args], {
    cwd: root,
    env: {
      ...process.env,
      [ALLOW_BLACKLISTED]: '',
      VMWRIGHT_LEASE_WAIT: '0',
      NO_COLOR: '1',
      FORCE_COLOR: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const line = text.trim().split('\n').at(-1);
      if (line !== undefined && line !== '') onLine(line);
    });
  const exitCode = await new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done(code ?? 1));
  });
  signal.removeEventListener('abort', stop);
  return { exitCode, output: output.slice(-TOLD) };
}

/** The steps of each recorded test, what failed, and the text of the screen then. */
export function readTraces(path: string, root: string): string {
  return readRecorded(path)
    .map(({ trace, machine, title, steps, isFailed }) => {
      const last = steps.findLast((step) => step.isFailed) ?? steps.at(-1);
      const shown = last?.pictures.at(-1)?.lines ?? [];
      return [
        `${machine}: ${title}: ${isFailed ? 'FAILED' : 'passed'} (${relative(root, trace)})`,
        ...steps.map(
          (step) =>
            `  ${step.isFailed ? 'FAILED' : 'ok    '} ${relative(root, step.file)}:${step.line} ${step.title}${step.error === undefined ? '' : `\n         ${step.error.replaceAll('\n', '\n         ')}`}`,
        ),
        ...(shown.length === 0
          ? []
          : ['  screen:', ...shown.map(({ text }) => `    - text ${JSON.stringify(text)}`)]),
      ].join('\n');
    })
    .join('\n\n');
}
