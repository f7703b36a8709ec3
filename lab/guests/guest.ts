/**
 * What the lab's API needs from a guest, be it simulated or a real QEMU process.
 *
 * The API layer (`lab/api`) keeps everything that Proxmox itself keeps: the config file with its digest, locks,
 * tasks, tickets and the snapshot list. A guest keeps what the machine is: power, RAM, disks, screen, sshd, agent.
 *
 * @module
 */
import type { Duplex } from 'node:stream';

/** QEMU's run state as Proxmox shows it in `qmpstatus`. */
export type RunState = 'running' | 'paused' | 'stopped' | 'prelaunch' | 'internal-error';

/** The effective Proxmox config of a VM: flat `key: value` as `GET .../config` returns it, without `digest`. */
export type GuestConfig = Readonly<Record<string, string | number>>;

/** A passed-through PCI function as the guest sees it. All in hexadecimal digits. */
export interface GuestPciDevice {
  /** Base class and subclass, `0300` for a VGA controller. */
  readonly class: string;
  readonly vendor: string;
  readonly device: string;
}

/** A fault of the guest itself: its message becomes the task's exit status or PVE's reason phrase, verbatim. */
export class GuestError extends Error {
  override readonly name = 'GuestError';
}

/** An answer of the QEMU guest agent on the wire: `return` or `error`, as qemu-ga sends them. */
export type AgentReply =
  { readonly return: unknown } | { readonly error: { readonly class: string; readonly desc: string } };

export interface LabGuest {
  /** Current run state. Never throws. */
  state(): RunState;
  /** Seconds since the last start; 0 when stopped. */
  uptime(): number;
  /** The process id that Proxmox would show; undefined when stopped. */
  pid(): number | undefined;

  /** Powers on with this config. @throws GuestError e.g. `start failed: QEMU exited with code 1` */
  start(config: GuestConfig): Promise<void>;
  /** The passed-through devices that the machine has from now on. Guests that cannot show any leave it out. */
  plug?(devices: readonly GuestPciDevice[]): void;
  /** Pulls the plug. A stopped guest stays stopped, without an error. */
  stop(): Promise<void>;
  /**
   * Asks the guest to power off (agent, else ACPI); resolves when it is off or after `timeoutMs`, telling which; at once
   * where it cannot even be asked.
   */
  shutdown(timeoutMs: number): Promise<'off' | 'timeout' | 'refused'>;
  /** Hard reset; the process and its VNC connections survive. */
  reset(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;

  /** Keeps disks, and RAM when `ram`, under `name`. @throws GuestError */
  saveSnapshot(name: string, options: { ram: boolean }): Promise<void>;
  /** Puts disks back (and RAM: the guest runs on from there). VNC and SSH connections are lost. @throws GuestError */
  loadSnapshot(name: string, options: { ram: boolean; config: GuestConfig }): Promise<void>;
  deleteSnapshot(name: string): Promise<void>;
  /** Snapshots that exist already when the lab starts (a saved `ready` state, say), oldest first. */
  existingSnapshots(): readonly { readonly name: string; readonly ram: boolean; readonly savedAt: Date }[];

  /**
   * One QGA command. Undefined means that no agent answers (not installed, not started, guest hung): the API says
   * `QEMU guest agent is not running`.
   */
  agent(command: string, args: Record<string, unknown>): Promise<AgentReply | undefined>;

  /** Sets the VNC password (8 bytes at most) and lets it expire after `validMs` for new handshakes. */
  setVncPassword(password: string, validMs: number): Promise<void>;
  /** A fresh connection to the RFB server: bytes from the server's greeting on. Undefined: no display. */
  openVnc(): Promise<Duplex | undefined>;
  /** A fresh connection to TCP `port` (22 is sshd) inside the guest. @throws GuestError when refused. */
  openTcp(port: number): Promise<Duplex>;
  /** `PUT .../sendkey`, in QEMU's key names, e.g. `ctrl-alt-delete`. */
  sendKey(keys: string): Promise<void>;

  /** The guest's own IPv4 address on its virtual network, for the lab's jump host. */
  readonly address: string;
  /** Switches a fault by name; unknown names throw. Guests without faults leave it out. */
  setFault?(fault: string, on: boolean): void;
  /** Ends every process, timer and socket of this guest. */
  dispose(): Promise<void>;
}
