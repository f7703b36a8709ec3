import { expect, test } from '@playwright/test';
import { VmwrightError } from '../../fixtures/errors.ts';
import { Lease, releaseRun } from '../../fixtures/lease/lease.ts';
import { GRACE_MS, READ_MS, REST_MS, SILENCE_MS, VALID_MS } from '../../fixtures/lease/protocol.ts';
import { parseNotes, renderNotes } from '../../fixtures/lease/record.ts';
import { FakeClock, hostOf, MemoryStore, recordOf, runOf } from './support/lease.ts';

const HERE = hostOf({ 100: 1000, 101: 1001, 200: 2000, 201: 2001 });
const ME = runOf('me', { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } });
const OTHER = runOf('other');
const ELSEWHERE = runOf('far', { host: 'ci-9', boot: 'another' });
/** Two hours. */
const LONG = 7_200_000;

let store: MemoryStore;
let clock: FakeClock;
test.beforeEach(() => {
  store = new MemoryStore();
  clock = new FakeClock();
});

function acquire(options: Partial<Parameters<typeof Lease.acquire>[1]> = {}): Promise<Lease> {
  return Lease.acquire(store, { self: ME, wait: LONG, clock, processes: HERE, ...options });
}

function holder(): string | undefined {
  const record = parseNotes(store.description, 101).marker?.record;
  return typeof record === 'object' ? record.run : record;
}

test('a free VM costs two calls to take and two to give back, and the notes are as before', async () => {
  store.description = 'Owner: desktop team\n\n- do not delete';
  const lease = await acquire({ doing: 'a message arrives' });
  expect(store.calls).toBe(2);
  expect(holder()).toBe('me');
  expect(store.description).toContain("at 'a message arrives'");
  await lease.release();
  expect(store.calls).toBe(4);
  expect(lease.isFresh()).toBe(false);
  await expect(lease.assertHeld('test')).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(store.description).toBe('Owner: desktop team\n\n- do not delete');
});

test('without waiting: LEASE_HELD tells who, where, at what and since when', async () => {
  store.description = renderNotes(
    '',
    recordOf(OTHER, { shard: '1/2', doing: 'log in', url: 'https://x.test' }),
  );
  await expect(acquire({ wait: 0 })).rejects.toMatchObject({
    code: 'LEASE_HELD',
    seen: 'held by run other on ci-1 (shard 1/2), process 100, at "log in", since 2026-11-21T08:00:00.000Z, https://x.test',
  });
  expect(store.calls).toBe(1);
  expect(holder()).toBe('other');
});

test('waiting tells of the holder at once and each half minute, and ends when the VM is given back', async () => {
  store.description = renderNotes('', recordOf(OTHER));
  const told: [string, number][] = [];
  clock.onSleep = () => {
    if (clock.time > 100_000) store.edit((text) => parseNotes(text, 101).human);
  };
  await acquire({ onWait: (who, left) => told.push([who.split(',')[0]!, left]) });
  expect(told[0]).toEqual(['run other on ci-1', LONG]);
  expect(told[1]![1]).toBeLessThanOrEqual(LONG - 30_000);
  expect(told.length).toBe(4);
  expect(clock.time).toBeLessThan(115_000);
  expect(holder()).toBe('me');
});

test('P-M25: a holder that was killed is followed at once; a live one of 40 minutes ago is not', async () => {
  store.description = renderNotes('', recordOf(OTHER));
  clock.time = 40 * 60_000;
  await expect(acquire({ wait: 3_600_000 })).rejects.toMatchObject({ code: 'LEASE_HELD' });
  const before = clock.time;
  await acquire({ processes: hostOf({ 200: 2000, 201: 2001 }) });
  expect(clock.time).toBe(before);
  expect(holder()).toBe('me');
});

test('a recycled pid is a dead holder; an unreadable start is a live one, for ever', async () => {
  store.description = renderNotes('', recordOf(OTHER));
  await expect(acquire({ processes: hostOf({ 100: null }) })).rejects.toMatchObject({ code: 'LEASE_HELD' });
  expect(clock.time).toBeGreaterThanOrEqual(LONG);
  const lease = await acquire({ processes: hostOf({ 100: 7, 101: 8 }) });
  expect(lease.record.run).toBe('me');
});

test('a holder of the form before this one is followed only after its silence; each renewal starts the wait anew', async () => {
  store.description = renderNotes('', recordOf(ELSEWHERE, { v: 1 }));
  let beats = 0;
  clock.onSleep = () => {
    if (beats < 5 && clock.time >= (beats + 1) * (SILENCE_MS - 20_000)) {
      beats++;
      store.edit((text) =>
        renderNotes(parseNotes(text, 101).human, recordOf(ELSEWHERE, { v: 1, beat: 1 + beats })),
      );
    }
  };
  await acquire();
  expect(beats).toBe(5);
  const silence = SILENCE_MS + GRACE_MS;
  expect(clock.time).toBeGreaterThanOrEqual(5 * (SILENCE_MS - 20_000) + silence);
  expect(clock.time).toBeLessThan(5 * (SILENCE_MS - 20_000) + silence + 30_000);
  // What a waiting run adds to the cluster's log: one line before it takes the VM.
  expect(store.writes).toBe(2);
});

