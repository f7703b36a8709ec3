/**
 * A simulated machine: power, snapshots, screen, sshd and agent behind the lab's guest interface.
 *
 * @module
 */
import { Duplex } from 'node:stream';
import {
  type AgentReply,
  type GuestConfig,
  GuestError,
  type GuestPciDevice,
  type LabGuest,
  type RunState,
} from '../guest.ts';
import { type Agent, createAgent } from './agent.ts';
import { GuestClock } from './clock.ts';
import { Desktop, type DesktopState } from './desktop/desktop.ts';
import { createFiles, type GuestDisk, type StoredFile } from './files.ts';
import { type ProcessState, ProcessTable } from './processes.ts';
import { RfbServer } from './rfb/server.ts';
import { createPosixShell } from './shell/posix.ts';
import { createWindowsShell } from './shell/windows.ts';
import { createSshServer, type GuestSsh } from './ssh.ts';
import { HeldFiles } from './held-files.ts';
import { Journal } from './journal.ts';
import { attachKeyringDaemon } from './keyring.ts';
import { GuestNetwork } from './network.ts';
import { type Fault, faultNamed } from './quirks.ts';
import type { GuestDefinition } from './system.ts';
import { usualWays } from './windows-ways.ts';

/** Firmware and boot until the desktop is there. */
const BOOT_MS = 800;
const SHUTDOWN_MS = 200;
const PID_BASE = 40_000;
const SSH_PORT = 22;
const READY_AGE_MS = 3_600_000;
/** Of `old-checkpoint`. */
const OLD_MS = 60 * 86_400_000;
interface Saved {
  readonly files: readonly StoredFile[];
  readonly ram:
    | {
        readonly processes: ProcessState;
        readonly desktop: DesktopState;
        readonly address: string | undefined;
      }
    | undefined;
  readonly savedAt: Date;
}

export class SimulatedGuest implements LabGuest {
  /** What came in since the machine was made: command lines as sshd got them, keys as the RFB server got them. */
  readonly log: {
    readonly commands: string[];
    readonly keys: { readonly keysym: number; readonly down: boolean }[];
  } = { commands: [], keys: [] };
  readonly #definition: GuestDefinition;
  readonly #processes: ProcessTable;
  readonly #disk: GuestDisk;
  readonly #desktop: Desktop;
  readonly #rfb: RfbServer;
  readonly #ssh: GuestSsh;
  readonly #agent: Agent;
  readonly #clock = new GuestClock();
  readonly #saved = new Map<string, Promise<Saved>>();
  readonly #faults = new Set<Fault>();
  readonly #network: GuestNetwork;
  /** A checkpoint is taken once and used for long: a rollback with RAM puts the clock back to then. */
  readonly #readyAt = new Date(Date.now() - READY_AGE_MS);
  #state: RunState = 'running';
  #startedAt = Date.now();
  #plugged: readonly GuestPciDevice[] = [];
  #booting: NodeJS.Timeout | undefined;
  /** When the kernel was started: fast start-up wakes the one of before. */
  #kernelAt = Date.now() - READY_AGE_MS;

