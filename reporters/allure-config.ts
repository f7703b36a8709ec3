/**
 * Settings of the Allure report: the npm package `allure` reads them from `allurerc.ts`.
 *
 *     import { allureConfig } from 'vmwright/allure';
 *     import matrix from './vm-matrix.ts';
 *
 *     export default allureConfig(matrix);
 *
 * @module
 */
import type { Machine } from '../fixtures/config/index.ts';
import { CATEGORIES } from './allure-categories.ts';

/** Labels that `reporters/allure.ts` adds, as parameters too. */
const MACHINE_LABELS = ['machine', 'os', 'desktop', 'vm', 'node', 'kernel'];

const HIDDEN = [
  'language',
  'framework',
  'package',
  'titlePath',
  'thread',
  'host',
  'parentSuite',
  'suite',
  ...MACHINE_LABELS,
];

interface Label {
  readonly name: string;
  readonly value?: string;
}

/** One page that opens without a server, with a switcher between the machines and categories of failures. */
export function allureConfig(
  machines: readonly Pick<Machine, 'name' | 'family' | 'desktop' | 'session' | 'vm'>[],
): Readonly<Record<string, unknown>> {
  const environments = Object.fromEntries(
    machines.map(({ name, family, vm, ...machine }) => [
      name.replaceAll(/[^\w-]/g, '-'),
      {
        name,
        variables: { OS: family, Desktop: desktopOf(machine), VM: String(vm) },
        matcher: ({ labels }: { readonly labels: readonly Label[] }): boolean =>
          labels.some((label) => label.name === 'machine' && label.value === name),
      },
    ]),
  );
  return {
    name: 'vmwright',
    output: 'test-results/allure-report',
    environments,
    categories: CATEGORIES,
    // What environment, title and parameters say already.
    hideLabels: HIDDEN,
    plugins: { awesome: { options: { singleFile: true, groupBy: ['suite', 'subSuite'] } } },
  };
}

/** In words. */
export function desktopOf({ desktop, session }: { desktop: string; session: string }): string {
  return session === 'windows' ? desktop : `${desktop} on ${session}`;
}
