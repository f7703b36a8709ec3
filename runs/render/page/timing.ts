/**
 * When each machine was worked on.
 *
 * @module
 */
import type { RunModel } from '../../model.ts';
import { formatDuration, formatTime } from '../sections.ts';
import { columnHeading, scrolling, section, table, text } from './html.ts';

export function timingChart(model: RunModel, now: number): string {
  const start = model.startedAt;
  const end = Math.max(model.endedAt ?? now, start + 1);
  const percent = (at: number): string => `${(((at - start) / (end - start)) * 100).toFixed(2)}%`;
  const bars = model.hosts.flatMap((host) => {
    if (host.startedAt === undefined) return [];
    const until = host.status === 'RUN' ? end : Math.min(end, host.endedAt ?? end);
    const took = formatDuration(until - host.startedAt);
    const style = `left:${percent(host.startedAt)};width:max(3px,calc(${percent(until)} - ${percent(host.startedAt)}))`;
    const from = timeOfDay(host.startedAt);
    return `<tr><th scope="row">${text(host.host)}</th><td>${from}</td><td>${took}</td><td class="track"><span class="bar ${host.status}" style="${style}"></span></td></tr>`;
  });
  if (bars.length === 0) return '';
  const scale = `<th scope="col" class="track">${timeOfDay(start)} to ${timeOfDay(end)} UTC</th>`;
  const head = [...['Host', 'Start', 'Took'].map((name) => columnHeading(name)), scale];
  return section('Timing', scrolling('Timing', table('gantt', head, bars)));
}

function timeOfDay(at: number): string {
  return formatTime(at).slice(11, 19);
}
