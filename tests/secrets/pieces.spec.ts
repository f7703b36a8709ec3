/** Output in pieces with a pause between them: no form of a secret is told in two. */
import { expect, test as base } from '@playwright/test';
import { redact, Secret, withoutUnfinished } from '../../fixtures/secrets/index.ts';
import { StreamRedactor } from '../../fixtures/secrets/stream.ts';

/** A worker of their own: what other files take for secrets is none here. */
const test = base.extend<object, { own: undefined }>({
  own: [async ({}, use) => use(undefined), { scope: 'worker', auto: true }],
});

const WORD = 'Pw3-ändern-"Lime"';
new Secret('PIECES_PASSWORD', WORD);

/** What each tool writes. */
const FORMS: Readonly<Record<string, string>> = {
  plain: WORD,
  coloured: WORD.replaceAll(/./gu, '\u001b[31m$&\u001b[39m'),
  'in JSON': JSON.stringify(WORD),
  percent: encodeURIComponent(WORD),
  'percent, twice': encodeURIComponent(encodeURIComponent(WORD)),
  base64: Buffer.from(`me:${WORD}`).toString('base64'),
  'JSON in base64': Buffer.from(JSON.stringify({ password: WORD })).toString('base64'),
  hex: Buffer.from(WORD).toString('hex'),
  'hex with blanks': Buffer.from(WORD).toString('hex').replaceAll(/../g, '$& '),
  decimal: [...Buffer.from(WORD)].join(', '),
  octal: [...Buffer.from(WORD)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  entities: WORD.replaceAll('ä', '&auml;').replaceAll('"', '&quot;'),
};

/** What a reader makes of it: of base64 what it stands for. */
function readable(text: string): string {
  return text + text.replaceAll(/[A-Za-z0-9+/]{12,}=*/g, (run) => Buffer.from(run, 'base64').toString());
}

test('LK4: a secret that comes in two pieces, with a pause between, is told in no form', () => {
  for (const [name, form] of Object.entries(FORMS)) {
    const text = `said: ${form}| and on`;
    // What is encoded as a whole is known as such from its sixteenth character.
    for (let cut = name === 'JSON in base64' ? 22 : 6; cut < text.length; cut++) {
      const told: string[] = [];
      const stream = new StreamRedactor((part) => told.push(part));
      stream.write(text.slice(0, cut));
      stream.pause();
      stream.write(text.slice(cut));
      stream.flush();
      const whole = told.join('');
      expect(whole, `${name}, cut at ${cut}`).toMatch(/^said: [^]*\| and on$/);
      expect(readable(whole), `${name}, cut at ${cut}`).toContain('{PIECES_PASSWORD}');
      expect(readable(whole), `${name}, cut at ${cut}`).not.toContain('Lime');
      expect(whole, `${name}, cut at ${cut}`).not.toContain(form.slice(-12, -3));
    }
  }
});

test('what is no beginning of a secret is told after a pause, and a line as it ends', () => {
  const told: string[] = [];
  const stream = new StreamRedactor((part) => told.push(part));
  stream.write('loading ...');
  stream.pause();
  expect(told.join('')).toBe('loading ...');
  stream.write(' done\n');
  expect(told.join('')).toBe('loading ... done\n');
  stream.write('ends with P\n');
  expect(told.join('')).toBe('loading ... done\nends with P\n');
});

test('of a text that was cut the beginning of a secret is left out, and none that is there is cut for it', () => {
  new Secret('WHOLE_PASSWORD', 'Pk6-harbour-Gale');
  new Secret('NEXT_PASSWORD', 'e-ladder-Qx2');
  expect(redact(withoutUnfinished('one Pk6-harbour-Gal'))).toBe('one ');
  expect(redact(withoutUnfinished('one Pk6-harbour-Gale\nPk6-'))).toBe('one {WHOLE_PASSWORD}\n');
  // Its last letter is the first one of another.
  expect(redact(withoutUnfinished('one Pk6-harbour-Gale'))).not.toContain('Pk6');
  expect(redact(withoutUnfinished('one two.'))).toBe('one two.');
});
