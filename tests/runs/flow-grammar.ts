/**
 * Small specs by chance: every construct that decides whether a step is executed, in and around each other.
 *
 * @module
 */
import * as fc from 'fast-check';

/** What a spec finds when it runs. */
export interface World {
  readonly plugin: string;
  readonly os: string;
  /** What `unknown(n)` says. */
  readonly unknown: readonly boolean[];
  /** Whether `risky(n)` throws. */
  readonly risky: readonly boolean[];
}

export const worlds: fc.Arbitrary<World> = fc.record({
  plugin: fc.constantFrom('fc', 'iscsi'),
  os: fc.constantFrom('linux', 'windows'),
  unknown: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  risky: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
});

/** Source, in which `§` stands for the number of a step. */
type Source = string;

export interface Spec {
  readonly helpers: readonly Source[];
  readonly body: Source;
}

const STEP = `await test.step('s§', async () => { await test.step('inner §', async () => {}); });`;
const block = (lines: readonly Source[]): Source => `{ ${lines.join('\n')} }`;
const join = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.join(''));
const text = (value: string): fc.Arbitrary<string> => fc.constant(value);

/** Specs with helper functions; with `isOpen` also with what nobody knows before the run. */
export function specs(isOpen: boolean): fc.Arbitrary<Spec> {
  const conditions = conditionsOf(isOpen);
  const helper = (index: number): fc.Arbitrary<Source> =>
    statementsOf(isOpen, conditions, index, false).map((lines) => block(lines));
  return fc.record({
    helpers: fc.tuple(helper(0), helper(1)),
    body: statementsOf(isOpen, conditions, 2, true).map((lines) => lines.join('\n')),
  });
}

export function renderSpec({ helpers, body }: Spec): string {
  const functions = helpers.map(
    (source, index) => `async function helper${index}(given, run) ${source.replaceAll('GIVEN', 'given')}`,
  );
  const source = `import { test } from '@playwright/test';
const plugin = process.env.VMWRIGHT_OPTION_PLUGIN;
const useFC = plugin === 'fc';
const noFC = !useFC;
const isFC = () => plugin === 'fc';
const actions = { async first() { ${STEP} }, second: async (given) => { if (given) { ${STEP} } } };
class Page {
  constructor(name) { this.name = name; }
  async open() { ${STEP} await this.close(); }
  async close() { ${STEP} }
}
${functions.join('\n')}
test('t', async ({ machine }, testInfo) => {
const given = true;
${body.replaceAll('GIVEN', 'given')}
});
`;
  let number = 0;
  return source.replaceAll('§', () => String(++number));
}

function conditionsOf(isOpen: boolean): fc.Arbitrary<Source> {
  const settled = fc.constantFrom(
    'true',
    'false',
    'useFC',
    'noFC',
    'isFC()',
    `plugin === 'fc'`,
    `plugin !== 'fc'`,
    `['fc', 'nvme'].includes(plugin)`,
    `plugin.startsWith('is')`,
    `process.env.VMWRIGHT_OPTION_PLUGIN === 'iscsi'`,
    `'text'`,
    `0`,
    `undefined`,
    `({ fc: true, iscsi: false })[plugin]`,
    `1 + 1 > 1`,
  );
  const open = fc.nat(3).map((index) => `unknown(${index})`);
  return fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      settled,
      ...(isOpen ? [open] : []),
      join(text('!('), tie('condition'), text(')')),
      join(
        text('(('),
        tie('condition'),
        fc.constantFrom(') && (', ') || (', ') ?? ('),
        tie('condition'),
        text('))'),
      ),
      join(
        text('('),
        tie('condition'),
        text(' ? '),
        tie('condition'),
        text(' : '),
        tie('condition'),
        text(')'),
      ),
    ),
  })).condition;
}

