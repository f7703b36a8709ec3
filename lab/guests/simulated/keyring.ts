/**
 * GNOME's keyring daemon: it keeps the keyring in memory and writes a removed file again for as long as it runs.
 *
 * @module
 */
import type { GuestDisk } from './files.ts';
import type { ProcessTable } from './processes.ts';
import type { GuestDefinition } from './system.ts';

const DAEMON = 'gnome-keyring-d';

/** Where a desktop keeps what an application remembers of its user; undefined where it keeps nothing. */
export function credentialsFile({ desktop, user }: GuestDefinition): string | undefined {
  if (desktop === 'gnome') return `/home/${user}/.local/share/keyrings/default`;
  return desktop === 'kde' ? `/home/${user}/.local/share/kwalletd/kdewallet.kwl` : undefined;
}

/** Lets the daemon of a GNOME guest undo removals of its file. */
export function attachKeyringDaemon(
  definition: GuestDefinition,
  disk: GuestDisk,
  processes: ProcessTable,
): void {
  const file = credentialsFile(definition);
  if (definition.desktop !== 'gnome' || file === undefined) return;
  const { fs } = disk;
  const remove = fs.rm.bind(fs);
  fs.rm = async (path, options) => {
    const isKept = path === file && processes.list().some(({ comm }) => comm === DAEMON);
    const memory = isKept && (await fs.exists(path)) ? await fs.readFile(path) : undefined;
    await remove(path, options);
    if (memory !== undefined) await fs.writeFile(path, memory);
  };
}
