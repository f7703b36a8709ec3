/** A live run in a PID namespace of its own, as in a container, and everybody outside who has to leave it alone. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Lease } from '../../fixtures/lease/lease.ts';
import type { LeaseIdentity } from '../../fixtures/lease/identity.ts';
import { GRACE_MS, SILENCE_MS as LEASE_SILENCE_MS } from '../../fixtures/lease/protocol.ts';
import { renderNotes } from '../../fixtures/lease/record.ts';
import { heldBy } from '../../fixtures/lease/survey.ts';
import { SILENCE_MS } from '../../fixtures/process/identity.ts';
import { descendantPids, systemProcesses } from '../../fixtures/process/view.ts';
import { reapOrphan } from '../../fixtures/trace/orphan.ts';
import { FakeClock, MemoryStore, recordOf, runOf } from '../lease/support/lease.ts';
import { takeClaim } from '../../runs/claim.ts';
import { homeVariables } from '../support/home.ts';
import { requireNamespaces } from '../support/peers.ts';
import { cleanEnvironment, PLAYWRIGHT, ROOT } from '../support/runner.ts';
import { vmwright, writeRunProject } from './command.ts';

/** Its worker writes down who it is, enrolls for a trace, and works until it is told to end. */
const SPEC = `
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { test } from '@playwright/test';
import { identify } from '${ROOT}/fixtures/lease/identity.ts';
import { systemProcesses } from '${ROOT}/fixtures/process/view.ts';
import { enroll, tracePaths, writeEnrollment } from '${ROOT}/fixtures/trace/enrollment.ts';
test('t', async () => {
  if (existsSync('end')) return;
  test.setTimeout(0);
  const { trace, enrollment } = tracePaths('traces', process.pid);
  writeFileSync(trace, '');
  writeEnrollment(enrollment, enroll({ pid: process.pid, view: systemProcesses(), host: 'a1', at: new Date() }));
  writeFileSync('identity.json.tmp', JSON.stringify(identify({ runnerPid: process.ppid, workerPid: process.pid })));
  renameSync('identity.json.tmp', 'identity.json');
  await new Promise((done) => setTimeout(done, 600_000));
});`;

const before = (ms: number): Date => new Date(Date.now() - ms);

test('VE13: a run that lives in another PID namespace is alive for status, recover, a second run, leases and traces, until its heartbeat is five minutes old', async ({}, info) => {
  test.setTimeout(180_000);
  const { program, args } = requireNamespaces(test, ['--pid', '--fork', '--mount-proc']);
  const folder = info.outputPath('p');
  const night = join(folder, 'test-results/state/night');
  const traces = join(folder, 'traces');
  writeRunProject(folder, ['a1'], { 's.spec.ts': SPEC });
  mkdirSync(traces);
  const env = {
    VMWRIGHT_SESSIONS_DIR: join(folder, 'sessions'),
    VMWRIGHT_TRACE_DIR: traces,
    VMWRIGHT_GATE: 'off',
  };
  const words = [...args, process.execPath, PLAYWRIGHT, 'test'];
  const container = spawn(program, words, {
    cwd: folder,
    env: {
      ...cleanEnvironment(),
      ...homeVariables(join(folder, 'home')),
      ...env,
      VMWRIGHT_BUILD_NAME: 'night',
    },
    stdio: 'ignore',
  });
  const ended = new Promise((done) => container.once('exit', done));
  const inside = (): number[] => descendantPids(container.pid ?? 0);
  try {
    await expect.poll(() => existsSync(join(folder, 'identity.json')), { timeout: 60_000 }).toBe(true);
    const self = JSON.parse(readFileSync(join(folder, 'identity.json'), 'utf8')) as LeaseIdentity;
    const view = systemProcesses();
    expect(self.pidns).not.toBe(view.pidNamespace());
    for (const name of readdirSync(traces))
      utimesSync(join(traces, name), before(3_600_000), before(3_600_000));
    const kept = readdirSync(traces);
    const journal = readFileSync(join(night, 'journal.jsonl'), 'utf8');
    const second = (): ReturnType<typeof vmwright> =>
      vmwright(folder, ['run', '--all', '--build-name', 'night'], { env });
    const status = async (): Promise<string> =>
      /^state: (\w+)/m.exec((await vmwright(folder, ['status', '--build', 'night'], { env })).stdout)?.[1] ??
      '';

    expect(await status()).toBe('RUNNING');
    const looked = await vmwright(folder, ['recover'], { env });
    expect(looked.stdout).not.toContain('night');
    expect(looked.stdout.match(/is left alone: of another container/g)).toHaveLength(1);
    expect(readdirSync(traces)).toEqual(kept);
    expect((await second()).stderr).toContain('RUN_ACTIVE');
    expect(readFileSync(join(night, 'journal.jsonl'), 'utf8')).toBe(journal);

    // Nobody beats any more: now only the age of the last heartbeat tells.
    for (const pid of inside()) process.kill(pid, 'SIGSTOP');
    const aged = (ms: number): void => {
      const claims = join(night, '.claim');
      for (const name of readdirSync(claims)) utimesSync(join(claims, name), before(ms), before(ms));
    };
    aged(SILENCE_MS - 60_000);
    expect(await status()).toBe('RUNNING');
    expect((await second()).stderr).toContain('RUN_ACTIVE');
    expect(takeClaim(night, { run: 'another', part: '' })).toHaveProperty('holder.run');

    // The machine's lease: looked at it is foreign, and it is waited for until its own time of silence.
    const store = new MemoryStore();
    store.description = renderNotes('', recordOf(self));
    expect(heldBy(store.description, store.vmid, view)?.liveness).toBe('foreign');
    expect(reapOrphan(self, view, { kill: () => expect(false).toBe(true) })).toBe('foreign');
    const clock = new FakeClock();
    const take = (wait: number): Promise<Lease> =>
      Lease.acquire(store, { self: runOf('me'), wait, clock, processes: view });
    await expect(take(LEASE_SILENCE_MS - 30_000)).rejects.toThrow('LEASE_HELD');
    expect((await take(LEASE_SILENCE_MS + GRACE_MS + 30_000)).record.run).toBe('me');

    aged(SILENCE_MS + 1_000);
    expect(await status()).toBe('TERMINATED');
    expect((await vmwright(folder, ['recover'], { env })).stdout).toMatch(
      /^run night .* was cut off and finished/m,
    );
    writeFileSync(join(folder, 'end'), '');
    const next = await second();
    expect(next.exitCode, next.output).toBe(0);
  } finally {
    for (const pid of inside()) process.kill(pid, 'SIGKILL');
    await ended;
  }
});
