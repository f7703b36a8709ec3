import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import fs from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { pidExists } from '../../fixtures/process/view.ts';
import { traceConfig } from '../../fixtures/trace/config.ts';
import {
  enroll,
  isOwnerAlive,
  readEnrollment,
  tracePaths,
  writeEnrollment,
} from '../../fixtures/trace/enrollment.ts';
import { startTracing, type TraceHandle, type TraceOptions } from '../../fixtures/trace/handle.ts';
import { recoverCrashedSessions, recoveredCount } from '../../fixtures/trace/recover.ts';
import type { Snapshot } from '../../fixtures/trace/sample.ts';
import { increasing } from '../../fixtures/trace/timestamps.ts';
import { ROOT } from '../support/runner.ts';
import {
  BOOT,
  coded,
  filesWith,
  hostOf,
  LATER,
  ManualClock,
  processOf,
  reaping,
  sampleOf,
  test,
  writeOldTrace,
} from './support/trace.ts';

const view = hostOf({ 50: 500 });

/** A trace by process 50 with a sample that never changes. */
function options(changes: Partial<TraceOptions> = {}): TraceOptions {
  return {
    signal: new AbortController().signal,
    sampler: () => Promise.resolve(sampleOf(processOf())),
    pid: 50,
    platform: 'linux',
    view,
    ...changes,
  };
}

function linesOf(path: string): Snapshot[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Snapshot);
}

test('T5, T6, T7: switched off, off Linux and without an owner there is no trace', async ({
  isolatedTraceConfig,
}) => {
  expect(await startTracing(isolatedTraceConfig.withOverrides({ enabled: false }), options())).toBeNull();
  expect(await startTracing(isolatedTraceConfig, options({ platform: 'darwin' }))).toBeNull();
  expect(await startTracing(isolatedTraceConfig, options({ signal: undefined }))).toBeNull();
  expect(readdirSync(isolatedTraceConfig.tmpfsPath)).toEqual([]);
});

test('T8: without the folder the trace is kept in memory', async ({ isolatedTraceConfig }) => {
  const clock = new ManualClock();
  const config = isolatedTraceConfig.withOverrides({
    tmpfsPath: join(isolatedTraceConfig.tmpfsPath, 'none'),
  });
  const handle = (await startTracing(config, options({ clock })))!;
  await clock.asleep();
  await clock.pass(50);
  expect(handle.tracePath).toBeNull();
  expect(handle.snapshots).toHaveLength(2);
  handle.stop();
});

test('T10, T12, T13: the sidecar is there at once, with everything in it, and cannot be changed', async ({
  isolatedTraceConfig,
}) => {
  let seen: boolean | undefined;
  const clock = new ManualClock();
  const sampler: TraceOptions['sampler'] = () => {
    seen ??= existsSync(tracePaths(isolatedTraceConfig.tmpfsPath, 50).enrollment);
    return Promise.resolve(sampleOf());
  };
  const handle = (await startTracing(isolatedTraceConfig, options({ clock, sampler })))!;
  expect(existsSync(handle.enrollmentPath!)).toBe(true);
  await clock.asleep();
  expect(seen).toBe(true);
  const record = readEnrollment(handle.enrollmentPath!)!;
  expect(record).toEqual({
    schemaVersion: 1,
    pid: 50,
    bootId: BOOT,
    starttimeTicks: 500,
    pidNamespace: 'pid:[1]',
    comm: expect.any(String),
    sessionId: '',
    runId: '',
    host: '',
    enrolledAt: '2026-11-21T08:00:00.000Z',
  });
  expect(() => Object.assign(record, { pid: 1 })).toThrow(TypeError);
  expect(() => Object.assign(handle.enrollment, { pid: 1 })).toThrow(TypeError);
  handle.stop();
});

