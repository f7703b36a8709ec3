import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { expect } from '@playwright/test';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { type AgentReply, GuestError, type LabGuest } from '../../lab/guests/guest.ts';
import { builtImage, cacheFolder, createQemuGuest } from '../../lab/guests/qemu/index.ts';
import { openbox } from '../../lab/guests/qemu/desktops/index.ts';
import { QemuProcess, qemuProgram } from '../../lab/guests/qemu/qemu-process.ts';
import { socketsIn } from '../../lab/guests/qemu/ready.ts';
import { liveRuns, removeStaleRuns } from '../../lab/guests/qemu/runs.ts';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';
import { test } from './support/folder.ts';
import { isAlive, LabClient, Started, TSX } from './support/process.ts';

/** Emulation on a machine that does something else too. */
const PATIENCE = 60_000;
const FIRST_BOOT_MS = 300_000;
const NOTE = '/home/tester/note';
/** In the guest's memory: only a RAM state brings it back. */
const MEMORY_NOTE = '/run/note';

test.describe.configure({ mode: 'serial', timeout: PATIENCE });

let guest: LabGuest;

test.beforeAll(async () => {
  test.setTimeout(FIRST_BOOT_MS);
  requirePeer(test, 'qemu-system-x86_64');
  requirePeer(test, 'qemu-img');
  requireRealGuest(test);
  guest = await createQemuGuest({ name: 'tested' });
});

test.afterAll(async () => {
  await (guest as LabGuest | undefined)?.dispose();
});

async function agent(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const reply = await guest.agent(command, args);
  if (reply === undefined || 'error' in reply) throw new Error(`${command}: ${JSON.stringify(reply)}`);
  return reply.return;
}

/** Output of a shell command in the guest. */
async function shell(command: string): Promise<string> {
  const exec = { path: '/bin/sh', arg: ['-c', command], 'capture-output': true };
  const { pid } = (await agent('guest-exec', exec)) as { pid: number };
  let status: Record<string, unknown> = {};
  await expect
    .poll(
      async () => {
        status = (await agent('guest-exec-status', { pid })) as Record<string, unknown>;
        return status.exited;
      },
      { timeout: PATIENCE, intervals: [100] },
    )
    .toBe(true);
  const decoded = (key: string): string => {
    const data = status[key];
    return typeof data === 'string' ? Buffer.from(data, 'base64').toString() : '';
  };
  if (status.exitcode !== 0) throw new Error(`${command}: ${String(status.exitcode)} ${decoded('err-data')}`);
  return decoded('out-data').trim();
}

async function firstBytes(stream: Duplex, length: number): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += (chunk as Buffer).toString('latin1');
    if (text.length >= length) break;
  }
  stream.destroy();
  return text.slice(0, length);
}

function pidOf(machine: LabGuest): number {
  const pid = machine.pid();
  if (pid === undefined) throw new Error('the guest has no process');
  return pid;
}

test('it runs on from the ready state, on a copy of its own', () => {
  expect(guest.state()).toBe('running');
  expect(readFileSync(`/proc/${pidOf(guest)}/cmdline`, 'utf8')).toMatch(
    /^\S*qemu-system-x86_64\0-name\0tested\0/,
  );
  expect(guest.uptime()).toBeLessThan(PATIENCE / 1000);
  expect(guest.existingSnapshots()).toMatchObject([{ name: 'ready', ram: true }]);
  expect(liveRuns(cacheFolder()).filter(({ pid }) => pid === process.pid)).toHaveLength(1);
});

test("the screen is QEMU's own VNC server, behind a password that is set for a while", async () => {
  const greeting = await guest.openVnc();
  expect(await firstBytes(greeting!, 12)).toBe('RFB 003.008\n');
  await guest.setVncPassword('secret12', PATIENCE);
  const connect = (password: string): Promise<VncPage> =>
    VncPage.connect({ name: 'debian12', open: async () => ({ stream: (await guest.openVnc())!, password }) });
  const page = await connect('secret12');
  expect(page.size).toEqual({ width: 1280, height: 800 });
  expect(page.serverName).toBe('QEMU (tested)');
  await page.close();
  await expect(connect('wrong')).rejects.toMatchObject({ code: 'VNC_AUTH_FAILED' });
});

