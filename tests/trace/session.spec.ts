import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import fs from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { findAnomalies } from '../../fixtures/trace/anomalies.ts';
import { linuxSampleCmd, parseLinuxSample } from '../../fixtures/trace/linux.ts';
import type { Snapshot } from '../../fixtures/trace/sample.ts';
import { CRASHED, durationOf, flushSession, INDEX, type Session } from '../../fixtures/trace/session.ts';
import { parseWindowsSample } from '../../fixtures/trace/windows.ts';
import { ROOT } from '../support/runner.ts';
import { coded, filesWith, processOf, reaping, sampleOf, snapshotOf, test } from './support/trace.ts';

function session(changes: Partial<Session> = {}): Session {
  return {
    id: 's1',
    runId: 'r',
    end: CRASHED,
    hosts: [{ host: 'fedora42', status: 'FAIL', detail: 'crashed' }],
    startedAt: '2026-11-21T08:00:00.000Z',
    endedAt: '2026-11-21T08:01:00.000Z',
    snapshots: [snapshotOf()],
    ...changes,
  };
}

const zombie = [snapshotOf({ sample: sampleOf(processOf({ state: 'Z' })) })];

function at(second: number, changes: Partial<Snapshot> = {}): Snapshot {
  return snapshotOf({
    capturedAt: `2026-11-21T08:00:${String(second).padStart(2, '0')}.000000Z`,
    ...changes,
  });
}

/** Without a sample: the guest could not be asked. */
function lost(snapshot: Snapshot): Snapshot {
  const rest = { ...snapshot };
  Reflect.deleteProperty(rest, 'sample');
  return rest;
}