test('T11: a sidecar is whole or not there', ({ isolatedTraceConfig: { tmpfsPath } }) => {
  const path = tracePaths(tmpfsPath, 50).enrollment;
  const record = enroll({ pid: 50, view, at: new Date(0) });
  for (const fault of ['renameSync', 'writeFileSync'] as const) {
    const files = filesWith({
      [fault]: (name: string) => {
        if (fault === 'writeFileSync') writeFileSync(name, '{"half');
        throw coded('ENOSPC');
      },
    });
    expect(() => writeEnrollment(path, record, files)).toThrow('ENOSPC');
    expect(readdirSync(tmpfsPath)).toEqual([]);
  }
  writeEnrollment(path, record);
  expect(readEnrollment(path)).toEqual(record);
});

test('T14, P-T1: what is no whole sidecar of this version is none', ({
  isolatedTraceConfig: { tmpfsPath },
}) => {
  const path = join(tmpfsPath, 'vmwright_enrollment_7.json');
  expect(readEnrollment(path)).toBeNull();
  const record = enroll({ pid: 7, view: hostOf({ 7: 1 }), at: new Date(0) });
  const text = JSON.stringify(record);
  const bad = ['', text.slice(0, -5), 'null', '[]', '"x"', '{}', text.replace('"pid":7', '"pid":"7"')];
  bad.push(text.replace('"pid":7', '"pid":0'), text.replace('"pid":7', '"pid":-1'));
  bad.push(
    text.replace('"schemaVersion":1', '"schemaVersion":99'),
    text.replace('"enrolledAt":"', '"enrolledAt":"x'),
  );
  for (const content of bad) {
    writeFileSync(path, content);
    expect([content, readEnrollment(path)]).toEqual([content, null]);
  }
  expect(readEnrollment(tmpfsPath)).toBeNull();
  writeFileSync(path, text);
  expect(readEnrollment(path)).toEqual(record);
});

test('T15, T16: without a sidecar the trace goes on with one warning, and is nobody’s after a crash', async ({
  isolatedTraceConfig,
}) => {
  const warnings: string[] = [];
  const clock = new ManualClock();
  const files = filesWith({
    renameSync: () => {
      throw coded('EACCES');
    },
  });
  const handle = (await startTracing(
    isolatedTraceConfig,
    options({ files, clock, warn: (text) => void warnings.push(text) }),
  ))!;
  await clock.asleep();
  expect(handle.enrollmentPath).toBeNull();
  expect(warnings).toHaveLength(1);
  for (const part of [
    '50',
    'EACCES',
    'vmwright_enrollment_50.json',
    'this session will not be crash-recoverable',
  ]) {
    expect(warnings[0]).toContain(part);
  }
  expect(linesOf(handle.tracePath!)).toHaveLength(1);
  const flushed: unknown[] = [];
  const found = recoverCrashedSessions({
    config: isolatedTraceConfig,
    flush: (session) => flushed.push(session),
    view: hostOf({}),
    now: () => Date.now() + 60_000,
  });
  expect([recoveredCount(found), flushed, existsSync(handle.tracePath!)]).toEqual([0, [], true]);
  handle.stop();
});

