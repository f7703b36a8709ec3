/** `vmwright init` in a project that is there already: nothing of it changes that is not shown. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { withMachines } from '../../cli/init/merge.ts';
import { writeAll } from '../../cli/init/place.ts';
import { ROOT } from '../support/runner.ts';
import { type Result, run } from './support/consumer.ts';

async function init(folder: string, ...args: readonly string[]): Promise<Result> {
  return run(ROOT, process.execPath, ['--import', 'tsx', 'cli/main.ts', 'init', folder, ...args]);
}

/** Every file with what is in it. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('.git/') && statSync(join(folder, name)).isFile())
    .sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

/** A repository of its own: that of vmwright is around it. */
function repository(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('git', ['init', '--quiet', folder]);
  write(folder, files);
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
}

const OWN = {
  'package.json': '{ "name": "chat", "scripts": { "test": "jest" } }\n',
  'e2e/own.spec.js': "const { test } = require('@playwright/test');\ntest('own', () => {});\n",
};

for (const name of ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].map((end) => `playwright.config.${end}`)) {
  test(`CL24: ${name} is neither changed nor hidden by another, and no spec is written that it would run without a machine`, async ({}, info) => {
    const folder = info.outputPath('chat');
    repository(folder, { ...OWN, [name]: 'export default { testDir: "." };\n' });
    const { exitCode, output } = await init(folder, '--ci', 'github');
    expect(exitCode, output).toBe(0);
    expect(output).toContain(`kept     ${name}: it has no machines yet. \`vmwright init --merge\` adds them`);
    const files = contents(folder);
    expect(files[name]).toBe('export default { testDir: "." };\n');
    expect(Object.keys(files).filter((file) => /playwright\.config|smoke\.spec|github/.test(file))).toEqual([
      name,
    ]);
    expect(JSON.parse(files['package.json'] ?? '')).not.toHaveProperty('type');
    expect(output).toContain('its "type" is commonjs, as nothing else is said');
  });
}

const CONFIGS: Readonly<Record<string, string>> = {
  'an object': `import { defineConfig } from '@playwright/test';\n\nexport default defineConfig({\n  testDir: 'e2e',\n});\n`,
  'lines of Windows': `// Ours.\r\nimport { defineConfig } from '@playwright/test';\r\nexport default defineConfig<Own>({});\r\n`,
  'a name': `/**\n * Ours.\n */\nconst config = { testDir: 'e2e' };\nexport default config;\n`,
  CommonJS: `'use strict';\nconst { defineConfig } = require('@playwright/test');\nmodule.exports = defineConfig({\n  projects: [{ name: 'node' }],\n});\n`,
};

for (const [title, text] of Object.entries(CONFIGS)) {
  test(`CL24: a config that exports ${title} keeps every line but that of its export`, () => {
    const { text: merged, diff } = withMachines(text, 'playwright.config.ts');
    const newline = text.includes('\r\n') ? '\r\n' : '\n';
    const [before, after] = [text.split(newline), merged.split(newline)];
    const isExport = (line: string): boolean => /^(?:export default|module\.exports)/.test(line);
    const added = after.filter((line) => !before.includes(line));
    expect(before.filter((line) => !after.includes(line))).toEqual(before.filter(isExport));
    expect(added).toHaveLength(3);
    for (const line of added) expect(diff).toContain(`\n+${line}`);
    expect(diff).toContain(`\n-${before.find(isExport) ?? 'none'}\n`);
    expect(merged.endsWith(`addMachines(withoutMachines);${newline}`)).toBe(true);
    expect(merged).not.toMatch(newline === '\n' ? /\r/ : /[^\r]\n/);
    // Comments at the top, and 'use strict', stay there.
    expect(after[0]).toBe(text.startsWith('import') ? added[0] : before[0]);
  });
}

