/**
 * The lab as a process, as Playwright's `webServer` starts it.
 *
 *     node --import tsx lab/serve.ts [--guests fedora42,windows11] [--qemu]
 *
 * Prints one line on stdout when it is ready: `vmwright lab ready: env=<file>`.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLab } from './index.ts';

/** How often it is checked that the parent still lives, in milliseconds. */
const ORPHAN_CHECK_MS = 1000;

const { values } = parseArgs({
  options: { guests: { type: 'string' }, qemu: { type: 'boolean', default: false } },
});
const lab = await startLab({
  qemu: values.qemu,
  progress: (line) => process.stderr.write(`vmwright lab: ${line}\n`),
  ...(values.guests === undefined ? {} : { guests: values.guests.split(',') }),
});
const folder = mkdtempSync(join(tmpdir(), 'vmwright-env-'));
const file = join(folder, 'lab.env');
const lines = Object.entries(lab.env()).map(([name, value]) => `${name}='${value}'\n`);
writeFileSync(file, lines.join(''), { mode: 0o600 });

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  rmSync(folder, { recursive: true, force: true });
  lab.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`vmwright lab: ${String(error)}\n`);
      process.exit(1);
    },
  );
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) stop();
}, ORPHAN_CHECK_MS).unref();
process.stdout.write(`vmwright lab ready: env=${file}\n`);
