/**
 * `vmwright init`: a project that runs as it is. What is there already is kept, and named.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { loadSettings, readEnvironment } from '../fixtures/config/index.ts';
import { connectProxmox } from '../fixtures/proxmox/index.ts';
import { tell } from '../fixtures/secrets/index.ts';
import { askLine, askYes, type Terminal } from './ask.ts';
import { surveyCluster } from './init/cluster.ts';
import { completeManifest } from './init/manifest.ts';
import { matrixText, secretNames } from './init/matrix-text.ts';
import { configOf, isMerged, MACHINE_SPECS, MACHINES_FILE, withMachines } from './init/merge.ts';
import { type Ci, ciOf, CIS, pipelineFor } from './init/pipelines.ts';
import { type Planned, writeAll } from './init/place.ts';
import { type Surroundings, surroundingsOf } from './init/surroundings.ts';
import { agentsFile, envExample, LAB_SECRETS, template } from './init/templates.ts';

export interface InitOptions {
  /** Rows of the matrix from the cluster of .env. */
  readonly fromCluster?: boolean;
  /** Whose pipeline file is written. Default: asked in a terminal, else by the git remote. */
  readonly ci?: Ci;
  /** Add the machines to a Playwright config that is there. */
  readonly merge?: true;
}

export function addInit(program: Command): void {
  program
    .command('init')
    .description('write a project that runs at once: config, matrix, first spec, CI; keeps what is there')
    .argument('[folder]', 'where to', '.')
    .option('--from-cluster', 'make the rows of vm-matrix.ts from the VMs of the cluster that .env names')
    .option('--merge', 'add the machines to the Playwright config that is there; shows what changes')
    .addOption(
      new Option('--ci <service>', 'whose pipeline to write; default: asked, or by the git remote').choices(
        CIS,
      ),
    )
    .action(async (folder: string, options: InitOptions) => {
      await init(folder, options, { input: process.stdin, output: process.stdout });
    });
}

/**
 * Everything is worked out first, and then written all or not at all.
 *
 * @throws `FILE_UNREADABLE` for a broken package.json; with `merge` `CONFIG_NOT_MERGED`; with `fromCluster` `SETTING_*`,
 * `PROXMOX_*`, `VM_NOT_FOUND`
 */
export async function init(name: string, options: InitOptions, terminal: Terminal): Promise<void> {
  const folder = resolve(name);
  const say = (text: string): void => tell(terminal.output, `${text}\n`);
  const rows = options.fromCluster === true ? await clusterRows(folder, say) : undefined;
  const around = surroundingsOf(folder);
  const config = configFor(folder, options);
  if (config.diff !== undefined && !(await isAgreed(config, terminal, say))) return;
  const manifest = completeManifest(folder);
  const isCluster = rows !== undefined;
  const matrix = rows === undefined ? template('lab/vm-matrix.ts') : matrixText(rows);
  const spec = template(isCluster ? 'cluster/specs/smoke.spec.ts' : 'lab/specs/smoke.spec.ts');
  const ci = config.hasMachines ? (options.ci ?? (await askCi(ciOf(around), terminal))) : 'none';
  const pipeline = ci === 'none' ? undefined : pipelineFor(ci, around, config.file);
  const here = (file: string, content: string): Planned => ({ path: join(folder, file), content });
  const files: readonly Planned[] = [
    here('vm-matrix.ts', matrix),
    ...config.files.map(([file, content]) => here(file, content)),
    ...(config.hasMachines
      ? [
          here(`${config.specs}/smoke.spec.ts`, spec),
          here('AGENTS.md', agentsFile(config.specs, programOf(around))),
        ]
      : []),
    here('.env.example', envExample(rows === undefined ? LAB_SECRETS : secretNames(rows))),
    here('tsconfig.json', template('project/tsconfig.json')),
    here('.gitignore', template('project/gitignore')),
    ...(pipeline === undefined ? [] : [{ path: join(around.root, pipeline.file), content: pipeline.text }]),
  ];
  const missing = files.filter(({ path }) => !existsSync(path));
  const lines = files.map((one) => {
    const { path, content } = one;
    const file = relative(folder, path);
    if (missing.includes(one)) return `created  ${file}`;
    const kept = `kept     ${file}${hint(path, file, config)}`;
    return isCluster && file === 'vm-matrix.ts' ? `${kept}\n\nIts rows would have been:\n\n${content}` : kept;
  });
  writeAll([
    ...(manifest.content === undefined ? [] : [here('package.json', manifest.content)]),
    ...(config.changed === undefined ? [] : [here(config.file, config.changed)]),
    ...missing,
  ]);
  say(manifest.text);
  if (config.changed !== undefined) say(`changed  ${config.file}`);
  for (const line of lines) say(line);
  say(nextSteps(folder, around, { needsInstall: manifest.needsInstall, isCluster, config }));
}

