/**
 * Exit codes of `vmwright`: what was tested and failed is told from what could not be tested.
 *
 * @module
 */
import { isVmwrightError } from '../fixtures/errors.ts';
import type { RunModel } from '../runs/model.ts';
import { isUnavailable, isUnavailableCode } from '../runs/unavailable.ts';

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
};

function of(exitCode: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(' ').map((code) => [code, exitCode]));
}

/** Of an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (!isVmwrightError(error)) return EXIT.failed;
  return isUnavailableCode(error.code) ? EXIT.unreachable : (BY_CODE[error.code] ?? EXIT.failed);
}

/** Of a run that is over. One failure that may be the application's is enough for `failed`. */
export function exitCodeOfRun({ state, hosts }: Pick<RunModel, 'state' | 'hosts'>): number {
  if (state === 'COMPLETED') return EXIT.ok;
  const others = hosts.filter(({ status }) => status !== 'PASS' && status !== 'SKIP');
  const isUntested = others.every(
    ({ failures }) => failures.length > 0 && failures.every(({ excerpt }) => isUnavailable(excerpt)),
  );
  return state === 'FAILED' && others.length > 0 && isUntested ? EXIT.unreachable : EXIT.failed;
}
