import { appendFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { buildImage, findImage, LabError, takeInventory } from '../../lab/guests/qemu/index.ts';
import { cacheFolder, type Image, imageFolder, imageKey, sourcesOf } from '../../lab/guests/qemu/image.ts';
import { desktops, openbox } from '../../lab/guests/qemu/desktops/index.ts';
import { takeVmlinux, xzPayload } from '../../lab/guests/qemu/kernel.ts';
import { readyKey } from '../../lab/guests/qemu/ready.ts';
import { runFolder } from '../../lab/guests/qemu/runs.ts';
import { debianSources, linesOf, stanzasOf } from '../../lab/guests/qemu/sources.ts';
import { output, requireTools } from '../../lab/guests/qemu/tools.ts';
import { builtOnRequest } from '../../lab/real-guest.ts';
import rows from '../../vm-matrix.desktops.ts';
import { ROOT } from '../support/runner.ts';
import { test } from './support/folder.ts';

const ROOM = join(ROOT, 'lab/guests/qemu');

test('the image key follows every source: content, names, a file more or less', ({ folder }) => {
  const SOURCES = sourcesOf(openbox);
  for (const source of SOURCES) cpSync(join(ROOM, source), join(folder, source), { recursive: true });
  const keys = [imageKey(openbox, folder)];
  expect(keys[0]).toBe(imageKey());
  expect(keys[0]).toMatch(/^[0-9a-f]{16}$/);
  for (const source of SOURCES.filter((name) => /\.\w+$/.test(name))) {
    appendFileSync(join(folder, source), '\n');
    keys.push(imageKey(openbox, folder));
  }
  appendFileSync(join(folder, 'desktops/openbox/desktop.sh'), '\n');
  keys.push(imageKey(openbox, folder));
  appendFileSync(join(folder, 'rootfs/etc/fstab'), '#\n');
  keys.push(imageKey(openbox, folder));
  renameSync(join(folder, 'rootfs/etc/fstab'), join(folder, 'rootfs/etc/fstab2'));
  keys.push(imageKey(openbox, folder));
  writeFileSync(join(folder, 'rootfs/etc/empty'), '');
  keys.push(imageKey(openbox, folder));
  rmSync(join(folder, 'rootfs/etc/gtk-3.0/settings.ini'));
  keys.push(imageKey(openbox, folder));
  expect(new Set(keys).size).toBe(keys.length);
  writeFileSync(join(folder, 'notes.md'), 'not a source');
  expect(imageKey(openbox, folder)).toBe(keys.at(-1));
});

test('each desktop has an image, a machine and a place in the network of its own', () => {
  const keys = desktops.map((desktop) => imageKey(desktop));
  expect(new Set(keys).size).toBe(3);
  for (const field of ['vmid', 'name', 'address', 'mac'] as const)
    expect(new Set(desktops.map(({ guest }) => guest[field])).size).toBe(3);
  expect(imageKey({ ...openbox, packages: [...openbox.packages, 'xterm'] })).not.toBe(keys[0]);
});

test('a row of a desktop that is built on request appears with its image, and not without', ({ folder }) => {
  expect(rows.map(({ name }) => name)).toEqual(['debian12-kde', 'debian12-gnome']);
  expect(builtOnRequest(rows, folder)).toEqual([]);
  const [, kde] = desktops;
  const target = imageFolder(folder, kde);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'manifest.json'), JSON.stringify({ packages: [] }));
  expect(builtOnRequest(rows, folder).map(({ name }) => name)).toEqual(['debian12-kde']);
  expect(() => findImage(folder, desktops[2])).toThrow(
    /^\[LAB_IMAGE_MISSING\] lab guest debian12-gnome: [^]*run npx vmwright lab build --desktop gnome/,
  );
});

test('rows and machines of the real desktops agree', () => {
  for (const row of rows) {
    const desktop = desktops.find(({ guest }) => guest.name === row.name);
    expect(row).toMatchObject({ vm: desktop?.guest.vmid, desktop: desktop?.name });
  }
});

test('a RAM state belongs to one image, QEMU and accelerator, wherever the cache folder is', () => {
  const image = (folder: string, kernel = '6.1'): Image => ({
    desktop: openbox,
    folder,
    disk: join(folder, 'disk.qcow2'),
    kernel: join(folder, 'vmlinux'),
    initrd: join(folder, 'initrd.img'),
    manifest: { key: '0123456789abcdef', builtAt: '2026-01-01T00:00:00Z', kernel, packages: [] },
  });
  const here = readyKey(image('/here'), 'tcg', 'QEMU 7.2');
  expect(readyKey(image('/moved'), 'tcg', 'QEMU 7.2')).toBe(here);
  const others = [
    readyKey(image('/here'), 'kvm', 'QEMU 7.2'),
    readyKey(image('/here'), 'tcg', 'QEMU 8.0'),
    readyKey(image('/here', '6.2'), 'tcg', 'QEMU 7.2'),
  ];
  expect(new Set([here, ...others]).size).toBe(4);
});

