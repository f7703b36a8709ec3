/** `vmwright init` through the real command line, without a terminal. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@playwright/test';
import { guessOf, surveyCluster } from '../../cli/init/cluster.ts';
import { agentsFile } from '../../cli/init/templates.ts';
import { matrixText, secretNames } from '../../cli/init/matrix-text.ts';
import { makeProgram } from '../../cli/program.ts';
import { loadSettings } from '../../fixtures/config/index.ts';
import { connectProxmox } from '../../fixtures/proxmox/index.ts';
import { startLab } from '../../lab/index.ts';
import { ROOT } from '../support/runner.ts';
import { type Result, run } from './support/consumer.ts';

const FILES = [
  '.env.example',
  '.github/workflows/vm-smoke.yml',
  '.gitignore',
  'AGENTS.md',
  'package.json',
  'playwright.config.ts',
  'specs/smoke.spec.ts',
  'tsconfig.json',
  'vm-matrix.ts',
];

async function init(
  folder: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  // A repository of its own: that of vmwright is around it.
  if (env.PROXMOX_HOST !== '') execFileSync('git', ['init', '--quiet', folder]);
  return run(ROOT, process.execPath, ['--import', 'tsx', 'cli/main.ts', 'init', folder, ...args], env);
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('.git/') && statSync(join(folder, name)).isFile())
    .sort();
}

test('an empty folder gets a project; a second time nothing changes, and everything is named', async ({}, info) => {
  const folder = info.outputPath('Smoke Tests');
  const first = await init(folder);
  expect(first.exitCode).toBe(0);
  expect(filesOf(folder)).toEqual(FILES);
  for (const file of FILES) expect(first.output).toContain(`created  ${file}\n`);
  expect(first.output).toMatch(/ {2}npm install\n {2}npx playwright test\n/);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  expect(manifest).toMatchObject({ name: 'smoke-tests', private: true, type: 'module' });
  expect(Object.keys(manifest.devDependencies as object)).toEqual(['@playwright/test', 'vmwright']);

  const before = FILES.map((file) => readFileSync(join(folder, file), 'utf8'));
  const second = await init(folder);
  expect(second.exitCode).toBe(0);
  for (const file of FILES) expect(second.output).toContain(`kept     ${file}\n`);
  expect(second.output).not.toContain('npm install');
  expect(FILES.map((file) => readFileSync(join(folder, file), 'utf8'))).toEqual(before);
});

test('what is there is kept: a package.json gets only what it lacks, a .gitignore is told what it lacks', async ({}, info) => {
  const folder = info.outputPath('project');
  mkdirSync(folder);
  const mine = {
    name: 'mine',
    type: 'commonjs',
    scripts: { test: 'jest' },
    dependencies: { vmwright: '0.0.1' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(mine, undefined, '\t'));
  writeFileSync(join(folder, '.gitignore'), '/node_modules\n*.log\n');
  writeFileSync(join(folder, 'playwright.config.ts'), '// mine\n');
  const { exitCode, output } = await init(folder, ['--ci', 'gitlab']);
  expect(exitCode).toBe(0);
  expect(output).toContain('changed  package.json: added @playwright/test\n');
  expect(output).toContain('its "type" is commonjs');
  expect(output).toContain('kept     .gitignore: add test-results/, .env, .lab/\n');
  expect(output).toContain('kept     playwright.config.ts: it has no machines yet.');
  expect(readFileSync(join(folder, 'playwright.config.ts'), 'utf8')).toBe('// mine\n');
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  expect(JSON.parse(text)).toEqual({
    ...mine,
    devDependencies: { '@playwright/test': expect.stringMatching(/^\^1\./) },
  });
  expect(text).toContain('\n\t"name"');
  expect(filesOf(folder)).not.toContain('.github/workflows/vm-smoke.yml');
});

test('AG4: AGENTS.md is short, names commands that there are, and is kept where there is one', async ({}, info) => {
  const folder = info.outputPath('project');
  const mine = join(info.outputPath('kept'), 'AGENTS.md');
  mkdirSync(join(mine, '..'));
  writeFileSync(mine, '# mine\n');
  expect((await init(folder)).exitCode).toBe(0);
  const text = readFileSync(join(folder, 'AGENTS.md'), 'utf8');
  expect(text.split('\n').length).toBeLessThanOrEqual(40);
  for (const heading of ['## Commands', '## How to read a failure']) expect(text).toContain(heading);
  const commands = [...text.matchAll(/`npx vmwright ([\w-]+)/g)].map(([, name = '']) => name);
  expect(commands).toEqual(expect.arrayContaining(['vms', 'ocr']));
  const names = makeProgram().commands.map((command) => command.name());
  expect(names).toEqual(expect.arrayContaining(commands));
  const files = [...text.matchAll(/node_modules\/vmwright\/([\w./-]+)/g)].map(([, file = '']) => file);
  expect(files).toContain('docs/troubleshooting.md');
  for (const file of files) expect(statSync(join(ROOT, file)).isFile()).toBe(true);

  const kept = await init(join(mine, '..'), ['--ci', 'none']);
  expect(kept.output).toContain('kept     AGENTS.md\n');
  expect(readFileSync(mine, 'utf8')).toBe('# mine\n');
  // As --merge has it, in a project of pnpm.
  const merged = agentsFile('vm-specs', 'pnpm exec');
  expect(merged).toContain('`pnpm exec playwright test vm-specs/smoke.spec.ts ');
  expect(merged).not.toMatch(/npx|`specs\//);
});

test('a package.json that is none stops it before anything is written', async ({}, info) => {
  const folder = info.outputPath('project');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": ');
  const { exitCode, output } = await init(folder);
  expect(exitCode).toBe(1);
  expect(output).toMatch(/\[FILE_UNREADABLE\] .*package\.json: it is not JSON/);
  expect(filesOf(folder)).toEqual(['package.json']);
});

test('--from-cluster makes a row of each VM; no secret is in any file; a matrix that is there is kept', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42', 'opensuse', 'windows10'] });
  try {
    const env = lab.env();
    const folder = info.outputPath('project');
    const { exitCode, output } = await init(folder, ['--from-cluster'], env);
    expect(output).toContain('Looking at 3 VMs ...');
    expect(exitCode).toBe(0);
    const { default: rows } = (await import(pathToFileURL(loadable(folder)).href)) as { default: object[] };
    expect(rows).toMatchObject([
      {
        name: 'fedora42',
        vm: 101,
        desktop: 'gnome',
        session: 'wayland',
        family: 'fedora',
        checkpoint: 'ready',
      },
      { name: 'opensuse', vm: 105, desktop: 'kde', session: 'x11', family: 'suse', checkpoint: 'ready' },
      // Its ostype is win11: the guest agent knows better.
      {
        name: 'windows10',
        vm: 106,
        os: 'windows',
        desktop: 'windows10',
        secrets: { password: 'WINDOWS10_PASSWORD' },
      },
    ]);
    const text = readFileSync(join(folder, 'vm-matrix.ts'), 'utf8');
    expect(text).toContain('// openSUSE Leap 16.0, says its guest agent.\n');
    expect(readFileSync(join(folder, '.env.example'), 'utf8')).toMatch(
      /names -+\n# FEDORA42_PASSWORD=\n# OPENSUSE_PASSWORD=\n# WINDOWS10_PASSWORD=\n\n# ---/,
    );
    const secrets = Object.entries(env).flatMap(([name, value]) =>
      /PASSWORD|SECRET/.test(name) ? [value] : [],
    );
    expect(secrets.length).toBeGreaterThan(3);
    for (const file of filesOf(folder)) {
      const content = readFileSync(join(folder, file), 'utf8');
      for (const secret of secrets) expect(content, file).not.toContain(secret);
    }

    writeFileSync(join(folder, 'vm-matrix.ts'), '// mine\n');
    const again = await init(folder, ['--from-cluster'], env);
    expect(again.output).toContain(`kept     vm-matrix.ts\n\nIts rows would have been:\n\n${text}`);
    expect(readFileSync(join(folder, 'vm-matrix.ts'), 'utf8')).toBe('// mine\n');
  } finally {
    await lab.stop();
  }
});

/** A copy that finds vmwright's sources, as the project would find the package. */
function loadable(folder: string): string {
  const file = join(folder, '..', 'loadable.mts');
  const text = readFileSync(join(folder, 'vm-matrix.ts'), 'utf8');
  writeFileSync(file, text.replace("'vmwright/matrix'", `'${ROOT}/fixtures/matrix.ts'`));
  return file;
}

