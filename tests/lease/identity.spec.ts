import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { identify, livenessOf, nameRun } from '../../fixtures/lease/identity.ts';
import { actorState } from '../../fixtures/process/identity.ts';
import {
  pidExists,
  type ProcessSource,
  readBootId,
  readStart,
  systemProcesses,
} from '../../fixtures/process/view.ts';
import { BOOT, hostOf, runOf } from './support/lease.ts';

const onLinux = process.platform === 'linux';

function source(
  files: Readonly<Record<string, string | Error>>,
  kill?: ProcessSource['kill'],
): ProcessSource {
  return {
    readFile: (path) => {
      const content = files[path] ?? coded('ENOENT');
      if (content instanceof Error) throw content;
      return content;
    },
    readLink: () => 'pid:[1]',
    kill: kill ?? (() => undefined),
  };
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

const BOOT_FILE = { '/proc/sys/kernel/random/boot_id': `${BOOT}\n` };

function stat(pid: number, command: string, start: string, state = 'S'): string {
  return `${pid} (${command}) ${state} ${Array.from({ length: 18 }, (_, index) => index).join(' ')} ${start} 1 2 3`;
}

test('T2: boot id, and the start is field 22 behind the last bracket', () => {
  const of = (text: string): unknown => readStart(7, source({ '/proc/7/stat': text }));
  expect(readBootId(source(BOOT_FILE))).toBe(BOOT);
  expect(of(stat(7, 'node', '4711'))).toBe(4711);
  expect(of(stat(7, 'a) b (c', '4712'))).toBe(4712);
  expect(of(stat(7, ') S 1 2 3', '4713'))).toBe(4713);
  expect(of(stat(7, 'node', 'x'))).toBeNull();
  expect(of('')).toBeNull();
  test.skip(!onLinux, 'needs /proc');
  const own = readStart(process.pid);
  expect(own).toBe(readStart(process.pid));
  expect(own).toBe(Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')[19]));
});

test('P-T13: a process that ends while it is read is gone; what cannot be read is not', () => {
  expect(readStart(7, source({ ...BOOT_FILE, '/proc/7/stat': coded('ESRCH') }))).toBe('gone');
  expect(readStart(7, source({ ...BOOT_FILE, '/proc/7/stat': coded('ENOENT') }))).toBe('gone');
  expect(readStart(7, source({ ...BOOT_FILE, '/proc/7/stat': coded('EACCES') }))).toBeNull();
  expect(readStart(7, source({ '/proc/7/stat': coded('ENOENT') }))).toBeNull();
  expect(readStart(7, source({ '/proc/7/stat': stat(7, 'node', '5', 'Z') }))).toBe('gone');
});

test('pid 0 and -1 exist for nobody, and no signal is sent to them; EPERM is a process', () => {
  const killed: number[] = [];
  const spy = source({}, (pid) => void killed.push(pid));
  expect([0, -1, -7, Number.NaN, 1.5].map((pid) => pidExists(pid, spy))).toEqual(Array(5).fill(false));
  expect(killed).toEqual([]);
  const refusing = (code: string): ProcessSource =>
    source({}, () => {
      throw coded(code);
    });
  expect(pidExists(1, refusing('EPERM'))).toBe(true);
  expect(pidExists(1, refusing('ESRCH'))).toBe(false);
});

test('P-T8: alive only if boot, pid and start are all known and equal', () => {
  const holder = runOf('r', { runner: { pid: 7, start: 50 }, worker: { pid: 7, start: 50 } });
  const table: [string, Parameters<typeof hostOf>, string][] = [
    ['same process', [{ 7: 50 }], 'alive'],
    ['gone', [{}], 'dead'],
    ['pid recycled', [{ 7: 51 }], 'dead'],
    ['start unreadable', [{ 7: null }], 'unknown'],
    ['other boot', [{ 7: 50 }, { boot: 'other' }], 'foreign'],
    ['other boot, pid gone', [{}, { boot: 'other' }], 'foreign'],
    ['other container of the same host', [{}, { pidns: 'pid:[2]' }], 'foreign'],
    ['off Linux', [{}, { boot: null, pidns: null }], 'foreign'],
  ];
  for (const [name, host, expected] of table) {
    expect([name, livenessOf(holder, hostOf(...host))]).toEqual([name, expected]);
  }
  expect(livenessOf({ ...holder, boot: null }, hostOf({}))).toBe('foreign');
  expect(actorState({ pid: 7, start: null }, hostOf({ 7: 50 }))).toBe('unknown');
  expect(actorState({ pid: 0, start: 1 }, hostOf({}))).toBe('unknown');
});

test('dead only when neither the main process nor the worker is left', () => {
  const holder = runOf('r');
  expect(livenessOf(holder, hostOf({ 100: 1000 }))).toBe('alive');
  expect(livenessOf(holder, hostOf({ 101: 1001 }))).toBe('alive');
  expect(livenessOf(holder, hostOf({ 101: null }))).toBe('unknown');
  expect(livenessOf(holder, hostOf({ 100: 5, 101: 5 }))).toBe('dead');
});

test('a real process: alive while it runs, dead when it is reaped', async () => {
  test.skip(!onLinux, 'needs /proc');
  const child = spawn('sleep', ['60']);
  const self = identify({ runnerPid: child.pid!, workerPid: child.pid!, env: {} });
  expect(livenessOf(self, systemProcesses())).toBe('alive');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(livenessOf(self, systemProcesses())).toBe('dead');
});

test('workers of a run share its identity; a run inside of a worker has its own', () => {
  const view = hostOf({ 100: 1000, 101: 1001, 102: 1002 });
  const first = identify({ runnerPid: 100, workerPid: 101, env: {}, view });
  const second = identify({ runnerPid: 100, workerPid: 102, env: {}, view });
  expect(second.run).toBe(first.run);
  expect(second.worker).toEqual({ pid: 102, start: 1002 });
  expect(identify({ runnerPid: 101, workerPid: 102, env: {}, view }).run).not.toBe(first.run);
  const env: NodeJS.ProcessEnv = {};
  nameRun(env);
  const named = identify({ runnerPid: process.pid, workerPid: 101, env, view });
  nameRun(env);
  expect(identify({ runnerPid: process.pid, workerPid: 102, env, view }).run).toBe(named.run);
  expect(env.VMWRIGHT_RUN).toBe(`${process.pid}:${named.run}`);
  expect(identify({ runnerPid: 100, workerPid: 101, env, view }).run).toBe(first.run);
});

test('shard and address of the run stand in the identity', () => {
  const view = hostOf({});
  const base = { runnerPid: 100, workerPid: 101, view };
  const github = {
    GITHUB_SERVER_URL: 'https://git.example.test',
    GITHUB_REPOSITORY: 'a/b',
    GITHUB_RUN_ID: '9',
  };
  expect(identify({ ...base, env: github, shard: { current: 2, total: 3 } })).toMatchObject({
    shard: '2/3',
    url: 'https://git.example.test/a/b/actions/runs/9',
  });
  expect(identify({ ...base, env: { CI_JOB_URL: 'https://ci.example.test/1' } }).url).toBe(
    'https://ci.example.test/1',
  );
  expect(identify({ ...base, env: {} })).not.toHaveProperty('url');
});
