/**
 * Steps that fixtures/actions makes of calls on a machine, among those that a scenario has of its own: told by their
 * subtitle, which blob and JSON reports keep.
 *
 * @module
 */
const ACTION =
  /^(?:vncPage|locator|keyboard|mouse|ssh|apps?|vm|snapshots|agent|proxmox|api)\.(?:\$?[a-z][A-Za-z]*)$/;

export function isAction({ subtitle }: { readonly subtitle?: string }): boolean {
  return subtitle !== undefined && ACTION.test(subtitle);
}

interface Step<S> {
  readonly subtitle?: string;
  readonly steps?: readonly S[];
}

/** Steps with the actions taken out: in the place of each what the spec does inside it. */
export function withoutActions<S extends Step<S>>(steps: readonly S[]): S[] {
  return steps.flatMap((step) => (isAction(step) ? withoutActions(step.steps ?? []) : [step]));
}