test('sshd answers through a forwarding that is made once a port', async () => {
  const banner = /^SSH-2\.0-OpenSSH_9\.2/;
  const [one, two] = await Promise.all([guest.openTcp(22), guest.openTcp(22)]);
  expect(await firstBytes(one, 40)).toMatch(banner);
  expect(await firstBytes(two, 40)).toMatch(banner);
  const listening = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A');
  const inodes = new Set(
    readdirSync(`/proc/${pidOf(guest)}/fd`).map((fd) =>
      String(statSync(`/proc/${pidOf(guest)}/fd/${fd}`, { throwIfNoEntry: false })?.ino),
    ),
  );
  const own = listening.filter((fields) => inodes.has(fields[9] ?? ''));
  expect(own.map((fields) => fields[1]?.split(':')[0])).toEqual(['0100007F']);
});

test('the guest agent: ping, system, programs as root, errors as qemu-ga words them', async () => {
  expect(await agent('guest-ping')).toEqual({});
  expect(await agent('guest-get-osinfo')).toMatchObject({ id: 'debian', 'version-id': '12' });
  expect(await shell('id -un; uname -s; hostname')).toBe('root\nLinux\ndebian12');
  expect(await guest.agent('guest-nonsense', {})).toMatchObject({ error: { class: 'CommandNotFound' } });
});

test('keys by name; what is no key never reaches the monitor', async () => {
  await guest.sendKey('shift');
  await expect(guest.sendKey('no_such_key')).rejects.toThrow(GuestError);
  await expect(guest.sendKey('shift\nquit')).rejects.toThrow(/invalid parameter/);
  expect(guest.state()).toBe('running');
});

test('pause and resume are seen; a paused guest has no agent', async () => {
  await guest.pause();
  await expect.poll(() => guest.state()).toBe('paused');
  expect(await guest.agent('guest-ping', {})).toBeUndefined();
  await guest.resume();
  await expect.poll(() => guest.state()).toBe('running');
  expect(await agent('guest-ping')).toEqual({});
});

test('a snapshot with RAM brings back files, memory and running programs', async () => {
  await shell(`echo before | tee ${MEMORY_NOTE} >${NOTE}; sync; (setsid sleep 4242 >/dev/null 2>&1 &)`);
  const program = await shell('pgrep -fx "sleep 4242"');
  const states = new Set<string>();
  const sampling = setInterval(() => states.add(guest.state()), 20);
  await guest.saveSnapshot('checkpoint', { ram: true });
  clearInterval(sampling);
  expect([...states, guest.state()]).toEqual(['running', 'running']);
  expect(guest.existingSnapshots()).toMatchObject([{ name: 'ready' }, { name: 'checkpoint', ram: true }]);
  await shell(`echo after | tee ${MEMORY_NOTE} >${NOTE}; pkill -fx "sleep 4242"; sync`);
  const screen = (await guest.openVnc())!;
  screen.resume();
  const closed = once(screen, 'close');
  const before = pidOf(guest);

  await guest.loadSnapshot('checkpoint', { ram: true, config: {} });
  await closed;
  expect(isAlive(before)).toBe(false);
  expect(guest.state()).toBe('running');
  expect(await shell(`cat ${NOTE} ${MEMORY_NOTE}; pgrep -fx "sleep 4242"`)).toBe(
    `before\nbefore\n${program}`,
  );
  expect(await firstBytes(await guest.openTcp(22), 4)).toBe('SSH-');
  await guest.deleteSnapshot('checkpoint');
  expect(guest.existingSnapshots()).toHaveLength(1);
});

test('an unknown snapshot is refused before anything is stopped', async () => {
  const pid = guest.pid();
  await expect(guest.loadSnapshot('checkpoint', { ram: true, config: {} })).rejects.toThrow(
    "Snapshot 'checkpoint' does not exist in one or more devices",
  );
  await expect(guest.start({})).rejects.toThrow(GuestError);
  expect([guest.state(), guest.pid()]).toEqual(['running', pid]);
});

test('a disk-only rollback leaves it off, with the old disk', async () => {
  await shell(`echo kept >${NOTE}; sync`);
  await guest.saveSnapshot('disk', { ram: false });
  await shell(`echo lost >${NOTE}; sync`);
  await guest.loadSnapshot('disk', { ram: false, config: {} });
  expect([guest.state(), guest.pid(), guest.uptime()]).toEqual(['stopped', undefined, 0]);
  expect(await guest.openVnc()).toBeUndefined();
  expect(await guest.agent('guest-ping', {})).toBeUndefined();
  await expect(guest.openTcp(22)).rejects.toThrow(`connect ECONNREFUSED ${guest.address}:22`);
  await expect(guest.pause()).rejects.toThrow('VM not running');
  await guest.stop();

  await guest.start({});
  expect(guest.state()).toBe('running');
  const reply = (): Promise<AgentReply | undefined> => guest.agent('guest-ping', {});
  await expect.poll(reply, { timeout: PATIENCE, intervals: [300] }).toEqual({ return: {} });
  expect(await shell(`cat ${NOTE}`)).toBe('kept');
  expect(await guest.shutdown(PATIENCE)).toBe('off');
  expect([guest.state(), guest.pid()]).toEqual(['stopped', undefined]);
  await guest.deleteSnapshot('disk');
  expect(guest.existingSnapshots()).toHaveLength(1);
});

