import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { expect, test } from '@playwright/test';
import { replay } from '../../cli/replay.ts';
import { endProcess } from '../../cli/supervise.ts';
import { currentRun } from '../../cli/status.ts';
import { Secret } from '../../fixtures/secrets/index.ts';
import { type JournalEvent, readJournal } from '../../runs/journal.ts';
import { foldJournal, type RunState } from '../../runs/model.ts';
import { noteOf, type NoteKind } from '../../runs/notes.ts';
import { post, postedOf, type PostOptions } from '../../runs/post.ts';
import { identityOf, stateOf } from '../../fixtures/process/identity.ts';
import { readRun } from '../../runs/read-run.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
import { sectionsOf } from '../../runs/render/sections.ts';
import { beginRun, checkBuildName, FILES, updateRecord } from '../../runs/store.ts';
import { ROOT } from '../support/runner.ts';
import { begin, ended, NOBODY, over, recordOf, RUN, started, store } from './support.ts';
import { rounds, SOAK } from '../support/soak.ts';

const gone = { now: 30_000, processState: () => 'gone' as const };
const alive = { now: 30_000, processState: () => 'alive' as const };
const passed: JournalEvent[] = [begin([{ host: 'a', tests: 1 }]), started('a'), ended('a', 'passed'), over];
const failed: JournalEvent[] = [begin([{ host: 'a', tests: 1 }]), started('a'), ended('a', 'failed'), over];

test('a half-written last line is ignored; a lost or garbled line is a fault and the run is UNKNOWN', ({}, testInfo) => {
  const folder = testInfo.outputPath('b');
  store(folder, passed);
  const file = join(folder, FILES.journal);
  const whole = readFileSync(file, 'utf8');
  appendFileSync(file, '{"v":1,"n":5,"ty');
  expect(readRun(folder, gone)?.model.state).toBe('COMPLETED');
  for (const damaged of [
    whole.replace('"test-begin"', '"test-'),
    whole.split('\n').toSpliced(1, 1).join('\n'),
  ]) {
    writeFileSync(file, damaged.replace('"test-,', '"test-"'));
    expect(readRun(folder, gone)?.model.state).toBe('UNKNOWN');
  }
  writeFileSync(file, `${whole}${whole.split('\n')[2]!}\n`);
  expect(readRun(folder, gone)?.model.state).toBe('COMPLETED');
  expect(() => readJournal('{"v":99,"n":1,"type":"run-begin","at":0}\n')).toThrow('JOURNAL_TOO_NEW');
});

test('P-A6, P-A7, A176: each of the conditions of completeness alone missing prevents the post', async ({}, testInfo) => {
  const receiver = await listen(() => 200);
  const cases: [string, JournalEvent[], RunState, typeof gone | typeof alive][] = [
    ['alive', passed, 'RUNNING', alive],
    ['running', passed.slice(0, 2), 'RUNNING', alive],
    ['waiting', passed.slice(0, 1), 'RUNNING', alive],
    ['terminated', passed.slice(0, 2), 'TERMINATED', gone],
    ['no-end', passed.slice(0, 3), 'TERMINATED', gone],
    [
      'cancelled',
      [...passed.slice(0, 2), { ...over, result: 'cancelled' } as JournalEvent],
      'CANCELLED',
      gone,
    ],
    ['hung', passed.slice(0, 2), 'HUNG', { ...alive, now: 3_600_000 }],
    ['unknown', [passed[0]!, over], 'UNKNOWN', gone],
    ['empty', [begin([]), over], 'UNKNOWN', gone],
  ];
  for (const [name, events, state, options] of cases) {
    const folder = testInfo.outputPath(name);
    store(folder, events);
    const { model } = readRun(folder, options)!;
    expect(model.state, name).toBe(state);
    await expect(post(folder, model, receiver.options), name).rejects.toThrow('POST_REFUSED');
  }
  expect(receiver.bodies).toHaveLength(0);
  receiver.server.close();
});

test('A173: two posters at once make one request; the body is the summary', async ({}, testInfo) => {
  const receiver = await listen(() => 200);
  const folder = testInfo.outputPath('b');
  store(folder, failed);
  const { model } = readRun(folder, gone)!;
  const results = await Promise.allSettled([1, 2, 3].map(() => post(folder, model, receiver.options)));
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  expect(receiver.bodies).toEqual([{ text: renderMarkdown(model, { now: 0 }) }]);
  await expect(post(folder, model, receiver.options)).rejects.toThrow('POST_DONE');
  expect(receiver.bodies).toHaveLength(1);
  receiver.server.close();
});

