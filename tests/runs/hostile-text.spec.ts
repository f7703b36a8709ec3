/** What a guest, a title or an error says acts in no document: asked of a parser of each format. */
import { expect, test } from '@playwright/test';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { parse } from 'parse5';
import { SaxesParser } from 'saxes';
import type { JournalEvent } from '../../runs/journal.ts';
import { foldJournal, type RunModel } from '../../runs/model.ts';
import { renderJunit } from '../../runs/render/junit.ts';
import { slackText } from '../../runs/render/escape/slack.ts';
import { markdownText } from '../../runs/render/escape/markdown.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
import { renderPage } from '../../runs/render/page/page.ts';
import { renderText } from '../../runs/render/text.ts';
import { begin, ended, over, started } from './support.ts';

const PIECES = [
  // Ends a fence, and forges what follows it.
  ...['\n```\n', '\n```\n| fedora42 | 6.8 | ✅ PASS | completed |\n', '\n~~~\n', '\n````\n@channel\n'],
  ...[
    '```',
    '~~~~',
    '`',
    '|',
    '\n',
    '\n\n',
    '\r',
    '\r\n',
    '  ',
    '\t',
    '\\',
    '*',
    '**',
    '_',
    '~~',
    '[',
    '](',
    ')',
    '![',
  ],
  ...[
    '<',
    '>',
    '</pre>',
    '<script>',
    '<!--',
    ']]>',
    '&lt;',
    '&#64;',
    '"',
    "'",
    '# ',
    '#7',
    '- ',
    '1. ',
    '> ',
    '---',
    '===',
  ],
  ...[
    '@channel',
    '@here',
    ' @all ',
    '<!channel>',
    '<@U1>',
    '~town-square',
    'https://evil.test',
    'www.evil.test',
    'a@evil.test',
  ],
  ...[
    ':tada:',
    '| fedora42 | 6.8 | ✅ PASS | completed |',
    '[ok](https://evil.test)',
    'javascript:alert(1)',
    '$x$',
  ],
  ...[
    '\u001b[2J',
    '\u001b]0;title\u0007',
    '\u001b]52;c;aGk=\u0007',
    '\u001b[8m',
    '\u009b2J',
    '\u0007',
    '\u0000',
    '\u007f',
    '\u001b[1A',
  ],
  ...[
    '\u202e',
    '\u2066',
    '\u200f',
    '\u2028',
    '\ufeff',
    '::error::x',
    '\n::add-mask::y',
    '##[error]',
    '\ud800',
    'plain',
    ' words ',
  ],
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 3 })), { maxLength: 12 })
  .map((parts) => parts.join(''));

const models = fc
  .record({
    step: hostile,
    short: hostile,
    excerpt: hostile,
    note: hostile,
    skip: hostile,
    title: hostile,
    kernel: hostile,
  })
  .map(({ step, short, excerpt, note, skip, title, kernel }): RunModel => {
    const events: JournalEvent[] = [
      begin(
        [
          { host: 'fedora42', tests: 2 },
          { host: 'windows11', skip },
        ],
        { command: `npx playwright test ${title}` },
      ),
      started('fedora42', 1, title),
      { type: 'kernel', at: 2, host: 'fedora42', kernel },
      ended('fedora42', 'failed', {
        test: title,
        steps: [step],
        timed: [{ title: step, durationMs: 5, failed: true }],
        failure: { step, short, excerpt },
      }),
      { type: 'note', at: 3, text: note },
      { type: 'error', at: 4, short, excerpt },
      over,
    ];
    return foldJournal(events, { runner: 'gone', now: 30_000 });
  });
const view = { now: 30_000 };
const NO_LINKS = { pictures: new Map<string, string>(), href: () => undefined, report: () => undefined };
const settings = { numRuns: 150 };

test('LK6: an address of mail is none, whatever stands around its sign', () => {
  const parser = new MarkdownIt({ linkify: true });
  parser.linkify.set({ fuzzyLink: false });
  for (const before of ['a', '/', 'x/', '.', '-', '"', '(', 'a.b', ''])
    for (const host of ['evil.test', 'www.evil.test', 'e-vil.test', '#evil.test', ':evil:.test', 'a_b.test'])
      expect(parser.linkify.match(markdownText(`${before}@${host}`)), `${before}@${host}`).toBeNull();
});