test('without a cluster --from-cluster says which setting is missing, and writes nothing', async ({}, info) => {
  const folder = info.outputPath('project');
  const { exitCode, output } = await init(folder, ['--from-cluster'], { PROXMOX_HOST: '' });
  expect(exitCode).toBe(1);
  expect(output).toMatch(/^\[SETTING_MISSING\] PROXMOX_HOST: /);
  expect(() => readdirSync(folder)).toThrow(/ENOENT/);
});

test('names of VMs become projects of their own, and what a guest calls itself stays a comment', async ({}, info) => {
  const guess = guessOf('l26', undefined);
  const found = {
    saysAgent: true,
    guess,
    hardware: { vga: 'virtio', machine: 'i440fx' },
    checkpoint: undefined,
  };
  const system = "Evil\n  }]); process.exit(66); /*\u2028*/ '`${1}";
  const machines = [
    { ...found, vmid: 201, name: 'Büro PC', system },
    { ...found, vmid: 202, name: 'Büro PC', system },
    { ...found, vmid: 203, name: '42', system: 'ostype l26' },
  ];
  const folder = info.outputPath('project');
  mkdirSync(folder);
  writeFileSync(join(folder, 'vm-matrix.ts'), matrixText(machines));
  const { default: rows } = (await import(pathToFileURL(loadable(folder)).href)) as { default: object[] };
  expect(rows).toMatchObject([
    { name: 'b-ro-pc', vm: 201 },
    { name: 'b-ro-pc-202', vm: 202 },
    { name: '42', vm: 203 },
  ]);
  expect(secretNames(machines)).toEqual(['B_RO_PC_PASSWORD', 'B_RO_PC_202_PASSWORD', 'VM_42_PASSWORD']);
  expect(matrixText(machines)).toContain(
    'Desktop and session are a guess. Its display is virtio: vmwright needs std. Its machine type is not q35.\n',
  );
});