/** What becomes of the Playwright config. */
interface ConfigPlan {
  readonly file: string;
  /** Where the specs of machines are. */
  readonly specs: string;
  /** The config has the machines of vm-matrix.ts then. */
  readonly hasMachines: boolean;
  /** Files to write where there are none. */
  readonly files: readonly (readonly [file: string, content: string])[];
  /** What the config says then, and the lines that differ. */
  readonly changed?: string;
  readonly diff?: string;
}

/** @throws `CONFIG_NOT_MERGED` */
function configFor(folder: string, { merge }: InitOptions): ConfigPlan {
  const file = configOf(folder);
  if (file === undefined)
    return {
      file: 'playwright.config.ts',
      specs: 'specs',
      hasMachines: true,
      files: [['playwright.config.ts', template('project/playwright.config.ts')]],
    };
  const text = readFileSync(join(folder, file), 'utf8');
  const machines = [MACHINES_FILE, template(`project/${MACHINES_FILE}`)] as const;
  if (isMerged(text))
    return { file, specs: MACHINE_SPECS, hasMachines: true, files: [machines, [file, text]] };
  const isOurs = text.includes('vmwright/');
  if (isOurs || merge !== true) return { file, specs: 'specs', hasMachines: isOurs, files: [[file, text]] };
  const merged = withMachines(text, file);
  return {
    file,
    specs: MACHINE_SPECS,
    hasMachines: true,
    files: [machines],
    changed: merged.text,
    diff: merged.diff,
  };
}

/** Shows what changes; whoever sits at a terminal is asked. */
async function isAgreed(
  { file, diff = '' }: ConfigPlan,
  terminal: Terminal,
  say: (text: string) => void,
): Promise<boolean> {
  say(`${diff}\n`);
  if (terminal.input.isTTY !== true) return true;
  if (await askYes(terminal, `change ${file} so?`)) return true;
  say('nothing was written');
  return false;
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

/** What a file that was kept lacks, as far as it matters. */
function hint(path: string, file: string, config: ConfigPlan): string {
  if (file === config.file && !config.hasMachines)
    return ': it has no machines yet. `vmwright init --merge` adds them, and shows the change';
  if (file !== '.gitignore') return '';
  const kept = readFileSync(path, 'utf8').split(/\r?\n/).map(bare);
  const missing = template('project/gitignore')
    .split('\n')
    .filter((line) => line !== '' && !kept.includes(bare(line)));
  return missing.length === 0 ? '' : `: add ${missing.join(', ')}`;
}

/** `/dist/` and `dist` are the same to the reader of a hint. */
function bare(line: string): string {
  return line.trim().replaceAll(/^\/|\/$/g, '');
}

interface Done {
  readonly needsInstall: boolean;
  readonly isCluster: boolean;
  readonly config: ConfigPlan;
}

function nextSteps(
  folder: string,
  { manager }: Surroundings,
  { needsInstall, isCluster, config }: Done,
): string {
  const place = relative(process.cwd(), folder);
  const program = programOf({ manager });
  const commands = [
    ...(place === '' ? [] : [`cd ${place}`]),
    ...(needsInstall ? [`${manager} install`] : []),
    ...(config.hasMachines ? [] : [`${program} vmwright init --merge`]),
    ...(isCluster ? [`${program} vmwright doctor`] : []),
    `${program} playwright test`,
  ];
  const remark = isCluster
    ? 'First fill in user and application of the rows in vm-matrix.ts, and the secrets that they name in .env.'
    : 'Without PROXMOX_HOST in .env it runs on the embedded lab.';
  return `\n${remark}\n\nNext:\n${commands.map((command) => `  ${command}\n`).join('')}`;
}

/** What runs a program of an installed package. */
function programOf({ manager }: Pick<Surroundings, 'manager'>): string {
  return manager === 'npm' ? 'npx' : `${manager} exec`;
}
