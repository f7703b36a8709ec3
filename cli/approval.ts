/**
 * Approvals: a word for one thing at one gate. What was approved for running is not approved for posting.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { VmwrightError } from '../fixtures/errors.ts';

type Gate = 'run' | 'post' | 'correction' | 'agent';

/** Hex digits of a token: enough that no two plans of a day share one, few enough to be typed. */
const TOKEN_LENGTH = 12;

/** The token that approves exactly `subject` at `gate`. */
export function tokenOf(gate: Gate, subject: unknown): string {
  return createHash('sha256')
    .update(`${gate}\n${canonical(subject)}`)
    .digest('hex')
    .slice(0, TOKEN_LENGTH);
}

interface Request {
  readonly gate: Gate;
  readonly subject: unknown;
  /** The token that the operator gave. */
  readonly given: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** Whether `given` approves the subject, or the project has chosen to run ungated (`VMWRIGHT_GATE=off`). */
export function isApproved({ gate, subject, given, env }: Request): boolean {
  return env.VMWRIGHT_GATE === 'off' || given === tokenOf(gate, subject);
}

/**
 * Returns when `given` approves the subject, or the project has chosen to run ungated (`VMWRIGHT_GATE=off`).
 *
 * @throws `APPROVAL_NEEDED`
 */
export function approve({ gate, subject, given, env }: Request): void {
  if (isApproved({ gate, subject, given, env })) return;
  const token = tokenOf(gate, subject);
  throw new VmwrightError({
    code: 'APPROVAL_NEEDED',
    subject: `gate "${gate}"`,
    message: given === undefined ? 'this needs an approval of its own' : 'the approval is for something else',
    expected: `--approve ${token}`,
    seen: given === undefined ? 'none' : `--approve ${given}`,
    next: 'read what is planned, then repeat the command with this approval; VMWRIGHT_GATE=off turns approvals off, for CI',
  });
}

/** JSON whose keys are in order, so that equal things have equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
