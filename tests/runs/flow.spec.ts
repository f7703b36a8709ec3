import { expect, test } from '@playwright/test';
import { plannedFlows, stepsOf } from '../../runs/flow/flow.ts';
import type { GateOptions } from '../../runs/flow/gates.ts';
import type { JournalEvent } from '../../runs/journal.ts';
import { foldJournal } from '../../runs/model.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
import { renderText } from '../../runs/render/text.ts';
import { ROOT } from '../support/runner.ts';
import { begin, ended, over, started, writeFile } from './support.ts';

const step = (title: string): string => `await test.step('${title}', async () => {});`;
const spec = (body: string, head = ''): string =>
  `import { test } from '@playwright/test';\n${head}\ntest('t', async () => {\n${body}\n});\n`;

/** The steps of a spec with this body. */
function steps(folder: string, body: string, options: GateOptions = {}, head = ''): string[] | undefined {
  return stepsOf(writeFile(folder, 'a.spec.ts', spec(body, head)), options);
}

const flowLines = (text: string): string[] =>
  text.split('**TEST FLOW:**\n')[1]!.split('\n\n**')[0]!.split('\n');

test('A118: each step is a numbered bullet', () => {
  const model = foldJournal([begin([{ host: 'a' }]), ended('a', 'passed', { steps: ['one', 'two'] }), over]);
  const lines = flowLines(renderMarkdown(model, { now: 0 }));
  expect(lines).toEqual(['- 1. one', '- 2. two']);
});

test('A116: two suites have two lists', () => {
  const events = [
    begin([{ host: 'a' }]),
    ended('a', 'passed', { suite: 'login', steps: ['one'] }),
    ended('a', 'passed', { suite: 'upload', steps: ['two'] }),
    over,
  ];
  const lines = flowLines(renderMarkdown(foldJournal(events), { now: 0 }));
  expect(lines).toEqual(['_login_', '- 1. one', '_upload_', '- 1. two']);
});

test('A119, A120: a suite without a list of its own shows the steps that were executed', () => {
  const plan = begin([{ host: 'a' }], { flow: [{ suite: 's', steps: [], from: 'static' }] });
  const model = foldJournal([plan, ended('a', 'failed', { steps: ['one', 'two'] }), over]);
  expect(model.flow).toEqual([{ suite: 's', steps: ['one', 'two'] }]);
  expect(model.notes).toEqual([]);
});

test('A121: a step added to the spec is in the flow', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  expect(steps(folder, step('one'))).toEqual(['one']);
  expect(steps(folder, `${step('one')}\n${step('two')}`)).toEqual(['one', 'two']);
});

test('A122: what was executed stands above the spec, the spec above the fixed list', ({}, testInfo) => {
  const file = writeFile(testInfo.outputPath('p'), 's.spec.ts', spec(step('from spec')));
  const flow = plannedFlows([file], {}, { s: ['fixed'] });
  expect(flow).toEqual([{ suite: 's', steps: ['from spec'], from: 'spec' }]);
  const before = foldJournal([begin([{ host: 'a' }], { flow })]);
  expect(before.flow).toEqual([{ suite: 's', steps: ['from spec'] }]);
  const after = foldJournal([
    begin([{ host: 'a' }], { flow }),
    ended('a', 'passed', { steps: ['done'] }),
    over,
  ]);
  expect(after.flow).toEqual([{ suite: 's', steps: ['done'] }]);
});

test('A123: other specs in the folder are not looked at', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const file = writeFile(folder, 's.spec.ts', spec(step('mine')));
  writeFile(folder, 'other.spec.ts', spec(step('alien')));
  expect(plannedFlows([file], {})).toEqual([{ suite: 's', steps: ['mine'], from: 'spec' }]);
});

test('A124, A126: a spec that cannot be read takes its fixed list, and a note says so', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  for (const file of [writeFile(folder, 's.spec.ts', 'test(((('), `${folder}/gone/s.spec.ts`]) {
    const flow = plannedFlows([file], {}, { s: ['fixed'] });
    const model = foldJournal([begin([{ host: 'a' }], { flow }), started('a')]);
    expect(model.flow).toEqual([{ suite: 's', steps: ['fixed'] }]);
    expect(model.notes.join()).toContain('fixed list');
  }
});

