/**
 * Cmdlets that work on files.
 *
 * @module
 */
import { HARBOR_VERSION, HARBOR_WINDOWS } from '../../files.ts';
import type { ShellHost } from '../shell.ts';
import { inUse, noAccess } from './denied.ts';
import type { ErrorRecord } from './errors.ts';
import { isRegistryPath, registryOf } from './registry.ts';
import { type Commands, type Invocation, properties, show, type Value, wildcard } from './run.ts';
import { hasWildcard } from './values.ts';

/** A path as it was given: by `-Path`, which takes patterns, or by `-LiteralPath`. */
interface Named {
  readonly path: string;
  readonly isPattern: boolean;
}

/** Of `foreign-files`. */
const FOREIGN = 'c:\\programdata\\harbor';

export function fileCmdlets(host: ShellHost, user: string): Commands {
  const { definition, disk, held, faults } = host;
  const isForeign = (path: string): boolean =>
    faults.has('foreign-files') && user !== 'SYSTEM' && `${path.toLowerCase()}\\`.startsWith(`${FOREIGN}\\`);
  const paths = (call: Invocation): Named[] => [
    ...call.list('Path', 0).map((path) => named(show(path), true)),
    ...call.list('LiteralPath', 9).map((path) => named(show(path), false)),
    ...call.input.flatMap((item) => properties(item, 'FullName')).map((path) => named(show(path), false)),
  ];
  /** `C:` and `C:name` begin in the current folder of the drive. */
  const absolute = (path: string): string =>
    faults.has('drive-has-folder')
      ? path.replace(/^(c:)(?![\\/])/i, (drive) => `${drive}\\Users\\${definition.user}\\`).replace(/\\$/, '')
      : path;
  const named = (path: string, expands: boolean): Named => ({
    path: absolute(path),
    isPattern: expands && (faults.has('wildcard-paths') ? hasWildcard(path) : path.includes('*')),
  });
  /** A pattern may stand in each part of a path (about_Wildcards). */
  const matching = async ({ path, isPattern }: Named): Promise<string[]> => {
    if (!isPattern) return (await disk.exists(path)) ? [path] : [];
    const [drive = '', ...parts] = path
      .replaceAll('/', '\\')
      .split('\\')
      .filter((part) => part !== '');
    let folders = [drive];
    for (const part of parts) {
      const pattern = hasWildcard(part) ? wildcard(part) : undefined;
      const next: string[] = [];
      for (const folder of folders) {
        if (pattern === undefined) {
          if (await disk.exists(`${folder}\\${part}`)) next.push(`${folder}\\${part}`);
        } else if (await disk.exists(folder)) {
          const names = await disk.fs.readdir(disk.inner(folder)).catch(() => []);
          next.push(...names.filter((name) => pattern.test(name)).map((name) => `${folder}\\${name}`));
        }
      }
      folders = next;
    }
    return folders;
  };
  const isFolder = async (path: string): Promise<boolean> =>
    (await disk.exists(path)) && (await disk.fs.stat(disk.inner(path))).isDirectory;
  const missing = (verb: string, path: string): string =>
    `${verb} : Cannot find path '${path}' because it does not exist.`;
  return {
    'test-path': async (call) => {
      const named = paths(call);
      const [first] = named;
      if (first !== undefined && isRegistryPath(first.path))
        return { values: [registryOf(host)[first.path.toLowerCase()] !== undefined] };
      const hits = await Promise.all(named.map(matching));
      return { values: hits.map((found) => found.length > 0) };
    },
    'remove-item': async (call) => {
      const errors: (string | ErrorRecord)[] = [];
      for (const path of paths(call)) {
        const found = await matching(path);
        if (found.length === 0 && !path.isPattern) errors.push(missing('Remove-Item', path.path));
        for (const file of found) {
          if (isForeign(file))
            errors.push(noAccess('Remove-Item', 'RemoveFileSystemItemUnAuthorizedAccess', file));
          else if (held.isHeld(file)) errors.push(inUse('Remove-Item', file));
          else await disk.remove(file);
        }
      }
      return { errors };
    },
    'get-childitem': async (call) => {
      const values: Value[] = [];
      const errors: (string | ErrorRecord)[] = [];
      for (const path of paths(call)) {
        if (isForeign(path.path)) {
          errors.push(noAccess('Get-ChildItem', 'DirUnauthorizedAccessError', path.path));
          continue;
        }
        const matched = await matching(path);
        if (matched.length === 0 && !path.isPattern) errors.push(missing('Get-ChildItem', path.path));
        // Of a folder that is named itself, what is in it.
        const found =
          path.isPattern || !(await isFolder(path.path))
            ? matched
            : (await disk.fs.readdir(disk.inner(path.path))).map((name) => `${path.path}\\${name}`);
        for (const file of found) {
          const { mtime } = await disk.fs.stat(disk.inner(file));
          const name = file.slice(file.lastIndexOf('\\') + 1);
          values.push({ display: name, Name: name, FullName: file, LastWriteTime: mtime.getTime() });
        }
      }
      return { values, errors };
    },
    'get-item': async (call) => {
      const path = show(call.named('LiteralPath') ?? call.argument('Path', 0) ?? '');
      if (!(await disk.exists(path))) return { errors: [missing('Get-Item', path)] };
      const isHarbor = path.toLowerCase() === HARBOR_WINDOWS.toLowerCase();
      const version = isHarbor ? { ProductVersion: HARBOR_VERSION.replace(/^\S+ /, '') } : {};
      const { mtime } = await disk.fs.stat(disk.inner(path));
      return {
        values: [
          {
            display: path,
            Name: path.slice(path.lastIndexOf('\\') + 1),
            FullName: path,
            LastWriteTime: mtime.getTime(),
            VersionInfo: version,
          },
        ],
      };
    },
    'get-content': async (call) => {
      const path = show(call.named('LiteralPath') ?? call.argument('Path', 0) ?? '');
      if (!(await disk.exists(path))) return { errors: [missing('Get-Content', path)] };
      return { values: [await disk.read(path)] };
    },
    'set-content': async (call) => {
      await disk.write(
        show(call.named('LiteralPath') ?? call.argument('Path', 0) ?? ''),
        show(call.argument('Value', 1) ?? call.input[0] ?? ''),
      );
      return {};
    },
    'new-item': async (call) => {
      await disk.fs.mkdir(disk.inner(show(call.named('LiteralPath') ?? call.argument('Path', 0) ?? '')), {
        recursive: true,
      });
      return {};
    },
  };
}
