/**
 * Which machine of the run a result is about.
 *
 * @module
 */

/**
 * Finds a machine by the name that an artefact uses: the same one, else the only one that differs in nothing but its
 * case. Undefined for a name that no machine has, or that fits several.
 */
export function machineNames(machines: readonly string[]): (name: string) => string | undefined {
  const exact = new Set(machines);
  const folded = new Map<string, string[]>();
  for (const machine of exact) folded.set(fold(machine), [...(folded.get(fold(machine)) ?? []), machine]);
  return (name) => {
    if (exact.has(name)) return name;
    const [only, ...others] = folded.get(fold(name)) ?? [];
    return others.length === 0 ? only : undefined;
  };
}

function fold(name: string): string {
  return name.trim().normalize('NFC').toLowerCase();
}
