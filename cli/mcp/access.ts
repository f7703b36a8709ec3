/**
 * Which machines an agent may touch: those of the matrix that are not left out, and that a person has approved.
 *
 * @module
 */
import type { Machine } from '../../fixtures/config/index.ts';
import { VmwrightError } from '../../fixtures/errors.ts';
import { isApproved, tokenOf } from '../approval.ts';
import { rowOf } from '../session.ts';

export interface AccessOptions {
  readonly machines: readonly Machine[];
  /** Names of those for the agent. */
  readonly chosen: readonly string[];
  readonly readOnly: boolean;
  /** What a person gave as approval. */
  readonly approval: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export class Access {
  readonly machines: readonly Machine[];
  readonly readOnly: boolean;
  /** What a person gives to approve exactly this. */
  readonly token: string;
  readonly isApproved: boolean;
  readonly #chosen: readonly string[];

  constructor({ machines, chosen, readOnly, approval, env }: AccessOptions) {
    this.machines = machines;
    this.readOnly = readOnly;
    this.#chosen = chosen;
    const subject = { machines: [...chosen].sort(), readOnly };
    this.token = tokenOf('agent', subject);
    this.isApproved = isApproved({ gate: 'agent', subject, given: approval, env });
  }

  /** @throws `PLAN_INVALID`, `HOST_BLACKLISTED`, `APPROVAL_NEEDED` */
  machine(name: string): Machine {
    const machine = rowOf(this.machines, name, 'machine');
    if (machine.skip !== undefined)
      throw new VmwrightError({
        code: 'HOST_BLACKLISTED',
        subject: name,
        message: 'the matrix leaves it out, and an agent does not touch it',
        seen: machine.skip,
        next: 'take another machine',
      });
    if (!this.isApproved || !this.#chosen.includes(name))
      throw new VmwrightError({
        code: 'APPROVAL_NEEDED',
        subject: `gate "agent", ${name}`,
        message: 'nobody has approved that an agent touches this machine',
        expected: 'vmwright mcp with this machine in --project, and --approve',
        seen: this.isApproved ? `approved: ${this.#chosen.join(', ')}` : 'no approval',
        next: 'a person starts the server again with the approval that it prints on its standard error; VMWRIGHT_GATE=off turns approvals off, for CI',
      });
    return machine;
  }

  /** What the list says of a machine. */
  noteOf({ name, skip }: Machine): string {
    if (skip !== undefined) return `left out: ${skip}`;
    return this.isApproved && this.#chosen.includes(name) ? 'approved' : 'not approved';
  }
}
