/**
 * The pipeline files, for the place and the package manager of a project.
 *
 * @module
 */
import { posix } from 'node:path';
import type { Surroundings } from './surroundings.ts';
import { template } from './templates.ts';

export type Ci = 'github' | 'gitlab' | 'none';
export const CIS: readonly Ci[] = ['github', 'gitlab', 'none'];

const BIN = 'node_modules/.bin/';

export interface Pipeline {
  /** Where the service looks for it, from the top of the repository. */
  readonly file: string;
  readonly text: string;
}

/** By the address of `origin`; GitHub where there is none. */
export function ciOf({ remote }: Surroundings): Ci {
  return remote.includes('gitlab') ? 'gitlab' : 'github';
}

/** @param config name of the Playwright config */
export function pipelineFor(ci: Exclude<Ci, 'none'>, of: Surroundings, config: string): Pipeline {
  const read = (file: string): string => template(file).replaceAll('playwright.config.ts', config);
  return ci === 'github'
    ? { file: '.github/workflows/vm-smoke.yml', text: onGitHub(read('ci/github-actions.yml'), of) }
    : { file: '.gitlab-ci.yml', text: onGitLab(read('ci/gitlab-ci.yml'), of) };
}

/** What installs the packages as they are locked, a command each. */
function installOf({ manager, isYarn1 }: Surroundings): readonly string[] {
  switch (manager) {
    case 'npm':
      return ['npm ci'];
    case 'pnpm':
      return ['corepack enable', 'pnpm install --frozen-lockfile'];
    case 'yarn':
      return ['corepack enable', `yarn install ${isYarn1 ? '--frozen-lockfile' : '--immutable'}`];
  }
}

function onGitHub(text: string, of: Surroundings): string {
  const install = installOf(of)
    .map((command) => `      - run: ${command}\n`)
    .join('');
  const placed = programs(text, of).replaceAll('      - run: npm ci\n', install);
  if (of.below === '') return placed;
  const folder = `defaults:\n  run:\n    working-directory: ${of.below}\n\njobs:\n`;
  return outputs(placed.replace(/^jobs:\n/m, folder), of);
}

function onGitLab(text: string, of: Surroundings): string {
  const commands = [...(of.below === '' ? [] : [`cd ${of.below}`]), ...installOf(of)];
  const before = `  before_script:\n${commands.map((command) => `    - ${command}\n`).join('')}`;
  const lock = { npm: 'package-lock.json', pnpm: 'pnpm-lock.yaml', yarn: 'yarn.lock' }[of.manager];
  const locked = posix.join(of.below, of.lockedIn, lock);
  const placed = programs(text, of)
    .replace('  before_script:\n    - npm ci\n', before)
    .replace('files: [package-lock.json]', `files: [${locked}]`);
  return of.below === ''
    ? placed
    : outputs(placed.replace('  after_script:\n', `$&    - cd ${of.below}\n`), of);
}

/** npm and Yarn install the programs of a workspace beside the lock file, pnpm in each folder. */
function programs(text: string, { manager, lockedIn }: Surroundings): string {
  return manager === 'pnpm' || lockedIn === '' ? text : text.replaceAll(BIN, `${lockedIn}/${BIN}`);
}

/** Paths of artifacts are from the top of the repository; those of commands from where these run. */
function outputs(text: string, { below }: Surroundings): string {
  return text.replaceAll(
    /^( +(?:path: |paths: \[|- |junit: )?)(test-results\/(?:blob|summary|html|allure-results)|all-blobs)(?=[/\]\n])/gm,
    `$1${below}/$2`,
  );
}