test('T45, T46: the order of the files; anomalies only if there are any', ({
  isolatedTraceConfig: { logDir: folder },
}) => {
  const order: string[] = [];
  const files = filesWith({
    writeFileSync: ((path: string, text: string) => {
      order.push(path.replace(/.*\//, ''));
      fs.writeFileSync(path, text);
    }) as typeof fs.writeFileSync,
    appendFileSync: ((path: string, text: string) => {
      order.push(path.replace(/.*\//, ''));
      fs.appendFileSync(path, text);
    }) as typeof fs.appendFileSync,
    readdirSync: ((path: string) => {
      order.push('retention');
      return fs.readdirSync(path);
    }) as typeof fs.readdirSync,
  });
  flushSession(session({ snapshots: zombie }), { folder, files });
  expect(order).toEqual(['proc_trace.jsonl', 'anomalies.jsonl', 'summary.json', INDEX, 'retention']);
  expect(readdirSync(join(folder, 's1')).sort()).toEqual([
    'anomalies.jsonl',
    'proc_trace.jsonl',
    'summary.json',
  ]);
  flushSession(session({ id: 's2' }), { folder });
  expect(readdirSync(join(folder, 's2')).sort()).toEqual(['proc_trace.jsonl', 'summary.json']);
  expect(JSON.parse(readFileSync(join(folder, 's2/summary.json'), 'utf8'))).toMatchObject({
    subtype: 'crashed',
    exitCode: -1,
    terminationReason: 'CRASHED',
    success: false,
    durationMs: 60_000,
  });
});

test('a session is whole or not there, and there once', ({ isolatedTraceConfig: { logDir: folder } }) => {
  for (const fault of ['summary.json', 'rename']) {
    const files = filesWith({
      writeFileSync: ((path: string, text: string) => {
        if (path.endsWith(fault)) throw coded('ENOSPC');
        fs.writeFileSync(path, text);
      }) as typeof fs.writeFileSync,
      ...(fault === 'rename'
        ? {
            renameSync: () => {
              throw coded('EACCES');
            },
          }
        : {}),
    });
    expect(() => flushSession(session(), { folder, files })).toThrow(
      fault === 'rename' ? 'EACCES' : 'ENOSPC',
    );
    expect(readdirSync(folder)).toEqual([]);
  }
  expect(flushSession(session(), { folder }).isNew).toBe(true);
  expect(flushSession(session(), { folder }).isNew).toBe(false);
  // Somebody else was faster, after the first look.
  const late = filesWith({
    existsSync: (() => {
      let first = true;
      return (path: fs.PathLike) => {
        if (first) {
          first = false;
          return false;
        }
        return fs.existsSync(path);
      };
    })(),
  });
  expect(flushSession(session(), { folder, files: late }).isNew).toBe(false);
  expect(readFileSync(join(folder, INDEX), 'utf8').trim().split('\n')).toHaveLength(1);
  expect(readdirSync(folder).sort()).toEqual(['s1', INDEX]);
});

test('T44: only one module writes sessions', () => {
  const writers = ['fixtures', 'reporters', 'runs', 'cli', 'lab'].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(room, name))
      .filter((name) =>
        /writeFile\w*\([^\n]*(?:proc_trace|anomalies)\.jsonl|appendFile\w*\([^\n]*INDEX/.test(
          readFileSync(join(ROOT, name), 'utf8'),
        ),
      ),
  );
  expect(writers).toEqual(['fixtures/trace/session.ts']);
});

test('T50, P-T7: the 500 latest stay with their lines; what is not over is never removed', ({
  isolatedTraceConfig: { logDir: folder },
}) => {
  mkdirSync(join(folder, 'running'));
  utimesSync(join(folder, 'running'), 0, 0);
  const rows: string[] = [];
  for (let number = 0; number < 501; number++) {
    const name = `old-${number}`;
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'summary.json'), '{}');
    utimesSync(join(folder, name), 1000 + number, 1000 + number);
    rows.push(JSON.stringify({ id: name }));
  }
  writeFileSync(join(folder, INDEX), `${rows.join('\n')}\nnonsense\n{"half":\n`);
  flushSession(session(), { folder });
  const left = readdirSync(folder).filter((name) => name !== INDEX && name !== 'running');
  expect(left).toHaveLength(500);
  expect(['old-0', 'old-1', 'old-2', 's1'].map((name) => left.includes(name))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(existsSync(join(folder, 'running'))).toBe(true);
  const index = readFileSync(join(folder, INDEX), 'utf8').trim().split('\n');
  expect(index).toHaveLength(500);
  expect(index.map((row) => (JSON.parse(row) as { id: string }).id).sort()).toEqual(left.sort());
  flushSession(session({ id: 's2' }), { folder, maxSessions: 3 });
  expect(readdirSync(folder).filter((name) => name.startsWith('old-'))).toHaveLength(1);
  expect(readdirSync(folder).some((name) => name.endsWith('.tmp'))).toBe(false);
});

test('P-T12: the monotonic time wins, and no duration is negative', () => {
  const times = { startedAt: '2026-11-21T08:00:10.000Z', endedAt: '2026-11-21T08:00:00.000Z' };
  expect(durationOf(times)).toBe(0);
  expect(durationOf({ ...times, elapsedMs: 7000 })).toBe(7000);
  expect(durationOf({ startedAt: times.endedAt, endedAt: times.startedAt })).toBe(10_000);
  expect(durationOf({ startedAt: '', endedAt: '' })).toBe(0);
});

test('P-T14: a session without a name', ({ isolatedTraceConfig: { logDir: folder } }) => {
  flushSession(session({ id: '' }), { folder });
  expect(readdirSync(folder)).toContain('no_session_2026-11-21T08-00-00.000Z');
  flushSession(session({ id: '../../out' }), { folder });
  expect(readdirSync(folder)).toContain('-..-out');
});

test('P-T6: what stands out', () => {
  const series = (list: readonly object[]): Snapshot[] =>
    list.map((changes, index) => at(index, { sample: sampleOf(processOf(changes)) }));
  const kinds = (snapshots: readonly Snapshot[]): string[] =>
    findAnomalies(snapshots).map(({ kind }) => kind);
  const grow = (...mib: number[]) => kinds(series(mib.map((value) => ({ rssKb: value * 1024 }))));
  expect(grow(50, 60, 70, 80, 101)).toEqual(['memory-growth']);
  expect(grow(50, 60, 70, 80, 100)).toEqual([]);
  expect(grow(50, 200, 200, 200)).toEqual([]);
  expect(grow(0, 200, 200, 200, 200)).toEqual([]);
  const states = (...list: string[]) => kinds(series(list.map((state) => ({ state }))));
  expect(states('Z', 'Z', 'Z', 'Z')).toEqual(['zombie', 'zombie']);
  expect(states('Z', 'S', 'Z')).toEqual(['zombie', 'zombie']);
  expect(states('D', 'D', 'D')).toEqual(['uninterruptible']);
  expect(states('D', 'S', 'D')).toEqual([]);
  expect(kinds(series([1, 2].map(() => ({ state: 'D', wchan: 'folio_wait_bit_common' }))))).toEqual([]);
  expect(kinds(series([{ fds: 820 }, { fds: 900 }]))).toEqual(['descriptors']);
  expect(kinds(series([{ fds: 819 }, { fds: null }]))).toEqual([]);
  expect(kinds(series([{ oomScore: 100 }, { oomScore: 301 }]))).toEqual(['out-of-memory']);
  expect(kinds(series([{ oomScore: 100 }, { oomScore: 300 }, { oomScore: 500 }]))).toEqual([]);
  expect(kinds(series([{ oomScore: 800 }]))).toEqual(['out-of-memory']);
  expect(kinds([at(0, { sample: sampleOf(processOf()) }), at(1, { sample: sampleOf() })])).toEqual(['gone']);
  expect(kinds(series([{ start: '1' }, { start: '2' }]))).toEqual(['replaced']);
  const boots = (away: object): string[] =>
    kinds([
      at(0, { sample: sampleOf(processOf()) }),
      lost(at(1, { error: 'gone', ...away })),
      at(2, { sample: { boot: 'b2', processes: [] } }),
    ]);
  expect(boots({})).toEqual(['reboot']);
  expect(boots({ away: true })).toEqual([]);
  // A child that comes and goes is no news, whatever its number.
  const child = processOf({ pid: 100, ppid: 900, start: '9' });
  expect(
    kinds([
      at(0, { sample: sampleOf(child, processOf()) }),
      at(1, { sample: sampleOf(processOf()) }),
      at(2, { sample: sampleOf(child, processOf()) }),
    ]),
  ).toEqual([]);
});

test('samples of Linux: names with spaces and brackets, fields that may not be seen, cut lines', () => {
  const text =
    'boot b-1\nprocess 7 1 S 500 1234 3 12 1024 666 do_wait a) b (c\nprocess 8 7 D 501 0 1 - - - 0 x\nprocess 9 8 S 1';
  expect(parseLinuxSample(text)).toEqual({
    boot: 'b-1',
    processes: [
      processOf({
        pid: 7,
        ppid: 1,
        start: '500',
        rssKb: 1234,
        threads: 3,
        oomScore: 666,
        wchan: 'do_wait',
        comm: 'a) b (c',
      }),
      processOf({
        pid: 8,
        ppid: 7,
        state: 'D',
        start: '501',
        rssKb: 0,
        threads: 1,
        fds: null,
        fdLimit: null,
        oomScore: null,
        comm: 'x',
      }),
    ],
  });
  expect(parseLinuxSample('')).toEqual({ boot: '', processes: [] });
});

test('P-T3: the target is found by its name and its descendants, in a real /proc', async () => {
  test.skip(process.platform !== 'linux', 'needs /proc');
  const { spawn, execFileSync } = await import('node:child_process');
  const name = `vm tr)${process.pid}`.slice(0, 15);
  const script = `require('fs').writeFileSync('/proc/self/comm', ${JSON.stringify(name)}); const c = require('child_process').spawn('sleep', ['60']); c.on('spawn', () => console.log(String(c.pid))); process.stdin.on('end', () => { c.kill('SIGKILL'); process.exit(); }).resume()`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  await reaping(child, async () => {
    const grandchild = Number(String(await new Promise((done) => child.stdout.once('data', done))));
    const look = () =>
      parseLinuxSample(execFileSync('sh', ['-c', linuxSampleCmd(name).wire], { encoding: 'utf8' }));
    const { boot, processes } = look();
    expect(boot).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    expect(processes.map(({ pid, comm }) => [pid, comm]).sort()).toEqual(
      [
        [child.pid, name],
        [grandchild, 'sleep'],
      ].sort(),
    );
    const main = processes.find(({ pid }) => pid === child.pid)!;
    expect(main.start).toBe(
      readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ')[19],
    );
    expect(main.fds).toBeGreaterThan(3);
    expect(main.rssKb).toBeGreaterThan(10_000);
    expect(main.threads).toBeGreaterThan(3);
    child.stdin.end();
    await new Promise((done) => child.once('exit', done));
    await expect.poll(() => look().processes).toEqual([]);
  });
});

test('samples of Windows: the tree by its parents', () => {
  const row = (ProcessId: number, ParentProcessId: number, Name: string) => ({
    ProcessId,
    ParentProcessId,
    Name,
    CreationDate: '/Date(1)/',
    WorkingSetSize: 2048,
    ThreadCount: 2,
    HandleCount: 9,
  });
  const rows = [
    row(0, 0, 'System Idle Process'),
    row(4, 0, 'System'),
    row(7, 4, 'HarborChat.exe'),
    row(8, 7, 'HarborChat.exe'),
    row(9, 8, 'crashpad.exe'),
    row(10, 4, 'other.exe'),
  ];
  const text = `{"LastBootUpTime":"/Date(5)/"}\r\n${JSON.stringify(rows)}\r\n`;
  const { boot, processes } = parseWindowsSample(text, 'harborchat.exe');
  expect(boot).toBe('/Date(5)/');
  expect(processes.map(({ pid }) => pid)).toEqual([7, 8, 9]);
  expect(processes[0]).toMatchObject({ rssKb: 2, threads: 2, fds: 9, oomScore: null, state: '?' });
  expect(() => parseWindowsSample('nonsense', 'x')).toThrow();
});
