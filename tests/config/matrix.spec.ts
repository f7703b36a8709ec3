import { expect, test } from '@playwright/test';
import { defineMatrix, type MachineRow, presets, projectsFrom } from '../../fixtures/config/index.ts';
import { isVmwrightError } from '../../fixtures/errors.ts';
import matrix from '../../vm-matrix.ts';

/** A good row with changes that the type system would refuse in a real matrix. */
const row = (changes: object = {}): MachineRow => ({
  ...presets.fedora42,
  name: 'x',
  vm: 101,
  user: 'tester',
  secrets: { password: 'X_PASSWORD' },
  application: { title: 'App', path: '/opt/app', process: 'app' },
  ...changes,
});

function failureOf(rows: MachineRow[]): string {
  try {
    defineMatrix(rows);
  } catch (error) {
    if (isVmwrightError(error, 'MATRIX_INVALID')) return error.message;
    throw error;
  }
  throw new Error('the matrix was accepted');
}

test('the shipped matrix has the eight machines of the product', () => {
  expect(matrix.map((machine) => machine.name)).toEqual([
    'fedora42',
    'ubuntu2204',
    'ubuntu2404',
    'manjaro',
    'opensuse',
    'windows10',
    'windows11',
    'debian12',
  ]);
});

test('M2: an unknown desktop is an error that names the row and the desktop', () => {
  const message = failureOf([row({ os: 'linux', desktop: 'unknown-de' })]);
  expect(message).toContain('"x"');
  expect(message).toContain('field desktop');
  expect(message).toContain('unknown-de');
});

test('M7: the five Linux presets need vga std and machine q35', () => {
  for (const name of ['ubuntu2204', 'ubuntu2404', 'fedora42', 'manjaro', 'opensuse'] as const) {
    expect(presets[name].hardware).toEqual({ vga: 'std', machine: 'q35' });
  }
});

for (const { name, rows, names } of [
  { name: 'unknown os', rows: [row({ os: 'beos' })], names: ['"x"', 'field os', 'beos'] },
  {
    name: 'windows desktop on linux',
    rows: [row({ desktop: 'windows10' })],
    names: ['"x"', 'field desktop'],
  },
  {
    name: 'session that the desktop lacks',
    rows: [row({ desktop: 'openbox' })],
    names: ['field session', 'wayland'],
  },
  { name: 'unknown field', rows: [row({ colour: 'red' })], names: ['"x"', 'field colour'] },
  { name: 'VM id out of range', rows: [row({ vm: 7 })], names: ['field vm', '7'] },
  {
    name: 'nameless row',
    rows: [row(), row({ name: undefined, vm: 102 })],
    names: ['number 2', 'field name'],
  },
  {
    name: 'file glob missing',
    rows: [row({ application: { title: 'A', path: '/tmp/{file}', process: 'a' } })],
    names: ['application.fileGlob'],
  },
  {
    name: 'exit code that is a word',
    rows: [row({ application: { title: 'A', path: '/a', process: 'a', exitCodes: { crash: 'fail' } } })],
    names: ['field application.exitCodes.crash'],
  },
  { name: 'no way to log in', rows: [row({ secrets: {} })], names: ['field secrets'] },
]) {
  test(`a row with ${name} is refused by row and field`, () => {
    const message = failureOf(rows);
    for (const part of names) expect(message).toContain(part);
  });
}

test('M54: duplicate names and duplicate VM ids are errors that name both rows, blacklisted or not', () => {
  expect(failureOf([row(), row({ vm: 102 })])).toMatch(/field name: the same name[^]*rows 1 and 2/);
  expect(failureOf([row(), row({ name: 'y', vm: 103 }), row({ name: 'z' })])).toMatch(
    /field vm: the same vm[^]*rows 1 and 3/,
  );
  expect(failureOf([row({ vm: 'desk' }), row({ name: 'y', vm: 'desk' })])).toContain('rows 1 and 2');
  // A machine that is left out, and again one that is not: neither may win.
  expect(failureOf([row({ skip: 'BROKEN' }), row({ vm: 102 })])).toContain('rows 1 and 2');
  expect(failureOf([row({ skip: 'ONE' }), row({ vm: 102, skip: 'TWO' })])).toContain('rows 1 and 2');
});

test('a secret given as a literal is refused and not repeated in the message', () => {
  const message = failureOf([row({ secrets: { password: 'hunter2!' } })]);
  expect(message).toContain('field secrets.password');
  expect(message).not.toContain('hunter2!');
});

test('each row becomes a project with one worker, scaled time-outs and JSON facts', () => {
  const machines = defineMatrix([row({ timeoutScale: 4, skip: 'being rebuilt' })]);
  const [project] = projectsFrom(machines);
  expect(project).toMatchObject({ name: 'x', workers: 1, timeout: 480_000, expect: { timeout: 60_000 } });
  const facts: unknown = project?.metadata?.vmwright;
  expect(facts).toEqual(JSON.parse(JSON.stringify(facts)));
  expect(facts).toMatchObject({ host: 'x', vm: 101, os: 'linux', desktop: 'gnome', skip: 'being rebuilt' });
  expect(project?.use?.machine).toBe(machines[0]);
});

test('a GPU is a mapping or addresses of one device, and nothing else', () => {
  const gpuOf = (gpu: object): unknown => defineMatrix([row({ gpu })])[0]?.gpu;
  expect(gpuOf({ mapping: 'gpu' })).toEqual({ mapping: 'gpu' });
  expect(gpuOf({ address: '01:00.0' })).toEqual({ address: ['01:00.0'] });
  expect(gpuOf({ address: ['0000:01:00.0', '0000:01:00.1'] })).toMatchObject({ address: { length: 2 } });
  expect(failureOf([row({ gpu: {} })])).toContain('field gpu: needs either mapping or address');
  expect(failureOf([row({ gpu: { mapping: 'gpu', address: '01:00' } })])).toContain('field gpu');
  expect(failureOf([row({ gpu: { address: 'the big one' } })])).toContain('gpu.address');
});
