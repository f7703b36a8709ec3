/** The bill of materials. */
import { execFileSync } from 'node:child_process';
import { expect, test } from '@playwright/test';
import { readPage, SNIPPETS } from '../docs/support/pages.ts';
import { ROOT } from '../support/runner.ts';

interface Component {
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly {
    readonly license?: { readonly id?: string; readonly name?: string };
    readonly expression?: string;
  }[];
}

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly peer?: boolean;
}

/** By the command in docs/security.md: everything, for npm takes a part that development needs too for one of it. */
function billOfMaterials(): Component[] {
  const line = SNIPPETS.map(({ code }) => code).find((code) => code.startsWith('npm sbom'));
  const [program = '', ...args] = line?.split(' ') ?? [];
  const output = execFileSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { bomFormat, components } = JSON.parse(output) as { bomFormat: string; components: Component[] };
  expect(bomFormat).toBe('CycloneDX');
  return components;
}

/** `name@version` of all that users get, from the lock file. */
function runtimeParts(): string[] {
  const { packages } = JSON.parse(readPage('package-lock.json')) as { packages: Record<string, Locked> };
  return Object.entries(packages)
    .filter(
      ([path, { dev, devOptional, optional, peer }]) =>
        path !== '' && ![dev, devOptional, optional, peer].includes(true),
    )
    .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`);
}

function idOf({ name, version }: Component): string {
  return `${name}@${version}`;
}

function licenceOf(component: Component | undefined): string {
  return (component?.licenses ?? [])
    .map(({ license, expression }) => expression ?? license?.id ?? license?.name ?? '')
    .join(' AND ');
}

test('the bill of materials names every runtime dependency with its version and licence', () => {
  const components = billOfMaterials();
  const listed = new Map(components.map((component) => [idOf(component), component]));
  const { dependencies } = JSON.parse(readPage('package.json')) as { dependencies: Record<string, string> };
  const parts = runtimeParts();
  expect(parts.length).toBeGreaterThan(Object.keys(dependencies).length);
  expect(parts.filter((part) => !listed.has(part))).toEqual([]);
  expect(parts.filter((part) => licenceOf(listed.get(part)) === '')).toEqual([]);
  expect(
    Object.keys(dependencies).filter((name) => !parts.some((part) => part.startsWith(`${name}@`))),
  ).toEqual([]);
});

test('the README states the one runtime dependency whose licence reaches further', () => {
  const parts = runtimeParts();
  const reaching = billOfMaterials().filter(
    (component) => parts.includes(idOf(component)) && /\bA?GPL-/.test(licenceOf(component)),
  );
  expect(reaching.map(({ name }) => name)).toEqual(['proxmox-api']);
  expect(readPage('README.md')).toContain('`proxmox-api`');
});
