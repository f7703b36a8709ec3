/**
 * Each answer of the cluster, replaced once by something that is none, at each call of each part of a run: what follows is
 * an error of vmwright's or the right result, never a lost note, a second holder, an endless loop or a crash.
 */
import { expect, test as base } from '@playwright/test';
import { isVmwrightError } from '../../fixtures/errors.ts';
import { Lease } from '../../fixtures/lease/lease.ts';
import { parseNotes, renderNotes } from '../../fixtures/lease/record.ts';
import { notesOf } from '../../fixtures/lease/store.ts';
import { surveyVm } from '../../fixtures/lease/survey.ts';
import { connectProxmox, type Proxmox, type Vm } from '../../fixtures/proxmox/index.ts';
import type { Tampered } from '../../lab/api/tamper.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { FakeClock, hostOf, recordOf, runOf } from '../lease/support/lease.ts';
import { labConnection } from './support/fixtures.ts';

const HERE = hostOf({ 200: 2000, 201: 2001 });
const ME = runOf('me', { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } });
const RIVAL = runOf('rival', { host: 'ci-9', boot: 'another' });
const NOTE = 'Owner: desktop team';

const page = '<html><body>Bad gateway</body></html>';
const REPLACEMENTS: Readonly<Record<string, Tampered['instead']>> = {
  '{}': { status: 200, body: '{}' },
  '[]': { status: 200, body: '[]' },
  null: { status: 200, body: 'null' },
  'data {}': { status: 200, body: '{"data":{}}' },
  'data []': { status: 200, body: '{"data":[]}' },
  'data null': { status: 200, body: '{"data":null}' },
  'data in data': { status: 200, body: '', nested: true },
  'an empty body': { status: 200, body: '' },
  HTML: { status: 200, body: page, type: 'text/html' },
  '500': { status: 500, reason: 'Internal Server Error', body: '' },
  'a proxy’s 502': { status: 502, reason: 'Bad Gateway', body: page, type: 'text/html' },
  '596': { status: 596, reason: 'Connection timed out', body: '' },
  'a cut-off body': 'cut',
  silence: 'silence',
};
/** So that silence takes a moment: all of the client's time goes so much faster. */
const SCALE = 0.003;
/** Every replacement at every call; else every one once for each endpoint, and at its other calls one after the other. */
const ALL = process.env.VMWRIGHT_REPLACED === 'all';
const KINDS = Object.entries(REPLACEMENTS);
const done = new Set<string>();
let turn = 0;

/** What the answer to a call is replaced by, in this run of the tests. */
function kindsFor(endpoint: string): typeof KINDS {
  if (ALL || !done.has(endpoint)) {
    done.add(endpoint);
    return KINDS;
  }
  return [KINDS[turn++ % KINDS.length]!];
}

/** More requests than any part needs, whatever is replaced: it goes round in circles. */
const MOST_REQUESTS = 400;

interface Stage {
  readonly proxmox: Proxmox;
  readonly vm: Vm;
  /** What the run holds, if it does. */
  lease: Lease | undefined;
  acquire(self?: typeof ME): Promise<Lease>;
}

/** A part of a run. What it brings is what it has to bring, if anything. */
interface Act {
  readonly held: boolean;
  run(stage: Stage): Promise<unknown>;
}

const ACTS: Readonly<Record<string, Act>> = {
  'finding a VM': {
    held: false,
    run: async ({ proxmox }) => {
      const { vmid, node, name } = await proxmox.findVm('fedora42');
      return { vmid, node, name };
    },
  },
  'taking its lease': {
    held: false,
    run: async (stage) => {
      stage.lease = await stage.acquire();
    },
  },
  'a survey': {
    held: false,
    run: async ({ proxmox, vm }) => {
      const { lease, lock, halfMade } = await surveyVm(proxmox, vm, HERE);
      return { lease, lock, halfMade };
    },
  },
  'proving the lease': { held: true, run: ({ lease }) => lease!.assertHeld('go on') },
  'giving it back': { held: true, run: ({ lease }) => lease!.release() },
  'a rollback': { held: true, run: ({ vm }) => vm.snapshots.rollback('ready') },
  'a checkpoint': {
    held: true,
    run: async ({ vm }) => {
      await vm.checkpoint('mine');
      await vm.snapshots.remove('mine');
      return (await vm.snapshots.list()).map(({ name }) => name);
    },
  },
  'a command by the agent': {
    held: true,
    run: async ({ vm }) => {
      await vm.agent.waitReady();
      return (await vm.agent.exec(['/bin/echo', 'in'])).stdout;
    },
  },
  'its address': { held: true, run: ({ vm }) => vm.ip() },
  'its console': { held: true, run: async ({ vm }) => Object.keys(await vm.console()) },
  'switching it off and on': {
    held: true,
    run: async ({ vm }) => {
      await vm.stop();
      await vm.start();
      return vm.isRunning();
    },
  },
  'a change of its config': {
    held: true,
    run: async ({ vm }) => {
      await vm.setConfig({ tags: 'a' });
      return (await vm.config()).tags;
    },
  },
};

