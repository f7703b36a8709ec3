/**
 * The real guest: a QEMU process over a private copy of the ready state, behind the lab's guest interface.
 *
 * @module
 */
import { constants, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentReply, type GuestConfig, GuestError, type LabGuest, type RunState } from '../guest.ts';
import { AgentChannel } from './agent.ts';
import type { Image } from './image.ts';
import { SLOWNESS } from './kvm-probe.ts';
import { DISK, type MachineOptions, NETWORK, QemuProcess, qemuProgram } from './qemu-process.ts';
import { QmpError } from './qmp.ts';
import { type Ready, socketsIn } from './ready.ts';
import { removeStaleRuns, runFolder } from './runs.ts';
import { output } from './tools.ts';

/** Writing or dropping several hundred MiB of RAM on a busy machine. */
const SNAPSHOT_TIMEOUT_MS = 120_000;
/** Key names as QEMU's `sendkey` takes them. */
const KEYS = /^[\w-]+$/;

interface Saved {
  readonly name: string;
  readonly ram: boolean;
  readonly savedAt: Date;
}

export interface QemuGuestInit {
  readonly name: string;
  /** The cache folder. */
  readonly folder: string;
  readonly image: Image;
  readonly ready: Ready;
}

export class QemuGuest implements LabGuest {
  readonly address: string;
  readonly #machine: MachineOptions;
  readonly #agent: AgentChannel;
  readonly #run: string;
  readonly #sockets: string;
  readonly #saved: Saved[];
  readonly #onExit = (): void => this.#removeFiles();
  #process: QemuProcess | undefined;
  #state: RunState = 'stopped';
  /** QEMU stops the virtual CPUs while it saves; Proxmox goes on showing `running`. */
  #isSaving = false;
  #forwards = new Map<number, Promise<number>>();

