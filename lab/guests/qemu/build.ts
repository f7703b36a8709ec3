/**
 * `vmwright lab build`: the Debian desktop image of a real guest.
 *
 * mmdebstrap unpacks packages from the system's own apt sources into an archive, `mke2fs -d` makes a file system of it,
 * `qemu-img` a qcow2. No loop device, no mount; root is not needed where user namespaces are allowed.
 *
 * @module
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { LabError } from './errors.ts';
import { type Desktop, openbox } from './desktops/index.ts';
import { type Image, imageAt, imageFolder, imageKey, makeCacheFolder, SUITE } from './image.ts';
import { takeVmlinux } from './kernel.ts';
import { liveRuns, removeStaleRuns, runFolder } from './runs.ts';
import { aptOptions, debianSources } from './sources.ts';
import { type Progress, stages } from './stages.ts';
import { output, requireTools, spawnGuarded, succeeds } from './tools.ts';

export interface BuildOptions {
  readonly folder: string;
  /** Default: the light one. */
  readonly desktop?: Desktop;
  readonly progress?: Progress;
  /** Build even when the image is there. */
  readonly force?: boolean;
  /** An apt sources file (.list or .sources) for Debian 12; default: the system's own. */
  readonly sources?: string;
}

export interface BuildResult {
  readonly image: Image;
  /** False: it was there already. */
  readonly built: boolean;
}

const ROOM = import.meta.dirname;
/** Virtual size; the file grows with what is written. */
const DISK_SIZE = '6G';
/** Archive, file system and qcow2 lie side by side for a moment. */
const FREE_NEEDED_BYTES = 8 * 1024 ** 3;
const LINES_KEPT = 25;
/**
 * As root mmdebstrap mounts /proc, /sys and /dev/shm into its temporary root. In name spaces of its own these mounts
 * and all its processes are gone with it, however it ends.
 */
const NAMESPACES = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;
const IS_ROOT = process.getuid?.() === 0;
/** What no desktop of the lab ever reads: documentation, translations, drivers of hardware that QEMU does not have. */
const LEFT_OUT = [
  ...[
    '/usr/share/doc/*',
    '/usr/share/man/*',
    '/usr/share/info/*',
    '/usr/share/locale/*',
    '/usr/share/poppler/*',
  ],
  ...[
    'gpu/drm/amd',
    'gpu/drm/nouveau',
    'gpu/drm/i915',
    'gpu/drm/radeon',
    'media',
    'infiniband',
    'iio',
    'staging',
  ]
    .concat('net/wireless', 'net/ethernet', 'scsi', 'hwmon', 'isdn', 'comedi')
    .map((driver) => `/lib/modules/*/kernel/drivers/${driver}/*`),
  ...['sound', 'net/bluetooth', 'fs/xfs', 'fs/btrfs', 'fs/ocfs2'].map(
    (part) => `/lib/modules/*/kernel/${part}/*`,
  ),
];
/** Before any package is configured: the initramfs is then made once, with these modules only. */
const INITRAMFS =
  'mkdir -p "$1/etc/initramfs-tools/conf.d" && echo MODULES=list >"$1/etc/initramfs-tools/conf.d/lab" && ' +
  'printf "virtio_pci\\nvirtio_blk\\next4\\ncrc32c_generic\\n" >"$1/etc/initramfs-tools/modules"';

/**
 * Builds the image unless it is in the cache.
 *
 * @throws LabError `LAB_TOOL_MISSING`, `LAB_SOURCES_MISSING`, `LAB_DISK_FULL`, `LAB_IN_USE`, `LAB_BUILD_FAILED`
 */
