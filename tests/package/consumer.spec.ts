/** A project of a user: from an empty folder to a passed test, and what it may rely on. */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT } from '../support/runner.ts';
import { install, must, npm, outside, pack, run } from './support/consumer.ts';

/** npm fetches about 100 MB where its cache is empty. */
test.describe.configure({ mode: 'serial', timeout: 300_000 });

const folder = outside('consumer');
const project = join(folder, 'project');
const { version: RUNNER } = createRequire(import.meta.url)('@playwright/test/package.json') as {
  version: string;
};
let tarball = '';
let began = 0;
/** What `init` said. */
let initialised = '';
/** Why the package is not installed, where there is no network. */
let missing: string | undefined;

// Whichever of the tests are chosen: each needs the installed package.
test.beforeAll(async () => {
  test.setTimeout(300_000);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  tarball = await pack(folder);
  began = Date.now();
  missing = await install(project, tarball, `@playwright/test@${RUNNER}`);
  if (missing === undefined) initialised = await must(project, 'npx', ['vmwright', 'init']);
});

test.afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('every module is in the package, and whatever is read beside one at run time', async () => {
  const tracked = async (...rooms: string[]): Promise<string[]> =>
    (await must(ROOT, 'git', ['ls-files', ...rooms])).trim().split('\n');
  // Of the routines those of the demonstration stay here.
  const all = await tracked('cli', 'fixtures', 'lab', 'reporters', 'routines/engine', 'runs');
  // Declarations of other packages' modules are for the check of the sources alone.
  const sources = all.filter((file) => !file.endsWith('.d.ts'));
  expect(sources).toEqual(expect.arrayContaining(['lab/guests/qemu/customize.sh', 'lab/serve.ts']));
  const packed = new Set((await must(folder, 'tar', ['-tzf', tarball])).split('\n'));
  const wanted = [
    ...sources.map((file) => `package/dist/${file.replace(/\.ts$/, '.js')}`),
    ...(await tracked('templates')).map((file) => `package/${file}`),
  ];
  expect(wanted.filter((file) => !packed.has(file))).toEqual([]);
});

test('three commands and no edit: from an empty folder to passed tests with a summary', async ({}, info) => {
  test.skip(missing !== undefined, missing ?? '');
  expect(initialised).toContain('created  playwright.config.ts');

  const { exitCode, output } = await run(project, 'npx', ['playwright', 'test']);
  expect(output).toContain('2 passed');
  expect(exitCode).toBe(0);
  const summary = readFileSync(join(project, 'test-results/summary/summary.txt'), 'utf8');
  expect(summary).toMatch(/state: COMPLETED/);
  expect(summary).toMatch(/finished {2}2\npassed {4}2\nfailed {4}0/);
  expect(summary).toMatch(/HOSTS:\nfedora42 - PASS\nwindows11 - PASS\n/);
  expect(existsSync(join(project, 'test-results/html/index.html'))).toBe(true);
  info.annotations.push({ type: 'seconds', description: String(Math.round((Date.now() - began) / 1000)) });
});

test('CL24: in a project with tests of its own --merge adds the machines, and its own tests run as before', async () => {
  test.skip(missing !== undefined, missing ?? '');
  const own = join(folder, 'own');
  mkdirSync(join(own, 'e2e'), { recursive: true });
  renameSync(join(project, 'node_modules'), join(own, 'node_modules'));
  try {
    writeFileSync(join(own, 'package.json'), '{ "name": "own" }\n');
    writeFileSync(
      join(own, 'playwright.config.js'),
      "const { defineConfig } = require('@playwright/test');\nmodule.exports = defineConfig({ reporter: 'list' });\n",
    );
    // Beside the machines' specs: without a project of its own a config runs all that lies below it.
    const spec = "const { test } = require('@playwright/test');\ntest('their own', () => {});\n";
    writeFileSync(join(own, 'e2e/own.spec.js'), spec);
    await must(own, 'npx', ['vmwright', 'init', '--merge', '--ci', 'none']);
    const { exitCode, output } = await run(own, 'npx', ['playwright', 'test']);
    expect(output).toContain('3 passed');
    expect(output).toMatch(/e2e\/own\.spec\.js.* their own/);
    expect(output).toMatch(/\[fedora42\] . vm-specs\/smoke\.spec\.ts/);
    expect(output).toMatch(/\[windows11\] . vm-specs\/smoke\.spec\.ts/);
    expect(exitCode).toBe(0);
    const summary = readFileSync(join(own, 'test-results/summary/summary.txt'), 'utf8');
    expect(summary).toMatch(/HOSTS:\nfedora42 - PASS\nwindows11 - PASS\n/);
  } finally {
    renameSync(join(own, 'node_modules'), join(project, 'node_modules'));
  }
});

test('M53: the project has one copy of @playwright/test', async () => {
  test.skip(missing !== undefined, missing ?? '');
  const { exitCode, output } = await npm(project, 'ls', '@playwright/test', '--all', '--parseable', '--long');
  expect(exitCode).toBe(0);
  const copies = output.split('\n').flatMap((line) => /^(.+):@playwright\/test@/.exec(line)?.[1] ?? []);
  expect(new Set(copies)).toEqual(new Set([join(project, 'node_modules/@playwright/test')]));
});

