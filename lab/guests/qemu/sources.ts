/**
 * The system's own apt sources and options, as mmdebstrap takes them.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from './errors.ts';
import { output } from './tools.ts';

/** Options that decide whether this machine can download at all. */
const KEPT = /^Acquire::(Check-|Retries|https?::(Proxy|Verify|CaInfo|Timeout)|ForceIP)/;

/**
 * Writes the system's apt sources that carry a Debian release into files, one a format, and returns their paths.
 *
 * @throws LabError `LAB_SOURCES_MISSING`
 */
export function debianSources(suite: string, target: string, etc = '/etc/apt'): string[] {
  const parts = join(etc, 'sources.list.d');
  const names = existsSync(parts)
    ? readdirSync(parts)
        .sort()
        .map((name) => join(parts, name))
    : [];
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const stanzas = names
    .filter((name) => name.endsWith('.sources'))
    .flatMap((name) => stanzasOf(read(name), suite));
  const lists = [join(etc, 'sources.list'), ...names.filter((name) => name.endsWith('.list'))];
  const lines = lists.flatMap((name) => linesOf(read(name), suite));
  const files = [
    { file: join(target, 'system.list'), text: lines.join('\n') },
    { file: join(target, 'system.sources'), text: stanzas.join('\n\n') },
  ].filter(({ text }) => text !== '');
  if (files.length === 0) {
    throw new LabError({
      code: 'LAB_SOURCES_MISSING',
      subject: etc,
      message: `no apt source of Debian ${suite} on this machine`,
      next: 'build on Debian 12, or pass --sources <file> with a .list or .sources file for it',
    });
  }
  for (const { file, text } of files) writeFileSync(file, `${text}\n`);
  return files.map(({ file }) => file);
}

/** The system's apt options for downloading, as an apt.conf. */
export async function aptOptions(): Promise<string> {
  const all = await output('apt-config', ['dump']);
  return `${all
    .split('\n')
    .filter((line) => KEPT.test(line))
    .join('\n')}\n`;
}

/** Stanzas (sources.list(5), deb822 style) that offer binary packages of the release. */
export function stanzasOf(text: string, suite: string): string[] {
  return text
    .split(/\n\s*\n/)
    .map((stanza) => stanza.replace(/^#.*\n?/gm, '').trim())
    .filter((stanza) => {
      const field = (name: string): string =>
        new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(stanza)?.[1]?.trim() ?? '';
      const isOn = field('Enabled').toLowerCase() !== 'no' && /(^|\s)deb(\s|$)/.test(field('Types'));
      return (
        isOn &&
        field('Suites')
          .split(/\s+/)
          .some((name) => belongsTo(name, suite))
      );
    });
}

/** One-line sources of the release. */
export function linesOf(text: string, suite: string): string[] {
  return text.split('\n').filter((line) => {
    const found = /^deb\s+(?:\[[^\]]*\]\s+)?\S+\s+(\S+)/.exec(line.trim());
    return found?.[1] !== undefined && belongsTo(found[1], suite);
  });
}

function belongsTo(name: string, suite: string): boolean {
  return [suite, `${suite}-updates`, `${suite}-security`].includes(name);
}
