/**
 * Files of a simulated guest: an in-memory tree that its shell and its programs share.
 *
 * @module
 */
import { InMemoryFs } from 'just-bash';
import type { GuestDefinition, GuestFiles } from './system.ts';

/** Where the demo application lies. */
export const HARBOR_LINUX = '/opt/harbor/harbor-chat';
export const HARBOR_WINDOWS = 'C:\\Program Files\\Harbor\\HarborChat.exe';
/** Where a program lies that nobody tests, in PATH. */
export const EDITOR_LINUX = '/usr/bin/text-editor';
export const EDITOR_WINDOWS = 'C:\\Windows\\notepad.exe';
/** What is in those files. Anything else in their place is not the application. */
export const HARBOR_SCRIPT = '#!/bin/bash\nharbor-chat-program "$@"\n';
export const HARBOR_EXE = 'MZ harbor-chat';
export const HARBOR_VERSION = 'harbor-chat 1.4.0';

export interface StoredFile {
  readonly path: string;
  /** latin1, so that any byte survives. */
  readonly content: string;
  readonly mode: number;
}

/** A guest's files with what snapshots and SFTP need. */
export interface GuestDisk extends GuestFiles {
  /** The tree as just-bash sees it; Windows paths are kept under `/c:/...`, lower case. */
  readonly fs: InMemoryFs;
  /** A guest's path as the tree names it. */
  inner(path: string): string;
  snapshot(): Promise<readonly StoredFile[]>;
  restore(files: readonly StoredFile[]): Promise<void>;
}

export function createFiles(definition: GuestDefinition): GuestDisk {
  const fs = new InMemoryFs(initialFiles(definition));
  const inner =
    definition.os === 'windows'
      ? (path: string) => windowsInner(longNames(path, definition))
      : (path: string) => path;
  const executables = definition.os === 'windows' ? [] : [HARBOR_LINUX, EDITOR_LINUX];
  const ready = Promise.all(executables.map((path) => fs.chmod(path, 0o755)));
  return {
    fs,
    inner,
    async exists(path) {
      await ready;
      return fs.exists(inner(path));
    },
    async read(path) {
      await ready;
      return fs.readFile(inner(path));
    },
    async write(path, content) {
      const target = inner(path);
      await fs.mkdir(target.slice(0, target.lastIndexOf('/')) || '/', { recursive: true });
      await fs.writeFile(target, content);
    },
    remove: (path) => fs.rm(inner(path), { recursive: true, force: true }),
    async snapshot() {
      await ready;
      const files: StoredFile[] = [];
      for (const path of fs.getAllPaths()) {
        const stat = await fs.stat(path);
        if (!stat.isFile) continue;
        const bytes = await fs.readFileBuffer(path);
        files.push({ path, content: Buffer.from(bytes).toString('latin1'), mode: stat.mode });
      }
      return files;
    },
    async restore(files) {
      const kept = new Set(files.map((file) => file.path));
      for (const path of fs.getAllPaths()) {
        if (!kept.has(path) && (await fs.exists(path)) && (await fs.stat(path)).isFile) await fs.rm(path);
      }
      for (const { path, content, mode } of files) {
        await fs.mkdir(path.slice(0, path.lastIndexOf('/')) || '/', { recursive: true });
        await fs.writeFile(path, Buffer.from(content, 'latin1'));
        await fs.chmod(path, mode);
      }
    },
  };
}

/** Names of 8.3 characters, as NTFS makes them, and what they stand for. */
function longNames(path: string, definition: GuestDefinition): string {
  const names: readonly (readonly [string, string])[] = [
    ['PROGRA~1', 'Program Files'],
    ['PROGRA~2', 'Program Files (x86)'],
    ['PROGRA~3', 'ProgramData'],
    [shortName(definition), definition.user],
  ];
  return path
    .split(/(?<=[\\/])|(?=[\\/])/)
    .map((part) => names.find(([short]) => short.toLowerCase() === part.toLowerCase())?.[1] ?? part)
    .join('');
}

/** Of the user's profile: its own name where that is short enough. */
export function shortName({ user }: Pick<GuestDefinition, 'user'>): string {
  if (/^[\w-]{1,8}$/.test(user)) return user;
  return `${user
    .replaceAll(/[^A-Za-z\d]/g, '')
    .slice(0, 6)
    .toUpperCase()}~1`;
}

/** `C:\Users\x` and `c:/users/X` are the same file. */
function windowsInner(path: string): string {
  return `/${path.replaceAll('\\', '/').replace(/\/+$/, '').toLowerCase()}`;
}

function initialFiles(definition: GuestDefinition): Record<string, string> {
  if (definition.os === 'windows') {
    const home = `C:\\Users\\${definition.user}`;
    const others = Object.fromEntries(
      ['C:\\Windows\\explorer.exe', `${home}\\Desktop\\desktop.ini`, `${home}\\AppData\\Roaming\\x`].map(
        (path) => [windowsInner(path), 'MZ'],
      ),
    );
    return { ...others, [windowsInner(HARBOR_WINDOWS)]: HARBOR_EXE, [windowsInner(EDITOR_WINDOWS)]: 'MZ' };
  }
  const home = `/home/${definition.user}`;
  const desktopEntry = '[Desktop Entry]\nType=Application\nName=Harbor Chat\nExec=/opt/harbor/harbor-chat\n';
  return {
    [HARBOR_LINUX]: HARBOR_SCRIPT,
    [EDITOR_LINUX]: '#!/bin/sh\n',
    '/usr/share/applications/harbor-chat.desktop': desktopEntry,
    '/etc/os-release': `PRETTY_NAME="${definition.prettyName}"\nID=${definition.osId}\n`,
    '/etc/hostname': `${definition.name}\n`,
    [`${home}/.bashrc`]: '',
    '/tmp/.keep': '',
    ...(definition.desktop === 'gnome' ? { [`${home}/.local/share/keyrings/default`]: 'login\n' } : {}),
    ...(definition.desktop === 'kde'
      ? {
          [`${home}/.local/share/kwalletd/kdewallet.kwl`]: 'KWALLET',
          [`${home}/.config/kscreenlockerrc`]: '[Daemon]\n',
          '/etc/sddm.conf.d/autologin.conf': `[Autologin]\nUser=${definition.user}\nSession=plasma\n`,
        }
      : {
          '/etc/gdm/custom.conf': `[daemon]\nAutomaticLoginEnable=True\nAutomaticLogin=${definition.user}\n`,
        }),
  };
}
