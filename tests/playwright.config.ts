import { defineConfig } from '@playwright/test';
import { leaveHome } from './support/home.ts';

leaveHome();

export default defineConfig({
  testDir: '.',
  globalSetup: './support/shared-memory.ts',
  outputDir: '../test-results/self/artifacts',
  timeout: 300_000,
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  reporter: [
    ['list'],
    ['./support/totals-reporter.ts'],
    // The order by chance that VMWRIGHT_SHUFFLE decides.
    ...(process.env.VMWRIGHT_SHUFFLE === undefined
      ? []
      : [['./suite/support/shuffle-reporter.ts'] as [string]]),
  ],
});