test('silence under a config lock is no silence: the holder could not renew', async () => {
  store.description = renderNotes('', recordOf(ELSEWHERE));
  store.locked = true;
  clock.onSleep = () => {
    if (clock.time > 3_600_000) store.locked = false;
  };
  await acquire();
  expect(clock.time).toBeGreaterThanOrEqual(3_600_000 + SILENCE_MS);
});

test('a VM that nobody holds, but that stays locked, is an error that names the lock; a passing lock is waited for', async () => {
  store.locked = true;
  const told: [string, number][] = [];
  await expect(acquire({ onWait: (...each) => told.push(each) })).rejects.toMatchObject({
    code: 'VM_LOCKED',
    seen: 'backup',
  });
  expect(clock.time).toBe(store.lockPatience);
  expect(told).toEqual([
    ['nobody, but locked (backup)', 60_000],
    ['nobody, but locked (backup)', expect.any(Number)],
  ]);
  await expect(acquire({ wait: 0 })).rejects.toMatchObject({ code: 'VM_LOCKED' });
  clock.onSleep = () => (store.locked = false);
  await acquire();
  expect(holder()).toBe('me');
});

test('a lease that an edit broke is respected for the time of silence, a newer one for ever', async () => {
  store.description = renderNotes('note', recordOf(ELSEWHERE)).replace('"beat":1', '"beat":');
  await acquire();
  expect(clock.time).toBeGreaterThanOrEqual(SILENCE_MS);
  expect(parseNotes(store.description, 101).human).toBe('note');
  store.description = renderNotes('', recordOf(ELSEWHERE)).replace('"v":2', '"v":9');
  await expect(acquire()).rejects.toMatchObject({
    code: 'LEASE_HELD',
    seen: 'held by a run of a newer vmwright',
  });
});

test('the next worker of the run joins the lease; two at once do not work on one VM', async () => {
  const first = await acquire();
  const next = { ...ME, worker: { pid: 202, start: 2002 } };
  await expect(acquire({ self: next, wait: 0 })).rejects.toMatchObject({
    code: 'LEASE_HELD',
    seen: expect.stringContaining('worker process 201 of this run me'),
  });
  const joined = await acquire({ self: next, processes: hostOf({ 200: 2000, 202: 2002 }) });
  expect(joined.record.since).toBe(first.record.since);
  expect(joined.record.worker.pid).toBe(202);
  expect(clock.time).toBe(0);
});

test('of two that take at the same time one wins, and the other then waits', async () => {
  store.beforeWrite = () => {
    store.beforeWrite = () => undefined;
    store.edit(() => renderNotes('', recordOf(OTHER)));
    return undefined;
  };
  await expect(acquire({ wait: 1000 })).rejects.toMatchObject({ code: 'LEASE_HELD' });
  expect(holder()).toBe('other');
});

test('a write without an answer is settled by looking again, whichever way it went', async () => {
  store.beforeWrite = () => {
    store.beforeWrite = () => undefined;
    return 'unsure';
  };
  const lease = await acquire();
  expect(lease.record).toMatchObject({ run: 'me', beat: 2 });
  store.beforeWrite = () => {
    store.beforeWrite = () => undefined;
    return 'changed';
  };
  await lease.assertHeld('test');
  expect(lease.isFresh()).toBe(true);
});

test('a person’s words that come in between are in the notes afterwards', async () => {
  const lease = await acquire();
  store.beforeWrite = () => {
    store.beforeWrite = () => undefined;
    store.edit((text) => `remember the milk\n${text}`);
    return undefined;
  };
  await lease.assertHeld('test');
  await lease.release();
  expect(store.description).toBe('remember the milk');
});

test('a holder whose record is gone or another’s is LEASE_LOST from then on, and writes nothing', async () => {
  for (const change of [() => '', () => renderNotes('', recordOf(OTHER))]) {
    const lease = await acquire();
    store.edit(change);
    const { version } = store;
    await expect(lease.assertHeld('roll back to "ready"')).rejects.toMatchObject({
      code: 'LEASE_LOST',
      message: expect.stringContaining('to renew it'),
    });
    expect(lease.isFresh()).toBe(false);
    await lease.release();
    expect(store.version).toBe(version);
    store.edit(() => '');
  }
});