const plugin = (value: string): GateOptions => ({ plugin: { value, values: ['fc', 'iscsi', 'both'] } });
const branches = `${step('first')}
if (useFC) { ${step('fibre')} }
if (useIscsi) ${step('iscsi')}
${step('last')}`;

test('A127, A128, A129, A131: the common steps and the branch of the chosen option; both for both', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  expect(steps(folder, branches, plugin('fc'))).toEqual(['first', 'fibre', 'last']);
  expect(steps(folder, branches, plugin('iscsi'))).toEqual(['first', 'iscsi', 'last']);
  expect(steps(folder, branches, plugin('both'))).toEqual(['first', 'fibre', 'iscsi', 'last']);
});

test('A130: gates are known by the option that their variable names; an unknown one lists both branches', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  for (const name of ['usePureFCPlugin', 'FC_ENABLED', 'withFc']) {
    const body = `if (${name}) { ${step('fibre')} } else { ${step('other')} }`;
    expect(steps(folder, body, plugin('fc')), name).toEqual(['fibre']);
    expect(steps(folder, body, plugin('iscsi')), name).toEqual(['other']);
  }
  const unknown = `if (moonIsFull()) { ${step('howl')} } else { ${step('sleep')} }`;
  expect(steps(folder, unknown, plugin('fc'))).toEqual(['howl (conditional)', 'sleep (conditional)']);
});

const INSTALL_STEPS = Array.from({ length: 22 }, (_, index) => `step ${index + 1}`);

for (const gate of [
  `process.env.VMWRIGHT_OPTION_TEST_INSTALL_ONLY === 'true'`,
  `process.env["VMWRIGHT_OPTION_TEST_INSTALL_ONLY"] === "true"`,
  `runner.env('test-install-only') === 'true'`,
  `runner.env("test-install-only")`,
  'testInstallOnly',
]) {
  test(`A135, A136: of 22 steps an install-only run lists its own, by ${gate}`, ({}, testInfo) => {
    const folder = testInfo.outputPath('p');
    const option = (value: string): GateOptions => ({ 'test-install-only': { value } });
    const body = `${INSTALL_STEPS.slice(0, 5).map(step).join('\n')}
if (${gate}) return;
${INSTALL_STEPS.slice(5).map(step).join('\n')}`;
    expect(steps(folder, body, option('true'))).toEqual(INSTALL_STEPS.slice(0, 5));
    expect(steps(folder, body, option('false'))).toEqual(INSTALL_STEPS);
    const named = `const only = ${gate};\nif (!only) { ${step('rest')} } else ${step('install')}`;
    expect(steps(folder, named, option('true'))).toEqual(['install']);
    expect(steps(folder, named, option('false'))).toEqual(['rest']);
  });
}

test('steps of functions that the spec calls count, those of functions it does not call do not', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  writeFile(
    folder,
    'helpers.ts',
    `import { test } from '@playwright/test';
export async function used() { ${step('in helper')} await deeper(); }
const deeper = async () => { ${step('deeper')} };
export async function unused() { ${step('never')} }
export async function again() { ${step('again')} await again(); }`,
  );
  const body = `await used(); await all.again(); await test.step('outer', async () => { ${step('inner')} });`;
  const head = `import { used, unused } from './helpers.ts';\nimport * as all from './helpers.ts';`;
  expect(steps(folder, body, {}, head)).toEqual(['in helper', 'deeper', 'again', 'outer']);
});

test("the flow of vmwright's own smoke scenario is its routines", () => {
  expect(stepsOf(`${ROOT}/specs/smoke.spec.ts`, {})).toEqual([
    'clean state',
    'launch app',
    'log in',
    'send a message',
  ]);
});

test('a routine keeps its place and its inputs once it was begun', () => {
  const plan = begin([{ host: 'a' }], {
    flow: [{ suite: 's', steps: ['clean state', 'launch app', 'log in'], from: 'spec' }],
  });
  const launched = 'launch app (showing: "x")';
  const failure = { step: launched, short: 'no window', excerpt: 'no window' };
  const model = foldJournal([
    plan,
    ended('a', 'failed', { steps: ['clean state', launched], failure }),
    over,
  ]);
  expect(model.flow[0]?.steps).toEqual(['clean state', launched, 'log in']);
  expect(model.hosts[0]?.detail).toBe(`step 2 "${launched}" - no window`);
});

