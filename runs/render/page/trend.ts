/**
 * Machines by runs of the same suites, the newest run first: it stands beside the names, however narrow the window.
 *
 * @module
 */
import { formatTime } from '../sections.ts';
import type { TrendRun } from '../trend.ts';
import { columnHeading, scrolling, section, table, text } from './html.ts';
import { emptyCell, statusCell } from './status.ts';

/** `runs`: the oldest first, the last one is this. A run of one has no trend. */
export function trendTable(runs: readonly TrendRun[]): string {
  if (runs.length < 2) return '';
  const newestFirst = runs.toReversed();
  const names = [...new Set(newestFirst.flatMap((run) => [...run.hosts.keys()]))];
  const head = [
    columnHeading('Host'),
    ...newestFirst.map((run, index) =>
      columnHeading(index === 0 ? 'this run' : formatTime(run.startedAt).slice(5, 16), run.build),
    ),
  ];
  const rows = names.map((name) => {
    const cells = newestFirst.map(({ hosts }) => {
      const host = hosts.get(name);
      return host === undefined ? emptyCell('not in this run') : statusCell(host.status, host.durationMs);
    });
    return `<tr><th scope="row">${text(name)}</th>${cells.join('')}</tr>`;
  });
  return section('Trend', scrolling('Trend', table('matrix', head, rows)));
}
