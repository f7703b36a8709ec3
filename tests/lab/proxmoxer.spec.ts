import { expect } from '@playwright/test';
import type { Lab } from '../../lab/index.ts';
import { test as withLab } from './support/fixtures.ts';
import { byPassword, byToken, type Login, requireProxmoxer, runClient } from './support/proxmoxer.ts';

const test = withLab.extend<{ python: string }>({
  python: async ({}, use, info) => {
    await use(requireProxmoxer(info));
  },
});

const LOGINS: readonly (readonly [string, (lab: Lab) => Login])[] = [
  ['password', byPassword],
  ['token', byToken],
];

for (const [kind, login] of LOGINS) {
  test(`proxmoxer with a ${kind}: lists, stops, starts, takes a RAM snapshot, rolls back, and waits for tasks`, async ({
    lab,
    python,
  }) => {
    const seen = await runClient(python, lab, login(lab), 'tour');
    const task = (type: string) => ({ type, exit: 'OK', log: 'TASK OK', user: 'root@pam' });
    expect(seen).toMatchObject({
      version: '9.2.4',
      name: 'fedora42',
      list: [
        { vmid: 101, name: 'fedora42', status: 'running' },
        { vmid: 107, name: 'windows11', status: 'running' },
      ],
      tasks: [
        ...['qmstop', 'qmstart', 'qmsnapshot', 'qmstop', 'qmrollback', 'qmdelsnapshot', 'qmstop'].map(task),
      ],
      states: ['running', 'stopped', 'running', 'running', 'stopped', 'running', 'running', 'stopped'],
      snapshots: {
        peer: { vmstate: 1, parent: 'ready', description: 'by proxmoxer; with a semicolon' },
        current: { running: 1, parent: 'peer' },
        ready: { vmstate: 1 },
      },
      description: 'written by proxmoxer\n',
    });
    const user = kind === 'token' ? 'root@pam!lab' : 'root@pam';
    expect(new Set(lab.tasks.list().map((entry) => entry.user))).toEqual(new Set([user]));
  });
}

test('proxmoxer reads the errors: missing VM, node, parameter, stopped, locked, digest', async ({
  lab,
  python,
}) => {
  lab.faults.set('fedora42', 'lock:backup', true);
  await lab.machine('windows11').guest.stop();
  expect(await runClient(python, lab, byToken(lab), 'errors')).toEqual({
    missing: {
      status: 500,
      reason: "Configuration file 'nodes/pve/qemu-server/999.conf' does not exist",
    },
    node: {
      status: 500,
      reason:
        "hostname lookup 'nowhere' failed - failed to get address info for: nowhere: Name or service not known",
    },
    parameter: { status: 400, reason: 'Parameter verification failed.' },
    stopped: { status: 500, reason: 'VM 107 not running' },
    locked: { status: 500, reason: 'VM is locked (backup)' },
    lockedTask: {
      type: 'qmstart',
      exit: 'VM is locked (backup)',
      log: 'TASK ERROR: VM is locked (backup)',
      user: 'root@pam',
    },
    digest: { status: 500, reason: 'checksum mismatch (file change by other user?)' },
    unknown: { status: 501, reason: "Method 'GET /nodes/pve/nothing' not implemented" },
  });
});

test('proxmoxer is refused with a wrong password and with a wrong token', async ({ lab, python }) => {
  const wrong = { ...byPassword(lab), password: 'wrong' };
  expect((await runClient(python, lab, wrong, 'login')).authentication).toContain(
    "Couldn't authenticate user: root@pam",
  );
  const token = { ...byToken(lab), token_value: '00000000-0000-0000-0000-000000000000' };
  expect(await runClient(python, lab, token, 'login')).toMatchObject({
    status: 401,
    reason: expect.stringContaining('Authentication failed!'),
  });
  expect(await runClient(python, lab, byToken(lab), 'login')).toEqual({ result: '9.2' });
});

test('proxmoxer runs a program in the guest; its result is there once', async ({ lab, python }) => {
  expect(await runClient(python, lab, byPassword(lab), 'agent')).toMatchObject({
    status: { exited: 1, exitcode: 0, 'out-data': 'hello world\n' },
    again: { status: 500, reason: "Agent error: Invalid parameter 'pid'" },
    interfaces: [
      { name: 'lo' },
      {
        'hardware-address': 'bc:24:11:00:00:01',
        'ip-addresses': [
          { 'ip-address-type': 'ipv6' },
          { 'ip-address-type': 'ipv4', 'ip-address': '10.77.0.11' },
        ],
      },
    ],
  });
});
