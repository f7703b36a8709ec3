/**
 * An application without a guest, on a clock of its own, which only sleeping moves.
 *
 * @module
 */
import { App, type AppContext } from '../../../fixtures/app/app.ts';
import { resolveProfile } from '../../../fixtures/app/index.ts';

const nobody = (): Promise<boolean> => Promise.resolve(false);

export interface Scripted {
  readonly app: App;
  readonly now: () => number;
  readonly sleeps: readonly number[];
}

type Application = Pick<AppContext['application'], 'title' | 'path' | 'process'>;

/** On openbox; a screen that answers each look as it is told, and no model. */
export function scripted(
  { title, path, process }: Application,
  exec: (wire: string, now: number) => { readonly exitCode?: number; readonly stdout?: string },
  look: AppContext['screen']['look'],
  program?: AppContext['program'],
): Scripted {
  let time = 0;
  const sleeps: number[] = [];
  const run: AppContext['ssh']['exec'] = (command) => {
    const wire = typeof command === 'string' ? command : command.wire;
    const answer = { exitCode: 0, stdout: '', ...exec(wire, time) };
    return Promise.resolve({ command: wire, stderr: '', durationMs: 0, ...answer } as never);
  };
  const app = new App({
    machine: 'm',
    profile: resolveProfile('m', 'linux', 'openbox', 'x11'),
    application: { title, path, process, stateFiles: [] },
    staged: { path, others: [] },
    ...(program === undefined ? {} : { program }),
    startedAt: 0,
    user: 'tester',
    ssh: { exec: run, powershell: run },
    timeoutScale: 1,
    guards: { clearWay: nobody, unlock: nobody, dismissBanners: nobody },
    screen: {
      size: { width: 1280, height: 800 },
      keyboard: { press: nobody, type: nobody },
      waitForChange: nobody,
      look,
      count: () => Promise.resolve(1),
      witness: () => {
        throw new Error('no claim was made');
      },
    },
    clock: {
      now: () => time,
      sleep: (ms) => {
        sleeps.push(ms);
        time += ms;
        return Promise.resolve();
      },
    },
  });
  return { app, now: () => time, sleeps };
}
