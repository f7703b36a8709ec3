import { runInNewContext } from 'node:vm';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { format } from 'prettier';
import ts from 'typescript';
import { typeSteps } from '../../fixtures/recorder/concealed.ts';
import { literal } from '../../fixtures/recorder/literal.ts';
import { linesOf, renderSpec } from '../../fixtures/recorder/spec.ts';
import type { Step } from '../../fixtures/recorder/step.ts';

/** Any UTF-16 at all, quotes and line ends often. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom("'", '"', '\\', '\n', '\r', '\t', '`', '${', '\u2028', '\u202e', '😀', '*/', '//', 'a'),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

const PRETTIER = { parser: 'typescript', printWidth: 110, singleQuote: true, trailingComma: 'all' } as const;

function isTypeScript(source: string): string[] {
  const { diagnostics = [] } = ts.transpileModule(source, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

test('a literal is the text again, on one line, with no character that hides or turns what follows', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const source = literal(text);
      expect(runInNewContext(source)).toBe(text);
      expect(source).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
    { numRuns: 300 },
  );
});

test('quotes are those that prettier chooses', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: fc.constantFrom("'", '"', 'a', '\\', 'é') }), async (text) => {
      const source = `type(${literal(text)});\n`;
      expect(await format(source, PRETTIER)).toBe(source);
    }),
    { numRuns: 100 },
  );
});

const point = fc.record({ x: fc.nat(1279), y: fc.nat(799) });
const modifiers = fc.subarray(['Control', 'Alt', 'Shift', 'Meta']);
const place = fc.oneof(
  fc.record({ point }),
  fc.record(
    { text: anyText, exact: fc.constant(true as const), nth: fc.nat(9), offset: point },
    { requiredKeys: ['text'] },
  ),
);
const clip = fc.record({ x: fc.nat(600), y: fc.nat(600), width: fc.nat(600), height: fc.nat(600) });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('click' as const),
    place,
    button: fc.constantFrom('left' as const, 'middle' as const, 'right' as const),
    count: fc.integer({ min: 1, max: 3 }),
    modifiers,
  }),
  fc.record({ kind: fc.constant('drag' as const), from: point, to: point }),
  fc.record({ kind: fc.constant('wheel' as const), at: point, deltaX: fc.integer(), deltaY: fc.integer() }),
  fc.record({ kind: fc.constant('type' as const), text: anyText }),
  fc.record({ kind: fc.constant('secret' as const), name: fc.constant('APP_PASSWORD') }),
  fc.record({
    kind: fc.constant('press' as const),
    keys: fc.constantFrom('Enter', 'Control+A', "Control+'"),
  }),
  fc.record(
    { kind: fc.constant('expect' as const), text: anyText, clip },
    { requiredKeys: ['kind', 'text'] },
  ),
  fc.constant({ kind: 'launch' as const }),
);

test('any steps are TypeScript that does them again, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), anyText, async (steps, title) => {
      const spec = renderSpec(steps, { title, from: '#fixtures' });
      expect(isTypeScript(spec)).toEqual([]);
      expect(await replayed(spec)).toEqual(steps.flatMap(callsOf));
    }),
    { numRuns: 60 },
  );
});

type Call = readonly unknown[];

