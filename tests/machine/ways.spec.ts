import { readFileSync } from 'node:fs';
import { test as base, expect } from '@playwright/test';
import { defineMatrix, loadSettings, type Machine, type MachineRow } from '../../fixtures/config/index.ts';
import { findMachine, openSsh } from '../../fixtures/machine/machine.ts';
import { connectProxmox, type Proxmox } from '../../fixtures/proxmox/index.ts';
import { SECOND_MAC } from '../../lab/guests/simulated/agent.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import matrix from '../../vm-matrix.ts';

interface Fixtures {
  lab: Lab;
  proxmox: Proxmox;
}

const test = base.extend<Fixtures>({
  lab: async ({}, use) => {
    const lab = await startLab({ guests: ['fedora42', 'ubuntu2404'] });
    const before = { ...process.env };
    Object.assign(process.env, lab.env());
    await use(lab);
    for (const name of Object.keys(lab.env()))
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    await lab.stop();
  },
  proxmox: async ({ lab }, use) => {
    const proxmox = await connectProxmox(loadSettings(lab.env()).proxmox);
    await use(proxmox);
    await proxmox.close();
  },
});

function row(name: string, changes: Partial<MachineRow> = {}): Machine {
  const known = matrix.find((machine) => machine.name === name);
  if (known === undefined) throw new Error(`the shipped matrix has no ${name}`);
  const [machine] = defineMatrix([{ ...known, ...changes }]);
  return machine!;
}

async function hostname(proxmox: Proxmox, lab: Lab, machine: Machine, patience?: number): Promise<string> {
  const settings = loadSettings(lab.env());
  const session = await openSsh(await findMachine(proxmox, machine, settings), machine, settings, patience);
  const { stdout } = await session.exec('hostname');
  session.close();
  return stdout.trim();
}

test('CL15: the keys of a run’s machines are pinned by the names of their rows', async ({ lab, proxmox }) => {
  for (const name of ['fedora42', 'ubuntu2404']) expect(await hostname(proxmox, lab, row(name))).toBe(name);
  const [jump, ...lines] = readFileSync(loadSettings(lab.env()).hostKeys.file, 'utf8').trim().split('\n');
  expect(jump).toMatch(/^\[127\.0\.0\.1\]:\d+ /);
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['fedora42', 'ubuntu2404']);
  expect(new Set(lines.map((line) => line.split(' ')[2])).size, 'each has a key of its own').toBe(2);
});

test('CL15: a machine that got another’s address is not taken for it', async ({ lab, proxmox }) => {
  expect(await hostname(proxmox, lab, row('fedora42'))).toBe('fedora42');
  const { address } = lab.machine('ubuntu2404').guest;
  const settings = loadSettings(lab.env());
  const vm = await findMachine(proxmox, row('fedora42'), settings);
  await expect(openSsh(vm, row('fedora42', { address }), settings)).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
  });
  expect(await hostname(proxmox, lab, row('ubuntu2404'))).toBe('ubuntu2404');
});

test('CL16: a second card, Docker, a VPN, dead and IPv6 addresses: the one that leads to sshd is found', async ({
  lab,
  proxmox,
}) => {
  lab.machine('fedora42').config.net1 = `virtio=${SECOND_MAC},bridge=vmbr1`;
  lab.faults.set('fedora42', 'more-cards', true);
  const vm = await findMachine(proxmox, row('fedora42'), loadSettings(lab.env()));
  expect(await vm.addresses()).toEqual(['192.168.99.5', '192.168.98.7', '10.77.0.11', '2001:db8::99']);
  expect(await vm.addresses('net0')).toEqual(['192.168.98.7', '10.77.0.11', '2001:db8::99']);
  expect(await vm.ip(0, 'net1')).toBe('192.168.99.5');
  for (const machine of [
    row('fedora42'),
    row('fedora42', { network: 'net0' }),
    row('fedora42', { address: '10.77.0.11' }),
  ])
    expect(await hostname(proxmox, lab, machine)).toBe('fedora42');
  for (const [wrong, named] of [
    [row('fedora42', { network: 'net1' }), '192.168.99.5'],
    [row('fedora42', { address: '10.8.0.2' }), '10.8.0.2'],
  ] as const)
    await expect(hostname(proxmox, lab, wrong, 1000)).rejects.toMatchObject({
      code: 'SSH_UNREACHABLE',
      subject: expect.stringContaining(named),
    });
  await expect(hostname(proxmox, lab, row('fedora42', { network: 'net7' }), 100)).rejects.toMatchObject({
    code: 'VM_NO_ADDRESS',
    expected: expect.stringContaining('net7'),
  });
});

test('CL16: a row says either which card or which address', () => {
  expect(() => row('fedora42', { network: 'net0', address: '10.0.0.1' })).toThrow(/field network/);
  expect(() => row('fedora42', { network: 'eth0' })).toThrow(/net0, net1/);
  for (const address of ['ssh://10.0.0.1', '10.0.0.1/24', '[::1]', 'me@host'])
    expect(() => row('fedora42', { address })).toThrow(/field address/);
  expect(row('fedora42', { address: 'fd00::7' }).address).toBe('fd00::7');
});

test('CL18: a guest that refuses log-ins while it boots is waited for; a wrong password then is final', async ({
  lab,
  proxmox,
}) => {
  lab.faults.set('fedora42', 'booting', true);
  const asked = (): number => lab.requests.filter(({ path }) => path.endsWith('/agent/exec')).length;
  const waiting = hostname(proxmox, lab, row('fedora42'));
  await expect.poll(asked).toBeGreaterThan(0);
  lab.faults.set('fedora42', 'booting', false);
  expect(await waiting).toBe('fedora42');
  process.env.FEDORA42_PASSWORD = 'not this one';
  await expect(hostname(proxmox, lab, row('fedora42'))).rejects.toMatchObject({ code: 'SSH_AUTH_FAILED' });
});