/** Statements of a helper (which calls those before it) or of the test. */
function statementsOf(
  isOpen: boolean,
  conditions: fc.Arbitrary<Source>,
  helpers: number,
  isTest: boolean,
): fc.Arbitrary<Source[]> {
  const all = isTest
    ? fc.oneof(conditions, fc.constantFrom(`machine.os === 'windows'`, `testInfo.project.name === 'm1'`))
    : fc.oneof(conditions, fc.constant('GIVEN'));
  return fc.letrec<{ one: Source; many: Source[]; inLoop: Source[] }>((tie) => {
    const many = tie('many').map(block);
    const inLoop = tie('inLoop').map(block);
    const value = fc.constantFrom('plugin', `'fc'`, ...(isOpen ? ['String(unknown(0))'] : []));
    const label = fc.constantFrom(`'fc'`, `'iscsi'`, ...(isOpen ? [`'true'`, 'String(unknown(1))'] : []));
    const clause = fc
      .tuple(fc.option(label, { freq: 4 }), tie('many'), fc.boolean())
      .map(([test, lines, stops]) => ({ test, lines, stops }));
    const cases = fc.array(clause, { maxLength: 4 }).map((clauses) => {
      const first = clauses.findIndex(({ test }) => test === null);
      return clauses
        .filter(({ test }, index) => test !== null || index === first)
        .map(
          ({ test, lines, stops }) =>
            `${test === null ? 'default' : `case ${test}`}: ${lines.join('\n')} ${stops ? 'break;' : ''}`,
        )
        .join('\n');
    });
    const settled = [
      join(text('if ('), all, text(') '), many),
      join(text('if ('), all, text(') '), many, text(' else '), many),
      join(text('('), all, fc.constantFrom(') && ', ') || '), text(`(${STEP.slice(0, -1)});`)),
      join(text('('), all, text(`) ? ${STEP.slice(0, -1)} : ${STEP}`)),
      join(text('switch ('), value, text(') { '), cases, text(' }')),
      join(text(`for (const each of ['a', 'b']) `), inLoop),
      join(
        text(`outer: `),
        many.map(
          (source) =>
            `${source.replaceAll('outer: ', '').replaceAll('break outer;', '').replace(/\}$/, '')}\nbreak outer; ${STEP} }`,
        ),
      ),
      join(
        text('const local = async (given) => '),
        tie('many').map((lines) => block(lines)),
        text(';\nawait local();'),
      ).map((source) => `{ ${source} }`),
      join(text('await (async () => '), many, text(')();')),
      text('await actions.first();'),
      join(text('await actions.second('), all, text(');')),
      text(`{ const page = new Page('x'); await page.open(); }`),
      join(text('if ('), all, text(') return;')),
      join(text("await Promise.all(['x'].map(async () => "), many, text('));')),
      ...(helpers > 0
        ? [join(text('await helper'), fc.nat(helpers - 1).map(String), text('('), all, text(');'))]
        : []),
      join(
        fc.constantFrom('test', ...(isTest ? ['testInfo'] : [])),
        fc.constantFrom('.skip(', '.fixme('),
        all,
        text(');'),
      ),
      join(text('if ('), all, text(`) throw new Error('end');`)),
      fc.constantFrom('return;', `throw new Error('end');`, 'test.skip();'),
    ];
    const open = [
      fc.nat(3).map((index) => `await risky(${index});`),
      join(text('try '), many, text(' catch '), many),
      join(text('try '), many, text(' finally '), many),
      join(
        text('try '),
        many,
        text(' catch (error) { '),
        tie('many').map((lines) => lines.join('\n')),
        text(' throw error; }'),
      ),
      join(text('try '), many, text(' catch '), many, text(' finally '), many),
      join(text('for (const each of unknown(2) ? [1, 2] : []) '), inLoop),
      join(text('for (let i = 0; i < 2; i++) '), inLoop),
      join(text('{ let left = 2; while (left-- > 0) '), inLoop, text(' }')),
      join(text('{ let left = 2; do '), inLoop, text(' while (left-- > 0); }')),
      join(
        text('while (true) '),
        tie('many').map((lines) => block(['turn();', ...lines, 'break;'])),
      ),
      join(
        text('while ('),
        all,
        text(') '),
        tie('inLoop').map((lines) => block(['turn();', ...lines, 'break;'])),
      ),
      join(text('{ const later = (async () => '), many, text(')(); await later.catch(() => {}); }')),
      join(
        text('{ let changed = true; if ('),
        all,
        text(') changed = false; if (changed) '),
        many,
        text(' }'),
      ),
      join(
        text('{ const list = []; if ('),
        all,
        text(`) list.push('x'); if (list.length > 0) `),
        many,
        text(' }'),
      ),
      join(text('await [1].reduce(async () => '), many, text(', undefined);')),
      join(text(`await test.step('s§', async () => { await risky(`), fc.nat(3).map(String), text('); });')),
      join(text('if (await Promise.resolve(unknown('), fc.nat(3).map(String), text('))) '), many),
    ];
    const one = fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      text(STEP),
      ...(isOpen ? [{ weight: 4, arbitrary: fc.nat(3).map((index) => `await risky(${index});`) }] : []),
      ...settled.map((arbitrary) => arbitrary),
      ...(isOpen ? open : []),
    );
    const leave = join(text('if ('), all, text(') '), fc.constantFrom('break;', 'continue;'));
    return {
      one,
      many: fc.array(fc.oneof({ weight: 2, arbitrary: text(STEP) }, { weight: 3, arbitrary: tie('one') }), {
        maxLength: 4,
      }),
      inLoop: fc.array(
        fc.oneof(
          { weight: 2, arbitrary: text(STEP) },
          { weight: 3, arbitrary: tie('one') },
          { weight: 1, arbitrary: leave },
        ),
        { maxLength: 4 },
      ),
    };
  }).many;
}