test('the same run that got the VM a second time has not held it all the time', async () => {
  const lease = await acquire();
  await lease.release();
  clock.time += 1000;
  await acquire();
  await expect(lease.assertHeld('test')).rejects.toMatchObject({ code: 'LEASE_LOST' });
});

test('a lease that cannot be renewed may be acted on for two minutes, however the clocks ran', async () => {
  const lease = await acquire();
  store.ask(lease.record);
  store.locked = true;
  clock.time += VALID_MS - 1;
  expect(lease.isFresh()).toBe(true);
  clock.time += 1;
  expect(lease.isFresh()).toBe(false);
  await expect(lease.assertHeld('test')).rejects.toMatchObject({ code: 'LEASE_LOST' });
  store.locked = false;
  await lease.assertHeld('test');
  expect(lease.isFresh()).toBe(true);
  clock.epoch += VALID_MS; // the host slept
  expect(lease.isFresh()).toBe(false);
});

/** Has `lease` look every half minute while the clock runs, as {@link Lease.keep} has it. */
function keepBeside(lease: Lease, upTo = Infinity): void {
  let next = clock.time + READ_MS;
  clock.onSleep = () => {
    if (clock.time < next || clock.time > upTo) return;
    next += READ_MS;
    void lease.assertHeld('keep').catch(() => undefined);
  };
}

test('CL2: kept, it is read every half minute, and in two hours nothing is written while nobody waits', async () => {
  const lease = await acquire({ doing: 'a message arrives' });
  const { version, calls } = store;
  const looks: number[] = [];
  let over = (): void => undefined;
  const sleeping = new Promise<void>((done) => (over = done));
  clock.sleep = (ms) => {
    looks.push(ms);
    clock.time += ms;
    if (looks.length <= 240) return Promise.resolve();
    lease.leave();
    over();
    return Promise.resolve();
  };
  lease.keep();
  await sleeping;
  expect(looks).toEqual(Array(241).fill(READ_MS));
  expect([store.calls - calls, store.version]).toEqual([240, version]);
  expect(lease.isFresh()).toBe(true);
  expect(holder()).toBe('me');
});

test('CL2: who waits asks, and not again for four minutes; each question is answered by one write, with the step', async () => {
  const held = await acquire({ self: ELSEWHERE, processes: hostOf({}, { host: 'ci-9', boot: 'another' }) });
  let step = 0;
  held.step = () => `step ${++step}`;
  keepBeside(held);
  const told: string[] = [];
  const { version } = store;
  const hour = 3_600_000;
  await expect(
    acquire({ wait: hour, onWait: (who) => told.push(/step \d+/.exec(who)?.[0] ?? 'none') }),
  ).rejects.toMatchObject({ code: 'LEASE_HELD' });
  const [writes, questions] = [store.version - version, hour / REST_MS];
  expect(writes).toBeGreaterThan(questions);
  expect(writes).toBeLessThanOrEqual(2 * questions + 2);
  expect(held.isFresh()).toBe(true);
  expect(new Set(told)).toEqual(
    new Set(['none', ...Array.from({ length: step }, (_, index) => `step ${index + 1}`)]),
  );
});

test('CL2: a holder elsewhere that answers no question is followed four minutes after it, and never without one', async () => {
  store.description = renderNotes('note', recordOf(ELSEWHERE));
  const asks: (string | undefined)[] = [];
  clock.onSleep = () => {
    const record = parseNotes(store.description, 101).marker?.record;
    asks.push(typeof record === 'object' ? record.ask?.run : record);
  };
  const lease = await acquire();
  expect(new Set(asks)).toEqual(new Set(['me']));
  expect(clock.time).toBeGreaterThanOrEqual(SILENCE_MS);
  expect(clock.time).toBeLessThan(SILENCE_MS + GRACE_MS + 30_000);
  expect(lease.record.ask).toBeUndefined();
  expect(parseNotes(store.description, 101)).toMatchObject({
    human: 'note',
    marker: { record: { run: 'me' } },
  });

  // A run that does not wait asks nothing, and waits for nothing to be answered.
  store.description = renderNotes('', recordOf(ELSEWHERE));
  const { version } = store;
  await expect(acquire({ wait: 0 })).rejects.toMatchObject({ code: 'LEASE_HELD' });
  expect(store.version).toBe(version);
  // Somebody else's question does as well.
  const since = clock.time;
  store.edit(() =>
    renderNotes('', recordOf(ELSEWHERE, { ask: { run: 'third', at: '2026-11-21T08:00:00.000Z' } })),
  );
  const before = store.version;
  await acquire();
  expect(clock.time - since).toBeGreaterThanOrEqual(SILENCE_MS);
  expect(store.version).toBe(before + 1);
});

