/** The guest's address after a rollback with RAM, through the real runner. */
import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';

const SPEC = `test('asks the guest', async ({ ssh, vm }) => {
  console.log('REACHED ' + await vm.ip() + ' ' + (await ssh.exec('hostname')).stdout.trim());
});`;
const MACHINES = ['fedora42', 'windows11'];

/** Programs that the agent was asked to run. */
function ran(lab: Lab): string[] {
  return lab.requests
    .filter(({ path }) => path.endsWith('/agent/exec'))
    .map(({ body }) => decodeURIComponent(body.replaceAll('+', ' ')));
}

test.describe('simulated', () => {
  let lab: Lab;
  test.beforeEach(async () => {
    lab = await startLab({ guests: MACHINES });
  });
  test.afterEach(async () => {
    await lab.stop();
  });

  test('an address that answers is left alone', async ({}, info) => {
    const run = await runOnLab(lab, info.outputPath('p'), { spec: SPEC, machines: MACHINES });
    expect(run.output).toContain('2 passed');
    expect(ran(lab).filter((command) => /nmcli|networkctl|ipconfig/.test(command))).toEqual([]);
    expect(run.summary).not.toContain('renewed');
  });

  test('a lease that the network has forgotten is renewed, on Linux and on Windows', async ({}, info) => {
    for (const machine of MACHINES) lab.faults.set(machine, 'stale-lease', true);
    const run = await runOnLab(lab, info.outputPath('p'), { spec: SPEC, machines: MACHINES });
    expect(run.output).toContain('2 passed');
    for (const [id, name, address] of [
      [101, 'fedora42', '10.77.0.11'],
      [107, 'windows11', '10.77.0.17'],
    ] as const) {
      expect(run.summary).toContain(
        `VM ${id} (${name}) on pve: nothing answered at ${address} after the rollback; its network was renewed, and ${address} answers`,
      );
    }
  });

  test('after the renewal the machine is found at its new address', async ({}, info) => {
    for (const machine of MACHINES) lab.faults.set(machine, 'new-address', true);
    const run = await runOnLab(lab, info.outputPath('p'), { spec: SPEC, machines: MACHINES });
    expect(run.output).toContain('2 passed');
    expect(run.output).toContain('REACHED 10.77.0.111 fedora42');
    expect(run.output).toContain('REACHED 10.77.0.117 WINDOWS11');
    expect(run.summary).toContain('nothing answered at 10.77.0.11 after the rollback');
  });

  test('a network without DHCP is named with the guest’s own words', async ({}, info) => {
    for (const machine of MACHINES) lab.faults.set(machine, 'no-dhcp', true);
    const run = await runOnLab(lab, info.outputPath('p'), { spec: SPEC, machines: MACHINES });
    expect(run.exitCode).toBe(1);
    for (const [machine, words] of [
      [
        'fedora42',
        'exit code 4: Error: Connection activation failed: IP configuration could not be reserved',
      ],
      [
        'windows11',
        'exit code 1: Windows IP Configuration An error occurred while renewing interface Ethernet',
      ],
    ] as const) {
      expect(run.output).toMatch(
        new RegExp(
          `\\[NETWORK_LOST\\] VM \\d+ \\(${machine}\\) on pve: the guest has no address: nothing answered at`,
        ),
      );
      expect(run.output).toContain(words);
    }
  });
});

test('the real guest asks anew when its address is no longer its own', async ({}, info) => {
  test.setTimeout(300_000); // under software emulation
  requirePeer(test, 'qemu-system-x86_64');
  requireRealGuest(test);
  const lab = await startLab({ guests: [], qemu: true });
  try {
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: ['debian12'],
      change: "row.checkpoint = 'stale';",
      spec: `
test('a checkpoint with an address of long ago', async ({ vm }) => {
  await vm.snapshots.rollback('ready');
  const address = await vm.ip();
  const [card] = await vm.networkCards();
  const old = address.replace(/\\d+$/, '77');
  const change = 'ip address flush dev "$1" scope global && ip address add "$2/24" dev "$1"';
  expect(await vm.agent.exec(['/bin/sh', '-c', change, 'sh', card.name, old])).toMatchObject({ exitCode: 0 });
  await expect.poll(() => vm.ip()).toBe(old);
  await vm.checkpoint('stale');
  console.log('WAS ' + address);
});
${SPEC}`,
    });
    expect(run.output).toContain('2 passed');
    const address = /WAS (\S+)/.exec(run.output)?.[1];
    expect(run.output).toContain(`REACHED ${address ?? '?'} debian12`);
    expect(run.summary).toContain(`its network was renewed, and ${address ?? '?'} answers`);
  } finally {
    await lab.stop();
  }
});
