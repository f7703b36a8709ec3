import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { pidExists, readStart, systemProcesses, type ProcessSource } from '../../fixtures/process/view.ts';
import { reapOrphan } from '../../fixtures/trace/orphan.ts';
import { recoverCrashedSessions, recoveredCount, type RecoverOptions } from '../../fixtures/trace/recover.ts';
import type { Session } from '../../fixtures/trace/session.ts';
import type { TraceConfig } from '../../fixtures/trace/config.ts';
import { guardFolder } from '../support/shared-memory.ts';
import { runOf } from '../lease/support/lease.ts';
import {
  BOOT,
  coded,
  filesWith,
  hostOf,
  LATER,
  lineOf,
  spied,
  test,
  WRITTEN,
  writeOldTrace,
} from './support/trace.ts';

/** Nobody runs here. */
const empty = hostOf({});

function recover(config: TraceConfig, changes: Partial<RecoverOptions> = {}) {
  const flushed: Session[] = [];
  const found = recoverCrashedSessions({
    config,
    view: empty,
    now: () => LATER,
    flush: (session) => flushed.push(session),
    ...changes,
  });
  const [first] = found;
  return { found, flushed, count: recoveredCount(found), outcome: first?.outcome, reason: first?.reason };
}

test('T1, T30, T31: an old trace without a sidecar is nobody’s, and no process is asked for', ({
  isolatedTraceConfig,
}) => {
  const { trace } = writeOldTrace(isolatedTraceConfig, { enrolled: false });
  utimesSync(trace, 0, 0);
  const { view, asked } = spied(hostOf({ 4711: 500 }));
  expect(recover(isolatedTraceConfig, { view })).toMatchObject({ count: 0, flushed: [], outcome: 'skipped' });
  expect([existsSync(trace), asked]).toEqual([true, []]);
});

test('T28: what was written less than 30 s ago may be at work', ({ isolatedTraceConfig }) => {
  const { trace } = writeOldTrace(isolatedTraceConfig);
  expect(recover(isolatedTraceConfig, { now: () => WRITTEN + 29_999 }).count).toBe(0);
  // A clock that was set back.
  expect(recover(isolatedTraceConfig, { now: () => WRITTEN - 3_600_000 }).count).toBe(0);
  expect(existsSync(trace)).toBe(true);
  const files = filesWith({
    lstatSync: () => {
      throw coded('ENOENT');
    },
  });
  expect(recover(isolatedTraceConfig, { files })).toMatchObject({ count: 0, outcome: 'skipped' });
  expect(recover(isolatedTraceConfig, { now: () => WRITTEN + 30_000 }).count).toBe(1);
});

test('T29: a name without a number, and the numbers of process groups, are never asked for', ({
  isolatedTraceConfig,
}) => {
  const killed: number[] = [];
  const source: ProcessSource = {
    readFile: () => BOOT,
    readLink: () => 'pid:[1]',
    kill: (pid) => void killed.push(pid),
  };
  expect([-1, 0].map((pid) => pidExists(pid, source))).toEqual([false, false]);
  for (const tag of ['abc', '', '-1', '0']) writeOldTrace(isolatedTraceConfig, { tag, enrolled: false });
  const view = systemProcesses(source);
  expect(recover(isolatedTraceConfig, { view })).toMatchObject({ count: 0 });
  for (const tag of ['abc', '', '-1', '0']) writeOldTrace(isolatedTraceConfig, { tag, pid: 4711 });
  const { found } = recover(isolatedTraceConfig, { view });
  expect(found.map(({ outcome }) => outcome)).toEqual(Array(4).fill('skipped'));
  expect(killed).toEqual([]);
  expect(readdirSync(isolatedTraceConfig.tmpfsPath)).toHaveLength(8);
});

