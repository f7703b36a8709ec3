import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { Command, Option } from 'commander';
import fc from 'fast-check';
import { makeProgram } from '../../cli/program.ts';
import { refuseAlsoInEnvironment, refuseRepeatedSuiteOptions, suiteOption } from '../../cli/repeats.ts';
import { optionVariable } from '../../fixtures/config/suites.ts';
import { defineSuites, readEnvironment } from '../../fixtures/config/index.ts';
import { isVmwrightError } from '../../fixtures/errors.ts';
import { startCluster, vmwright, writeRunProject } from './command.ts';

const SUITES = `{
  smoke: {
    specs: ['smoke.spec.ts'],
    options: { plugin: { default: 'fc', values: ['fc', 'both'] }, disk: {} },
  },
}`;

/** What it throws; undefined when it does not. */
function thrown(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

const isRepeated = (error: unknown): boolean => isVmwrightError(error, 'OPTION_REPEATED');

test('VE16: an option given twice is refused, whoever gives it, before anything is asked, started or stored', async ({}, testInfo) => {
  test.setTimeout(120_000);
  const folder = testInfo.outputPath('p');
  const smoke = `import { test } from '@playwright/test'; test('t', () => {});`;
  writeRunProject(folder, ['a1', 'a2'], { 'smoke.spec.ts': smoke }, { suites: SUITES });
  const cluster = await startCluster();
  const env = { ...cluster.env, VMWRIGHT_GATE: 'off' };
  const plugin = ['--option', 'plugin=fc'];
  const cases: readonly (readonly [
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    seen: string,
  ])[] = [
    [
      ['plan', '--all', ...plugin, '--option', 'plugin=both'],
      {},
      '--option plugin=fc, then --option plugin=both',
    ],
    [['run', '--all', ...plugin, '--option=no-plugin'], {}, '--option plugin=fc, then --option no-plugin'],
    [['run', '--vms', 'a1', '--vms=a2'], {}, '--vms a1, then --vms a2'],
    [['run', '--all', ...plugin], { VMWRIGHT_OPTION_PLUGIN: 'both' }, 'then VMWRIGHT_OPTION_PLUGIN=both'],
    [['run', '--all', ...plugin], { VMWRIGHT_OPTION_PLUGIN: 'fc' }, 'then VMWRIGHT_OPTION_PLUGIN=fc'],
    [['run', '--all', '--build-name', 'x'], { VMWRIGHT_BUILD_NAME: 'y' }, 'then VMWRIGHT_BUILD_NAME=y'],
  ];
  for (const [args, more, seen] of cases) {
    const { exitCode, stderr } = await vmwright(folder, args, { env: { ...env, ...more } });
    expect(stderr, args.join(' ')).toMatch(
      /^\[OPTION_REPEATED\] .*\n {2}expected: .*\n {2}seen: .*\n {2}next: /,
    );
    expect(stderr, args.join(' ')).toContain(seen);
    expect(exitCode, args.join(' ')).toBe(2);
  }
  writeFileSync(join(folder, '.env'), 'VMWRIGHT_OPTION_PLUGIN=both\nVMWRIGHT_OPTION_PLUGIN=fc\n');
  const dotenv = await vmwright(folder, ['run', '--all'], { env });
  expect(dotenv.stderr).toMatch(
    /\[SETTING_INVALID\] VMWRIGHT_OPTION_PLUGIN: .env sets it twice[^]*lines 1 and 2/,
  );
  expect([existsSync(join(folder, 'test-results')), cluster.connections()]).toEqual([false, 0]);
  cluster.close();
});

/** Values of options that do not take '1'. */
const VALUES: Readonly<Record<string, string>> = { '--guests': 'fedora42', '--desktop': 'openbox' };

/** Each option of each command, with the words that lead to it. */
function everyOption(
  command: Command,
  path: readonly string[] = [],
): [path: readonly string[], option: Option][] {
  return [
    ...command.options.map((option): [readonly string[], Option] => [path, option]),
    ...command.commands.flatMap((inner) => everyOption(inner, [...path, inner.name()])),
  ];
}

test('VE16: each option of each command is refused the second time, and a list takes each value once', () => {
  const all = everyOption(makeProgram()).filter(
    ([, option]) => !option.variadic && option.long !== '--version',
  );
  expect(all.length).toBeGreaterThan(60);
  for (const [path, option] of all) {
    const name = option.long ?? '';
    const value = option.required ? [option.argChoices?.[0] ?? VALUES[name] ?? '1'] : [];
    const words = [name, ...value, name, ...value];
    const error = thrown(() => makeProgram().parse([...path, ...words], { from: 'user' }));
    expect(isRepeated(error), `${path.join(' ')} ${words.join(' ')}: ${String(error)}`).toBe(true);
  }
});

test('VE16: options of a suite are refused exactly when two words are about one option', () => {
  const name = fc.constantFrom('plugin', 'disk', 'no', 'noise', 'a-b');
  const word = fc
    .tuple(name, fc.constantFrom('=', '=fc', '=both', '=a=b', 'none'))
    .map(([option, value]) => ({
      option,
      text: value === 'none' ? `no-${option}` : `${option}${value}`,
    }));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const error = thrown(() => refuseRepeatedSuiteOptions(words.map(({ text }) => text)));
      const isTwice = new Set(words.map(({ option }) => option)).size < words.length;
      expect(words.map(({ text }) => suiteOption(text))).toEqual(words.map(({ option }) => option));
      expect(isRepeated(error)).toBe(isTwice);
      expect(error === undefined).toBe(!isTwice);
    }),
  );
});

test('what the environment sets to nothing is not set', () => {
  const given = [['VMWRIGHT_OPTION_DISK', '--option disk=1']] as const;
  expect(thrown(() => refuseAlsoInEnvironment(given, { VMWRIGHT_OPTION_DISK: '' }))).toBeUndefined();
  expect(isRepeated(thrown(() => refuseAlsoInEnvironment(given, { VMWRIGHT_OPTION_DISK: '1' })))).toBe(true);
});

test('two options of a suite that would be one variable are an error of the matrix that names both', () => {
  expect(optionVariable('a.b')).toBe(optionVariable('a-b'));
  const define = (): unknown =>
    defineSuites({ smoke: { specs: ['s'], options: { 'a-b': {}, c: {}, 'a.b': {} } } });
  expect(define).toThrow(/SUITE_INVALID[^]*a\.b[^]*a-b[^]*VMWRIGHT_OPTION_A_B/);
});

test('.env: a variable has one line; one that is empty may be filled in below, and text in quotation marks is a value', ({}, testInfo) => {
  const folder = testInfo.outputPath('d');
  writeRunProject(folder, ['a1'], {});
  const read = (text: string): NodeJS.ProcessEnv => {
    writeFileSync(join(folder, '.env'), text);
    return readEnvironment({}, folder);
  };
  expect(read('A=\n# A=0\nexport A=1\nB="one\nA=2\nthree"\nC=3 # C=4\n')).toEqual({
    A: '1',
    B: 'one\nA=2\nthree',
    C: '3',
  });
  for (const twice of ['A=1\nB=\nA=2\n', 'A=1\n  export A = 1\n', 'A="x\ny"\nA=1', 'A=1\nA=\n'])
    expect(() => read(twice), twice).toThrow(
      /SETTING_INVALID[^]*\bA: .env sets it twice[^]*lines 1 and [23]/,
    );
});
