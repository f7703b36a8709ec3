/**
 * A guest that is made when it is first needed: a real machine costs memory and processors that a run without it should
 * not pay for.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import { type AgentReply, type GuestConfig, GuestError, type LabGuest, type RunState } from './guest.ts';

type Snapshots = ReturnType<LabGuest['existingSnapshots']>;

export interface OnDemandInit {
  readonly address: string;
  /** Those the guest will have when it is made. */
  readonly snapshots: Snapshots;
  /** Makes the guest, powered off. */
  readonly create: () => Promise<LabGuest>;
}

export class OnDemandGuest implements LabGuest {
  readonly address: string;
  readonly #init: OnDemandInit;
  #making: Promise<LabGuest> | undefined;
  #guest: LabGuest | undefined;

  constructor(init: OnDemandInit) {
    this.address = init.address;
    this.#init = init;
  }

  state(): RunState {
    return this.#guest?.state() ?? 'stopped';
  }

  uptime(): number {
    return this.#guest?.uptime() ?? 0;
  }

  pid(): number | undefined {
    return this.#guest?.pid();
  }

  async start(config: GuestConfig): Promise<void> {
    await (await this.#made()).start(config);
  }

  async stop(): Promise<void> {
    await this.#guest?.stop();
  }

  async shutdown(timeoutMs: number): Promise<'off' | 'timeout' | 'refused'> {
    return (await this.#guest?.shutdown(timeoutMs)) ?? 'off';
  }

  reset(): Promise<void> {
    return this.#running().reset();
  }

  pause(): Promise<void> {
    return this.#running().pause();
  }

  resume(): Promise<void> {
    return this.#running().resume();
  }

  async saveSnapshot(name: string, options: { ram: boolean }): Promise<void> {
    await (await this.#made()).saveSnapshot(name, options);
  }

  async loadSnapshot(name: string, options: { ram: boolean; config: GuestConfig }): Promise<void> {
    await (await this.#made()).loadSnapshot(name, options);
  }

  async deleteSnapshot(name: string): Promise<void> {
    await (await this.#made()).deleteSnapshot(name);
  }

  existingSnapshots(): Snapshots {
    return this.#guest?.existingSnapshots() ?? this.#init.snapshots;
  }

  async agent(command: string, args: Record<string, unknown>): Promise<AgentReply | undefined> {
    return this.#guest?.agent(command, args);
  }

  setVncPassword(password: string, validMs: number): Promise<void> {
    return this.#running().setVncPassword(password, validMs);
  }

  async openVnc(): Promise<Duplex | undefined> {
    return this.#guest?.openVnc();
  }

  openTcp(port: number): Promise<Duplex> {
    if (this.#guest !== undefined) return this.#guest.openTcp(port);
    return Promise.reject(new GuestError(`connect ECONNREFUSED ${this.address}:${port}`));
  }

  sendKey(keys: string): Promise<void> {
    return this.#running().sendKey(keys);
  }

  async dispose(): Promise<void> {
    const making = this.#making;
    if (making === undefined) return;
    const guest = await making.catch(() => undefined);
    await guest?.dispose();
  }

  /** One guest, however many ask; a failure is not kept, so that the next start tries again. */
  #made(): Promise<LabGuest> {
    this.#making ??= this.#make();
    return this.#making;
  }

  async #make(): Promise<LabGuest> {
    try {
      this.#guest = await this.#init.create();
      return this.#guest;
    } catch (error) {
      this.#making = undefined;
      throw new GuestError(error instanceof Error ? error.message : String(error));
    }
  }

  #running(): LabGuest {
    if (this.#guest === undefined) throw new GuestError('VM not running');
    return this.#guest;
  }
}
