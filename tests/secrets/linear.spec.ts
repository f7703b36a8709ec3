/** What a guest says may be long and made to be slow: eight times as much takes eight times as long, not sixty-four. */
import { expect, test as base } from '@playwright/test';
import { redactBytes, redactText, Secret } from '../../fixtures/secrets/index.ts';
import { StreamRedactor } from '../../fixtures/secrets/stream.ts';
import { terminalText } from '../../fixtures/secrets/visible.ts';
import { fencedText, markdownNote, markdownText } from '../../runs/render/escape/markdown.ts';

/** A worker of their own: what other files take for secrets is none here. */
const test = base.extend<object, { own: undefined }>({
  own: [async ({}, use) => use(undefined), { scope: 'worker', auto: true }],
});

new Secret('LINEAR_PASSWORD', 'Lq6-timber-Fold');
new Secret('LINEAR_PIN', '1795');

const COLOUR = '\u001b[31m';
const UNITS = [
  ...[
    'x',
    ' ',
    '\t',
    '\n',
    ' \n',
    '\\',
    "'",
    "\\'",
    '%25',
    '&amp;',
    '\\x5c',
    '\0',
    '$',
    '$x',
    '`',
    '`a',
    '@',
    'a@',
  ],
  ...[
    ':',
    '_',
    '![',
    '<',
    '\u001b[',
    COLOUR,
    `=${COLOUR}`,
    '= ',
    '"1795" ',
    '1795',
    `17${COLOUR}95`,
    'ab ',
    'QUJD',
  ],
  ...[
    'Lq6-timber-Fol',
    'Lq6-timber-Fold ',
    '{LINEAR_PASSWORD}',
    '{LINEAR_PASSWORD} Lq6-timber-Fold ',
    '[',
    '"a",',
  ],
];
const FUNCTIONS: Readonly<Record<string, (text: string) => unknown>> = {
  redactText,
  redactBytes: (text) => redactBytes(Buffer.from(text)),
  terminalText,
  markdownText,
  markdownNote,
  fencedText,
  stream: (text) => {
    const stream = new StreamRedactor(() => undefined);
    stream.write(text);
    stream.flush();
  },
};

/** CPU time of the quickest of some runs. Microseconds. */
function costOf(action: () => unknown, runs: number): number {
  const costs = Array.from({ length: runs }, () => {
    const begin = process.cpuUsage().user;
    action();
    return process.cpuUsage().user - begin;
  });
  return Math.min(...costs);
}

for (const [name, action] of Object.entries(FUNCTIONS)) {
  test(`${name}: time grows with the length of a text, whatever is repeated in it`, () => {
    for (const unit of UNITS) {
      const text = (length: number): string => `a${unit.repeat(length / unit.length)}b`;
      // Large enough that neither the clock's steps nor the collector's turns are seen.
      const small = text(80_000);
      const large = text(640_000);
      const cost = Math.max(
        costOf(() => action(small), 3),
        20_000,
      );
      expect(costOf(() => action(large), 3) / cost, JSON.stringify(unit)).toBeLessThan(32);
    }
  });
}
