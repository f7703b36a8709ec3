/**
 * Runs of the real runner, each with its own ending: what it takes, and whether all that tells of it agrees.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { XMLParser } from 'fast-xml-parser';
import { readStored } from '../../runs/evidence/recover.ts';
import type { RunState } from '../../runs/model.ts';
import { reasonNotToPost } from '../../runs/post.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
import { ROOT, runPlaywright, type RunnerResult, writeProject } from '../support/runner.ts';

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
export function checkAgreement(folder: string, exitCode: number | 'killed', isStored = true): Told {
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
  if (!isStored) {
    expect(stored).toBeUndefined();
    return told;
  }
  if (stored === undefined) {
    expect(isGood).toBe(false);
    return told;
  }
  const { model } = stored;
  if (model.state === 'COMPLETED') expect(exitCode).toBe(0);
  // A runner that was killed left its summary as it stood: RUNNING.
  if (exitCode === 'killed') {
    expect([undefined, 'RUNNING']).toContain(state);
    expect(reasonNotToPost(model)).toBeDefined();
    return told;
  }
  if (told.json === undefined) return told;
  expect(model.state, 'status').toBe(state);
  expect(model.hosts.map(({ host, status }) => `${host} ${status}`)).toEqual(
    told.json.hosts.map(({ host, status }) => `${host} ${status}`),
  );
  // What would be posted is what was written.
  if (told.markdown !== undefined && reasonNotToPost(model) === undefined)
    expect(renderMarkdown(model, { now: 0 })).toBe(told.markdown);
  return told;
}
