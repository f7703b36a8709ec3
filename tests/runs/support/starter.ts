/**
 * One process of tests/runs/claims.spec.ts: starts runs as the reporter does, with a runner that only writes a journal.
 * Told what to do over IPC; says each thing that it has done before it does the next.
 *
 * @module
 */
import { join } from 'node:path';
import { identityOf } from '../../../fixtures/process/identity.ts';
import { claimName } from '../../../runs/build-claim.ts';
import { openJournal } from '../../../runs/journal.ts';
import { readRun } from '../../../runs/read-run.ts';
import { recoverFiles } from '../../../runs/recovery.ts';
import { beginRun, FILES, writeAtomically } from '../../../runs/store.ts';

export type Order =
  | {
      readonly do: 'start';
      readonly state: string;
      readonly run: string;
      readonly given?: string | undefined;
      readonly steps: number;
    }
  | { readonly do: 'recover'; readonly state: string };

export type Report =
  | { readonly is: 'ready' }
  | { readonly is: 'wrote'; readonly run: string; readonly build: string; readonly lines: number }
  | { readonly is: 'done'; readonly run?: string; readonly build?: string; readonly seen?: string };

const say = (report: Report): void => void process.send?.(report);

async function start({ state, run, given, steps }: Extract<Order, { do: 'start' }>): Promise<void> {
  const { build, claim } = claimName({
    stateFolder: state,
    run,
    part: {},
    given,
    fallback: 'unnamed',
    say: () => undefined,
  });
  const folder = join(state, build);
  const hosts = [{ host: run, tests: 1 }];
  const plan = { hosts, coverage: [], command: 'x', build, run, version: '0' };
  beginRun(folder, {
    ...plan,
    startedAt: Date.now(),
    suite: 's',
    select: [],
    options: {},
    choices: {},
    groups: [],
    process: identityOf(process.pid),
  });
  const journal = openJournal(join(folder, FILES.journal));
  let lines = 0;
  const write = (event: Parameters<typeof journal.append>[0]): void => {
    journal.append(event);
    say({ is: 'wrote', run, build, lines: ++lines });
  };
  const one = { host: run, suite: 's', test: 't', retry: 0 };
  write({ type: 'run-begin', at: Date.now(), slots: 1, ...plan });
  write({ type: 'test-begin', at: Date.now(), ...one });
  for (let step = 0; step < steps; step++) {
    write({ type: 'step-begin', at: Date.now(), host: run, title: `step ${step}` });
    await new Promise((done) => setImmediate(done));
  }
  const result = { outcome: 'passed', expected: true, steps: [], durationMs: 1 } as const;
  write({ type: 'test-end', at: Date.now(), ...one, ...result });
  write({ type: 'run-end', at: Date.now(), result: 'finished' });
  journal.close();
  // As a post does it, from what is stored; and as one leaves its mark.
  const stored = readRun(folder, { now: Date.now(), processState: () => 'gone' });
  writeAtomically(join(folder, FILES.posted), JSON.stringify({ at: Date.now(), run }));
  claim.release();
  const { model } = stored ?? {};
  say({
    is: 'done',
    run,
    build,
    seen: `${model?.run ?? ''} ${model?.state ?? ''} ${model?.hosts[0]?.host ?? ''}`,
  });
}

process.on('message', (order: Order) => {
  if (order.do === 'start') return void start(order);
  recoverFiles({ stateFolder: order.state });
  say({ is: 'done' });
});
say({ is: 'ready' });
