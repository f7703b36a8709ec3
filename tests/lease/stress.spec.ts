/**
 * Real processes fight for the machines and the GPU of a lab, and are killed at random moments. Each says in one
 * append-only file what it takes, uses and drops; the file and every change of the machines' configs are judged.
 *
 *     npm run test:soak -- tests/lease/stress.spec.ts
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { identify, Lease, notesOf } from '../../fixtures/lease/index.ts';
import { connectProxmox } from '../../fixtures/proxmox/index.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { labConnection } from '../proxmox/support/fixtures.ts';
import type { Contender } from './support/contender.ts';
import { watchDevices } from './support/devices.ts';
import { rounds, SOAK } from '../support/soak.ts';

/** Processes at a time; each takes a machine so many times; so many of all are killed. */
const PROCESSES = rounds(6, 50);
const ROUNDS = PROCESSES > 10 ? 5 : 2;
const KILLS = PROCESSES * (PROCESSES > 10 ? 2 : 1);
const KILL_EVERY_MS = PROCESSES > 10 ? 1500 : 1000;
const NAMES = ['fedora42', 'ubuntu2204', 'ubuntu2404', 'manjaro', 'opensuse'];
const CONTENDER = join(import.meta.dirname, 'support/contender.ts');

test(
  'processes fight for five VMs and one GPU and are killed: no double hold, all work ends, nothing is left',
  SOAK,
  async ({}, info) => {
    test.setTimeout(PROCESSES > 10 ? 1_800_000 : 180_000);
    const lab = await startLab({ guests: NAMES });
    const holders = watchDevices(lab, NAMES);
    const machines = NAMES.map((name) => lab.machine(name));
    for (const { config } of machines) config.description = `Owner of ${config.name}: desktop team`;
    const log = info.outputPath('log.txt');
    mkdirSync(dirname(log), { recursive: true });
    writeFileSync(log, '');
    const fight = new Fight(
      lab,
      log,
      machines.map(({ vmid }) => vmid),
    );

    const start = performance.now();
    await fight.untilDone();
    const seconds = Math.round((performance.now() - start) / 1000);

    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(violations(lines)).toEqual([]);
    expect(lines.filter((line) => line.endsWith(' done'))).toHaveLength(PROCESSES * ROUNDS);
    // Never two machines with the GPU in their configs, in whatever state the killed ones left them.
    expect(holders().filter((names) => names.length > 1)).toEqual([]);
    // Whatever the last killed process left is nobody's: each machine can be had at once, with its notes as they were.
    const proxmox = await connectProxmox(labConnection(lab));
    for (const { vmid, config } of machines) {
      const self = identify({ runnerPid: process.pid, workerPid: process.pid });
      const lease = await Lease.acquire(notesOf(await proxmox.findVm(vmid)), { self, wait: 0 });
      await lease.release();
      expect(config.description).toBe(`Owner of ${config.name}: desktop team`);
    }
    await proxmox.close();
    const taken = lines.filter((line) => /take \d/.test(line)).length;
    const moved = lines.filter((line) => line.endsWith('take gpu')).length;
    info.annotations.push({
      type: 'fought',
      description: `${PROCESSES} processes, ${fight.kills} kills, ${taken} VMs and ${moved} times the GPU taken in ${seconds} s, ${lab.requests.length} API calls`,
    });
    await lab.stop();
  },
);

class Fight {
  kills = 0;
  readonly #env: Record<string, string>;
  readonly #log: string;
  readonly #vmids: readonly number[];
  readonly #running = new Map<string, ChildProcess>();

  constructor(lab: Lab, log: string, vmids: readonly number[]) {
    this.#env = lab.env();
    this.#log = log;
    this.#vmids = vmids;
  }

  async untilDone(): Promise<void> {
    const killer = setInterval(() => this.#killOne(), KILL_EVERY_MS);
    try {
      await Promise.all(Array.from({ length: PROCESSES }, (_, slot) => this.#untilSlotDone(slot)));
    } finally {
      clearInterval(killer);
      for (const child of this.#running.values()) child.kill('SIGKILL');
    }
  }

  /** Starts a process of this slot again for what the killed one has not done. */
  async #untilSlotDone(slot: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const rounds = ROUNDS - this.#done(slot);
      if (rounds === 0) return;
      const name = `${slot}.${attempt}`;
      const contender: Contender = { name, rounds, log: this.#log, vmids: this.#vmids };
      const child = spawn(process.execPath, ['--import', 'tsx', CONTENDER, JSON.stringify(contender)], {
        env: { ...process.env, ...this.#env },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      this.#running.set(name, child);
      const [code, signal] = await new Promise<[number | null, string | null]>((done) => {
        child.once('close', (...end) => done(end));
      });
      this.#running.delete(name);
      if (signal !== 'SIGKILL' && code !== 0) {
        const lines = readFileSync(this.#log, 'utf8').split('\n');
        throw new Error(
          lines.find((line) => line.startsWith(`${name} failed`)) ?? `${name}: exit code ${code}`,
        );
      }
    }
  }

  #done(slot: number): number {
    const lines = readFileSync(this.#log, 'utf8').split('\n');
    return lines.filter((line) => line.startsWith(`${slot}.`) && line.endsWith(' done')).length;
  }

  #killOne(): void {
    // One that has not yet come to take anything proves nothing.
    const text = readFileSync(this.#log, 'utf8');
    const names = [...this.#running.keys()].filter((name) => text.includes(`\n${name} take `));
    const name = names[Math.floor(Math.random() * names.length)];
    if (name === undefined || this.kills >= KILLS) return;
    this.kills++;
    appendFileSync(this.#log, `${name} killing\n`);
    this.#running.get(name)?.kill('SIGKILL');
  }
}

/** Until a process drops what it took, or is about to be killed, nobody else may take it. */
function violations(lines: readonly string[]): string[] {
  const holder = new Map<string, string>();
  const killed = new Set<string>();
  return lines.flatMap((line, index) => {
    const [who = '', verb = '', what = ''] = line.split(' ');
    const has = holder.get(what);
    const told = `line ${index + 1}: ${line}, while ${has ?? 'nobody'} has it`;
    if (verb === 'killing') killed.add(who);
    if (verb === 'take') {
      holder.set(what, who);
      return has === undefined || killed.has(has) ? [] : [told];
    }
    if (verb === 'drop' && has === who) holder.delete(what);
    if (verb === 'drop' || verb === 'use') return has === who ? [] : [told];
    return verb === 'failed' ? [line] : [];
  });
}

test('the judge finds a double hold', () => {
  expect(violations(['1.0 take 101', '1.0 drop 101', '2.0 take 101'])).toEqual([]);
  expect(violations(['1.0 take 101', '1.0 killing', '2.0 take 101', '2.0 use 101'])).toEqual([]);
  expect(violations(['1.0 take 101', '2.0 take 101'])).toHaveLength(1);
  expect(violations(['1.0 take gpu', '1.0 killing', '2.0 take gpu', '1.0 use gpu'])).toHaveLength(1);
});
