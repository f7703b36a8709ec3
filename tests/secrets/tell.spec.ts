/** What vmwright prints, and what it lets through of others' output: no secret, and nothing that acts. */
import { expect, test as base } from '@playwright/test';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import { redact, redactText, Secret, tell, tellJson } from '../../fixtures/secrets/index.ts';
import { StreamRedactor } from '../../fixtures/secrets/stream.ts';
import { columns } from '../../cli/columns.ts';

/** A worker of their own: what other files take for secrets is none here. */
const test = base.extend<object, { own: undefined }>({
  own: [async ({}, use) => use(undefined), { scope: 'worker', auto: true }],
});

const WORD = 'Bm7-thistle-Cove';
const KEY = ['first-line-of-it', 'k2', 'third-line-of-it'].join('\n');
new Secret('TELL_PASSWORD', WORD);
new Secret('TELL_PRIVATE_KEY', KEY);

/** What acts on a terminal, and what a CI system takes for an order. */
const ACTS = [
  ...['\u001b[2J', '\u001b]0;t\u0007', '\u001b]52;c;aGk=\u0007', '\u001b[8m', '\u009b2J', '\u0090q\u009c'],
  ...['\u0007', '\u0000', '\u007f', '\r', '\b', '\u001bc', '\u001b[1A', '\u001b[?1049h', '\u001bPq\u001b\\'],
  ...['\u202e', '\u2066', '\u200f', '\u2028', '\u0085', '\ufeff', '\ud800'],
  ...['\u{e0041}', '\u3164', '\u115f', '\u1160', '\uffa0', '\u00a0', '\u3000', '\u2003', '\u1680', '\u205f'],
  ...['\u00a0::error::x', '\u3000::add-mask::y', '\u2003 \u2009::debug::x'],
  ...['::error::x', '::add-mask::y', ' ::set-output name=a::b', '##[error]', '#', ':', ' ', '['],
];
const harmless = ['\n', '\t', 'é', '寿司', ' word ', '\u001b[31m', '\u001b[39m', '\u001b[0;1m', 'a::b', '#7'];
const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(...ACTS),
    fc.constantFrom(...harmless),
    fc.constantFrom(WORD, `"${WORD}"`, Buffer.from(`:${WORD}`).toString('base64'), KEY),
    fc.string({ maxLength: 4 }),
  ),
  { maxLength: 14 },
);
const COLOUR = /\u001b\[(?:[0-9;]*)m/g;
const CONTROLS =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u115f\u1160\u3164\uffa0\u{e0000}-\u{e007f}]/u;
/** Behind what .NET's TrimStart takes away (Char.IsWhiteSpace), as GitHub's runner does. */
const ORDER = /^[\p{Zs}\t\v\f\r\u0085\u2028\u2029]*::|##\[/mu;
const HIDDEN = new RegExp(`${WORD}|${Buffer.from(`:${WORD}`).toString('base64').slice(4, 20)}|third-line`);

function collected(): { readonly output: { write(text: string): unknown }; readonly text: () => string } {
  let text = '';
  return { output: { write: (part) => (text += part) }, text: () => text };
}

/** What a terminal does with `text` beside showing it. */
async function actsOf(text: string): Promise<string[]> {
  const terminal = new xterm.Terminal({ cols: 400, rows: 200, allowProposedApi: true, convertEol: true });
  const acts: string[] = [];
  terminal.onTitleChange(() => acts.push('title'));
  terminal.onBell(() => acts.push('bell'));
  terminal.parser.registerOscHandler(52, () => Boolean(acts.push('clipboard')));
  terminal.parser.registerDcsHandler({ final: 'q' }, () => Boolean(acts.push('dcs')));
  for (const final of ['A', 'B', 'C', 'D', 'H', 'J', 'K'])
    terminal.parser.registerCsiHandler({ final }, () => Boolean(acts.push(`csi ${final}`)));
  for (const prefix of ['?', '>'])
    terminal.parser.registerCsiHandler({ prefix, final: 'h' }, () => Boolean(acts.push('mode')));
  await new Promise<void>((done) => terminal.write(text, done));
  terminal.dispose();
  return acts;
}

