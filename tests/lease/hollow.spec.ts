/** A 200 with nothing in it is no answer: not one that frees a machine, and not one that wipes its notes. */
import { expect, test as base } from '@playwright/test';
import { isVmwrightError } from '../../fixtures/errors.ts';
import { Lease } from '../../fixtures/lease/lease.ts';
import { renderNotes } from '../../fixtures/lease/record.ts';
import { notesOf } from '../../fixtures/lease/store.ts';
import type { Vm } from '../../fixtures/proxmox/index.ts';
import { test } from '../proxmox/support/fixtures.ts';
import { labConnection } from '../proxmox/support/fixtures.ts';
import { fakeClock } from '../proxmox/support/clock.ts';
import { FakeClock, hostOf, MemoryStore, recordOf, runOf } from './support/lease.ts';

const HERE = hostOf({ 200: 2000, 201: 2001 });
const ME = runOf('me', { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } });
const ELSEWHERE = runOf('far', { host: 'ci-9', boot: 'another' });
const HOLLOW = [
  '{"data":{}}',
  '{"data":[]}',
  '{"data":null}',
  '{"data":{"data":{"digest":"x"}}}',
  '{}',
  '[]',
  'null',
  '',
];

for (const body of HOLLOW) {
  test(`CL5: a live lease and people’s notes survive the answer ${body || '(empty)'}`, async ({
    lab,
    connect,
  }) => {
    const machine = lab.machine('fedora42');
    const before = renderNotes('Owner: desktop team', recordOf(ELSEWHERE));
    machine.config.description = before;
    const vm: Vm = await (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
    let left = 1;
    lab.tamper = ({ method, path }) =>
      method === 'GET' && path.endsWith('/config') && left-- > 0
        ? { carriedOut: true, instead: { status: 200, body } }
        : undefined;
    const acquire = (): Promise<Lease> =>
      Lease.acquire(notesOf(vm), { self: ME, wait: 0, clock: new FakeClock(), processes: HERE });
    await expect(acquire()).rejects.toMatchObject({ code: 'LEASE_HELD' });
    left = Infinity;
    await expect(acquire()).rejects.toMatchObject({
      code: 'PROXMOX_REQUEST_FAILED',
      message: expect.stringContaining('the answer is not one of the Proxmox API'),
    });
    expect(machine.config.description).toBe(before);
    expect(lab.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
}

test('CL5: nothing is ever written to a config without the digest of what was read', async ({
  lab,
  connect,
}) => {
  const vm: Vm = await (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
  await vm.setConfig({ tags: 'a' });
  await vm.setConfig({ tags: null, description: 'b' });
  lab.tamper = ({ method, path }) =>
    method === 'GET' && path.endsWith('/config')
      ? { carriedOut: true, instead: { status: 200, body: '{"data":{}}' } }
      : undefined;
  await expect(vm.setConfig({ tags: 'c' })).rejects.toMatchObject({ code: 'PROXMOX_REQUEST_FAILED' });
  const writes = lab.requests.filter(({ method }) => method === 'PUT');
  expect(writes).toHaveLength(2);
  for (const { body } of writes) expect(new URLSearchParams(body).get('digest')).toMatch(/^[0-9a-f]{40}$/);
});

test('CL5: somebody else may write in between a change without a digest, but not for ever', async ({
  lab,
  connect,
}) => {
  const vm: Vm = await (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
  const machine = lab.machine('fedora42');
  let times = 2;
  let written = 0;
  lab.tamper = ({ method }) => {
    if (method === 'PUT' && times-- > 0) machine.config.tags = String(written++);
    return undefined;
  };
  await vm.setConfig({ onboot: 1 });
  expect(machine.config.onboot).toBe('1');
  times = Infinity;
  await expect(vm.setConfig({ onboot: 0 })).rejects.toMatchObject({ code: 'CONFIG_CHANGED' });
});

base('CL5: taking a VM ends when each write is spoilt, and says who writes and what', async () => {
  const store = new MemoryStore();
  store.beforeWrite = () => {
    store.tags++;
    return 'changed';
  };
  const clock = new FakeClock();
  const taking = Lease.acquire(store, { self: ME, wait: 7_200_000, clock, processes: HERE });
  await expect(taking).rejects.toMatchObject({
    code: 'CONFIG_CHANGED',
    seen: '50 attempts, the last answer: changed; in the notes: nobody; changed in between: tags',
  });
  store.beforeWrite = () => 'unsure';
  store.refusing = true;
  await expect(
    Lease.acquire(store, { self: ME, wait: 7_200_000, clock, processes: HERE }),
  ).rejects.toMatchObject({
    code: 'CONFIG_CHANGED',
    seen: expect.stringContaining('the last answer: unsure'),
  });
});

base('CL6: a fault of the program is thrown as it is, not told as a lost lease', async () => {
  const store = new MemoryStore();
  const clock = new FakeClock();
  const lease = await Lease.acquire(store, { self: ME, wait: 0, clock, processes: HERE });
  const fault = new URIError('URI malformed');
  store.beforeWrite = () => {
    throw fault;
  };
  lease.doing = 'another test';
  const error: unknown = await lease.assertHeld('roll back').catch((thrown: unknown) => thrown);
  expect(isVmwrightError(error)).toBe(false);
  expect(error).toBe(fault);
  expect(clock.time).toBe(0);
});

test('CL7: full notes are an error that names the limit, at once, and nothing is written', async ({
  lab,
  connect,
}) => {
  const machine = lab.machine('fedora42');
  const notes = 'n'.repeat(8190);
  machine.config.description = notes;
  const vm: Vm = await (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
  const clock = new FakeClock();
  const taking = Lease.acquire(notesOf(vm), { self: ME, wait: 7_200_000, clock, processes: HERE });
  await expect(taking).rejects.toMatchObject({
    code: 'LEASE_NOTES_FULL',
    seen: '8190 characters',
    expected: expect.stringContaining('Proxmox keeps 8192 in all'),
  });
  expect(clock.time).toBe(0);
  expect(machine.config.description).toBe(notes);
  await expect(vm.setConfig({ description: 'n'.repeat(8193) })).rejects.toMatchObject({
    code: 'PROXMOX_REQUEST_FAILED',
    seen: expect.stringContaining('value may only be 8192 characters long'),
  });
});

base('CL1: a backslash of people’s stays in the notes, and is told once a run', async () => {
  const store = new MemoryStore();
  store.description = String.raw`share: \\nas\queue`;
  const before = store.description;
  const told: string[] = [];
  const options = {
    self: ME,
    wait: 0,
    clock: new FakeClock(),
    processes: HERE,
    onWarning: (text: string) => void told.push(text),
  };
  await Lease.acquire(store, options);
  const second = await Lease.acquire(store, options);
  await second.release();
  expect(told).toEqual([expect.stringContaining('GET /cluster/log')]);
  expect(store.description).toBe(before);
});
