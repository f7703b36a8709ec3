/**
 * Playwright's own artefacts: blob reports and JSON reports.
 *
 * @module
 */
import { strFromU8, unzipSync } from 'fflate';
import type { JSONReport, JSONReportSuite, JSONReportTestResult } from '@playwright/test/reporter';
import { isBookkeeping } from '../attempts.ts';
import { suiteName } from '../run-facts.ts';
import { stripAnsi } from '../render/sections.ts';
import { type Adapter, cutOff, type Evidence, failureOf, hostNamed, type TestEvidence } from './shape.ts';

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
}

function fromMessages(messages: readonly Message[], name: string, modifiedAt: number): Evidence {
  const known = new Map<string, Known>();
  const open = new Map<string, Open>();
  const tests: TestEvidence[] = [];
  const done = new Set<string>();
  let run: string | undefined;
  let at: number | undefined;
  let hasEnded = false;
  for (const { method, params = {} } of messages) {
    if (method === 'onConfigure') run = runOf(params.config as { metadata?: Record<string, unknown> });
    if (method === 'onProject') collect(params.project as { name: string; suites: Entry[] }, known);
    if (method === 'onTestBegin') {
      const { id, retry, startTime } = params.result as { id: string; retry: number; startTime: number };
      open.set(id, { retry, startTime, steps: [] });
    }
    if (method === 'onStepBegin') {
      const step = params.step as { id: string; parentStepId?: string; category: string; title: string };
      if (step.category === 'test.step' && step.parentStepId === undefined) {
        open.get(params.resultId as string)?.steps.push({ id: step.id, title: step.title, failed: false });
      }
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
      const result = params.result as { startTime: number; duration: number };
      at = result.startTime + result.duration;
      hasEnded = true;
    }
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
    tests: tests.filter((test) => !isBookkeeping(test.suite)),
    ...(hasEnded ? {} : { unreadable: [{ text: `${name} ends in mid-run` }] }),
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
  const failure = failureOf(messageOf(result.errors), begun.steps.find((step) => step.failed)?.title);
  return {
    host: test.host,
    suite: suiteName(test.file),
    test: test.title,
    retry: begun.retry,
    outcome: result.status,
    expected: result.status === expectedStatus || result.status === 'skipped',
    steps: begun.steps.map((step) => step.title),
    ...(failure === undefined ? {} : { failure }),
    startedAt: begun.startTime,
    durationMs: result.duration,
  };
}

/** Playwright's `json` reporter: `config`, `suites`, `stats`. */
export const readPlaywrightJson: Adapter = (artifact) => {
  const report = parse(artifact.bytes);
  if (
    report === undefined ||
    !Array.isArray(report.suites) ||
    report.config === undefined ||
    report.stats === undefined
  )
    return undefined;
  const { suites, stats } = report as unknown as JSONReport;
  const startedAt = Date.parse(stats.startTime);
  return {
    source: 'json',
    name: artifact.name,
    at: Number.isNaN(startedAt) ? artifact.modifiedAt : startedAt + stats.duration,
    tests: suites.flatMap((suite) => testsOf(suite, [])).filter((test) => !isBookkeeping(test.suite)),
  };
};

function testsOf(suite: JSONReportSuite, titles: readonly string[]): TestEvidence[] {
  const own = suite.specs.flatMap((spec) =>
    spec.tests.flatMap((test) => {
      const host = hostNamed({
        host: test.annotations.find((annotation) => annotation.type === 'host')?.description,
        project: test.projectName,
        file: spec.file,
      });
      if (host === undefined) return [];
      const identity = { host, suite: suiteName(spec.file), test: [...titles, spec.title].join(' › ') };
      if (test.results.length === 0) return [cutOff({ ...identity, retry: 0, startedAt: undefined })];
      return test.results.flatMap((result): TestEvidence[] => {
        if (result.status === undefined) return [];
        const failure = failureOf(
          messageOf(result.errors),
          result.steps?.find((step) => step.error !== undefined)?.title,
        );
        return [
          {
            ...identity,
            retry: result.retry,
            outcome: result.status,
            expected: result.status === test.expectedStatus || result.status === 'skipped',
            steps: (result.steps ?? []).map((step) => step.title),
            ...(failure === undefined ? {} : { failure }),
            startedAt: startOf(result),
            durationMs: result.duration,
          },
        ];
      });
    }),
  );
  return [...own, ...(suite.suites ?? []).flatMap((inner) => testsOf(inner, [...titles, inner.title]))];
}

function startOf(result: JSONReportTestResult): number | undefined {
  const at = Date.parse(result.startTime);
  return Number.isNaN(at) ? undefined : at;
}

function messageOf(
  errors: readonly { message?: string; value?: string; stack?: string }[],
): string | undefined {
  const texts = errors.map((error) => stripAnsi(error.message ?? error.value ?? error.stack ?? ''));
  return texts.find((text) => text.trim() !== '');
}

/** A JSON object; undefined for anything else. */
export function parse(bytes: Buffer): Record<string, unknown> | undefined {
  if (!/^\s*\{/.test(bytes.subarray(0, 64).toString('utf8').replace('\ufeff', ''))) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, '')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