test('a journal of another group in the folder of one is a fault; a copy of a group lies anywhere', ({}, testInfo) => {
  const own: JournalEvent[] = [begin([{ host: 'a', tests: 1 }], { group: 'x y' }), ...passed.slice(1)];
  const place = (name: string): string => testInfo.outputPath('b', name);
  for (const [folder, state] of [
    [place('groups/x%20y'), 'COMPLETED'],
    [place('groups/z'), 'UNKNOWN'],
    [place('groups/x%20y/shards/1-of-2'), 'UNKNOWN'],
    [place('copy'), 'COMPLETED'],
  ] as const) {
    store(folder, own);
    expect(readRun(folder, gone)?.model.state, folder).toBe(state);
    rmSync(folder, { recursive: true });
  }
});

test('VE17: a post is of the run whose record is in the folder, before and after the claim', async ({}, testInfo) => {
  const folder = testInfo.outputPath('b');
  const receiver = await listen(() => 200);
  store(folder, failed);
  const { model } = readRun(folder, gone)!;
  const reasons = [
    () => beginRun(folder, recordOf({ run: 'another' })),
    () => rmSync(join(folder, FILES.record)),
    () => beginRun(folder, recordOf({ groups: [{ name: 'a b', hosts: ['a'] }] })),
  ];
  for (const change of reasons) {
    change();
    await expect(post(folder, model, receiver.options)).rejects.toThrow(/POST_REFUSED/);
  }
  await expect(post(folder, model, receiver.options)).rejects.toThrow('--build b/groups/a%20b');
  beginRun(folder, recordOf());
  await expect(post(folder, { ...model, run: undefined }, receiver.options)).rejects.toThrow('POST_REFUSED');
  // A run of the same name begins while the post is under way to its claim.
  const now = (): number => {
    beginRun(folder, recordOf({ run: 'another' }));
    return 0;
  };
  await expect(post(folder, model, { ...receiver.options, now })).rejects.toThrow(
    /POST_REFUSED[^]*another run/,
  );
  expect(receiver.bodies).toEqual([]);
  beginRun(folder, recordOf());
  await post(folder, model, receiver.options);
  expect(receiver.bodies).toHaveLength(1);
  receiver.server.close();
});

test('replay prints what is posted', async ({}, testInfo) => {
  const receiver = await listen(() => 200);
  const folder = testInfo.outputPath('b');
  store(folder, failed);
  await post(folder, readRun(folder, gone)!.model, receiver.options);
  let text = '';
  replay(folder, { format: 'markdown' }, { write: (part: string) => (text += part) });
  expect(receiver.bodies).toEqual([{ text }]);
  receiver.server.close();
});

test('A175: a correction says what it supersedes, and is the only second post', async ({}, testInfo) => {
  const receiver = await listen(() => 200);
  const folder = testInfo.outputPath('b');
  store(folder, failed);
  const { model } = readRun(folder, gone)!;
  await expect(post(folder, model, { ...receiver.options, correction: 'why' })).rejects.toThrow(
    'nothing was posted',
  );
  const first = await post(folder, model, receiver.options);
  await post(folder, model, { ...receiver.options, correction: 'a was wrong' });
  const lines = (receiver.bodies[1] as { text: string }).text.split('\n');
  const postedAt = new Date(first.at).toISOString().slice(0, 19).replace('T', ' ');
  expect(lines[2]).toBe(`**CORRECTION - supersedes the result posted ${postedAt} UTC: a was wrong**`);
  expect(lines[3]).toMatch(/^_state: FAILED/);
  receiver.server.close();
});

test('P-A14: the marker comes only after a 2xx, and tries are bounded', async ({}, testInfo) => {
  const flaky = await listen((count) => (count === 1 ? 500 : 200));
  const folder = testInfo.outputPath('b');
  store(folder, passed);
  const { model } = readRun(folder, gone)!;
  const broken = await listen(() => 500);
  await expect(post(folder, model, broken.options)).rejects.toThrow('POST_FAILED');
  expect(broken.bodies).toHaveLength(3);
  expect(postedOf(folder)).toBeUndefined();
  await post(folder, model, flaky.options);
  expect(postedOf(folder)?.attempts).toBe(2);
  broken.server.close();
  flaky.server.close();
});

