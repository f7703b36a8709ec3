/**
 * `vmwright lab`: build, start and look at the embedded lab.
 *
 * @module
 */
import { relative } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { GUEST_PASSWORD, GUEST_USER, fleet } from '../lab/fleet.ts';
import {
  buildCommand,
  buildImage,
  builtImage,
  type BuiltGuest,
  cacheFolder,
  type Desktop,
  desktopNamed,
  desktops,
  findImage,
  type Inventory,
  openbox,
  prepareReady,
  takeInventory,
} from '../lab/guests/qemu/index.ts';
import type { Lab } from '../lab/index.ts';
import { guestNames, serveLab } from '../lab/service.ts';
import { columns } from './columns.ts';
import { tell } from '../fixtures/secrets/index.ts';

const say = (line: string): void => tell(process.stderr, `${line}\n`);
const print = (line: string): void => tell(process.stdout, `${line}\n`);

export function addLab(program: Command): void {
  const lab = program
    .command('lab')
    .description('build, start and look at the embedded Proxmox server and its guests');
  lab
    .command('build')
    .description('build the image of a real guest, boot it once and keep that state')
    .option(
      '--desktop <name>',
      'openbox, kde or gnome: the last two are built only on request',
      parseDesktop,
      openbox,
    )
    .option('--force', 'build even when the image is there')
    .option('--sources <file>', "apt sources (.list or .sources) for Debian 12 (default: the system's own)")
    .action(build);
  lab
    .command('start')
    .description('run the lab until Ctrl-C')
    .option('--guests <names>', 'simulated guests to offer, with commas between (default: all)', parseGuests)
    .option('--qemu', 'offer the real guests too: debian12, and what else is built')
    .action(start);
  lab.command('status').description('say what is built, where, and how big').action(status);
}

async function build(options: { desktop: Desktop; force?: true; sources?: string }): Promise<void> {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const begin = Date.now();
  const folder = cacheFolder();
  const { image, built } = await buildImage({ folder, progress: say, ...options });
  const { accelerator } = await prepareReady(image, say);
  const inventory = await takeInventory(folder);
  const made = inventory.built.find((guest) => guest.image.folder === image.folder);
  const ready = made?.ready.find((state) => state.fits && state.accelerator === accelerator);
  const sizes = `${size(made?.bytes ?? 0)} image, ${size(ready?.bytes ?? 0)} ready state`;
  const seconds = Math.round((Date.now() - begin) / 1000);
  print(
    `${built ? 'built' : 'up to date:'} ${shown(image.folder)}: ${sizes}, ${seconds} s, ${accelerator.toUpperCase()}`,
  );
}

async function start(options: { guests?: string[]; qemu?: true }): Promise<void> {
  if (options.qemu === true) findImage(cacheFolder());
  const names = options.guests ?? fleet.map(({ name }) => name);
  await serveLab({ ...options, progress: say }, (lab, file) => {
    const built = desktops.filter((desktop) => builtImage(cacheFolder(), desktop) !== undefined);
    const real = options.qemu === true ? built.map(({ guest }) => guest.name) : [];
    print(startedText(lab, [...names, ...real], file));
  });
  process.exit(0);
}

async function status(): Promise<void> {
  print(statusText(await takeInventory(cacheFolder())));
}

function startedText(lab: Lab, names: readonly string[], file: string): string {
  const rows = names.map((name) => {
    const { vmid, guest } = lab.machine(name);
    const definition = fleet.find((row) => row.name === name);
    const system =
      definition?.prettyName ?? desktops.find((desktop) => desktop.guest.name === name)?.system ?? '';
    const kind = definition === undefined ? 'QEMU, on demand' : 'simulated';
    return [String(vmid), name, guest.address, guest.state(), kind, system];
  });
  return `
Lab: Proxmox API at ${lab.url}

${columns([['VMID', 'NAME', 'ADDRESS', 'STATE', 'GUEST', 'SYSTEM'], ...rows])}
Use it from another terminal:

  set -a; . ${file}; set +a
  npx playwright test --project=${names[0] ?? '<name>'}

The file holds the API token, the certificate authority and the SSH jump host that leads to these addresses.
Guests take ${GUEST_USER} with the password ${GUEST_PASSWORD}. Ctrl-C ends the lab.`;
}

function statusText(inventory: Inventory): string {
  const { built, older, users } = inventory;
  const rows: string[][] = [['folder', `${inventory.folder} (${size(inventory.bytes)})`]];
  if (!built.some(({ image }) => image.desktop === openbox))
    rows.push(['image', `not built; run ${buildCommand(openbox)} (2 to 4 minutes, once)`]);
  for (const guest of built) rows.push(...builtRows(guest));
  for (const { path, bytes } of older)
    rows.push(['unused', `${shown(path)} (${size(bytes)}), of other sources; it may be removed`]);
  if (users.length > 0)
    rows.push([
      'in use',
      users.map((pid) => (pid === undefined ? 'in another container' : `by process ${pid}`)).join(', '),
    ]);
  return columns(rows).trimEnd();
}

function builtRows({ image, bytes, ready }: BuiltGuest): string[][] {
  const { desktop, folder, manifest } = image;
  const rows = [
    [desktop === openbox ? 'image' : desktop.name, `${shown(folder)} (${size(bytes)})`],
    [
      '',
      `built ${minute(manifest.builtAt)}, kernel ${manifest.kernel}, ${manifest.packages.length} packages`,
    ],
  ];
  if (!ready.some(({ fits }) => fits))
    rows.push(['ready', 'none for this QEMU; the first start boots once and saves it']);
  for (const state of ready) {
    const label = `${state.accelerator.toUpperCase()}, saved ${minute(state.savedAt)} after ${state.seconds} s`;
    rows.push([state.fits ? 'ready' : 'outdated', `${label} (${size(state.bytes)})`]);
  }
  return rows;
}

function parseDesktop(name: string): Desktop {
  const desktop = desktopNamed(name);
  if (desktop !== undefined) return desktop;
  throw new InvalidArgumentError(
    `there is no desktop "${name}"; there are ${desktops.map((one) => one.name).join(', ')}`,
  );
}

function parseGuests(list: string): string[] {
  try {
    return guestNames(list);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
