/**
 * Runs of the real runner, each with its own ending: what it takes, and whether all that tells of it agrees.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { expect } from '@playwright/test';
import { XMLParser } from 'fast-xml-parser';
import { status } from '../../cli/status.ts';
import { Secret } from '../../fixtures/secrets/index.ts';
import { readStored } from '../../runs/evidence/recover.ts';
import type { RunModel, RunState } from '../../runs/model.ts';
import { post, reasonNotToPost } from '../../runs/post.ts';
import { ROOT, runPlaywright, type RunnerResult, writeProject } from '../support/runner.ts';
import { startChat } from './command.ts';

export interface Ending {
  /** Fields of the config, as source. */
  readonly config?: string;
  /** Reporters beside the summary, as source: before and after it. */
  readonly before?: string;
  readonly after?: string;
  /** Machines as source; default `a` and `b`. */
  readonly projects?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly exit: number | 'killed';
  readonly state: RunState | 'none';
  /** Statuses of the machines, in order. */
  readonly hosts: string;
  /** What has to stand in FAILURE NOTES, page, JUnit, CTRF and post. */
  readonly says?: string;
}

const PASSING = `
import { test } from '@playwright/test';
test('t', () => {});`;

export function writeEnding(folder: string, ending: Partial<Ending>): void {
  writeProject(folder, {
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
const host = (name, facts = {}, more = {}) => ({ name, metadata: { vmwright: { host: name, family: 'f', ...facts } }, ...more });
export default defineConfig({
  outputDir: 'test-results/artifacts',
  workers: 2,
  reporter: [${ending.before ?? ''} ['${ROOT}/reporters/summary.ts'], ${ending.after ?? ''}],
  projects: [${ending.projects ?? `host('a'), host('b')`}],
  ${ending.config ?? ''}
});`,
    's.spec.ts': PASSING,
    ...ending.files,
  });
}

export const ENV = { VMWRIGHT_BUILD_NAME: 'night' };

export async function runEnding(folder: string, ending: Partial<Ending>): Promise<RunnerResult> {
  writeEnding(folder, ending);
  return runPlaywright(folder, ['test', ...(ending.args ?? [])], { env: { ...ENV, ...ending.env } });
}

/** An older pass stands where the summary goes. */
export function leaveOldPass(folder: string): void {
  const summary = join(folder, 'test-results/summary');
  mkdirSync(summary, { recursive: true });
  for (const name of ['summary.md', 'summary.txt', 'index.html', 'junit.xml'])
    writeFileSync(join(summary, name), 'state: COMPLETED, an older run');
  for (const name of ['summary.json', 'ctrf.json'])
    writeFileSync(join(summary, name), '{"state":"COMPLETED"}');
}

/** Path, content and time of every file below `folder`, without locks: they are no part of any run. */
export function everything(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.lock\.\d+$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => `${path} ${statSync(path).mtimeMs} ${readFileSync(path, 'utf8')}`);
}

/** What each file of the summary says of the run; undefined for one that is not there. */
export interface Told {
  readonly markdown: string | undefined;
  readonly page: string | undefined;
  readonly junit: string | undefined;
  readonly ctrf: Ctrf | undefined;
  readonly json: Summary | undefined;
}
interface Ctrf {
  readonly results: {
    readonly tests: readonly {
      name: string;
      status: string;
      message?: string;
      trace?: string;
      filePath?: string;
    }[];
    readonly extra: { readonly state: string };
  };
}
interface Summary {
  readonly state: RunState;
  readonly hosts: readonly { readonly host: string; readonly status: string; readonly detail: string }[];
  readonly tests: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

export function toldIn(folder: string): Told {
  const read = (name: string): string | undefined => {
    const file = join(folder, 'test-results/summary', name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  const parse = (text: string | undefined): unknown => (text === undefined ? undefined : JSON.parse(text));
  return {
    markdown: read('summary.md'),
    page: read('index.html'),
    junit: read('junit.xml'),
    ctrf: parse(read('ctrf.json')) as Ctrf | undefined,
    json: parse(read('summary.json')) as Summary | undefined,
  };
}

/** The rule of all endings: good news only where the runner exited 0, and everywhere the same news. */
export async function checkAgreement(folder: string, exitCode: number | 'killed'): Promise<Told> {
  const told = toldIn(folder);
  const state = told.json?.state;
  const isGood = state === 'COMPLETED';
  if (isGood) expect(exitCode).toBe(0);
  if (told.markdown !== undefined) expect(told.markdown).toContain(`_state: ${state ?? ''}`);
  if (told.page !== undefined) expect(told.page).toContain(`<title>night: ${state ?? ''}</title>`);
  if (told.ctrf !== undefined) {
    expect(told.ctrf.results.extra.state).toContain(`state: ${state ?? ''}`);
    const bad = told.ctrf.results.tests.filter(({ status }) => status !== 'passed' && status !== 'skipped');
    expect(bad.length === 0, 'CTRF').toBe(isGood);
  }
  if (told.junit !== undefined) {
    const { testsuites } = new XMLParser({ ignoreAttributes: false }).parse(told.junit) as {
      testsuites: { testsuite: Record<string, string> };
    };
    const bad = Number(testsuites.testsuite['@_failures']) + Number(testsuites.testsuite['@_errors']);
    expect(bad === 0, 'JUnit').toBe(isGood);
  }
  const stored = readStored(join(folder, 'test-results/state/night'), { now: Date.now() });
  if (stored === undefined) {
    expect(isGood).toBe(false);
    return told;
  }
  const { model } = stored;
  if (model.state === 'COMPLETED') expect(exitCode).toBe(0);
  const shown = await statusOf(stored.folder);
  expect(shown.state, 'status').toBe(model.state);
  if (model.endedAt !== undefined) expect(shown.exitCode === 0, 'status').toBe(model.state === 'COMPLETED');
  const posted = await postedFrom(stored.folder, model);
  // A runner that was killed left its summary as it stood: RUNNING.
  if (exitCode === 'killed') {
    expect([undefined, 'RUNNING']).toContain(state);
    expect(posted).toBeUndefined();
    return told;
  }
  if (told.json === undefined) return told;
  expect(model.state, 'status').toBe(state);
  expect(shown.hosts).toEqual(told.json.hosts);
  if (told.markdown !== undefined && posted !== undefined) expect(posted).toBe(told.markdown);
  return told;
}

/** What `vmwright status` prints of the run in `folder`, and its exit code. */
async function statusOf(folder: string): Promise<Pick<Summary, 'state' | 'hosts'> & { exitCode: number }> {
  let text = '';
  const stdout = new Writable({
    write(part: Buffer, _encoding, done) {
      text += part.toString();
      done();
    },
  });
  const exitCode = await status(
    { state: dirname(folder), build: 'night', format: 'json' },
    { stdout, now: Date.now },
  );
  return { ...(JSON.parse(text) as Summary), exitCode };
}

/** What a chat's server gets when the run is posted; undefined where that is refused. */
async function postedFrom(folder: string, model: RunModel): Promise<string | undefined> {
  const chat = await startChat();
  const url = new Secret('POST_URL_OF_ENDINGS', chat.env.VMWRIGHT_POST_URL ?? '');
  const posting = post(folder, model, {
    webhook: { url, kind: 'mattermost' },
    now: () => 0,
    sleep: () => Promise.resolve(),
  });
  try {
    if (reasonNotToPost(model) === undefined) await posting;
    else await expect(posting).rejects.toMatchObject({ code: 'POST_REFUSED' });
  } finally {
    chat.close();
  }
  expect(chat.posts).toHaveLength(reasonNotToPost(model) === undefined ? 1 : 0);
  return chat.posts[0];
}
