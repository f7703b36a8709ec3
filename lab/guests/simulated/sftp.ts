/**
 * SFTP version 3 on a simulated guest's files: what uploads and downloads need.
 *
 * @module
 */
import ssh2 from 'ssh2';
import type { ShellHost } from './shell/shell.ts';

const { STATUS_CODE, OPEN_MODE } = ssh2.utils.sftp;

interface OpenFile {
  readonly path: string;
  readonly isWriting: boolean;
  bytes: Buffer;
}

export function serveSftp(sftp: ssh2.SFTPWrapper, { disk, held, definition }: ShellHost): void {
  const open = new Map<number, OpenFile>();
  let nextHandle = 1;
  const fileOf = (handle: Buffer): OpenFile | undefined => open.get(handle.readUInt32BE(0));
  /** Answers with a status: OK, or why not. */
  const settle = (id: number, action: Promise<unknown>): void => {
    action.then(
      () => sftp.status(id, STATUS_CODE.OK),
      (error: unknown) =>
        sftp.status(id, codeOf(error), error instanceof Error ? error.message : String(error)),
    );
  };
  const stat = (id: number, path: string): void => {
    disk.fs.stat(disk.inner(path)).then(
      ({ size, mode, isDirectory, mtime }) => {
        const time = Math.floor(mtime.getTime() / 1000);
        sftp.attrs(id, {
          mode: mode | (isDirectory ? 0o040000 : 0o100000),
          size,
          uid: 1000,
          gid: 1000,
          atime: time,
          mtime: time,
        });
      },
      (error: unknown) => sftp.status(id, codeOf(error)),
    );
  };
  sftp.on('REALPATH', (id, path) => {
    const name = path === '.' ? '/' : path;
    sftp.name(id, [
      { filename: name, longname: name, attrs: { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 } },
    ]);
  });
  sftp.on('STAT', stat);
  sftp.on('LSTAT', stat);
  sftp.on('OPEN', (id, path, flags) => {
    void openFile(path, flags).then(
      (file) => {
        const handle = Buffer.alloc(4);
        handle.writeUInt32BE(nextHandle);
        open.set(nextHandle++, file);
        sftp.handle(id, handle);
      },
      (error: unknown) => sftp.status(id, codeOf(error)),
    );
  });
  const openFile = async (path: string, flags: number): Promise<OpenFile> => {
    const inner = disk.inner(path);
    const isWriting = (flags & OPEN_MODE.WRITE) !== 0;
    const isFresh = isWriting && (flags & OPEN_MODE.TRUNC) !== 0;
    const exists = await disk.fs.exists(inner);
    if (!isWriting || (exists && !isFresh)) {
      return { path: inner, isWriting, bytes: Buffer.from(await disk.fs.readFileBuffer(inner)) };
    }
    if (!(await disk.fs.exists(inner.slice(0, inner.lastIndexOf('/')) || '/'))) throw new Error('ENOENT');
    await disk.fs.writeFile(inner, new Uint8Array());
    return { path: inner, isWriting, bytes: Buffer.alloc(0) };
  };
  sftp.on('READ', (id, handle, offset, length) => {
    const file = fileOf(handle);
    if (file === undefined) sftp.status(id, STATUS_CODE.FAILURE);
    else if (offset >= file.bytes.length) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, file.bytes.subarray(offset, offset + length));
  });
  sftp.on('WRITE', (id, handle, offset, data) => {
    const file = fileOf(handle);
    if (file?.isWriting !== true) {
      sftp.status(id, STATUS_CODE.PERMISSION_DENIED);
      return;
    }
    if (file.bytes.length < offset + data.length) {
      file.bytes = Buffer.concat([file.bytes, Buffer.alloc(offset + data.length - file.bytes.length)]);
    }
    data.copy(file.bytes, offset);
    sftp.status(id, STATUS_CODE.OK);
  });
  sftp.on('FSTAT', (id, handle) => {
    const file = fileOf(handle);
    if (file === undefined) sftp.status(id, STATUS_CODE.FAILURE);
    else
      sftp.attrs(id, { mode: 0o100644, size: file.bytes.length, uid: 1000, gid: 1000, atime: 0, mtime: 0 });
  });
  sftp.on('CLOSE', (id, handle) => {
    const file = fileOf(handle);
    open.delete(handle.readUInt32BE(0));
    settle(id, file?.isWriting === true ? disk.fs.writeFile(file.path, file.bytes) : Promise.resolve());
  });
  sftp.on('FSETSTAT', (id) => sftp.status(id, STATUS_CODE.OK));
  sftp.on('SETSTAT', (id, path, attrs) => {
    settle(
      id,
      typeof attrs.mode === 'number'
        ? disk.fs.chmod(disk.inner(path), attrs.mode & 0o7777)
        : Promise.resolve(),
    );
  });
  sftp.on('MKDIR', (id, path) => settle(id, disk.fs.mkdir(disk.inner(path))));
  const isWindows = definition.os === 'windows';
  /** Win32-OpenSSH tells a sharing violation as EACCES (win32compat/w32fd.c). */
  const unlessHeld = async (path: string, action: () => Promise<unknown>): Promise<void> => {
    if (held.isHeld(path)) throw new Error('EACCES: permission denied');
    await action();
  };
  sftp.on('REMOVE', (id, path) =>
    settle(
      id,
      unlessHeld(path, () => disk.fs.rm(disk.inner(path))),
    ),
  );
  const move = (from: string, to: string): Promise<void> => disk.fs.mv(disk.inner(from), disk.inner(to));
  sftp.on('RENAME', (id, from, to) =>
    settle(
      id,
      unlessHeld(to, () => move(from, to)),
    ),
  );
  // posix-rename on Windows is no one step: the target is unlinked, then the file is renamed (win32compat, w32_rename).
  sftp.on('EXTENDED', (id, name, data: Buffer) => {
    if (!isWindows || name !== 'posix-rename@openssh.com') {
      sftp.status(id, STATUS_CODE.OP_UNSUPPORTED);
      return;
    }
    const length = data.readUInt32BE(0);
    const from = data.subarray(4, 4 + length).toString();
    const to = data.subarray(8 + length).toString();
    settle(
      id,
      unlessHeld(to, async () => {
        await disk.fs.rm(disk.inner(to), { force: true });
        await move(from, to);
      }),
    );
  });
}

function codeOf(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('EACCES')) return STATUS_CODE.PERMISSION_DENIED;
  return /ENOENT|no such file/i.test(message) ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE;
}
