/** Tests that can fail: what a row asks for is taken out of a copy, and the test that cites the row dies of it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test, type TestInfo } from '@playwright/test';
import type { JSONReport, JSONReportSuite } from '@playwright/test/reporter';
import { makeMutantWithTests, mutantFolder } from '../support/mutant.ts';
import { cleanEnvironment, PLAYWRIGHT } from '../support/runner.ts';
import { INNER_SUITE } from '../support/shared-memory.ts';
import { isSoak, SOAK } from '../support/soak.ts';
import { type Mutant, QUICK, SLOW } from './support/mutants.ts';

const MUTANTS = isSoak ? [...QUICK, ...SLOW] : QUICK;

test.describe.configure({ timeout: 600_000 });

for (const mutant of MUTANTS)
  test(`VE22: without ${mutant.without} the test of ${mutant.row} dies`, SOAK, async ({}, info) => {
    const { died, others } = await runMutant(mutant, info);
    expect(others, 'tests that the runner could not even load or run').toEqual([]);
    expect(died.length).toBeGreaterThan(0);
    expect(died.join('\n')).toMatch(mutant.says);
  });

test('a mutation that nobody notices, and one that breaks more than its row, are told', async ({}, info) => {
  const [, , , some] = QUICK;
  const survives: Mutant = { ...some!, replace: `${String(some!.find)} // as before` };
  expect(await runMutant(survives, info)).toEqual({ died: [], others: [] });
  const breaks: Mutant = { ...some!, replace: '}' };
  expect((await runMutant(breaks, info)).others.length).toBeGreaterThan(0);
});

interface Outcome {
  /** Messages of the failed tests that cite the row. */
  readonly died: readonly string[];
  /** Errors outside of any test: a copy that does not even load proves nothing. */
  readonly others: readonly string[];
}

/** Runs the tests that cite the row, in a copy with the mutation. */
async function runMutant(mutant: Mutant, info: TestInfo): Promise<Outcome> {
  const folder = makeMutantWithTests(mutantFolder(info), mutant);
  const report = join(folder, 'report.json');
  const args = [PLAYWRIGHT, 'test', '--config', 'tests', mutant.spec, '--grep', `\\b${mutant.row}\\b`];
  const child = spawn(process.execPath, [...args, '--workers=1', '--retries=0', '--reporter=json'], {
    cwd: folder,
    env: { ...cleanEnvironment(), ...INNER_SUITE, PLAYWRIGHT_JSON_OUTPUT_FILE: report },
    stdio: 'ignore',
  });
  await new Promise((done) => child.once('close', done));
  const { suites, errors } = JSON.parse(readFileSync(report, 'utf8')) as JSONReport;
  const specsOf = ({ specs, suites: inner = [] }: JSONReportSuite): JSONReportSuite['specs'] => [
    ...specs,
    ...inner.flatMap(specsOf),
  ];
  const specs = suites.flatMap(specsOf);
  if (errors.length === 0 && specs.length === 0)
    throw new Error(`${mutant.spec} has no test of ${mutant.row}`);
  return {
    died: specs
      .filter(({ ok }) => !ok)
      .flatMap(({ tests }) => tests.flatMap(({ results }) => results.flatMap((result) => result.errors)))
      .map(({ message }) => stripVTControlCharacters(message)),
    others: errors.map(({ message = 'an error' }) => message),
  };
}
