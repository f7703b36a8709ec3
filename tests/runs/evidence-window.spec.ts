/** Runs whose journal is lost: what is counted, and when it has to be from. */
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { replay } from '../../cli/replay.ts';
import { currentRun } from '../../cli/status.ts';
import { runnerEnded } from '../../runs/evidence/run-log.ts';
import { readStored } from '../../runs/evidence/recover.ts';
import { placeOf } from '../../runs/evidence/time.ts';
import type { RunModel } from '../../runs/model.ts';
import { beginRun, endRun, FILES, readRecord, type RunRecord } from '../../runs/store.ts';
import { identityOf } from '../../fixtures/process/identity.ts';
import { runPlaywright } from '../support/runner.ts';
import { vmwright, writeRunProject } from './command.ts';
import { corpus, DURING, type Files, planOf, rebuilt, result, START } from './evidence-support.ts';
import { recordOf } from './support.ts';

const gone = { now: DURING + 3_600_000, processState: () => 'gone' as const };

/** A stored run without a journal, with these files in its folder. */
function lost(folder: string, files: Files, more: Partial<RunRecord> = {}, modifiedAt = DURING): RunModel {
  rmSync(folder, { recursive: true, force: true });
  beginRun(folder, recordOf({ startedAt: START, hosts: [{ host: 'a', tests: 1 }], ...more }));
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    utimesSync(file, new Date(modifiedAt), new Date(modifiedAt));
  }
  const model = readStored(folder, gone)!.model;
  let text = '';
  replay(folder, { format: 'json' }, { write: (part: string) => (text += part) });
  const replayed = JSON.parse(text) as { hosts: { host: string; status: string }[] };
  const shown = currentRun({ state: dirname(folder), build: 'b' }, gone.now).model;
  for (const hosts of [replayed.hosts, shown.hosts])
    expect(hosts.map(({ status }) => status)).toEqual(model.hosts.map(({ status }) => status));
  return model;
}

const statuses = (model: RunModel): string => model.hosts.map(({ status }) => status).join();

test('VE10: fewer results than the record has planned are UNKNOWN; all of them pass', ({}, testInfo) => {
  const folder = testInfo.outputPath('state/b');
  const junit = (count: number): string =>
    `<testsuites>${Array.from({ length: count }, (_, index) => `<testsuite name="s" hostname="a"><testcase name="t${index}"/></testsuite>`).join('')}</testsuites>`;
  const hosts = [{ host: 'a', tests: 3 }];
  for (const count of [1, 2]) {
    const model = lost(folder, { 'x.xml': junit(count) }, { hosts });
    expect([model.state, statuses(model)]).toEqual(['UNKNOWN', 'UNKNOWN']);
    expect(model.hosts[0]?.detail).toBe(`${3 - count} of 3 tests did not run`);
  }
  expect(statuses(lost(folder, { 'x.xml': junit(3) }, { hosts }))).toBe('PASS');
  // The same test told twice, by one format or another, is one.
  const twice = { 'x.xml': junit(2), 'y.xml': junit(2), 'r.json': { hosts: { a: { type: 'passed' } } } };
  expect(statuses(lost(folder, twice, { hosts }))).toBe('UNKNOWN');
  // A record of an earlier version has no counts.
  expect(statuses(lost(folder, { 'x.xml': junit(1) }, { hosts: [{ host: 'a' }] }))).toBe('PASS');
});

test('VE10: a real run keeps its planned tests and its end in the record; with the journal lost nothing passes on a part', async ({}, testInfo) => {
  const project = testInfo.outputPath('p');
  writeRunProject(project, ['a', 'b'], {
    's.spec.ts': `import { test } from '@playwright/test'; for (const n of [1, 2, 3]) test('t' + n, () => {});`,
  });
  await runPlaywright(project, ['test'], { env: { VMWRIGHT_BUILD_NAME: 'night' } });
  const folder = join(project, 'test-results/state/night');
  const record = readRecord(folder)!;
  expect(record.hosts.map(({ host, tests }) => [host, tests])).toEqual([
    ['a', 3],
    ['b', 3],
  ]);
  expect(record.endedAt).toBeGreaterThanOrEqual(record.startedAt);
  rmSync(join(folder, FILES.journal));
  const junit = (hosts: readonly string[], count: number): string =>
    `<testsuites>${hosts.map((host) => `<testsuite name="s.spec.ts" timestamp="${new Date(record.startedAt).toISOString()}" hostname="${host}">${Array.from({ length: count }, (_, index) => `<testcase name="t${index + 1}"/>`).join('')}</testsuite>`).join('')}</testsuites>`;
  const write = (count: number): void => {
    const file = join(folder, 'results.xml');
    writeFileSync(file, junit(['a', 'b'], count));
    // As the run wrote it: what is newer than the run's end is none of its results.
    utimesSync(file, new Date(record.endedAt!), new Date(record.endedAt!));
  };
  write(1);
  expect(statuses(readStored(folder, gone)!.model)).toBe('UNKNOWN,UNKNOWN');
  write(3);
  expect(statuses(readStored(folder, gone)!.model)).toBe('PASS,PASS');
});

