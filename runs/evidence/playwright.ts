/**
 * Playwright's own artefacts: blob reports and JSON reports.
 *
 * @module
 */
import { strFromU8, unzipSync } from 'fflate';
import type { JSONReport, JSONReportSuite, JSONReportTestResult } from '@playwright/test/reporter';
import { isAction, withoutActions } from '../actions.ts';
import { suiteName } from '../run-facts.ts';
import { stripAnsi } from '../render/sections.ts';
import { parseObject } from './json.ts';
import {
  type Adapter,
  cutOff,
  type Evidence,
  failureOf,
  hostNamed,
  isRetried,
  type TestEvidence,
} from './shape.ts';
import { fileTime, momentOf } from './time.ts';

/** `report-*.zip` of the blob reporter: a zip with `report.jsonl`, one message a line. */
export const readBlob: Adapter = (artifact) => {
  if (artifact.bytes.subarray(0, 2).toString('latin1') !== 'PK') return undefined;
  const files = unzipSync(new Uint8Array(artifact.bytes), { filter: (file) => file.name.endsWith('.jsonl') });
  const [report] = Object.values(files);
  if (report === undefined) return undefined;
  const messages = strFromU8(report)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Message);
  return fromMessages(messages, artifact.name, artifact.modifiedAt);
};

