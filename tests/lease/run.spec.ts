/** Leases through the real runner, against a lab. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { parseNotes, renderNotes } from '../../fixtures/lease/record.ts';
import { Secret } from '../../fixtures/secrets/index.ts';
import { connectProxmox } from '../../fixtures/proxmox/index.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { ANY_TIME } from '../proxmox/support/fixtures.ts';
import { recordOf, runOf } from './support/lease.ts';

let lab: Lab;
test.beforeEach(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterEach(async () => {
  await lab.stop();
});

function notes(): string {
  return String(lab.machine('fedora42').config.description ?? '');
}

test('the lease outlives workers, and is given back at the end with the notes as they were', async ({}, info) => {
  lab.machine('fedora42').config.description = 'Owner: desktop team';
  const seen: string[] = [];
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `
test('first', async ({ vm }) => { console.log('WORKING'); throw new Error('ends its worker'); });
test('second', async ({ vm }) => { console.log('WORKING'); await vm.snapshots.rollback('ready'); });`,
    onOutput: (text) => {
      if (/^WORKING$/m.test(text)) seen.push(notes());
    },
  });
  expect(run.output).toContain('1 failed');
  expect(run.output).toContain('1 passed');
  const records = seen.map((text) => parseNotes(text, 101).marker?.record);
  expect(records.map((record) => typeof record)).toEqual(['object', 'object']);
  const [first, second] = records as Exclude<(typeof records)[number], string | undefined>[];
  expect(second).toMatchObject({ run: first!.run, since: first!.since, runner: first!.runner });
  expect(second!.worker.pid).not.toBe(first!.worker.pid);
  expect(seen[0]).toContain('Owner: desktop team');
  expect(notes()).toBe('Owner: desktop team');
});

test('P-A18: a machine that another run holds is refused with its holder, and nothing is done to it', async ({}, info) => {
  const holder = recordOf(runOf('4711', { host: 'ci-3', boot: 'another' }), { doing: 'log in' });
  lab.machine('fedora42').config.description = renderNotes('', holder);
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `test('rolls back', async ({ vm }) => { await vm.snapshots.rollback('ready'); });`,
    env: { VMWRIGHT_LEASE_WAIT: '0' },
  });
  expect(run.exitCode).toBe(1);
  expect(run.output).toContain('[LEASE_HELD] VM 101 (fedora42) on pve: the VM is in use');
  expect(run.output).toContain('held by run 4711 on ci-3, process 100, at "log in"');
  expect(lab.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  expect(lab.tasks.list()).toEqual([]);
});

test('a run waits for its turn and says for whom', async ({}, info) => {
  const { config } = lab.machine('fedora42');
  config.description = renderNotes('', recordOf(runOf('4711', { host: 'ci-3', boot: 'another' })));
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `test('works', async ({ vm }) => { await vm.snapshots.rollback('ready'); });`,
    onOutput: (text) => {
      if (text.includes('is held by run 4711')) Reflect.deleteProperty(config, 'description');
    },
  });
  expect(run.output).toContain('VM 101 (fedora42) on pve is held by run 4711 on ci-3');
  expect(run.output).toContain('1 passed');
});

test('a machine that is lost in mid-test fails the test, however well it went', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `
test('loses it', async ({ ssh }) => {
  console.log('WORKING');
  while ((await ssh.exec('cat /tmp/go || true')).stdout === '') await ssh.exec('true');
});`,
    onOutput: (text) => {
      if (!/^WORKING$/m.test(text)) return;
      const taken = recordOf(runOf('thief', { host: 'ci-3', boot: 'another' }));
      lab.machine('fedora42').config.description = renderNotes('', taken);
      void lab
        .machine('fedora42')
        .guest.agent('guest-exec', { path: '/bin/sh', arg: ['-c', 'echo go > /tmp/go'] });
    },
  });
  expect(run.exitCode).toBe(1);
  expect(run.output).toContain('[LEASE_LOST] VM 101 (fedora42) on pve');
  expect(notes()).toContain('thief');
});

test('reset: each test, once a worker, never', async ({}, info) => {
  test.slow(); // three runs
  const spec = [1, 2].map((n) => `test('${n}', async ({ ssh }) => { await ssh.exec('true'); });`).join('\n');
  const rollbacks: number[] = [];
  for (const reset of ['test', 'worker', 'none']) {
    const before = lab.tasks.list().length;
    const run = await runOnLab(lab, info.outputPath(reset), { spec, change: `row.reset = '${reset}';` });
    expect(run.output).toContain('2 passed');
    rollbacks.push(
      lab.tasks
        .list()
        .slice(before)
        .filter(({ type }) => type === 'qmrollback').length,
    );
  }
  expect(rollbacks).toEqual([2, 1, 0]);
});

test('M41: rolling back and checkpoints need the lease, whatever snapshots there are', async () => {
  const env = lab.env();
  const proxmox = await connectProxmox({
    host: env.PROXMOX_HOST!,
    port: Number(env.PROXMOX_PORT),
    tls: { ca: readFileSync(env.PROXMOX_CA_FILE!, 'utf8') },
    auth: {
      type: 'token',
      id: lab.access.tokenId,
      secret: new Secret('PROXMOX_TOKEN_SECRET', lab.access.tokenSecret),
    },
  });
  const vm = await proxmox.findVm('fedora42');
  const before = lab.requests.length;
  await expect(vm.snapshots.rollback('ready')).rejects.toMatchObject({ code: 'LEASE_REQUIRED' });
  await expect(vm.checkpoint('mine')).rejects.toMatchObject({ code: 'LEASE_REQUIRED' });
  expect(lab.requests.length).toBe(before);
  let asked: string[] = [];
  vm.hold = { ...ANY_TIME, assertHeld: (operation) => Promise.resolve(void asked.push(operation)) };
  await vm.checkpoint('mine');
  await vm.checkpoint('mine');
  expect(await vm.snapshots.get('mine')).toMatchObject({ ram: true });
  expect(asked).toEqual(Array(2).fill('take the checkpoint "mine"'));
  asked = [];
  await vm.snapshots.rollback('mine');
  expect(asked).toEqual(['roll back to "mine"']);
  vm.hold = { ...ANY_TIME, assertHeld: () => Promise.reject(new Error('lost')) };
  await expect(vm.snapshots.rollback('mine')).rejects.toThrow('lost');
  expect(lab.tasks.list().filter(({ type }) => type === 'qmrollback')).toHaveLength(1);
  await vm.stop();
  vm.hold = { ...ANY_TIME, assertHeld: () => Promise.resolve() };
  await vm.checkpoint('cold');
  expect(await vm.snapshots.get('cold')).toMatchObject({ ram: false });
  await proxmox.close();
});