test('T32, T33, P-T4: of an earlier boot both files go, uncounted, whoever has the number now', ({
  isolatedTraceConfig: config,
}) => {
  const { view, asked } = spied(hostOf({ 4711: 500 }));
  const old = writeOldTrace(config, { boot: 'earlier' });
  expect(recover(config, { view })).toMatchObject({ count: 0, flushed: [], outcome: 'stale' });
  expect([existsSync(old.trace), existsSync(old.enrollment), asked]).toEqual([false, false, []]);
  // Unless both are known the gate is passed by.
  writeOldTrace(config, { boot: null });
  expect(recover(config).count).toBe(1);
  writeOldTrace(config, { boot: 'earlier' });
  expect(recover(config, { view: hostOf({}, { boot: null }) }).count).toBe(1);
});

test('T34: a dead process has crashed; one that may not be signalled lives', async ({
  isolatedTraceConfig,
}) => {
  const child = spawn('true');
  const pid = child.pid!;
  await once(child, 'exit');
  const view = { ...systemProcesses(), bootId: () => BOOT, pidNamespace: () => 'pid:[1]' };
  writeOldTrace(isolatedTraceConfig, { pid });
  expect(recover(isolatedTraceConfig, { view }).count).toBe(1);
  const start = readStart(1);
  test.skip(typeof start !== 'number', 'needs /proc');
  writeOldTrace(isolatedTraceConfig, { pid: 1, start: start as number });
  const refusing: ProcessSource = {
    readFile: (path) =>
      path.endsWith('boot_id') ? BOOT : `1 (init) S 0 ${'0 '.repeat(17)}${start as number} 0`,
    readLink: () => 'pid:[1]',
    kill: () => {
      throw coded('EPERM');
    },
  };
  expect(recover(isolatedTraceConfig, { view: systemProcesses(refusing) })).toMatchObject({
    count: 0,
    outcome: 'skipped',
  });
});

test('T35, T36: the same start is at work; another start is another process', ({ isolatedTraceConfig }) => {
  const start = readStart(process.pid) as number;
  test.skip(typeof start !== 'number', 'needs /proc');
  const view = { ...systemProcesses(), bootId: () => BOOT, pidNamespace: () => 'pid:[1]' };
  const own = writeOldTrace(isolatedTraceConfig, { pid: process.pid, start });
  expect(recover(isolatedTraceConfig, { view }).count).toBe(0);
  expect([existsSync(own.trace), existsSync(own.enrollment)]).toEqual([true, true]);
  writeOldTrace(isolatedTraceConfig, { pid: process.pid, start: start - 1 });
  expect(recover(isolatedTraceConfig, { view }).count).toBe(1);
});

test('T37: an unreadable start counts as a crash, of a trace', ({ isolatedTraceConfig }) => {
  writeOldTrace(isolatedTraceConfig);
  expect(recover(isolatedTraceConfig, { view: hostOf({ 4711: null }) }).count).toBe(1);
  writeOldTrace(isolatedTraceConfig, { start: null });
  expect(recover(isolatedTraceConfig, { view: hostOf({ 4711: 500 }) }).count).toBe(1);
});

test('of another container or user, and links: left alone', ({ isolatedTraceConfig: config }, info) => {
  const { trace } = writeOldTrace(config);
  expect(recover(config, { view: hostOf({}, { pidns: 'pid:[2]' }) }).reason).toBe('of another container');
  expect(recover(config, { uid: 4_000_000 }).reason).toBe('of another user');
  const target = info.outputPath('elsewhere');
  writeFileSync(target, lineOf());
  const link = writeOldTrace(config, { pid: 4712 }).trace;
  filesWith({}).unlinkSync(link);
  symlinkSync(target, link);
  const { found } = recover(config, { now: () => Date.now() + 60_000, dryRun: true });
  expect(found.find(({ file }) => file === link)).toMatchObject({
    outcome: 'skipped',
    reason: 'no regular file',
  });
  expect([existsSync(trace), existsSync(target)]).toEqual([true, true]);
});

