/**
 * The steps of a suite, read from exactly the spec files of the run: TEST FLOW before anything was executed.
 *
 * A step is a `test.step('title', ...)` that is not inside another, or a call of a routine, in the spec itself or in a
 * function that the spec calls. What cannot run is left out: other branches than those that the options of the run and
 * the machine's own facts choose, what is skipped, what comes after a `return` or `throw`. What nobody can know before
 * the run is marked as conditional (requirements A127 to A136), also what follows a way out that may be taken.
 *
 * @module
 */
import { CONDITIONAL } from './conditional.ts';
import type { GateOptions } from './gates.ts';
import { Modules } from './modules.ts';
import { known } from './values.ts';
import { Walk } from './walk.ts';
import type { PlannedFlow } from '../journal.ts';
import { suiteName } from '../run-facts.ts';

/** A machine, and which tests it runs. */
export interface FlowMachine {
  readonly host: string;
  /** What its fixture `machine` says of it: `os`, `desktop`, `family`. */
  readonly facts: Readonly<Record<string, string | number>>;
  readonly tests: readonly { readonly file: string; readonly line: number }[];
}

/**
 * The lists of each file: one, or one for each group of machines that do not do the same. Suites whose spec cannot be read
 * take their fixed list, if there is one.
 */
export function plannedFlows(
  files: readonly string[],
  options: GateOptions,
  fixed: Readonly<Record<string, readonly string[]>> = {},
  machines?: readonly FlowMachine[],
): PlannedFlow[] {
  const modules = new Modules();
  return files.flatMap((file) => {
    const suite = suiteName(file);
    const lists = new Map<string, { readonly flow: PlannedFlow; readonly hosts: string[] }>();
    const all = machines?.filter(({ tests }) => tests.some((test) => test.file === file)) ?? [undefined];
    for (const machine of all) {
      const steps = readSteps(file, options, modules, machine);
      const flow: PlannedFlow =
        steps === undefined
          ? { suite, steps: fixed[suite] ?? [], from: 'static' }
          : { suite, steps: [...new Set(steps)], from: 'spec' };
      const key = JSON.stringify(flow);
      const known = lists.get(key) ?? { flow, hosts: [] };
      if (machine !== undefined) known.hosts.push(machine.host);
      lists.set(key, known);
    }
    const isForAll = lists.size === 1 && all.length === (machines?.length ?? 1);
    return [...lists.values()].map(({ flow, hosts }) => (isForAll ? flow : { ...flow, hosts }));
  });
}

/** Titles in the order of the tests; undefined when the file cannot be read, parsed or gone through. */
export function stepsOf(file: string, options: GateOptions, machine?: FlowMachine): string[] | undefined {
  return readSteps(file, options, new Modules(), machine);
}

function readSteps(
  file: string,
  options: GateOptions,
  modules: Modules,
  machine: FlowMachine | undefined,
): string[] | undefined {
  const module = modules.get(file);
  if (module === undefined) return undefined;
  const facts = Object.entries({
    ...machine?.facts,
    ...(machine === undefined ? {} : { name: machine.host }),
  });
  const walk = new Walk({
    modules,
    options,
    facts: Object.fromEntries(facts.map(([name, value]) => [name, known(value)])),
    ...(machine === undefined
      ? {}
      : { lines: new Set(machine.tests.flatMap((test) => (test.file === file ? test.line : []))) }),
  });
  const steps = walk.run(module);
  if (walk.isOverrun) return undefined;
  return steps.map(({ title, isSure }) => (isSure ? title : `${title}${CONDITIONAL}`));
}
