/**
 * The run as one HTML file that needs nothing else: no script, no network, readable on a phone.
 *
 * @module
 */
import type { RunModel } from '../../model.ts';
import type { HostStatus } from '../../verdict.ts';
import { type Sections, sectionsOf, type View } from '../sections.ts';
import type { TrendRun } from '../trend.ts';
import { failureCards, type FailureLinks } from './failures.ts';
import { hostTable } from './hosts.ts';
import { section, text } from './html.ts';
import { stepMatrix } from './steps.ts';
import { STYLE } from './style.ts';
import { timingChart } from './timing.ts';
import { trendTable } from './trend.ts';

export interface PageOptions extends FailureLinks {
  readonly view: View;
  /** Runs of the same suites, the oldest first; the last one is this. */
  readonly trend: readonly TrendRun[];
}

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
${failureCards(model, sections, options)}
${model.flow.map((flow) => stepMatrix(model, flow)).join('\n')}
${timingChart(model, options.view.now)}
${trendTable(options.trend)}
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
