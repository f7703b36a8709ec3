/**
 * One QEMU process: its command line, its start and its end.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Desktop } from './desktops/index.ts';
import type { Accelerator } from './kvm-probe.ts';
import { connectSocket, QmpClient } from './qmp.ts';
import { findProgram, spawnGuarded } from './tools.ts';
import { GuestError } from '../guest.ts';

/** Node name of the guest's only disk in every block command. */
export const DISK = 'disk0';
export const NETWORK = 'net0';
const SUBNET = '10.77.0.0/24';
const CPUS = 2;
/** Loading a RAM state or starting on a busy machine; beyond it QEMU hangs. */
const START_TIMEOUT_MS = 60_000;
/** After `quit`; then SIGKILL. */
const QUIT_TIMEOUT_MS = 3000;
const STDERR_KEPT = 2000;

export interface Sockets {
  readonly qmp: string;
  readonly agent: string;
  readonly vnc: string;
}

export interface MachineOptions {
  readonly qemu: string;
  readonly name: string;
  readonly accelerator: Accelerator;
  /** Its memory, and its place in the lab's virtual network. */
  readonly desktop: Pick<Desktop, 'guest' | 'memoryMib'>;
  readonly kernel: string;
  readonly initrd: string;
  /** The overlay that is written to, and the image below it. */
  readonly overlay: string;
  readonly disk: string;
  readonly sockets: Sockets;
  readonly serialLog: string;
  /** Layout in which the VNC server looks characters up (`-k`), as Proxmox passes a VM's `keyboard` on. */
  readonly keyboard?: string;
  /** Name of the RAM snapshot to run on from. */
  readonly loadvm?: string;
}

/**
 * The command line of the real guest. Why it is so, with figures: docs and `lab.md`; in short: direct kernel boot saves
 * firmware and boot loader, `-nodefaults` every device nobody needs, tablet gives absolute pointer positions, and
 * `restrict` keeps the guest off all networks.
 * On a busy machine the kernel's check of its timer finds no tick in time and panics: `no_timer_check`.
 */
export function commandLine(options: MachineOptions): [string, ...string[]] {
  const { accelerator, desktop, sockets } = options;
  const blockdev = {
    driver: 'qcow2',
    'node-name': DISK,
    file: { driver: 'file', filename: options.overlay },
    // Named here and not in the overlay: the cache folder may be moved.
    backing: { driver: 'qcow2', 'read-only': true, file: { driver: 'file', filename: options.disk } },
    cache: { 'no-flush': true },
    discard: 'unmap',
  };
  const commands: [string, ...string[]][] = [
    ['-name', options.name],
    ['-no-user-config'],
    ['-nodefaults'],
    ['-machine', 'q35'],
    ['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
    ['-cpu', accelerator === 'kvm' ? 'host' : 'max'],
    ['-smp', String(CPUS)],
    ['-m', String(desktop.memoryMib)],
    ['-display', 'none'],
    ['-device', 'VGA,edid=on,xres=1280,yres=800'],
    ['-vnc', `unix:${comma(sockets.vnc)},password=on`],
    ['-kernel', options.kernel],
    ['-initrd', options.initrd],
    ['-append', 'root=/dev/vda rw quiet mitigations=off no_timer_check console=ttyS0'],
    ['-blockdev', JSON.stringify(blockdev)],
    ['-device', `virtio-blk-pci,drive=${DISK}`],
    ['-netdev', `user,id=${NETWORK},net=${SUBNET},dhcpstart=${desktop.guest.address},restrict=on`],
    ['-device', `virtio-net-pci,netdev=${NETWORK},mac=${desktop.guest.mac}`],
    ['-device', 'qemu-xhci'],
    ['-device', 'usb-tablet'],
    ['-device', 'usb-kbd'],
    ['-device', 'virtio-serial-pci'],
    ['-chardev', `socket,id=agent,path=${comma(sockets.agent)},server=on,wait=off`],
    ['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ['-device', 'virtio-rng-pci'],
    ['-serial', `file:${options.serialLog}`],
    ['-qmp', `unix:${comma(sockets.qmp)},server=on,wait=off`],
  ];
  const keyboard = options.keyboard === undefined ? [] : ['-k', options.keyboard];
  const load = options.loadvm === undefined ? [] : ['-loadvm', options.loadvm];
  return [options.qemu, ...commands.flat(), ...keyboard, ...load];
}

/** A running QEMU with its monitor connected. */
export class QemuProcess {
  readonly pid: number;
  readonly qmp: QmpClient;
  readonly startedAt = Date.now();
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, pid: number, qmp: QmpClient, ended: Promise<void>) {
    this.#child = child;
    this.pid = pid;
    this.qmp = qmp;
    this.ended = ended;
  }

  /** Starts QEMU; with `loadvm` the machine runs when this resolves. @throws GuestError `start failed: ...` */
  static async start(options: MachineOptions): Promise<QemuProcess> {
    const child = spawnGuarded(commandLine(options), ['ignore', 'ignore', 'pipe']);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
    });
    let exit: string | undefined;
    const ended = new Promise<void>((done) => {
      child.once('error', (error) => {
        exit = error.message;
        done();
      });
      child.once('close', (code, signal) => {
        exit ??= `QEMU exited with ${signal ?? `code ${code ?? -1}`}`;
        done();
      });
    });
    try {
      const socket = await connectSocket(options.sockets.qmp, () => exit === undefined, START_TIMEOUT_MS);
      const qmp = new QmpClient(socket, START_TIMEOUT_MS);
      await qmp.negotiate();
      return new QemuProcess(child, child.pid ?? 0, qmp, ended);
    } catch (error) {
      child.kill('SIGKILL');
      await ended;
      const seen = [exit === 'QEMU exited with SIGKILL' ? String(error) : exit, stderr.trim()];
      throw new GuestError(`start failed: ${seen.filter((part) => part !== '').join(': ')}`);
    }
  }

  /** Ends the process: `quit`, which writes out the disk, and SIGKILL when that takes too long. */
  async quit(): Promise<void> {
    this.qmp.execute('quit', {}, QUIT_TIMEOUT_MS).catch(() => undefined);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), QUIT_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
    this.qmp.close();
  }

  /** Resident memory in MiB; undefined where /proc does not tell. */
  residentMib(): number | undefined {
    try {
      const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
      return found?.[1] === undefined ? undefined : Math.round(Number(found[1]) / 1024);
    } catch {
      return undefined;
    }
  }
}

/** QEMU's own program, wherever it is. */
export function qemuProgram(): string {
  return findProgram('qemu-system-x86_64') ?? 'qemu-system-x86_64';
}

/** QEMU's option syntax: a comma in a value is doubled. */
function comma(path: string): string {
  return path.replaceAll(',', ',,');
}
