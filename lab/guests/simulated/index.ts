/**
 * Simulated guests.
 *
 * @module
 */
import type { LabGuest } from '../guest.ts';
import { SimulatedGuest } from './guest.ts';
import type { GuestDefinition } from './system.ts';

/** A machine that exists only in this process; it is on and its desktop is idle. */
export function createSimulatedGuest(definition: GuestDefinition): LabGuest {
  return new SimulatedGuest(definition);
}