  /** A machine that is on, logged in, with an idle desktop; the same is kept as the snapshot `ready`. */
  constructor(definition: GuestDefinition) {
    this.#definition = definition;
    if (definition.os === 'windows') for (const way of usualWays()) this.#faults.add(way);
    this.#network = new GuestNetwork(definition, this.#faults);
    this.#processes = new ProcessTable(definition);
    this.#disk = createFiles(definition);
    const host = {
      definition,
      processes: this.#processes,
      disk: this.#disk,
      clock: this.#clock,
      faults: this.#faults,
      journal: new Journal(this.#disk, this.#clock),
      network: this.#network,
      passedThrough: () => this.#plugged,
      held: new HeldFiles(definition, this.#processes, this.#faults),
      upMs: () => Date.now() - this.#kernelAt,
      restart: () => void setTimeout(() => this.#restart(), SHUTDOWN_MS),
      passwordAt: () => this.#takenAt(this.#readyAt),
    };
    attachKeyringDaemon(definition, this.#disk, this.#processes);
    this.#desktop = new Desktop(host);
    this.#rfb = new RfbServer(`QEMU (${definition.name})`, this.#desktop, (key) => this.log.keys.push(key));
    const shell = definition.os === 'windows' ? createWindowsShell(host) : createPosixShell(host);
    this.#ssh = createSshServer(host, shell, (command) => this.log.commands.push(command));
    this.#agent = createAgent(host, shell, () => void this.stop());
    this.#desktop.enter('desktop');
    this.#saved.set('ready', this.#save(true, this.#readyAt));
  }

  /** Empty while nothing gets through to it. */
  get address(): string {
    return this.#network.reachedAt ?? '';
  }

  state(): RunState {
    return this.#state;
  }

  uptime(): number {
    return this.#state === 'stopped' ? 0 : Math.floor((Date.now() - this.#startedAt) / 1000);
  }

  pid(): number | undefined {
    return this.#state === 'stopped' ? undefined : PID_BASE + this.#definition.vmid;
  }

  start(config: GuestConfig): Promise<void> {
    this.#desktop.setAdapter(String(config.vga ?? ''));
    this.#state = 'running';
    this.#startedAt = Date.now();
    if (!this.#faults.has('fast-startup')) this.#kernelAt = Date.now();
    this.#boot();
    return Promise.resolve();
  }

  plug(devices: readonly GuestPciDevice[]): void {
    this.#plugged = devices;
  }

  stop(): Promise<void> {
    this.#disconnect();
    clearTimeout(this.#booting);
    this.#state = 'stopped';
    this.#processes.clear();
    this.#desktop.enter('off');
    return Promise.resolve();
  }

  async shutdown(timeoutMs: number): Promise<'off' | 'timeout' | 'refused'> {
    if (this.#faults.has('refuses-shutdown')) return 'refused';
    const ignores = this.#faults.has('ignores-shutdown');
    await new Promise((done) => setTimeout(done, ignores ? timeoutMs : Math.min(SHUTDOWN_MS, timeoutMs)));
    if (ignores) return 'timeout';
    await this.stop();
    return 'off';
  }

  reset(): Promise<void> {
    this.#restart();
    return Promise.resolve();
  }

  #restart(): void {
    this.#ssh.disconnectAll();
    this.#kernelAt = Date.now();
    this.#boot();
  }

  pause(): Promise<void> {
    this.#state = 'paused';
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#state = 'running';
    return Promise.resolve();
  }

  async saveSnapshot(name: string, { ram }: { ram: boolean }): Promise<void> {
    const saving = this.#save(ram, new Date(this.#clock.now()));
    this.#saved.set(name, saving);
    await saving;
  }

  async loadSnapshot(name: string, { ram, config }: { ram: boolean; config: GuestConfig }): Promise<void> {
    const saved = await this.#saved.get(name);
    if (saved === undefined) throw new GuestError(`Snapshot '${name}' does not exist in one or more devices`);
    await this.stop();
    await this.#disk.restore(saved.files);
    if (!ram || saved.ram === undefined) return;
    this.#state = 'running';
    this.#startedAt = Date.now();
    this.#clock.set(this.#takenAt(saved.savedAt).getTime());
    this.#network.restore(saved.ram.address);
    this.#processes.restore(saved.ram.processes);
    this.#desktop.restore(saved.ram.desktop);
    this.#desktop.setAdapter(String(config.vga ?? ''));
    if (this.#faults.has('greeter')) this.#processes.logOut();
  }

  deleteSnapshot(name: string): Promise<void> {
    this.#saved.delete(name);
    return Promise.resolve();
  }

  existingSnapshots(): readonly { readonly name: string; readonly ram: boolean; readonly savedAt: Date }[] {
    return [{ name: 'ready', ram: true, savedAt: this.#takenAt(this.#readyAt) }];
  }

  async agent(command: string, args: Record<string, unknown>): Promise<AgentReply | undefined> {
    if (this.#state !== 'running' || this.#booting !== undefined || this.#faults.has('no-agent'))
      return undefined;
    return this.#agent(command, args);
  }

  setVncPassword(password: string, validMs: number): Promise<void> {
    this.#rfb.setPassword(password, validMs);
    return Promise.resolve();
  }

  openVnc(): Promise<Duplex | undefined> {
    if (this.#state === 'stopped' || this.#faults.has('no-vnc') || this.#faults.has('no-display')) {
      return Promise.resolve(undefined);
    }
    const [ours, theirs] = streamPair();
    this.#rfb.accept(ours);
    return Promise.resolve(theirs);
  }

  openTcp(port: number): Promise<Duplex> {
    const isUp = this.#state === 'running' && this.#booting === undefined && !this.#faults.has('no-ssh');
    if (!isUp || port !== SSH_PORT) {
      return Promise.reject(new GuestError(`connect ECONNREFUSED ${this.address}:${port}`));
    }
    const [ours, theirs] = streamPair();
    this.#ssh.accept(ours);
    return Promise.resolve(theirs);
  }

  sendKey(): Promise<void> {
    return Promise.resolve();
  }

  setFault(fault: string, on: boolean): void {
    const known = faultNamed(fault);
    if (on) this.#faults.add(known);
    else this.#faults.delete(known);
    if (on && known === 'greeter') this.#processes.logOut();
    this.#desktop.faultSwitched(known, on);
    if (on && known === 'no-ssh') this.#ssh.disconnectAll();
    if (on && known === 'no-vnc') this.#rfb.disconnectAll();
  }

  async dispose(): Promise<void> {
    await this.stop();
    this.#desktop.dispose();
  }

  #boot(): void {
    clearTimeout(this.#booting);
    this.#processes.clear();
    this.#clock.reset();
    this.#desktop.enter('firmware');
    this.#booting = setTimeout(() => {
      this.#booting = undefined;
      this.#desktop.enter('desktop');
      this.#network.renew();
      this.#processes.boot();
      if (this.#faults.has('greeter')) this.#processes.logOut();
    }, BOOT_MS);
  }

  #disconnect(): void {
    this.#rfb.disconnectAll();
    this.#ssh.disconnectAll();
    clearTimeout(this.#booting);
    this.#booting = undefined;
  }

  #takenAt(at: Date): Date {
    const isOld = at === this.#readyAt && this.#faults.has('old-checkpoint');
    return isOld ? new Date(at.getTime() - OLD_MS) : at;
  }

  async #save(ram: boolean, savedAt: Date): Promise<Saved> {
    const state = {
      processes: this.#processes.snapshot(),
      desktop: this.#desktop.snapshot(),
      address: this.#network.address,
    };
    return { files: await this.#disk.snapshot(), ram: ram ? state : undefined, savedAt };
  }
}

/** Two streams, each reading what is written to the other; the end of one is the end of both. */
function streamPair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        other().push(chunk);
        done();
      },
      final: (done) => {
        other().push(null);
        done();
      },
      destroy: (error, done) => {
        done(error);
        if (!other().destroyed) other().destroy();
      },
    });
  const first: Duplex = make(() => second);
  const second: Duplex = make(() => first);
  return [first, second];
}