test('cache folder: the variable, else .lab at the nearest package.json, else the home folder', ({
  folder,
}) => {
  const deep = join(folder, 'project/specs/login');
  mkdirSync(deep, { recursive: true });
  expect(cacheFolder(deep, { VMWRIGHT_LAB_DIR: '/big/disk' })).toBe('/big/disk');
  expect(cacheFolder(deep, {})).toBe(join(homedir(), '.cache/vmwright'));
  writeFileSync(join(folder, 'package.json'), '{}');
  expect(cacheFolder(deep, { VMWRIGHT_LAB_DIR: '' })).toBe(join(folder, '.lab'));
  writeFileSync(join(folder, 'project/package.json'), '{}');
  expect(cacheFolder(deep, {})).toBe(join(folder, 'project/.lab'));
});

test('an image counts once its manifest is there; until then the error says what to run', async ({
  folder,
}) => {
  const target = imageFolder(folder);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'disk.qcow2'), 'half');
  expect(() => findImage(folder)).toThrow(
    /^\[LAB_IMAGE_MISSING\] lab guest debian12: [^]*next: {5}run npx vmwright lab build/,
  );
  const manifest = { key: imageKey(), builtAt: '2026-01-02T03:04:05Z', kernel: '6.1', packages: ['a 1'] };
  writeFileSync(join(target, 'manifest.json'), JSON.stringify(manifest));
  mkdirSync(join(folder, 'images/0000000000000000'));
  writeFileSync(join(folder, 'images/0000000000000000/disk.qcow2'), Buffer.alloc(8192, 1));
  const found = findImage(folder);
  expect(found.manifest).toEqual(manifest);
  expect(await buildImage({ folder })).toEqual({ image: found, built: false });
  const inventory = await takeInventory(folder);
  expect(inventory).toMatchObject({ built: [{ image: found, ready: [] }], users: [] });
  expect(inventory.older.map(({ path }) => path)).toEqual([join(folder, 'images/0000000000000000')]);
  expect(inventory.older[0]!.bytes).toBeGreaterThanOrEqual(8192);
});

test('a forced build does not replace an image that is in use', async ({ folder }) => {
  const target = imageFolder(folder);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'manifest.json'), JSON.stringify({ packages: [] }));
  mkdirSync(runFolder(folder), { recursive: true });
  await expect(buildImage({ folder, force: true })).rejects.toThrow(
    new RegExp(`^\\[LAB_IN_USE\\] [^]*process ${process.pid}\n`),
  );
  expect(findImage(folder).folder).toBe(target);
});

test('every missing tool is named at once, with the packages to install', () => {
  const find = (name: string): string | undefined => (name === 'tar' ? '/bin/tar' : undefined);
  expect(() => requireTools(['qemu-system-x86_64', 'tar', 'mke2fs'], find)).toThrow(
    /LAB_TOOL_MISSING[^]*qemu-system-x86_64, mke2fs not found[^]*install qemu-system-x86 e2fsprogs$/,
  );
  expect(() => requireTools(['tar'], find)).not.toThrow();
});

const DEBIAN = `# the system's own
Types: deb
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg`;
const stanza = (fields: string): string => `${fields}\nURIs: http://mirror.test/debian\nComponents: main`;

test('deb822 sources: binary packages of the release that are not switched off', () => {
  const others = [
    stanza('Types: deb-src\nSuites: bookworm'),
    stanza('Types: deb\nSuites: trixie'),
    stanza('Types: deb\nSuites: bookworm-backports'),
    stanza('Enabled: no\nTypes: deb\nSuites: bookworm'),
  ];
  const both = stanza('types: deb deb-src\nsuites: stable bookworm-security');
  const on = stanza('Enabled: yes\nTypes: deb\nSuites: bookworm');
  const text = [DEBIAN, ...others, both, on].join('\n\n');
  expect(stanzasOf(text, 'bookworm')).toEqual([DEBIAN.slice(DEBIAN.indexOf('\n') + 1), both, on]);
});