export async function buildImage(options: BuildOptions): Promise<BuildResult> {
  const step = stages(options.progress ?? (() => undefined));
  const { desktop = openbox } = options;
  const key = imageKey(desktop);
  const target = imageFolder(options.folder, desktop);
  const present = imageAt(target, desktop);
  if (present !== undefined && options.force !== true) return { image: present, built: false };

  requireTools(['mmdebstrap', 'mke2fs', 'qemu-img', 'qemu-system-x86_64', 'xz', 'tar']);
  makeCacheFolder(options.folder);
  await removeStaleRuns(options.folder);
  if (present !== undefined) requireUnused(options.folder);
  await requireSpace(options.folder);
  const work = runFolder(options.folder);
  // Killed programs may write for a moment longer.
  const removeWork = (): void => rmSync(work, { recursive: true, force: true, maxRetries: 10 });
  mkdirSync(join(work, 'image'), { recursive: true });
  process.once('exit', removeWork);
  try {
    const sources = options.sources === undefined ? debianSources(SUITE, work) : [readable(options.sources)];
    await layOver(work, desktop);
    await unpack(work, desktop, sources, step);
    step('making the kernel image');
    await takeVmlinux(newest(join(work, 'boot'), 'vmlinuz-'), join(work, 'image', 'vmlinux'));
    cpSync(newest(join(work, 'boot'), 'initrd.img-'), join(work, 'image', 'initrd.img'));
    await makeDisk(work, step);
    const packages = readFileSync(join(work, 'packages'), 'utf8').trim().split('\n');
    const kernel = newest(join(work, 'boot'), 'vmlinuz-').replace(/^.*vmlinuz-/, '');
    const manifest = { key, builtAt: new Date().toISOString(), kernel, packages };
    writeFileSync(join(work, 'image', 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(join(options.folder, 'images'), { recursive: true });
    renameSync(join(work, 'image'), target);
  } finally {
    process.removeListener('exit', removeWork);
    await rm(work, { recursive: true, force: true });
  }
  const image = imageAt(target, desktop);
  if (image === undefined) throw failed('the finished image disappeared', []);
  step(`image ${key} is built`);
  return { image, built: true };
}

/** The files of rootfs/, the desktop's over them, and the application as an archive that belongs to root whoever builds. */
async function layOver(work: string, { name }: Desktop): Promise<void> {
  const tree = join(work, 'tree');
  const own = join(ROOM, 'desktops', name);
  for (const files of [join(ROOM, 'rootfs'), join(own, 'rootfs')]) cpSync(files, tree, { recursive: true });
  mkdirSync(join(tree, 'opt/harbor'), { recursive: true });
  cpSync(join(ROOM, 'harbor-chat.py'), join(tree, 'opt/harbor/harbor-chat'));
  cpSync(join(ROOM, 'customize.sh'), join(work, 'customize.sh'));
  cpSync(join(own, 'desktop.sh'), join(work, 'desktop.sh'));
  const owner = ['--owner=0', '--group=0', '--mode=u=rwX,go=rX'];
  await output('tar', ['-C', tree, ...owner, '-cf', join(work, 'rootfs.tar'), '.']);
  writeFileSync(join(work, 'apt.conf'), await aptOptions());
}

async function unpack(
  work: string,
  { packages, guest }: Desktop,
  sources: readonly string[],
  step: Progress,
): Promise<void> {
  const args = [
    ...['--variant=minbase', '--mode=auto', '--format=tar', `--include=${packages.join(',')}`],
    ...['--aptopt=apt.conf', '--aptopt=APT::Install-Recommends "false"'],
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
    `--essential-hook=${INITRAMFS}`,
    '--customize-hook=tar-in rootfs.tar /',
    `--customize-hook=sh ./customize.sh "$1" ${guest.name} ${guest.address}`,
    `--customize-hook=chroot "$1" dpkg-query -W -f '\${Package} \${Version}\\n' >packages`,
    '--customize-hook=copy-out /boot .',
    ...[SUITE, 'root.tar', ...sources],
  ];
  const say = (line: string): void => {
    const said = /^I: (.+)/.exec(line)?.[1];
    if (said !== undefined && !/hook|tempdir|signed-by|host's/.test(said)) step(said.replace(/\.\.\.$/, ''));
  };
  if (!IS_ROOT || !(await succeeds([...NAMESPACES, 'true']))) {
    await run(['mmdebstrap', ...args], { work, onLine: say, signal: 'TERM' });
    return;
  }
  const TMPDIR = join(work, 'tmp');
  mkdirSync(TMPDIR);
  await run([...NAMESPACES, 'mmdebstrap', ...args], { work, onLine: say, env: { TMPDIR } });
}

async function makeDisk(work: string, step: Progress): Promise<void> {
  step('making the file system');
  const make =
    'mkdir root && tar -C root --numeric-owner -xf root.tar && rm root.tar && ' +
    `mke2fs -q -F -t ext4 -L root -E root_owner=0:0 -d root disk.raw ${DISK_SIZE} && rm -rf root`;
  const shell = ['env', 'PATH=/usr/sbin:/sbin:/usr/bin:/bin', 'sh', '-euc', make] as const;
  if (IS_ROOT) await run([...shell], { work });
  else await run(['mmdebstrap', '--unshare-helper', ...shell], { work, signal: 'TERM' });
  step('converting it to qcow2');
  await run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', 'disk.raw', 'image/disk.qcow2'], { work });
}

interface Run {
  readonly work: string;
  readonly onLine?: (line: string) => void;
  /** mmdebstrap outside {@link NAMESPACES} removes its files when it is told to end. */
  readonly signal?: 'KILL' | 'TERM';
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end, in a process group of its own: a failing mmdebstrap tells its whole group to end. */
async function run(command: [string, ...string[]], options: Run): Promise<void> {
  const { work, onLine, signal = 'KILL', env = {} } = options;
  const child = spawnGuarded(command, ['ignore', 'pipe', 'pipe'], { cwd: work, signal, group: true, env });
  const endGroup = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, `SIG${signal}`);
  };
  process.prependOnceListener('exit', endGroup);
  const kept: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      kept.push(line);
      if (kept.length > LINES_KEPT) kept.shift();
      onLine?.(line);
    });
  }
  const code = await new Promise<number | string>((done) => {
    child.once('error', (error) => done(error.message));
    child.once('close', (status, signal) => done(status ?? signal ?? -1));
  });
  process.removeListener('exit', endGroup);
  if (code !== 0) throw failed(`${command[0]} ended with ${code}`, kept);
}