test('M53: errors, secrets and screens of a second copy of the package are recognised', async () => {
  test.skip(missing !== undefined, missing ?? '');
  cpSync(join(project, 'node_modules/vmwright'), join(project, 'node_modules/vmwright-again'), {
    recursive: true,
  });
  writeFileSync(join(project, 'specs/copies.spec.ts'), COPIES);
  const args = ['playwright', 'test', 'copies', '--project=fedora42'];
  const { exitCode, output } = await run(project, 'npx', args, { SECRET_OF_COPY: 'pa55-of-copy' });
  expect(output).toContain('1 passed');
  expect(exitCode).toBe(0);
  rmSync(join(project, 'specs/copies.spec.ts'));
  rmSync(join(project, 'node_modules/vmwright-again'), { recursive: true });
});

const COPIES = `
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as first from 'vmwright';
import * as second from 'vmwright-again';

first.test('two copies', async ({ ssh, vncPage }, info) => {
  const { expect, sh, test } = first;
  const error = new second.VmwrightError({ code: 'ANY_CODE', subject: 'x', message: 'y' });
  expect(error).not.toBeInstanceOf(first.VmwrightError);
  expect(first.isVmwrightError(error, 'ANY_CODE')).toBe(true);
  const failure = await ssh.exec(sh\`exit 3\`).catch((thrown: unknown) => thrown);
  expect(second.isVmwrightError(failure, 'SSH_COMMAND_FAILED')).toBe(true);

  const token = second.secret('SECRET_OF_COPY');
  const { command, stdout } = await ssh.exec(sh\`printf %s \${token}\`);
  expect(stdout).toBe('pa55-of-copy');
  expect(command).toBe('printf %s {SECRET_OF_COPY}');
  expect(first.redact('it is pa55-of-copy')).toBe('it is {SECRET_OF_COPY}');

  await second.expect(vncPage).toShowText('Activities');
  const clip = { x: 400, y: 300, width: 200, height: 200 };
  const baseline = info.snapshotPath('part.png', { kind: 'screenshot' });
  mkdirSync(dirname(baseline), { recursive: true });
  writeFileSync(baseline, await vncPage.screenshot({ clip }));
  await second.expect(vncPage).toHaveScreenshot('part.png', { clip });
});
`;

for (const [resolution, module] of [
  ['NodeNext', 'NodeNext'],
  ['Bundler', 'ESNext'],
] as const) {
  test(`its types hold under strict, declarations checked too, resolved as ${resolution}`, async () => {
    test.skip(missing !== undefined, missing ?? '');
    writeFileSync(join(project, 'specs/typed.ts'), TYPED);
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const options = ['--module', module, '--moduleResolution', resolution, '--skipLibCheck', 'false'];
    const { output, exitCode } = await run(project, process.execPath, [compiler, '-p', '.', ...options]);
    expect(output).toBe('');
    expect(exitCode).toBe(0);
  });
}

/** Each entry point, and a mistake in each: types that were lost would let it pass, and the directive be unused. */
const TYPED = `
import { expect, isVmwrightError, ps, secret, sh, test } from 'vmwright';
import { type Lab, startLab } from 'vmwright/lab';
import setUpLiveView from 'vmwright/live';
import { defineMatrix, defineSuites, presets, projectsFrom } from 'vmwright/matrix';
import SummaryReporter from 'vmwright/reporter';
import FilmReporter from 'vmwright/reporters/film';
import LeaseReporter from 'vmwright/reporters/lease';
import RecoverReporter from 'vmwright/reporters/recover';
import RedactReporter from 'vmwright/reporters/redact';
import { defineRoutine, launchApp } from 'vmwright/routines';

test('typed', async ({ app, machine, ssh, vm, vncPage }) => {
  await launchApp({ app }, { showing: 'Welcome' });
  // @ts-expect-error an input that the routine does not have
  await launchApp({ app }, { shown: 'Welcome' });
  const { stdout } = await ssh.exec(sh\`echo \${secret('A_SECRET')} \${[machine.name, vm.vmid]}\`);
  await ssh.powershell(ps\`Get-Date\`);
  // @ts-expect-error a word that is no word
  await ssh.exec(sh\`echo \${{ a: 1 }}\`);
  await expect(vncPage).toShowText(stdout, { timeout: 5000 });
  // @ts-expect-error an option that there is not
  await expect(vncPage).toShowText(stdout, { timeoutt: 5000 });
});

// @ts-expect-error a row without a machine
defineMatrix([{ ...presets.fedora42, name: 'a' }]);
// @ts-expect-error a suite without specs
defineSuites({ smoke: {} });
projectsFrom(defineMatrix([])).map(({ use }) => use?.machine?.timeoutScale.toFixed(1));
export const lab: Promise<Lab> = startLab({ guests: ['fedora42'] });
// @ts-expect-error not an option
startLab({ guest: 'fedora42' });
export const view: Promise<() => Promise<void>> = setUpLiveView();
export const routine = defineRoutine({ name: 'a-routine', run: async () => 1 });
export const code = (error: unknown): string => (isVmwrightError(error) ? error.code : '');
export const reporters = [
  new SummaryReporter({ stateFolder: 'x' }),
  new RecoverReporter({ stateFolder: 'x' }),
  new RedactReporter(),
  new FilmReporter(),
  new LeaseReporter(),
];
// @ts-expect-error not an option
new SummaryReporter({ folder: 'x' });
`;
