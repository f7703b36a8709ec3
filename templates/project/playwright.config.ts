import { defineConfig } from '@playwright/test';
import { labServer } from 'vmwright/lab';
import { type MachineOptions, projectsFrom, readEnvironment, workersFor } from 'vmwright/matrix';
import matrix from './vm-matrix.ts';

const { CI, PROXMOX_HOST, TIMEOUT_SCALE, VMWRIGHT_LIVE } = readEnvironment();
/** A shard is a part of a run: `npx playwright merge-reports` makes one summary of all. */
const isShard = process.argv.some((word) => word.startsWith('--shard'));

export default defineConfig<object, MachineOptions>({
  testDir: 'specs',
  outputDir: 'test-results/artifacts',
  snapshotPathTemplate: '{testDir}/__screenshots__/{projectName}/{arg}{ext}',
  forbidOnly: CI !== undefined,
  // A missing baseline is written, and its test fails once: look at the picture. In CI nobody looks, and none is written.
  ...(CI === undefined ? {} : { updateSnapshots: 'none' }),
  // All machines at once, up to a limit: they work elsewhere. `--workers=1` runs one after the other.
  workers: workersFor(matrix),
  projects: projectsFrom(matrix, { timeoutScale: Number(TIMEOUT_SCALE ?? 1) }),
  // VMWRIGHT_LIVE=1 shows the screens in a browser meanwhile.
  ...(VMWRIGHT_LIVE === '1' ? { globalSetup: 'vmwright/live' } : {}),
  // Without a cluster of your own (.env) the embedded lab stands in for one.
  ...(PROXMOX_HOST ? {} : { webServer: labServer() }),
  reporter: [
    // In this order: what killed runs left is finished, secrets are taken out, films get their steps ...
    ['vmwright/reporters/recover'],
    ['vmwright/reporters/redact'],
    ['vmwright/reporters/film'],
    // ... before others copy it.
    ['list'],
    ['html', { outputFolder: 'test-results/html', open: 'never' }],
    ...(isShard ? [['blob', { outputDir: 'test-results/blob' }] as ['blob', object]] : []),
    ['vmwright/reporter'],
    ['vmwright/reporters/lease'],
  ],
});