test('CL2: a question that the holder sees and cannot answer does not renew its lease', async () => {
  const lease = await acquire();
  store.ask(lease.record);
  store.busy = true;
  clock.time += VALID_MS - 60_000;
  await expect(lease.assertHeld('go on')).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(lease.isFresh()).toBe(false);
  store.busy = false;
  await lease.assertHeld('go on');
  expect(lease.isFresh()).toBe(true);
  expect(store.description).not.toContain('"ask"');
});

test('CL2: what is going on is written once when it changes; a lock that forbids that is no fault of the lease', async () => {
  const lease = await acquire({ doing: 'one' });
  lease.doing = 'two';
  store.locked = true;
  clock.time += VALID_MS - 1000;
  await lease.assertHeld('go on');
  clock.time += 2000;
  expect(lease.isFresh()).toBe(true);
  store.locked = false;
  const { version } = store;
  for (let round = 0; round < 3; round++) await lease.assertHeld('go on');
  expect(store.version).toBe(version + 1);
  expect(store.description).toContain("at 'two'");
});

test('CL2: notes with no room for what is going on are not written again and again', async () => {
  store.description = 'n'.repeat(7850);
  const lease = await acquire({ doing: 'a message arrives' });
  expect(store.description).not.toContain('a message arrives');
  const { version } = store;
  for (let round = 0; round < 3; round++) await lease.assertHeld('go on');
  expect(store.version).toBe(version);
});

test('what is not the run’s own is not released', async () => {
  store.description = renderNotes('note', recordOf(OTHER));
  expect(await releaseRun(store, 'me', clock)).toBe(false);
  expect(holder()).toBe('other');
  expect(await releaseRun(store, 'other', clock)).toBe(true);
  expect(store.description).toBe('note');
});

test('a release waits for a config lock to go, for a minute', async () => {
  const lease = await acquire();
  store.locked = true;
  await expect(lease.release()).rejects.toMatchObject({ code: 'VM_LOCKED' });
  expect(clock.time).toBeGreaterThanOrEqual(60_000);
  const later = clock.time + 10_000;
  clock.onSleep = () => (store.locked = clock.time < later);
  await lease.release();
  expect(store.description).toBeUndefined();
});

test('a cluster that answers no more is an error after half a minute, a lock is waited for as long as the lease is fresh', async () => {
  const lease = await acquire();
  const read = store.read.bind(store);
  const gone = new VmwrightError({
    code: 'PROXMOX_UNREACHABLE',
    subject: 'Proxmox',
    message: 'the server does not answer',
    seen: 'ECONNREFUSED',
  });
  store.read = () => Promise.reject(gone);
  const start = clock.time;
  await expect(lease.assertHeld('end the test')).rejects.toMatchObject({
    code: 'LEASE_LOST',
    seen: expect.stringContaining('ECONNREFUSED'),
  });
  expect(clock.time - start).toBeGreaterThanOrEqual(30_000);
  expect(clock.time - start).toBeLessThan(45_000);
  store.read = read;
  await lease.assertHeld('end the test');
  store.ask(lease.record);
  store.locked = true;
  const lockedAt = clock.time;
  clock.onSleep = () => (store.locked = clock.time < lockedAt + 60_000);
  await lease.assertHeld('end the test');
  expect(clock.time - lockedAt).toBeGreaterThanOrEqual(60_000);
});

test('CL3: a shutdown of ten minutes, which holds the config file, never makes a holder elsewhere look dead', async () => {
  for (const [from, to] of [
    [1000, 601_000],
    [100_000, 239_000],
    [200_000, 800_000],
    [100_000, SILENCE_MS - 1000],
    [0, SILENCE_MS + 9000],
  ] as const)
    for (const v of [1, 2] as const) {
      store = new MemoryStore();
      clock = new FakeClock();
      const question = v === 1 ? {} : { ask: { run: 'third', at: '2026-11-21T08:00:00.000Z' } };
      store.description = renderNotes('', recordOf(ELSEWHERE, { v, ...question }));
      Object.defineProperty(store, 'busy', { get: () => clock.time >= from && clock.time < to });
      let beats = 1;
      clock.onSleep = () => {
        // The holder's next renewal comes within half a minute after the shutdown.
        if (beats > 1 || clock.time < to + READ_MS) return;
        store.edit((text) =>
          renderNotes(parseNotes(text, 101).human, recordOf(ELSEWHERE, { v, beat: ++beats })),
        );
      };
      await acquire();
      expect(clock.time, `busy ${from} to ${to}`).toBeGreaterThanOrEqual(to + READ_MS + SILENCE_MS - 15_000);
      expect(beats).toBeGreaterThan(1);
    }
});

test('CL3: one’s own power task holds the config file too: the lease is renewed once it is over', async () => {
  const lease = await acquire();
  store.busy = true;
  clock.time += VALID_MS + 1000;
  expect(lease.mayTouch()).toBe(false);
  store.busy = false;
  await lease.assertHeld('go on after a task');
  expect(lease.mayTouch()).toBe(true);
});