const block = (...lines: string[]): string => ['', ...lines, ''].join('\n');
const header = (tests: number): string =>
  `\nRunning ${tests} tests using 1 worker\n\n  ✓  1 [a] › s.spec.ts:3:1 › t (5ms)\n`;
const failedBlock = block('  1 failed', '    [a] › s.spec.ts:3:1 › t ─────────────', '  1 passed (3.1s)');
const passedBlock = block('  2 passed (3.1s)');

/** Logs of a run of a and b, one test each, and what a comes to whose JUnit passed. */
const LOGS: readonly (readonly [what: string, log: string, a: string])[] = [
  ['a closing block without failures', header(2) + passedBlock, 'PASS'],
  ['a failure in the closing block', header(2) + failedBlock, 'FAIL'],
  [
    'the same with colours',
    header(2) + failedBlock.replace('  1 failed', '\u001b[31m  1 failed\u001b[39m'),
    'FAIL',
  ],
  ['a block that a spec printed before', header(2) + failedBlock + passedBlock, 'PASS'],
  [
    'a block of a spec that does not add up',
    header(2) + failedBlock.replace('1 failed', '7 failed') + passedBlock,
    'PASS',
  ],
  ["a whole nested runner's output", header(2) + header(9) + block('  9 failed') + passedBlock, 'PASS'],
  ['no end', header(2), 'UNKNOWN'],
  ['no end but a block of a spec', header(3) + failedBlock, 'UNKNOWN'],
  ['tests that did not run', header(2) + block('  1 did not run', '  1 passed (1s)'), 'PASS'],
  [
    'errors outside of any test',
    header(2) + block('  2 passed (1s)', '  1 error was not a part of any test, see above for details'),
    'UNKNOWN',
  ],
  ['failures without names', header(2) + block('  1 failed', '  1 passed (1s)'), 'UNKNOWN'],
  ['our own summary that says FAIL', 'HOSTS:\na - FAIL - step 1 "t" - no\nb - PASS\n\nTIMING:\n', 'FAIL'],
  [
    'our own summary that says UNKNOWN',
    'HOSTS:\na - UNKNOWN - interrupted\nb - PASS\n\nTIMING:\n',
    'UNKNOWN',
  ],
  [
    'our own summary below one of a spec',
    'HOSTS:\na - FAIL - no\n\nHOSTS:\na - PASS\nb - PASS\n\nTIMING:\n',
    'PASS',
  ],
  ['an exit code that nothing explains', `${header(2)}${passedBlock}\n${runnerEnded(1)}\n`, 'UNKNOWN'],
  [
    'a group before this one that failed',
    `${header(2)}${failedBlock}\n${runnerEnded(1)}\n${header(2)}${passedBlock}\n${runnerEnded(0)}\n`,
    'FAIL',
  ],
  ['an empty log', '', 'UNKNOWN'],
];

for (const [what, log, expected] of LOGS) {
  test(`VE10: run.log where the journal is lost: ${what}`, ({}, testInfo) => {
    const junit =
      '<testsuites><testsuite name="s.spec.ts" hostname="a"><testcase name="t"/></testsuite><testsuite name="s.spec.ts" hostname="b"><testcase name="t"/></testsuite></testsuites>';
    const hosts = [
      { host: 'a', tests: 1 },
      { host: 'b', tests: 1 },
    ];
    const folder = testInfo.outputPath('state/b');
    expect(statuses(lost(folder, { 'x.xml': junit, 'run.log': log }, { hosts })).split(',')[0]).toBe(
      expected,
    );
    // It never raises: without the results nothing passes.
    expect(statuses(lost(folder, { 'run.log': log }, { hosts }))).not.toContain('PASS');
  });
}

