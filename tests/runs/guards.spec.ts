import { expect, test } from '@playwright/test';
import { makeMutant } from '../support/mutant.ts';
import { ROOT } from '../support/runner.ts';
import { GUARDS, loadVerdicts } from './guards.ts';

for (const { name, says, expected, mutation } of GUARDS) {
  test(`${name}; without its guard this would not be so`, async ({}, testInfo) => {
    expect(says(await loadVerdicts(ROOT), testInfo.outputPath('now'))).toBe(expected);
    const mutant = await loadVerdicts(makeMutant(testInfo.outputPath('mutant'), mutation));
    expect(says(mutant, testInfo.outputPath('then'))).not.toBe(expected);
  });
}
