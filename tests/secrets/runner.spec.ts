/** What no worker says, and what a worker cannot search any more: the runner's own output, reports and files. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { SaxesParser } from 'saxes';
import { unzipSync } from 'fflate';
import { ROOT, type RunnerResult, runPlaywright, writeProject } from '../support/runner.ts';
import { searchFor, searchText } from './search.ts';

const [linden, rowan] = ['Jx4-"linden"-Quay', 'Mb2-rowan-<Field>'];
const SECRETS = {
  HOUSE_PASSWORD: linden,
  /** Named like one only in the environment of the web server. */
  SERVER_API_KEY: rowan,
};
const WORDS = Object.fromEntries(Object.entries(SECRETS).map(([name, value]) => [name, [value]]));
const SOURCES = ['node_modules', '.spec.ts', 'playwright.config.ts', '.mjs', '.git/'];
const ACTS = String.raw`\u001b]0;OWNED\u0007\u001b[2J\n::error::from a guest\n##[error]x\n`;

const FILES = {
  'server.mjs': `
const word = process.env.HOUSE_PASSWORD;
const say = (text) => new Promise((done) => process.stdout.write(text, () => setTimeout(done, 300)));
await say('serving ' + word.slice(0, 6));
await say(word.slice(6) + ' now\\n${ACTS}');
console.error('of the server: ' + process.env.SERVER_API_KEY);
console.log('ready to serve');
setInterval(() => undefined, 1000);`,
  'begin.ts': `
export default async () => {
  const word = process.env.HOUSE_PASSWORD ?? '';
  process.stdout.write('set up with ' + word.slice(0, 6));
  process.stdout.write(word.slice(6) + '|\\n');
  console.log('${ACTS}');
  return () => console.error('${ACTS}');
};`,
  'over.ts': `export default () => { throw new Error('torn down: ${ACTS}' + process.env.HOUSE_PASSWORD); };`,
  'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/matrix.ts';
import matrix from '${ROOT}/vm-matrix.ts';
const word = process.env.HOUSE_PASSWORD ?? '';
export default defineConfig({
  workers: 1, globalSetup: './begin.ts', globalTeardown: './over.ts',
  captureGitInfo: { commit: true, diff: true },
  webServer: { command: process.execPath + ' server.mjs', stdout: 'pipe', wait: { stdout: /ready to serve/ }, env: { SERVER_API_KEY: ${JSON.stringify(SECRETS.SERVER_API_KEY)}, NOTE: 'with ' + word } },
  reporter: [['list'], ['json', { outputFile: 'out/report.json', note: 'for ' + word }], ['blob'], ['html', { open: 'never', title: 'of ' + word }], ['junit']],
  projects: projectsFrom(matrix.filter(({ name }) => name === 'fedora42')) });`,
  'a.spec.ts': `
import { test } from '${ROOT}/fixtures/index.ts';
import { writeFileSync, mkdirSync } from 'node:fs';
const word = process.env.HOUSE_PASSWORD ?? '';
const leave = (info, name) => writeFileSync(info.outputPath(name), 'left: ' + word + '\\n');
test.use({ trace: 'on' });
test('exits', async ({}, info) => { leave(info, 'of-exit.txt'); process.exit(3); });
test('aborts', async ({}, info) => { leave(info, 'of-abort.txt'); process.abort(); });
test('prints in two pieces', async () => {
  process.stdout.write('two pieces: ' + word.slice(0, 7));
  await test.step('between', async () => {});
  process.stdout.write(word.slice(7) + ' whole\\n');
  process.stdout.write('last: ' + word.slice(0, 7));
  process.stdout.write(word.slice(7));
});
test.describe('group', () => {
  test.beforeAll(async ({}, info) => { leave(info, 'of-before-all.txt'); throw new Error('before all'); });
  test('is never begun', async () => {});
});`,
  'b.spec.ts': `
import { expect, test } from '@playwright/test';
import { writeFileSync } from 'node:fs';
test('is none of ours', async ({}, info) => {
  writeFileSync(info.outputPath('of-plain.txt'), 'left: ' + process.env.HOUSE_PASSWORD + '\\n');
  console.log('plain: ' + process.env.HOUSE_PASSWORD);
});`,
};

async function run(folder: string): Promise<RunnerResult> {
  writeProject(folder, FILES);
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.test', ...args], { cwd: folder });
  git('init', '-q');
  git('add', 'a.spec.ts');
  git('commit', '-q', '-m', `commit with ${SECRETS.HOUSE_PASSWORD}`);
  return runPlaywright(folder, ['test', '--grep-invert', SECRETS.HOUSE_PASSWORD], {
    env: {
      HOUSE_PASSWORD: SECRETS.HOUSE_PASSWORD,
      PROXMOX_HOST: 'pve.example.test',
      FEDORA42_PASSWORD: 'not-used-here',
      VMWRIGHT_BUILD_NAME: 'night',
    },
  });
}

test('LK4, LK5, LK7: web server, global set-up, config, Git and the files of a worker that dies: no secret, and nothing acts', async ({}, info) => {
  test.setTimeout(120_000);
  const folder = info.outputPath('p');
  const { stdout, stderr, exitCode, output } = await run(folder);
  expect(exitCode).toBe(1);
  expect(output).toMatch(/3 failed|4 failed/);
  // What was said is there, under the name of the secret.
  expect(output).toContain('serving {HOUSE_PASSWORD} now');
  expect(output).toContain('of the server: {SERVER_API_KEY}');
  expect(output).toContain('set up with {HOUSE_PASSWORD}|');
  expect(output).toContain('two pieces: {HOUSE_PASSWORD} whole');
  expect(output).toContain('plain: {HOUSE_PASSWORD}');
  expect(output.match(/OWNED/g)?.length).toBeGreaterThanOrEqual(4);
  for (const text of [stdout, stderr]) {
    expect(searchText(text, WORDS)).toEqual([]);
    expect(text).not.toMatch(/[\u0007\u0080-\u009f]|\u001b(?!\[\d*[AGKm])|^\s*::error::|^##\[/m);
  }
  const { hits, places } = searchFor(folder, WORDS, SOURCES);
  expect(hits).toEqual([]);
  for (const name of ['of-exit', 'of-abort', 'of-before-all', 'of-plain', 'report.json', 'blob-report'])
    expect(
      places.some((place) => place.includes(name)),
      name,
    ).toBe(true);
  // Where a report quotes it the name stands.
  const report = readFileSync(join(folder, 'out/report.json'), 'utf8');
  const { config } = JSON.parse(report) as { config: Readonly<Record<string, unknown>> };
  expect(JSON.stringify(config.webServer)).toContain('with {HOUSE_PASSWORD}');
  expect(JSON.stringify(config.reporter)).toContain('for {HOUSE_PASSWORD}');
  expect(JSON.stringify(config.argv)).toContain('{HOUSE_PASSWORD}');
  expect(JSON.stringify(config.metadata)).toContain('commit with {HOUSE_PASSWORD}');
  // The trace has what was printed, also the end that has no line break.
  const traces = places.filter((place) => /prints-in-two[^>]*trace\.zip$/.test(place));
  const trace = Object.values(unzipSync(readFileSync(traces[0] ?? ''))).map((part) =>
    Buffer.from(part).toString(),
  );
  expect(trace.join('')).toContain('"last: {HOUSE_PASSWORD}"');
  // JUnit on the terminal is XML, whatever else is printed before and behind it.
  const xml = /<testsuites[^]*<\/testsuites>/.exec(stdout)?.[0] ?? '';
  const names: string[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => names.push(name));
  parser.write(xml).close();
  expect(names.filter((name) => name === 'testcase')).toHaveLength(5);
});
