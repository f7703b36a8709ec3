import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from '@playwright/test';
import * as fc from 'fast-check';
import { type FlowMachine, stepsOf } from '../../runs/flow/flow.ts';
import { renderSpec, specs, type World, worlds } from './flow-grammar.ts';
import { writeFile } from './support.ts';

const CONDITIONAL = ' (conditional)';

interface Execution {
  readonly steps: readonly string[];
  /** It neither failed nor was skipped. */
  readonly isWhole: boolean;
}

class Skipped extends Error {}
class Endless extends Error {}

/** Runs the one test of a spec for real, with a `test` that notes top-level steps. */
async function execute(source: string, world: World): Promise<Execution> {
  const steps: string[] = [];
  const inside = new AsyncLocalStorage<true>();
  const bodies: ((fixtures: unknown, info: unknown) => Promise<void>)[] = [];
  let turns = 0;
  const skips: unknown[] = [];
  const skip = (...given: readonly unknown[]): void => {
    if (given.length > 0 && !given[0]) return;
    skips.push('skipped');
    throw new Skipped();
  };
  const runner = Object.assign(
    (_title: string, run: (typeof bodies)[number]) => {
      bodies.push(run);
    },
    {
      step: async (title: string, run: () => Promise<unknown>) => {
        if (inside.getStore() !== true) steps.push(title);
        return inside.run(true, run);
      },
      skip,
      fixme: skip,
    },
  );
  const unknown = (index: number): boolean => world.unknown[index] ?? false;
  const risky = (index: number): void => {
    if (world.risky[index] === true) throw new Error('risky');
  };
  const turn = (): void => {
    if (++turns > 200) throw new Endless();
  };
  const program = source.replace(/^import .*$/gm, '').replaceAll('export ', '');
  const process = { env: { VMWRIGHT_OPTION_PLUGIN: world.plugin } };
  const names = ['test', 'unknown', 'risky', 'turn', 'process'];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the generated spec is executed
  const run = new Function(...names, program) as (...given: unknown[]) => void;
  run(runner, unknown, risky, turn, process);
  const machine = { name: 'm1', os: world.os };
  try {
    for (const body of bodies) await body({ machine }, { skip, fixme: skip, project: { name: 'm1' } });
    return { steps, isWhole: skips.length === 0 && turns <= 200 };
  } catch {
    return { steps, isWhole: false };
  }
}

const base = (title: string): string => title.replace(CONDITIONAL, '');
const once = (list: readonly string[]): string[] =>
  list.filter((title) => list.indexOf(title) === list.lastIndexOf(title));

function listed(folder: string, source: string, world: World): string[] {
  const machine: FlowMachine = {
    host: 'm1',
    facts: { os: world.os },
    tests: [
      {
        file: `${folder}/a.spec.ts`,
        line: source.split('\n').findIndex((line) => line.startsWith('test(')) + 1,
      },
    ],
  };
  const plugin = { plugin: { value: world.plugin, values: ['fc', 'iscsi'] } };
  return stepsOf(writeFile(folder, 'a.spec.ts', source), plugin, machine) ?? ['(unread)'];
}

test('VE15: of any spec each step that is executed is listed, in its order, and one without a mark is executed by each test that comes to its end', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  await fc.assert(
    fc.asyncProperty(specs(true), worlds, async (spec, world) => {
      const source = renderSpec(spec);
      const list = listed(folder, source, world);
      const { steps, isWhole } = await execute(source, world);
      const known = new Set(list.map(base));
      expect(
        steps.filter((title) => !known.has(title)),
        source,
      ).toEqual([]);
      const certain = isWhole ? list.filter((title) => !title.endsWith(CONDITIONAL)) : [];
      expect(
        certain.filter((title) => !steps.includes(title)),
        source,
      ).toEqual([]);
      const [left, right] = [once(list.map(base)), once(steps)];
      const both = (titles: readonly string[]): string[] =>
        titles.filter((title) => left.includes(title) && right.includes(title));
      expect(both(steps), source).toEqual(both(list.map(base)));
    }),
    { numRuns: 500 },
  );
});

test('VE15: of a spec in which all is settled before the run the list is what is executed, without a mark', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  await fc.assert(
    fc.asyncProperty(specs(false), worlds, async (spec, world) => {
      const source = renderSpec(spec);
      const { steps } = await execute(source, world);
      expect(listed(folder, source, world), source).toEqual(steps);
    }),
    { numRuns: 400 },
  );
});
