import { defineConfig } from '@playwright/test';
import { type MachineOptions, projectsFrom, readEnvironment, workersFor } from './fixtures/matrix.ts';
import { labServer } from './lab/package.ts';
import { builtOnRequest, leaveOutUnbuilt } from './lab/real-guest.ts';
import desktops from './vm-matrix.desktops.ts';
import matrix from './vm-matrix.ts';

const { PROXMOX_HOST, VMWRIGHT_LAB_ENV, VMWRIGHT_TOTALS, TIMEOUT_SCALE, VMWRIGHT_LIVE } = readEnvironment();
const usesLab = !PROXMOX_HOST || VMWRIGHT_LAB_ENV !== undefined;
/** A shard is a part of a run: `npx playwright merge-reports` makes one summary of all. */
const isShard = process.argv.some((word) => word.startsWith('--shard'));
const startsLab = !PROXMOX_HOST && VMWRIGHT_LAB_ENV === undefined;
const machines = usesLab ? [...leaveOutUnbuilt(matrix), ...builtOnRequest(desktops)] : matrix;

export default defineConfig<object, MachineOptions>({
  testDir: 'specs',
  outputDir: 'test-results/artifacts',
  snapshotPathTemplate: '{testDir}/__screenshots__/{projectName}/{arg}{ext}',
  forbidOnly: process.env.CI !== undefined,
  // A missing baseline is written, and its test fails once. In CI nobody looks at it, and none is written.
  ...(process.env.CI === undefined ? {} : { updateSnapshots: 'none' as const }),
  workers: workersFor(machines),
  projects: projectsFrom(machines, { timeoutScale: Number(TIMEOUT_SCALE ?? 1) }),
  ...(VMWRIGHT_LIVE === '1' ? { globalSetup: './fixtures/recording/live-setup.ts' } : {}),
  reporter: [
    // Before anything of this run is written.
    ['./reporters/recover.ts'],
    // First of the others: what they copy has no secret value in it.
    ['./reporters/redact.ts'],
    // Then films, so that the others copy them with their steps.
    ['./reporters/film.ts'],
    ['list'],
    ['html', { outputFolder: 'test-results/html', open: 'never' }],
    ['./reporters/allure.ts', { resultsDir: 'test-results/allure-results' }],
    ['./reporters/summary.ts'],
    ['./reporters/lease.ts'],
    ...(isShard ? [['blob', { outputDir: 'test-results/blob' }] as ['blob', object]] : []),
    ...(VMWRIGHT_TOTALS === undefined ? [] : [['./tests/support/totals-reporter.ts'] as [string]]),
  ],
  // Without a cluster of your own the embedded lab stands in for one.
  ...(startsLab ? { webServer: labServer({ qemu: true }) } : {}),
});