test('VE15: gates by name: a negation is the opposite, a name that may mean anything is conditional', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const under = (gate: string, value: string): string[] | undefined =>
    steps(folder, `if (${gate}) { ${step('in')} } else { ${step('out')} }`, plugin(value));
  for (const gate of ['noFC', 'withoutFc', '!useFC', 'NO_FC', '!(useFC)', 'useFC === false']) {
    expect(under(gate, 'fc'), gate).toEqual(['out']);
    expect(under(gate, 'both'), gate).toEqual(['out']);
    expect(under(gate, 'iscsi'), gate).toEqual(['in']);
  }
  const both = ['in (conditional)', 'out (conditional)'];
  for (const gate of [
    'fcOnly',
    'useOnlyFc',
    'isFcFailed',
    'useFcOrIscsi',
    'hasDisabledFc',
    '!!fcReady',
    'noUseNotFc',
  ])
    for (const value of ['fc', 'iscsi', 'both']) expect(under(gate, value), gate).toEqual(both);
});

test('VE15: what is declared in the spec stands above what its name suggests', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const gate = `if (useFC) { ${step('in')} }`;
  const under = (declared: string): string[] | undefined =>
    steps(folder, `${declared}\n${gate}`, plugin('fc'));
  expect(under('const useFC = false;')).toEqual([]);
  expect(under('const useFC = await probe();')).toEqual(['in (conditional)']);
  expect(under('let useFC = true; useFC = false;')).toEqual(['in (conditional)']);
  expect(under(`const useFC = process.env.VMWRIGHT_OPTION_PLUGIN === 'iscsi';`)).toEqual([]);
  expect(
    under(`const useFC = ['iscsi', 'both'].includes(process.env.VMWRIGHT_OPTION_PLUGIN ?? '');`),
  ).toEqual([]);
  // Text is true, whatever it says.
  const text = `if (process.env.VMWRIGHT_OPTION_X) { ${step('in')} }`;
  expect(steps(folder, text, { x: { value: 'false' } })).toEqual(['in']);
});

test('VE15: what an error may keep from running is conditional only where somebody catches the error', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const [one, two, three] = ['one', 'two', 'three'].map(step);
  const [second, third] = ['two (conditional)', 'three (conditional)'];
  expect(steps(folder, `${one} await risky(); ${two}`)).toEqual(['one', 'two']);
  expect(steps(folder, `try { ${one} await risky(); ${two} } catch { ${three} }`)).toEqual([
    'one',
    second,
    third,
  ]);
  expect(steps(folder, `try { ${one} ${two} } catch (error) { throw error; }`)).toEqual(['one', 'two']);
  expect(steps(folder, `try { ${one} ${two} } finally { ${three} }`)).toEqual(['one', 'two', 'three']);
  expect(steps(folder, `try { ${one} throw new Error(); ${two} } catch { ${three} }`)).toEqual([
    'one',
    'three',
  ]);
});

test('VE15: tests that are skipped, and what a group, a hook or another machine skips', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const file = writeFile(
    folder,
    'a.spec.ts',
    `import { test } from 'vmwright';
test.skip('a', async () => { ${step('a')} });
test.fixme('b', async () => { ${step('b')} });
test.describe.skip('group', () => { test('c', async () => { ${step('c')} }); });
test.describe('windows', () => {
  test('d', async () => { ${step('d')} });
  test.skip(({ machine }) => machine.os !== 'windows', 'Windows only');
});
test.describe('open', () => {
  test.beforeEach(async () => { ${step('hook')} test.skip(await isBusy(), 'busy'); });
  test('e', async () => { ${step('e')} });
});
test('f', async ({ machine }) => {
  test.skip(machine.os === 'windows');
  ${step('f')}
});
test('g', async () => { test.fail(); ${step('g1')} ${step('g2')} });
(process.env.VMWRIGHT_OPTION_PLUGIN === 'fc' ? test : test.skip)('h', async () => { ${step('h')} });
for (const name of ['x', 'y']) test(name, async () => { await test.step(\`do \${name}\`, async () => {}); });
for (const name of await names()) test(name, async () => { await test.step(\`see \${name}\`, async () => {}); });
`,
  );
  const on = (os: string): string[] | undefined =>
    stepsOf(file, plugin('fc'), { host: 'm', facts: { os }, tests: lines.map((line) => ({ file, line })) });
  const lines = Array.from({ length: 40 }, (_, index) => index + 1);
  const common = ['g1', 'g2 (conditional)', 'h', 'do x', 'do y', 'see … (conditional)'];
  expect(on('linux')).toEqual(['e (conditional)', 'f', ...common]);
  expect(on('windows')).toEqual(['d', 'e (conditional)', ...common]);
  // Tests that a filter leaves out are none of the run's.
  const only = { host: 'm', facts: {}, tests: [{ file, line: 13 }] };
  expect(stepsOf(file, {}, only)).toEqual(['f (conditional)']);
});

