/**
 * Verdicts on machines as JUnit XML, which Playwright's own lacks: a machine without evidence is an error there, and a
 * blacklisted one is skipped.
 *
 * @module
 */
import type { HostModel } from '../verdict.ts';
import type { RunModel } from '../model.ts';
import { stripAnsi } from './sections.ts';

/** One test case a machine. */
export function renderJunit(model: RunModel): string {
  const count = (...statuses: HostModel['status'][]): number =>
    model.hosts.filter((host) => statuses.includes(host.status)).length;
  const attributes = attributesOf({
    name: model.build,
    timestamp: new Date(model.startedAt).toISOString(),
    tests: model.hosts.length,
    failures: count('FAIL'),
    errors: count('UNKNOWN', 'RUN', 'WAIT'),
    skipped: count('SKIP'),
  });
  const cases = model.hosts.map((host) => testCase(host)).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite${attributes}>\n${cases}\n</testsuite>\n</testsuites>\n`;
}

function testCase(host: HostModel): string {
  const time = ((host.durationMs ?? 0) / 1000).toFixed(3);
  const attributes = attributesOf({ classname: host.family ?? 'machines', name: host.host, time });
  const inner = resultOf(host);
  return inner === '' ? `<testcase${attributes}/>` : `<testcase${attributes}>${inner}</testcase>`;
}

function resultOf(host: HostModel): string {
  if (host.status === 'PASS') return '';
  if (host.status === 'SKIP') return `<skipped${attributesOf({ message: host.detail })}/>`;
  if (host.status !== 'FAIL') return `<error${attributesOf({ message: `${host.status}: ${host.detail}` })}/>`;
  const text = host.failures.map(({ where, excerpt }) => `${where}\n${excerpt}`).join('\n\n');
  return `<failure${attributesOf({ message: host.detail })}>${escape(text)}</failure>`;
}

function attributesOf(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escape(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('');
}

/** Without terminal colours and characters that XML 1.0 forbids. */
function escape(text: string): string {
  return stripAnsi(text)
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
