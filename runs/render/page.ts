/**
 * The run as one HTML file that needs nothing else: no script, no network, readable on a phone.
 *
 * @module
 */
import type { HostModel, HostStatus, TestModel } from '../verdict.ts';
import type { RunModel } from '../model.ts';
import { shownPictures } from './pictures.ts';
import { formatDuration, formatTime, type Sections, sectionsOf, type View } from './sections.ts';
import type { TrendRun } from './trend.ts';
import { STYLE } from './style.ts';

export interface PageOptions {
  readonly view: View;
  /** Runs, the oldest first; the last one is this. */
  readonly trend: readonly TrendRun[];
  /** `data:` URLs of pictures by file. */
  readonly pictures: ReadonlyMap<string, string>;
}

/** A sign beside the colour: colour alone tells nothing to a tenth of the readers. */
const SIGNS: Readonly<Record<HostStatus, string>> = {
  PASS: '✓',
  FAIL: '✗',
  RUN: '…',
  SKIP: '–',
  WAIT: '·',
  UNKNOWN: '?',
};

export function renderPage(model: RunModel, options: PageOptions): string {
  const sections = sectionsOf(model, options.view);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(`${model.build}: ${model.state}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${text(model.build)}</h1>
<p><span class="badge ${badge(model)}">${model.state}</span> ${text(sections.state.replace(/^state: \w+ /, ''))}</p>
${counts(sections)}
</header>
<main>
${hostTable(sections)}
${model.flow.map((flow) => matrix(model, flow)).join('\n')}
${gantt(model, options.view.now)}
${failures(model, sections, options.pictures)}
${trend(options.trend)}
${facts(sections)}
</main>
</body>
</html>
`;
}

function badge(model: RunModel): HostStatus {
  if (model.state === 'COMPLETED') return 'PASS';
  if (model.state === 'FAILED') return 'FAIL';
  return model.state === 'RUNNING' ? 'RUN' : 'UNKNOWN';
}

function counts({ summary, tests }: Sections): string {
  const items = summary.map(([name, value]) => `<div><dt>${text(name)}</dt><dd>${value}</dd></div>`);
  const ofTests = tests === undefined ? '' : `<p>tests: ${text(tests)}</p>`;
  return `<dl class="counts">${items.join('')}</dl>${ofTests}`;
}

function hostTable({ hosts }: Sections): string {
  if (hosts.length === 0) return section('Hosts', '<p>no hosts</p>');
  const rows = hosts.map(
    (row) =>
      `<tr id="${id('host', row.host)}"><th scope="row">${text(row.host)}</th><td><span class="badge ${row.status}">${SIGNS[row.status]} ${row.status}</span></td><td>${text(row.detail)}</td><td>${text(row.kernel)}</td></tr>`,
  );
  const head =
    '<tr><th scope="col">Host</th><th scope="col">Status</th><th scope="col">Detail</th><th scope="col">Kernel</th></tr>';
  return section(
    'Hosts',
    scrolling('Hosts', `<table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table>`),
  );
}

/** Hosts by steps of one suite. */
function matrix(model: RunModel, flow: RunModel['flow'][number]): string {
  const hosts = model.hosts.filter((host) => host.tests.some((test) => test.suite === flow.suite));
  if (hosts.length === 0 || flow.steps.length === 0) return '';
  const head = flow.steps.map(
    (title, index) =>
      `<th scope="col"><span class="step" title="${text(title)}">${index + 1}. ${text(title)}</span></th>`,
  );
  const rows = hosts.map((host) => {
    const cells = cellsOf(host, flow);
    return `<tr><th scope="row">${text(host.host)}</th>${cells.join('')}</tr>`;
  });
  const table = `<table class="matrix"><thead><tr><th scope="col">Host</th>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
  const title = model.flow.length > 1 ? `Steps of ${flow.suite}` : 'Steps';
  return section(title, scrolling(title, table));
}

function cellsOf(host: HostModel, flow: RunModel['flow'][number]): string[] {
  const known = new Map<string, string>();
  for (const test of host.tests.filter((candidate) => candidate.suite === flow.suite)) {
    for (const [title, cell] of stepCells(test)) {
      if (known.get(title)?.startsWith('<td class="FAIL"') !== true) known.set(title, cell);
    }
  }
  return flow.steps.map(
    (title) => known.get(title) ?? '<td class="none"><span class="gone">not run</span></td>',
  );
}

function stepCells(test: TestModel): [string, string][] {
  const times = new Map(test.timed.map((step) => [step.title, step]));
  // A test without steps stands in the flow with its own title.
  const titles = test.begun.length > 0 ? test.begun : [test.test];
  return titles.map((title, index) => {
    const step = times.get(title);
    const isLast = index === titles.length - 1;
    const failed =
      step?.failed === true ||
      title === test.failedStep ||
      (test.begun.length === 0 && test.status === 'failed');
    const open = isLast && (test.status === 'running' || test.status === 'interrupted');
    const status: HostStatus = failed
      ? 'FAIL'
      : open
        ? test.status === 'running'
          ? 'RUN'
          : 'UNKNOWN'
        : test.status === 'skipped'
          ? 'SKIP'
          : test.status === 'dropped'
            ? 'UNKNOWN'
            : 'PASS';
    const duration = step === undefined ? '' : ` ${shortDuration(step.durationMs)}`;
    return [
      title,
      `<td class="${status}">${SIGNS[status]}<span class="gone"> ${status}</span>${duration}</td>`,
    ];
  });
}

function shortDuration(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : formatDuration(ms);
}

function gantt(model: RunModel, now: number): string {
  const start = model.startedAt;
  const end = Math.max(model.endedAt ?? now, start + 1);
  const percent = (at: number): string => `${(((at - start) / (end - start)) * 100).toFixed(2)}%`;
  const bars = model.hosts.flatMap((host) => {
    if (host.startedAt === undefined) return [];
    const until = host.status === 'RUN' ? end : Math.min(end, host.endedAt ?? end);
    const took = formatDuration(until - host.startedAt);
    const style = `left:${percent(host.startedAt)};width:max(3px,calc(${percent(until)} - ${percent(host.startedAt)}))`;
    const from = formatTime(host.startedAt).slice(11, 19);
    return `<tr><th scope="row">${text(host.host)}</th><td>${from}</td><td>${took}</td><td class="track"><span class="bar ${host.status}" style="${style}"></span></td></tr>`;
  });
  if (bars.length === 0) return '';
  const scale = `${formatTime(start).slice(11, 19)} to ${formatTime(end).slice(11, 19)} UTC`;
  const head = `<tr><th scope="col">Host</th><th scope="col">Start</th><th scope="col">Took</th><th scope="col" class="track">${scale}</th></tr>`;
  return section(
    'Timing',
    scrolling('Timing', `<table class="gantt"><thead>${head}</thead><tbody>${bars.join('')}</tbody></table>`),
  );
}

function failures(model: RunModel, sections: Sections, pictures: ReadonlyMap<string, string>): string {
  if (sections.failures.length === 0) return '';
  const notes = sections.failures.map((failure) => {
    const host = model.hosts.find((candidate) => candidate.host === failure.host);
    const figures = (host === undefined ? [] : shownPictures(host)).flatMap(({ name, file }) => {
      const url = pictures.get(file);
      if (url === undefined) return [];
      const caption = `${failure.host}: ${name}`;
      return `<figure><img src="${url}" alt="Screen of ${text(caption)}"><figcaption>${text(caption)}</figcaption></figure>`;
    });
    const body = `<pre tabindex="0">${text(failure.excerpt)}</pre><div class="pictures">${figures.join('')}</div>`;
    return `<article><h3>${text(failure.host)}: ${text(failure.where)}</h3>${body}</article>`;
  });
  return section('Failure notes', notes.join('\n'));
}

/** Hosts by runs. A run of one has no trend. */
function trend(runs: readonly TrendRun[]): string {
  if (runs.length < 2) return '';
  const names = [...new Set(runs.flatMap((run) => [...run.hosts.keys()]))];
  const head = runs.map(
    (run) =>
      `<th scope="col"><span class="step" title="${text(run.build)}">${text(formatTime(run.startedAt).slice(5, 16))}</span></th>`,
  );
  const rows = names.map((name) => {
    const cells = runs.map((run) => {
      const host = run.hosts.get(name);
      if (host === undefined) return '<td class="none"><span class="gone">not in this run</span></td>';
      const took = host.durationMs === undefined ? '' : ` ${shortDuration(host.durationMs)}`;
      return `<td class="${host.status}">${SIGNS[host.status]}<span class="gone"> ${host.status}</span>${took}</td>`;
    });
    return `<tr><th scope="row">${text(name)}</th>${cells.join('')}</tr>`;
  });
  const table = `<table class="matrix"><thead><tr><th scope="col">Host</th>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return section('Trend', scrolling('Trend', table));
}

function facts(sections: Sections): string {
  const rows = (entries: readonly (readonly [string, string])[]): string =>
    `<dl class="facts">${entries.map(([key, value]) => `<div><dt>${text(key)}</dt><dd>${text(value)}</dd></div>`).join('')}</dl>`;
  const notes = sections.notes.map((note) => `<li>${linked(note)}</li>`).join('');
  return [
    section('Times', rows(sections.timing)),
    section('Coverage', rows(sections.coverage)),
    section('Notes', `<ul>${notes}</ul>`),
  ].join('\n');
}

function linked(note: string): string {
  const [, url] = /^run URL: (https?:\/\/\S+)$/.exec(note) ?? [];
  return url === undefined ? text(note) : `run URL: <a href="${text(url)}">${text(url)}</a>`;
}

function section(title: string, body: string): string {
  const name = id('section', title);
  return `<section aria-labelledby="${name}"><h2 id="${name}">${text(title)}</h2>${body}</section>`;
}

/** A wide table scrolls by itself, by keyboard too; the page never does. */
function scrolling(title: string, table: string): string {
  return `<div class="scroll" role="group" aria-label="${text(title)} table" tabindex="0">${table}</div>`;
}

function id(kind: string, name: string): string {
  return `${kind}-${encodeURIComponent(name).replaceAll('%', '_')}`;
}

function text(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