/** A failing result that anybody could have left, and its like in other clothes. */
const FAILING =
  '<testsuites><testsuite name="s.spec.ts" hostname="a"><testcase name="t"><failure message="no"/></testcase></testsuite></testsuites>';

test('VE11: nothing that may hold a result is passed over for its name: other suffixes, none, links, names of our own', ({}, testInfo) => {
  const folder = testInfo.outputPath('state/b');
  const hosts = [{ host: 'a', tests: 1 }];
  const passing = { 'r.json': result('a', 'passed') };
  expect(statuses(lost(folder, passing, { hosts }))).toBe('PASS');
  const shown = { 'a.png': 'x', 'film/b.webm': 'x', 'report/index.html': '<p>failed</p>' };
  expect(statuses(lost(folder, { ...passing, ...shown }, { hosts }))).toBe('PASS');
  for (const name of ['FAIL.XML', 'results', 'f.trx', 'f.xml.gz', 'summary.txt', 'ctrf.json', 'junit.xml'])
    expect(statuses(lost(folder, { ...passing, [name]: FAILING }, { hosts })), name).not.toBe('PASS');
  const ours = `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite name="b" timestamp="2026-05-12T09:00:00.000Z" tests="1" failures="`;
  const own = (failures: number): string =>
    `${ours}${failures}" errors="0" skipped="0">\n<testcase classname="f" name="a" time="0.000">${failures > 0 ? '<failure message="no"/>' : ''}</testcase>\n</testsuite>\n</testsuites>\n`;
  expect(statuses(lost(folder, { ...passing, 'junit.xml': own(0) }, { hosts }))).toBe('PASS');
  expect(statuses(lost(folder, { ...passing, 'junit.xml': own(1) }, { hosts }))).not.toBe('PASS');
  const elsewhere = testInfo.outputPath('elsewhere');
  mkdirSync(elsewhere, { recursive: true });
  writeFileSync(join(elsewhere, 'fail.xml'), FAILING);
  for (const target of [join(elsewhere, 'fail.xml'), elsewhere, join(elsewhere, 'nowhere')]) {
    const read = (): string => statuses(readStored(folder, gone)!.model);
    lost(folder, passing, { hosts });
    symlinkSync(target, join(folder, 'linked.xml'));
    expect(read(), target).not.toBe('PASS');
  }
});

test('VE10: with the journal lost, what the supervisor and the record kept still counts: exit code, stop, forbidden flaky tests', ({}, testInfo) => {
  const folder = testInfo.outputPath('state/b');
  const hosts = [{ host: 'a', tests: 1 }];
  const passing = { 'r.json': result('a', 'passed') };
  expect(lost(folder, { ...passing, [FILES.exit]: { at: DURING, code: 0 } }, { hosts }).state).toBe(
    'COMPLETED',
  );
  expect(lost(folder, { ...passing, [FILES.exit]: { at: DURING, code: 1 } }, { hosts }).state).toBe('FAILED');
  const stopped = { ...passing, [FILES.cancelled]: { at: DURING, note: 'stopped by SIGINT' } };
  expect(lost(folder, stopped, { hosts }).state).toBe('CANCELLED');
  const attempt = (status: string, retry: number) => ({
    status,
    retry,
    duration: 1,
    errors: [],
    startTime: new Date(DURING).toISOString(),
  });
  const flaky = {
    config: {},
    suites: [
      {
        title: 's.spec.ts',
        file: 's.spec.ts',
        specs: [
          {
            title: 't',
            file: 's.spec.ts',
            tests: [
              {
                projectName: 'a',
                expectedStatus: 'passed',
                annotations: [],
                results: [attempt('failed', 0), attempt('passed', 1)],
              },
            ],
          },
        ],
      },
    ],
    errors: [],
    stats: {
      startTime: new Date(DURING).toISOString(),
      duration: 5,
      expected: 0,
      flaky: 1,
      unexpected: 0,
      skipped: 0,
    },
  };
  expect(statuses(lost(folder, { 'r.json': flaky }, { hosts }))).toBe('PASS');
  expect(statuses(lost(folder, { 'r.json': flaky }, { hosts, failOnFlakyTests: true }))).toBe('FAIL');
  // JUnit numbers no attempts.
  const junit = `<testsuites><testsuite name="s.spec.ts" hostname="a"><testcase name="t"/></testsuite></testsuites>`;
  expect(statuses(lost(folder, { 'x.xml': junit }, { hosts }))).toBe('PASS');
  expect(statuses(lost(folder, { 'x.xml': junit }, { hosts, failOnFlakyTests: true }))).toBe('UNKNOWN');
});

