/**
 * What `vmwright doctor` says of leases, config locks, unfinished snapshots and traces that nobody owns. It changes
 * nothing.
 *
 * @module
 */
import { existsSync, statSync } from 'node:fs';
import type { ProcessView } from '../fixtures/lease/identity.ts';
import { type Survey, surveyVm } from '../fixtures/lease/survey.ts';
import type { Proxmox, Vm } from '../fixtures/proxmox/index.ts';
import { recoverCrashedSessions, type TraceConfig } from '../fixtures/trace/index.ts';

/** A line of the doctor's: `fixtures/doctor/finding.ts` has its like. */
export interface LeftBehind {
  /** `problem`: a run will wait or fail because of it. `warning`: worth knowing. */
  readonly state: 'ok' | 'warning' | 'problem';
  readonly subject: string;
  readonly check: 'lease' | 'lock' | 'snapshot' | 'trace';
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** Leases, locks and snapshots of one VM; one `ok` when nothing is left on it. */
export async function leftOnVm(
  proxmox: Pick<Proxmox, 'api'>,
  vm: Vm,
  view?: ProcessView,
): Promise<LeftBehind[]> {
  const survey = await surveyVm(proxmox, vm, view);
  const found = [...leaseFindings(survey), ...lockFindings(survey), ...snapshotFindings(survey)];
  return found.length > 0
    ? found
    : [{ state: 'ok', subject: vm.label, check: 'lease', text: 'nobody holds it' }];
}

function leaseFindings({ vm, lease }: Survey): LeftBehind[] {
  if (lease === undefined) return [];
  const { holder, liveness, record } = lease;
  const subject = vm.label;
  const force = `if it is surely dead: vmwright recover --force ${record?.run ?? ''}`;
  switch (liveness) {
    case 'alive':
      return [
        {
          state: 'warning',
          subject,
          check: 'lease',
          text: `in use by ${holder}`,
          remedy: 'wait for that run',
        },
      ];
    case 'dead':
      return [
        {
          state: 'warning',
          subject,
          check: 'lease',
          text: `held by a dead ${holder}`,
          remedy: 'vmwright recover; the next run takes it over as well',
        },
      ];
    case 'foreign':
      return [
        {
          state: 'warning',
          subject,
          check: 'lease',
          text: `held by ${holder}: of another host, boot or container`,
          remedy: `it ends by itself four minutes after its run fell silent; ${force}`,
        },
      ];
    case 'unknown':
      return [
        {
          state: 'problem',
          subject,
          check: 'lease',
          text: `held by ${holder}, and whether that lives cannot be read`,
          remedy: force,
        },
      ];
    case 'unreadable':
      return [
        {
          state: 'problem',
          subject,
          check: 'lease',
          text: `held by ${holder}`,
          remedy: 'take the vmwright lines out of the notes of the VM, if no run is at work on it',
        },
      ];
  }
}

function lockFindings({ vm, lock }: Survey): LeftBehind[] {
  if (lock === undefined) return [];
  const { kind, task } = lock;
  if (task !== undefined)
    return [
      {
        state: 'warning',
        subject: vm.label,
        check: 'lock',
        text: `locked (${kind}) by ${task}`,
        remedy: 'wait for that task',
      },
    ];
  return [
    {
      state: 'problem',
      subject: vm.label,
      check: 'lock',
      text: `locked (${kind}), and no running task is seen that holds the lock`,
      remedy: `look at the tasks of ${vm.node} (a token sees only its own without Sys.Audit); if none runs: qm unlock ${vm.vmid}`,
    },
  ];
}

function snapshotFindings({ vm, halfMade }: Survey): LeftBehind[] {
  return halfMade.map(({ name, state }) => ({
    state: 'problem',
    subject: vm.label,
    check: 'snapshot',
    text: `snapshot "${name}" was left ${state === 'delete' ? 'half removed' : 'half made'} (${state})`,
    remedy: `qm delsnapshot ${vm.vmid} ${name} --force, on ${vm.node}`,
  }));
}

/** Traces in the shared folder: crashes that the next run finishes, and files that nobody is enrolled for, with their age. */
export function leftTraces(config: TraceConfig, now: number = Date.now()): LeftBehind[] {
  const traces = recoverCrashedSessions({ config, flush: () => undefined, dryRun: true, now: () => now });
  const found = traces.map(({ file, outcome, reason }): LeftBehind => {
    const text = `${reason}, written ${age(file, now)} ago`;
    if (outcome === 'skipped')
      return {
        state: 'warning',
        subject: file,
        check: 'trace',
        text: `left alone: ${text}`,
        remedy: 'nothing needs to be done; remove it by hand if it is of no use',
      };
    return {
      state: 'warning',
      subject: file,
      check: 'trace',
      text,
      remedy: 'vmwright recover; the next run does so as well',
    };
  });
  return found.length > 0 || !existsSync(config.tmpfsPath)
    ? found
    : [{ state: 'ok', subject: config.tmpfsPath, check: 'trace', text: 'no trace was left behind' }];
}

function age(file: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - statSync(file).mtimeMs) / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
