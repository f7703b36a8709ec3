import { expect, test } from '@playwright/test';
import { readPage } from './support/pages.ts';

const PARTS = ['What happened', 'Root cause', 'What solved it', 'Rule', 'Cost'];

/** The entries of a page of lessons that lack a part, have one twice, empty, or out of order; by their headings. */
function incomplete(page: string): string[] {
  const [, ...entries] = page.split(/^## /m);
  return entries
    .filter((entry) => {
      const parts = [...entry.matchAll(/^- \*\*([^*]+):\*\*(.*)$/gm)];
      return (
        parts.map(([, name]) => name).join() !== PARTS.join() ||
        parts.some(([, , text = '']) => text.trim().split(/\s+/).length < 3)
      );
    })
    .map((entry) => entry.split('\n')[0] ?? '');
}

test('M1, M63: every lesson says what happened, why, what solved it, the rule, and what it cost', () => {
  const page = readPage('docs/lessons.md');
  const count = page.match(/^## /gm)?.length ?? 0;
  expect(count).toBeGreaterThan(0);
  expect(incomplete(page)).toEqual([]);
  for (const part of PARTS)
    expect(incomplete(page.replaceAll(new RegExp(String.raw`^- \*\*${part}.*\n`, 'gm'), ''))).toHaveLength(
      count,
    );
});

test('A1: who contributes is told when a lesson is due, and its parts', () => {
  const rule = /^\[docs\/lessons\.md\].*$/m.exec(readPage('CONTRIBUTING.md'))?.[0] ?? '';
  expect(rule).toMatch(/only when a run changed .*, showed a new way to fail, or confirmed a new check/);
  for (const part of PARTS) expect(rule.toLowerCase()).toContain(part.toLowerCase());
});
