/**
 * The guest's address by DHCP: what it believes to have, and what its network would give it.
 *
 * A rollback with RAM brings back a belief; nothing tells the guest that time has passed.
 *
 * @module
 */
import type { Faults } from './quirks.ts';
import type { GuestDefinition } from './system.ts';

export class GuestNetwork {
  readonly #definition: GuestDefinition;
  readonly #faults: Faults;
  #believed: string | undefined;
  #isForgotten = false;

  constructor(definition: GuestDefinition, faults: Faults) {
    this.#definition = definition;
    this.#faults = faults;
    this.#believed = definition.address;
  }

  /** Name of the network card. */
  get card(): string {
    return this.#definition.os === 'windows' ? 'Ethernet' : 'enp6s18';
  }

  /** What the guest says its address is. */
  get address(): string | undefined {
    return this.#believed;
  }

  /** Under which address something gets through to it. */
  get reachedAt(): string | undefined {
    return this.#believed === this.#granted() && !this.#isForgotten ? this.#believed : undefined;
  }

  /** Asks for an address anew. False when nobody answers: there is none then. */
  renew(): boolean {
    this.#believed = this.#granted();
    this.#isForgotten = false;
    return this.#believed !== undefined;
  }

  /** The belief of a snapshot with RAM is back. */
  restore(address: string | undefined): void {
    this.#believed = address;
    this.#isForgotten = this.#faults.has('stale-lease');
  }

  #granted(): string | undefined {
    if (this.#faults.has('no-dhcp')) return undefined;
    const { address } = this.#definition;
    return this.#faults.has('new-address')
      ? address.replace(/\d+$/, (last) => String(Number(last) + 100))
      : address;
  }
}
