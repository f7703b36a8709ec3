import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base, expect } from '@playwright/test';
import { type HandshakeLockOptions, startOf, withHandshakeLock } from '../../fixtures/vnc/handshake-lock.ts';
import { systemClock } from '../../fixtures/vnc/rfb/clock.ts';
import { TestClock } from './support/clock.ts';

const test = base.extend<{ folder: string }>({
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'vmw-lock-'));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
});

const ROOM = join(import.meta.dirname, '../../fixtures/vnc');
const KEY = 'pve:8006/101';

function lock(folder: string, more: Partial<HandshakeLockOptions> = {}): HandshakeLockOptions {
  return { key: KEY, clock: systemClock, patienceMs: 60_000, folder, ...more };
}

/** A process that takes the lock, says so, and lets go when told; `lines` are what it says. */
function holder(folder: string) {
  const script = `
    import { withHandshakeLock } from ${JSON.stringify(`${ROOM}/handshake-lock.ts`)};
    import { systemClock } from ${JSON.stringify(`${ROOM}/rfb/clock.ts`)};
    const options = { key: ${JSON.stringify(KEY)}, clock: systemClock, patienceMs: 60000, folder: ${JSON.stringify(folder)} };
    await withHandshakeLock(options, async () => {
      console.log('held');
      await new Promise((done) => process.stdin.once('data', done));
      console.log('done');
    });
    process.exit(0);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = async () => String((await lines.next()).value);
  return { child, said };
}

test('rule 21: a handshake waits for one of another process on the same console, and leaves nothing behind', async ({
  folder,
}) => {
  const other = holder(folder);
  expect(await other.said()).toBe('held');
  const events: string[] = [];
  const mine = withHandshakeLock(lock(folder), () => Promise.resolve(events.push('mine')));
  await withHandshakeLock(lock(folder, { key: 'pve:8006/102' }), () => Promise.resolve(events.push('102')));
  expect(events).toEqual(['102']);
  const exit = once(other.child, 'exit');
  other.child.stdin.write('go\n');
  expect(await other.said()).toBe('done');
  await mine;
  expect(events).toEqual(['102', 'mine']);
  await exit;
  expect(await readdir(folder)).toEqual([]);
});

test('the lock of a killed process is removed', async ({ folder }) => {
  const other = holder(folder);
  expect(await other.said()).toBe('held');
  const exit = once(other.child, 'exit');
  other.child.kill('SIGKILL');
  await exit;
  expect(await readdir(folder)).toHaveLength(1);
  expect(await withHandshakeLock(lock(folder), () => Promise.resolve('mine'))).toBe('mine');
  expect(await readdir(folder)).toEqual([]);
});

test('a process that has the id of a dead holder does not hold its lock; one that still runs does', async ({
  folder,
}) => {
  const clock = new TestClock();
  const { said, child } = holder(folder);
  expect(await said()).toBe('held');
  const waited = async (startOf: () => string | undefined) => {
    const begin = clock.now();
    const options = lock(folder, { clock, patienceMs: 1000, startOf });
    return clock.until(withHandshakeLock(options, () => Promise.resolve(clock.now() - begin)));
  };
  const started = startOf(child.pid!);
  expect(await waited(() => started), 'goes ahead once patience is over').toBe(1000);
  expect(await readdir(folder), 'and leaves the lock to its owner').toHaveLength(1);
  expect(await waited(() => `${started}0`)).toBe(0);
  expect(await readdir(folder)).toEqual([]);
  const exit = once(child, 'exit');
  child.stdin.write('go\n');
  await exit;
});

test('garbage in place of a lock locks nothing; a failed handshake lets go', async ({ folder }) => {
  await withHandshakeLock(lock(folder), async () => {
    const [name] = await readdir(folder);
    await writeFile(join(folder, name!), 'not a record');
  });
  expect(await readdir(folder)).toHaveLength(1);
  const failing = withHandshakeLock(lock(folder), () => Promise.reject(new Error('refused')));
  await expect(failing).rejects.toThrow('refused');
  expect(await readdir(folder)).toEqual([]);
});

test('the start of a process: its own, none for a dead one', async () => {
  expect(startOf(process.pid)).toMatch(/^\d+$/);
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  expect(startOf(child.pid!)).toBeUndefined();
});