let lab: Lab;
/** How many requests there were before the part that runs. */
let asked = 0;
const open: Proxmox[] = [];
base.beforeAll(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
base.afterAll(async () => {
  await Promise.all(open.map((proxmox) => proxmox.close()));
  await lab.stop();
});

async function connected(scale: number): Promise<Proxmox> {
  let now = 0;
  const clock = {
    now: () => now,
    sleep: (ms: number) => {
      now += ms * scale;
      return new Promise<void>((done) => setImmediate(done));
    },
  };
  const proxmox = await connectProxmox({ ...labConnection(lab), timeoutScale: scale }, clock);
  open.push(proxmox);
  return proxmox;
}

/** The machine as it is at first: on, with a person's note, with or without the run's lease. */
async function staged(proxmox: Proxmox, { held }: Act): Promise<Stage> {
  lab.tamper = () => undefined;
  const machine = lab.machine('fedora42');
  // What an earlier part left under way.
  while (lab.tasks.list().some(({ exitstatus }) => exitstatus === undefined))
    await new Promise((done) => setImmediate(done));
  machine.lock = undefined;
  machine.pending.clear();
  machine.snapshots.delete('mine');
  machine.parent = 'ready';
  if (!machine.isRunning()) await machine.guest.loadSnapshot('ready', { ram: true, config: machine.config });
  machine.config.description = NOTE;
  Reflect.deleteProperty(machine.config, 'tags');
  const vm = await proxmox.findVm('fedora42');
  vm.hold = undefined;
  const clock = new FakeClock();
  const stage: Stage = {
    proxmox,
    vm,
    lease: undefined,
    acquire: (self = ME) => {
      const processes =
        self === ME ? HERE : hostOf({ 100: 1000, 101: 1001 }, { host: 'ci-9', boot: 'another' });
      return Lease.acquire(notesOf(vm), { self, wait: 0, clock, processes });
    },
  };
  if (held) vm.hold = stage.lease = await stage.acquire();
  asked = lab.requests.length;
  return stage;
}

/** Replaces the answer to the call with this number. */
function replace(at: number, tampered: Tampered): void {
  let left = at;
  lab.tamper = () => {
    if (lab.requests.length - asked > MOST_REQUESTS) throw new Error('in circles');
    return left-- === 0 ? tampered : undefined;
  };
}

async function check(stage: Stage, what: string): Promise<void> {
  lab.tamper = () => undefined;
  expect(lab.requests.length - asked, what).toBeLessThan(MOST_REQUESTS);
  const notes = parseNotes(lab.machine('fedora42').config.description as string, 101);
  expect(notes.human, what).toBe(NOTE);
  const { lease } = stage;
  if (lease?.mayTouch() !== true) return;
  // Whoever may act is who the notes name, and nobody else gets the machine.
  expect(notes.marker, what).toMatchObject({ record: { run: 'me', since: lease.record.since } });
  const rival = await stage.acquire(RIVAL).catch((error: unknown) => error);
  expect(rival, what).toMatchObject({ code: 'LEASE_HELD' });
}

for (const [name, act] of Object.entries(ACTS)) {
  base(`CL12: each answer replaced once: ${name}`, async () => {
    base.setTimeout(300_000);
    const [usual, fast] = [await connected(1), await connected(SCALE)];
    const stage = await staged(usual, act);
    const right = await act.run(stage);
    const calls = lab.requests.slice(asked).map(({ method, path }) => ({ method, path }));
    await check(stage, 'as it is');
    expect(calls.length).toBeGreaterThan(0);
    for (const [at, { method, path }] of calls.entries()) {
      for (const [kind, instead] of kindsFor(`${method} ${path.replace(/UPID:[^/]+/, '{upid}')}`)) {
        for (const carriedOut of method === 'GET' ? [true] : [true, false]) {
          // That is what Proxmox says when it has done it.
          if (method === 'PUT' && kind === 'data null' && !carriedOut) continue;
          const what = `${kind} for ${method} ${path} (call ${at}${carriedOut ? '' : ', not carried out'})`;
          const again = await staged(kind === 'silence' ? fast : usual, act);
          replace(at, { carriedOut, instead });
          const outcome = await act.run(again).then(
            (result) => ({ result }),
            (error: unknown) => ({ error }),
          );
          if ('error' in outcome) {
            expect(isVmwrightError(outcome.error), `${what}: ${String(outcome.error)}`).toBe(true);
          } else expect(outcome.result, what).toEqual(right);
          await check(again, what);
        }
      }
    }
  });
}

base('CL12: each answer replaced once: a lease that another run holds is not taken', async () => {
  const [usual, fast] = [await connected(1), await connected(SCALE)];
  const held = renderNotes(NOTE, recordOf(RIVAL));
  for (const [kind, instead] of Object.entries(REPLACEMENTS)) {
    for (const at of [0, 1, 2]) {
      const stage = await staged(kind === 'silence' ? fast : usual, {
        held: false,
        run: () => Promise.resolve(),
      });
      lab.machine('fedora42').config.description = held;
      replace(at, { carriedOut: true, instead });
      const taken = await stage.acquire().catch((error: unknown) => error);
      expect(isVmwrightError(taken), `${kind}, call ${at}`).toBe(true);
      expect(lab.machine('fedora42').config.description, `${kind}, call ${at}`).toBe(held);
    }
  }
});

base('CL12: each answer replaced once: logging in', async () => {
  for (const [kind, instead] of Object.entries(REPLACEMENTS)) {
    for (const at of [0, 1]) {
      replace(at, { carriedOut: true, instead });
      const scale = kind === 'silence' ? SCALE : 1;
      let now = 0;
      const clock = { now: () => now, sleep: (ms: number) => Promise.resolve(void (now += ms)) };
      const connection = { ...labConnection(lab, 'password'), timeoutScale: scale };
      const proxmox = await connectProxmox(connection, clock).catch((error: unknown) => error);
      if (isVmwrightError(proxmox)) continue;
      expect((proxmox as Proxmox).release, `${kind}, call ${at}`).toBe('9.2');
      open.push(proxmox as Proxmox);
    }
  }
});
