import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { desktopNamed } from '../../lab/guests/qemu/desktops/index.ts';
import { imageFolder, imageKey } from '../../lab/guests/qemu/image.ts';
import { requirePeer } from '../support/peers.ts';
import { test } from './support/folder.ts';
import { isAlive, LabClient, Started, TSX, vmwright } from './support/process.ts';

for (const [args, said] of [
  [['frobnicate'], "unknown command 'frobnicate'"],
  [['lab', 'frobnicate'], "unknown command 'frobnicate'"],
  [['lab', 'build', '--quick'], "unknown option '--quick'"],
  [['lab', 'build', '--desktop', 'xfce'], 'there is no desktop "xfce"; there are openbox, kde, gnome'],
  [['lab', 'status', 'more'], 'too many arguments'],
  [['lab', 'start', '--guests', 'fedora42,beos'], 'there is no guest "beos"; there are fedora42, ubuntu2204'],
  [['lab', 'start', '--guests', 'debian12'], 'debian12 is a real guest: ask for it with --qemu'],
  [['ocr'], "missing required argument 'file'"],
] as const) {
  test(`wrong usage ends with 2 and one reason: ${args.join(' ')}`, async () => {
    const { code, stdout, stderr } = await vmwright(args).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
    expect(stderr.trim().split('\n')).toHaveLength(2);
  });
}

test('help is no failure', async () => {
  const { code, stdout } = await vmwright(['lab', '--help']).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/build[^]*start[^]*status/);
});

test('start --qemu without an image ends with 1 and says what to run', async ({ folder }) => {
  const { code, stdout, stderr } = await vmwright(['lab', 'start', '--qemu'], { VMWRIGHT_LAB_DIR: folder })
    .ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(
    `[LAB_IMAGE_MISSING] lab guest debian12: no image of the Debian desktop in ${folder}\n` +
      '  next:     run npx vmwright lab build (2 to 4 minutes, once)\n',
  );
});

test('build with a sources file that is not there ends with 1 and leaves nothing', async ({ folder }) => {
  requirePeer(test, 'mmdebstrap');
  requirePeer(test, 'qemu-system-x86_64');
  requirePeer(test, 'qemu-img');
  const { code, stderr } = await vmwright(['lab', 'build', '--sources', 'none.list'], {
    VMWRIGHT_LAB_DIR: folder,
  }).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^\[LAB_SOURCES_MISSING\] none\.list: .*\n {2}next: .*\n$/);
  expect(existsSync(join(folder, 'images'))).toBe(false);
});

test('status: what is built, what is outdated, what may go', async ({ folder }) => {
  const env = { VMWRIGHT_LAB_DIR: folder };
  const empty = await vmwright(['lab', 'status'], env).ended;
  expect(empty.code).toBe(0);
  expect(empty.stdout).toContain('not built; run npx vmwright lab build');

  const image = imageFolder(folder);
  mkdirSync(join(image, 'ready-0000000000000000'), { recursive: true });
  writeFileSync(join(image, 'disk.qcow2'), Buffer.alloc(3_000_000, 1));
  const manifest = {
    key: imageKey(),
    builtAt: '2026-01-02T03:04:05Z',
    kernel: '6.1.0-x',
    packages: ['a 1', 'b 2'],
  };
  writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest));
  const ready = { accelerator: 'tcg', savedAt: '2026-01-02T03:05:06Z', seconds: 31 };
  writeFileSync(join(image, 'ready-0000000000000000/ready.json'), JSON.stringify(ready));
  writeFileSync(join(image, 'ready-0000000000000000/overlay.qcow2'), Buffer.alloc(2_000_000, 1));
  mkdirSync(join(folder, 'images/0123456789abcdef'), { recursive: true });
  const kde = imageFolder(folder, desktopNamed('kde'));
  mkdirSync(kde);
  writeFileSync(join(kde, 'manifest.json'), JSON.stringify(manifest));
  const { stdout } = await vmwright(['lab', 'status'], env).ended;
  expect(stdout.split('\n').map((line) => line.trim())).toEqual([
    `folder    ${folder} (5 MB)`,
    `image     ${image} (3 MB)`,
    'built 2026-01-02 03:04 UTC, kernel 6.1.0-x, 2 packages',
    'ready     none for this QEMU; the first start boots once and saves it',
    'outdated  TCG, saved 2026-01-02 03:05 UTC after 31 s (2 MB)',
    `kde       ${kde} (0 MB)`,
    'built 2026-01-02 03:04 UTC, kernel 6.1.0-x, 2 packages',
    'ready     none for this QEMU; the first start boots once and saves it',
    `unused    ${join(folder, 'images/0123456789abcdef')} (0 MB), of other sources; it may be removed`,
    '',
  ]);
});

test('start: the table, a file that leads to the lab, and nothing left after Ctrl-C', async () => {
  const lab = vmwright(['lab', 'start', '--guests', 'fedora42, windows11']);
  const file = await lab.said(/\n {2}set -a; \. (\S+); set \+a\n/);
  await lab.said(/Ctrl-C ends the lab/);
  expect(lab.stdout).toMatch(/101 +fedora42 +10\.77\.0\.11 {2}running +simulated +Fedora Linux 42/);
  expect(lab.stdout).toMatch(/107 +windows11/);
  expect(lab.stdout).not.toMatch(/ubuntu|debian12/);
  expect(lab.stdout).toContain('npx playwright test --project=fedora42');
  const client = new LabClient(file);
  const machines = (await client.call('GET', '/nodes/pve/qemu')) as { name: string }[];
  expect(machines.map(({ name }) => name).sort()).toEqual(['fedora42', 'windows11']);
  await client.close();
  const authority = /PROXMOX_CA_FILE='(.+)'/.exec(readFileSync(file, 'utf8'))![1]!;
  lab.child.kill('SIGINT');
  expect(await lab.ended).toMatchObject({ code: 0, stderr: '' });
  expect([existsSync(file), existsSync(authority)]).toEqual([false, false]);
});

test('serve: one line when it is ready; SIGTERM ends it cleanly', async () => {
  const lab = new Started(process.execPath, [...TSX, 'lab/serve.ts', '--guests', 'fedora42']);
  const file = await lab.said(/^vmwright lab ready: env=(.+)\n$/);
  expect(existsSync(file)).toBe(true);
  lab.child.kill('SIGTERM');
  expect(await lab.ended).toMatchObject({ code: 0, stdout: `vmwright lab ready: env=${file}\n`, stderr: '' });
  expect(existsSync(file)).toBe(false);
});

test('serve: ends when whoever started it is gone', async () => {
  const script = `'${process.execPath}' ${TSX.join(' ')} lab/serve.ts --guests fedora42 & echo "pid $!"; wait`;
  const shell = new Started('/bin/sh', ['-c', script]);
  const pid = Number(await shell.said(/^pid (\d+)$/m));
  const file = await shell.said(/env=(.+)\n/);
  expect(isAlive(pid)).toBe(true);
  shell.child.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  expect(existsSync(file)).toBe(false);
});

for (const [args, said] of [
  [['--guests', 'beos'], 'vmwright lab: there is no guest "beos"'],
  [['--frob'], "vmwright lab: Unknown option '--frob'"],
] as const) {
  test(`serve: wrong usage is one line: ${args.join(' ')}`, async () => {
    const { code, stdout, stderr } = await new Started(process.execPath, [...TSX, 'lab/serve.ts', ...args])
      .ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(said);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
}