test('VE15: a step that is skipped is left out; defaults of patterns and functions that are chosen are conditional', ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const body = `
await test.step.skip('skipped', async () => {});
const { a = await test.step('default', async () => 1) } = test.info();
const { b = await test.step('of what is absent', async () => 1) } = { b: undefined };
const chosen = Math.random() > 1 ? async () => { ${step('one')} } : async () => { ${step('other')} };
await chosen();
const perhaps = test.info().retry && (async () => { ${step('perhaps')} });
await perhaps?.();
${step('end')}`;
  expect(steps(folder, body)).toEqual([
    'default (conditional)',
    'of what is absent',
    'one (conditional)',
    'other (conditional)',
    'perhaps (conditional)',
    'end',
  ]);
});

test('VE15: each system has its own flow, one for all where they do the same; what failed early is no other way', () => {
  const hosts = [
    { host: 'f1', family: 'fedora' },
    { host: 'f2', family: 'fedora' },
    { host: 'u1', family: 'ubuntu' },
    { host: 'w1', family: 'windows' },
  ];
  const events = [
    begin(hosts),
    ended('f1', 'passed', { steps: ['start', 'log in', 'end'] }),
    ended('f2', 'passed', { steps: ['start', 'log in', 'end'] }),
    ended('u1', 'failed', {
      steps: ['start', 'log in'],
      failure: { step: 'log in', short: 'x', excerpt: 'x' },
    }),
    ended('w1', 'passed', { steps: ['start', 'unlock', 'log in', 'approve', 'end'] }),
    over,
  ];
  const model = foldJournal(events);
  expect(flowLines(renderMarkdown(model, { now: 0 }))).toEqual([
    '_s on fedora, ubuntu_',
    ...['- 1. start', '- 2. log in', '- 3. end'],
    '_s on windows_',
    ...['- 1. start', '- 2. unlock', '- 3. log in', '- 4. approve', '- 5. end'],
  ]);
  expect(model.hosts.find(({ host }) => host === 'u1')?.detail).toBe('step 2 "log in" - x');
  const alike = foldJournal([
    ...events.slice(0, 4),
    ended('w1', 'passed', { steps: ['start', 'log in', 'end'] }),
    over,
  ]);
  expect(alike.flow).toEqual([{ suite: 's', steps: ['start', 'log in', 'end'] }]);
});

test('VE15: the flow is headed planned until something of it runs', () => {
  const flow = [{ suite: 's', steps: ['one', 'two (conditional)', 'three'], from: 'spec' as const }];
  const plan = begin([{ host: 'a' }, { host: 'b' }], { flow });
  const lines = (...events: JournalEvent[]): string[] =>
    flowLines(renderMarkdown(foldJournal([plan, ...events]), { now: 0 }));
  const planned = ['_planned_', '- 1. one', '- 2. two (conditional)', '- 3. three'];
  expect(lines()).toEqual(planned);
  expect(lines(ended('a', 'skipped', { steps: [] }), ended('b', 'skipped', { steps: [] }), over)).toEqual(
    planned,
  );
  expect(renderText(foldJournal([plan]), { now: 0 })).toContain('TEST FLOW:\nplanned\n1. one\n');
  expect(lines(started('a'))).toEqual(planned.slice(1));
  // What was passed by was not taken; what is still to come is not known yet.
  expect(lines(ended('a', 'failed', { steps: ['one', 'three'] }))).toEqual(['- 1. one', '- 2. three']);
  expect(lines(ended('a', 'failed', { steps: ['one'] }))).toEqual(planned.slice(1));
});
