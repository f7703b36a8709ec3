/**
 * `vmwright vms`: the machines of the matrix as the cluster knows them now. What it lists is what a run can use: other
 * guests of the cluster are nobody's business here.
 *
 * @module
 */
import type { Command } from 'commander';
import { loadSettings, type Machine, type Settings } from '../fixtures/config/index.ts';
import { isVmwrightError } from '../fixtures/errors.ts';
import { surveyVm } from '../fixtures/lease/survey.ts';
import { connectProxmox, type Proxmox } from '../fixtures/proxmox/index.ts';
import { columns } from './columns.ts';
import { Ending } from './ending.ts';
import { loadMatrix } from './plan.ts';
import { ensureCluster, type StandIn } from './stand-in.ts';
import { tell, tellJson } from '../fixtures/secrets/index.ts';
import type { Streams } from './ocr.ts';

export interface VmsOptions {
  readonly matrix: string;
  readonly json?: boolean;
}

/** One machine of the matrix. */
interface VmRow {
  readonly machine: string;
  readonly vmid?: number;
  readonly node?: string;
  /** As QEMU says it: `running`, `paused`, `stopped`...; `missing` when the cluster has no such VM. */
  readonly status: string;
  /** Seconds; 0 when it is off. */
  readonly uptime?: number;
  readonly os: string;
  readonly desktop: string;
  readonly session: string;
  /** The operation that has locked its config. */
  readonly lock?: string;
  /** The run that has it now. */
  readonly heldBy?: string;
  /** Why runs leave it out. */
  readonly skip?: string;
  /** Why it is missing. */
  readonly error?: string;
}

const MISSING = 1;

export function addVms(program: Command): void {
  program
    .command('vms')
    .description(
      'list the machines of the matrix with their live status; without a cluster, those of the lab',
    )
    .option('--matrix <file>', 'file with the machines', 'vm-matrix.ts')
    .option('--json', 'as JSON')
    .action(async (options: VmsOptions) => {
      process.exitCode = await vms(options, process);
    });
}

/** @returns the exit code: 1 when the cluster lacks a machine of the matrix. @throws `PROXMOX_*`, `PLAN_INVALID` */
async function vms(options: VmsOptions, { stdout, stderr }: Streams): Promise<number> {
  const { machines } = await loadMatrix(options.matrix);
  await using ending = new Ending();
  const standIn = await ensureCluster(machines, ending, (line) => {
    tell(stderr, `${line}\n`);
  });
  const rows = await listVms(machines, standIn);
  if (options.json === true) tellJson(stdout, `${JSON.stringify(rows, undefined, 2)}\n`);
  else tell(stdout, columns([HEAD, ...rows.map(cellsOf)]));
  return rows.some(({ error }) => error !== undefined) ? MISSING : 0;
}

/** Each machine of the matrix as the cluster knows it now. @throws `PROXMOX_*` */
export async function listVms(
  machines: readonly Machine[],
  { env, unbuilt }: Pick<StandIn, 'env' | 'unbuilt'>,
): Promise<VmRow[]> {
  const settings = loadSettings(env);
  const proxmox = await connectProxmox({ ...settings.proxmox, timeoutScale: settings.timeoutScale });
  try {
    return await Promise.all(
      machines.map(async (machine): Promise<VmRow> => {
        const build = unbuilt.get(machine.name);
        if (build === undefined) return look(proxmox, machine, settings);
        return { ...factsOf(machine), status: 'missing', skip: `it is not built yet: ${build}` };
      }),
    );
  } finally {
    await proxmox.close();
  }
}

async function look(proxmox: Proxmox, machine: Machine, settings: Settings): Promise<VmRow> {
  const row = factsOf(machine);
  try {
    const vm = await proxmox.findVm(machine.vm, machine.node ?? settings.proxmox.node);
    const [{ qmpStatus, uptime, lock }, { lease }] = await Promise.all([vm.status(), surveyVm(proxmox, vm)]);
    const isHeld = lease !== undefined && lease.liveness !== 'dead';
    return {
      ...row,
      vmid: vm.vmid,
      node: vm.node,
      status: qmpStatus,
      uptime,
      ...(lock === undefined ? {} : { lock }),
      ...(isHeld ? { heldBy: lease.holder } : {}),
    };
  } catch (error) {
    if (!isVmwrightError(error, 'VM_NOT_FOUND') && !isVmwrightError(error, 'VM_AMBIGUOUS')) throw error;
    return { ...row, status: 'missing', error: error.message.split('\n')[0] ?? error.code };
  }
}

function factsOf({
  name,
  os,
  desktop,
  session,
  skip,
}: Machine): Pick<VmRow, 'machine' | 'os' | 'desktop' | 'session' | 'skip'> {
  return { machine: name, os, desktop, session, ...(skip === undefined ? {} : { skip }) };
}

const HEAD = ['MACHINE', 'VM', 'NODE', 'STATUS', 'UP', 'SYSTEM', 'NOTE'];

function cellsOf(row: VmRow): string[] {
  const notes = [
    row.error,
    row.lock === undefined ? undefined : `locked: ${row.lock}`,
    row.heldBy === undefined ? undefined : `in use by ${row.heldBy}`,
    row.skip === undefined ? undefined : `left out: ${row.skip}`,
  ];
  return [
    row.machine,
    row.vmid === undefined ? '-' : String(row.vmid),
    row.node ?? '-',
    row.status,
    row.uptime === undefined || row.uptime === 0 ? '-' : duration(row.uptime),
    row.os === 'windows' ? row.desktop : `${row.os} ${row.desktop} ${row.session}`,
    notes.filter((note) => note !== undefined).join('; '),
  ];
}

/** `3d 4h`, `2h 5m`, `7m`. @param seconds */
function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days}d ${hours % 24}h`;
  return hours > 0 ? `${hours}h ${minutes % 60}m` : `${minutes}m`;
}
