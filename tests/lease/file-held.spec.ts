/** A power task holds the config file of its VM: the lab does as PVE, and no lease is lost to it. */
import { expect } from '@playwright/test';
import { Lease, type LeaseClock } from '../../fixtures/lease/lease.ts';
import { judge, READ_MS, SILENCE_MS, type Watch } from '../../fixtures/lease/protocol.ts';
import { parseNotes, renderNotes } from '../../fixtures/lease/record.ts';
import { notesOf } from '../../fixtures/lease/store.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { api, dataOf } from '../lab/support/raw.ts';
import { fakeClock } from '../proxmox/support/clock.ts';
import { labConnection, test } from '../proxmox/support/fixtures.ts';
import { FakeClock, hostOf, recordOf, runOf } from './support/lease.ts';

const VM = '/nodes/pve/qemu/101';
const BUSY = "HTTP/1.1 500 can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout";

/** A shutdown that goes on until it is told to end; it has the config file by then. */
async function shutdownOf(lab: Lab): Promise<() => void> {
  const machine = lab.machine('fedora42');
  machine.file.waitMs = 5;
  let end: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    machine.guest.shutdown = () => {
      resolve();
      return new Promise((done) => (end = () => done('timeout')));
    };
  });
  // By a person, in the web page: the token sees nothing of it.
  lab.tasks.start('qmshutdown', '101', 'root@pam', async () => {
    await machine.file.hold(() => machine.guest.shutdown(600_000));
    return undefined;
  });
  await begun;
  return () => end();
}

test('CL12: a shutdown holds the config file: a change waits, then fails; the digest is looked at before', async ({
  lab,
}) => {
  const call = api(lab);
  const { digest } = dataOf(await call('GET', `${VM}/config`));
  const end = await shutdownOf(lab);
  const put = async (body: string): Promise<string> =>
    (await call('PUT', `${VM}/config`, { body })).statusLine;
  expect(await put(`tags=a&digest=${String(digest)}`)).toBe(BUSY);
  expect(await put(`tags=a&digest=${'0'.repeat(40)}`)).toContain('checksum mismatch');
  expect(dataOf(await call('GET', `${VM}/config`))).not.toHaveProperty('lock');
  expect(dataOf(await call('GET', `${VM}/config`))).not.toHaveProperty('tags');
  const start = await call('POST', `${VM}/status/start`);
  const upid = (JSON.parse(start.body) as { data: string }).data;
  await expect
    .poll(async () => dataOf(await call('GET', `/nodes/pve/tasks/${upid}/status`)), { intervals: [5] })
    .toMatchObject({ exitstatus: BUSY.slice('HTTP/1.1 500 '.length) });
  // One that waits gets it once it is free.
  lab.machine('fedora42').file.waitMs = 10_000;
  const waiting = put('tags=a');
  await expect.poll(() => lab.requests.at(-1)?.method, { intervals: [5] }).toBe('PUT');
  end();
  expect(await waiting).toBe('HTTP/1.1 200 OK');
});

