/**
 * The machines, one a row.
 *
 * @module
 */
import type { Sections } from '../sections.ts';
import { columnHeading, idOf, scrolling, section, table, text } from './html.ts';
import { SIGNS } from './status.ts';

/** Of more machines than fit on a screen those that passed are folded away. */
const UNFOLDED = 24;

type Row = Sections['hosts'][number];

export function hostTable({ hosts, failures }: Sections): string {
  if (hosts.length === 0) return section('Hosts', '<p>no hosts</p>');
  const noted = new Set(failures.map(({ host }) => host));
  const passed = hosts.filter(({ status }) => status === 'PASS');
  const others = hosts.filter(({ status }) => status !== 'PASS');
  if (hosts.length <= UNFOLDED || passed.length === 0) return section('Hosts', rows('Hosts', hosts, noted));
  const folded = `<details><summary>${passed.length} of ${hosts.length} passed</summary>${rows('Hosts that passed', passed, noted)}</details>`;
  return section('Hosts', (others.length === 0 ? '' : rows('Hosts', others, noted)) + folded);
}

function rows(title: string, hosts: readonly Row[], noted: ReadonlySet<string>): string {
  const head = ['Host', 'Status', 'Detail', 'Kernel'].map((name) => columnHeading(name));
  return scrolling(
    title,
    table(
      'hosts',
      head,
      hosts.map((host) => hostRow(host, noted.has(host.host))),
    ),
  );
}

function hostRow({ host, status, detail, kernel }: Row, isNoted: boolean): string {
  const told = isNoted ? `<a href="#${idOf('failures', host)}">${text(detail)}</a>` : text(detail);
  return `<tr id="${idOf('host', host)}"><th scope="row">${text(host)}</th><td><span class="badge ${status}">${SIGNS[status]} ${status}</span></td><td class="detail">${told}</td><td class="kernel">${text(kernel)}</td></tr>`;
}