test('LK7: what vmwright itself prints has no secret, and nothing in it acts on a terminal or a CI system', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, async (parts) => {
      const { output, text } = collected();
      tell(output, parts.join(''));
      expect(text()).not.toMatch(CONTROLS);
      expect(text()).not.toMatch(ORDER);
      expect(text()).not.toMatch(HIDDEN);
      expect(await actsOf(text())).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('LK7: JSON that vmwright prints has the same values, and nothing in it acts', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, async (parts) => {
      const { output, text } = collected();
      const document = { said: parts.join(''), list: parts };
      tellJson(output, `${JSON.stringify(document, undefined, 2)}\n`);
      expect(text()).not.toMatch(CONTROLS);
      expect(text()).not.toMatch(HIDDEN);
      expect(await actsOf(text())).toEqual([]);
      expect(JSON.parse(text())).toEqual(JSON.parse(redactText(JSON.stringify(document))));
    }),
    { numRuns: 200 },
  );
});

/** One secret after the other is one, where they come together. */
const together = (text: string): string => text.replaceAll(/(?:\{TELL_PASSWORD\}\s*)+/g, '{TELL_PASSWORD}');

/** Where a text is cut, whether it comes as bytes, and what is told in between. */
const cuts = fc.array(fc.record({ length: fc.nat({ max: 12 }), isBytes: fc.boolean() }), {
  minLength: 1,
  maxLength: 30,
});

function streamed(
  text: string,
  plan: readonly { length: number; isBytes: boolean }[],
  withOrders = false,
): string {
  let told = '';
  const stream = new StreamRedactor((part) => (told += part), withOrders);
  let rest = Buffer.from(text);
  let letters = text;
  // Bytes are cut anywhere, also within a character.
  if (plan[0]?.isBytes === true) {
    for (const { length } of plan) {
      stream.write(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    stream.write(rest);
  } else {
    for (const { length } of plan) {
      stream.write(letters.slice(0, length));
      letters = letters.slice(length);
    }
    stream.write(letters);
  }
  stream.flush();
  return told;
}

test('LK7: of output in pieces nothing acts, wherever it is cut; a secret that is cut is found; colours stay', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, cuts, async (parts, plan) => {
      const text = parts.join('');
      const told = streamed(text, plan);
      const bare = told.replaceAll(COLOUR, '');
      expect(bare).not.toMatch(CONTROLS);
      expect(told).not.toMatch(ORDER);
      expect(told).not.toMatch(HIDDEN);
      expect(await actsOf(told)).toEqual([]);
    }),
    { numRuns: 500 },
  );
  // Nothing else of it changes.
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...harmless, WORD)), cuts, (parts, plan) => {
      const text = parts.join('');
      expect(together(streamed(text, plan))).toBe(together(redact(text)));
    }),
    { numRuns: 300 },
  );
  expect(streamed('::error::of the runner\n', [{ length: 1, isBytes: false }], true)).toBe(
    '::error::of the runner\n',
  );
});

test('LK7: of a line that is too long to be held no secret, colour or line break is cut in two', () => {
  const long = 'x'.repeat(70_000);
  for (const [first, second, shown] of [
    [`${long} Bm7-thi`, 'stle-Cove|', `${long} {TELL_PASSWORD}|`],
    [`${long}\u001b[3`, '1mred', `${long}\u001b[31mred`],
    [`${long}\u001b`, '[39mred', `${long}\u001b[39mred`],
    [`${long}\r`, '\nnext', `${long}\nnext`],
  ] as const) {
    const told: string[] = [];
    const stream = new StreamRedactor((part) => told.push(part));
    stream.write(first);
    // It is not held to its end.
    expect(told.join('')).toContain(long);
    stream.write(second);
    stream.flush();
    expect(told.join('')).toBe(shown);
  }
});

test('LK7: an order that comes after its beginning was told is one no more', () => {
  for (const [begin, end] of [
    ['  :', ':error::x\n'],
    ['##', '[error]x\n'],
    ['#', '#[error]x\n'],
    ['   ', '::error::x\n'],
    [' \u00a0', '::error::x\n'],
    ['\u3000:', ':error::x\n'],
  ] as const) {
    let told = '';
    const stream = new StreamRedactor((part) => (told += part));
    stream.write(begin);
    stream.flush();
    expect(told).toBe(begin);
    stream.write(end);
    expect(told).not.toMatch(ORDER);
    expect(told.replaceAll('\\', '')).toBe(begin + end);
  }
  let told = '';
  const stream = new StreamRedactor((part) => (told += part));
  stream.write('std');
  stream.flush();
  stream.write('::vector\n');
  expect(told).toBe('std::vector\n');
});

test('LK6: a cell of a table is one line, whatever a cluster calls its machines', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(pieces, pieces), { minLength: 1, maxLength: 5 }), (rows) => {
      const text = columns(rows.map((row) => row.map((cell) => cell.join(''))));
      expect(text.split('\n')).toHaveLength(rows.length + 1);
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }),
  );
});