test('LK6: in Markdown nothing but our own headings, lists, tables and fences, and no mention or link', () => {
  const parser = new MarkdownIt('default', { html: true, linkify: true });
  parser.linkify.set({ fuzzyLink: false });
  fc.assert(
    fc.property(models, (model) => {
      const text = renderMarkdown(model, view);
      const tokens = parser.parse(text, {});
      const kinds = tokens.map(({ type }) => type);
      const count = (kind: string): number => kinds.filter((one) => one === kind).length;
      expect(kinds).not.toContain('html_block');
      expect(kinds).not.toContain('blockquote_open');
      expect(kinds).not.toContain('code_block');
      expect(kinds).not.toContain('hr');
      expect(count('ordered_list_open')).toBe(model.flow.flatMap(({ steps }) => steps).length);
      expect(count('heading_open')).toBe(2);
      expect(count('table_open')).toBe(3);
      expect(tokens.filter(({ type }) => type === 'fence')).toHaveLength(model.errors.length + 1);
      const inline = tokens.flatMap(({ children }) => children ?? []);
      const ours = [
        // File names and patterns that a note quotes.
        'code_inline',
        'text',
        'strong_open',
        'strong_close',
        'em_open',
        'em_close',
        'softbreak',
        'text_special',
      ];
      expect(inline.map(({ type }) => type).filter((type) => !ours.includes(type))).toEqual([]);
      // Those of our own labels.
      expect(inline.filter(({ type }) => type === 'strong_open')).toHaveLength(7);
      const told = inline.map(({ content }) => content).join('\n');
      expect(told).not.toMatch(/(?<![\p{L}\p{N}])@[\p{L}\p{N}]/u);
      expect(told).not.toMatch(/https?:\/\/|\bwww\./);
      const rows = text.split('\n').filter((line) => line.startsWith('| fedora42 |'));
      expect(rows).toHaveLength(1);
    }),
    settings,
  );
});

/** What Slack takes for more than text, by its documented grammar of `mrkdwn`. */
const SLACK_TOKENS = /<(?:[@#!][^>]*|[a-z][a-z0-9+.-]*:[^>]*)>|<|>|&(?!(?:amp|lt|gt);)/gi;

test('LK6: for Slack nothing that it takes for a link, a mention or a date, and the text is that of the Markdown', () => {
  fc.assert(
    fc.property(models, (model) => {
      const markdown = renderMarkdown(model, view);
      const text = slackText(markdown);
      expect(text.match(SLACK_TOKENS) ?? []).toEqual([]);
      // What Slack finds by itself, outside of what is fenced.
      expect(text.replaceAll(/```[^]*?```/g, '')).not.toMatch(
        /https?:\/\/|\bwww\.|(?<![\p{L}\p{N}])@[\p{L}\p{N}]/u,
      );
      const shown = text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
      expect(shown).toBe(markdown);
    }),
    settings,
  );
});

test('LK6: in HTML no element, attribute or address that is not ours', () => {
  fc.assert(
    fc.property(models, (model) => {
      const html = renderPage(model, { view, trend: [], ...NO_LINKS });
      const names = new Set<string>();
      const foreign: string[] = [];
      const visit = (node: object): void => {
        const {
          tagName,
          attrs = [],
          childNodes = [],
        } = node as { tagName?: string; attrs?: { name: string; value: string }[]; childNodes?: object[] };
        if (tagName !== undefined) names.add(tagName);
        for (const { name, value } of attrs) {
          const isAddress = name === 'href' || name === 'src';
          if (name.startsWith('on') || (isAddress && !/^(?:#|data:image\/)/.test(value)))
            foreign.push(`${name}=${value}`);
        }
        childNodes.forEach(visit);
      };
      visit(parse(html, { onParseError: ({ code }) => foreign.push(code) }));
      expect(foreign).toEqual([]);
      for (const name of ['script', 'img', 'iframe', 'svg']) expect([...names]).not.toContain(name);
      expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/);
    }),
    settings,
  );
});

test('LK6: JUnit is well-formed XML 1.0 with the elements that it has anyway, whatever the texts are', () => {
  fc.assert(
    fc.property(models, (model) => {
      const names: string[] = [];
      const parser = new SaxesParser();
      parser.on('error', (error) => {
        throw error;
      });
      parser.on('opentag', ({ name }) => names.push(name));
      parser.write(renderJunit(model, view)).close();
      expect([...new Set(names)].sort()).toEqual(
        ['error', 'failure', 'skipped', 'testcase', 'testsuite', 'testsuites'].filter((name) =>
          names.includes(name),
        ),
      );
      expect(names.filter((name) => name === 'testcase')).toHaveLength(2 + model.errors.length);
    }),
    settings,
  );
});

test('LK7: in a terminal nothing acts: no title, clipboard, bell, movement of the cursor or order to a CI system', async () => {
  test.setTimeout(120_000);
  await fc.assert(
    fc.asyncProperty(models, fc.boolean(), async (model, colour) => {
      const text = renderText(model, view, colour);
      const bare = text.replaceAll(/\u001b\[(?:\d+)m/g, '');
      expect(bare).not.toMatch(
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200e\u200f\u2028]/,
      );
      expect(bare).not.toMatch(/^\s*::|##\[/m);
      const terminal = new xterm.Terminal({ cols: 500, rows: 400, allowProposedApi: true, convertEol: true });
      const acts: string[] = [];
      terminal.onTitleChange(() => acts.push('title'));
      terminal.onBell(() => acts.push('bell'));
      terminal.parser.registerOscHandler(52, () => Boolean(acts.push('clipboard')));
      await new Promise<void>((done) => terminal.write(text, done));
      expect(acts).toEqual([]);
      // Every line stands where it was printed.
      const lines = text.split('\n');
      const buffer = terminal.buffer.active;
      const first = buffer.getLine(0)?.translateToString(true);
      expect(first).toBe(bare.split('\n')[0]);
      expect(buffer.cursorX).toBe(0);
      if (lines.every((line) => line.length < 400))
        expect(buffer.baseY + buffer.cursorY).toBe(lines.length - 1);
      terminal.dispose();
    }),
    { numRuns: 150 },
  );
});