test('T17: a stopped trace keeps no process alive', async ({ isolatedTraceConfig }) => {
  const script = `
import { startTracing } from '${ROOT}/fixtures/trace/handle.ts';
import { traceConfig } from '${ROOT}/fixtures/trace/config.ts';
const scope = new AbortController();
const config = traceConfig({ tmpfsPath: ${JSON.stringify(isolatedTraceConfig.tmpfsPath)}, intervalMs: 3600000 });
const handle = await startTracing(config, { signal: scope.signal, sampler: async () => ({ boot: '', processes: [] }) });
await new Promise((done) => setTimeout(done, 20));
if (process.argv[2] === 'stop') handle.stop();
else if (process.argv[2] === 'abort') scope.abort();
console.log(String(handle.snapshots.length));`;
  const file = join(isolatedTraceConfig.logDir, 'stopped.mts');
  writeFileSync(file, script);
  for (const how of ['stop', 'abort']) {
    const child = spawn(process.execPath, ['--import', 'tsx', file, how], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([how, code, output.trim()]).toEqual([how, 0, '1']);
  }
});

test('T18: a sampler with nothing left to watch ends the trace', async ({ isolatedTraceConfig }) => {
  const samples = [sampleOf(processOf()), null];
  const clock = new ManualClock();
  const handle = (await startTracing(
    isolatedTraceConfig,
    options({ clock, sampler: () => Promise.resolve(samples.shift() ?? null) }),
  ))!;
  await clock.asleep();
  void clock.pass(50);
  await expect.poll(() => samples.length).toBe(0);
  expect(handle.snapshots).toHaveLength(1);
  handle.stop();
});

test('T19: timestamps increase by exactly 1 µs when the clock stands or is set back', () => {
  let now = Date.UTC(2026, 0, 1);
  const next = increasing(() => now);
  const first = next();
  const second = next();
  now -= 5000;
  const third = next();
  now += 5000.25;
  expect([first, second, third, next()]).toEqual([
    '2026-01-01T00:00:00.000000Z',
    '2026-01-01T00:00:00.000001Z',
    '2026-01-01T00:00:00.000002Z',
    '2026-01-01T00:00:00.000250Z',
  ]);
});

test('T20, T21: what cannot be written is in memory; one warning, whole lines on disk', async ({
  isolatedTraceConfig,
}) => {
  for (const fault of ['ENOSPC', 'EIO', 'short']) {
    const clock = new ManualClock();
    const warnings: string[] = [];
    let writes = 0;
    const files = filesWith({
      writeSync: ((descriptor: number, bytes: Buffer) => {
        if (++writes < 3) return fs.writeSync(descriptor, bytes);
        if (fault === 'short') return fs.writeSync(descriptor, bytes.subarray(0, 10));
        throw coded(fault);
      }) as typeof fs.writeSync,
      closeSync: (descriptor) => {
        fs.closeSync(descriptor);
        throw coded('EIO');
      },
    });
    const handle = (await startTracing(
      isolatedTraceConfig,
      options({ clock, files, warn: (text) => void warnings.push(text) }),
    ))!;
    await clock.asleep();
    for (let round = 0; round < 4; round++) await clock.pass(50);
    expect(linesOf(handle.tracePath!)).toHaveLength(2);
    expect(handle.snapshots).toHaveLength(5);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(fault === 'short' ? 'ENOSPC' : fault);
    expect(handle.stop()).toHaveLength(5);
  }
});

test('T22: a sample each interval', async ({ isolatedTraceConfig }) => {
  const clock = new ManualClock();
  const config = traceConfig({ tmpfsPath: isolatedTraceConfig.tmpfsPath });
  const handle = (await startTracing(config, options({ clock })))!;
  await clock.asleep();
  await clock.pass(5000);
  await clock.pass(5000);
  expect(clock.slept).toEqual([5000, 5000, 5000]);
  expect(handle.snapshots.map(({ elapsedMs }) => elapsedMs)).toEqual([0, 5000, 10_000]);
  handle.stop();
});

test('T23: snapshots are copies; stopping twice gives the same', async ({ isolatedTraceConfig }) => {
  const clock = new ManualClock();
  const handle = (await startTracing(isolatedTraceConfig, options({ clock })))!;
  await clock.asleep();
  await clock.pass(50);
  const first = handle.stop();
  (first as Snapshot[]).pop();
  expect(first).toHaveLength(1);
  expect(handle.stop()).toHaveLength(2);
  expect(handle.stop()).toEqual(handle.stop());
});

test('T24: stopping ends the samples, closes the file, takes both away; files that are gone are fine', async ({
  isolatedTraceConfig,
}) => {
  const order: string[] = [];
  const scopeOf = (handle: TraceHandle): unknown[] => [handle.tracePath, handle.enrollmentPath];
  const clock = new ManualClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms, signal) => {
    signal.addEventListener('abort', () => order.push('ended'));
    return sleep(ms, signal);
  };
  const files = filesWith({
    closeSync: (descriptor) => {
      order.push('closed');
      fs.closeSync(descriptor);
    },
    unlinkSync: (path) => {
      order.push(`unlinked ${String(path).replace(/.*vmwright_(\w+?)_.*/, '$1')}`);
      fs.unlinkSync(path);
    },
  });
  const handle = (await startTracing(isolatedTraceConfig, options({ clock, files })))!;
  await clock.asleep();
  handle.stop();
  expect(order).toEqual(['ended', 'closed', 'unlinked trace', 'unlinked enrollment']);
  expect(scopeOf(handle)).toEqual([null, null]);
  expect(readdirSync(isolatedTraceConfig.tmpfsPath)).toEqual([]);

  const warnings: string[] = [];
  const again = (await startTracing(
    isolatedTraceConfig,
    options({ warn: (text) => void warnings.push(text) }),
  ))!;
  for (const path of scopeOf(again)) fs.unlinkSync(path as string);
  again.stop();
  expect([scopeOf(again), warnings]).toEqual([[null, null], []]);
});

