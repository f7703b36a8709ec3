/**
 * How a verdict looks on the page.
 *
 * @module
 */
import type { HostStatus } from '../../verdict.ts';
import { formatDuration } from '../sections.ts';

/** A sign beside the colour: colour alone tells nothing to a tenth of the readers. */
export const SIGNS: Readonly<Record<HostStatus, string>> = {
  PASS: '✓',
  FAIL: '✗',
  RUN: '…',
  SKIP: '–',
  WAIT: '·',
  UNKNOWN: '?',
};

/** A cell of a matrix: colour, sign, the word for who sees neither, and how long it took. */
export function statusCell(status: HostStatus, durationMs?: number): string {
  const took = durationMs === undefined ? '' : ` ${shortDuration(durationMs)}`;
  return `<td class="${status}">${SIGNS[status]}<span class="gone"> ${status}</span>${took}</td>`;
}

export function emptyCell(why: string): string {
  return `<td class="none"><span class="gone">${why}</span></td>`;
}

export function shortDuration(ms: number): string {
  return ms < 10_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)}s` : formatDuration(ms);
}