test('a process that died in mid-post leaves a doubt, not a second post', async ({}, testInfo) => {
  const receiver = await listen(() => 200);
  const folder = testInfo.outputPath('b');
  store(folder, passed);
  const { model } = readRun(folder, gone)!;
  const dead = { ...identityOf(process.pid), startTime: '1' };
  writeFileSync(join(folder, 'posted.json.claim'), JSON.stringify({ claimedAt: 0, process: dead }));
  await expect(post(folder, model, receiver.options)).rejects.toThrow('POST_UNCERTAIN');
  expect(receiver.bodies).toHaveLength(0);
  await post(folder, model, { ...receiver.options, notThere: true });
  expect(receiver.bodies).toHaveLength(1);
  receiver.server.close();
});

test('A89: a run of another version is not posted', async ({}, testInfo) => {
  const receiver = await listen(() => 200);
  const folder = testInfo.outputPath('b');
  store(folder, [begin([{ host: 'a', tests: 1 }], { version: '0.0.1' }), ...passed.slice(1)]);
  await expect(post(folder, readRun(folder, gone)!.model, receiver.options)).rejects.toThrow('0.0.1');
  expect(receiver.bodies).toHaveLength(0);
  receiver.server.close();
});

test('a second run of a name inherits nothing', ({}, testInfo) => {
  const folder = testInfo.outputPath('b');
  store(folder, passed);
  for (const name of [FILES.posted, FILES.cancelled, FILES.stuck, FILES.url, 'run.log'])
    writeFileSync(join(folder, name), '{"at":1}');
  store(join(folder, 'groups', 'g'), passed);
  beginRun(folder, recordOf({ run: 'run-2', startedAt: 99 }));
  expect(readdirSync(folder)).toEqual([FILES.record]);
});

test("P-A13: a state file alone is no run; evidence of another run id is not this run's", ({}, testInfo) => {
  const folder = testInfo.outputPath('b');
  store(folder, passed);
  rmSync(join(folder, FILES.journal));
  expect(readRun(folder, gone)?.model.state).toBe('UNKNOWN');
  store(folder, [begin([{ host: 'a', tests: 1 }], { run: 'old' }), ...passed.slice(1)]);
  expect(readRun(folder, gone)?.model.state).toBe('UNKNOWN');
  rmSync(join(folder, FILES.record));
  expect(readRun(folder, gone)).toBeUndefined();
});

test('P-A5: a build name has no spaces', () => {
  expect(() => checkBuildName('a b')).toThrow('BUILD_NAME_INVALID');
  expect(() => checkBuildName('..')).toThrow('BUILD_NAME_INVALID');
  expect(checkBuildName('smoke-1.2')).toBe('smoke-1.2');
});

test('P-A8: FAIL and then a partial result of the same attempt is FAIL', () => {
  for (const partial of [started('a', 15_000), ended('a', 'interrupted'), ended('a', 'skipped')]) {
    expect(foldJournal([...failed.slice(0, 3), partial, over]).hosts[0]?.status).toBe('FAIL');
    expect(foldJournal([...failed.slice(0, 2), partial, failed[2]!, over]).hosts[0]?.status).toBe('FAIL');
  }
});

test('A87: a bookkeeping spec that passed is no result of the machine', () => {
  const setup = ended('a', 'passed', { suite: 'global.setup' });
  const model = foldJournal([begin([{ host: 'a' }]), setup, over]);
  expect(model.hosts[0]?.status).toBe('UNKNOWN');
  expect(sectionsOf(model, { now: 0 }).summary[0]).toEqual(['finished', 0]);
});

