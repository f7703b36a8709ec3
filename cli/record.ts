/**
 * `vmwright record`: a machine's screen in the browser; what is done there becomes a spec.
 *
 * @module
 */
import { resolve } from 'node:path';
import { tell } from '../fixtures/secrets/index.ts';
import type { TestPage } from '../fixtures/page/test-page.ts';
import { startRecording } from '../fixtures/recorder/index.ts';
import { systemClock } from '../fixtures/vnc/rfb/clock.ts';
import { openInBrowser } from './browser.ts';
import { Ending } from './ending.ts';
import { loadMatrix } from './plan.ts';
import { openSession, rowOf } from './session.ts';
import { SpecFile } from './spec-file.ts';
import { ensureMachine } from './stand-in.ts';

export interface RecordOptions {
  /** Name of a row of the matrix. */
  readonly project: string;
  readonly matrix: string;
  /** The spec to write. */
  readonly output: string;
  /** Write over an existing spec. */
  readonly force?: true;
  /** Leave the machine as it is: no rollback to the checkpoint. */
  readonly keep?: true;
}

export interface RecordTerminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Opens the recorder, and writes the spec as it grows, until `over`.
 *
 * @throws `PLAN_INVALID`, `RECORD_OUTPUT_EXISTS`, `LEASE_HELD`, and what opening a machine throws
 */
export async function record(
  options: RecordOptions,
  terminal: RecordTerminal = process.stdout,
  over: Promise<void> = untilInterrupted(),
): Promise<void> {
  const say = (line: string): void => tell(terminal, `${line}\n`);
  const { machines } = await loadMatrix(options.matrix);
  const machine = rowOf(machines, options.project, '--project');
  await using file = await SpecFile.open(resolve(options.output), options.force === true);
  await using ending = new Ending();
  const env = await ensureMachine(machine, ending, say);
  const { page, launch } = await openSession(
    { machine, machines, env, doing: 'vmwright record', keep: options.keep === true },
    ending,
    say,
  );

  const session = await startRecording(bareHands(page), {
    machine,
    env,
    title: file.title,
    from: file.module,
    clock: systemClock,
    launch,
    onSpec: (spec, steps) => file.save(steps.length === 0 ? '' : spec),
  });
  say(`Recorder of ${machine.name}: ${session.url}`);
  say(`Writes ${options.output}. Ctrl+C ends it.`);
  if (terminal.isTTY === true) ending.defer(openInBrowser(session.url));
  await over;
  const { steps, spec } = await session.finish();
  file.save(steps.length === 0 ? '' : spec);
  await file.saved();
  say(
    steps.length === 0
      ? '\nNothing was recorded.'
      : `\nWrote ${options.output}, ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}. Run it: npx playwright test ${options.output} --project=${machine.name}`,
  );
}

/** Keyboard and mouse as they are now: what a person does is done, whatever guards an application brings along. */
function bareHands(page: TestPage): Parameters<typeof startRecording>[0] {
  const { name, timeoutScale, keyboard, mouse } = page;
  return {
    name,
    timeoutScale,
    keyboard,
    mouse,
    latest: () => page.latest(),
    onDirty: (listener) => page.onDirty(listener),
    waitForStill: (options) => page.waitForStill(options),
  };
}

/** Ctrl+C ends the recording; once more ends the process at once. */
function untilInterrupted(): Promise<void> {
  return new Promise((done) => {
    let count = 0;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (++count > 1) process.exit(130);
        done();
      });
    }
  });
}