test('a folder that may not be written to: in memory, with a warning', async ({ isolatedTraceConfig }) => {
  const warnings: string[] = [];
  const files = filesWith({
    openSync: () => {
      throw coded('EROFS');
    },
  });
  const clock = new ManualClock();
  const handle = (await startTracing(
    isolatedTraceConfig,
    options({ files, clock, warn: (text) => void warnings.push(text) }),
  ))!;
  await clock.asleep();
  expect([handle.tracePath, handle.enrollmentPath, handle.snapshots.length]).toEqual([null, null, 1]);
  expect(warnings).toEqual([expect.stringContaining('EROFS')]);
  handle.stop();

  // Not even root may make files in sysfs.
  const real = (await startTracing(
    isolatedTraceConfig.withOverrides({ tmpfsPath: '/sys/kernel' }),
    options({ warn: (text) => void warnings.push(text) }),
  ))!;
  expect([real.tracePath, warnings.length]).toEqual([null, 2]);
  real.stop();
});

test('P-T10: the trace of an earlier process of this number is recovered or moved, never written over', async ({
  isolatedTraceConfig: config,
}) => {
  const old = writeOldTrace(config, { pid: 50, start: 499 });
  const text = readFileSync(old.trace, 'utf8');
  const flushed: string[] = [];
  const recover = (now: number) => () =>
    void recoverCrashedSessions({ config, view, now: () => now, flush: ({ id }) => flushed.push(id) });
  const handle = (await startTracing(config, options({ recover: recover(LATER) })))!;
  expect(flushed).toEqual([expect.stringMatching(/^crashed_50_499_/)]);
  handle.stop();

  // Too fresh to be recovered: kept under another name, for the next time.
  writeOldTrace(config, { pid: 50, start: 499 });
  const second = (await startTracing(config, options({ recover: recover(LATER - 50_000) })))!;
  expect(readFileSync(tracePaths(config.tmpfsPath, '50-499').trace, 'utf8')).toBe(text);
  second.stop();
  recover(LATER)();
  expect(flushed).toHaveLength(2);
  expect(readdirSync(config.tmpfsPath)).toEqual([]);

  // Nobody's: never recovered, never lost.
  writeOldTrace(config, { pid: 50, enrolled: false });
  const third = (await startTracing(config, options({ recover: recover(LATER) })))!;
  third.stop();
  expect(readdirSync(config.tmpfsPath)).toHaveLength(1);
  expect(flushed).toHaveLength(2);
});

test('two traces of one process do not disturb each other', async ({ isolatedTraceConfig }) => {
  const warnings: string[] = [];
  const first = (await startTracing(isolatedTraceConfig, options()))!;
  const second = (await startTracing(
    isolatedTraceConfig,
    options({ warn: (text) => void warnings.push(text) }),
  ))!;
  expect([second.tracePath, warnings.length]).toEqual([null, 1]);
  second.stop();
  expect(existsSync(first.tracePath!)).toBe(true);
  first.stop();
  expect(readdirSync(isolatedTraceConfig.tmpfsPath)).toEqual([]);
});

