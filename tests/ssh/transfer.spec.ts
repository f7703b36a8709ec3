import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errorOf } from './support/errors.ts';
import { expect, test as base } from './support/fixtures.ts';

/** Two sides on one disk. */
const test = base.extend<{ local: string; remote: string }>({
  local: async ({ folder }, use) => {
    mkdirSync(join(folder, 'local'));
    await use(join(folder, 'local'));
  },
  remote: async ({ folder }, use) => {
    mkdirSync(join(folder, 'remote'));
    await use(join(folder, 'remote'));
  },
});

const BIG = 6_000_000;

test('files arrive byte for byte, whatever their size and name, with progress up to the whole', async ({
  startSshd,
  connect,
  local,
  remote,
}) => {
  const session = await connect((await startSshd()).target());
  for (const [name, size] of [
    ['empty', 0],
    ['my app\'1 "é" $(x).AppImage', 70_001],
    ['big', BIG],
  ] as const) {
    const bytes = randomBytes(size);
    writeFileSync(join(local, name), bytes);
    const up: number[] = [];
    await session.upload(join(local, name), join(remote, name), {
      onProgress: (done, total) => up.push(done, total),
    });
    expect(readFileSync(join(remote, name)).equals(bytes)).toBe(true);
    const down: number[] = [];
    await session.download(join(remote, name), join(local, 'back'), {
      onProgress: (done, total) => down.push(done, total),
    });
    expect(readFileSync(join(local, 'back')).equals(bytes)).toBe(true);
    for (const steps of [up, down]) {
      const dones = steps.filter((_, index) => index % 2 === 0);
      expect(steps.filter((_, index) => index % 2 === 1).every((total) => total === size)).toBe(true);
      expect(dones).toEqual(dones.toSorted((a, b) => a - b));
      expect(dones.at(-1) ?? 0).toBe(size);
    }
    if (size === BIG) expect(up.length, 'told more than once').toBeGreaterThan(4);
  }
  expect(readdirSync(remote).filter((name) => name.endsWith('.part'))).toEqual([]);
});

test('a file is replaced in one step: nobody sees it missing or half', async ({
  startSshd,
  connect,
  local,
  remote,
}) => {
  const session = await connect((await startSshd()).target());
  const target = join(remote, 'app');
  writeFileSync(target, 'old');
  writeFileSync(join(local, 'new'), Buffer.alloc(BIG, 'n'));
  const seen = new Set<number | undefined>();
  const before = statSync(target).ino;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      seen.add(statSync(target, { throwIfNoEntry: false })?.size);
      await new Promise((done) => setImmediate(done));
    }
  })();
  await session.upload(join(local, 'new'), target);
  isOver = true;
  await watching;
  seen.add(statSync(target).size);
  expect([...seen]).toEqual([3, BIG]);
  expect(statSync(target).ino, 'another file under the name').not.toBe(before);
});

test('an upload that breaks leaves the old file and no half one', async ({
  startSshd,
  connect,
  local,
  remote,
}) => {
  const session = await connect((await startSshd()).target());
  const target = join(remote, 'app');
  writeFileSync(target, 'old');
  writeFileSync(join(local, 'new'), Buffer.alloc(BIG, 'n'));
  const broken = session.upload(join(local, 'new'), target, {
    onProgress: (done) => {
      if (done > BIG / 3) throw new Error('enough');
    },
  });
  expect(await errorOf(broken)).toMatchObject({ code: 'SSH_TRANSFER_FAILED', seen: 'enough' });
  expect(readFileSync(target, 'utf8')).toBe('old');
  expect(readdirSync(remote)).toEqual(['app']);
  expect((await session.exec('echo on')).stdout).toBe('on\n');
});

test('sshd killed in mid-transfer is SSH_CONNECTION_LOST, and no half file has the name', async ({
  startSshd,
  connect,
  local,
  remote,
}) => {
  const sshd = await startSshd();
  const session = await connect(sshd.target());
  writeFileSync(join(local, 'big'), Buffer.alloc(BIG, 'b'));
  writeFileSync(join(remote, 'big'), Buffer.alloc(BIG, 'b'));
  const kill = (): void => sshd.signalConnections('SIGKILL');
  const up = await errorOf(session.upload(join(local, 'big'), join(remote, 'up'), { onProgress: kill }));
  expect(up).toMatchObject({ code: 'SSH_CONNECTION_LOST', subject: 'box' });
  expect(existsSync(join(remote, 'up'))).toBe(false);
  const down = await errorOf(
    session.download(join(remote, 'big'), join(local, 'down'), { onProgress: kill }),
  );
  expect(down).toMatchObject({ code: 'SSH_CONNECTION_LOST', subject: 'box' });
  expect(down.seen).toBe(`during the download of ${join(remote, 'big')}`);
  expect(readdirSync(local)).toEqual(['big']);
});

test('what is missing is told with the machine and the file', async ({
  startSshd,
  connect,
  local,
  remote,
}) => {
  const session = await connect((await startSshd()).target());
  writeFileSync(join(local, 'a'), 'a');
  const up = (from: string, to: string) => () => session.upload(join(local, from), join(remote, to));
  const down = (from: string) => () => session.download(join(remote, from), join(local, 'b'));
  const cases = [
    [up('a', 'no/such/folder/a'), /No such file/, 'no/such/folder/a'],
    [up('none', 'a'), /ENOENT.*none/, 'remote/a'],
    [down('none'), /No such file/, 'remote/none'],
    [down('.'), /./, 'remote'],
    [() => session.download(join(local, 'a'), join(local, 'no/folder')), /ENOENT.*no\/folder/, 'local/a'],
  ] as const;
  for (const [transfer, seen, subject] of cases) {
    const error = await errorOf(transfer());
    expect(error.code).toBe('SSH_TRANSFER_FAILED');
    expect(error.seen).toMatch(seen);
    expect(error.subject).toContain('box');
    expect(error.subject).toContain(subject);
  }
  expect(readdirSync(local)).toEqual(['a']);
  expect(readdirSync(remote)).toEqual([]);
});
