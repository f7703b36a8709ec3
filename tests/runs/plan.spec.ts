import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { approve, tokenOf } from '../../cli/approval.ts';
import { makePlan, type Plan, planHash, type PlanOptions, planText } from '../../cli/plan.ts';
import { checkFiles, checkHosts, checkOptions } from '../../cli/verify.ts';
import { coverageFrom } from '../../cli/run.ts';
import { foldJournal } from '../../runs/model.ts';
import { renderMarkdown } from '../../runs/render/markdown.ts';
import { ROOT } from '../support/runner.ts';
import { type Row, writeMatrix } from './matrix.ts';
import { begin, over } from './support.ts';

const ROWS: readonly Row[] = [
  'fedora42',
  'fedora43',
  { name: 'manjaro', family: 'arch', skip: 'RE-CREATE MIGHT BE NEEDED' },
  { name: 'ubuntu2204', family: 'ubuntu' },
];

const SUITES = `{
  smoke: {
    specs: ['smoke.spec.ts'],
    options: {
      'ignore-force-shutdown': { default: 'true', values: ['true', 'false'] },
      'test-partition': { default: 'true' },
      plugin: { default: 'iscsi', values: ['iscsi', 'fc', 'both'] },
      'static-ip': {},
      platform: {},
    },
    platformDefaults: { linux: { 'static-ip': 'dest', platform: 'vmware' } },
    risks: [{ id: 'both-plugins', when: ({ plugin }) => plugin === 'both', warning: 'both plugins at once may hang the host' }],
  },
  bare: { specs: ['bare.spec.ts'] },
}`;

type Made = (options: Partial<PlanOptions>, random?: () => number) => Promise<Plan>;

/** A maker of plans from a matrix file in a folder of the test's own. */
function maker(folder: string, rows: readonly Row[] = ROWS, suites = SUITES): Made {
  const matrix = writeMatrix(folder, rows, suites);
  return (options, random) => makePlan({ matrix, ...options }, random);
}

const executed = (plan: Plan): string[] =>
  plan.hosts.flatMap(({ host, skip }) => (skip === undefined ? [host] : []));
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error as { code?: string }).code,
  );

test('A43, A49: no broad selector runs a blacklisted machine', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  for (const broad of [{ all: true }, { grepVm: '.' }, { grepVm: 'manjaro|fedora42' }, { randomize: 4 }])
    expect(executed(await make(broad)), JSON.stringify(broad)).not.toContain('manjaro');
  expect(executed(await make({ all: true }))).toEqual(['fedora42', 'fedora43', 'ubuntu2204']);
  expect(await codeOf(make({ grepVm: 'manjaro' }))).toBe('PLAN_INVALID');
});

test('--randomize takes so many machines, by the random numbers it is given', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const numbers =
    (...all: number[]) =>
    () =>
      all.shift() ?? 0;
  expect(executed(await make({ randomize: 1 }, numbers(0.9, 0.5, 0.1)))).toEqual(['ubuntu2204']);
  expect(executed(await make({ randomize: 2 }, numbers(0.1, 0.9, 0.5)))).toEqual(['fedora42', 'ubuntu2204']);
});

test('A44: a blacklisted machine without a reason is an error of the matrix', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'), [{ name: 'manjaro', skip: '' }]);
  expect(await codeOf(make({ all: true }))).toBe('MATRIX_INVALID');
});

test('A45: the plan says which machines are left out, and why', async ({}, testInfo) => {
  const text = planText(await maker(testInfo.outputPath('p'))({ all: true, exclude: ['fedora43'] }));
  expect(text).toContain('excluded: manjaro - RE-CREATE MIGHT BE NEEDED\n');
  expect(text).toContain('excluded: fedora43 - excluded by --exclude\n');
  expect(text).toContain('host: fedora42\n');
});

test('A48: an explicit list is exactly what is planned, or an error', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  expect((await make({ vms: ['ubuntu2204', 'fedora42'] })).hosts.map(({ host }) => host)).toEqual([
    'ubuntu2204',
    'fedora42',
  ]);
  const unknown = make({ vms: ['fedora42', 'solaris'] });
  await expect(unknown).rejects.toThrow('missing: [solaris]');
});

test('what selects nothing, or cannot be meant, is PLAN_INVALID and says what was given', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const wrong: readonly (readonly [Partial<PlanOptions>, RegExp])[] = [
    [{}, /nothing says which machines/],
    [{ grepVm: '(' }, /--grep-vm[^]*regular expression[^]*Unterminated/],
    [{ grepVm: 'solaris' }, /no machine is left[^]*fedora42/],
    [{ all: true, exclude: ['fedora4'] }, /--exclude[^]*missing: \[fedora4\][^]*fedora42/],
    [{ randomize: -1 }, /--randomize[^]*whole number from 1[^]*-1/],
    [{ randomize: Number.NaN }, /--randomize[^]*NaN/],
    [{ vms: ['fedora42', 'fedora42'] }, /stands twice[^]*fedora42/],
    [{ vms: ['fedora42'], exclude: ['fedora43'] }, /--vms alone[^]*--exclude/],
    [{ all: true, grepVm: 'fedora' }, /contradicts --grep-vm/],
  ];
  for (const [options, message] of wrong) {
    const plan = make(options);
    expect(await codeOf(plan), JSON.stringify(options)).toBe('PLAN_INVALID');
    await expect(plan).rejects.toThrow(message);
  }
});

