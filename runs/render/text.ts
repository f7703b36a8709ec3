/**
 * The summary for a terminal: same data and order as the Markdown, the host always first on its line.
 *
 * @module
 */
import { styleText } from 'node:util';
import type { HostStatus } from '../verdict.ts';
import type { RunModel } from '../model.ts';
import { terminalText } from '../../fixtures/secrets/visible.ts';
import { mapTexts } from '../../fixtures/secrets/texts.ts';
import { flowHeading, sectionsOf, type View } from './sections.ts';

const COLOURS: Readonly<Record<HostStatus, 'green' | 'red' | 'yellow' | 'gray' | 'cyan'>> = {
  PASS: 'green',
  FAIL: 'red',
  RUN: 'cyan',
  SKIP: 'gray',
  WAIT: 'gray',
  UNKNOWN: 'yellow',
};

/** The whole text, ending in a newline. `colour` adds terminal colours and changes nothing else. */
export function renderText(model: RunModel, view: View, colour = false): string {
  // No text stands in the document that did not come through here.
  const sections = mapTexts(sectionsOf(model, view), terminalText);
  const paint = (status: HostStatus, text: string): string =>
    colour ? styleText(COLOURS[status], text, { validateStream: false }) : text;
  const label = (text: string): string =>
    colour ? styleText('bold', text, { validateStream: false }) : text;
  const blocks = [
    [
      label(terminalText(model.build)),
      ...(sections.correction === undefined ? [] : [sections.correction]),
      sections.state,
    ],
    [
      label('SUMMARY:'),
      ...aligned([
        ...sections.summary.map(([name, value]) => [name, String(value)] as const),
        ...(sections.tests === undefined ? [] : [['tests', sections.tests] as const]),
      ]),
    ],
    [
      label('HOSTS:'),
      ...sections.hosts.map((row) => {
        const line = `${row.host} - ${paint(row.status, row.status)}`;
        return row.status === 'PASS' && row.detail === 'completed' ? line : `${line} - ${row.detail}`;
      }),
      ...(sections.hosts.length === 0 ? ['no hosts'] : []),
    ],
    [label('TIMING:'), ...aligned(sections.timing)],
    [label('COVERAGE:'), ...sections.coverage.map(([key, value]) => `${key}: ${value}`)],
    [
      label('TEST FLOW:'),
      ...sections.flow.flatMap((flow) => [
        ...[flowHeading(flow, sections.flow.length === 1)].filter((heading) => heading !== ''),
        ...flow.steps.map((title, index) => `${index + 1}. ${title}`),
      ]),
    ],
    ...(sections.failures.length === 0
      ? []
      : [
          [
            label('FAILURE NOTES:'),
            ...sections.failures.flatMap((failure) => [
              `${failure.host}: ${failure.where}`,
              ...failure.excerpt.split('\n').map((line) => `    ${line}`.trimEnd()),
            ]),
          ],
        ]),
    [label('NOTES:'), ...sections.notes],
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
