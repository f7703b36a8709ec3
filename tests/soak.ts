/**
 * `npm run test:soak`: the tests that search by chance, for as long as a night allows, and every mutant. Words of the
 * command line go to the runner: `npm run test:soak -- tests/vnc`.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { PLAYWRIGHT, ROOT } from './support/runner.ts';

const args = [PLAYWRIGHT, 'test', '--config', 'tests', '--grep', '@soak', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, PROXMOX_HOST: '', VMWRIGHT_SOAK: '1' },
});
process.exitCode = status ?? 1;
