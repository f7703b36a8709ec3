/**
 * A trace as the runner and the screen's tracer write it, of screens that a test draws.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { zipSync } from 'fflate';
import { encodePng, type Frame, type Rect } from '../../../fixtures/image/frame.ts';
import * as format from '../../../fixtures/playwright-trace/format.ts';

export interface DrawnStep {
  /** The call as it stands in the spec: up to the bracket behind the method. */
  readonly at: string;
  readonly before?: Frame;
  readonly action?: Frame;
  readonly after?: Frame;
  readonly pressed?: { readonly x: number; readonly y: number };
  readonly isFailed?: boolean;
  /** Where a secret was painted over. */
  readonly hidden?: readonly Rect[];
}

/** Writes it. @param spec the path and text that ran */
export async function writeTrace(
  path: string,
  spec: { readonly file: string; readonly text: string },
  steps: readonly DrawnStep[],
): Promise<void> {
  const files: Record<string, Uint8Array> = {
    [`src/${createHash('sha1').update(spec.file).digest('hex')}.ts`]: Buffer.from(spec.text),
  };
  const runner: object[] = [{ version: 10, type: 'context-options', origin: 'testRunner' }];
  const screen: object[] = format.begin({
    name: 'fedora42',
    pageId: 'fedora42',
    size: { width: 640, height: 400 },
    title: 'a.spec.ts:1 › a test',
  });
  for (const [index, step] of steps.entries()) {
    const callId = `call@${index}`;
    runner.push({
      type: 'before',
      callId,
      startTime: index * 1000,
      stack: [{ file: spec.file, ...placeOf(spec.text, step.at) }],
    });
    runner.push({
      type: 'after',
      callId,
      endTime: index * 1000 + 900,
      ...(step.isFailed === true ? { error: { message: 'failed' } } : {}),
    });
    for (const phase of ['before', 'action', 'after'] as const) {
      const frame = step[phase];
      if (frame === undefined) continue;
      const png = await encodePng(frame);
      const file = `screenshots/${createHash('sha1').update(png).digest('hex')}.png`;
      files[file] = png;
      const when = { callId, phase, pageId: 'fedora42', at: index * 1000 };
      screen.push(format.screenshot(when, file));
      const aria = `aria/${index}-${phase}.json`;
      files[aria] = Buffer.from(
        format.ariaTree((step.hidden ?? []).map((box) => ({ text: '(a secret)', box }))),
      );
      screen.push(format.ariaSnapshot(when, aria));
    }
    if (step.pressed !== undefined) screen.push(format.input(callId, step.pressed, undefined));
  }
  if (steps.some(({ isFailed }) => isFailed)) runner.push({ type: 'error', message: 'failed' });
  const text = (lines: readonly object[]): Uint8Array =>
    Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  files['test.trace'] = text(runner);
  files['0-trace.trace'] = text(screen);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, zipSync(files));
}

/** Of the name of the method, as V8 has it. */
function placeOf(text: string, at: string): { line: number; column: number } {
  const start = text.indexOf(`${at}(`);
  if (start < 0) throw new Error(`${at} does not stand in the spec`);
  const method = start + at.lastIndexOf('.') + 1;
  const lines = text.slice(0, method).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
