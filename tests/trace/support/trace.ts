/**
 * Traces in folders of a test's own, with time and processes of the test's choice.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import fs from 'node:fs';
import { test as base } from '@playwright/test';
import type { ProcessView } from '../../../fixtures/process/view.ts';
import { isolatedConfig, type TraceConfig } from '../../../fixtures/trace/config.ts';
import {
  type Enrollment,
  enroll,
  type Files,
  tracePaths,
  writeEnrollment,
} from '../../../fixtures/trace/enrollment.ts';
import type { TraceClock } from '../../../fixtures/trace/handle.ts';
import type { GuestProcess, GuestSample, Snapshot } from '../../../fixtures/trace/sample.ts';
import { BOOT, hostOf } from '../../lease/support/lease.ts';

export { BOOT, hostOf };

export const test = base.extend<{ isolatedTraceConfig: TraceConfig }>({
  isolatedTraceConfig: async ({}, use, info) => {
    await use(isolatedConfig(info.outputPath()));
  },
});

/** When the tests' traces were written. */
export const WRITTEN = Date.UTC(2026, 10, 21, 8);
/** Half a minute and more later: the time at which they are looked at. */
export const LATER = WRITTEN + 60_000;

export interface OldTrace {
  readonly pid?: number;
  readonly start?: number | null;
  readonly boot?: string | null;
  readonly comm?: string;
  readonly lines?: string;
  readonly tag?: string;
  /** False: the trace has no sidecar. */
  readonly enrolled?: boolean;
  readonly host?: string;
  readonly runId?: string;
  readonly at?: number;
}

/** A trace that was written a minute before {@link LATER}, with a sidecar of this boot. */
export function writeOldTrace(
  config: TraceConfig,
  old: OldTrace = {},
): { trace: string; enrollment: string; record: Enrollment } {
  const { pid = 4711, start = 500, boot = BOOT, comm = 'node', enrolled = true, host = 'fedora42' } = old;
  mkdirSync(config.tmpfsPath, { recursive: true });
  const paths = tracePaths(config.tmpfsPath, old.tag ?? pid);
  const view = hostOf({ [pid]: start }, { boot });
  const at = new Date(old.at ?? WRITTEN);
  const record = enroll({ pid, view, comm, host, at, sessionId: 's', runId: old.runId ?? 'run-1' });
  writeFileSync(paths.trace, old.lines ?? lineOf({ pid, comm }) + lineOf({ pid, comm, elapsedMs: 5000 }));
  if (enrolled) writeEnrollment(paths.enrollment, record);
  utimesSync(paths.trace, WRITTEN / 1000, WRITTEN / 1000);
  return { ...paths, record };
}

export function lineOf(changes: Partial<Snapshot> = {}): string {
  return `${JSON.stringify(snapshotOf(changes))}\n`;
}

export function snapshotOf(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    capturedAt: '2026-11-21T08:00:00.000000Z',
    elapsedMs: 0,
    pid: 4711,
    comm: 'node',
    sample: sampleOf(),
    ...changes,
  };
}

export function sampleOf(...processes: Partial<GuestProcess>[]): GuestSample {
  return { boot: 'b1', processes: processes.map(processOf) };
}

export function processOf(changes: Partial<GuestProcess> = {}): GuestProcess {
  return {
    pid: 900,
    ppid: 1,
    comm: 'harbor-chat',
    start: '77',
    state: 'S',
    rssKb: 50_000,
    threads: 4,
    fds: 12,
    fdLimit: 1024,
    oomScore: 100,
    wchan: '',
    ...changes,
  };
}

/** The file system, with some of its calls replaced. */
export function filesWith(changes: Partial<Files>): Files {
  return { ...fs, ...changes };
}

export function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Runs `action`, and ends the child whatever becomes of it. */
export async function reaping<T>(child: ChildProcess, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } finally {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGKILL');
    await ended;
  }
}

/** Which processes were asked for. */
export function spied(view: ProcessView): { view: ProcessView; asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    view: {
      ...view,
      start: (pid) => {
        asked.push(pid);
        return view.start(pid);
      },
    },
  };
}

/** Time that passes only when the test says so. */
export class ManualClock implements TraceClock {
  time = 0;
  epoch = WRITTEN;
  readonly slept: number[] = [];
  #wake: (() => void) | undefined;
  #sleeping: (() => void) | undefined;

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.epoch + this.time;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.slept.push(ms);
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#sleeping?.();
    });
  }

  /** Resolves when the sample that is due has been taken, and the trace sleeps. */
  async asleep(): Promise<void> {
    if (this.#wake === undefined) await new Promise<void>((resolve) => (this.#sleeping = resolve));
  }

  /** Lets time pass, and waits until the trace sleeps again. */
  async pass(ms: number): Promise<void> {
    this.time += ms;
    const wake = this.#wake;
    this.#wake = undefined;
    const slept = this.asleep();
    wake?.();
    await slept;
  }
}
