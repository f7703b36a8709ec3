/**
 * Exit codes of `vmwright`: what was tested and failed is told from what could not be tested.
 *
 * @module
 */
import { isVmwrightError } from '../fixtures/errors.ts';
import type { RunModel } from '../runs/model.ts';

export const EXIT = {
  ok: 0,
  /** A test failed, or what was asked for is not so. */
  failed: 1,
  usage: 2,
  /** Cluster, machine or guest was not to be had: nothing is known of the application. */
  unreachable: 3,
  approval: 4,
} as const;

export const EXIT_CODE_HELP = `
Exit codes:
  0  done; for run and status: every machine passed
  1  a test failed, or what was asked for is not so
  2  wrong usage, or a wrong matrix or plan
  3  cluster, machine or guest was not to be had: says nothing about the application
  4  an approval is missing
`;

const BY_CODE: Readonly<Record<string, number>> = {
  ...of(
    EXIT.usage,
    'PLAN_INVALID OPTION_REPEATED MATRIX_INVALID SUITE_INVALID BUILD_NAME_INVALID RECORD_OUTPUT_EXISTS',
  ),
  ...of(EXIT.approval, 'APPROVAL_NEEDED RISK_UNCONFIRMED'),
  ...of(EXIT.unreachable, 'PROXMOX_UNREACHABLE PROXMOX_NODE_UNREACHABLE LAB_GONE LEASE_HELD LEASE_LOST'),
  ...of(
    EXIT.unreachable,
    'VM_LOCKED VM_BUSY VM_STATUS_TIMEOUT VM_NO_ADDRESS NETWORK_LOST GPU_HELD GPU_BUSY TASK_TIMEOUT',
  ),
  ...of(EXIT.unreachable, 'AGENT_NOT_RUNNING SSH_UNREACHABLE VNC_UNREACHABLE VNC_REFUSED'),
};

function of(exitCode: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(' ').map((code) => [code, exitCode]));
}

/** Of an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  return isVmwrightError(error) ? (BY_CODE[error.code] ?? EXIT.failed) : EXIT.failed;
}

/** Of a run that is over. One failure that may be the application's is enough for `failed`. */
export function exitCodeOfRun({ state, hosts }: Pick<RunModel, 'state' | 'hosts'>): number {
  if (state === 'COMPLETED') return EXIT.ok;
  const others = hosts.filter(({ status }) => status !== 'PASS' && status !== 'SKIP');
  const isUntested = others.every(
    ({ failures }) => failures.length > 0 && failures.every(({ excerpt }) => isUnreachable(excerpt)),
  );
  return state === 'FAILED' && others.length > 0 && isUntested ? EXIT.unreachable : EXIT.failed;
}

/** By the code that a {@link VmwrightError} begins with. */
function isUnreachable(excerpt: string): boolean {
  const code = /^(?:\w+: )?\[([A-Z_]+)\] /.exec(excerpt)?.[1];
  return code !== undefined && BY_CODE[code] === EXIT.unreachable;
}
