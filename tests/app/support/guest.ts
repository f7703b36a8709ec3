import type { Lab } from '../../../lab/index.ts';
import { SimulatedGuest } from '../../../lab/guests/simulated/guest.ts';

/** A simulated machine of a lab, with the log of what came in. */
export function guestOf(lab: Lab, name: string): SimulatedGuest {
  const { guest } = lab.machine(name);
  if (!(guest instanceof SimulatedGuest)) throw new TypeError(`${name} is not simulated`);
  return guest;
}