  private constructor(init: QemuGuestInit, run: string) {
    const { image, ready } = init;
    this.#run = run;
    this.address = image.desktop.guest.address;
    this.#sockets = mkdtempSync(join(tmpdir(), 'vmwright-qemu-'));
    this.#machine = {
      qemu: qemuProgram(),
      name: init.name,
      accelerator: ready.accelerator,
      desktop: image.desktop,
      kernel: image.kernel,
      initrd: image.initrd,
      disk: image.disk,
      overlay: join(run, 'overlay.qcow2'),
      sockets: socketsIn(this.#sockets),
      serialLog: join(run, 'serial.log'),
    };
    this.#agent = new AgentChannel(this.#machine.sockets.agent, SLOWNESS[ready.accelerator]);
    this.#saved = [{ name: ready.snapshot, ram: true, savedAt: ready.savedAt }];
    process.once('exit', this.#onExit);
  }

  /** A guest that is off. Copies of labs that died are removed first. */
  static async create(init: QemuGuestInit): Promise<QemuGuest> {
    await removeStaleRuns(init.folder);
    const run = runFolder(init.folder);
    mkdirSync(run, { recursive: true });
    const guest = new QemuGuest(init, run);
    copyFileSync(init.ready.overlay, guest.#machine.overlay, constants.COPYFILE_FICLONE);
    return guest;
  }

  state(): RunState {
    return this.#state;
  }

  uptime(): number {
    return this.#process === undefined ? 0 : Math.floor((Date.now() - this.#process.startedAt) / 1000);
  }

  pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Boots from the disk. Processors and memory are the lab's own: a RAM state fits no other machine. */
  start(config: GuestConfig): Promise<void> {
    return this.#launch({ ...this.#machine, ...keyboardOf(config) });
  }

  async stop(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    await process.quit();
    this.#ended(process);
  }

  async shutdown(timeoutMs: number): Promise<'off' | 'timeout'> {
    const process = this.#process;
    if (process === undefined) return 'off';
    const reply = await this.agent('guest-shutdown', { mode: 'powerdown' });
    if (reply === undefined || 'error' in reply) await this.#qmp('system_powerdown');
    const timer = new AbortController();
    const timeout = sleep(timeoutMs, 'timeout' as const, { signal: timer.signal }).catch(
      () => 'timeout' as const,
    );
    const outcome = await Promise.race([process.ended.then(() => 'off' as const), timeout]);
    timer.abort();
    if (outcome === 'off') this.#ended(process);
    return outcome;
  }

  async reset(): Promise<void> {
    await this.#qmp('system_reset');
  }

  async pause(): Promise<void> {
    await this.#qmp('stop');
  }

  async resume(): Promise<void> {
    await this.#qmp('cont');
  }

  async saveSnapshot(name: string, { ram }: { ram: boolean }): Promise<void> {
    const process = this.#process;
    const isRam = ram && process !== undefined;
    if (process === undefined) await this.#onDisk('-c', name);
    else if (!isRam) await this.#qmp('blockdev-snapshot-internal-sync', { device: DISK, name });
    else {
      this.#isSaving = true;
      try {
        await this.#job('snapshot-save', { tag: name, vmstate: DISK, devices: [DISK] });
      } finally {
        this.#isSaving = false;
      }
    }
    this.#saved.push({ name, ram: isRam, savedAt: new Date() });
  }

  /** A new QEMU process runs on from the RAM state, as Proxmox does it; disk-only leaves the guest off. */
  async loadSnapshot(name: string, { ram, config }: { ram: boolean; config: GuestConfig }): Promise<void> {
    const saved = this.#saved.find((snapshot) => snapshot.name === name);
    if (saved === undefined) throw new GuestError(`Snapshot '${name}' does not exist in one or more devices`);
    await this.stop();
    if (ram && saved.ram) await this.#launch({ ...this.#machine, ...keyboardOf(config), loadvm: name });
    else await this.#onDisk('-a', name);
  }

  async deleteSnapshot(name: string): Promise<void> {
    const index = this.#saved.findIndex((snapshot) => snapshot.name === name);
    if (index < 0) return;
    if (this.#process === undefined) await this.#onDisk('-d', name);
    else await this.#job('snapshot-delete', { tag: name, devices: [DISK] });
    this.#saved.splice(index, 1);
  }

  existingSnapshots(): readonly Saved[] {
    return this.#saved;
  }

  async agent(command: string, args: Record<string, unknown>): Promise<AgentReply | undefined> {
    if (this.#state !== 'running' || !(await this.#hasAgent())) return undefined;
    return this.#agent.call(command, args);
  }

  async setVncPassword(password: string, validMs: number): Promise<void> {
    await this.#qmp('set_password', { protocol: 'vnc', password });
    await this.#qmp('expire_password', { protocol: 'vnc', time: `+${Math.ceil(validMs / 1000)}` });
  }

  openVnc(): Promise<Duplex | undefined> {
    if (this.#process === undefined) return Promise.resolve(undefined);
    return new Promise((done) => {
      const socket = connect(this.#machine.sockets.vnc);
      socket.once('error', () => done(undefined));
      socket.once('connect', () => done(socket));
    });
  }

  /** Through a port forwarding of QEMU's user network on loopback, made when a port is first asked for. */
  async openTcp(port: number): Promise<Duplex> {
    if (this.#process === undefined) throw new GuestError(`connect ECONNREFUSED ${this.address}:${port}`);
    const hostPort = await this.#hostPort(port);
    return new Promise((done, fail) => {
      const socket = connect({ host: '127.0.0.1', port: hostPort, noDelay: true });
      socket.once('error', (error) => fail(new GuestError(error.message)));
      socket.once('connect', () => done(socket));
    });
  }

  async sendKey(keys: string): Promise<void> {
    if (!KEYS.test(keys)) throw new GuestError(`invalid parameter: ${JSON.stringify(keys)} is no key`);
    const answer = (await this.#monitor(`sendkey ${keys}`)).trim();
    if (answer !== '') throw new GuestError(answer);
  }

  async dispose(): Promise<void> {
    await this.stop();
    process.removeListener('exit', this.#onExit);
    this.#removeFiles();
  }

  async #launch(machine: MachineOptions): Promise<void> {
    if (this.#process !== undefined) throw new GuestError('VM already running');
    const process = await QemuProcess.start(machine);
    this.#process = process;
    this.#state = 'running';
    process.qmp.on(({ event }) => {
      if (this.#process !== process || this.#isSaving) return;
      if (event === 'STOP') this.#state = 'paused';
      if (event === 'RESUME') this.#state = 'running';
    });
    void process.ended.then(() => this.#ended(process));
  }

  #ended(process: QemuProcess): void {
    if (this.#process !== process) return;
    this.#process = undefined;
    this.#state = 'stopped';
    this.#forwards = new Map();
    this.#agent.close();
  }

  /** Whether qemu-ga holds its end of the serial port open: without it every call would run into its time-out. */
  async #hasAgent(): Promise<boolean> {
    const process = this.#process;
    if (process === undefined) return false;
    const devices = (await process.qmp.execute('query-chardev').catch(() => [])) as {
      label: string;
      'frontend-open': boolean;
    }[];
    return devices.some((device) => device.label === 'agent' && device['frontend-open']);
  }

  #hostPort(port: number): Promise<number> {
    const forwards = this.#forwards;
    const known = forwards.get(port);
    if (known !== undefined) return known;
    const made = this.#forward(port);
    forwards.set(port, made);
    made.catch(() => forwards.delete(port));
    return made;
  }

  async #forward(port: number): Promise<number> {
    const refused = (
      await this.#monitor(`hostfwd_add ${NETWORK} tcp:127.0.0.1:0-${this.address}:${port}`)
    ).trim();
    if (refused !== '') throw new GuestError(refused);
    const hostPort = forwardedPort(await this.#monitor('info usernet'), port);
    if (hostPort === undefined) throw new GuestError(`no forwarding to port ${port}`);
    return hostPort;
  }

  async #monitor(line: string): Promise<string> {
    return String(await this.#qmp('human-monitor-command', { 'command-line': line }));
  }

  async #qmp(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return await this.#tell((process) => process.qmp.execute(command, args));
  }

  async #job(command: string, args: Record<string, unknown>): Promise<void> {
    await this.#tell((process) => process.qmp.runJob(command, args, SNAPSHOT_TIMEOUT_MS));
  }

  async #tell<T>(action: (process: QemuProcess) => Promise<T>): Promise<T> {
    const process = this.#process;
    if (process === undefined) throw new GuestError('VM not running');
    try {
      return await action(process);
    } catch (error) {
      if (error instanceof QmpError) throw new GuestError(error.message);
      throw error;
    }
  }

  async #onDisk(action: '-a' | '-c' | '-d', name: string): Promise<void> {
    const { overlay, disk } = this.#machine;
    const node = [
      'driver=qcow2',
      `file.filename=${overlay.replaceAll(',', ',,')}`,
      'backing.driver=qcow2',
      `backing.file.filename=${disk.replaceAll(',', ',,')}`,
    ];
    try {
      await output('qemu-img', ['snapshot', '-q', action, name, '--image-opts', node.join(',')]);
    } catch (error) {
      throw new GuestError(error instanceof Error ? error.message.trim() : String(error));
    }
  }

  #removeFiles(): void {
    rmSync(this.#run, { recursive: true, force: true });
    rmSync(this.#sockets, { recursive: true, force: true });
  }
}

function keyboardOf({ keyboard }: GuestConfig): Pick<MachineOptions, 'keyboard'> {
  return keyboard === undefined ? {} : { keyboard: String(keyboard) };
}

/** The loopback port that `info usernet` shows for a forwarding to the guest's `port`. */
export function forwardedPort(usernet: string, port: number): number | undefined {
  const rows = usernet.matchAll(/HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/g);
  const row = [...rows].find((found) => Number(found[2]) === port);
  return row === undefined ? undefined : Number(row[1]);
}
