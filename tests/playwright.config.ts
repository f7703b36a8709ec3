import { defineConfig } from '@playwright/test';
import { leaveHome } from './support/home.ts';

leaveHome();

export default defineConfig({
  testDir: '.',
  globalSetup: './support/shared-memory.ts',
  outputDir: '../test-results/self/artifacts',
  timeout: 120_000,
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  reporter: [['list'], ['./support/totals-reporter.ts']],
});
