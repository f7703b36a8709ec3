/**
 * The run in the Common Test Report Format (ctrf.io), one test a test and machine.
 *
 * @module
 */
import { visibleJson } from '../../fixtures/secrets/visible.ts';
import type { HostModel, TestModel } from '../verdict.ts';
import type { RunModel } from '../model.ts';
import { sectionsOf, type View } from './sections.ts';
import { VERSION } from '../version.ts';

/** https://ctrf.io/docs/specification/root: version of the specification that this follows. */
const SPECIFICATION = '0.0.0';

type Status = 'passed' | 'failed' | 'skipped' | 'pending' | 'other';

interface CtrfTest {
  readonly name: string;
  readonly status: Status;
  readonly duration: number;
  readonly suite?: readonly string[];
  readonly filePath?: string;
  readonly message?: string;
  readonly trace?: string;
  readonly retries?: number;
  readonly flaky?: boolean;
  readonly tags?: readonly string[];
  readonly steps?: readonly { readonly name: string; readonly status: Status }[];
}

export function renderCtrf(model: RunModel, view: View): string {
  const { state } = sectionsOf(model, view);
  const tests = [...model.hosts.flatMap((host) => testsOf(host)), ...runTests(model, state)];
  const count = (status: Status): number => tests.filter((test) => test.status === status).length;
  const report = {
    reportFormat: 'CTRF',
    specVersion: SPECIFICATION,
    generatedBy: 'vmwright',
    results: {
      tool: { name: 'vmwright', version: VERSION },
      summary: {
        tests: tests.length,
        passed: count('passed'),
        failed: count('failed'),
        skipped: count('skipped'),
        pending: count('pending'),
        other: count('other'),
        start: model.startedAt,
        stop: model.endedAt ?? view.now,
      },
      tests,
      environment: { buildName: model.build, ...(model.url === undefined ? {} : { buildUrl: model.url }) },
      extra: { state },
    },
  };
  return `${visibleJson(JSON.stringify(report, null, 2))}\n`;
}

/** A machine without a test is one of its own: it must not vanish from the report. */
function testsOf(host: HostModel): CtrfTest[] {
  const statuses = {
    SKIP: 'skipped',
    WAIT: 'pending',
    RUN: 'pending',
    FAIL: 'failed',
    PASS: 'other',
    UNKNOWN: 'other',
  } as const;
  const own = (name: string, message: string): CtrfTest => ({
    name,
    status: statuses[host.status],
    duration: 0,
    message,
    tags: [host.host],
  });
  const isLeftOut = host.status === 'SKIP' && host.tests.every(({ status }) => status !== 'skipped');
  if (host.tests.length === 0 || isLeftOut) return [own(host.host, host.detail)];
  const tests = host.tests.map((test) => testOf(host, test));
  // Results of a machine that is not settled pass nothing.
  if (host.status === 'UNKNOWN' || host.status === 'RUN')
    return [...tests, own(`${host.host}: verdict`, host.detail)];
  // It failed outside of what its tests say: in a worker, by a crash, as flaky where that is forbidden.
  if (host.status === 'FAIL' && !tests.some(({ status }) => status === 'failed'))
    tests.push(own(`${host.host}: verdict`, host.detail));
  if (host.pending === 0) return tests;
  const missing = `${host.pending} of its tests did not run`;
  return [...tests, { ...own(`${host.host}: ${missing}`, missing), status: 'other' }];
}

/** What no machine's tests tell: errors outside of any test, and a run that is not over. */
function runTests(model: RunModel, state: string): CtrfTest[] {
  const errors = model.errors.map(({ host, short, excerpt }): CtrfTest => ({
    name: host === undefined ? 'run' : `${host}: worker`,
    status: 'failed',
    duration: 0,
    message: short,
    trace: excerpt,
    tags: host === undefined ? [] : [host],
  }));
  const isTold =
    errors.length > 0 || model.hosts.some(({ status }) => status !== 'PASS' && status !== 'SKIP');
  if (model.state === 'COMPLETED' || isTold) return errors;
  return [
    { name: 'run', status: model.endedAt === undefined ? 'pending' : 'other', duration: 0, message: state },
  ];
}

function testOf(host: HostModel, test: TestModel): CtrfTest {
  const statuses = {
    passed: 'passed',
    failed: 'failed',
    skipped: 'skipped',
    dropped: 'other',
    interrupted: 'other',
    running: 'pending',
  } as const;
  const { failure } = test;
  const [path] = test.id === undefined ? [] : (JSON.parse(test.id) as [string]);
  return {
    name: `${host.host} › ${test.test}`,
    status: statuses[test.status],
    duration: test.timed.reduce((sum, step) => sum + step.durationMs, 0),
    suite: [test.suite],
    ...(path === undefined ? {} : { filePath: path }),
    tags: [host.host, ...(host.family === undefined ? [] : [host.family])],
    retries: test.retry,
    flaky: test.status === 'passed' && test.retry > 0,
    ...(failure === undefined ? {} : { message: failure.where, trace: failure.excerpt }),
    ...(test.skipReason === undefined ? {} : { message: test.skipReason }),
    steps: test.timed.map((step) => ({ name: step.title, status: step.failed ? 'failed' : 'passed' })),
  };
}
