/**
 * The summary as Markdown: what is written to file and posted to chat (requirements E1).
 *
 * @module
 */
import type { RunModel } from '../model.ts';
import { fencedText, isPlainUrl, markdownNote, markdownText } from './escape/markdown.ts';
import { mapTexts } from '../../fixtures/secrets/texts.ts';
import { flowHeading, type Sections, sectionsOf, type View } from './sections.ts';

/** The whole document, ending in a newline. */
export function renderMarkdown(model: RunModel, view: View): string {
  const sections = mapTexts(sectionsOf(model, view), escape);
  const blocks = [
    [
      `## ${sections.title}`,
      `### ${markdownText(model.build)}`,
      ...(sections.correction === undefined ? [] : [`**${sections.correction}**`]),
      `_${sections.state}_`,
    ],
    ['**SUMMARY:**'],
    [
      '| Metric | Value |',
      '|---|---:|',
      ...sections.summary.map(([name, value]) => `| ${name} | ${value} |`),
      ...(sections.tests === undefined ? [] : [`| tests | ${sections.tests} |`]),
    ],
    ['**HOSTS:**'],
    sections.hosts.length === 0
      ? ['no hosts']
      : [
          '| Host | Kernel | Status | Detail |',
          '|---|---|---|---|',
          ...sections.hosts.map((row) => `| ${[row.host, row.kernel, row.token, row.detail].join(' | ')} |`),
        ],
    ['**TIMING:**'],
    ['| Metric | Value |', '|---|---|', ...sections.timing.map(([name, value]) => `| ${name} | ${value} |`)],
    ['**COVERAGE:**', ...sections.coverage.map(([key, value]) => `- ${key}: ${value}`)],
    ['**TEST FLOW:**', ...flowLines(sections.flow)],
    ...(sections.failures.length === 0
      ? []
      : [['**FAILURE NOTES:**', ...sections.failures.flatMap((failure) => failureLines(failure))]]),
    ['**NOTES:**', ...sections.notes.map((note) => `- ${note}`)],
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function flowLines(flow: Sections['flow']): string[] {
  const headingOf = (list: Sections['flow'][number]): string => flowHeading(list, flow.length === 1);
  return flow.flatMap((list) => [
    ...(headingOf(list) === '' ? [] : [`_${headingOf(list)}_`]),
    ...list.steps.map((title, index) => `- ${index + 1}. ${title}`),
  ]);
}

function failureLines(failure: { host: string; where: string; excerpt: string }): string[] {
  const fence = '```';
  const body = failure.excerpt.split('\n').map((line) => `  ${line}`.trimEnd());
  return [`- ${failure.host}: ${failure.where}`, `  ${fence}`, ...body, `  ${fence}`];
}

/** No text stands in the document that did not come through here. */
function escape(text: string, key: string): string {
  if (key === 'excerpt') return fencedText(text);
  const url = key === 'notes' ? /^run URL: (.*)$/s.exec(text)?.[1] : undefined;
  if (url !== undefined && isPlainUrl(url)) return text;
  return key === 'notes' ? markdownNote(text) : markdownText(text, key === 'steps');
}