test('A77, A82, A84, P-A11: a run in groups shows every planned machine', ({}, testInfo) => {
  const folder = testInfo.outputPath('b');
  const groups = [
    { name: 'ubuntu-batch', hosts: ['u1', 'redhat'] },
    { name: 'suse', hosts: ['s1'] },
    { name: 'win', hosts: ['w1'] },
  ];
  beginRun(folder, recordOf({ groups }));
  const first = [
    begin([
      { host: 'u1', tests: 1 },
      { host: 'redhat', tests: 1 },
    ]),
    ended('u1', 'passed'),
    ended('redhat', 'failed'),
    over,
  ];
  const second = [begin([{ host: 's1', tests: 1 }]), started('s1', 25_000)];
  const runner = { ...NOBODY, pid: 2 };
  store(join(folder, 'groups/ubuntu-batch'), first, { process: runner });
  const between = readRun(folder, {
    now: 80_000,
    processState: ({ pid }) => (pid === 1 ? 'alive' : 'gone'),
  })!;
  expect(between.model.state).toBe('RUNNING');
  expect(between.model.hosts.map((host) => host.host)).toEqual(['u1', 'redhat', 's1', 'w1']);
  store(join(folder, 'groups/suse'), second);
  const { model } = readRun(folder, alive)!;
  expect(model.state).toBe('RUNNING');
  expect(model.hosts.slice(2).map((host) => host.status)).toEqual(['RUN', 'WAIT']);
  writeFileSync(join(folder, 'groups/suse', FILES.journal), 'garbage\n');
  const damaged = readRun(folder, gone)!;
  expect(damaged.model.hosts.map((host) => host.status)).toEqual(['PASS', 'FAIL', 'UNKNOWN', 'UNKNOWN']);
  expect(damaged.model.notes.join()).toContain('groups/suse');
});

test('a shard without a report leaves its machines UNKNOWN, and nothing is posted', async ({}, testInfo) => {
  const receiver = await listen(() => 200);
  const folder = testInfo.outputPath('b');
  const scope = [1, 2, 3].map((shard) => ({ host: `h${shard}`, tests: 1, shard }));
  beginRun(folder, recordOf({ shards: 3 }));
  for (const current of [1, 3, 2]) {
    store(
      join(folder, `shards/${current}-of-3`),
      [begin(scope, { shard: { current, total: 3 } }), ended(`h${current}`, 'passed'), over],
      { shards: 3 },
    );
    const part = readRun(join(folder, `shards/${current}-of-3`), gone)!;
    await expect(post(folder, part.model, receiver.options)).rejects.toThrow('POST_REFUSED');
    const { model } = readRun(folder, gone)!;
    expect(model.hosts.map((host) => host.host)).toEqual(['h1', 'h2', 'h3']);
    if (current !== 2) {
      expect(model.hosts[1]).toMatchObject({
        status: 'UNKNOWN',
        detail: 'the report of shard 2/3 is missing',
      });
      await expect(post(folder, model, receiver.options)).rejects.toThrow('POST_REFUSED');
    } else await post(folder, model, receiver.options);
  }
  expect(receiver.bodies).toHaveLength(1);
  receiver.server.close();
});

test('P-A10: a group without a machine that has a result is not posted, and says why', async ({}, testInfo) => {
  const receiver = await listen(() => 200);
  const groups = [{ name: 'g', hosts: ['a'] }];
  const cases: [JournalEvent[], typeof gone | typeof alive, RunState, string][] = [
    [[begin([], { group: 'g' }), over], gone, 'UNKNOWN', 'its state is UNKNOWN'],
    [[begin([{ host: 'a', tests: 1 }], { group: 'g' }), over], gone, 'UNKNOWN', 'its state is UNKNOWN'],
    [[begin([{ host: 'a', skip: 'x' }], { group: 'g' }), over], gone, 'COMPLETED', 'no machine has a result'],
    [[begin([{ host: 'a', tests: 1 }], { group: 'g' })], alive, 'RUNNING', 'its state is RUNNING'],
  ];
  for (const [index, [events, runner, state, reason]] of cases.entries()) {
    const folder = testInfo.outputPath(String(index));
    beginRun(folder, recordOf({ groups }));
    const part = join(folder, 'groups/g');
    store(part, events);
    const { model } = readRun(part, runner)!;
    expect(model.state).toBe(state);
    await expect(post(part, model, receiver.options)).rejects.toThrow(reason);
  }
  expect(receiver.bodies).toHaveLength(0);
  receiver.server.close();
});