test('the guest agent knows its system better than ostype', () => {
  const seen = (ostype: string, info?: Record<string, string>): string => {
    const { desktop, session, family, isKnown } = guessOf(ostype, info);
    return [desktop, session, family, isKnown ? 'known' : 'guess'].join(' ');
  };
  expect(seen('win11')).toBe('windows11 windows windows known');
  expect(seen('win10')).toBe('windows10 windows windows known');
  expect(seen('w2k8')).toBe('windows11 windows windows guess');
  // Without a build there is only the name.
  expect(seen('win11', { id: 'mswindows', 'pretty-name': 'Windows 10 Enterprise' })).toBe(
    'windows10 windows windows known',
  );
  expect(seen('win11', { id: 'fedora', 'variant-id': 'kde' })).toBe('kde wayland fedora known');
  expect(seen('l26', { id: 'fedora', 'pretty-name': 'Fedora Linux 42 (Workstation Edition)' })).toBe(
    'gnome wayland fedora known',
  );
  expect(seen('l26', { id: 'opensuse-leap' })).toBe('kde x11 suse known');
  expect(seen('l26', { id: 'nixos' })).toBe('gnome wayland nixos guess');
  expect(seen('l26', { id: "x', evil: '" })).toBe('gnome wayland linux guess');
});

test('WN5: Windows 11 says it is Windows 10, and its build tells', () => {
  const builds = { 10_240: 10, 19_045: 10, 21_999: 10, 22_000: 11, 22_631: 11, 26_100: 11, '26100.1742': 11 };
  for (const [build, release] of Object.entries(builds)) {
    const info = {
      id: 'mswindows',
      name: 'Microsoft Windows',
      'pretty-name': 'Windows 10 Pro',
      version: 'Microsoft Windows 10',
      'kernel-release': build,
    };
    expect(guessOf('other', info)).toMatchObject({ desktop: `windows${release}`, isKnown: true });
  }
  // A server is neither, whatever its build.
  const server = {
    id: 'mswindows',
    'pretty-name': 'Windows Server 2022 Standard',
    'kernel-release': '20348',
  };
  expect(guessOf('other', server).isKnown).toBe(false);
});

test('WN5: a row for the simulated Windows 11, whose agent calls it Windows 10, is one of Windows 11', async () => {
  const lab = await startLab({ guests: ['windows10', 'windows11'] });
  try {
    const settings = loadSettings(lab.env());
    const proxmox = await connectProxmox(settings.proxmox);
    const found = await surveyCluster(proxmox, () => undefined);
    await proxmox.close();
    expect(found.map(({ guess, system }) => [guess.desktop, system])).toEqual([
      ['windows10', 'Windows 10 Pro'],
      ['windows11', 'Windows 11 Pro'],
    ]);
  } finally {
    await lab.stop();
  }
});
