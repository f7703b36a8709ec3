/**
 * The run in the Common Test Report Format (ctrf.io), one test a test and machine.
 *
 * @module
 */
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
  readonly message?: string;
  readonly trace?: string;
  readonly retries?: number;
  readonly flaky?: boolean;
  readonly tags?: readonly string[];
  readonly steps?: readonly { readonly name: string; readonly status: Status }[];
}

export function renderCtrf(model: RunModel, view: View): string {
  const tests = model.hosts.flatMap((host) => testsOf(host));
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
      extra: { state: sectionsOf(model, view).state },
    },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
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
  if (host.tests.length === 0 || host.status === 'SKIP') {
    return [
      {
        name: host.host,
        status: statuses[host.status],
        duration: 0,
        message: host.detail,
        tags: [host.host],
      },
    ];
  }
  const tests = host.tests.map((test) => testOf(host, test));
  // Results of a machine that is not settled pass nothing.
  return host.status === 'UNKNOWN' || host.status === 'RUN'
    ? [
        ...tests,
        {
          name: `${host.host}: verdict`,
          status: statuses[host.status],
          duration: 0,
          message: host.detail,
          tags: [host.host],
        },
      ]
    : tests;
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
  return {
    name: `${host.host} › ${test.test}`,
    status: statuses[test.status],
    duration: test.timed.reduce((sum, step) => sum + step.durationMs, 0),
    suite: [test.suite],
    tags: [host.host, ...(host.family === undefined ? [] : [host.family])],
    retries: test.retry,
    flaky: test.status === 'passed' && test.retry > 0,
    ...(failure === undefined ? {} : { message: failure.where, trace: failure.excerpt }),
    steps: test.timed.map((step) => ({ name: step.title, status: step.failed ? 'failed' : 'passed' })),
  };
}