test('status is the live run, else the latest, marked historical', ({}, testInfo) => {
  const state = testInfo.outputPath('state');
  store(join(state, 'old'), passed, { build: 'old', startedAt: 1 });
  store(join(state, 'new'), failed, { build: 'new', startedAt: 2 });
  expect(currentRun({ state }, 30_000).record.build).toBe('new');
  store(join(state, 'live'), [begin([{ host: 'a' }]), started('a')], {
    build: 'live',
    process: identityOf(process.pid),
  });
  expect(currentRun({ state }, 30_000).model.state).toBe('RUNNING');
  const model = foldJournal(passed);
  expect(sectionsOf(model, { now: 0, historical: true }).state).toBe(
    'state: COMPLETED (historical, ended 1970-01-01 00:00:20 UTC)',
  );
});

test('replay renders the same, and neither posts nor writes', ({}, testInfo) => {
  const folder = testInfo.outputPath('b');
  store(folder, failed);
  const before = readdirSync(folder).map((name) => [
    name,
    statSync(join(folder, name)).mtimeMs,
    readFileSync(join(folder, name), 'utf8'),
  ]);
  let text = '';
  replay(folder, { format: 'markdown' }, { write: (part: string) => (text += part) });
  expect(text).toBe(renderMarkdown(foldJournal(failed), { now: 0 }));
  expect(
    readdirSync(folder).map((name) => [
      name,
      statSync(join(folder, name)).mtimeMs,
      readFileSync(join(folder, name), 'utf8'),
    ]),
  ).toEqual(before);
});

test('A13, A14, A153: harmless messages are notes only where nothing was started; kinds are fixed', () => {
  const note = noteOf(1, 'anomaly', 'reset-failed: Unit x not loaded');
  expect(
    sectionsOf(foldJournal([passed[0]!, note, ...passed.slice(1)]), { now: 0 }).notes.join(),
  ).not.toContain('reset-failed');
  expect(sectionsOf(foldJournal([begin([{ host: 'a' }]), note, over]), { now: 0 }).notes.join()).toContain(
    'reset-failed',
  );
  expect(() => noteOf(1, 'chatter' as NoteKind, 'x')).toThrow(RangeError);
});

test("A149, A150: the stored address of the run stands above the journal's", ({}, testInfo) => {
  const folder = testInfo.outputPath('b');
  store(folder, [begin([{ host: 'a' }], { url: 'https://x/scraped' }), over]);
  writeFileSync(join(folder, FILES.url), 'https://x/stored\n');
  expect(readRun(folder, gone)?.model.url).toBe('https://x/stored');
});

test('of two journal lines of one number that differ neither is believed alone; one that was written twice says nothing new', () => {
  const line = (event: Readonly<Record<string, unknown>>): string => JSON.stringify({ v: 2, n: 1, ...event });
  const passed = line({ type: 'test-end', at: 1, host: 'a', outcome: 'passed', expected: true });
  const failed = line({ type: 'test-end', at: 1, host: 'a', outcome: 'failed', expected: false });
  expect(readJournal(`${passed}\n${passed}\n`).faults).toEqual([]);
  expect(readJournal(`${passed}\n${failed}\n`).faults).toEqual(['line 2 is another event 1']);
});

/** Appends the events of a run of three machines, slowly enough to be killed anywhere. */
const WRITER = `
import { openJournal } from '${ROOT}/runs/journal.ts';
const journal = openJournal(process.argv[1]);
const at = (() => { let n = 0; return () => ++n; })();
journal.append({ type: 'run-begin', at: at(), run: '${RUN}', version: '0', build: 'b', hosts: ['a','b','c'].map((host) => ({ host, tests: 1 })), slots: 1, command: 'c', coverage: [] });
process.stdout.write('ready');
for (const host of ['a', 'b', 'c']) {
  const test = { host, suite: 's', test: 't', retry: 0 };
  journal.append({ type: 'test-begin', at: at(), ...test });
  for (let i = 0; i < 20; i++) { journal.append({ type: 'step-begin', at: at(), host, title: 'step ' + i }); await new Promise((done) => setImmediate(done)); }
  journal.append({ type: 'test-end', at: at(), ...test, outcome: 'passed', expected: true, steps: [], durationMs: 1 });
}
journal.append({ type: 'run-end', at: at(), result: 'finished' });`;

const KILLS = rounds(5, 100);