interface Message {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

interface BegunStep {
  readonly id: string;
  readonly parentStepId?: string;
  readonly category: string;
  readonly title: string;
  readonly subtitle?: string;
}

interface Known {
  readonly host: string;
  readonly file: string;
  readonly title: string;
}

interface Entry {
  readonly title: string;
  readonly testId?: string;
  readonly entries?: readonly Entry[];
  readonly location?: { readonly file: string };
}

interface Open {
  readonly retry: number;
  readonly startTime: number;
  readonly steps: { id: string; title: string; failed: boolean }[];
  /** Steps that are calls on a machine, outside of any step of the scenario. */
  readonly actions: Set<string>;
}

/** Notes a step of the scenario that is in no other one. */
function begin(step: BegunStep, { steps, actions }: Open): void {
  const { id, parentStepId, category, title } = step;
  if (category !== 'test.step' || (parentStepId !== undefined && !actions.has(parentStepId))) return;
  if (isAction(step)) actions.add(id);
  else steps.push({ id, title, failed: false });
}

function fromMessages(messages: readonly Message[], name: string, modifiedAt: number): Evidence {
  const known = new Map<string, Known>();
  const open = new Map<string, Open>();
  const tests: TestEvidence[] = [];
  const done = new Set<string>();
  let run: string | undefined;
  let at: number | undefined;
  let ending: string | undefined;
  const errors: string[] = [];
  for (const { method, params = {} } of messages) {
    if (method === 'onConfigure') run = runOf(params.config as { metadata?: Record<string, unknown> });
    if (method === 'onProject') collect(params.project as { name: string; suites: Entry[] }, known);
    if (method === 'onTestBegin') {
      const { id, retry, startTime } = params.result as { id: string; retry: number; startTime: number };
      open.set(id, { retry, startTime, steps: [], actions: new Set() });
    }
    if (method === 'onStepBegin') {
      const test = open.get(params.resultId as string);
      if (test !== undefined) begin(params.step as BegunStep, test);
    }
    if (method === 'onStepEnd') {
      const { id, error } = params.step as { id: string; error?: unknown };
      const step = open.get(params.resultId as string)?.steps.find((candidate) => candidate.id === id);
      if (step !== undefined && error !== undefined) step.failed = true;
    }
    if (method === 'onTestEnd') {
      const test = ended(params, known, open);
      if (test === undefined) continue;
      tests.push(test);
      done.add((params.test as { testId: string }).testId);
    }
    if (method === 'onEnd') {
      const result = params.result as { startTime: number; duration: number; status?: string };
      at = result.startTime + result.duration;
      ending = result.status ?? 'passed';
    }
    if (method === 'onError') errors.push(errorLine(params.error as ReportedError));
  }
  for (const [id, { host, file, title }] of known) {
    if (!done.has(id))
      tests.push(cutOff({ host, suite: suiteName(file), test: title, retry: 0, startedAt: undefined }));
  }
  return {
    source: 'blob',
    name,
    at: at ?? modifiedAt,
    ...(run === undefined ? {} : { run }),
    tests,
    unreadable: [
      ...errors.map((text) => ({ text: `${name}: error outside of any test: ${text}` })),
      ...(ending === undefined ? [{ text: `${name} ends in mid-run` }] : []),
      ...(ending === undefined ||
      ending === 'passed' ||
      tests.some((test) => !test.expected && !isRetried(test, tests))
        ? []
        : [{ text: `${name} says that the run ${ending}, and not why` }]),
    ],
  };
}

function runOf(config: { metadata?: Record<string, unknown> }): string | undefined {
  const facts = Object.entries(config.metadata ?? {}).find(([key]) => key.startsWith('vmwright-shard-'))?.[1];
  const run = (facts as { run?: unknown } | undefined)?.run;
  return typeof run === 'string' ? run : undefined;
}

function collect(project: { name: string; suites: readonly Entry[] }, known: Map<string, Known>): void {
  const visit = (entry: Entry, file: string, titles: readonly string[]): void => {
    const here = entry.location?.file ?? file;
    if (entry.testId !== undefined) {
      known.set(entry.testId, {
        host: project.name,
        file: here,
        title: [...titles, entry.title].join(' › '),
      });
    }
    for (const child of entry.entries ?? [])
      visit(
        child,
        here,
        entry.testId === undefined && titles.length >= 0 ? [...titles, entry.title] : titles,
      );
  };
  for (const file of project.suites) for (const child of file.entries ?? []) visit(child, file.title, []);
}

function ended(
  params: Readonly<Record<string, unknown>>,
  known: ReadonlyMap<string, Known>,
  open: Map<string, Open>,
): TestEvidence | undefined {
  const { testId, expectedStatus } = params.test as { testId: string; expectedStatus: string };
  const result = params.result as {
    id: string;
    status: TestEvidence['outcome'];
    duration: number;
    errors: { message?: string; value?: string }[];
  };
  const test = known.get(testId);
  const begun = open.get(result.id);
  if (test === undefined || begun === undefined) return undefined;
  // Skipped although nobody asked for it: it did not run, because something before it had failed.
  if (result.status === 'skipped' && expectedStatus !== 'skipped') {
    const { host, file, title } = test;
    return cutOff({
      host,
      suite: suiteName(file),
      test: title,
      retry: begun.retry,
      startedAt: begun.startTime,
    });
  }
  const failure = failureOf(messageOf(result.errors), begun.steps.find((step) => step.failed)?.title);
  return {
    host: test.host,
    suite: suiteName(test.file),
    test: test.title,
    retry: begun.retry,
    outcome: result.status,
    expected: result.status === expectedStatus,
    steps: begun.steps.map((step) => step.title),
    ...(failure === undefined ? {} : { failure }),
    startedAt: begun.startTime,
    durationMs: result.duration,
  };
}

/** Playwright's `json` reporter: `config`, `suites`, `errors`, `stats`. */
export const readPlaywrightJson: Adapter = (artifact) => {
  const report = parseObject(artifact.bytes);
  if (
    report === undefined ||
    !Array.isArray(report.suites) ||
    report.config === undefined ||
    report.stats === undefined
  )
    return undefined;
  const {
    suites,
    stats,
    errors = [],
  } = report as unknown as Partial<JSONReport> & Pick<JSONReport, 'suites' | 'stats'>;
  const { name } = artifact;
  const startedAt = momentOf(stats.startTime);
  const tests = suites.flatMap((suite) => testsOf(suite, []));
  const time =
    startedAt === undefined ? fileTime(artifact, stats.startTime) : { at: startedAt + stats.duration };
  return {
    source: 'json',
    name,
    ...time,
    tests,
    unreadable: [
      ...errors.map((error) => ({ text: `${name}: error outside of any test: ${errorLine(error)}` })),
      ...totalFaults(stats, tests).map((text) => ({ text: `${name} ${text}` })),
    ],
  };
};

/** What `stats` counts and the suites do not hold. */
function totalFaults(stats: Partial<JSONReport['stats']>, tests: readonly TestEvidence[]): string[] {
  const found = new Map<string, TestEvidence>();
  for (const test of tests) found.set(JSON.stringify([test.host, test.suite, test.test]), test);
  const { expected = 0, skipped = 0, unexpected = 0, flaky = 0 } = stats;
  const counted = expected + skipped + unexpected + flaky;
  const bad = [...found.values()].filter((test) => !test.expected).length;
  return [
    ...(counted > found.size ? [`counts ${counted} tests and holds ${found.size}`] : []),
    ...(unexpected > bad ? [`counts ${unexpected} failures and shows ${bad}`] : []),
  ];
}

function testsOf(suite: JSONReportSuite, titles: readonly string[]): TestEvidence[] {
  const own = suite.specs.flatMap((spec) => {
    const repeats = new Map<string, number>();
    return spec.tests.flatMap((test) => {
      const host = hostNamed({
        host: test.annotations.find((annotation) => annotation.type === 'host')?.description,
        project: test.projectName,
        file: spec.file,
      });
      const repeat = (repeats.get(test.projectName) ?? 0) + 1;
      repeats.set(test.projectName, repeat);
      const title = [...titles, spec.title].join(' › ') + (repeat === 1 ? '' : ` (repetition ${repeat})`);
      const identity = { host: host ?? '', suite: suiteName(spec.file), test: title };
      if (test.results.length === 0) return [cutOff({ ...identity, retry: 0, startedAt: undefined })];
      return test.results.flatMap((result): TestEvidence[] => {
        if (
          result.status === undefined ||
          (result.status === 'skipped' && test.expectedStatus !== 'skipped')
        ) {
          return [cutOff({ ...identity, retry: result.retry, startedAt: startOf(result) })];
        }
        const steps = withoutActions(result.steps ?? []);
        const failed = steps.find((step) => step.error !== undefined);
        const failure = failureOf(messageOf(result.errors), failed?.title);
        return [
          {
            ...identity,
            retry: result.retry,
            outcome: result.status,
            expected: result.status === test.expectedStatus,
            steps: steps.map((step) => step.title),
            ...(failure === undefined ? {} : { failure }),
            startedAt: startOf(result),
            durationMs: result.duration,
          },
        ];
      });
    });
  });
  return [...own, ...(suite.suites ?? []).flatMap((inner) => testsOf(inner, [...titles, inner.title]))];
}

function startOf(result: JSONReportTestResult): number | undefined {
  return momentOf(result.startTime);
}

interface ReportedError {
  readonly message?: string;
  readonly value?: string;
  readonly stack?: string;
}

function errorLine(error: ReportedError): string {
  return messageOf([error])?.trim().split('\n')[0] ?? 'without words';
}

function messageOf(errors: readonly ReportedError[]): string | undefined {
  const texts = errors.map((error) => stripAnsi(error.message ?? error.value ?? error.stack ?? ''));
  return texts.find((text) => text.trim() !== '');
}
