/**
 * Which machines of a lab have a passed-through device in their config.
 *
 * @module
 */
import type { Lab } from '../../../lab/index.ts';

/**
 * Looks at each change of these machines' configs.
 *
 * @returns the machines that had a device, each time that changed from none or others
 */
export function watchDevices(lab: Lab, names: readonly string[]): () => readonly (readonly string[])[] {
  const seen: string[][] = [];
  const machines = names.map((name) => lab.machine(name));
  const look = (): void => {
    const now = machines
      .filter(({ config, pending }) => [...Object.keys(config), ...pending.keys()].some(isDevice))
      .map(({ name }) => name);
    if (now.length > 0 && String(now) !== String(seen.at(-1))) seen.push(now);
  };
  for (const machine of machines) {
    const change = machine.change.bind(machine);
    machine.change = (...args) => {
      change(...args);
      look();
    };
    const restore = machine.restoreConfig.bind(machine);
    machine.restoreConfig = (snapshot) => {
      restore(snapshot);
      look();
    };
  }
  return () => seen;
}

function isDevice(key: string): boolean {
  return /^hostpci\d+$/.test(key);
}
