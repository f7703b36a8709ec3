/**
 * Machines by the steps of one suite.
 *
 * @module
 */
import type { RunModel } from '../../model.ts';
import type { HostModel, HostStatus, TestModel } from '../../verdict.ts';
import { columnHeading, scrolling, section, table, text } from './html.ts';
import { emptyCell, statusCell } from './status.ts';

type Flow = RunModel['flow'][number];

export function stepMatrix(model: RunModel, flow: Flow): string {
  const hosts = model.hosts.filter(
    (host) => (flow.hosts?.includes(host.host) ?? true) && testsOf(host, flow).length > 0,
  );
  if (hosts.length === 0 || flow.steps.length === 0) return '';
  const hasOutside = hosts.some((host) => outside(host, flow) !== undefined);
  const head = [
    columnHeading('Host'),
    // A fixture, a hook, a teardown: without this column a machine that failed there is green from left to right.
    ...(hasOutside ? [columnHeading('Outside of steps')] : []),
    ...flow.steps.map((title, index) => columnHeading(`${index + 1}. ${title}`, title)),
  ];
  const rows = hosts.map((host) => {
    const first = hasOutside ? [outside(host, flow) ?? emptyCell('nothing failed')] : [];
    return `<tr><th scope="row">${text(host.host)}</th>${[...first, ...cellsOf(host, flow)].join('')}</tr>`;
  });
  const machines = flow.of === undefined ? '' : ` on ${flow.of}`;
  const title = model.flow.length > 1 ? `Steps of ${flow.suite}${machines}` : 'Steps';
  return section(title, scrolling(title, table('matrix', head, rows)));
}

function testsOf(host: HostModel, flow: Flow): readonly TestModel[] {
  return host.tests.filter((test) => test.suite === flow.suite);
}

/** What failed in no step of the flow. */
function outside(host: HostModel, flow: Flow): string | undefined {
  const shown = new Set(flow.steps);
  const failed = testsOf(host, flow).filter(
    (test) => test.status === 'failed' && !failedTitles(test).some((title) => shown.has(title)),
  );
  const [first] = failed;
  if (first === undefined) return undefined;
  const where = failed.length > 1 ? `${failed.length} tests` : (first.failure?.where ?? first.test);
  return `<td class="FAIL outside">✗<span class="gone"> FAIL</span> ${text(where)}</td>`;
}

function failedTitles(test: TestModel): string[] {
  const timed = test.timed.filter(({ failed }) => failed).map(({ title }) => title);
  const own = test.begun.length === 0 ? [test.test] : [];
  return [...timed, ...own, ...(test.failedStep === undefined ? [] : [test.failedStep])];
}

function cellsOf(host: HostModel, flow: Flow): string[] {
  const known = new Map<string, { status: HostStatus; cell: string }>();
  for (const test of testsOf(host, flow)) {
    for (const { title, status, durationMs } of stepStates(test)) {
      if (known.get(title)?.status !== 'FAIL')
        known.set(title, { status, cell: statusCell(status, durationMs) });
    }
  }
  return flow.steps.map((title) => known.get(title)?.cell ?? emptyCell('not run'));
}

interface StepState {
  readonly title: string;
  readonly status: HostStatus;
  readonly durationMs: number | undefined;
}

function stepStates(test: TestModel): StepState[] {
  const times = new Map(test.timed.map((step) => [step.title, step]));
  const failed = new Set(failedTitles(test));
  // A test without steps stands in the flow with its own title.
  const titles = test.begun.length > 0 ? test.begun : [test.test];
  return titles.map((title, index) => ({
    title,
    status: stateOf(test, index === titles.length - 1, test.status === 'failed' && failed.has(title)),
    durationMs: times.get(title)?.durationMs,
  }));
}

function stateOf(test: TestModel, isLast: boolean, hasFailed: boolean): HostStatus {
  if (hasFailed) return 'FAIL';
  if (isLast && test.status === 'running') return 'RUN';
  if (isLast && test.status === 'interrupted') return 'UNKNOWN';
  if (test.status === 'dropped') return 'UNKNOWN';
  return test.status === 'skipped' ? 'SKIP' : 'PASS';
}