test('what was written after the end is none of the results, in status and replay too; a second is tolerated', ({}, testInfo) => {
  const folder = testInfo.outputPath('state/b');
  const files = { 'r.json': result('a', 'passed') };
  for (const [modifiedAt, status] of [
    [DURING, 'PASS'],
    [DURING + 900, 'PASS'],
    [DURING + 1_100, 'UNKNOWN'],
    [START - 900, 'PASS'],
    [START - 1_100, 'UNKNOWN'],
  ] as const) {
    expect(statuses(lost(folder, files, { endedAt: DURING }, modifiedAt)), String(modifiedAt - START)).toBe(
      status,
    );
  }
  expect(statuses(lost(folder, files, {}, DURING + 86_400_000))).toBe('PASS');
  const cancelled = { ...files, [FILES.cancelled]: { at: DURING } };
  expect(statuses(lost(folder, cancelled, {}, DURING + 1_100))).toBe('UNKNOWN');
  const phases = { ...files, [FILES.phases]: `{"phase":"run","edge":"end","at":${DURING}}\n` };
  expect(statuses(lost(folder, phases, {}, DURING + 1_100))).toBe('UNKNOWN');
});

test('the end is kept for the run itself, not for another of its name', ({}, testInfo) => {
  const folder = testInfo.outputPath('b');
  beginRun(folder, recordOf({ startedAt: START }));
  endRun(folder, 'another', DURING);
  expect(readRecord(folder)?.endedAt).toBeUndefined();
  endRun(folder, recordOf().run, DURING);
  expect(readRecord(folder)?.endedAt).toBe(DURING);
});

const dated = (timestamp: string, inner = ''): string =>
  `<testsuites><testsuite name="s" hostname="a" timestamp="${timestamp}"><testcase name="t">${inner}</testcase></testsuite></testsuites>`;