test('QEMU killed from outside: stopped, clear errors, and the ready state still starts', async () => {
  await guest.loadSnapshot('ready', { ram: true, config: {} });
  expect(await agent('guest-ping')).toEqual({});
  process.kill(pidOf(guest), 'SIGKILL');
  await expect.poll(() => guest.state()).toBe('stopped');
  expect(guest.pid()).toBeUndefined();
  expect(await guest.openVnc()).toBeUndefined();
  expect(await guest.agent('guest-ping', {})).toBeUndefined();
  for (const attempt of [() => guest.reset(), () => guest.openTcp(22), () => guest.sendKey('a')])
    await expect(attempt()).rejects.toThrow(GuestError);
  await guest.stop();
  expect(await guest.shutdown(1)).toBe('off');
  await guest.loadSnapshot('ready', { ram: true, config: {} });
  expect(await agent('guest-ping')).toEqual({});
});

test('a QEMU that cannot start says why', async ({}, info) => {
  const { disk, initrd } = builtImage()!;
  const sockets = socketsIn(join(tmpdir(), `vmw-${process.pid}`));
  const folder = { kernel: '/no/kernel', initrd, disk, overlay: disk, serialLog: info.outputPath('serial') };
  const options = {
    qemu: qemuProgram(),
    name: 'broken',
    accelerator: 'tcg',
    desktop: openbox,
    ...folder,
    sockets,
  } as const;
  await expect(QemuProcess.start(options)).rejects.toThrow(/^start failed: QEMU exited with code 1: [^]+/);
  await expect(QemuProcess.start(options)).rejects.toThrow(GuestError);
});

test('dispose ends the process and removes its files', async () => {
  const pid = pidOf(guest);
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  const overlay = /"filename":"([^"]+overlay\.qcow2)"/.exec(commandLine)![1]!;
  const socket = /unix:([^\0]+)\/qmp/.exec(commandLine)![1]!;
  expect([existsSync(overlay), existsSync(socket)]).toEqual([true, true]);
  await guest.dispose();
  expect([isAlive(pid), existsSync(overlay), existsSync(socket)]).toEqual([false, false, false]);
  expect(liveRuns(cacheFolder()).filter((run) => run.pid === process.pid)).toEqual([]);
});

for (const end of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a served lab that ends by ${end} takes its real guest along`, async ({ folder }) => {
    const lab = new Started(process.execPath, [...TSX, 'lab/serve.ts', '--guests', '', '--qemu'], {
      TMPDIR: folder,
    });
    try {
      const client = new LabClient(await lab.said(/env=(.+)\n/));
      const vm = '/nodes/pve/qemu/108';
      const task = String(await client.call('POST', `${vm}/snapshot/ready/rollback`));
      const taskStatus = async (): Promise<unknown> =>
        client.call('GET', `/nodes/pve/tasks/${encodeURIComponent(task)}/status`);
      await expect
        .poll(taskStatus, { timeout: PATIENCE })
        .toMatchObject({ status: 'stopped', exitstatus: 'OK' });
      const { pid, status } = (await client.call('GET', `${vm}/status/current`)) as {
        pid: number;
        status: string;
      };
      expect({ status, alive: isAlive(pid) }).toEqual({ status: 'running', alive: true });
      await client.close();
      lab.child.kill(end);
      expect((await lab.ended).code).toBe(end === 'SIGTERM' ? 0 : null);
      await expect.poll(() => isAlive(pid)).toBe(false);
      // What a killed lab left, the next one removes.
      if (end === 'SIGKILL') await removeStaleRuns(cacheFolder());
      else expect(readdirSync(folder).filter((name) => name.startsWith('vmwright'))).toEqual([]);
      const runs = readdirSync(join(cacheFolder(), 'runs'));
      expect(runs.filter((name) => name.includes(`-${lab.child.pid}-`))).toEqual([]);
    } finally {
      lab.child.kill('SIGKILL');
    }
  });
}