test('a half-written sidecar is none', ({ isolatedTraceConfig }) => {
  const { trace, enrollment, record } = writeOldTrace(isolatedTraceConfig);
  writeFileSync(enrollment, JSON.stringify(record).slice(0, -20));
  expect(recover(isolatedTraceConfig)).toMatchObject({ count: 0, outcome: 'skipped' });
  expect(existsSync(trace)).toBe(true);
});

test('T38: lines that were cut are left out; a file that cannot be read stays', ({
  isolatedTraceConfig: config,
}) => {
  const cut = lineOf({ elapsedMs: 10 }).slice(0, 30);
  const old = writeOldTrace(config, {
    lines: `${lineOf()}nonsense\nnull\n${lineOf({ elapsedMs: 5 })}${cut}`,
  });
  const files = filesWith({
    readFileSync: ((path: string, encoding: string) => {
      if (path === old.trace) throw coded('EACCES');
      return filesWith({}).readFileSync(path, encoding as 'utf8');
    }) as never,
  });
  expect(recover(config, { files })).toMatchObject({ count: 0, outcome: 'skipped' });
  expect(existsSync(old.trace)).toBe(true);
  const { flushed } = recover(config);
  expect(flushed[0]?.snapshots.map(({ elapsedMs }) => elapsedMs)).toEqual([0, 5]);
});

test('T39, T40: finished as crashed, counted, both files gone', ({ isolatedTraceConfig }) => {
  const old = writeOldTrace(isolatedTraceConfig, { host: 'fedora42', runId: 'run-7' });
  const { flushed, count } = recover(isolatedTraceConfig);
  expect(count).toBe(1);
  expect(flushed[0]).toMatchObject({
    runId: 'run-7',
    end: { subtype: 'crashed', exitCode: -1, terminationReason: 'CRASHED', success: false },
    hosts: [{ host: 'fedora42', status: 'FAIL', detail: 'crashed' }],
    startedAt: '2026-11-21T08:00:00.000Z',
    elapsedMs: 5000,
  });
  expect([existsSync(old.trace), existsSync(old.enrollment)]).toEqual([false, false]);
});

test('T40: every crash counts, and a file that is gone before it can be removed is no failure', ({
  isolatedTraceConfig: config,
}) => {
  expect(recover(config).count).toBe(0);
  const crashed = [1001, 1002, 1003].map((pid) => writeOldTrace(config, { pid }));
  writeOldTrace(config, { pid: 1004, boot: 'earlier' });
  // Somebody else empties the folder after the session is written down.
  const flush = ({ id }: Session): void => {
    const [first, second] = crashed;
    if (id.startsWith('crashed_1001_')) rmSync(first!.trace);
    if (id.startsWith('crashed_1002_')) rmSync(second!.enrollment);
  };
  const { found, count } = recover(config, { flush });
  expect(found.map(({ outcome }) => outcome)).toEqual(['recovered', 'recovered', 'recovered', 'stale']);
  expect(count).toBe(3);
  expect(readdirSync(config.tmpfsPath)).toEqual([]);
});

test('P-T5: two crashes of one number are two sessions', ({ isolatedTraceConfig }) => {
  writeOldTrace(isolatedTraceConfig, { start: 500 });
  const first = recover(isolatedTraceConfig).flushed[0]!.id;
  writeOldTrace(isolatedTraceConfig, { start: 900 });
  expect(recover(isolatedTraceConfig).flushed[0]!.id).not.toBe(first);
});

test('T41, T42: one that cannot be finished stays for the next time, others are finished; three outcomes', ({
  isolatedTraceConfig: config,
}) => {
  const broken = writeOldTrace(config, { pid: 1001 });
  writeOldTrace(config, { pid: 1002 });
  writeOldTrace(config, { pid: 1003, boot: 'earlier' });
  let calls = 0;
  const { found, count } = recover(config, {
    flush: () => {
      if (++calls === 1) throw coded('ENOSPC');
    },
  });
  expect(found.map(({ outcome }) => outcome)).toEqual(['skipped', 'recovered', 'stale']);
  expect(found.map(({ reason }) => reason)).toEqual(['ENOSPC', 'process 1002 is gone', 'of an earlier boot']);
  expect(count).toBe(1);
  expect([existsSync(broken.trace), existsSync(broken.enrollment)]).toEqual([true, true]);
  expect(recover(config).count).toBe(1);
});

