import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from '@playwright/test';
import { forwardedPort } from '../../lab/guests/qemu/guest.ts';
import { liveRuns, removeStaleRuns, runFolder } from '../../lab/guests/qemu/runs.ts';
import { guarded } from '../../lab/guests/qemu/tools.ts';
import { requirePeer } from '../support/peers.ts';
import { ROOT } from '../support/runner.ts';
import { test } from './support/folder.ts';

const HOUR = 60 * 60 * 1000;

function make(path: string): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'overlay.qcow2'), 'x');
  return basename(path);
}

test('folders of runs whose process is gone are removed, also when its number was given away', async ({
  folder,
}) => {
  await removeStaleRuns(folder);
  const own = make(runFolder(folder));
  const [space, pid, start] = own.split('-');
  const ended = spawn(process.execPath, ['-e', '']);
  const endedPid = ended.pid;
  await once(ended, 'exit');
  make(join(folder, 'runs', `${space}-${endedPid}-${start}-0a`));
  make(join(folder, 'runs', `${space}-${pid}-${Number(start) - 1}-0b`));
  await removeStaleRuns(folder);
  expect(readdirSync(join(folder, 'runs'))).toEqual([own]);
  expect(liveRuns(folder)).toEqual([{ path: join(folder, 'runs', own), pid: process.pid }]);
});

for (const space of ['deadbeef.4026531836', 'unknown']) {
  test(`runs of "${space}", whose processes cannot be looked up, are kept for a day`, async ({ folder }) => {
    const path = join(folder, 'runs', `${space}-1-0-0c`);
    make(path);
    const now = Date.now();
    const young = new Date(now - 23 * HOUR);
    utimesSync(path, young, young);
    await removeStaleRuns(folder, now);
    expect(liveRuns(folder, now)).toEqual([{ path, pid: undefined }]);
    await removeStaleRuns(folder, now + 2 * HOUR);
    expect(existsSync(path)).toBe(false);
  });
}

test('several processes may clear the same folder at once', async ({ folder }) => {
  for (let index = 0; index < 30; index++) make(join(folder, 'runs', `unknown-1-0-${index}`));
  const later = Date.now() + 25 * HOUR;
  await Promise.all(Array.from({ length: 8 }, () => removeStaleRuns(folder, later)));
  expect(readdirSync(join(folder, 'runs'))).toEqual([]);
});

test('a guarded child dies with its parent, even when the parent is killed', async () => {
  requirePeer(test, 'setpriv');
  const script = `
    import { spawnGuarded } from '${ROOT}/lab/guests/qemu/tools.ts';
    const child = spawnGuarded(['sleep', '600'], 'ignore');
    process.stdout.write(child.pid + '\\n');
    setInterval(() => {}, 1000);`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const parent = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const child = Number(line);
  expect(child).toBeGreaterThan(1);
  expect(existsSync(`/proc/${child}`)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => existsSync(`/proc/${child}`)).toBe(false);
});

test('the signal goes to setpriv; without setpriv a command runs as it is', () => {
  const command = ['qemu', '-version'] as const;
  expect(guarded(command, 'TERM', (name) => `/usr/bin/${name}`)).toEqual([
    ...['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--', 'qemu', '-version'],
  ]);
  expect(guarded(command, 'KILL', () => undefined)).toEqual(['qemu', '-version']);
});

test("the forwarded port is read from QEMU's table, among connections and other ports", () => {
  const usernet = `Hub -1 (net0):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[ESTABLISHED]   31      127.0.0.1  50122     10.77.0.18    22     0     0
  TCP[HOST_FORWARD]  28      127.0.0.1  40333     10.77.0.18  8080     0     0
  TCP[HOST_FORWARD]  26      127.0.0.1  38611     10.77.0.18    22     0     0
  UDP[236 sec]       34     10.77.0.18  68          10.77.0.2    67     0     0
`;
  expect(forwardedPort(usernet, 22)).toBe(38611);
  expect(forwardedPort(usernet, 8080)).toBe(40333);
  expect(forwardedPort(usernet, 443)).toBeUndefined();
  expect(forwardedPort('', 22)).toBeUndefined();
});
