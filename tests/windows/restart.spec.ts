/** A restart that is one, and a session that is locked, through the product's own calls. */
import type { Vm } from '../../fixtures/proxmox/index.ts';
import { startLab } from '../../lab/index.ts';
import { expect } from '@playwright/test';
import { labConnection, test } from '../proxmox/support/fixtures.ts';
import { guestOf } from '../app/support/guest.ts';
import { runOnLab } from '../support/lab-project.ts';

const MACHINE = 'windows10';

/** Milliseconds since the kernel started, by the counter that no clock moves. */
async function upMs(vm: Vm): Promise<number> {
  const counter = '[Diagnostics.Stopwatch]::GetTimestamp()';
  const encoded = Buffer.from(counter, 'utf16le').toString('base64');
  const { stdout } = await vm.agent.exec(['powershell.exe', '-EncodedCommand', encoded]);
  return Number(stdout) / 10_000;
}

test('WN9: with fast start-up a shut-down and a start keep the kernel, and a reboot is a restart by Windows itself', async ({
  lab,
  connect,
}) => {
  lab.faults.set(MACHINE, 'fast-startup', true);
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  const first = await upMs(vm);
  await vm.shutdown();
  await vm.start();
  await vm.agent.waitReady();
  expect(await upMs(vm)).toBeGreaterThan(first);
  const before = lab.tasks.list().length;
  await vm.reboot();
  // Its agent answers when the call is over, out of another kernel.
  expect(await upMs(vm)).toBeLessThan(first);
  // Nothing of it is Proxmox's, so that the QEMU process stays, with its hardware.
  expect(lab.tasks.list().length).toBe(before);
});

test('WN9: a restart that nobody saw the silence of is one all the same, by the time since the start', async ({
  lab,
  connect,
}) => {
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  const first = await upMs(vm);
  // As where the way to the guest is down just then.
  lab.tamper = ({ path }) =>
    path.endsWith('/agent/ping')
      ? { carriedOut: false, instead: { status: 200, body: '{"data":{"result":{}}}' } }
      : undefined;
  await vm.reboot();
  expect(await upMs(vm)).toBeLessThan(first);
});

test('a reboot that the agent may not do is Proxmox’s', async ({ lab, connect }) => {
  lab.faults.set(MACHINE, 'no-exec', true);
  const vm = await (await connect(labConnection(lab))).findVm(MACHINE);
  await vm.reboot();
  expect(lab.tasks.list().map(({ type }) => type)).toContain('qmreboot');
});

test('WN19: a locked session is SCREEN_LOCKED in the test that comes to it, with its cure, and no key is typed', async ({}, info) => {
  const lab = await startLab({ guests: ['windows11'] });
  try {
    lab.faults.set('windows11', 'session-locked', true);
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: ['windows11'],
      spec: `test('starts', async ({ app }) => { await app.launch({ showing: HARBOR.login }); });`,
    });
    expect(run.output).toContain('1 failed');
    expect(run.output).toMatch(/\[SCREEN_LOCKED\].*the desktop of tester is there/);
    expect(run.output).toContain('powercfg /change monitor-timeout-ac 0');
    expect(run.output).not.toContain('NO_AUTOLOGIN');
    expect(guestOf(lab, 'windows11').log.keys).toEqual([]);
  } finally {
    await lab.stop();
  }
});