test('one-line sources: the same choice', () => {
  const wanted = [
    'deb http://mirror.test/debian bookworm main contrib',
    'deb [ arch=amd64 signed-by=/k.gpg ] http://mirror.test/debian bookworm-updates main',
    '  deb\thttp://mirror.test/debian-security bookworm-security main # comment',
  ];
  const others = [
    '# deb http://mirror.test/debian bookworm main',
    'deb-src http://mirror.test/debian bookworm main',
    'deb http://mirror.test/debian trixie main',
    'deb http://mirror.test/debian bookworm-backports main',
    'deb cdrom:[Debian GNU/Linux 12 _Bookworm_]/ bookworm main',
    '',
  ];
  const text = others.flatMap((line, index) => [line, wanted[index] ?? '']).join('\n');
  expect(linesOf(text, 'bookworm')).toEqual(wanted);
});

test("a vendor's deb822 file beside Debian's own sources.list: both are used", ({ folder }) => {
  const etc = join(folder, 'apt');
  mkdirSync(join(etc, 'sources.list.d'), { recursive: true });
  const own = 'deb http://mirror.test/debian bookworm main';
  const extra = 'deb http://mirror.test/extra bookworm main';
  const vendor = 'Types: deb\nURIs: http://vendor.test/linux\nSuites: bookworm\nComponents: stable';
  writeFileSync(join(etc, 'sources.list'), `${own}\n`);
  writeFileSync(join(etc, 'sources.list.d/extra.list'), `${extra}\n`);
  writeFileSync(join(etc, 'sources.list.d/old.list.save'), 'deb http://mirror.test/old bookworm main\n');
  writeFileSync(join(etc, 'sources.list.d/vendor.sources'), `${vendor}\n`);
  const files = debianSources('bookworm', folder, etc);
  expect(files).toEqual([join(folder, 'system.list'), join(folder, 'system.sources')]);
  expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual([`${own}\n${extra}\n`, `${vendor}\n`]);
});

test('no source of the release: the error says so, and how to bring one', ({ folder }) => {
  writeFileSync(join(folder, 'sources.list'), 'deb http://mirror.test/ubuntu noble main\n');
  expect(() => debianSources('bookworm', folder, folder)).toThrow(LabError);
  expect(() => debianSources('bookworm', folder, folder)).toThrow(/LAB_SOURCES_MISSING[^]*--sources <file>/);
});

/** A bzImage: header, setup sectors, and at `offset` of the protected-mode part the payload. */
function bzImage(payload: Buffer, setupSectors = 3, offset = 100): Buffer {
  const sectors = setupSectors === 0 ? 4 : setupSectors;
  const image = Buffer.alloc((sectors + 1) * 512 + offset + payload.length + 64, 0xee);
  image.writeUInt8(setupSectors, 0x1f1);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt32LE(offset, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  payload.copy(image, (sectors + 1) * 512 + offset);
  return image;
}

const SIZE_FIELD = Buffer.from([1, 2, 3, 4]);

test('the xz payload of a kernel is found by its header, without the size behind it', () => {
  const xz = Buffer.concat([Buffer.from('fd377a585a00', 'hex'), Buffer.from('kernel')]);
  for (const sectors of [3, 0, 39])
    expect(xzPayload(bzImage(Buffer.concat([xz, SIZE_FIELD]), sectors))).toEqual(xz);
  const zstd = Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.from('kernel'), SIZE_FIELD]);
  expect(xzPayload(bzImage(zstd))).toBeUndefined();
  expect(xzPayload(Buffer.from('\x7fELF'))).toBeUndefined();
  expect(xzPayload(Buffer.alloc(4096))).toBeUndefined();
  expect(xzPayload(bzImage(Buffer.alloc(0)).subarray(0, 0x250))).toBeUndefined();
});

test('vmlinux is unpacked where it can be, else copied', async ({ folder }) => {
  const plain = join(folder, 'plain');
  writeFileSync(plain, 'ELF of a kernel');
  await output('xz', ['--keep', plain]);
  const payload = Buffer.concat([readFileSync(`${plain}.xz`), SIZE_FIELD]);
  const vmlinuz = join(folder, 'vmlinuz');
  writeFileSync(vmlinuz, bzImage(payload));
  await takeVmlinux(vmlinuz, join(folder, 'vmlinux'));
  expect(readFileSync(join(folder, 'vmlinux'), 'utf8')).toBe('ELF of a kernel');
  writeFileSync(vmlinuz, bzImage(Buffer.from('28b52ffd00000000', 'hex')));
  await takeVmlinux(vmlinuz, join(folder, 'vmlinux'));
  expect(readFileSync(join(folder, 'vmlinux'))).toEqual(readFileSync(vmlinuz));
});
