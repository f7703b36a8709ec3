/** What the machines of vm-matrix.ts add to the Playwright config of this project: `export default addMachines(config)`. */
import type { PlaywrightTestConfig, ReporterDescription } from '@playwright/test';
import { labServer } from 'vmwright/lab';
import { type MachineOptions, projectsFrom, readEnvironment } from 'vmwright/matrix';
import matrix from './vm-matrix.ts';

const { PROXMOX_HOST, TIMEOUT_SCALE } = readEnvironment();
/** A shard is a part of a run: `npx playwright merge-reports` makes one summary of all. */
const isShard = process.argv.some((word) => word.startsWith('--shard'));
/** The specs of machines: no other project runs them. */
const SPECS = 'vm-specs';

export function addMachines<Test, Worker>(
  config: PlaywrightTestConfig<Test, Worker>,
): PlaywrightTestConfig<Test, Worker & MachineOptions> {
  const own = config.projects ?? [{}];
  const reporter =
    typeof config.reporter === 'string' ? [[config.reporter] as ReporterDescription] : config.reporter;
  return {
    ...config,
    projects: [
      ...own.map((project) => ({
        ...project,
        testIgnore: [project.testIgnore ?? config.testIgnore ?? [], `**/${SPECS}/**`].flat(),
      })),
      ...projectsFrom(matrix, { timeoutScale: Number(TIMEOUT_SCALE ?? 1) }).map((project) => ({
        ...project,
        testDir: SPECS,
        testMatch: '**/*.spec.ts',
        testIgnore: [],
        outputDir: 'test-results/artifacts',
        snapshotPathTemplate: '{testDir}/__screenshots__/{projectName}/{arg}{ext}',
      })),
    ],
    // Without a cluster of your own (.env) the embedded lab stands in for one.
    webServer: [config.webServer ?? [], PROXMOX_HOST ? [] : labServer()].flat(),
    reporter: [
      // In this order: what killed runs left is finished, secrets are taken out, films get their steps ...
      ['vmwright/reporters/recover'],
      ['vmwright/reporters/redact'],
      ['vmwright/reporters/film'],
      // ... before others copy it.
      ...(reporter ?? [['list'] as ReporterDescription]),
      ...(isShard ? [['blob', { outputDir: 'test-results/blob' }] as ReporterDescription] : []),
      ['vmwright/reporter'],
      ['vmwright/reporters/lease'],
    ],
  } as PlaywrightTestConfig<Test, Worker & MachineOptions>;
}