/** The calls that a spec makes, from running it with hands that only take notes. */
async function replayed(spec: string): Promise<Call[]> {
  const calls: Call[] = [];
  const note = (...call: Call): void => void calls.push(structuredClone(call));
  const keyboard = {
    type: (text: unknown) => note('type', text),
    press: (keys: unknown) => note('press', keys),
    down: (key: unknown) => note('hold', key),
    up: (key: unknown) => note('let go', key),
  };
  const verbs = (...at: Call) => ({
    click: (options: unknown) => note('click', ...at, options),
    dblclick: (options: unknown) => note('dblclick', ...at, options),
  });
  const vncPage = {
    keyboard,
    mouse: {
      click: (x: unknown, y: unknown, options: unknown) => note('click', { x, y }, options),
      dblclick: (x: unknown, y: unknown, options: unknown) => note('dblclick', { x, y }, options),
      drag: (from: unknown, to: unknown) => note('drag', from, to),
      move: (x: unknown, y: unknown) => note('move', { x, y }),
      wheel: (x: unknown, y: unknown) => note('wheel', x, y),
    },
    getByText: (text: unknown, options: unknown) => verbs(text, options),
  };
  const app = { clean: () => note('clean'), launch: () => note('launch') };
  let body: ((fixtures: object) => Promise<void>) | undefined;
  const { outputText } = ts.transpileModule(spec.replace(/^import .*$/m, ''), {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  runInNewContext(outputText, {
    test: (_: string, given: typeof body) => (body = given),
    secret: (name: string) => ({ name }),
    expect: () => ({ toShowText: (text: unknown, options: unknown) => note('expect', text, options) }),
  });
  await body?.({ app, vncPage });
  return calls;
}

/** What a step has to do, in the words of `replayed`. */
function callsOf(one: Step): Call[] {
  switch (one.kind) {
    case 'click': {
      const { place: at, button, count, modifiers: held } = one;
      const verb = count === 2 ? 'dblclick' : 'click';
      const plain = {
        ...(button === 'left' ? {} : { button }),
        ...(count > 2 ? { clickCount: count } : {}),
      };
      if ('point' in at)
        return [
          ...held.map((key) => ['hold', key]),
          [verb, at.point, optional(plain)],
          ...held.toReversed().map((key) => ['let go', key]),
        ];
      const { text, offset, ...which } = at;
      const options = {
        ...plain,
        ...(held.length > 0 ? { modifiers: held } : {}),
        ...(offset === undefined ? {} : { offset }),
      };
      return [[verb, text, optional(which), optional(options)]];
    }
    case 'drag':
      return [['drag', one.from, one.to]];
    case 'wheel':
      return [
        ['move', one.at],
        ['wheel', one.deltaX, one.deltaY],
      ];
    case 'type':
      return [['type', one.text]];
    case 'secret':
      return [['type', { name: one.name }]];
    case 'press':
      return [['press', one.keys]];
    case 'expect':
      return [['expect', one.text, one.clip === undefined ? undefined : { clip: one.clip }]];
    case 'launch':
      return [['clean'], ['launch']];
  }
}

function optional(options: object): object | undefined {
  return Object.keys(options).length === 0 ? undefined : options;
}

test('the imports and fixtures are those that are used', () => {
  const head = (...steps: Step[]): string[] =>
    renderSpec(steps, { title: 't', from: 'vmwright' }).split('\n').slice(0, 3);
  expect(head({ kind: 'launch' })).toEqual([
    "import { test } from 'vmwright';",
    '',
    "test('t', async ({ app }) => {",
  ]);
  expect(head({ kind: 'expect', text: 'A' }, { kind: 'secret', name: 'B' })).toEqual([
    "import { expect, secret, test } from 'vmwright';",
    '',
    "test('t', async ({ vncPage }) => {",
  ]);
  expect(head({ kind: 'type', text: '(secret( await app. expect(' })[0]).toBe(
    "import { test } from 'vmwright';",
  );
});

test('a value of a secret is never typed as text, wherever it stands', () => {
  const secrets = new Map([
    ['hunter2', 'APP_PASSWORD'],
    ['hunter22', 'OTHER_PASSWORD'],
    ['ab', 'TOO_SHORT'],
  ]);
  expect(typeSteps('hunter2', secrets)).toEqual([{ kind: 'secret', name: 'APP_PASSWORD' }]);
  expect(typeSteps('x hunter22 ab', secrets).flatMap(linesOf)).toEqual([
    "await vncPage.keyboard.type('x ');",
    "await vncPage.keyboard.type(secret('OTHER_PASSWORD'));",
    "await vncPage.keyboard.type(' ab');",
  ]);
  const pieces = fc.array(fc.constantFrom('hunter2', 'hunter22', 'hunter', '2', 'x'), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const steps = typeSteps(parts.join(''), secrets);
      const byName = new Map([...secrets].map(([value, name]) => [name, value]));
      const typed = steps.map((one) =>
        one.kind === 'type' ? one.text : one.kind === 'secret' ? byName.get(one.name) : '',
      );
      expect(typed.join('')).toBe(parts.join(''));
      expect(steps.flatMap(linesOf).join()).not.toContain('hunter2');
    }),
  );
});
