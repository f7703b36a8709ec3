/**
 * The lab as Playwright's `webServer` starts it.
 *
 *     node --import tsx lab/serve.ts [--guests fedora42,windows11] [--qemu]
 *
 * Prints one line on stdout when it is ready: `vmwright lab ready: env=<file>`.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { guestNames, serveLab } from './service.ts';

const say = (text: string): unknown => process.stderr.write(`vmwright lab: ${text}\n`);

try {
  const { values } = parseArgs({
    options: { guests: { type: 'string' }, qemu: { type: 'boolean', default: false } },
  });
  const guests = values.guests === undefined ? {} : { guests: guestNames(values.guests) };
  await serveLab({ qemu: values.qemu, progress: say, ...guests }, (_, file) => {
    process.stdout.write(`vmwright lab ready: env=${file}\n`);
  });
  process.exit(0);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
