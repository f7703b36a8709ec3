import { expect, test } from '@playwright/test';
import { plannedFlows, stepsOf } from '../../runs/flow/flow.ts';
import type { GateOptions } from '../../runs/flow/gates.ts';
import { foldJournal } from '../../runs/model.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
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