test('T43: no folder, no traces, another system: nothing', ({ isolatedTraceConfig }) => {
  expect(recover(isolatedTraceConfig).found).toEqual([]);
  expect(recover(isolatedTraceConfig.withOverrides({ tmpfsPath: '/nowhere/at/all' })).found).toEqual([]);
  writeOldTrace(isolatedTraceConfig);
  expect(recover(isolatedTraceConfig, { platform: 'darwin' }).found).toEqual([]);
});

test('P-T2: a trace whose first line another program wrote is not the enrolled one’s', ({
  isolatedTraceConfig: config,
}) => {
  const lines = lineOf({ comm: 'bash' });
  const alien = writeOldTrace(config, { lines });
  expect(recover(config)).toMatchObject({ count: 0, outcome: 'stale', flushed: [] });
  expect(existsSync(alien.trace)).toBe(false);
  writeOldTrace(config, { lines, comm: '' });
  expect(recover(config).count).toBe(1);
  writeOldTrace(config, { lines, comm: 'bash' });
  expect(recover(config).count).toBe(1);
});

test('a dry run changes nothing', ({ isolatedTraceConfig: config }) => {
  writeOldTrace(config, { pid: 1001 });
  writeOldTrace(config, { pid: 1002, boot: 'earlier' });
  const { found, flushed } = recover(config, { dryRun: true });
  expect(found.map(({ outcome }) => outcome)).toEqual(['recovered', 'stale']);
  expect(flushed).toEqual([]);
  expect(readdirSync(config.tmpfsPath)).toHaveLength(4);
});

test('P-T9: a worker is killed only if it is proven to be the one, and its run to be dead', () => {
  const record = runOf('r', { runner: { pid: 100, start: 1000 }, worker: { pid: 101, start: 1001 } });
  const killed: unknown[] = [];
  const kill = (pid: number, signal: string): void => void killed.push([pid, signal]);
  const reap = (view: Parameters<typeof reapOrphan>[1], changes = {}): string =>
    reapOrphan({ ...record, ...changes }, view, { kill });
  expect([
    reap(hostOf({ 101: 1001 }, { boot: 'other' })),
    reap(hostOf({ 101: 1001 }, { pidns: 'pid:[2]' })),
    reap(hostOf({})),
    reap(hostOf({ 101: 9 })),
    reap(hostOf({ 101: null })),
    reap(hostOf({ 100: 1000, 101: 1001 })),
    reap(hostOf({ 100: null, 101: 1001 })),
    reap(hostOf({}), { worker: { pid: 0, start: 1 } }),
    reap(hostOf({ 100: 1000 }), { worker: { pid: 100, start: 1000 } }),
  ]).toEqual(['foreign', 'foreign', 'gone', 'spared', 'spared', 'spared', 'spared', 'none', 'spared']);
  expect(killed).toEqual([]);
  expect(reapOrphan(record, hostOf({ 101: 1001 }), { kill, dryRun: true })).toBe('killed');
  expect(killed).toEqual([]);
  expect(reap(hostOf({ 101: 1001 }))).toBe('killed');
  expect(killed).toEqual([[101, 'SIGKILL']]);
});

test('T63: the suite fails when it leaves something in the shared memory', ({
  isolatedTraceConfig: config,
}) => {
  const unchanged = guardFolder(config.tmpfsPath);
  writeFileSync(join(config.tmpfsPath, 'somebody-elses'), '');
  unchanged();
  const end = guardFolder(config.tmpfsPath);
  writeOldTrace(config);
  expect(end).toThrow(/vmwright_enrollment_4711.json, vmwright_trace_4711.jsonl/);
  guardFolder('/nowhere/at/all')();
});
