/** Whatever else lies beside it: evidence that is added never makes a machine pass. */
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { corpus, type Files, planOf, rebuilt, result } from './evidence-support.ts';
import { rounds, SOAK } from '../support/soak.ts';

const RUNS = rounds(300, 10_000);
const only = planOf([], { hosts: [{ host: 'a', tests: 1 }] });
const statusOf = (files: Files): string | undefined => rebuilt(files, only).hosts[0]?.status;

const xml = (inner: string, attributes = 'hostname="a"'): string =>
  `<testsuites><testsuite name="smoke" ${attributes}><testcase name="Log in">${inner}</testcase></testsuite></testsuites>`;
const report = (status: string, errors: unknown[] = []): object => ({
  config: {},
  errors,
  stats: { startTime: '2026-05-12T09:00:01Z', duration: 10 },
  suites: [
    {
      title: 'smoke.spec.ts',
      specs: [
        {
          title: 'Log in',
          file: 'smoke.spec.ts',
          tests: [
            {
              projectName: 'a',
              expectedStatus: 'passed',
              annotations: [],
              results: [{ status, retry: 0, startTime: '2026-05-12T09:00:02Z', duration: 5, errors: [] }],
            },
          ],
        },
      ],
    },
  ],
});
const mochawesome = (name: string): string =>
  corpus(`mochawesome-${name}.json`).replaceAll('fedora42', 'a').replaceAll('ubuntu2204', 'a');
const log = corpus('cypress-run.log')
  .replace(/ubuntu2204(?:\.cy\.ts)/g, (name) => 'a.cy.ts'.padEnd(name.length))
  .replaceAll('fedora42', 'b       ');

/** Files in which the machine passed. */
const PASSING: readonly (readonly [string, unknown])[] = [
  ['r.json', result('a', 'passed')],
  ['x.xml', xml('')],
  ['p.json', report('passed')],
  ['e.json', { hosts: { a: [{ type: 'passed' }] } }],
];

/** Files after which it must not pass: failing, contradicting, unreadable, incomplete. */
const LOWERING: readonly (readonly [string, unknown])[] = [
  ['failed-r.json', result('a', 'failed')],
  ['failed-x.xml', xml('<failure>no</failure>')],
  ['error-x.xml', xml('<error/>')],
  ['failed-p.json', report('failed')],
  ['cut-p.json', report('interrupted')],
  ['errors-p.json', report('passed', [{ message: 'Error: worker' }])],
  ['failed-e.json', { hosts: { a: { type: 'failed' } } }],
  ['list-e.json', [{ host: 'A', type: 'error' }]],
  ['nested-m.json', mochawesome('nested')],
  ['hook-m.json', mochawesome('hook')],
  ['counts-m.json', mochawesome('counts')],
  ['a.log', corpus('mocha-spec.log')],
  ['cypress.log', log],
  ['skipped-r.json', result('a', 'skipped')],
  ['case-r.json', result('A', 'FAILED')],
  ['stranger-r.json', result('vm-142', 'failed')],
  ['garbage.json', '{"a":'],
  ['garbage.xml', '<testsuites><testsuite'],
  ['empty.txt', ''],
  ['unknown.json', { anything: 1 }],
  ['binary.log', 'a\u0000b'],
  ['total.xml', '<testsuites failures="1"/>'],
  ['fewer.xml', xml('', 'hostname="a" tests="2"')],
];

test('each file that passes does so alone, and each that lowers prevents it alone', () => {
  for (const [name, content] of PASSING) expect(statusOf({ [name]: content }), name).toBe('PASS');
  for (const [name, content] of LOWERING)
    for (const [passing, good] of PASSING)
      expect(statusOf({ [passing]: good, [name]: content }), `${passing} with ${name}`).not.toBe('PASS');
});

/** Names are what order files; they must not matter. */
const shuffled = (files: readonly (readonly [string, unknown])[], prefixes: readonly string[]): Files =>
  Object.fromEntries(
    files.map(([name, content], index) => [
      name === 'a.log' ? name : `${prefixes[index % prefixes.length] ?? ''}${name}`,
      content,
    ]),
  );

test('VE11: in any mix of files one that fails, contradicts or cannot be read prevents a pass', SOAK, () => {
  fc.assert(
    fc.property(
      fc.subarray([...PASSING]),
      fc.subarray([...LOWERING], { minLength: 1, maxLength: 4 }),
      fc.array(fc.constantFrom('0-', 'm-', 'z-'), { minLength: 1, maxLength: 8 }),
      (passing, lowering, prefixes) => {
        expect(statusOf(shuffled([...passing, ...lowering], prefixes))).not.toBe('PASS');
      },
    ),
    { numRuns: RUNS },
  );
});

/** FAIL is worse than what is open, and that is worse than PASS. */
const RANK = ['FAIL', 'UNKNOWN', 'SKIP', 'PASS'];

test('VE11: what is added to the evidence raises nothing, save the result that was missing', SOAK, () => {
  fc.assert(
    fc.property(
      fc.subarray([...PASSING, ...LOWERING], { maxLength: 6 }),
      fc.constantFrom(...LOWERING),
      (files, added) => {
        const before = statusOf(Object.fromEntries(files)) ?? '';
        const after = statusOf(Object.fromEntries([...files, added])) ?? '';
        if (before === 'FAIL') expect(after).toBe('FAIL');
        if (before === 'UNKNOWN') expect(after).not.toBe('PASS');
        if (before === 'PASS') expect(RANK.indexOf(after)).toBeLessThan(RANK.indexOf('PASS'));
      },
    ),
    { numRuns: RUNS },
  );
});

/** The same JSON with its keys in another order. */
function reordered(value: unknown, key: number): unknown {
  if (Array.isArray(value)) return value.map((item) => reordered(item, key));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, reordered(inner, key)] as const);
  const turn = entries.length === 0 ? 0 : key % entries.length;
  return Object.fromEntries([...entries.slice(turn), ...entries.slice(0, turn)]);
}

test(
  'VE11: a passing file that is cut off, reordered or in another case makes no failing set pass',
  SOAK,
  () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PASSING),
        fc.constantFrom(...LOWERING),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(50),
        fc.constantFrom('cut', 'upper', 'lower', 'reordered'),
        ([name, content], [other, lowering], share, key, how) => {
          const text = typeof content === 'string' ? content : JSON.stringify(content);
          const mutated =
            how === 'cut'
              ? text.slice(0, Math.floor(share * text.length))
              : how === 'upper'
                ? text.toUpperCase()
                : how === 'lower'
                  ? text.toLowerCase()
                  : name.endsWith('.json')
                    ? JSON.stringify(reordered(JSON.parse(text), key))
                    : text;
          expect(statusOf({ [name]: mutated, [other]: lowering })).not.toBe('PASS');
        },
      ),
      { numRuns: RUNS },
    );
  },
);

test('VE11: a file that is cut off at any byte never passes by itself', () => {
  for (const [name, content] of [...PASSING, ['m.json', mochawesome('passed')] as const]) {
    const text = (typeof content === 'string' ? content : JSON.stringify(content)).trimEnd();
    const step = Math.max(1, Math.floor(text.length / 400));
    for (let length = 0; length < text.length; length += step) {
      expect(statusOf({ [name]: text.slice(0, length) }), `${name} at ${length}`).not.toBe('PASS');
    }
  }
});