test(
  'kill -9 at random moments: status and replay agree, and nothing passes without its own result',
  SOAK,
  async ({}, testInfo) => {
    test.setTimeout(60_000 + KILLS * 3_000);
    for (let round = 0; round < KILLS; round++) {
      const folder = testInfo.outputPath(`k${round}`);
      beginRun(folder, recordOf());
      const file = join(folder, FILES.journal);
      const child: ChildProcess = spawn(
        process.execPath,
        ['--import', 'tsx', '--input-type=module', '-e', WRITER, file],
        { cwd: ROOT },
      );
      const exited = new Promise((done) => child.once('exit', done));
      updateRecord(folder, { schemaVersion: 1, ...recordOf({ process: identityOf(child.pid ?? 0) }) });
      await Promise.race([new Promise((done) => child.stdout?.once('data', done)), exited]);
      await new Promise((done) => setTimeout(done, Math.random() * 12));
      child.kill('SIGKILL');
      await exited;
      const { model } = readRun(folder, { now: gone.now })!;
      let text = '';
      replay(folder, { format: 'json' }, { write: (part: string) => (text += part) }, gone.now);
      const replayed = JSON.parse(text) as { state: string; hosts: { status: string }[] };
      const { events } = readJournal(readFileSync(file, 'utf8'));
      for (const [index, host] of model.hosts.entries()) {
        const own = events.some((event) => event.type === 'test-end' && event.host === host.host);
        expect(host.status === 'PASS').toBe(own);
        expect(replayed.hosts[index]?.status).toBe(host.status);
      }
      expect(model.state).toBe(events.some((event) => event.type === 'run-end') ? 'COMPLETED' : 'TERMINATED');
    }
  },
);

test('only exactly the recorded process is signalled', () => {
  const own = identityOf(process.pid);
  expect(stateOf(own)).toBe('alive');
  expect(stateOf({ ...own, startTime: '1' })).toBe('gone');
  const signalled: number[] = [];
  const kill = (pid: number): number => signalled.push(pid);
  expect(endProcess({ ...own, startTime: '1' }, 'SIGTERM', kill)).toBe(false);
  expect(signalled).toEqual([]);
  expect(endProcess(own, 'SIGTERM', kill)).toBe(true);
  expect(signalled).toEqual([process.pid]);
  expect(stateOf({ ...own, bootId: 'other' })).toBe('gone');
  expect(stateOf({ ...own, hostname: 'elsewhere' })).toBe('unknown');
});

test('LK9: a chat server that answers without an end, or breaks off: what took the summary got it once, what refused it is quoted in short', async ({}, testInfo) => {
  for (const [status, body] of [
    [200, 'endless'],
    [200, 'cut'],
    [403, 'endless'],
  ] as const) {
    const receiver = await listen(() => status, body);
    const folder = testInfo.outputPath(`${status}-${body}`);
    store(folder, passed);
    const posting = post(folder, readRun(folder, gone)!.model, receiver.options);
    if (status === 200) expect(await posting).toMatchObject({ attempts: 1 });
    else {
      await expect(posting).rejects.toMatchObject({
        code: 'POST_FAILED',
        seen: 'HTTP 403 more than 1 MiB',
      });
    }
    expect(receiver.bodies).toHaveLength(1);
    receiver.server.close();
  }
});

interface Receiver {
  readonly server: Server;
  readonly bodies: unknown[];
  readonly options: PostOptions;
}

/** A real HTTP receiver; `answer` gives the status of the n-th request, from 1. */
async function listen(answer: (count: number) => number, body?: 'endless' | 'cut'): Promise<Receiver> {
  const pieces = Array.from({ length: 100 }, () => 'no '.repeat(1 << 16));
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    let posted = '';
    request.setEncoding('utf8').on('data', (text: string) => (posted += text));
    request.on('end', () => {
      bodies.push(JSON.parse(posted));
      response.writeHead(answer(bodies.length));
      // Until the client hangs up.
      if (body === 'endless') pipeline(Readable.from(pieces), response, () => undefined);
      else if (body === 'cut') response.write('o', () => response.destroy());
      else response.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const url = new Secret('VMWRIGHT_POST_URL', `http://127.0.0.1:${port}/hooks/x`);
  return {
    server,
    bodies,
    options: {
      webhook: { url, kind: 'mattermost' },
      now: () => 1_800_000_000_000,
      sleep: () => Promise.resolve(),
    },
  };
}