function failed(message: string, lines: readonly string[]): LabError {
  return new LabError({
    code: 'LAB_BUILD_FAILED',
    subject: 'vmwright lab build',
    message,
    ...(lines.length === 0 ? {} : { seen: lines.join('\n            ') }),
    next: 'see the last lines above; `sudo apt-get update` helps against packages that were not found',
  });
}

async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= FREE_NEEDED_BYTES) return;
  throw new LabError({
    code: 'LAB_DISK_FULL',
    subject: folder,
    message: 'the build needs 8 GB for a moment, the image 1 to 2 GB in the end',
    seen: `${((bavail * bsize) / 1024 ** 3).toFixed(1)} GB free`,
    next: 'free some space, or set VMWRIGHT_LAB_DIR to a folder on another disk',
  });
}

/** A guest that runs on the old image would read the new one at its next rollback. */
function requireUnused(folder: string): void {
  const [run] = liveRuns(folder);
  if (run === undefined) return;
  throw new LabError({
    code: 'LAB_IN_USE',
    subject: folder,
    message: 'a lab or a build is using the image that would be replaced',
    seen: run.pid === undefined ? run.path : `process ${run.pid}`,
    next: 'end it, then build again',
  });
}

function readable(file: string): string {
  if (existsSync(file)) return resolve(file);
  throw new LabError({
    code: 'LAB_SOURCES_MISSING',
    subject: file,
    message: 'there is no such apt sources file',
    next: 'name an existing .list or .sources file',
  });
}

/** The only, or alphabetically last, file with this prefix. */
function newest(folder: string, prefix: string): string {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : [];
  const name = names.sort().at(-1);
  if (name === undefined) throw failed(`the packages brought no ${prefix}*`, []);
  return join(folder, name);
}
