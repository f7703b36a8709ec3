import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import {
  type FileLockOptions,
  SILENCE_MS,
  tryFileLock,
  underFileLock,
} from '../../fixtures/process/file-lock.ts';
import { FakeClock, hostOf } from './support/lease.ts';
import type { Locker } from './support/locker.ts';
import { rounds, SOAK } from '../support/soak.ts';

const LOCKER = join(import.meta.dirname, 'support/locker.ts');

const PROCESSES = Number(process.env.VMWRIGHT_LOCKERS ?? 6);
const ROUNDS = rounds(40, 400);

const BOTH = hostOf({ 7: 70, 8: 80 });
let folder: string;
let clock: FakeClock;
test.beforeEach(({}, info) => {
  folder = info.outputPath('locks');
  clock = new FakeClock();
});

function as(pid: number, view = BOTH, wait = 0): FileLockOptions {
  return { pid, view, wait, clock };
}

/** Takes it as process 7, and never gives it back. */
function heldBySeven(): void {
  expect(tryFileLock(folder, 'lock', as(7))).toHaveProperty('release');
}

test('who comes second is told who holds it, waits, and gets it when it is free; one small file stays', async () => {
  const done: string[] = [];
  const told: string[] = [];
  let free: () => void = () => undefined;
  const first = underFileLock(folder, 'lock', as(7), () => new Promise<void>((end) => (free = end)));
  await expect(underFileLock(folder, 'lock', as(8), () => done.push('8'))).rejects.toMatchObject({
    code: 'FILE_LOCKED',
    seen: 'held by process 7 on ci-1, since 2026-11-21T08:00:00.000Z',
  });
  expect(done).toEqual([]);
  clock.onSleep = () => {
    if (clock.time > 5000) free();
  };
  const waiting = { ...as(8, BOTH, 60_000), onWait: (who: string) => void told.push(who) };
  expect(await underFileLock(folder, 'lock', waiting, () => 'mine')).toBe('mine');
  await first;
  expect(told).toEqual(['process 7 on ci-1, since 2026-11-21T08:00:00.000Z']);
  expect(readdirSync(folder)).toEqual(['lock.2']);
});

test('it is given back when the work fails', async () => {
  const fails = underFileLock(folder, 'lock', as(7), () => Promise.reject(new Error('no luck')));
  await expect(fails).rejects.toThrow('no luck');
  expect(await underFileLock(folder, 'lock', as(8), () => 'mine')).toBe('mine');
});

test('a holder that is proven dead is followed at once; one of whom nothing can be known is not', () => {
  const taken = (view: FileLockOptions['view']): boolean =>
    'release' in tryFileLock(folder, 'lock', { clock, pid: 8, ...(view === undefined ? {} : { view }) });
  heldBySeven();
  expect(taken(hostOf({ 7: 70, 8: 80 }))).toBe(false);
  expect(taken(hostOf({ 7: null, 8: 80 }))).toBe(false);
  expect(taken(hostOf({ 8: 80 }, { boot: 'another' }))).toBe(false);
  expect(taken(hostOf({ 8: 80 }, { pidns: 'pid:[2]' }))).toBe(false);
  expect(taken(hostOf({ 8: 80 }, { boot: null }))).toBe(false);
  expect(taken(hostOf({ 7: 71, 8: 80 }))).toBe(true); // the number was given away again
});

test('a holder elsewhere, and a file that cannot be read, count for ten minutes of the folder’s clock', () => {
  const elsewhere = as(8, hostOf({ 8: 80 }, { host: 'ci-2', boot: 'another' }));
  heldBySeven();
  const age = (ms: number): void => {
    const [name = ''] = readdirSync(folder);
    const at = new Date(Date.now() - ms);
    utimesSync(join(folder, name), at, at);
  };
  age(SILENCE_MS - 60_000);
  expect(tryFileLock(folder, 'lock', elsewhere)).toMatchObject({
    holder: expect.stringContaining('process 7'),
  });
  age(SILENCE_MS + 1000);
  expect(tryFileLock(folder, 'lock', elsewhere)).toHaveProperty('release');
  writeFileSync(join(folder, 'lock.9'), 'H{"pid": 7');
  expect(tryFileLock(folder, 'lock', as(8))).toMatchObject({ holder: expect.stringContaining('lock.9') });
  expect(readdirSync(folder).sort()).toEqual(['lock.2', 'lock.9']);
});

test('one that was passed meanwhile does not take it', () => {
  // As if this one had looked before 7 and 8 took it and gave it back: generation 2 is held, 1 is gone.
  mkdirSync(folder);
  heldBySeven();
  const view = hostOf({ 8: 80 });
  let looks = 0;
  const late = {
    ...view,
    start(pid: number) {
      // While it asks whether 7 lives, another takes and passes.
      if (pid === 7 && looks++ === 0) {
        const quick = tryFileLock(folder, 'lock', as(9, hostOf({ 9: 90 })));
        if (!('release' in quick)) throw new Error('it is free');
        quick.release();
        expect(tryFileLock(folder, 'lock', as(9, hostOf({ 9: 90 })))).toHaveProperty('release');
      }
      return view.start(pid);
    },
  };
  expect(tryFileLock(folder, 'lock', { clock, pid: 8, view: late })).toEqual({ holder: undefined });
  expect(readdirSync(folder)).toEqual(['lock.3']);
});

test(`${PROCESSES} processes, some of them killed, are never two inside`, SOAK, async () => {
  test.setTimeout(600_000);
  mkdirSync(folder);
  const locker: Locker = { folder, rounds: ROUNDS };
  const start = (): ReturnType<typeof spawn> =>
    spawn(process.execPath, ['--import', 'tsx', LOCKER, JSON.stringify(locker)], {
      stdio: 'inherit',
    });
  const log = (): string[] => {
    try {
      return readFileSync(join(folder, 'log'), 'utf8').split('\n');
    } catch {
      return [];
    }
  };
  const lines = (text: string): number => log().filter((line) => line.startsWith(text)).length;
  const ended = (child: ReturnType<typeof spawn>): Promise<number | null> =>
    new Promise((done) => child.once('exit', (code) => done(code)));
  const workers = Array.from({ length: PROCESSES }, start);
  const ends = workers.map(ended);
  // Every third is killed, each a little later than the one before: mostly while somebody is inside.
  for (let index = 0; index < PROCESSES; index += 3) {
    await expect.poll(() => lines('round'), { intervals: [1], timeout: 60_000 }).toBeGreaterThan(index * 3);
    workers[index]?.kill('SIGKILL');
  }
  const codes = await Promise.all(ends);
  expect(log().filter((line) => line.startsWith('two'))).toEqual([]);
  expect(codes.filter((code) => code === 0).length).toBeGreaterThanOrEqual(Math.floor((PROCESSES * 2) / 3));
  expect(lines('round')).toBeGreaterThanOrEqual(Math.floor((PROCESSES * 2) / 3) * ROUNDS);
});
