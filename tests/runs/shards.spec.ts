import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import type { Origin } from '../../runs/journal.ts';
import type { RunModel } from '../../runs/model.ts';
import { readRun } from '../../runs/read-run.ts';
import { runId } from '../../runs/run-facts.ts';
import { foldShards, nameOf, type ShardPart } from '../../runs/shards.ts';
import { beginRun } from '../../runs/store.ts';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';
import { begin, ended, over, recordOf, store } from './support.ts';

/** A config whose reports can be merged. */
function sharded(machines: readonly string[], more = ''): Record<string, string> {
  return {
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
const host = (name) => ({ name, metadata: { vmwright: { host: name, family: 'f' } } });
export default defineConfig({
  outputDir: 'test-results/artifacts',
  reporter: [['blob'], ['${ROOT}/reporters/summary.ts']],
  projects: ${JSON.stringify(machines)}.map(host),
  ${more}
});`,
  };
}

test('shards are whole machines; merged without one its machines are UNKNOWN; merged again it is whole and stays posted', async ({}, testInfo) => {
  test.setTimeout(120_000);
  const folder = testInfo.outputPath('project');
  writeProject(folder, {
    ...sharded(['a', 'b', 'c']),
    's.spec.ts': `import { test } from '@playwright/test';
for (const n of [1, 2, 3]) test('t' + n, () => {});`,
  });
  const env = { VMWRIGHT_BUILD_NAME: 'b', VMWRIGHT_RUN_ID: 'r' };
  for (const shard of [1, 2, 3]) {
    const PLAYWRIGHT_BLOB_OUTPUT_FILE = join(folder, `blobs/${shard}.zip`);
    const { stdout } = await runPlaywright(folder, ['test', `--shard=${shard}/3`], {
      env: { ...env, PLAYWRIGHT_BLOB_OUTPUT_FILE },
    });
    expect(stdout.match(/^[abc] - PASS$/gm)).toEqual([`${'abc'[shard - 1]!} - PASS`]);
  }
  const merge = async (name: string, shards: number[]): Promise<string> => {
    mkdirSync(join(folder, name));
    for (const shard of shards)
      copyFileSync(join(folder, `blobs/${shard}.zip`), join(folder, name, `${shard}.zip`));
    const { stderr } = await runPlaywright(folder, ['merge-reports', '--config=playwright.config.ts', name], {
      env,
    });
    expect(stderr).not.toContain('vmwright summary:');
    return readFileSync(join(folder, 'test-results/summary/summary.txt'), 'utf8');
  };
  const partial = await merge('two', [1, 3]);
  expect(partial).toContain('state: UNKNOWN');
  expect(partial).toContain('b - UNKNOWN - the report of shard 2/3 is missing');
  const marker = join(folder, 'test-results/state/b/posted.json');
  writeFileSync(marker, '{"at":1}');
  const whole = await merge('all', [1, 2, 3]);
  expect(whole).toContain('state: COMPLETED');
  expect(whole).toContain('a - PASS\nb - PASS\nc - PASS');
  expect(readFileSync(marker, 'utf8')).toBe('{"at":1}');
});

test('VE18: reports that are no shards of one run are UNKNOWN by name, and say what to set; of a shard that is run again the newest attempt counts', async ({}, testInfo) => {
  test.setTimeout(240_000);
  const folder = testInfo.outputPath('project');
  writeProject(folder, {
    ...sharded(['a', 'b'], `globalTeardown: './teardown.ts',`),
    // What fails outside of any test is of its attempt too.
    'teardown.ts': `export default () => { if (process.env.BROKEN) throw new Error('teardown'); };`,
    's.spec.ts': `import { expect, test } from '@playwright/test';
for (const n of [1, 2]) test('t' + n, ({}, info) => { expect(info.project.name).not.toBe(process.env.BROKEN); });`,
  });
  const github = { GITHUB_RUN_ID: '7', GITHUB_SHA: 'c1', GITHUB_RUN_ATTEMPT: '1' };
  const shard = async (name: string, which: string, env: Record<string, string>): Promise<void> => {
    const { exitCode } = await runPlaywright(folder, ['test', `--shard=${which}`], {
      env: { ...env, PLAYWRIGHT_BLOB_OUTPUT_FILE: join(folder, `blobs/${name}.zip`) },
    });
    expect(exitCode, name).toBe('BROKEN' in env ? 1 : 0);
  };
  await shard('one', '1/2', github);
  // Blobs of one shard are told in the order of their names: the older attempt comes last.
  await shard('two-z', '2/2', { ...github, BROKEN: 'b' });
  await shard('two-a', '2/2', { ...github, GITHUB_RUN_ATTEMPT: '2' });
  await shard('two-by-hand', '2/2', {});
  await shard('one-of-three', '1/3', github);
  await shard('two-other', '2/2', { ...github, GITHUB_SHA: 'c2', VMWRIGHT_OPTION_PLUGIN: 'fc' });
  const merge = async (...names: string[]): Promise<{ exitCode: number; text: string }> => {
    const blobs = names.join('+');
    mkdirSync(join(folder, blobs));
    for (const name of names)
      copyFileSync(join(folder, `blobs/${name}.zip`), join(folder, blobs, `${name}.zip`));
    const { exitCode } = await runPlaywright(folder, [
      'merge-reports',
      '--config=playwright.config.ts',
      blobs,
    ]);
    return { exitCode, text: readFileSync(join(folder, 'test-results/summary/summary.txt'), 'utf8') };
  };
  const failed = await merge('one', 'two-z');
  expect(failed.text).toMatch(/state: FAILED[^]*a - PASS\nb - FAIL/);
  expect(failed.text).toContain('teardown');
  const again = await merge('one', 'two-a', 'two-z');
  expect(again.text).toMatch(/state: COMPLETED[^]*a - PASS\nb - PASS\n/);
  expect(again.text).toContain('shard 2/2 was run 2 times: the newest attempt counts');
  expect(again.text).not.toContain('teardown');
  expect([failed.exitCode, again.exitCode]).toEqual([1, 0]);
  for (const [names, ...reasons] of [
    [['one', 'two-by-hand'], /shard 2\/2 belongs to another run than shard 1\/2 .*: set VMWRIGHT_RUN_ID/],
    [
      ['one-of-three', 'two-a'],
      /shard 2\/2 is of a run in 2 shards, shard 1\/3 of one in 3: give all one total/,
    ],
    [
      ['one', 'two-other'],
      /shard 2\/2 is of commit c2, shard 1\/2 of c1: run all shards on one commit/,
      /shard 2\/2 has other options of the suite than shard 1\/2/,
    ],
  ] as const) {
    const { exitCode, text } = await merge(...names);
    expect(text).toContain('state: UNKNOWN');
    for (const reason of reasons) expect(text).toMatch(reason);
    expect(exitCode).toBe(1);
  }
});

/** Parts that are mostly of one run. */
const parts = fc.array(
  fc.record({
    run: fc.constantFrom('r', 'r', 'r', 'other'),
    shard: fc
      .tuple(fc.constantFrom(3, 3, 3, 2), fc.integer({ min: 1, max: 3 }))
      .map(([total, current]) => ({ total, current: Math.min(current, total) })),
    attempt: fc.integer({ min: 1, max: 3 }),
    at: fc.integer({ min: 0, max: 3 }),
    origin: fc.record({
      commit: fc.constantFrom('c', 'c', 'c', 'd'),
      config: fc.constantFrom({ tests: '1' }, { tests: '1' }, { tests: '1' }, { tests: '2' }, {}),
    }),
  }),
  { maxLength: 8 },
);

test('VE18: a report of other tests replaces none: one job of a pipeline takes no failure of another away', async ({}, testInfo) => {
  const folder = testInfo.outputPath('project');
  writeProject(folder, {
    ...sharded(['a', 'b']),
    's.spec.ts': `import { expect, test } from '@playwright/test'; test('t', ({}, info) => { expect(info.project.name).toBe('b'); });`,
  });
  mkdirSync(join(folder, 'all'));
  const env = { VMWRIGHT_BUILD_NAME: 'b', GITLAB_CI: 'true', CI_PIPELINE_ID: '77' };
  for (const [host, exit] of [
    ['a', 1],
    ['b', 0],
  ] as const) {
    const PLAYWRIGHT_BLOB_OUTPUT_FILE = join(folder, `all/${host}.zip`);
    const { exitCode } = await runPlaywright(folder, ['test', '--shard=1/1', `--project=${host}`], {
      env: { ...env, PLAYWRIGHT_BLOB_OUTPUT_FILE },
    });
    expect(exitCode).toBe(exit);
  }
  const { exitCode } = await runPlaywright(
    folder,
    ['merge-reports', '--config=playwright.config.ts', 'all'],
    {
      env,
    },
  );
  expect(exitCode).toBe(1);
  const text = readFileSync(join(folder, 'test-results/summary/summary.txt'), 'utf8');
  expect(text).toContain('state: UNKNOWN');
  expect(text).toMatch(/^a - FAIL/m);
  expect(text).toContain('shard 1/1 has other tests than shard 1/1: run all shards with one configuration');
});

test('VE18: whatever the parts are, one attempt of each shard counts, and any that is of another run, total, commit or configuration is a fault', () => {
  // A later report replaces an earlier one that ran the same, and no other.
  const key = ({ run, shard, origin }: ShardPart): string =>
    JSON.stringify([run, shard.current, shard.total, origin?.commit, origin?.config]);
  const rank = ({ attempt, at }: ShardPart): number => attempt * 10 + at;
  fc.assert(
    fc.property(parts, fc.array(fc.nat(), { maxLength: 8 }), (all, order) => {
      const { counted, superseded, faults } = foldShards(all);
      expect([...counted, ...superseded]).toHaveLength(all.length);
      expect(new Set(counted.map(key))).toEqual(new Set(all.map(key)));
      expect(new Set(counted.map(key)).size).toBe(counted.length);
      for (const part of counted)
        for (const other of all)
          if (key(other) === key(part)) expect(rank(part)).toBeGreaterThanOrEqual(rank(other));
      const kinds = counted.map(({ run, shard, origin }) => JSON.stringify([run, shard.total, origin]));
      expect(faults.length > 0).toBe(new Set(kinds).size > 1);
      for (const [index, kind] of kinds.entries())
        if (index > 0 && kind !== kinds[0])
          expect(faults.some((text) => text.startsWith(nameOf(counted[index]!)))).toBe(true);
      // The order in which they are found says nothing.
      const shuffled = all
        .map((part, index) => ({ part, place: order[index] ?? index }))
        .sort((a, b) => a.place - b.place);
      const other = foldShards(shuffled.map(({ part }) => part));
      expect(other.faults.length > 0).toBe(faults.length > 0);
      expect(other.counted.map(rank).toSorted()).toEqual(counted.map(rank).toSorted());
    }),
  );
});

test('VE18: each CI system says which run a shard is of, in each attempt the same', () => {
  const systems: Readonly<Record<string, string>>[] = [
    { GITHUB_RUN_ID: '1', GITHUB_RUN_ATTEMPT: '#' },
    { CI_PIPELINE_ID: '1', CI_JOB_ID: '#' },
    { BUILD_TAG: 'jenkins-job-1', EXECUTOR_NUMBER: '#' },
    { BUILDKITE_BUILD_ID: '1', BUILDKITE_RETRY_COUNT: '#' },
    { BUILD_BUILDID: '1', SYSTEM_JOBATTEMPT: '#' },
    { CIRCLE_PIPELINE_ID: '1', CIRCLE_WORKFLOW_ID: '#' },
  ];
  const runs = systems.map((env) => {
    const ids = ['1', '2'].map((job) =>
      runId(Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace('#', job)]))),
    );
    expect(ids[0], JSON.stringify(env)).toBe(ids[1]);
    return ids[0];
  });
  expect(new Set(runs).size).toBe(systems.length);
  expect(runId({})).not.toBe(runId({}));
});

test('VE18: stored shards of two cuts, commits or configurations are UNKNOWN by name', ({}, testInfo) => {
  const scope = [1, 2].map((shard) => ({ host: `h${shard}`, tests: 1, shard }));
  const origin = { commit: 'c', config: { tests: '1' } };
  const model = (second: { total?: number; origin?: Origin }): RunModel => {
    const folder = testInfo.outputPath('b');
    beginRun(folder, recordOf({ shards: 2 }));
    for (const current of [1, 2]) {
      const own = current === 1 ? { total: 2, origin } : { total: 2, origin, ...second };
      const shard = { current, total: own.total };
      store(
        join(folder, `shards/${current}-of-${own.total}`),
        [begin(scope, { shard, origin: own.origin }), ended(`h${current}`, 'passed'), over],
        { shards: own.total },
      );
    }
    return readRun(folder, { now: 30_000, processState: () => 'gone' })!.model;
  };
  expect(model({}).state).toBe('COMPLETED');
  for (const [second, note] of [
    [{ total: 3 }, 'shard 2/3 is of a run in 3 shards'],
    [{ origin: { ...origin, commit: 'd' } }, 'shard 2/2 is of commit d'],
    [{ origin: { config: origin.config } }, 'shard 2/2 is of commit unknown'],
    [{ origin: { ...origin, config: { tests: '2' } } }, 'shard 2/2 has other tests'],
  ] as const) {
    const { state, notes } = model(second);
    expect(state, note).toBe('UNKNOWN');
    expect(notes.join('\n')).toContain(note);
  }
});
