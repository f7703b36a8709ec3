/**
 * `vmwright init`: a project that runs as it is. What is there already is kept, and named.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { loadSettings, readEnvironment } from '../fixtures/config/index.ts';
import { connectProxmox } from '../fixtures/proxmox/index.ts';
import { askLine, type Terminal } from './ask.ts';
import { surveyCluster } from './init/cluster.ts';
import { completeManifest } from './init/manifest.ts';
import { matrixText, secretNames } from './init/matrix-text.ts';
import { envExample, LAB_SECRETS, place, template } from './init/templates.ts';

export interface InitOptions {
  /** Rows of the matrix from the cluster of .env. */
  readonly fromCluster?: boolean;
  /** Whose pipeline file is written. Default: asked in a terminal, else by the git remote. */
  readonly ci?: Ci;
}

type Ci = 'github' | 'gitlab' | 'none';
const CIS: readonly Ci[] = ['github', 'gitlab', 'none'];
const CI_FILES = {
  github: ['ci/github-actions.yml', '.github/workflows/vm-smoke.yml'],
  gitlab: ['ci/gitlab-ci.yml', '.gitlab-ci.yml'],
} as const;

export function addInit(program: Command): void {
  program
    .command('init')
    .description('write a project that runs at once: config, matrix, first spec, CI; keeps what is there')
    .argument('[folder]', 'where to', '.')
    .option('--from-cluster', 'make the rows of vm-matrix.ts from the VMs of the cluster that .env names')
    .addOption(
      new Option('--ci <service>', 'whose pipeline to write; default: asked, or by the git remote').choices(
        CIS,
      ),
    )
    .action(async (folder: string, options: InitOptions) => {
      await init(folder, options, { input: process.stdin, output: process.stdout });
    });
}

/** @throws `FILE_UNREADABLE` for a broken package.json; with `fromCluster` `SETTING_*`, `PROXMOX_*`, `VM_NOT_FOUND` */
export async function init(name: string, options: InitOptions, terminal: Terminal): Promise<void> {
  const folder = resolve(name);
  const say = (text: string): unknown => terminal.output.write(`${text}\n`);
  const rows = options.fromCluster === true ? await clusterRows(folder, say) : undefined;
  const ci = options.ci ?? (await askCi(remoteOf(folder), terminal));
  mkdirSync(folder, { recursive: true });

  const manifest = completeManifest(folder);
  const matrix = rows === undefined ? template('lab/vm-matrix.ts') : matrixText(rows);
  const files: readonly (readonly [file: string, content: string])[] = [
    ['vm-matrix.ts', matrix],
    ['playwright.config.ts', template('project/playwright.config.ts')],
    [
      'specs/smoke.spec.ts',
      template(rows === undefined ? 'lab/specs/smoke.spec.ts' : 'cluster/specs/smoke.spec.ts'),
    ],
    ['.env.example', envExample(rows === undefined ? LAB_SECRETS : secretNames(rows))],
    ['tsconfig.json', template('project/tsconfig.json')],
    ['.gitignore', template('project/gitignore')],
    ...(ci === 'none' ? [] : [[CI_FILES[ci][1], template(CI_FILES[ci][0])] as const]),
  ];
  say(manifest.text);
  for (const [file, content] of files) {
    const isNew = place(folder, file, content);
    say(isNew ? `created  ${file}` : `kept     ${file}${hint(folder, file)}`);
    if (!isNew && file === 'vm-matrix.ts' && rows !== undefined)
      say(`\nIts rows would have been:\n\n${matrix}`);
  }
  say(nextSteps(folder, manifest.needsInstall, rows !== undefined));
}

async function clusterRows(folder: string, say: (text: string) => unknown): ReturnType<typeof surveyCluster> {
  const settings = loadSettings(readEnvironment(process.env, folder));
  const proxmox = await connectProxmox({ ...settings.proxmox, timeoutScale: settings.timeoutScale });
  try {
    return await surveyCluster(proxmox, say);
  } finally {
    await proxmox.close();
  }
}

async function askCi(proposal: Ci, terminal: Terminal): Promise<Ci> {
  if (terminal.input.isTTY !== true) return proposal;
  const typed = await askLine(terminal, `CI: ${CIS.join(', ')} [${proposal}] `);
  return CIS.find((ci) => ci === typed.toLowerCase()) ?? proposal;
}

/** By the address of `origin`; GitHub where there is none. */
function remoteOf(folder: string): Ci {
  try {
    const url = execFileSync('git', ['-C', folder, 'remote', 'get-url', 'origin'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return url.includes('gitlab') ? 'gitlab' : 'github';
  } catch {
    return 'github';
  }
}

/** What a file that was kept lacks, as far as it matters. */
function hint(folder: string, file: string): string {
  if (file !== '.gitignore') return '';
  const kept = readFileSync(join(folder, file), 'utf8').split(/\r?\n/).map(bare);
  const missing = template('project/gitignore')
    .split('\n')
    .filter((line) => line !== '' && !kept.includes(bare(line)));
  return missing.length === 0 ? '' : `: add ${missing.join(', ')}`;
}

/** `/dist/` and `dist` are the same to the reader of a hint. */
function bare(line: string): string {
  return line.trim().replaceAll(/^\/|\/$/g, '');
}

function nextSteps(folder: string, needsInstall: boolean, isCluster: boolean): string {
  const place = relative(process.cwd(), folder);
  const commands = [
    ...(place === '' ? [] : [`cd ${place}`]),
    ...(needsInstall ? ['npm install'] : []),
    ...(isCluster ? ['npx vmwright doctor'] : []),
    'npx playwright test',
  ];
  const remark = isCluster
    ? 'First fill in user and application of the rows in vm-matrix.ts, and the secrets that they name in .env.'
    : 'Without PROXMOX_HOST in .env it runs on the embedded lab.';
  return `\n${remark}\n\nNext:\n${commands.map((command) => `  ${command}\n`).join('')}`;
}