test('M54: a machine that --vms or --exclude names twice is an error that names both places', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const twice = ['fedora42', 'fedora43', 'ubuntu2204', 'fedora43'];
  for (const options of [{ vms: twice }, { all: true, exclude: twice }]) {
    const plan = make(options);
    expect(await codeOf(plan)).toBe('PLAN_INVALID');
    await expect(plan).rejects.toThrow(/fedora43, as number 2 and number 4/);
  }
  const blacklisted = make({ vms: ['manjaro', 'fedora42', 'manjaro'], allowBlacklisted: true });
  await expect(blacklisted).rejects.toThrow(/manjaro, as number 1 and number 3/);
});

test('a plan of an explicit list with a blacklisted machine stops with its reason; only a flag of its own goes on', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const asked = { vms: ['fedora42', 'manjaro'] };
  expect(await codeOf(make(asked))).toBe('HOST_BLACKLISTED');
  await expect(make(asked)).rejects.toThrow(/manjaro[^]*RE-CREATE MIGHT BE NEEDED/);
  expect(executed(await make({ ...asked, allowBlacklisted: true }))).toEqual(['fedora42', 'manjaro']);
});

test('A52, A55, A59: what lies about or stands in the environment changes neither matrix nor options', async ({}, testInfo) => {
  const folder = testInfo.outputPath('p');
  const make = maker(folder);
  const plain = planHash(await make({ all: true }));
  writeMatrix(join(folder, 'other'), ['solaris'], SUITES);
  const names = ['VMWRIGHT_MATRIX', 'VMWRIGHT_OPTION_PLUGIN', 'MATRIX'];
  for (const name of names) process.env[name] = 'fc';
  try {
    expect(planHash(await make({ all: true }))).toBe(plain);
  } finally {
    for (const name of names) Reflect.deleteProperty(process.env, name);
  }
  const missing = makePlan({ matrix: join(folder, 'gone.ts'), all: true });
  await expect(missing).rejects.toThrow('gone.ts');
});

test('A56: options of a plan are documented defaults and what was given, nothing else', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const plan = await make({ all: true, option: ['test-partition=2'] });
  expect(plan.options).toEqual({
    'ignore-force-shutdown': 'true',
    'test-partition': '2',
    plugin: 'iscsi',
    'static-ip': 'dest',
    platform: 'vmware',
  });
});

test('A57, A60, A61: each default is in the plan, can be overridden, and is taken away by name', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const defaults = (await make({ all: true })).options;
  for (const name of ['ignore-force-shutdown', 'test-partition', 'static-ip', 'platform']) {
    expect(planText(await make({ all: true }))).toContain(`option: ${name}=${defaults[name]!}\n`);
    const without = await make({ all: true, option: [`no-${name}`] });
    expect(without.options).not.toHaveProperty(name);
    expect(planText(without)).not.toContain(`option: ${name}=`);
    const other = await make({ all: true, option: [`${name}=false`] });
    expect(other.options[name]).toBe('false');
  }
  const windows = maker(testInfo.outputPath('w'), [{ name: 'w11', os: 'windows', family: 'windows' }]);
  expect((await windows({ all: true })).options).not.toHaveProperty('platform');
});

test('A62, A63: a suite takes the options it declares; COVERAGE has no trace of others', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const plan = await make({ all: true, suite: 'bare' });
  expect(plan.options).toEqual({});
  expect(planText(plan)).not.toContain('option:');
  const model = foldJournal([begin([{ host: 'a' }], { coverage: coverageFrom(plan) }), over]);
  expect(renderMarkdown(model, { now: 0 })).not.toMatch(/plugin|run options/);
  expect(await codeOf(make({ all: true, suite: 'bare', option: ['plugin=fc'] }))).toBe('PLAN_INVALID');
  expect(await codeOf(make({ all: true, option: ['plugin=usb'] }))).toBe('PLAN_INVALID');
  expect(await codeOf(make({ all: true, suite: 'nothing' }))).toBe('PLAN_INVALID');
});

test('A64: a risky combination is a warning with its reason', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const risky = planText(await make({ all: true, option: ['plugin=both'] }));
  expect(risky).toContain(
    'WARNING: both plugins at once may hang the host (needs --confirm-risk both-plugins)',
  );
  expect(planText(await make({ all: true }))).not.toContain('WARNING');
});