test('CL24: of any config either every line is kept but one, or it is refused', () => {
  const line = fc.constantFrom(
    "import a from 'a';",
    'export default {',
    'export default defineConfig({',
    'export default async () => ({',
    'module.exports = {',
    '  testDir: "x",',
    '};',
    '// export default of ours',
    "  export default 'in a text';",
    '',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = lines.join('\n');
      let merged: string;
      try {
        merged = withMachines(text, 'playwright.config.ts').text;
      } catch (error) {
        expect(error).toMatchObject({ code: 'CONFIG_NOT_MERGED' });
        return;
      }
      const start = /^(?:export default|module\.exports =) /;
      const filled = (all: readonly string[]): string[] => all.filter((one) => one !== '');
      expect(filled(merged.split('\n')).filter((one) => start.test(one))).toEqual([
        expect.stringContaining('addMachines(withoutMachines);'),
      ]);
      expect(filled(merged.split('\n')).filter((one) => !one.includes('addMachines'))).toEqual(
        filled(lines).map((one) => one.replace(start, 'const withoutMachines = ')),
      );
    }),
    { numRuns: 300 },
  );
});

for (const [title, text] of [
  ['a function', 'export default async () => ({});\n'],
  ['a function of a name', 'export default function config() {}\n'],
  ['nothing', 'const config = {};\n'],
  ['twice', 'export default {};\nexport default {};\n'],
] as const) {
  test(`CL24: a config that exports ${title} is refused before anything is written`, async ({}, info) => {
    const folder = info.outputPath('chat');
    repository(folder, { ...OWN, 'playwright.config.ts': text });
    const before = contents(folder);
    const { exitCode, output } = await init(folder, '--merge', '--ci', 'github');
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/\[CONFIG_NOT_MERGED\] playwright\.config\.ts[^]*by hand[^]*nothing was written/);
    expect(contents(folder)).toEqual(before);
  });
}

test('CL24: --merge shows what changes and changes that; a second time nothing does', async ({}, info) => {
  const folder = info.outputPath('chat');
  repository(folder, { ...OWN, 'playwright.config.js': CONFIGS.CommonJS ?? '' });
  const { exitCode, output } = await init(folder, '--merge', '--ci', 'gitlab');
  expect(exitCode, output).toBe(0);
  expect(output).toContain(`--- playwright.config.js
+++ playwright.config.js
@@ line 2 @@
+const { addMachines } = require('./playwright.machines.ts');
@@ line 3 @@
-module.exports = defineConfig({
+const withoutMachines = defineConfig({
@@ end @@
+
+module.exports = addMachines(withoutMachines);
`);
  const first = contents(folder);
  expect(Object.keys(first)).toEqual(
    expect.arrayContaining([
      'AGENTS.md',
      'playwright.machines.ts',
      'vm-specs/smoke.spec.ts',
      '.gitlab-ci.yml',
    ]),
  );
  expect(first['.gitlab-ci.yml']).toContain('merge-reports --config=playwright.config.js');
  const again = await init(folder, '--merge', '--ci', 'gitlab');
  expect(again.exitCode).toBe(0);
  expect(again.output).not.toMatch(/created|changed/);
  expect(contents(folder)).toEqual(first);
});

const MANAGERS: readonly {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly install: readonly string[];
  readonly bin: string;
  readonly next: string;
}[] = [
  {
    title: 'npm',
    files: { 'package-lock.json': '{}' },
    install: ['npm ci'],
    bin: '../../node_modules/.bin/',
    next: 'npx',
  },
  {
    title: 'pnpm',
    files: { 'pnpm-lock.yaml': '' },
    install: ['corepack enable', 'pnpm install --frozen-lockfile'],
    bin: 'node_modules/.bin/',
    next: 'pnpm exec',
  },
  {
    title: 'Yarn 1',
    files: { 'yarn.lock': '# yarn lockfile v1\n' },
    install: ['corepack enable', 'yarn install --frozen-lockfile'],
    bin: '../../node_modules/.bin/',
    next: 'yarn exec',
  },
  {
    title: 'Yarn 4 by packageManager',
    files: {
      'yarn.lock': '__metadata:\n  version: 8\n',
      'pnpm-lock.yaml': 'of times gone by',
      'package.json': '{ "packageManager": "yarn@4.1.0" }',
    },
    install: ['corepack enable', 'yarn install --immutable'],
    bin: '../../node_modules/.bin/',
    next: 'yarn exec',
  },
];