for (const zone of ['America/New_York', 'Asia/Kolkata', 'Pacific/Auckland', 'UTC']) {
  test(`a time without a zone passes nothing, and fails what failed: read in ${zone}`, () => {
    const before = process.env.TZ;
    process.env.TZ = zone;
    try {
      const only = planOf(['a'], { endedAt: DURING });
      const status = (content: unknown, name = 'x.xml'): string =>
        statuses(rebuilt({ [name]: content }, only));
      for (const hour of ['05:05', '06:00', '09:05', '12:00', '14:35']) {
        const timestamp = `2026-05-12T${hour}:00`;
        expect(status(dated(timestamp)), timestamp).toBe('UNKNOWN');
        expect(status(dated(timestamp, '<failure/>')), timestamp).toBe('FAIL');
        expect(status(result('a', 'passed', { startedAt: timestamp }), 'r.json'), timestamp).toBe('UNKNOWN');
        const sure = { 'x.xml': dated(timestamp), 'y.xml': dated('2026-05-12T09:05:00Z') };
        expect(statuses(rebuilt(sure, only)), timestamp).toBe('PASS');
      }
      expect(status(dated('2026-05-12T09:05:00Z'))).toBe('PASS');
      expect(status(dated('2026-05-12T05:05:00-04:00'))).toBe('PASS');
      // Playwright takes the time of its own report a moment before ours.
      expect(status(dated('2026-05-12T08:59:59.999Z'))).toBe('PASS');
      expect(status(dated('2026-05-12T06:00:00Z'))).toBe('UNKNOWN');
      // In no zone is yesterday's within the run.
      const old = {
        'x.xml': dated('2026-05-10T09:05:00', '<failure/>'),
        'y.xml': dated('2026-05-12T09:05:00Z'),
      };
      expect(statuses(rebuilt(old, only))).toBe('PASS');
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });
}

test('jest-junit alone passes nothing; the reason names the file', () => {
  const model = rebuilt({ 'jest-junit.xml': corpus('jest-junit.xml') }, planOf(['fedora42', 'ubuntu2204']));
  expect(statuses(model)).toBe('UNKNOWN,FAIL');
  expect(model.hosts[0]?.detail).toContain('jest-junit.xml');
});

test('a time without a zone is certain only where every zone agrees', () => {
  const place = (local: number, from: 'contents' | 'name' = 'contents'): string =>
    placeOf(
      { at: DURING, zoneless: { local, from, modifiedAt: DURING } },
      { startedAt: START, endedAt: START + 100 * 3_600_000 },
    );
  expect(place(START + 50 * 3_600_000)).toBe('within');
  expect(place(START + 13 * 3_600_000)).toBe('doubtful');
  expect(place(START - 13 * 3_600_000)).toBe('outside');
  expect(place(START + 13 * 3_600_000, 'name')).toBe('within');
});

test('VE12: in New York, recover, status and replay count what the run left within its window: a zone that is unknown passes nothing, nothing after the end counts', async ({}, testInfo) => {
  test.setTimeout(120_000);
  const project = testInfo.outputPath('p');
  writeRunProject(project, ['a'], {});
  const state = join(project, 'test-results/state');
  const names = ['own', 'offset', 'early', 'zoneless', 'older', 'late', 'broken'];
  const hosts = names.map((host) => ({ host, tests: 1 }));
  const gone = { ...identityOf(process.pid), pid: 2 ** 22 - 3 };
  const junit = (host: string, at: string, inner = ''): string =>
    `<testsuites><testsuite name="s.spec.ts" timestamp="${at}" hostname="${host}" tests="1"><testcase name="t" classname="s.spec.ts">${inner}</testcase></testsuite></testsuites>`;
  const files: readonly (readonly [host: string, text: string, modifiedAt: number])[] = [
    // Playwright takes the time of its own report before any reporter hears of the run.
    ['own', junit('own', new Date(START - 1).toISOString()), DURING],
    ['early', junit('early', new Date(START - 1_100).toISOString()), DURING],
    ['offset', junit('offset', '2026-05-12T05:05:00-04:00'), DURING],
    // 09:05 in New York is 13:05 UTC; it was 05:05 there. Three hours before the run it was 06:00 UTC.
    ['zoneless', junit('zoneless', '2026-05-12T09:05:00'), DURING],
    ['older', junit('older', '2026-05-12T06:05:00'), DURING],
    ['late', JSON.stringify(result('late', 'passed')), DURING + 60_000],
    ['broken', junit('broken', '2026-05-12T09:05:00', '<failure/>'), DURING],
  ];
  const wanted =
    'own PASS, offset PASS, early UNKNOWN, zoneless UNKNOWN, older UNKNOWN, late UNKNOWN, broken FAIL';
  // The end as the record has it, and as the last heartbeat of a killed runner shows it.
  for (const [build, more] of [
    ['ended', { endedAt: DURING }],
    ['killed', {}],
  ] as const) {
    const folder = join(state, build);
    beginRun(folder, recordOf({ build, startedAt: START, hosts, process: gone, ...more }));
    for (const [host, text, modifiedAt] of files) {
      const file = join(folder, `${host}.${text.startsWith('<') ? 'xml' : 'json'}`);
      writeFileSync(file, text);
      utimesSync(file, new Date(modifiedAt), new Date(modifiedAt));
    }
    if (build === 'killed') {
      const owner = join(folder, '.claim/x.json');
      mkdirSync(dirname(owner));
      writeFileSync(owner, JSON.stringify({ run: recordOf().run, process: gone }));
      utimesSync(owner, new Date(DURING), new Date(DURING));
    }
    const env = {
      TZ: 'America/New_York',
      VMWRIGHT_SESSIONS_DIR: join(project, 'sessions'),
      VMWRIGHT_TRACE_DIR: project,
    };
    const shown = await vmwright(project, ['status', '--build', build, '--format', 'json'], { env });
    const replayed = await vmwright(project, ['replay', folder, '--format', 'json'], { env });
    for (const { stdout } of [shown, replayed]) {
      const told = JSON.parse(stdout) as { state: string; hosts: { host: string; status: string }[] };
      expect(told.hosts.map(({ host, status }) => `${host} ${status}`).join(', '), build).toBe(wanted);
    }
    const line = (stdout: string): string =>
      new RegExp(`^run ${build} .*$`, 'm').exec(stdout)?.[0] ?? 'no line of the run';
    const recovered = line((await vmwright(project, ['recover'], { env })).stdout);
    expect(recovered).toContain('has no journal left');
    const told = names.map(
      (host) => `${host} ${new RegExp(`\\b${host} ([A-Z]+) - `).exec(recovered)?.[1] ?? ''}`,
    );
    expect(told.join(', ')).toBe(wanted);
    // Once.
    expect(line((await vmwright(project, ['recover'], { env })).stdout)).toBe('no line of the run');
  }
});
