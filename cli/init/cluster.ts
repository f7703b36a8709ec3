/**
 * Rows of a matrix from a live cluster: what there is, and what it seems to be. It only reads.
 *
 * @module
 */
import { isVmwrightError, VmwrightError } from '../../fixtures/errors.ts';
import { type Proxmox, surveyVms, type Vm } from '../../fixtures/proxmox/index.ts';

export interface FoundVm {
  readonly vmid: number;
  readonly name: string;
  /** As the guest agent, else PVE's `ostype`, calls its system. Foreign text. */
  readonly system: string;
  readonly saysAgent: boolean;
  readonly guess: Guess;
  /** As its config says; PVE's own default where that says nothing. */
  readonly hardware: { readonly vga: string; readonly machine: string };
  /** A snapshot that fits as a checkpoint: `ready`, else the latest with RAM. */
  readonly checkpoint: string | undefined;
}

export interface Guess {
  readonly os: 'linux' | 'windows';
  readonly desktop: 'gnome' | 'kde' | 'windows10' | 'windows11';
  readonly session: 'wayland' | 'x11' | 'windows';
  readonly family: string;
  /** False: nothing is known of this system, and it may be anything. */
  readonly isKnown: boolean;
}

/** So many machines are asked at a time: each takes up to four requests. */
const AT_ONCE = 8;
/** What an agent that is not there, or may not be asked, fails with: the VM is listed all the same. */
const NO_AGENT = [
  'AGENT_NOT_RUNNING',
  'AGENT_NOT_CONFIGURED',
  'AGENT_ERROR',
  'PROXMOX_FORBIDDEN',
  'VM_NOT_RUNNING',
];

/** Desktop and session that a distribution comes with, by the `id` of its os-release. */
const DISTRIBUTIONS: Readonly<Record<string, readonly [family: string, Guess['desktop'], Guess['session']]>> =
  {
    fedora: ['fedora', 'gnome', 'wayland'],
    rhel: ['rhel', 'gnome', 'wayland'],
    centos: ['rhel', 'gnome', 'wayland'],
    rocky: ['rhel', 'gnome', 'wayland'],
    almalinux: ['rhel', 'gnome', 'wayland'],
    debian: ['debian', 'gnome', 'wayland'],
    ubuntu: ['ubuntu', 'gnome', 'wayland'],
    manjaro: ['arch', 'kde', 'wayland'],
    'opensuse-leap': ['suse', 'kde', 'x11'],
    'opensuse-tumbleweed': ['suse', 'kde', 'wayland'],
  };

/** Every VM that the token may see, by id; no containers, no templates. @throws `VM_NOT_FOUND` when there is none */
export async function surveyCluster(
  proxmox: Proxmox,
  say: (text: string) => unknown,
): Promise<readonly FoundVm[]> {
  const all = (await surveyVms(proxmox.api, undefined)).filter(({ isTemplate }) => !isTemplate);
  const places = all.filter(({ isReachable }) => isReachable);
  for (const { vmid, node } of all.filter(({ isReachable }) => !isReachable))
    say(`VM ${vmid} is left out: its node ${node} does not answer`);
  if (places.length === 0) {
    throw new VmwrightError({
      code: 'VM_NOT_FOUND',
      subject: 'the cluster',
      message: 'it shows no VM',
      seen: 'no VMs',
      next: 'give the token VM.Audit on the VMs that are to be tested',
    });
  }
  say(`Looking at ${places.length} VMs ...`);
  const found: FoundVm[] = [];
  for (let index = 0; index < places.length; index += AT_ONCE) {
    const batch = places.slice(index, index + AT_ONCE);
    found.push(
      ...(await Promise.all(batch.map(async ({ vmid, node }) => look(await proxmox.findVm(vmid, node))))),
    );
  }
  return found;
}

async function look(vm: Vm): Promise<FoundVm> {
  const config = await vm.config();
  const [info, snapshots] = await Promise.all([agentInfo(vm, config.agent), vm.snapshots.list()]);
  const ostype = text(config.ostype) ?? 'other';
  const withRam = snapshots.filter(({ ram }) => ram);
  const latest = withRam.toSorted((a, b) => Number(a.takenAt ?? 0) - Number(b.takenAt ?? 0)).at(-1);
  const checkpoint = snapshots.find(({ name }) => name === 'ready') ?? latest;
  return {
    vmid: vm.vmid,
    name: vm.name,
    system: systemOf(ostype, info),
    saysAgent: info !== undefined,
    guess: guessOf(ostype, info),
    hardware: {
      vga: text(config.vga)?.split(',')[0]?.replace('type=', '') ?? 'std',
      machine: text(config.machine) ?? 'i440fx',
    },
    checkpoint: checkpoint?.name,
  };
}

/** As people call it: Windows 11 names itself Windows 10. */
function systemOf(ostype: string, info: Readonly<Record<string, string>> | undefined): string {
  const said = info?.['pretty-name'] ?? info?.name ?? `ostype ${ostype}`;
  if (info?.id !== 'mswindows') return said;
  const release = windowsRelease(info, `${said} ${info.version ?? ''}`);
  return release === undefined ? said : said.replace(/Windows 1[01]\b/, `Windows ${release}`);
}

/** What the guest says of itself; undefined where nobody answers. */
async function agentInfo(vm: Vm, setting: unknown): Promise<Readonly<Record<string, string>> | undefined> {
  if (!/^(1|enabled=1)/.test(text(setting) ?? '') || !(await vm.isRunning())) return undefined;
  try {
    return await vm.agent.osInfo();
  } catch (error) {
    if (NO_AGENT.some((code) => isVmwrightError(error, code))) return undefined;
    throw error;
  }
}

/** `ostype` is what somebody chose when the VM was made; the agent knows better. */
export function guessOf(ostype: string, info: Readonly<Record<string, string>> | undefined): Guess {
  const id = info?.id ?? '';
  const title = `${info?.['pretty-name'] ?? ''} ${info?.version ?? ''}`;
  const isWindows = info === undefined ? ostype.startsWith('w') : id === 'mswindows';
  if (isWindows) {
    const release = info === undefined ? /^win(10|11)$/.exec(ostype)?.[1] : windowsRelease(info, title);
    const desktop = release === '10' ? 'windows10' : 'windows11';
    return { os: 'windows', desktop, session: 'windows', family: 'windows', isKnown: release !== undefined };
  }
  const known = DISTRIBUTIONS[id];
  const [family, desktop, session] = known ?? [
    /^[a-z][a-z0-9-]*$/.exec(id)?.[0] ?? 'linux',
    'gnome',
    'wayland',
  ];
  const isKde = info?.['variant-id'] === 'kde' || /\bKDE\b/.test(title);
  return { os: 'linux', desktop: isKde ? 'kde' : desktop, session, family, isKnown: known !== undefined };
}

/** From this build on it is Windows 11, whose registry still says "Windows 10", and so does the guest agent. */
const FIRST_WINDOWS_11 = 22_000;

/** The agent's `kernel-release` is the build. @returns undefined for what is neither */
function windowsRelease(info: Readonly<Record<string, string>>, title: string): string | undefined {
  const build = Number(/^\d+/.exec(info['kernel-release'] ?? '')?.[0] ?? NaN);
  const named = /Windows (10|11)\b/.exec(title)?.[1];
  if (Number.isNaN(build) || named === undefined) return named;
  return build >= FIRST_WINDOWS_11 ? '11' : '10';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