for (const { title, files, install, bin, next } of MANAGERS) {
  test(`CL24: in a repository of several packages with ${title} the pipeline is where the service looks, and works in the package`, async ({}, info) => {
    const top = info.outputPath('all');
    repository(top, files);
    const folder = join(top, 'apps/chat');
    mkdirSync(folder, { recursive: true });
    for (const ci of ['github', 'gitlab']) {
      const { exitCode, output } = await init(folder, '--ci', ci);
      expect(exitCode, output).toBe(0);
      expect(output).toContain(`  ${next} playwright test\n`);
    }
    expect(Object.keys(contents(folder)).filter((file) => /github|gitlab/.test(file))).toEqual([]);

    const github = readFileSync(join(top, '.github/workflows/vm-smoke.yml'), 'utf8');
    const workflow = parse(github) as {
      defaults: unknown;
      jobs: Record<string, { steps: { run?: string; with?: { path?: string } }[] }>;
    };
    expect(workflow.defaults).toEqual({ run: { 'working-directory': 'apps/chat' } });
    for (const { steps } of Object.values(workflow.jobs)) {
      const commands = steps.flatMap((step) => step.run ?? []);
      expect(commands.slice(0, install.length)).toEqual(install);
      for (const command of commands.join('\n').matchAll(/(\S*)node_modules\/\.bin\//g))
        expect(command[0]).toBe(bin);
      for (const path of steps.flatMap((step) => step.with?.path?.trim().split('\n') ?? []))
        expect(path).toMatch(/^apps\/chat\/(?:test-results\/|all-blobs$)/);
    }

    const gitlab = parse(readFileSync(join(top, '.gitlab-ci.yml'), 'utf8')) as {
      default: { before_script: string[]; cache: { key: { files: string[] } } };
      machines: { script: string[]; after_script: string[]; artifacts: { paths: string[] } };
      summary: { artifacts: { paths: string[]; reports: { junit: string } } };
    };
    expect(gitlab.default.before_script).toEqual(['cd apps/chat', ...install]);
    expect(gitlab.default.cache.key.files).toEqual([
      Object.keys(files).find((file) => file.includes('lock')),
    ]);
    expect(gitlab.machines.script[0]).toContain(`exec ${bin}playwright`);
    expect(gitlab.machines.after_script[0]).toBe('cd apps/chat');
    const { artifacts } = gitlab.summary;
    for (const path of [...gitlab.machines.artifacts.paths, ...artifacts.paths, artifacts.reports.junit])
      expect(path).toMatch(/^apps\/chat\/test-results\//);
  });
}

test('CL24: a file that cannot be written leaves everything as it was', async ({}, info) => {
  const folder = info.outputPath('chat');
  repository(folder, { ...OWN, specs: 'a file where a folder is wanted\n' });
  const before = contents(folder);
  const { exitCode } = await init(folder, '--ci', 'none');
  expect(exitCode).not.toBe(0);
  expect(contents(folder)).toEqual(before);

  const place = info.outputPath('place');
  write(place, { a: 'first', 'taken/b': 'second' });
  const files = [
    { path: join(place, 'a'), content: 'other' },
    { path: join(place, 'new/deep/c'), content: 'new' },
    { path: join(place, 'taken'), content: 'a folder stands there' },
  ];
  expect(() => writeAll(files)).toThrow(/EISDIR/);
  expect(contents(place)).toEqual({ a: 'first', 'taken/b': 'second' });
  expect(existsSync(join(place, 'new'))).toBe(false);
});

test('CL24: everything is written when nobody reads what is said', async ({}, info) => {
  const folder = info.outputPath('chat');
  repository(folder, {});
  const args = ['--import', 'tsx', 'cli/main.ts', 'init', folder, '--ci', 'github'];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.destroy();
  await new Promise((done) => child.once('close', done));
  expect(Object.keys(contents(folder))).toEqual(
    expect.arrayContaining([
      'package.json',
      'playwright.config.ts',
      'specs/smoke.spec.ts',
      'vm-matrix.ts',
      '.gitignore',
    ]),
  );
  expect(Object.keys(contents(folder)).filter((file) => file.endsWith('.new'))).toEqual([]);
});