test('P-T8: the owner lives only if boot, pid and start are all known and equal', () => {
  const record = enroll({ pid: 7, view: hostOf({ 7: 50 }), at: new Date(0) });
  expect(isOwnerAlive(record, hostOf({ 7: 50 }))).toBe(true);
  const others = [
    hostOf({}),
    hostOf({ 7: 51 }),
    hostOf({ 7: null }),
    hostOf({ 7: 50 }, { boot: 'other' }),
    hostOf({ 7: 50 }, { boot: null }),
    hostOf({ 7: 50 }, { pidns: 'pid:[2]' }),
  ];
  expect(others.map((host) => isOwnerAlive(record, host))).toEqual(others.map(() => false));
  expect(isOwnerAlive({ ...record, starttimeTicks: null }, hostOf({ 7: 50 }))).toBe(false);
  expect(isOwnerAlive({ ...record, bootId: null }, hostOf({ 7: 50 }, { boot: null }))).toBe(false);
});

test('a real full file system: whole lines on disk, all in memory', async ({}, info) => {
  const full = '/dev/full';
  test.skip(!existsSync(full), 'needs /dev/full');
  const folder = info.outputPath('shm');
  mkdirSync(folder, { recursive: true });
  const warnings: string[] = [];
  const clock = new ManualClock();
  const files = filesWith({
    openSync: ((path: string) =>
      fs.openSync(path.endsWith('.jsonl') ? full : path, 'w')) as typeof fs.openSync,
  });
  const handle = (await startTracing(
    traceConfig({ tmpfsPath: folder }),
    options({ files, clock, warn: (text) => void warnings.push(text) }),
  ))!;
  await clock.asleep();
  await clock.pass(5000);
  expect(handle.snapshots).toHaveLength(2);
  expect(warnings).toEqual([expect.stringContaining('ENOSPC')]);
  handle.stop();
});

test('T9: a killed process leaves whole lines only', async ({ isolatedTraceConfig }) => {
  const { tmpfsPath } = isolatedTraceConfig;
  const script = `
import { startTracing } from '${ROOT}/fixtures/trace/handle.ts';
import { traceConfig } from '${ROOT}/fixtures/trace/config.ts';
const processes = Array.from({ length: 200 }, (_, pid) => ({ pid, comm: 'x'.repeat(15) }));
const clock = { now: () => performance.now(), wall: () => Date.now(), sleep: () => new Promise((done) => setImmediate(done)) };
await startTracing(traceConfig({ tmpfsPath: ${JSON.stringify(tmpfsPath)} }), { signal: new AbortController().signal, sampler: async () => ({ boot: '', processes }), clock });
console.log('on');`;
  const file = join(isolatedTraceConfig.logDir, 'busy.mts');
  writeFileSync(file, script);
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await reaping(child, async () => {
    await once(child.stdout, 'data');
    const { trace } = tracePaths(tmpfsPath, child.pid!);
    await expect.poll(() => fs.statSync(trace).size, { intervals: [5] }).toBeGreaterThan(500_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // The kernel may cut a write that spans pages: what follows the last line feed is no line.
    expect(linesOf(trace).length).toBeGreaterThan(10);
    expect(linesOf(trace).map(({ sample }) => sample?.processes.length)).toEqual(
      linesOf(trace).map(() => 200),
    );
  });
});

test('T65: a child of a test is gone, also when stopping its trace throws', async ({
  isolatedTraceConfig,
}) => {
  const child = spawn('sleep', ['60']);
  const closing = filesWith({
    unlinkSync: () => {
      throw coded('EPERM');
    },
  });
  const complain = (text: string): never => {
    throw new Error(text);
  };
  const stopping = reaping(child, async () => {
    const handle = (await startTracing(isolatedTraceConfig, options({ files: closing, warn: complain })))!;
    handle.stop();
  });
  await expect(stopping).rejects.toThrow('EPERM');
  expect(pidExists(child.pid!)).toBe(false);
});