test('CL12: a change that waits for the file for longer than pveproxy does is a 596, and is made all the same', async ({
  connect,
}) => {
  const lab = await startLab({ guests: ['fedora42'], hopTimeoutMs: 20 });
  try {
    const machine = lab.machine('fedora42');
    machine.config.description = 'Owner: desktop team';
    const vm = await (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
    const clock = new FakeClock();
    const lease = await Lease.acquire(notesOf(vm), {
      self: HERE,
      wait: 0,
      clock,
      processes: view('ci-1', 'mine'),
    });
    const ask = { run: 'another', at: '2026-11-21T08:00:00.000Z' };
    machine.config.description = renderNotes('Owner: desktop team', { ...lease.record, ask });
    const end = await shutdownOf(lab);
    machine.file.waitMs = 10_000;
    const late = await vm.setConfig({ tags: 'late' }).catch((error: unknown) => error);
    expect(late).toMatchObject({
      code: 'PROXMOX_NODE_UNREACHABLE',
      httpStatus: 596,
      pveText: 'Connection timed out',
    });
    expect(machine.config.tags).toBeUndefined();
    // Of the answers to the question that got none themselves one arrives once the file is free; the others find another digest.
    clock.onSleep = () => end();
    await lease.assertHeld('go on');
    expect(machine.config.tags).toBe('late');
    const notes = parseNotes(machine.config.description, 101);
    expect(notes.human).toBe('Owner: desktop team');
    expect(notes.marker?.record).toMatchObject({ run: 'here', beat: lease.record.beat });
  } finally {
    await lab.stop();
  }
});

/** Time of several who sleep and wake by it: it passes when all of them sleep. */
class SharedTime {
  time = 0;
  readonly #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  readonly #who: number;

  constructor(who: number) {
    this.#who = who;
  }

  /** What happens at its time, before whoever sleeps until then. */
  readonly events: { readonly at: number; readonly happen: () => Promise<void> | void }[] = [];

  clock(): LeaseClock {
    return {
      now: () => this.time,
      wall: () => Date.UTC(2026, 10, 21, 8) + this.time,
      random: () => 0.5,
      sleep: async (ms, signal) => {
        if (signal?.aborted === true) return;
        await new Promise<void>((wake) => {
          this.#sleepers.push({ at: this.time + ms, wake });
          if (this.#sleepers.length === this.#who) void this.#pass();
        });
      },
    };
  }

  async #pass(): Promise<void> {
    const [next] = this.#sleepers.toSorted((a, b) => a.at - b.at);
    if (next === undefined) return;
    for (const event of this.events.filter(({ at }) => at <= next.at)) {
      this.events.splice(this.events.indexOf(event), 1);
      this.time = Math.max(this.time, event.at);
      await event.happen();
    }
    this.time = next.at;
    this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
    next.wake();
  }
}

const PROCESS = { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } };
const HERE = runOf('here', PROCESS);
const FAR = runOf('far', { ...PROCESS, host: 'ci-9', boot: 'another' });
const view = (host: string, boot: string) => hostOf({ 200: 2000, 201: 2001 }, { host, boot });

for (const [what, from, to] of [
  ['until right before the silence is long enough', 5_000, SILENCE_MS + 5_000],
  ['over the end of the silence', 100_000, SILENCE_MS + 20_000],
] as const) {
  test(`CL12: a shutdown of ${what} takes no lease from a holder elsewhere, by the rules of the file lock`, async ({
    lab,
    connect,
  }) => {
    const time = new SharedTime(2);
    const vmOf = async () => (await connect(labConnection(lab), fakeClock())).findVm('fedora42');
    const [theirs, ours] = [await vmOf(), await vmOf()];
    const options = { wait: 0, clock: time.clock() };
    const held = await Lease.acquire(notesOf(theirs), {
      ...options,
      self: FAR,
      processes: view('ci-9', 'another'),
    });
    held.keep();
    let end: () => void = () => undefined;
    time.events.push(
      { at: from, happen: async () => void (end = await shutdownOf(lab)) },
      { at: to, happen: () => end() },
    );
    // Whoever waits begins to watch between two renewals of the holder.
    await options.clock.sleep(READ_MS / 3);
    const wait = to + SILENCE_MS + READ_MS;
    const taking = Lease.acquire(notesOf(ours), {
      ...options,
      wait,
      self: HERE,
      processes: view('ci-1', 'mine'),
    });
    await expect(taking).rejects.toMatchObject({
      code: 'LEASE_HELD',
      seen: expect.stringContaining('ci-9'),
    });
    expect(time.time).toBeGreaterThanOrEqual(wait);
    const { record } = parseNotes(lab.machine('fedora42').config.description as string, 101).marker!;
    expect(record).toMatchObject({ run: 'far' });
    expect((record as { beat: number }).beat).toBeGreaterThan(1);
  });
}

test('CL12: a holder elsewhere that could not write has a minute from when a write goes through', () => {
  const ask = { run: 'here', at: '2026-11-21T08:00:00.000Z' };
  const { marker } = parseNotes(renderNotes('', recordOf(FAR, { ask })), 101);
  const silence: Watch = { text: marker?.text ?? '', since: 0 };
  const verdictAt = (now: number, watch: Watch): string =>
    judge({
      marker,
      locked: false,
      run: 'here',
      livenessOf: () => 'foreign',
      isSiblingAtWork: () => false,
      watch,
      now,
    }).verdict;
  const writableAt = SILENCE_MS + 5000;
  expect(verdictAt(SILENCE_MS - 1, silence)).toBe('held');
  expect(verdictAt(SILENCE_MS, silence)).toBe('silent');
  expect(verdictAt(writableAt, { ...silence, writableAt })).toBe('held');
  expect(verdictAt(writableAt + 59_999, { ...silence, writableAt })).toBe('held');
  expect(verdictAt(writableAt + 60_000, { ...silence, writableAt })).toBe('expired');
  expect(verdictAt(writableAt + 60_000, { ...silence, text: 'another', writableAt })).toBe('held');
});