test('A69: any changed option, machine or version needs another approval', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  const plan = await make({ all: true });
  const others = await Promise.all(
    [
      { option: ['plugin=fc'] },
      { exclude: ['fedora43'] },
      { suite: 'bare' },
      { categorize: true },
      { confirmRisk: ['both-plugins'] },
      { buildName: 'other' },
    ].map((change) => make({ all: true, ...change })),
  );
  const hashes = [...others, { ...plan, version: '0.0.0' }].map(planHash);
  expect(new Set([planHash(plan), ...hashes]).size).toBe(hashes.length + 1);
  expect(planHash(await make({ all: true }))).toBe(planHash(plan));
  for (const given of hashes)
    expect(() => approve({ gate: 'run', subject: plan, given, env: {} })).toThrow('APPROVAL_NEEDED');
  expect(() => approve({ gate: 'run', subject: plan, given: planHash(plan), env: {} })).not.toThrow();
});

test('A74: an approval holds at its own gate only', () => {
  const subject = { run: 'r' };
  for (const gate of ['post', 'correction'] as const) {
    expect(() => approve({ gate, subject, given: tokenOf('run', subject), env: {} })).toThrow(
      'APPROVAL_NEEDED',
    );
    expect(() => approve({ gate, subject, given: tokenOf(gate, subject), env: {} })).not.toThrow();
  }
});

test('A144: categorize mode is mentioned once', async ({}, testInfo) => {
  const plan = await maker(testInfo.outputPath('p'))({ all: true, categorize: true });
  const model = foldJournal([begin([{ host: 'a' }], { coverage: coverageFrom(plan) }), over]);
  expect(renderMarkdown(model, { now: 0 }).match(/categorize/g)).toHaveLength(1);
});

test('A174: one family is no grouped run', async ({}, testInfo) => {
  const make = maker(testInfo.outputPath('p'));
  expect((await make({ grepVm: 'fedora', categorize: true })).groups).toEqual([]);
  const grouped = await make({ all: true, categorize: true });
  expect(grouped.groups).toEqual([
    { name: 'fedora', hosts: ['fedora42', 'fedora43'] },
    { name: 'ubuntu', hosts: ['ubuntu2204'] },
  ]);
  expect(grouped.commands).toHaveLength(2);
});

test('A10, A12: a machine that Playwright would not run, and one it would run too much, are named', async ({}, testInfo) => {
  const plan = await maker(testInfo.outputPath('p'))({ vms: ['fedora42', 'fedora43'] });
  const files = new Set(['/p/smoke.spec.ts']);
  const planned = ['fedora42', 'fedora43'];
  const both = new Map(planned.map((host) => [host, files]));
  expect(() => checkHosts(plan, planned, both)).not.toThrow();
  expect(() => checkHosts(plan, planned, new Map([['fedora43', files]]))).toThrow(
    'missing: [fedora42] extra: []',
  );
  expect(() => checkHosts(plan, ['fedora42'], both)).toThrow('missing: [] extra: [fedora43]');
  expect(() => checkFiles(plan, both)).not.toThrow();
  const other = new Set(['/p/other.spec.ts']);
  expect(() => checkFiles(plan, new Map([...both, ['fedora43', other]]))).toThrow(
    'missing: [smoke.spec.ts on fedora43] extra: []',
  );
});

test('A133: the machines and the path that the options open are checked apart', async ({}, testInfo) => {
  const plan = await maker(testInfo.outputPath('p'))({ vms: ['fedora42'], option: ['no-plugin'] });
  const listing = new Map([['fedora42', new Set(['/p/smoke.spec.ts'])]]);
  const alien = { VMWRIGHT_OPTION_PLUGIN: 'fc' };
  expect(() => checkOptions(plan, alien)).toThrow(/options[^]*extra: \[VMWRIGHT_OPTION_PLUGIN=fc\]/);
  expect(() => checkHosts(plan, ['fedora42'], listing)).not.toThrow();
  expect(() => checkOptions(plan, { VMWRIGHT_OPTION_PLATFORM: 'vmware' })).not.toThrow();
  expect(() => checkHosts(plan, ['fedora42'], new Map())).toThrow(/machines[^]*missing: \[fedora42\]/);
});

test('A11: nothing goes over a shell or SSH to verify', () => {
  const source = readFileSync(join(ROOT, 'cli/verify.ts'), 'utf8');
  expect(source).not.toMatch(/ssh|execSync|\bexec\(|shell:/i);
});

test('A51: the default matrix file exists', async () => {
  const source = readFileSync(join(ROOT, 'cli/runs.ts'), 'utf8');
  const [, name = ''] = /'--matrix <file>', '[^']*', '([^']+)'/.exec(source) ?? [];
  expect(statSync(join(ROOT, name)).isFile()).toBe(true);
  expect((await makePlan({ matrix: join(ROOT, name), all: true })).hosts.length).toBeGreaterThan(5);
});
